package db

import (
	"context"
	"fmt"
	"time"

	"bookhook/webhook"
)

// Channels and tours are two tables of one shape. Their names come from the
// two constants of webhook.ItemKind only, never from outside.

func scanItem(r scanner) (i webhook.Item, err error) {
	err = r.Scan(&i.ID, &i.Name, timeScanner{&i.RetiredAt})
	return i, err
}

// AllItems lists all channels or tours of an account by name, retired ones
// last.
func (s *Store) AllItems(ctx context.Context, account webhook.ID, kind webhook.ItemKind) ([]webhook.Item, error) {
	return list(ctx, s.engine, scanItem, `SELECT id, name, retired_at FROM `+string(kind)+`
		WHERE account_id = $1 ORDER BY retired_at > 0, lower(name), id`, account)
}

// Item finds one channel or tour by its id.
func (s *Store) Item(ctx context.Context, account webhook.ID, kind webhook.ItemKind, id string) (webhook.Item, error) {
	return scanItem(queryRow(ctx, s.engine, `SELECT id, name, retired_at FROM `+string(kind)+` WHERE account_id = $1 AND id = $2`, account, id))
}

// AddItem adds a channel or tour. An id that is there is webhook.Invalid.
func (s *Store) AddItem(ctx context.Context, account webhook.ID, kind webhook.ItemKind, item webhook.Item, by string, now time.Time) error {
	return s.write(ctx, func(tx transaction) error {
		_, err := tx.Exec(ctx, `INSERT INTO `+string(kind)+` (account_id, id, name) VALUES ($1, $2, $3)`, account, item.ID, item.Name)
		if s.engine.IsUnique(err) {
			return webhook.Invalid{"id": fmt.Sprintf("The id %s is in the list already; rename that one instead.", item.ID)}
		}
		if err != nil {
			return err
		}
		return s.audit(ctx, tx, account, by, string(kind)+".added", item.Name+" ("+item.ID+")", now)
	})
}

// PutItems adds new items and renames and restores those that are there, all
// or none, and says how many there were of each.
func (s *Store) PutItems(ctx context.Context, account webhook.ID, kind webhook.ItemKind, items []webhook.Item, by string, now time.Time) (added, changed int, err error) {
	err = s.write(ctx, func(tx transaction) error {
		added, changed = 0, 0
		for _, item := range items {
			n, err := tx.Exec(ctx, `UPDATE `+string(kind)+` SET name = $3, retired_at = 0 WHERE account_id = $1 AND id = $2`, account, item.ID, item.Name)
			if err != nil {
				return err
			}
			changed += int(n)
			if n > 0 {
				continue
			}
			if _, err := tx.Exec(ctx, `INSERT INTO `+string(kind)+` (account_id, id, name) VALUES ($1, $2, $3)`, account, item.ID, item.Name); err != nil {
				return err
			}
			added++
		}
		return s.audit(ctx, tx, account, by, string(kind)+".imported", fmt.Sprintf("%d added, %d already there", added, changed), now)
	})
	return added, changed, err
}

// RefreshItems adds what a booking platform lists and this list has not, and
// takes over the names, all or none, and says how many there were of each. What
// was retired here stays so, and so does what the platform does not list.
func (s *Store) RefreshItems(ctx context.Context, account webhook.ID, kind webhook.ItemKind, items []webhook.Item, by string, now time.Time) (r webhook.Refreshed, err error) {
	err = s.write(ctx, func(tx transaction) error {
		r = webhook.Refreshed{}
		for _, item := range items {
			added, err := tx.Exec(ctx, `INSERT INTO `+string(kind)+` (account_id, id, name) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`, account, item.ID, item.Name)
			if err != nil {
				return err
			}
			renamed, err := tx.Exec(ctx, `UPDATE `+string(kind)+` SET name = $3 WHERE account_id = $1 AND id = $2 AND name <> $3`, account, item.ID, item.Name)
			if err != nil {
				return err
			}
			r.Added += int(added)
			r.Renamed += int(renamed)
		}
		r.Unchanged = len(items) - r.Added - r.Renamed
		return s.audit(ctx, tx, account, by, string(kind)+".refreshed", r.String(), now)
	})
	return r, err
}

// RenameItem changes the name of a channel or tour.
func (s *Store) RenameItem(ctx context.Context, account webhook.ID, kind webhook.ItemKind, item webhook.Item, by string, now time.Time) error {
	return s.changeItem(ctx, account, kind, item.ID, by, ".renamed", now, `name = $3`, item.Name)
}

// RetireItem hides a channel or tour where one chooses; a zero retiredAt
// brings it back.
func (s *Store) RetireItem(ctx context.Context, account webhook.ID, kind webhook.ItemKind, id string, retiredAt time.Time, by string, now time.Time) error {
	action := ".retired"
	if retiredAt.IsZero() {
		action = ".restored"
	}
	return s.changeItem(ctx, account, kind, id, by, action, now, `retired_at = $3`, toMillis(retiredAt))
}

func (s *Store) changeItem(ctx context.Context, account webhook.ID, kind webhook.ItemKind, id, by, action string, now time.Time, set string, value any) error {
	return s.write(ctx, func(tx transaction) error {
		item, err := scanItem(queryRow(ctx, tx, `UPDATE `+string(kind)+` SET `+set+` WHERE account_id = $1 AND id = $2
			RETURNING id, name, retired_at`, account, id, value))
		if err != nil {
			return err
		}
		return s.audit(ctx, tx, account, by, string(kind)+action, item.Name+" ("+item.ID+")", now)
	})
}
