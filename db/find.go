package db

import (
	"context"
	"strings"

	"bookhook/webhook"
)

// BookingsFrom lists up to limit references of bookings that begin with a prefix, in
// the order of their bytes; so one that equals the prefix is the first. Each is one
// step in the index events_booking, however many events it has.
func (s *Store) BookingsFrom(ctx context.Context, account webhook.AccountID, prefix string, limit int) ([]string, error) {
	const next = `SELECT booking_id FROM events WHERE account_id = $1 AND booking_id > $2 AND booking_id <> '' ORDER BY booking_id LIMIT 1`
	const first = `SELECT booking_id FROM events WHERE account_id = $1 AND booking_id >= $2 AND booking_id <> '' ORDER BY booking_id LIMIT 1`
	var found []string
	query, after := first, prefix
	for len(found) < limit {
		var reference string
		err := queryRow(ctx, s.engine, query, account, after).scanOptional(&reference)
		if err != nil || reference == "" || !strings.HasPrefix(reference, prefix) {
			return found, err
		}
		found = append(found, reference)
		query, after = next, reference
	}
	return found, nil
}
