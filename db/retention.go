package db

import (
	"context"
	"time"

	"bookhook/webhook"
)

// Prune deletes one small batch of what is older than before: deliveries that
// ended before it, with their attempts, events without deliveries, expired
// sessions, and audit entries. It returns how many rows went; call it again
// until that is 0.
func (s *Store) Prune(ctx context.Context, before, now time.Time, batch int) (deleted int64, err error) {
	first := webhook.FirstID(before)
	old := `SELECT id FROM deliveries WHERE id < $1 AND state <> 'pending' AND finished_at < $3 ORDER BY id LIMIT $2`
	steps := []struct {
		query string
		args  []any
	}{
		{`DELETE FROM attempts WHERE delivery_id IN (` + old + `)`, []any{first, batch, ms(before)}},
		{`DELETE FROM deliveries WHERE id IN (` + old + `)`, []any{first, batch, ms(before)}},
		{`DELETE FROM events WHERE id IN (SELECT id FROM events e WHERE id < $1
			AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.event_id = e.id) ORDER BY id LIMIT $2)`, []any{first, batch}},
		{`DELETE FROM audit WHERE id IN (SELECT id FROM audit WHERE id < $1 ORDER BY id LIMIT $2)`, []any{first, batch}},
		{`DELETE FROM sessions WHERE expires_at <= $1`, []any{ms(now)}},
	}
	err = s.write(ctx, func(q querier) error {
		deleted = 0
		for _, step := range steps {
			n, err := q.exec(ctx, step.query, step.args...)
			if err != nil {
				return err
			}
			deleted += n
		}
		return nil
	})
	return deleted, err
}
