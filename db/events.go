package db

import (
	"context"
	"fmt"

	"bookhook/webhook"
)

const (
	eventColumns = eventStart + `, data, decisions`
	// listColumns leave the data out, which may be a megabyte each.
	listColumns = eventStart + `, NULL, decisions`
	eventStart  = `id, account_id, COALESCE(external_id, ''), platform, type, channel_id, booking_id, tour_ids,
	occurred_at, received_at, test`
)

func scanEvent(r scanner) (e webhook.EventRow, err error) {
	err = r.Scan(&e.ID, &e.Account, &e.ExternalID, &e.Platform, &e.Type, &e.ChannelID, &e.BookingID, asJSON{&e.TourIDs},
		moment{&e.OccurredAt}, moment{&e.ReceivedAt}, &e.Test, &e.Data, asJSON{&e.Decisions})
	return e, err
}

// Event finds an event of an account with its decisions.
func (s *Store) Event(ctx context.Context, account, id webhook.ID) (webhook.EventRow, error) {
	return scanEvent(s.row(ctx, `SELECT `+eventColumns+` FROM events WHERE account_id = $1 AND id = $2`, account, id))
}

// Events lists the events of an account without their data, the newest first.
func (s *Store) Events(ctx context.Context, account webhook.ID, f webhook.EventFilter) ([]webhook.EventRow, error) {
	c := eventConditions(account, f)
	c.args = append(c.args, f.Limit)
	return list(ctx, s, scanEvent, `SELECT `+listColumns+` FROM events`+c.where()+
		fmt.Sprintf(` ORDER BY id DESC LIMIT $%d`, len(c.args)), c.args...)
}

func eventConditions(account webhook.ID, f webhook.EventFilter) *conditions {
	c := &conditions{}
	c.add(`account_id = $%d`, account)
	c.shared(f.Booking, f.Type, f.Since, f.Until, f.Before)
	return c
}

// CountEvents counts the events of an account up to webhook.CountCap + 1.
func (s *Store) CountEvents(ctx context.Context, account webhook.ID, f webhook.EventFilter) (n int, err error) {
	c := eventConditions(account, f)
	c.args = append(c.args, webhook.CountCap+1)
	err = s.row(ctx, `SELECT count(*) FROM (SELECT id FROM events`+c.where()+fmt.Sprintf(` LIMIT $%d) AS found`, len(c.args)), c.args...).Scan(&n)
	return n, err
}
