package db

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strconv"
	"time"

	"bookhook/webhook"
)

// Channels and tours are two tables with the same columns. Their names are only
// ever the two constants of webhook.ItemKind, never user input.

func scanItem(r scanner) (i webhook.Item, err error) {
	err = r.Scan(&i.ID, &i.Name, timeScanner{&i.RetiredAt})
	return i, err
}

// AllItems lists all channels or tours of an account by name, as webhook.CompareNames
// does, those of the same name by id, retired ones last.
func (s *Store) AllItems(ctx context.Context, account webhook.AccountID, kind webhook.ItemKind) ([]webhook.Item, error) {
	items, err := list(ctx, s.engine, scanItem, `SELECT id, name, retired_at FROM `+string(kind)+`
		WHERE account_id = $1 ORDER BY retired_at > 0, lower(name), id`, account)
	if err != nil {
		return nil, err
	}
	used := slices.IndexFunc(items, func(i webhook.Item) bool { return !i.RetiredAt.IsZero() })
	if used < 0 {
		used = len(items)
	}
	slices.SortFunc(items[:used], compareItems)
	slices.SortFunc(items[used:], compareItems)
	return items, nil
}

func compareItems(a, b webhook.Item) int {
	return cmp.Or(webhook.CompareNames(a.Name, b.Name), webhook.CompareNames(a.ID, b.ID))
}

// Items lists the channels or tours of an account by their ids, retired ones too,
// beginning after an id ("": with the first).
func (s *Store) Items(ctx context.Context, account webhook.AccountID, kind webhook.ItemKind, after string, limit int) ([]webhook.Item, error) {
	return list(ctx, s.engine, scanItem, `SELECT id, name, retired_at FROM `+string(kind)+`
		WHERE account_id = $1 AND id > $2 ORDER BY id LIMIT $3`, account, after, limit)
}

// Item finds one channel or tour by its id.
func (s *Store) Item(ctx context.Context, account webhook.AccountID, kind webhook.ItemKind, id string) (webhook.Item, error) {
	return scanItem(queryRow(ctx, s.engine, `SELECT id, name, retired_at FROM `+string(kind)+` WHERE account_id = $1 AND id = $2`, account, id))
}

// growing runs do, which may bring items into use, in a transaction of which nothing
// stays if more than the limit are in use then; it returns webhook.LimitReached. What
// is over the limit already may be changed, but not grow.
func (s *Store) growing(ctx context.Context, account webhook.AccountID, kind webhook.ItemKind, do func(transaction) error) error {
	return s.write(ctx, func(tx transaction) error {
		if err := lockAccount(ctx, tx, account); err != nil {
			return err
		}
		used, err := countItems(ctx, tx, account, kind)
		if err != nil {
			return err
		}
		if err := do(tx); err != nil {
			return err
		}
		after, err := countItems(ctx, tx, account, kind)
		if what, limit := kind.Limit(); err == nil && after > max(used, limit) {
			return webhook.LimitReached{What: what, Limit: limit, Used: used, Over: after - limit}
		}
		return err
	})
}

// countItems counts the channels or tours that are in use.
func countItems(ctx context.Context, q querier, account webhook.AccountID, kind webhook.ItemKind) (n int, err error) {
	err = queryRow(ctx, q, `SELECT count(*) FROM `+string(kind)+` WHERE account_id = $1 AND retired_at = 0`, account).Scan(&n)
	return n, err
}

// AddItem adds a channel or tour. It returns webhook.Invalid if the id exists, and
// webhook.LimitReached if too many are in use.
func (s *Store) AddItem(ctx context.Context, account webhook.AccountID, kind webhook.ItemKind, item webhook.Item, change webhook.Change) error {
	return s.growing(ctx, account, kind, func(tx transaction) error {
		_, err := tx.Exec(ctx, `INSERT INTO `+string(kind)+` (account_id, id, name) VALUES ($1, $2, $3)`, account, item.ID, item.Name)
		if s.engine.IsUnique(err) {
			return webhook.Invalid{"id": webhook.NewMessage("item.id_taken", item.ID)}
		}
		if err != nil {
			return err
		}
		return s.audit(ctx, tx, itemEntry(account, kind, item, ".added", change))
	})
}

func itemEntry(account webhook.AccountID, kind webhook.ItemKind, item webhook.Item, action string, change webhook.Change) webhook.AuditEntry {
	return webhook.AuditEntry{Account: account, Change: change, Action: string(kind) + action, Subject: item.ID, Args: []string{item.Name, item.ID}}
}

func countsEntry(account webhook.AccountID, kind webhook.ItemKind, action string, change webhook.Change, counts ...int) webhook.AuditEntry {
	e := webhook.AuditEntry{Account: account, Change: change, Action: string(kind) + action}
	for _, n := range counts {
		e.Args = append(e.Args, strconv.Itoa(n))
	}
	return e
}

// PutItems adds new items and renames and restores existing ones, all or none, and
// returns how many there were of each. It returns webhook.LimitReached if too many
// would be in use.
func (s *Store) PutItems(ctx context.Context, account webhook.AccountID, kind webhook.ItemKind, items []webhook.Item, change webhook.Change) (added, changed int, err error) {
	err = s.growing(ctx, account, kind, func(tx transaction) error {
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
		return s.audit(ctx, tx, countsEntry(account, kind, ".saved", change, added, changed))
	})
	return added, changed, err
}

// ImportItems adds the items of a booking platform that are not in the list yet,
// and renames the others, all or none, and returns how many there were of each.
// Retired items stay retired, and items that the platform does not list stay as
// they are. It returns webhook.LimitReached if too many would be in use.
func (s *Store) ImportItems(ctx context.Context, account webhook.AccountID, kind webhook.ItemKind, items []webhook.Item, change webhook.Change) (imported webhook.ItemsImported, err error) {
	err = s.growing(ctx, account, kind, func(tx transaction) error {
		imported = webhook.ItemsImported{}
		for _, item := range items {
			added, err := tx.Exec(ctx, `INSERT INTO `+string(kind)+` (account_id, id, name) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`, account, item.ID, item.Name)
			if err != nil {
				return err
			}
			renamed, err := tx.Exec(ctx, `UPDATE `+string(kind)+` SET name = $3 WHERE account_id = $1 AND id = $2 AND name <> $3`, account, item.ID, item.Name)
			if err != nil {
				return err
			}
			imported.Added += int(added)
			imported.Renamed += int(renamed)
		}
		imported.Unchanged = len(items) - imported.Added - imported.Renamed
		return s.audit(ctx, tx, countsEntry(account, kind, ".imported", change, imported.Added, imported.Renamed, imported.Unchanged))
	})
	return imported, err
}

// RenameItem changes the name of a channel or tour.
func (s *Store) RenameItem(ctx context.Context, account webhook.AccountID, kind webhook.ItemKind, item webhook.Item, change webhook.Change) error {
	return s.write(ctx, func(tx transaction) error {
		n, err := tx.Exec(ctx, `UPDATE `+string(kind)+` SET name = $3 WHERE account_id = $1 AND id = $2`, account, item.ID, item.Name)
		if err != nil {
			return err
		}
		if n == 0 {
			return webhook.ErrNotFound
		}
		return s.audit(ctx, tx, itemEntry(account, kind, item, ".renamed", change))
	})
}

// UndoRetire restores a channel or tour that was retired at the time, as RetireItem
// does. It returns webhook.ErrConflict if it was restored, or retired again, since.
func (s *Store) UndoRetire(ctx context.Context, account webhook.AccountID, kind webhook.ItemKind, id string, retired time.Time, change webhook.Change) error {
	return s.growing(ctx, account, kind, func(tx transaction) error {
		item, err := scanItem(queryRow(ctx, tx, `UPDATE `+string(kind)+` SET retired_at = 0
			WHERE account_id = $1 AND id = $2 AND retired_at = $3 AND retired_at > 0
			RETURNING id, name, retired_at`, account, id, toMillis(retired)))
		if errors.Is(err, webhook.ErrNotFound) {
			return webhook.ErrConflict
		}
		if err != nil {
			return err
		}
		return s.audit(ctx, tx, itemEntry(account, kind, item, ".restored", change))
	})
}

// RetireItem retires a channel or tour, so that it is no longer offered to choose
// from, or restores it, which returns webhook.LimitReached if too many would be in
// use. Of the retired ones, as many are kept as may be in use.
func (s *Store) RetireItem(ctx context.Context, account webhook.AccountID, kind webhook.ItemKind, id string, retired bool, change webhook.Change) error {
	action, at := ".restored", int64(0)
	if retired {
		action, at = ".retired", toMillis(change.At)
	}
	return s.growing(ctx, account, kind, func(tx transaction) error {
		item, err := scanItem(queryRow(ctx, tx, `UPDATE `+string(kind)+` SET retired_at = $3 WHERE account_id = $1 AND id = $2
			RETURNING id, name, retired_at`, account, id, at))
		if err != nil {
			return err
		}
		_, limit := kind.Limit()
		_, err = tx.Exec(ctx, `DELETE FROM `+string(kind)+` WHERE account_id = $1 AND id IN (SELECT id FROM `+string(kind)+`
			WHERE account_id = $1 AND retired_at > 0 ORDER BY retired_at DESC, id LIMIT $2 OFFSET $3)`, account, limit, limit)
		if err != nil {
			return err
		}
		return s.audit(ctx, tx, itemEntry(account, kind, item, action, change))
	})
}
