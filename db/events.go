package db

import (
	"context"
	"fmt"

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
	err = r.Scan(&e.ID, &e.Account, &e.ExternalID, &e.Platform, &e.Type, &e.ChannelID, &e.BookingID, asJSON{&e.TourIDs},
		moment{&e.OccurredAt}, moment{&e.ReceivedAt}, &e.Test, &e.Inbound, &e.Note, &e.Data, &e.Wire, decisions{&e.Decisions, &e.Lookup})
	return e, err
}

// Event finds an event of an account with its decisions.
func (s *Store) Event(ctx context.Context, account, id webhook.ID) (webhook.EventRow, error) {
	return scanEvent(s.row(ctx, `SELECT `+eventColumns+` FROM events WHERE account_id = $1 AND id = $2`, account, id))
}

// EventID finds the event that came with this external id.
func (s *Store) EventID(ctx context.Context, account webhook.ID, external string) (webhook.ID, error) {
	var id webhook.ID
	err := s.row(ctx, `SELECT id FROM events WHERE account_id = $1 AND external_id = $2`, account, external).Scan(&id)
	return id, err
}

// Events lists the events of an account without their data, the newest first.
func (s *Store) Events(ctx context.Context, account webhook.ID, f webhook.EventFilter) (webhook.Page[webhook.EventRow], error) {
	in := between(f.Since, f.Until, f.Before, 0)
	return page(ctx, s, account, s.events(f), in, f.Limit, scanEvent, func(e webhook.EventRow) webhook.ID { return e.ID })
}

// CountEvents counts what Events lists under a filter, on all pages; it goes no
// further than one request searches.
func (s *Store) CountEvents(ctx context.Context, account webhook.ID, f webhook.EventFilter) (webhook.Count, error) {
	return s.count(ctx, account, s.events(f), between(f.Since, f.Until, f.Before, 0))
}

// events are the events of an account.
func (s *Store) events(f webhook.EventFilter) *stream {
	q := &stream{table: "events", columns: listColumns, owner: "accounts", owned: `w.id = $1`, link: "account_id", owners: 1}
	asked := s.search * indexFactor
	if f.Booking != "" { // not empty, so that the partial index serves
		asked = s.search
		q.index = fmt.Sprintf(` AND x.booking_id <> '' AND x.booking_id = $%d`, q.param(f.Booking))
	}
	q.askType(f.Type, asked)
	return q
}
