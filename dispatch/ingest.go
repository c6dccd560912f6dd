package dispatch

import (
	"context"
	"slices"
	"time"

	"bookhook/webhook"
)

// Ingest stores events and starts their deliveries at once where there is
// room; the others wait in the table. It returns one Accepted for each event, in
// their order, when all is on disk; an event that waits for a lookup has no
// decisions then. Its errors are those of the store's Ingest.
func (d *Dispatcher) Ingest(ctx context.Context, account webhook.ID, events []webhook.Event) ([]webhook.Accepted, error) {
	accepted, err := d.storeAndStart(func(now time.Time, take func(*webhook.Webhook) bool) ([]webhook.Accepted, error) {
		return d.store.Ingest(ctx, account, events, now, now.Add(d.lease), take)
	})
	if err != nil {
		return nil, err
	}
	if slices.ContainsFunc(accepted, func(a webhook.Accepted) bool { return a.Event.Lookup }) {
		d.lookups.Wake()
	}
	return accepted, nil
}

// matchLookups stores the decisions on events that waited for a lookup, and
// starts their deliveries.
func (d *Dispatcher) matchLookups(account webhook.ID, events []webhook.Event) error {
	_, err := d.storeAndStart(func(now time.Time, take func(*webhook.Webhook) bool) ([]webhook.Accepted, error) {
		return d.store.LookedUp(d.recording, account, events, now, now.Add(d.lease), take)
	})
	d.storeFailed("store a match", err)
	return err
}

// storeAndStart stores deliveries, reserves the places that the store takes for
// them, and starts those that it claimed.
func (d *Dispatcher) storeAndStart(store func(now time.Time, take func(*webhook.Webhook) bool) ([]webhook.Accepted, error)) (accepted []webhook.Accepted, err error) {
	r := &reservation{lanes: d.lanes}
	defer func() { d.releaseDetached(r.commit(accepted)) }() // after a panic, too: a place is never lost
	stored, err := store(d.clock(), r.take)
	if err != nil { // nothing of it is in the table, and nothing may be sent
		return nil, err
	}
	return stored, nil
}

// Test sends a test event to one webhook, whatever its filters; an inline
// webhook is called. Its errors are those of the store's Test and TestInline,
// and those of [Dispatcher.CallInline].
func (d *Dispatcher) Test(ctx context.Context, account, webhookID webhook.ID, e webhook.Event) (webhook.Delivery, error) {
	w, err := d.store.Webhook(ctx, account, webhookID)
	if err != nil {
		return webhook.Delivery{}, err
	}
	if w.Kind == webhook.Inline {
		return d.testInline(ctx, account, webhookID, e)
	}
	delivery, err := d.store.Test(ctx, account, webhookID, e, d.clock())
	if err != nil {
		return webhook.Delivery{}, err
	}
	d.lanes.due(delivery.Webhook, delivery.NextAt)
	return delivery, nil
}

// Replay sends a delivery again, on a fresh schedule; by is who asked for it.
// Its errors are those of the store's Replay.
func (d *Dispatcher) Replay(ctx context.Context, account, delivery webhook.ID, by string) (webhook.Delivery, error) {
	replayed, err := d.store.Replay(ctx, account, delivery, by, d.clock())
	if err != nil {
		return webhook.Delivery{}, err
	}
	d.lanes.due(replayed.Webhook, replayed.NextAt)
	return replayed, nil
}

// Changed is called after a webhook was changed, enabled, disabled or deleted:
// what waits for it is read again before it is sent, and its circuit closes.
// What is in flight ends as it began.
func (d *Dispatcher) Changed(id webhook.ID) {
	d.lanes.resetCircuit(id)
	d.Cancelled(id)
}

// Cancelled is called after deliveries of a webhook were cancelled: what waits
// for it is read again before it is sent.
func (d *Dispatcher) Cancelled(id webhook.ID) {
	d.releaseDetached(d.lanes.invalidate(id))
	d.lanes.due(id, d.clock())
}

// Circuit returns the state of a webhook's circuit.
func (d *Dispatcher) Circuit(id webhook.ID) webhook.Circuit { return d.lanes.circuit(id) }

// Items requests the channels or tours that an account has on a platform, as
// [lookup.Client.Items] does.
func (d *Dispatcher) Items(ctx context.Context, platform string, settings webhook.Settings, kind webhook.ItemKind) ([]webhook.Item, error) {
	return d.lookups.Client.Items(ctx, platform, settings, kind)
}

// releaseDetached releases jobs for a caller who may be gone.
func (d *Dispatcher) releaseDetached(jobs []*webhook.Job) {
	if len(jobs) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), releaseTimeout)
	defer cancel()
	d.releaseJobs(ctx, jobs)
}
