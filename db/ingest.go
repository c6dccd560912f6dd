package db

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"time"

	"bookhook/webhook"
)

// Ingest stores events with the decisions of the match and one delivery for
// every webhook that matches, all in one transaction. take is asked for each
// of those whether the dispatcher takes the delivery at once; then it is
// inserted claimed until lease and stands in Jobs. take may have been called
// although Ingest fails.
//
// An event with an external id that is known is a duplicate: its first
// decisions are returned and nothing is stored. With other content it is
// webhook.IDConflict, and nothing of the whole list is stored.
func (s *Store) Ingest(ctx context.Context, account webhook.ID, events []webhook.Event, now, lease time.Time, take func(*webhook.Webhook) bool) ([]webhook.Accepted, error) {
	accepted := make([]webhook.Accepted, len(events))
	err := s.write(ctx, func(q querier) error {
		c, err := s.config(ctx, q, account)
		if err != nil {
			return err
		}
		for i, e := range events {
			e.ID, e.Account, e.ReceivedAt = s.newID(), account, stored(now)
			if accepted[i], err = s.accept(ctx, q, c, e, lease, take); err != nil {
				return err
			}
		}
		return nil
	})
	return accepted, err
}

func (s *Store) accept(ctx context.Context, q querier, c *config, e webhook.Event, lease time.Time, take func(*webhook.Webhook) bool) (webhook.Accepted, error) {
	digest := e.Digest()
	e.OccurredAt = stored(e.OccurredAt) // what is sent at once is what is sent later
	if e.ExternalID != "" {
		known, err := duplicate(ctx, q, e, digest[:])
		if !errors.Is(err, webhook.ErrNotFound) {
			return known, err
		}
	}
	a := webhook.Accepted{Event: e, Decisions: make([]webhook.Decision, 0, len(c.webhooks))}
	for _, w := range c.webhooks {
		d := webhook.Decision{Webhook: w.ID, Reason: webhook.Match(w, &e)}
		if d.Reason == webhook.Matched {
			d.Delivery = s.newID()
		}
		a.Decisions = append(a.Decisions, d)
	}
	if err := insertEvent(ctx, q, e, digest[:], a.Decisions); err != nil {
		return a, err
	}
	return a, s.deliver(ctx, q, c, &a, lease, take)
}

// duplicate finds the event that came with this external id before.
func duplicate(ctx context.Context, q querier, e webhook.Event, digest []byte) (webhook.Accepted, error) {
	a := webhook.Accepted{Event: e, Duplicate: true}
	var first []byte
	err := q.row(ctx, `SELECT id, received_at, digest, decisions FROM events WHERE account_id = $1 AND external_id = $2`,
		e.Account, e.ExternalID).Scan(&a.Event.ID, moment{&a.Event.ReceivedAt}, &first, asJSON{&a.Decisions})
	if err == nil && !bytes.Equal(first, digest) {
		err = webhook.IDConflict{ExternalID: e.ExternalID}
	}
	return a, err
}

func insertEvent(ctx context.Context, q querier, e webhook.Event, digest []byte, decisions []webhook.Decision) error {
	var external any
	if e.ExternalID != "" {
		external = e.ExternalID
	}
	tours := e.TourIDs
	if tours == nil {
		tours = []string{}
	}
	_, err := q.exec(ctx, `INSERT INTO events (id, account_id, external_id, platform, type, channel_id, booking_id, tour_ids,
			occurred_at, received_at, test, data, digest, decisions)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`,
		e.ID, e.Account, external, e.Platform, e.Type, e.ChannelID, e.BookingID, toJSON(tours),
		ms(e.OccurredAt), ms(e.ReceivedAt), flag(e.Test), e.Data, digest, toJSON(decisions))
	return err
}

// deliver inserts a delivery for every webhook that matched and counts the
// event for every one that is off.
func (s *Store) deliver(ctx context.Context, q querier, c *config, a *webhook.Accepted, lease time.Time, take func(*webhook.Webhook) bool) error {
	for i, decision := range a.Decisions {
		w := c.webhooks[i]
		switch decision.Reason {
		case webhook.Matched:
			d := newDelivery(decision.Delivery, w, a.Event)
			if take(w) {
				d.Attempts, d.NextAt = 1, stored(lease)
				a.Jobs = append(a.Jobs, webhook.Job{Delivery: d, Event: a.Event, Webhook: w, Account: c.account})
			} else if !slices.Contains(a.Waiting, w.ID) {
				a.Waiting = append(a.Waiting, w.ID)
			}
			if err := insertDelivery(ctx, q, d); err != nil {
				return err
			}
		case webhook.ReasonDisabled:
			if _, err := q.exec(ctx, `UPDATE webhooks SET skipped = skipped + 1 WHERE id = $1`, w.ID); err != nil {
				return err
			}
		}
	}
	return nil
}

func newDelivery(id webhook.ID, w *webhook.Webhook, e webhook.Event) webhook.Delivery {
	return webhook.Delivery{
		ID: id, Account: e.Account, Event: e.ID, Webhook: w.ID, Platform: e.Platform, Type: e.Type, BookingID: e.BookingID,
		Test: e.Test, State: webhook.Pending, NextAt: e.ReceivedAt, CreatedAt: e.ReceivedAt,
	}
}

func insertDelivery(ctx context.Context, q querier, d webhook.Delivery) error {
	_, err := q.exec(ctx, `INSERT INTO deliveries (id, account_id, event_id, webhook_id, platform, type, booking_id, test,
			state, attempts, answered, next_at, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 0, $11, $12)`,
		d.ID, d.Account, d.Event, d.Webhook, d.Platform, d.Type, d.BookingID, flag(d.Test),
		string(d.State), d.Attempts, ms(d.NextAt), ms(d.CreatedAt))
	return err
}

// Test stores a test event and one delivery of it for this webhook, whatever
// its filters. A webhook that is off is webhook.Invalid.
func (s *Store) Test(ctx context.Context, account, id webhook.ID, e webhook.Event, now time.Time) (webhook.Delivery, error) {
	e.ID, e.Account, e.ReceivedAt, e.Test = s.newID(), account, stored(now), true
	var d webhook.Delivery
	err := s.write(ctx, func(q querier) error {
		w, err := findWebhook(ctx, q, account, id)
		if err != nil {
			return err
		}
		if !w.Enabled {
			return webhook.Invalid{"webhook": "This webhook is off. Switch it on, then send the test."}
		}
		d = newDelivery(s.newID(), w, e)
		digest := e.Digest()
		if err := insertEvent(ctx, q, e, digest[:], []webhook.Decision{{Webhook: id, Delivery: d.ID}}); err != nil {
			return err
		}
		return insertDelivery(ctx, q, d)
	})
	return d, err
}
