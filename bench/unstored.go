package bench

import (
	"context"
	"sync"
	"time"

	"bookhook/db"
	"bookhook/webhook"
)

// Unstored is a dispatch.Store that stores no events and deliveries, to measure
// what ingest and delivery cost without a database. It never refuses and never
// drops an event: Ingest waits until the dispatcher has room. Methods that no
// benchmark calls are those of the database.
type Unstored struct {
	*db.Store
	newID    func() webhook.ID
	accounts map[webhook.ID]webhook.Account
	webhooks map[webhook.ID][]*webhook.Webhook // by account

	mu   sync.Mutex
	room *sync.Cond // signalled when a job has finished
}

// NewUnstored reads the accounts and webhooks of a database, once.
func NewUnstored(ctx context.Context, store *db.Store) (*Unstored, error) {
	newID, err := webhook.NewIDs()
	if err != nil {
		return nil, err
	}
	u := &Unstored{Store: store, newID: newID, accounts: map[webhook.ID]webhook.Account{}, webhooks: map[webhook.ID][]*webhook.Webhook{}}
	u.room = sync.NewCond(&u.mu)
	accounts, err := store.Accounts(ctx)
	if err != nil {
		return nil, err
	}
	for _, a := range accounts {
		u.accounts[a.ID] = a.Account
		if u.webhooks[a.ID], err = store.Webhooks(ctx, a.ID); err != nil {
			return nil, err
		}
	}
	return u, nil
}

// Ingest matches the events, and waits until every match has a place.
func (u *Unstored) Ingest(ctx context.Context, account webhook.ID, events []webhook.Event, now, lease time.Time, take func(*webhook.Webhook) bool) ([]webhook.Accepted, error) {
	accepted := make([]webhook.Accepted, len(events))
	for i, e := range events {
		e.ID, e.Account, e.ReceivedAt = u.newID(), account, now
		a := webhook.Accepted{Event: e}
		for _, w := range u.webhooks[account] {
			d := webhook.Decision{Webhook: w.ID, Reason: webhook.Match(w, &e)}
			if d.Reason == webhook.Matched {
				if err := u.await(ctx, w, take); err != nil {
					return nil, err
				}
				d.Delivery = u.newID()
				a.Jobs = append(a.Jobs, webhook.Job{Event: e, Webhook: w, Account: u.accounts[account], Delivery: webhook.Delivery{
					ID: d.Delivery, Account: account, Event: e.ID, Webhook: w.ID, Platform: e.Platform, Type: e.Type,
					BookingID: e.BookingID, State: webhook.Pending, Attempts: 1, NextAt: lease, CreatedAt: now,
				}})
			}
			a.Decisions = append(a.Decisions, d)
		}
		accepted[i] = a
	}
	return accepted, nil
}

// await waits for a place for the webhook and takes it.
func (u *Unstored) await(ctx context.Context, w *webhook.Webhook, take func(*webhook.Webhook) bool) error {
	if take(w) {
		return nil
	}
	stop := context.AfterFunc(ctx, u.freed)
	defer stop()
	u.mu.Lock()
	defer u.mu.Unlock()
	for !take(w) { // with the mutex heldConns: a place that is freed from here on wakes us
		if err := ctx.Err(); err != nil {
			return err
		}
		u.room.Wait()
	}
	return nil
}

// freed wakes those that wait for a place.
func (u *Unstored) freed() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.room.Broadcast()
}

// Finish drops the delivery, delivered or not.
func (u *Unstored) Finish(context.Context, webhook.Result, time.Time) (webhook.Finished, error) {
	u.freed()
	return webhook.Finished{}, nil
}

// Hasten does nothing: no delivery waits.
func (*Unstored) Hasten(context.Context, webhook.ID, time.Time) error { return nil }

// Release drops the delivery.
func (u *Unstored) Release(context.Context, webhook.ID, int, time.Time) error {
	u.freed()
	return nil
}

// Heal does nothing: there are no claims to recover.
func (*Unstored) Heal(context.Context, time.Time) error { return nil }

// Due returns nothing: no delivery waits.
func (*Unstored) Due(context.Context) (map[webhook.ID]time.Time, error) { return nil, nil }

// Claim returns nothing.
func (*Unstored) Claim(context.Context, webhook.ID, int, time.Time, time.Time) ([]webhook.Job, time.Time, error) {
	return nil, time.Time{}, nil
}

// Lookups returns nothing.
func (*Unstored) Lookups(context.Context, webhook.ID, int) ([]webhook.PendingLookup, error) {
	return nil, nil
}
