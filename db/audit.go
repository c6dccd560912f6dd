package db

import (
	"context"
	"time"

	"bookhook/webhook"
)

// audit notes a change in the transaction that makes it.
func (s *Store) audit(ctx context.Context, tx transaction, account webhook.ID, by, action, subject string, now time.Time) error {
	_, err := tx.Exec(ctx, `INSERT INTO audit (id, account_id, actor, action, subject, at) VALUES ($1, $2, $3, $4, $5, $6)`,
		s.newID(), nullID(account), by, action, subject, toMillis(now))
	return err
}

// Audit lists what was changed in an account, the newest first, from before
// the given id on (0: from the newest).
func (s *Store) Audit(ctx context.Context, account, before webhook.ID, limit int) ([]webhook.AuditEntry, error) {
	scan := func(r scanner) (e webhook.AuditEntry, err error) {
		err = r.Scan(&e.ID, &e.Account, &e.Actor, &e.Action, &e.Subject, timeScanner{&e.At})
		return e, err
	}
	return list(ctx, s.engine, scan, `SELECT id, account_id, actor, action, subject, at FROM audit
		WHERE account_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3`, account, beforeOrNewest(before), limit)
}

// nullID is NULL for no id.
func nullID(id webhook.ID) any {
	if id == 0 {
		return nil
	}
	return int64(id)
}
