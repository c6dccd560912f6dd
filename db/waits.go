package db

import (
	"context"

	"bookhook/webhook"
)

// waitsFor has +o.id, which no index serves: with o.id SQLite would walk all
// deliveries of the webhook before that one.
const waitsFor = `SELECT COALESCE(MIN(o.id), 0) FROM deliveries d
	JOIN deliveries o ON o.webhook_id = d.webhook_id AND o.booking_id = d.booking_id
	WHERE d.account_id = $1 AND d.id = $2 AND d.state = 'pending' AND d.next_at = $3
		AND o.state = 'pending' AND o.booking_id <> '' AND o.next_at < $3 AND +o.id < d.id AND o.test = 0`

// WaitsFor finds the delivery that a held delivery of an account waits for: the
// oldest earlier one of its booking that is about to be sent, on its way or
// waiting for its next try. A delivery that is not held waits for none, which
// is webhook.ErrNotFound.
func (s *Store) WaitsFor(ctx context.Context, account, delivery webhook.ID) (first webhook.ID, err error) {
	err = s.row(ctx, waitsFor, account, delivery, int64(heldAt)).Scan(&first)
	if err == nil && first == 0 {
		err = webhook.ErrNotFound
	}
	return first, err
}
