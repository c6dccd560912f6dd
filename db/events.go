package db

import (
	"context"
	"strconv"
	"strings"

	"bookhook/webhook"
)

const (
	sentColumns  = eventStart + `, data, wire, via`
	eventColumns = sentColumns + `, decisions`
	// listColumns leave the data out, which may be a megabyte each, and what is behind them.
	listColumns = eventStart + `, NULL, NULL, '', decisions`
	eventStart  = `id, account_id, COALESCE(external_id, ''), platform, type, channel_id, booking_id, tour_ids,
	occurred_at, received_at, test, inbound, note`
)

func scanEvent(r scanner) (e webhook.EventRow, err error) {
	err = r.Scan(append(sentValues(&e.Event), decisionsScanner{&e.Decisions, &e.Lookup})...)
	return e, err
}

// scanSent scans sentColumns of an event that has its match: what is to be sent, without
// the decisions.
func scanSent(r scanner) (e webhook.Event, err error) {
	err = r.Scan(sentValues(&e)...)
	return e, err
}

func sentValues(e *webhook.Event) []any {
	return []any{
		&e.ID, &e.Account, &e.ExternalID, &e.Platform, &e.Type, &e.ChannelID, &e.BookingID,
		jsonScanner{&e.TourIDs},
		timeScanner{&e.OccurredAt},
		timeScanner{&e.ReceivedAt},
		&e.Test, &e.Inbound,
		messageScanner{&e.Note},
		&e.Data, &e.Wire, &e.Via,
	}
}

// Event finds an event of an account with its decisions.
func (s *Store) Event(ctx context.Context, account webhook.AccountID, id webhook.EventID) (webhook.EventRow, error) {
	return scanEvent(queryRow(ctx, s.engine, `SELECT `+eventColumns+` FROM events WHERE account_id = $1 AND id = $2`, account, id))
}

// EventsOf lists those events of an account that have one of the ids, without their data, the
// newest first.
func (s *Store) EventsOf(ctx context.Context, account webhook.AccountID, ids []webhook.EventID) ([]webhook.EventRow, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	condition, args := anyOf("id", 2, ids)
	return list(ctx, s.engine, scanEvent, `SELECT `+listColumns+` FROM events WHERE account_id = $1 AND `+condition+` ORDER BY id DESC`,
		append([]any{account}, args...)...)
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

// hasDelivery is in the JSON of decisions of which one has a delivery.
const hasDelivery = `"delivery":`

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
	if f.Channel != "" {
		l.filter(s.search, `channel_id = ?`, f.Channel)
	}
	if f.Tour != "" { // LIKE would ignore case, and what it escapes depends on the database
		tour := toJSON(f.Tour)
		l.filter(s.search, `(replace(tour_ids, ?, '') <> tour_ids OR replace(tour_ids, ?, '') <> tour_ids)`, "["+tour, ","+tour)
	}
	switch f.Sent {
	case webhook.SentToSome:
		l.filter(s.search, `replace(decisions, ?, '') <> decisions`, hasDelivery)
	case webhook.SentToNobody:
		l.filter(s.search, `replace(decisions, ?, '') = decisions AND decisions <> ?`, hasDelivery, unmatched)
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

// Of a booking one request reads so many events, and so many of their deliveries.
const (
	maxBookingEvents     = 1000
	maxBookingDeliveries = 8192
)

// decidedDeliveries returns the ids of the deliveries of an event, or of the newest
// events of a booking, as they are in the decisions of the match. If a booking has
// more, oldest is the last event that was read.
func (s *Store) decidedDeliveries(ctx context.Context, account webhook.AccountID, f webhook.DeliveryFilter, before int64) (ids []webhook.DeliveryID, oldest webhook.EventID, err error) {
	query, args := `SELECT id, decisions FROM events WHERE account_id = $1 AND id = $2`, []any{account, f.Event}
	if f.Event == 0 {
		query = `SELECT id, decisions FROM events WHERE account_id = $1 AND booking_id = $2 AND booking_id <> '' AND id < $3 ORDER BY id DESC LIMIT $4`
		args = []any{account, f.Booking, before, maxBookingEvents}
	}
	events, err := list(ctx, s.engine, scanMatchedEvent, query, args...)
	if err != nil {
		return nil, 0, err
	}
	for i, e := range events {
		ids = append(ids, webhook.DeliveryIDs(e.decisions)...)
		if i+1 == maxBookingEvents || len(ids) >= maxBookingDeliveries && i+1 < len(events) {
			return ids, e.id, nil
		}
	}
	return ids, 0, nil
}

// anyOf is the condition that a column is one of some ids, from the argument $first
// on; args are the ids.
func anyOf[I ~int64](column string, first int, ids []I) (condition string, args []any) {
	for _, id := range ids {
		args = append(args, int64(id))
	}
	return in(column, first, args, int64(0))
}

// anyText is anyOf for texts that are not empty.
func anyText(column string, first int, texts []string) (condition string, args []any) {
	for _, text := range texts {
		args = append(args, text)
	}
	return in(column, first, args, "")
}

// in is the condition that a column is one of some values, behind which there is a filler
// that none of them is: so there are a few numbers of arguments only, and as few texts of
// queries.
func in(column string, first int, values []any, filler any) (condition string, args []any) {
	n := 8
	for n < len(values) {
		n *= 2
	}
	for len(values) < n {
		values = append(values, filler)
	}
	marks := make([]string, n)
	for i := range marks {
		marks[i] = "$" + strconv.Itoa(first+i)
	}
	return column + ` IN (` + strings.Join(marks, ", ") + `)`, values
}
