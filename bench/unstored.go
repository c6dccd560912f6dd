package bench

import (
	"context"
	"sync"
	"time"

	"bookhook/db"
	"bookhook/webhook"
)

// maxQueued is how many deliveries wait in memory before Insert waits.
const maxQueued = 1000

// Unstored is a dispatch.Store that keeps events and deliveries in memory until
// they are sent, to measure what ingest and delivery cost without a database. It
// never refuses and never drops an event: Insert waits while too much is queued.
// Accounts and webhooks are those of the database, and so are the methods that no
// benchmark calls.
type Unstored struct {
	*db.Store
	newID    func() int64
	capacity int // maxQueued; smaller in tests

	mu     sync.Mutex
	claims *sync.Cond // signalled when something left the queues
	queues map[webhook.WebhookID][]webhook.Job
	queued int // jobs in all queues
}

// NewUnstored returns a store that reads accounts and webhooks from the database.
func NewUnstored(store *db.Store) (*Unstored, error) {
	newID, err := webhook.NewIDs()
	if err != nil {
		return nil, err
	}
	u := &Unstored{Store: store, newID: newID, capacity: maxQueued, queues: map[webhook.WebhookID][]webhook.Job{}}
	u.claims = sync.NewCond(&u.mu)
	return u, nil
}

// Insert queues the deliveries that the dispatcher has kept no place for.
func (u *Unstored) Insert(ctx context.Context, p *webhook.Plan) ([]webhook.Accepted, error) {
	if err := u.awaitRoom(ctx); err != nil {
		return nil, err
	}
	accepted := make([]webhook.Accepted, len(p.Events))
	for i := range p.Events {
		accepted[i] = u.accept(p, &p.Events[i])
	}
	return accepted, nil
}

func (u *Unstored) accept(p *webhook.Plan, planned *webhook.PlannedEvent) webhook.Accepted {
	e := planned.Event
	e.ID = webhook.EventID(u.newID())
	a := webhook.Accepted{Event: e, Decisions: planned.Decisions}
	for i := range a.Decisions {
		d := &a.Decisions[i]
		if d.Reason != webhook.Matched {
			continue
		}
		d.Delivery = webhook.DeliveryID(u.newID())
		job := webhook.Job{
			Event: e, Webhook: p.Subscriptions.Webhooks[i], Account: p.Subscriptions.Account,
			Delivery: webhook.Delivery{
				ID: d.Delivery, Account: e.Account, Event: e.ID, Webhook: d.Webhook, Platform: e.Platform, Type: e.Type,
				BookingID: e.BookingID, State: webhook.Pending, NextAt: p.At, CreatedAt: p.At,
			},
		}
		if planned.Claim[i] {
			a.Jobs = append(a.Jobs, claimed(job, p.Lease))
			continue
		}
		u.enqueue(job)
		a.Waiting = append(a.Waiting, d.Webhook)
	}
	return a
}

// claimed returns the job of a delivery that is claimed until lease.
func claimed(job webhook.Job, lease time.Time) webhook.Job {
	job.Delivery.Attempts, job.Delivery.NextAt = 1, lease
	return job
}

func (u *Unstored) enqueue(job webhook.Job) {
	u.mu.Lock()
	defer u.mu.Unlock()
	id := job.Webhook.ID
	u.queues[id] = append(u.queues[id], job)
	u.queued++
}

// awaitRoom waits until less than the capacity is queued.
func (u *Unstored) awaitRoom(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() {
		u.mu.Lock()
		defer u.mu.Unlock()
		u.claims.Broadcast()
	})
	defer stop()
	u.mu.Lock()
	defer u.mu.Unlock()
	for u.queued >= u.capacity {
		if err := ctx.Err(); err != nil {
			return err
		}
		u.claims.Wait()
	}
	return nil
}

// Claim returns up to c.N queued deliveries of the webhook.
func (u *Unstored) Claim(_ context.Context, c webhook.Claim) ([]webhook.Job, webhook.Due, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	queue := u.queues[c.Webhook]
	n := min(c.N, len(queue))
	jobs := make([]webhook.Job, n)
	for i, job := range queue[:n] {
		jobs[i] = claimed(job, c.Lease)
	}
	u.queues[c.Webhook] = queue[n:]
	u.queued -= n
	u.claims.Broadcast()
	if n == len(queue) {
		return jobs, webhook.Due{}, nil
	}
	return jobs, webhook.Due{At: c.Now}, nil
}

// Finish drops the delivery, delivered or not.
func (*Unstored) Finish(context.Context, webhook.Result, time.Time) (webhook.Finished, error) {
	return webhook.Finished{}, nil
}

// RetryNow does nothing: no delivery waits for a retry.
func (*Unstored) RetryNow(context.Context, webhook.WebhookID, time.Time) error { return nil }

// Release drops the delivery.
func (*Unstored) Release(context.Context, webhook.DeliveryID, int, time.Time, time.Time) error {
	return nil
}

// RecoverClaims does nothing: no process has died with a claim.
func (*Unstored) RecoverClaims(context.Context, webhook.ShardSet, time.Time) error { return nil }

// Due returns nothing: at the start nothing is queued.
func (*Unstored) Due(context.Context, webhook.ShardSet) (map[webhook.WebhookID]webhook.Due, error) {
	return nil, nil
}

// Lookups returns nothing: no event waits for its platform.
func (*Unstored) Lookups(context.Context, webhook.ShardSet, webhook.EventID, int) ([]webhook.PendingLookup, error) {
	return nil, nil
}
