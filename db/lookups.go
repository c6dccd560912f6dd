package db

import (
	"context"
	"time"

	"bookhook/webhook"
)

// An event that waits for a lookup has no decisions, and a row here until it
// has. What its platform sends about the booking meanwhile waits behind it,
// whether it is to be asked about or not: the match is made in the order in which
// they were accepted, or the deliveries could not go out in it. What others send
// through the API waits for nothing, since its answer has the decisions.

// needsLookup reports whether an event is not to be matched yet.
func needsLookup(ctx context.Context, q querier, c *config, in *arrival) (bool, error) {
	if !in.Inbound || in.BookingID == "" || !c.platforms[in.Platform] {
		return false, nil
	}
	if in.Lookup {
		return true, nil
	}
	var earlier int
	err := queryRow(ctx, q, `SELECT 1 FROM lookups WHERE account_id = $1 AND platform = $2 AND booking_id = $3 LIMIT 1`,
		in.Account, in.Platform, in.BookingID).scanOptional(&earlier)
	return earlier > 0, err
}

func insertLookup(ctx context.Context, tx transaction, in *arrival) error {
	_, err := tx.Exec(ctx, `INSERT INTO lookups (event_id, account_id, platform, booking_id, ask) VALUES ($1, $2, $3, $4, $5)`,
		in.ID, in.Account, in.Platform, in.BookingID, boolInt(in.Lookup))
	return err
}

// Lookups lists up to limit events behind after that wait for a lookup, in the
// order in which they were accepted. None is added before one that was listed.
func (s *Store) Lookups(ctx context.Context, after webhook.ID, limit int) ([]webhook.PendingLookup, error) {
	scan := func(r scanner) (p webhook.PendingLookup, err error) {
		return p, r.Scan(&p.Event, &p.Account, &p.Platform, &p.Booking, &p.Ask)
	}
	return list(ctx, s.engine, scan, `SELECT event_id, account_id, platform, booking_id, ask FROM lookups
		WHERE event_id > $1 ORDER BY event_id LIMIT $2`, after, limit)
}

// Undecided reads an account's event that still waits for a lookup.
func (s *Store) Undecided(ctx context.Context, account, event webhook.ID) (webhook.Event, error) {
	row, err := scanEvent(queryRow(ctx, s.engine, `SELECT `+eventColumns+` FROM events WHERE account_id = $1 AND id = $2 AND decisions = ''`, account, event))
	return row.Event, err
}

// LookedUp matches events that waited for a lookup with the account's webhooks
// as they are now, in the order given, all or none. It keeps their TourIDs, Data
// and Note, and inserts deliveries as Ingest does. One that does not wait any
// more is passed over and not among those returned.
func (s *Store) LookedUp(ctx context.Context, account webhook.ID, events []webhook.Event, now, lease time.Time, take func(*webhook.Webhook) bool) (accepted []webhook.Accepted, err error) {
	matched := make([]arrival, len(events))
	for i, e := range events {
		e.Account, e.Lookup = account, false
		matched[i] = newMatch(e)
	}
	err = s.write(ctx, func(tx transaction) error {
		accepted = nil
		c, err := s.config(ctx, tx, account)
		if err != nil {
			return err
		}
		for i := range matched {
			in := &matched[i]
			a := webhook.Accepted{Event: in.Event, Decisions: s.decide(c, &in.Event)}
			waited, err := storeMatch(ctx, tx, in, a.Decisions)
			if err != nil {
				return err
			}
			if !waited {
				continue
			}
			if err := s.deliver(ctx, tx, c, &a, roundMillis(now), lease, take); err != nil {
				return err
			}
			accepted = append(accepted, a)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return accepted, nil
}

// storeMatch stores the match of an event, and reports whether it waited for it.
func storeMatch(ctx context.Context, tx transaction, e *arrival, decisions []webhook.Decision) (bool, error) {
	n, err := tx.Exec(ctx, `UPDATE events SET tour_ids = $3, data = $4, note = $5, decisions = $6
		WHERE account_id = $1 AND id = $2 AND decisions = ''`,
		e.Account, e.ID, e.tours, e.Data, e.Note, decisionsJSON(decisions))
	if err != nil || n == 0 {
		return false, err
	}
	_, err = tx.Exec(ctx, `DELETE FROM lookups WHERE event_id = $1`, e.ID)
	return true, err
}
