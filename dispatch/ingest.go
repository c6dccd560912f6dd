package dispatch

import (
	"context"
	"errors"
	"slices"
	"time"

	"bookhook/webhook"
)

// Ingest stores events and starts their deliveries at once where there is room;
// the others wait in the table. It returns one Accepted for each event, in their
// order, when all are on disk; an event that waits for a lookup has no decisions
// yet. It returns the errors of the store's Insert, except that it returns
// webhook.ErrBusy instead of webhook.ErrStale if the webhooks of the account keep
// changing.
func (d *Dispatcher) Ingest(ctx context.Context, account webhook.AccountID, events []webhook.Event) ([]webhook.Accepted, error) {
	accepted, err := d.insert(ctx, account, events, d.store.Insert)
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
func (d *Dispatcher) matchLookups(account webhook.AccountID, events []webhook.Event) error {
	for i := range events {
		events[i].Lookup = false
	}
	_, err := d.insert(d.recording, account, events, d.lookupStore.CompleteLookups)
	d.storeFailed("store a match", err)
	return err
}

// insert matches events and stores them. If the webhooks of the account change
// in between, it repeats both once.
func (d *Dispatcher) insert(
	ctx context.Context, account webhook.AccountID, events []webhook.Event, store func(context.Context, *webhook.Plan) ([]webhook.Accepted, error),
) ([]webhook.Accepted, error) {
	for range 2 {
		subscriptions, err := d.store.Subscriptions(ctx, account)
		if err != nil {
			return nil, err
		}
		now := d.clock().Truncate(time.Millisecond) // as it is stored
		accepted, err := d.insertPlan(ctx, webhook.NewPlan(subscriptions, events, now, now.Add(d.lease)), store)
		if !errors.Is(err, webhook.ErrStale) {
			return accepted, err
		}
	}
	return nil, webhook.ErrBusy
}

// insertPlan reserves places for the deliveries of a plan, for which it may wait a
// little, stores it, and starts those that were claimed.
func (d *Dispatcher) insertPlan(
	ctx context.Context, p *webhook.Plan, store func(context.Context, *webhook.Plan) ([]webhook.Accepted, error),
) (accepted []webhook.Accepted, err error) {
	d.lanes.awaitRoom(ctx, p)
	r := d.lanes.reservePlan(p)
	defer func() { // after a panic, too: a place is never lost
		d.releaseDetached(r.commit(accepted))
		d.lanes.end(p.Subscriptions.Account.ID)
	}()
	stored, err := store(ctx, p)
	if err != nil { // nothing may be sent; if it was stored all the same, the store reports webhook.TouchUnknown
		if jobs := jobsOf(stored); len(jobs) > 0 {
			d.goWhileOpen(func() { d.releaseUnknown(jobs) })
		}
		return nil, err
	}
	return stored, nil
}

// jobsOf returns the jobs of events to be released, without the data of those.
func jobsOf(all []webhook.Accepted) (jobs []webhook.Job) {
	for _, a := range all {
		for _, job := range a.Jobs {
			job.Event.Data = nil
			jobs = append(jobs, job)
		}
	}
	return jobs
}

// Test sends a test event to one webhook, whatever its filters; an inline
// webhook is called. It returns the errors of the store's Test and TestInline,
// and those of [Dispatcher.CallInline].
func (d *Dispatcher) Test(ctx context.Context, account webhook.AccountID, id webhook.WebhookID, e webhook.Event) (webhook.Delivery, error) {
	w, err := d.store.Webhook(ctx, account, id)
	if err != nil {
		return webhook.Delivery{}, err
	}
	if w.Kind == webhook.Inline {
		return d.testInline(ctx, account, id, e)
	}
	return d.store.Test(ctx, account, id, e, d.clock())
}

// Replay sends a delivery again, with a new retry schedule. It returns the errors
// of the store's Replay.
func (d *Dispatcher) Replay(ctx context.Context, account webhook.AccountID, delivery webhook.DeliveryID, c webhook.Change) (webhook.Delivery, error) {
	return d.store.Replay(ctx, account, delivery, c)
}

// Send sends an event to one webhook, whatever was decided when it came in. It returns
// the errors of the store's Send.
func (d *Dispatcher) Send(ctx context.Context, account webhook.AccountID, event webhook.EventID, id webhook.WebhookID, c webhook.Change) (webhook.Delivery, error) {
	return d.store.Send(ctx, account, event, id, c)
}

// Touched is called by the store with the webhooks that a committed change of this or
// another replica affects; those that another one serves do not matter here. Requests in
// flight finish unchanged.
func (d *Dispatcher) Touched(touched []webhook.Touched) {
	placed := d.claimAnnounced(touched)
	for _, t := range touched {
		if placed[t.Delivery] {
			continue
		}
		switch t.What {
		case webhook.TouchWebhook:
			d.lanes.resetCircuit(t.Account, t.Webhook)
			d.releaseDetached(d.lanes.invalidate(t.Account, t.Webhook))
		case webhook.TouchDeliveries:
			d.releaseDetached(d.lanes.invalidate(t.Account, t.Webhook))
		case webhook.TouchUrgent:
			d.lanes.urgent(t.Account, t.Webhook)
			continue
		case webhook.TouchUnknown:
			d.wakeReread()
			d.renewSoon()
			continue
		case webhook.TouchLookup:
			d.lookups.Wake()
			continue
		case webhook.TouchShards:
			d.renewSoon()
			continue
		case webhook.TouchMail:
			continue
		}
		d.lanes.due(t.Account, t.Webhook, d.clock())
	}
}

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
