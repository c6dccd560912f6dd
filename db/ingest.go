package db

import (
	"bytes"
	"context"
	"crypto/sha256"
	"slices"
	"time"

	"bookhook/webhook"
)

// Bounds of the events that wait to be written: all the writes that may wait
// would have gigabytes of them, and take minutes.
const (
	maxArriving  = 128 << 20 // bytes
	arrivalBytes = 1 << 10   // that an event takes besides its data
)

// Ingest stores events with the decisions of the match and one delivery for
// every webhook that matches, all in one transaction. take is asked for each
// of those whether the dispatcher takes the delivery at once; then it is
// inserted claimed until lease and stands in Jobs. One that has to wait for an
// earlier event of its booking is held instead. take may have been called
// although Ingest fails, and more often than there are Jobs.
//
// An event whose platform is to be asked first is stored without decisions and
// waits for LookedUp, and so does any other that its platform sends about the
// booking meanwhile.
//
// An event with an external id that is known is a duplicate: its first
// decisions are returned and nothing is stored. With other content it is
// webhook.IDConflict, and nothing of the whole list is stored. While too much
// waits to be written it is webhook.ErrBusy.
func (s *Store) Ingest(ctx context.Context, account webhook.ID, events []webhook.Event, now, lease time.Time, take func(*webhook.Webhook) bool) ([]webhook.Accepted, error) {
	leave, err := s.arrive(events)
	if err != nil {
		return nil, err
	}
	defer leave()
	incoming := make([]arrival, len(events))
	for i, e := range events {
		e.Account, e.ReceivedAt = account, roundMillis(now)
		incoming[i] = newArrival(e)
	}
	accepted := make([]webhook.Accepted, len(events))
	err = s.write(ctx, func(tx transaction) error {
		c, err := s.config(ctx, tx, account)
		if err != nil {
			return err
		}
		for i := range incoming {
			if accepted[i], err = s.accept(ctx, tx, c, &incoming[i], lease, take); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil { // also of the commit: then nothing is stored
		return nil, err
	}
	return accepted, nil
}

// arrive notes events that wait to be written, until leave is called; it is
// webhook.ErrBusy when too much waits.
func (s *Store) arrive(events []webhook.Event) (leave func(), err error) {
	size := int64(len(events)) * arrivalBytes
	for _, e := range events {
		size += int64(len(e.Data))
	}
	if s.arriving.Add(size) > maxArriving {
		s.arriving.Add(-size)
		return nil, webhook.ErrBusy
	}
	return func() { s.arriving.Add(-size) }, nil
}

// arrival is an event with what is made of it before the writer's turn, which
// all others wait for.
type arrival struct {
	webhook.Event
	digest [sha256.Size]byte
	tours  string
}

func newArrival(e webhook.Event) arrival {
	in := newMatch(e)
	in.digest = e.Digest()
	return in
}

// newMatch is an arrival without its digest, which only the first storing takes.
func newMatch(e webhook.Event) arrival {
	in := arrival{Event: e, tours: "[]"}
	in.OccurredAt = roundMillis(e.OccurredAt) // what is sent at once is what is sent later
	if len(e.TourIDs) > 0 {
		in.tours = toJSON(e.TourIDs)
	}
	return in
}

func (s *Store) accept(ctx context.Context, tx transaction, c *config, in *arrival, lease time.Time, take func(*webhook.Webhook) bool) (webhook.Accepted, error) {
	in.ID = s.newID()
	a := webhook.Accepted{Event: in.Event}
	var err error
	if a.Event.Lookup, err = needsLookup(ctx, tx, c, in); err != nil {
		return a, err
	}
	text := unmatched
	if !a.Event.Lookup {
		a.Decisions = s.decide(c, &a.Event)
		text = decisionsJSON(a.Decisions)
	}
	added, err := insertEvent(ctx, tx, in, text)
	switch {
	case err != nil:
		return a, err
	case !added:
		return duplicate(ctx, tx, in)
	case a.Event.Lookup:
		return a, insertLookup(ctx, tx, in)
	}
	return a, s.deliver(ctx, tx, c, &a, in.ReceivedAt, lease, take)
}

// decide matches an event with the account's webhooks; those that are told have
// an id for their delivery.
func (s *Store) decide(c *config, e *webhook.Event) []webhook.Decision {
	all := make([]webhook.Decision, 0, len(c.webhooks))
	for _, w := range c.webhooks {
		d := webhook.Decision{Webhook: w.ID, Reason: c.match(w, e)}
		if d.Reason == webhook.Matched {
			d.Delivery = s.newID()
		}
		all = append(all, d)
	}
	return all
}

// duplicate finds the event that came with this external id before.
func duplicate(ctx context.Context, q querier, in *arrival) (webhook.Accepted, error) {
	a := webhook.Accepted{Event: in.Event, Duplicate: true}
	var first []byte
	err := queryRow(ctx, q, `SELECT id, received_at, digest, decisions FROM events WHERE account_id = $1 AND external_id = $2`,
		in.Account, in.ExternalID).Scan(&a.Event.ID, timeScanner{&a.Event.ReceivedAt}, &first, decisionsScanner{&a.Decisions, &a.Event.Lookup})
	if err == nil && !bytes.Equal(first, in.digest[:]) {
		err = webhook.IDConflict{ExternalID: in.ExternalID}
	}
	return a, err
}

// insertEvent reports whether the event was new: false when its external id is
// known.
func insertEvent(ctx context.Context, tx transaction, in *arrival, decided string) (bool, error) {
	var external any
	if in.ExternalID != "" {
		external = in.ExternalID
	}
	n, err := tx.Exec(ctx, `INSERT INTO events (id, account_id, external_id, platform, type, channel_id, booking_id, tour_ids,
			occurred_at, received_at, test, data, digest, decisions, inbound, wire)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
		ON CONFLICT (account_id, external_id) WHERE external_id IS NOT NULL DO NOTHING`,
		in.ID, in.Account, external, in.Platform, in.Type, in.ChannelID, in.BookingID, in.tours,
		toMillis(in.OccurredAt), toMillis(in.ReceivedAt), boolInt(in.Test), in.Data, in.digest[:], decided, boolInt(in.Inbound), in.Wire)
	return n > 0, err
}

// deliver inserts a delivery for every webhook that matched and counts the
// event for every one that is off.
func (s *Store) deliver(ctx context.Context, tx transaction, c *config, a *webhook.Accepted, now, lease time.Time, take func(*webhook.Webhook) bool) error {
	for i, decision := range a.Decisions {
		w := c.webhooks[i]
		switch decision.Reason {
		case webhook.Matched:
			d := newDelivery(decision.Delivery, w, a.Event, now)
			taken := take(w)
			if taken {
				d.Attempts, d.NextAt = 1, roundMillis(lease)
			}
			held, err := insertInOrder(ctx, tx, d, w)
			if err != nil {
				return err
			}
			switch {
			case held:
			case taken:
				a.Jobs = append(a.Jobs, webhook.Job{Delivery: d, Event: a.Event, Webhook: w, Account: c.account})
			case !slices.Contains(a.Waiting, w.ID):
				a.Waiting = append(a.Waiting, w.ID)
			}
		case webhook.ReasonDisabled:
			if err := skip(ctx, tx, w.ID); err != nil {
				return err
			}
		}
	}
	return nil
}

// skip counts an event that a webhook was not told of, since it is off.
func skip(ctx context.Context, tx transaction, id webhook.ID) error {
	_, err := tx.Exec(ctx, `UPDATE webhooks SET skipped = skipped + 1 WHERE id = $1`, id)
	return err
}

func newDelivery(id webhook.ID, w *webhook.Webhook, e webhook.Event, now time.Time) webhook.Delivery {
	return webhook.Delivery{
		ID: id, Account: e.Account, Event: e.ID, Webhook: w.ID, Platform: e.Platform, Type: e.Type, BookingID: e.BookingID,
		Test: e.Test, State: webhook.Pending, NextAt: now, CreatedAt: now,
	}
}

const insertDelivery = `INSERT INTO deliveries (id, account_id, event_id, webhook_id, platform, type, booking_id, test,
		state, attempts, answered, next_at, held, created_at, asked, urgent)
	SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 0, $11, $12, $13, $14, $15`

// deliveryValues are the arguments of insertDelivery. A test goes first: a person
// waits for it.
func deliveryValues(d webhook.Delivery) []any {
	return []any{
		d.ID, d.Account, d.Event, d.Webhook, d.Platform, d.Type, d.BookingID, boolInt(d.Test),
		string(d.State), d.Attempts, toMillis(d.NextAt), boolInt(d.Held), toMillis(d.CreatedAt), boolInt(d.Asked), boolInt(d.Test && d.Attempts == 0),
	}
}

// Test stores a test event and one delivery of it for this webhook, whatever
// its filters. A webhook that is off is webhook.Invalid.
func (s *Store) Test(ctx context.Context, account, id webhook.ID, e webhook.Event, now time.Time) (webhook.Delivery, error) {
	job, err := s.test(ctx, account, id, e, now, time.Time{})
	return job.Delivery, err
}

func (s *Store) test(ctx context.Context, account, id webhook.ID, e webhook.Event, now, lease time.Time) (job webhook.Job, err error) {
	e.ID, e.Account, e.ReceivedAt, e.Test = s.newID(), account, roundMillis(now), true
	in := newArrival(e)
	err = s.write(ctx, func(tx transaction) error {
		w, err := findWebhook(ctx, tx, account, id)
		if err != nil {
			return err
		}
		c, err := s.config(ctx, tx, account)
		if err != nil {
			return err
		}
		if !w.Enabled {
			return webhook.Invalid{"webhook": "This webhook is off. Switch it on, then send the test."}
		}
		d := newDelivery(s.newID(), w, e, e.ReceivedAt)
		if _, err := insertEvent(ctx, tx, &in, decisionsJSON([]webhook.Decision{{Webhook: id, Delivery: d.ID}})); err != nil {
			return err
		}
		if w.Kind == webhook.Inline {
			d = askedDelivery(d.ID, w, e, lease)
		}
		job = webhook.Job{Delivery: d, Event: in.Event, Webhook: w, Account: c.account}
		_, err = tx.Exec(ctx, insertDelivery, deliveryValues(d)...)
		return err
	})
	return job, err
}
