package bench

import (
	"context"
	"sync"
	"time"

	"bookhook/db"
	"bookhook/webhook"
)

// Unstored is a dispatch.Store that keeps no events and deliveries, to see what
// ingest and delivery cost without a database. It never refuses and never drops
// an event: what the dispatcher has no room for waits until there is. What a
// benchmark does not do is the database's.
type Unstored struct {
	*db.Store
	newID    func() webhook.ID
	accounts map[webhook.ID]webhook.Account
	webhooks map[webhook.ID][]*webhook.Webhook // by account

	mu   sync.Mutex
	room *sync.Cond // a job was let go
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

// Ingest matches, and waits until every match has a place.
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

// await takes a place for the webhook once there is one.
func (u *Unstored) await(ctx context.Context, w *webhook.Webhook, take func(*webhook.Webhook) bool) error {
	if take(w) {
		return nil
	}
	stop := context.AfterFunc(ctx, u.freed)
	defer stop()
	u.mu.Lock()
	defer u.mu.Unlock()
	for !take(w) { // with the mutex held: a place that is freed from here on wakes us
		if err := ctx.Err(); err != nil {
			return err
		}
		u.room.Wait()
	}
	return nil
}

func (u *Unstored) freed() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.room.Broadcast()
}

// Finish forgets the delivery, delivered or not.
func (u *Unstored) Finish(context.Context, webhook.Result, time.Time) (webhook.Finished, error) {
	u.freed()
	return webhook.Finished{}, nil
}

// Hasten has nothing that waits.
func (*Unstored) Hasten(context.Context, webhook.ID, time.Time) error { return nil }

// Release forgets the delivery.
func (u *Unstored) Release(context.Context, webhook.ID, int, time.Time) error {
	u.freed()
	return nil
}

// Heal has nothing to heal.
func (*Unstored) Heal(context.Context, time.Time) error { return nil }

// Due knows of nothing.
func (*Unstored) Due(context.Context) (map[webhook.ID]time.Time, error) { return nil, nil }

// Claim finds nothing.
func (*Unstored) Claim(context.Context, webhook.ID, int, time.Time, time.Time) ([]webhook.Job, time.Time, error) {
	return nil, time.Time{}, nil
}

// Lookups finds nothing that waits.
func (*Unstored) Lookups(context.Context, webhook.ID, int) ([]webhook.PendingLookup, error) {
	return nil, nil
}
