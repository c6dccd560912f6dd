package db

import (
	"context"

	"bookhook/webhook"
)

// audit adds an entry to the activity log, in the transaction of the change.
func (s *Store) audit(ctx context.Context, tx transaction, e webhook.AuditEntry) error {
	_, err := tx.Exec(ctx, `INSERT INTO audit (id, account_id, actor, action, subject, args, at) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		s.nextID(), nullID(e.Account), e.By, e.Action, e.Subject, toJSON(e.Args), toMillis(e.At))
	return err
}

// changed adds an entry about a change of an account, or of its webhooks or
// platforms, and gives the account a new revision.
func (s *Store) changed(ctx context.Context, tx transaction, e webhook.AuditEntry) error {
	if err := s.newRevision(ctx, tx, e.Account); err != nil {
		return err
	}
	return s.audit(ctx, tx, e)
}

// Audit lists what was changed in an account, the newest first, beginning below
// the id before (0: with the newest).
func (s *Store) Audit(ctx context.Context, account webhook.AccountID, before webhook.AuditID, limit int) ([]webhook.AuditEntry, error) {
	scan := func(r scanner) (e webhook.AuditEntry, err error) {
		err = r.Scan(&e.ID, &e.Account, &e.By, &e.Action, &e.Subject, jsonScanner{&e.Args}, timeScanner{&e.At})
		return e, err
	}
	return list(ctx, s.engine, scan, `SELECT id, account_id, actor, action, subject, args, at FROM audit
		WHERE account_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3`, account, beforeOrNewest(before), limit)
}

// nullID returns NULL for the zero id.
func nullID[I ~int64](id I) any {
	if id == 0 {
		return nil
	}
	return int64(id)
}
