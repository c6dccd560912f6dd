package db

import (
	"context"
	"strings"

	"bookhook/webhook"
)

// bookingLookahead is how many events before a page are searched for the one before
// its last: others may be tests, or of another platform.
const bookingLookahead = 20

// BookingEvents lists the events of a booking, the newest first, with their deliveries
// and the newest attempts of each. A page has at most limit events, and fewer if they
// have many decisions and attempts. A booking that does not exist has none.
func (s *Store) BookingEvents(ctx context.Context, account webhook.AccountID, booking string, before webhook.EventID, limit int) (p webhook.Page[webhook.BookingEvent, webhook.EventID], err error) {
	events, err := list(ctx, s.engine, scanEvent, `SELECT `+listColumns+` FROM events
		WHERE account_id = $1 AND booking_id = $2 AND booking_id <> '' AND id < $3 ORDER BY id DESC LIMIT $4`,
		account, booking, int64(beforeOrNewest(before)), limit+bookingLookahead)
	if err != nil {
		return p, err
	}
	outcomes := 0
	for i, e := range events {
		if i == limit || outcomes >= webhook.MaxBookingOutcomes {
			p.Next = events[i-1].ID
			break
		}
		shown := webhook.BookingEvent{EventRow: e, Previous: previousEvent(e, events[i+1:])}
		if shown.Deliveries, err = s.loggedDeliveries(ctx, account, e.Decisions); err != nil {
			return p, err
		}
		outcomes += len(e.Decisions)
		for _, d := range shown.Deliveries {
			outcomes += len(d.Attempts)
		}
		p.Rows = append(p.Rows, shown)
	}
	return p, nil
}

// previousEvent returns the first of the older events with which e is compared; zero
// if there is none.
func previousEvent(e webhook.EventRow, older []webhook.EventRow) webhook.EventID {
	for _, o := range older {
		if !e.Test && !o.Test && o.Platform == e.Platform {
			return o.ID
		}
	}
	return 0
}

// loggedDeliveries reads the deliveries of an event in the order of its decisions.
func (s *Store) loggedDeliveries(ctx context.Context, account webhook.AccountID, decisions []webhook.Decision) ([]webhook.LoggedDelivery, error) {
	found, err := s.DeliveriesOf(ctx, account, webhook.DeliveryIDs(decisions))
	if err != nil {
		return nil, err
	}
	byID := make(map[webhook.DeliveryID]webhook.Delivery, len(found))
	for _, d := range found {
		byID[d.ID] = d
	}
	var all []webhook.LoggedDelivery
	for _, decision := range decisions {
		d, ok := byID[decision.Delivery]
		if !ok {
			continue
		}
		logged := webhook.LoggedDelivery{Delivery: d}
		if logged.Attempts, err = s.newestAttempts(ctx, d); err != nil {
			return nil, err
		}
		all = append(all, logged)
	}
	return all, nil
}

// newestAttempts reads the newest attempts of a delivery in their order, as a
// webhook.LoggedDelivery has them.
func (s *Store) newestAttempts(ctx context.Context, d webhook.Delivery) ([]webhook.Attempt, error) {
	if d.Attempts == 0 {
		return nil, nil
	}
	attempts, err := list(ctx, s.engine, scanAttempt, `SELECT number, started_at, duration_us, status, failure, error, method, url,
			remote_addr, request_headers, NULL, -1, response_headers, substr(response_body, 1, $4), truncated, NULL
		FROM attempts WHERE delivery_id = $1 AND number > $2 AND number <= $3 ORDER BY number`,
		d.ID, d.Attempts-webhook.BookingAttempts, d.Attempts, webhook.ResponseBeginning)
	for i := range attempts {
		attempts[i].LeftOut = true
	}
	return d.SameSnapshot(attempts), err
}

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
