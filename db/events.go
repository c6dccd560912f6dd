package db

import (
	"context"

	"bookhook/webhook"
)

const (
	eventColumns = eventStart + `, data, wire, decisions`
	// listColumns leave the data out, which may be a megabyte each.
	listColumns = eventStart + `, NULL, NULL, decisions`
	eventStart  = `id, account_id, COALESCE(external_id, ''), platform, type, channel_id, booking_id, tour_ids,
	occurred_at, received_at, test, inbound, note`
)

func scanEvent(r scanner) (e webhook.EventRow, err error) {
	err = r.Scan(&e.ID, &e.Account, &e.ExternalID, &e.Platform, &e.Type, &e.ChannelID, &e.BookingID, jsonScanner{&e.TourIDs},
		timeScanner{&e.OccurredAt}, timeScanner{&e.ReceivedAt}, &e.Test, &e.Inbound, messageScanner{&e.Note}, &e.Data, &e.Wire, decisionsScanner{&e.Decisions, &e.Lookup})
	return e, err
}

// Event finds an event of an account with its decisions.
func (s *Store) Event(ctx context.Context, account webhook.AccountID, id webhook.EventID) (webhook.EventRow, error) {
	return scanEvent(queryRow(ctx, s.engine, `SELECT `+eventColumns+` FROM events WHERE account_id = $1 AND id = $2`, account, id))
}

// EventID finds the event with this external id.
func (s *Store) EventID(ctx context.Context, account webhook.AccountID, external string) (webhook.EventID, error) {
	var id webhook.EventID
	err := queryRow(ctx, s.engine, `SELECT id FROM events WHERE account_id = $1 AND external_id = $2`, account, external).Scan(&id)
	return id, err
}

// Events lists the events of an account without their data, the newest first.
func (s *Store) Events(ctx context.Context, account webhook.AccountID, f webhook.EventFilter) (webhook.Page[webhook.EventRow, webhook.EventID], error) {
	rows, next, err := readPage(ctx, s.engine, s.eventListing(account, f), f.Limit, scanEvent, func(e webhook.EventRow) int64 { return int64(e.ID) })
	return webhook.Page[webhook.EventRow, webhook.EventID]{Rows: rows, Next: webhook.EventID(next)}, err
}

// CountEvents counts what Events lists under a filter, on all pages; it reads no
// more rows than one request may.
func (s *Store) CountEvents(ctx context.Context, account webhook.AccountID, f webhook.EventFilter) (webhook.Count, error) {
	return countRows(ctx, s.engine, s.eventListing(account, f))
}

// eventListing lists by the index events_account, which has the type, or by
// events_booking.
func (s *Store) eventListing(account webhook.AccountID, f webhook.EventFilter) listing {
	l := listing{table: "events", columns: listColumns, span: newSpan(f.Since, f.Until, int64(f.Before), 0)}
	l.index(`account_id = ?`, account)
	limit := s.search * indexFactor
	if f.Booking != "" {
		limit = s.search
		l.index(`booking_id = ? AND booking_id <> ''`, f.Booking)
	}
	if f.Type != "" {
		platform, eventType := webhook.SplitEventKey(f.Type)
		l.filter(limit, `type = ? AND platform = ?`, eventType, platform)
	}
	return l
}

// matchedEvent is an event and its decisions.
type matchedEvent struct {
	id        webhook.EventID
	decisions []webhook.Decision
	pending   bool // it waits for its match
}

func scanMatchedEvent(r scanner) (e matchedEvent, err error) {
	err = r.Scan(&e.id, decisionsScanner{&e.decisions, &e.pending})
	return e, err
}

// deliveries returns the smallest span with all deliveries of the event; empty if
// it has none. They are created together, so the span has few others.
func (e matchedEvent) deliveries() (s span) {
	for _, d := range e.decisions {
		if d.Delivery == 0 {
			continue
		}
		id := int64(d.Delivery)
		if s.from == 0 {
			s.from = id
		}
		s.from, s.to = min(s.from, id), max(s.to, id+1)
	}
	return s
}

// eventDeliveries returns the span with all deliveries of an event of an account;
// empty if there is no such event.
func (s *Store) eventDeliveries(ctx context.Context, account webhook.AccountID, event webhook.EventID) (span, error) {
	e, err := scanMatchedEvent(queryRow(ctx, s.engine, `SELECT id, decisions FROM events WHERE account_id = $1 AND id = $2`, account, event))
	if err != nil {
		return span{}, ignoreNotFound(err)
	}
	return e.deliveries(), nil
}
