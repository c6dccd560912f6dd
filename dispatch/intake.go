package dispatch

import (
	"context"
	"slices"
	"time"

	"bookhook/webhook"
)

// Ingest stores events and starts their deliveries at once where there is
// room; the others wait in the table for their turn. It answers one Accepted
// for each event, in their order, when all is on disk; one whose platform is to be
// asked first has no decisions then. Its errors are those of [Store.Ingest].
func (d *Dispatcher) Ingest(ctx context.Context, account webhook.ID, events []webhook.Event) ([]webhook.Accepted, error) {
	accepted, err := d.reserve(func(now time.Time, take func(*webhook.Webhook) bool) ([]webhook.Accepted, error) {
		return d.store.Ingest(ctx, account, events, now, now.Add(d.lease), take)
	})
	if slices.ContainsFunc(accepted, func(a webhook.Accepted) bool { return a.Event.Lookup }) {
		d.lookups.wakeUp()
	}
	return accepted, err
}

// reserve stores what makes deliveries, keeps the places that it takes for them,
// and starts those that were claimed.
func (d *Dispatcher) reserve(store func(now time.Time, take func(*webhook.Webhook) bool) ([]webhook.Accepted, error)) (accepted []webhook.Accepted, err error) {
	now := time.Now()
	r := &reservation{lanes: d.lanes}
	defer func() { d.giveBackSoon(r.settle(accepted, now)) }() // whatever happens, a place is never lost
	stored, err := store(now, r.take)
	if err != nil { // nothing of it is in the table, and nothing may be sent
		return nil, err
	}
	return stored, nil
}

// Test sends a test event to one webhook, whatever its filters say; an inline one
// is asked about it. Its errors are those of [Store.Test].
func (d *Dispatcher) Test(ctx context.Context, account, webhookID webhook.ID, e webhook.Event) (webhook.Delivery, error) {
	w, err := d.store.Webhook(ctx, account, webhookID)
	if err != nil {
		return webhook.Delivery{}, err
	}
	if w.Kind == webhook.Inline {
		return d.testInline(ctx, account, webhookID, e)
	}
	return d.due(d.store.Test(ctx, account, webhookID, e, time.Now()))
}

// Replay sends a delivery again, on a fresh schedule; by is who asked for it.
// Its errors are those of [Store.Replay].
func (d *Dispatcher) Replay(ctx context.Context, account, delivery webhook.ID, by string) (webhook.Delivery, error) {
	return d.due(d.store.Replay(ctx, account, delivery, by, time.Now()))
}

func (d *Dispatcher) due(delivery webhook.Delivery, err error) (webhook.Delivery, error) {
	if err == nil {
		d.lanes.mark(delivery.Webhook, delivery.NextAt)
	}
	return delivery, err
}

// Changed tells that a webhook was changed, switched on or off, or deleted,
// after that was committed: what waits for it is read again before it is sent,
// and its circuit closes. What is in flight ends as it began.
func (d *Dispatcher) Changed(id webhook.ID) {
	d.lanes.trust(id)
	d.Cancelled(id)
}

// Cancelled tells that deliveries of a webhook were cancelled, after that was
// committed: what waits for it is read again before it is sent.
func (d *Dispatcher) Cancelled(id webhook.ID) {
	d.giveBackSoon(d.lanes.reread(id))
	d.lanes.mark(id, time.Now())
}

// Circuit tells how a webhook's receiver is treated after failures.
func (d *Dispatcher) Circuit(id webhook.ID) webhook.Circuit { return d.lanes.circuit(id) }

// giveBackSoon gives jobs back on behalf of a caller who may be gone.
func (d *Dispatcher) giveBackSoon(jobs []*webhook.Job) {
	if len(jobs) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), giveBackTime)
	defer cancel()
	d.giveBack(ctx, jobs)
}
