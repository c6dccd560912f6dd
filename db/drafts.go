package db

import (
	"context"
	"encoding/json"
	"time"

	"bookhook/webhook"
)

// SaveDraft stores a draft, valid or not; a new one gets its id. It returns
// webhook.LimitReached if it would be one more than webhook.MaxDrafts,
// webhook.ErrDraftChanged if the draft was saved since d was read, and
// webhook.ErrNotFound if it is gone.
func (s *Store) SaveDraft(ctx context.Context, d webhook.Draft, now time.Time) (webhook.Draft, error) {
	read := d.UpdatedAt
	d.UpdatedAt = roundMillis(now)
	fresh := d.ID == 0
	most := webhook.LimitReached{What: webhook.LimitedDrafts, Limit: webhook.MaxDrafts}
	err := s.write(ctx, func(tx transaction) error {
		if fresh {
			if err := checkRoom(ctx, tx, d.Account, most, `SELECT count(*) FROM drafts WHERE account_id = $1`); err != nil {
				return err
			}
			d.ID = webhook.DraftID(s.nextID())
		}
		key, err := s.writeKey(ctx, tx)
		if err != nil {
			return err
		}
		body, err := sealDraft(key, d)
		if err != nil {
			return err
		}
		if fresh {
			_, err := tx.Exec(ctx, `INSERT INTO drafts (id, account_id, webhook_id, body, updated_at) VALUES ($1, $2, $3, $4, $5)`,
				d.ID, d.Account, nullID(d.Edits), body, toMillis(d.UpdatedAt))
			return err
		}
		if !d.UpdatedAt.After(read) { // two saves in one millisecond must differ
			d.UpdatedAt = read.Add(time.Millisecond)
		}
		n, err := tx.Exec(ctx, `UPDATE drafts SET body = $3, updated_at = $4 WHERE account_id = $1 AND id = $2 AND updated_at = $5`,
			d.Account, d.ID, body, toMillis(d.UpdatedAt), toMillis(read))
		return asRead(ctx, tx, d.Account, d.ID, n, err)
	})
	return d, err
}

// asRead returns the error of a statement that was for a draft as it was read, and
// changed n rows: webhook.ErrDraftChanged or webhook.ErrNotFound if it changed none.
func asRead(ctx context.Context, q querier, account webhook.AccountID, id webhook.DraftID, n int64, err error) error {
	if err != nil || n > 0 {
		return err
	}
	var there int
	if err := queryRow(ctx, q, `SELECT 1 FROM drafts WHERE account_id = $1 AND id = $2`, account, id).Scan(&there); err != nil {
		return err
	}
	return webhook.ErrDraftChanged
}

const draftColumns = `id, account_id, body, updated_at`

func (s *Store) scanDraft(r scanner) (d webhook.Draft, err error) {
	var body []byte
	var id webhook.DraftID
	var account webhook.AccountID
	if err := r.Scan(&id, &account, &body, timeScanner{&d.UpdatedAt}); err != nil {
		return d, err
	}
	updated := d.UpdatedAt
	if err := json.Unmarshal(body, &d); err != nil {
		return d, err
	}
	d.ID, d.Account, d.UpdatedAt = id, account, updated
	d.Basic, err = s.key.Open(d.Basic, draftPlace(d))
	return d, err
}

// Draft finds a draft of an account.
func (s *Store) Draft(ctx context.Context, account webhook.AccountID, id webhook.DraftID) (webhook.Draft, error) {
	return s.scanDraft(queryRow(ctx, s.engine, `SELECT `+draftColumns+` FROM drafts WHERE account_id = $1 AND id = $2`, account, id))
}

// Drafts lists the unfinished drafts of an account, at most webhook.MaxDrafts, the
// newest first.
func (s *Store) Drafts(ctx context.Context, account webhook.AccountID) ([]webhook.Draft, error) {
	return list(ctx, s.engine, s.scanDraft, `SELECT `+draftColumns+` FROM drafts WHERE account_id = $1 ORDER BY id DESC LIMIT $2`, account, webhook.MaxDrafts)
}

// DeleteDraft discards a draft.
func (s *Store) DeleteDraft(ctx context.Context, account webhook.AccountID, id webhook.DraftID) error {
	return s.write(ctx, func(tx transaction) error {
		n, err := tx.Exec(ctx, `DELETE FROM drafts WHERE account_id = $1 AND id = $2`, account, id)
		if err == nil && n == 0 {
			return webhook.ErrNotFound
		}
		return err
	})
}

// finishDraft removes the draft of a webhook that is saved; nil: none. The draft
// must not have changed since it was read.
func finishDraft(ctx context.Context, tx transaction, account webhook.AccountID, d *webhook.Draft) error {
	if d == nil {
		return nil
	}
	n, err := tx.Exec(ctx, `DELETE FROM drafts WHERE account_id = $1 AND id = $2 AND updated_at = $3`, account, d.ID, toMillis(d.UpdatedAt))
	return asRead(ctx, tx, account, d.ID, n, err)
}
