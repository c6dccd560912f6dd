package db

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"slices"
	"sync"
	"time"

	"bookhook/db/group"
	"bookhook/stats"
	"bookhook/webhook"
)

// Limits of the events that wait to be written. Without them, as many writes as
// may wait could have gigabytes of events, and take minutes.
const (
	maxArriving  = 128 << 20 // bytes
	arrivalBytes = 1 << 10   // of an event besides its data
)

// Insert stores the events of a plan with the decisions of their match and one
// delivery for every webhook that matches, all in one transaction. A delivery whose
// Claim is set is inserted as claimed until the plan's lease and is among the Jobs,
// unless it has to wait for an earlier event of its booking: then it is held; or
// unless another process holds the account: then that one learns that it is waiting.
//
// An event whose platform must be asked first is stored without decisions and
// waits for CompleteLookups, and so do later events that the platform sends about
// the same booking.
//
// An event with a known external id is a duplicate: its first decisions are
// returned and nothing is stored. If its content is different, Insert returns
// webhook.IDConflict, and nothing of the plan is stored. Insert returns
// webhook.ErrStale if the subscriptions of the plan are out of date, and
// webhook.ErrBusy if too much waits to be written, in all or of the account. With an error
// that wraps group.ErrUnknown, it returns what may be stored all the same.
func (s *Store) Insert(ctx context.Context, p *webhook.Plan) ([]webhook.Accepted, error) {
	done, err := s.arriving.admit(p.Subscriptions.Account.ID, p.Events)
	if err != nil {
		return nil, err
	}
	defer done()
	arrivals := make([]arrival, len(p.Events))
	for i, planned := range p.Events {
		e := planned.Event
		e.Account, e.ReceivedAt = p.Subscriptions.Account.ID, roundMillis(p.At)
		arrivals[i] = newArrival(e)
	}
	accepted := make([]webhook.Accepted, len(p.Events))
	err = s.writeInTurn(ctx, group.Turn{Later: true, Alongside: insertKey(p)}, func(tx transaction) error {
		if err := s.checkRevision(ctx, tx, p.Subscriptions); err != nil {
			return err
		}
		for i := range arrivals {
			var err error
			if accepted[i], err = s.accept(ctx, tx, p, i, &arrivals[i]); err != nil {
				return err
			}
		}
		return nil
	})
	return whatMayBe(accepted, err)
}

// whatMayBe returns what a write stored, also if nobody knows whether it did; if it failed,
// nothing.
func whatMayBe[T any](stored []T, err error) ([]T, error) {
	if err != nil && !errors.Is(err, group.ErrUnknown) {
		return nil, err
	}
	return stored, err
}

// bookingKey is the key of the events of a booking.
type bookingKey struct {
	account webhook.AccountID
	booking string
}

// insertKey returns the key under which the events of a plan are inserted alongside other
// writes; nil for several events, and for one without a booking that has other ids. Two of
// the same booking keep their order. What others may do in between: Insert reads the
// revision of the account and what this process holds, which no write changes that is not
// alone; with the event and a delivery that nothing of its booking is before, it adds rows
// of its own, each with a statement that finds the same in any order; a count of skipped
// events is added to. Only where a delivery has to be held, several statements belong
// together; see insertInOrder.
func insertKey(p *webhook.Plan) any {
	switch {
	case len(p.Events) != 1, p.Events[0].Event.BookingID == "" && p.Events[0].Event.SameIDs != nil:
		return nil
	case p.Events[0].Event.BookingID == "":
		return p
	}
	return bookingKey{p.Subscriptions.Account.ID, p.Events[0].Event.BookingID}
}

// arriving counts the bytes of events that wait to be written.
type arriving struct {
	mu        sync.Mutex
	total     int
	byAccount map[webhook.AccountID]int
}

// admit counts the events of an account until done is called. It returns
// webhook.ErrBusy if too much waits, or if the account has as much waiting as is free
// for all: so others can always send.
func (in *arriving) admit(account webhook.AccountID, events []webhook.PlannedEvent) (done func(), err error) {
	size := len(events) * arrivalBytes
	for i := range events {
		size += len(events[i].Event.Data)
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	if free := maxArriving - in.total; size > free || !webhook.MayTake(in.byAccount[account], free) {
		return nil, webhook.ErrBusy
	}
	in.add(account, size)
	return func() {
		in.mu.Lock()
		defer in.mu.Unlock()
		in.add(account, -size)
	}, nil
}

func (in *arriving) add(account webhook.AccountID, size int) {
	in.total += size
	if in.byAccount[account] += size; in.byAccount[account] == 0 {
		delete(in.byAccount, account)
	}
}

// arrival is an event with what is computed from it before the write, so that
// other writes need not wait for that.
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

// newMatch returns an arrival without its digest, which is stored only when the
// event is inserted.
func newMatch(e webhook.Event) arrival {
	in := arrival{Event: e, tours: "[]"}
	in.OccurredAt = roundMillis(e.OccurredAt) // so that the first attempt sends what a retry will read
	if len(e.TourIDs) > 0 {
		in.tours = toJSON(e.TourIDs)
	}
	return in
}

// accept stores one event of a plan.
func (s *Store) accept(ctx context.Context, tx transaction, p *webhook.Plan, i int, in *arrival) (webhook.Accepted, error) {
	in.ID, in.ExternalID = webhook.EventID(s.nextID()), p.Events[i].Event.ExternalID // it may run again, with another one of its SameIDs
	a := webhook.Accepted{Event: in.Event}
	var err error
	if a.Event.Lookup, err = needsLookup(ctx, tx, p.Subscriptions, in); err != nil {
		return a, err
	}
	text := unmatched
	if !a.Event.Lookup {
		a.Decisions = s.withDeliveries(p.Events[i].Decisions)
		text = decisionsJSON(a.Decisions)
	}
	added, err := insertEvent(ctx, tx, in, text)
	switch {
	case err != nil:
		return a, err
	case !added:
		return duplicate(ctx, tx, in)
	case a.Event.Lookup:
		tx.announce(in.Account, 0, webhook.TouchLookup)
		return a, insertLookup(ctx, tx, in)
	}
	return a, deliver(ctx, tx, p, i, &a)
}

// withDeliveries copies decisions and gives those that matched the id of their
// delivery.
func (s *Store) withDeliveries(decisions []webhook.Decision) []webhook.Decision {
	all := slices.Clone(decisions)
	for i := range all {
		if all[i].Reason == webhook.Matched {
			all[i].Delivery = webhook.DeliveryID(s.nextID())
		}
	}
	return all
}

// duplicate finds the event that was first received with this external id, or with
// another one of its SameIDs, whatever that said.
func duplicate(ctx context.Context, q querier, in *arrival) (webhook.Accepted, error) {
	a := webhook.Accepted{Event: in.Event, Duplicate: true}
	var first []byte
	err := queryRow(ctx, q, `SELECT id, received_at, digest, decisions FROM events WHERE account_id = $1 AND external_id = $2`,
		in.Account, in.ExternalID).Scan(&a.Event.ID, timeScanner{&a.Event.ReceivedAt}, &first, decisionsScanner{&a.Decisions, &a.Event.Lookup})
	if err == nil && !bytes.Equal(first, in.digest[:]) && !slices.Contains(in.SameIDs, in.ExternalID) {
		err = webhook.IDConflict{ExternalID: in.ExternalID}
	}
	return a, err
}

// insertEvent reports whether the event was new: false if its external id is
// known, or another one with which it would be the same; then it has that.
func insertEvent(ctx context.Context, tx transaction, in *arrival, decisions string) (bool, error) {
	if len(in.SameIDs) > 0 {
		same, args := anyText("external_id", 2, in.SameIDs)
		var known string
		err := queryRow(ctx, tx, `SELECT external_id FROM events WHERE account_id = $1 AND `+same+` ORDER BY external_id LIMIT 1`,
			append([]any{in.Account}, args...)...).scanOptional(&known)
		if err != nil {
			return false, err
		}
		if known != "" {
			in.ExternalID = known
			return false, nil
		}
	}
	var external any
	if in.ExternalID != "" {
		external = in.ExternalID
	}
	n, err := tx.Exec(ctx, `INSERT INTO events (id, account_id, external_id, platform, type, channel_id, booking_id, tour_ids,
			occurred_at, received_at, test, data, digest, decisions, inbound, wire, via)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
		ON CONFLICT (account_id, external_id) WHERE external_id IS NOT NULL DO NOTHING`,
		in.ID, in.Account, external, in.Platform, in.Type, in.ChannelID, in.BookingID, in.tours,
		toMillis(in.OccurredAt), toMillis(in.ReceivedAt), boolInt(in.Test), in.Data, in.digest[:], decisions, boolInt(in.Inbound), in.Wire, string(in.Via))
	if n > 0 && !in.Test && in.Platform != webhook.OwnPlatform {
		tx.counted.Event(stats.Event{Account: in.Account, ReceivedAt: in.ReceivedAt, Platform: in.Platform, Channel: in.ChannelID})
	}
	return n > 0, err
}

// deliver inserts a delivery for every webhook that matched the event i of a plan,
// and counts the event for every one that is off.
func deliver(ctx context.Context, tx transaction, p *webhook.Plan, i int, a *webhook.Accepted) error {
	mine := tx.holds(a.Event.Account)
	for j, decision := range a.Decisions {
		switch decision.Reason {
		case webhook.Matched:
			w, claim := p.Subscriptions.Webhooks[j], mine && p.Events[i].Claim[j]
			d := newDelivery(decision.Delivery, w, a.Event, roundMillis(p.At))
			if claim {
				d.Attempts, d.NextAt = 1, roundMillis(p.Lease)
			}
			held, err := insertInOrder(ctx, tx, d, w)
			if err != nil {
				return err
			}
			switch {
			case held:
			case claim:
				a.Jobs = append(a.Jobs, webhook.Job{Delivery: d, Event: a.Event, Webhook: w, Account: p.Subscriptions.Account})
			case !slices.Contains(a.Waiting, w.ID):
				a.Waiting = append(a.Waiting, w.ID)
				if !mine {
					tx.announceNew(d, len(a.Event.Data))
				}
			}
		case webhook.ReasonDisabled:
			if err := countSkipped(ctx, tx, decision.Webhook); err != nil {
				return err
			}
		}
	}
	return nil
}

func countSkipped(ctx context.Context, tx transaction, id webhook.WebhookID) error {
	_, err := tx.Exec(ctx, `UPDATE webhooks SET skipped = skipped + 1 WHERE id = $1`, id)
	return err
}

func newDelivery(id webhook.DeliveryID, w *webhook.Webhook, e webhook.Event, now time.Time) webhook.Delivery {
	return webhook.Delivery{
		ID: id, Account: e.Account, Event: e.ID, Webhook: w.ID, Platform: e.Platform, Type: e.Type, BookingID: e.BookingID,
		Test: e.Test, State: webhook.Pending, NextAt: now, CreatedAt: now,
	}
}

const insertDelivery = `INSERT INTO deliveries (id, account_id, event_id, webhook_id, platform, type, booking_id, test,
		state, attempts, completed, next_at, held, urgent, created_at, inline)
	SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 0, $11, $12, $13, $14, $15`

func deliveryValues(d webhook.Delivery) []any {
	return []any{
		d.ID, d.Account, d.Event, d.Webhook, d.Platform, d.Type, d.BookingID, boolInt(d.Test),
		string(d.State), d.Attempts, toMillis(d.NextAt), boolInt(d.Held), boolInt(d.Urgent), toMillis(d.CreatedAt), boolInt(d.Inline),
	}
}

// Test stores a test event and one delivery of it for this webhook, whatever its
// filters and also if it is off. The delivery is due and urgent.
func (s *Store) Test(ctx context.Context, account webhook.AccountID, id webhook.WebhookID, e webhook.Event, now time.Time) (webhook.Delivery, error) {
	job, err := s.insertTest(ctx, account, id, e, now, time.Time{})
	return job.Delivery, err
}

// TestInline is Test for an inline webhook: the delivery is claimed until lease,
// and the caller sends it.
func (s *Store) TestInline(ctx context.Context, account webhook.AccountID, id webhook.WebhookID, e webhook.Event, now, lease time.Time) (webhook.Job, error) {
	return s.insertTest(ctx, account, id, e, now, lease)
}

func (s *Store) insertTest(ctx context.Context, account webhook.AccountID, id webhook.WebhookID, e webhook.Event, now, lease time.Time) (job webhook.Job, err error) {
	e.ID, e.Account, e.ReceivedAt, e.Test = webhook.EventID(s.nextID()), account, roundMillis(now), true
	in := newArrival(e)
	err = s.write(ctx, func(tx transaction) error {
		w, err := s.findWebhook(ctx, tx, account, id)
		if err != nil {
			return err
		}
		subscriptions, err := s.current(ctx, tx, account)
		if err != nil {
			return err
		}
		d := newDelivery(webhook.DeliveryID(s.nextID()), w, e, e.ReceivedAt)
		d.Urgent = true
		if w.Kind == webhook.Inline {
			d = inlineDelivery(d.ID, w, e, lease)
		} else {
			tx.touch(account, id, webhook.TouchUrgent)
		}
		if _, err := insertEvent(ctx, tx, &in, decisionsJSON([]webhook.Decision{{Webhook: id, Delivery: d.ID}})); err != nil {
			return err
		}
		job = webhook.Job{Delivery: d, Event: in.Event, Webhook: w, Account: subscriptions.Account}
		_, err = tx.Exec(ctx, insertDelivery, deliveryValues(d)...)
		return err
	})
	return job, err
}
