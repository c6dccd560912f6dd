package db

import (
	"context"
	"time"

	"bookhook/webhook"
)

// Prune deletes one small batch of what is older than before: of the next
// events behind after, the oldest first, the deliveries that ended before it,
// with their attempts, and the events that have none left; and audit entries;
// and, whatever before is, what could not be read and came last
// webhook.KeepUnrecognised before now; and, in the first batch, expired
// sessions and access tokens. It returns how many rows went and the last event
// that it looked at: begin with 0 and go on behind that, until nothing went and
// last is after. What waits is so passed over once, not in every batch.
func (s *Store) Prune(ctx context.Context, before, now time.Time, after webhook.ID, batch int) (deleted int64, last webhook.ID, err error) {
	first := webhook.FirstID(before)
	err = s.write(ctx, func(tx transaction) error {
		deleted, last = 0, after
		events, err := list(ctx, tx, scanMatchedEvent, `SELECT id, decisions FROM events WHERE id > $1 AND id < $2 ORDER BY id LIMIT $3`, after, first, batch)
		if err != nil {
			return err
		}
		for _, e := range events {
			n, err := pruneEvent(ctx, tx, e, before)
			if err != nil {
				return err
			}
			if deleted, last = deleted+n, e.id; deleted >= int64(4*batch) {
				break // events that many webhooks were told of
			}
		}
		n, err := tx.Exec(ctx, `DELETE FROM audit WHERE id IN (SELECT id FROM audit WHERE id < $1 ORDER BY id LIMIT $2)`, first, batch)
		if err != nil {
			return err
		}
		deleted += n
		unread := now.Add(-webhook.KeepUnrecognised)
		n, err = tx.Exec(ctx, `DELETE FROM rejected_requests WHERE id IN (SELECT id FROM rejected_requests WHERE id < $1 AND last_at < $2 ORDER BY id LIMIT $3)`,
			webhook.FirstID(unread), toMillis(unread), batch) // the id is from when it came first
		if err != nil {
			return err
		}
		deleted += n
		if after > 0 {
			return nil
		}
		for _, expired := range []string{`DELETE FROM sessions WHERE expires_at <= $1`, `DELETE FROM client_tokens WHERE expires_at <= $1`} {
			n, err := tx.Exec(ctx, expired, toMillis(now)) // reads them all
			if err != nil {
				return err
			}
			deleted += n
		}
		return nil
	})
	return deleted, last, err
}

// pruneEvent deletes what ended of an event, and the event when nothing is left
// of it. One that waits for its match stays.
func pruneEvent(ctx context.Context, tx transaction, e matchedEvent, before time.Time) (deleted int64, err error) {
	const its = `event_id = $1 AND id >= $2 AND id < $3`
	const ended = its + ` AND state <> 'pending' AND finished_at < $4`
	if e.pending {
		return 0, nil
	}
	in := e.deliveries()
	steps := []struct {
		query string
		args  []any
	}{
		{`DELETE FROM attempts WHERE delivery_id IN (SELECT id FROM deliveries WHERE ` + ended + `)`, []any{e.id, in.from, in.to, toMillis(before)}},
		{`DELETE FROM deliveries WHERE ` + ended, []any{e.id, in.from, in.to, toMillis(before)}},
		{`DELETE FROM events WHERE id = $1 AND NOT EXISTS (SELECT 1 FROM deliveries WHERE ` + its + `)`, []any{e.id, in.from, in.to}},
	}
	if in.to == 0 { // no webhook was told
		steps = steps[2:]
	}
	for _, step := range steps {
		n, err := tx.Exec(ctx, step.query, step.args...)
		if err != nil {
			return deleted, err
		}
		deleted += n
	}
	return deleted, nil
}
