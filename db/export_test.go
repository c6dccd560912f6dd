package db

import (
	"context"
	"time"

	"bookhook/webhook"
)

// SetSearch bounds how many rows one request looks at.
func (s *Store) SetSearch(rows int) { s.search = rows }

// RetireAll retires everything in a list at once.
func (s *Store) RetireAll(ctx context.Context, account webhook.AccountID, kind webhook.ItemKind, at time.Time) error {
	return s.write(ctx, func(tx transaction) error {
		_, err := tx.Exec(ctx, `UPDATE `+string(kind)+` SET retired_at = $2 WHERE account_id = $1`, account, toMillis(at))
		return err
	})
}

// NextID returns a new id of a delivery.
func (s *Store) NextID() webhook.DeliveryID { return webhook.DeliveryID(s.nextID()) }

// Pass makes all further ids as if so much time had passed.
func (s *Store) Pass(passed time.Duration) {
	next := s.nextID
	s.nextID = func() int64 {
		id := webhook.EventID(next())
		return int64(id + webhook.FirstID[webhook.EventID](id.Time().Add(passed)) - webhook.FirstID[webhook.EventID](id.Time()))
	}
}

// AccountOf returns the account of a webhook.
func (s *Store) AccountOf(ctx context.Context, id webhook.WebhookID) (account webhook.AccountID, err error) {
	return account, queryRow(ctx, s.engine, `SELECT account_id FROM webhooks WHERE id = $1`, id).Scan(&account)
}

// CountedChannels returns of how many channels the events of an account are counted.
func (s *Store) CountedChannels(ctx context.Context, account webhook.AccountID) (n int, err error) {
	return n, queryRow(ctx, s.engine, `SELECT count(*) FROM event_counts WHERE account_id = $1 AND channel_id <> ''`, account).Scan(&n)
}

// Tries returns how many counts of attempts there are.
func (s *Store) Tries(ctx context.Context) (n int, err error) {
	return n, queryRow(ctx, s.engine, `SELECT count(*) FROM tries`).Scan(&n)
}
