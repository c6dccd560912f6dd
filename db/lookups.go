package db

import (
	"context"

	"bookhook/webhook"
)

// An event that waits for a lookup has no decisions yet, and a row in the table
// lookups. Later events of the same platform and booking wait behind it, whether
// they need a lookup or not: only if events are matched in the order in which they
// were accepted, their deliveries can be sent in that order. Events from the API
// never wait, since the response has the decisions.

// needsLookup reports whether an event is not to be matched yet.
func needsLookup(ctx context.Context, q querier, subscriptions *webhook.Subscriptions, in *arrival) (bool, error) {
	if !in.Inbound || in.BookingID == "" || !subscriptions.Platforms[in.Platform] {
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

// Lookups lists up to limit events of accounts in these shards that wait for a lookup and
// come after the given one, in the order of their ids, which is about that in which they
// were accepted: of one process exactly, of several to within seconds.
func (s *Store) Lookups(ctx context.Context, shards webhook.ShardSet, after webhook.EventID, limit int) ([]webhook.PendingLookup, error) {
	return list(ctx, s.engine, scanLookup, `SELECT `+lookupColumns+` FROM lookups WHERE event_id > $1 AND `+inShards("account_id", "$2")+` ORDER BY event_id LIMIT $3`,
		after, int64(shards), limit)
}

// LookupsOf is Lookups for one account, up to the event last.
func (s *Store) LookupsOf(ctx context.Context, account webhook.AccountID, after, last webhook.EventID, limit int) ([]webhook.PendingLookup, error) {
	// "+" keeps to the order of events: the index by account would be sorted as a whole for each page.
	return list(ctx, s.engine, scanLookup, `SELECT `+lookupColumns+` FROM lookups
		WHERE +account_id = $1 AND event_id > $2 AND event_id <= $3 ORDER BY event_id LIMIT $4`, account, after, last, limit)
}

const lookupColumns = `event_id, account_id, platform, booking_id, ask`

func scanLookup(r scanner) (p webhook.PendingLookup, err error) {
	err = r.Scan(&p.Event, &p.Account, &p.Platform, &p.Booking, &p.Lookup)
	return p, err
}

// PendingEvent reads an account's event that still waits for a lookup.
func (s *Store) PendingEvent(ctx context.Context, account webhook.AccountID, event webhook.EventID) (webhook.Event, error) {
	row, err := scanEvent(queryRow(ctx, s.engine, `SELECT `+eventColumns+` FROM events WHERE account_id = $1 AND id = $2 AND decisions = ''`, account, event))
	return row.Event, err
}

// CompleteLookups stores the match of events that waited for a lookup, in the order
// of the plan, all or none. It stores their TourIDs, Data and Note, and inserts
// deliveries as Insert does. An event that no longer waits is skipped and not
// among those returned. It returns webhook.ErrStale if the subscriptions of the plan
// are out of date, and webhook.ErrNotHeld if another process may look up events of the
// account by now. With an error that wraps group.ErrUnknown, it returns what may be stored
// all the same.
func (s *Store) CompleteLookups(ctx context.Context, p *webhook.Plan) (accepted []webhook.Accepted, err error) {
	matches := make([]arrival, len(p.Events))
	for i, planned := range p.Events {
		e := planned.Event
		e.Account, e.Lookup = p.Subscriptions.Account.ID, false
		matches[i] = newMatch(e)
	}
	err = s.write(ctx, func(tx transaction) error {
		accepted = nil
		if err := tx.checkHeld(p.Subscriptions.Account.ID); err != nil {
			return err
		}
		if err := s.checkRevision(ctx, tx, p.Subscriptions); err != nil {
			return err
		}
		for i := range matches {
			a := webhook.Accepted{Decisions: s.withDeliveries(p.Events[i].Decisions)}
			waited, err := storeMatch(ctx, tx, &matches[i], a.Decisions)
			if err != nil {
				return err
			}
			if !waited {
				continue
			}
			a.Event = matches[i].Event
			if err := deliver(ctx, tx, p, i, &a); err != nil {
				return err
			}
			accepted = append(accepted, a)
		}
		return nil
	})
	return whatMayBe(accepted, err)
}

// storeMatch stores the match of an event, and reports whether the event was
// waiting for it. The event keeps the time at which it was received.
func storeMatch(ctx context.Context, tx transaction, e *arrival, decisions []webhook.Decision) (bool, error) {
	err := queryRow(ctx, tx, `UPDATE events SET tour_ids = $3, data = $4, note = $5, decisions = $6
		WHERE account_id = $1 AND id = $2 AND decisions = '' RETURNING received_at`,
		e.Account, e.ID, e.tours, e.Data, messageJSON(e.Note), decisionsJSON(decisions)).Scan(timeScanner{&e.ReceivedAt})
	if err != nil { // ErrNotFound: it did not wait
		return false, ignoreNotFound(err)
	}
	_, err = tx.Exec(ctx, `DELETE FROM lookups WHERE event_id = $1`, e.ID)
	return true, err
}
