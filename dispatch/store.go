package dispatch

import (
	"context"
	"time"

	"bookhook/dispatch/lookup"
	"bookhook/webhook"
)

// Store is what the dispatcher needs of the database for deliveries and inline
// calls. Every method is one transaction, which is on disk when the method
// returns.
type Store interface {
	deliveryStore
	eventStore
	inlineStore
}

// LookupStore is what the dispatcher needs of the database for lookups; *db.Store
// is both.
type LookupStore interface {
	lookup.Store

	// CompleteLookups is Insert for events that waited for a lookup. One that
	// no longer waits is skipped.
	CompleteLookups(ctx context.Context, p *webhook.Plan) ([]webhook.Accepted, error)
}

// deliveryStore claims deliveries and records their results. RecoverClaims, Claim, Finish
// and Release return webhook.ErrNotHeld, and change nothing, if this replica does not hold
// the account.
type deliveryStore interface {
	// RecoverClaims makes every claim in these shards due at once: whoever held
	// them before has ended, or lost them.
	RecoverClaims(ctx context.Context, shards webhook.ShardSet, now time.Time) error

	// Due returns, for every enabled webhook in these shards with something pending, when its
	// earliest delivery is due; the end of a lease counts. Items of bulk replays
	// are counted apart. It also returns every webhook whose circuit is not as at first. All earlier writes have ended by then, also those of which it was
	// not known whether they were stored.
	Due(ctx context.Context, shards webhook.ShardSet) (map[webhook.WebhookID]webhook.Due, error)

	// Claim claims up to c.N due deliveries of an enabled webhook, urgent ones first,
	// of which there may be c.Urgent more, and then the longest due, or if c.Newest the
	// last due; of one that is off only tests: it increments Attempts and sets NextAt to
	// c.Lease. If none is due then, it claims up to c.Bulk items of bulk replays, as
	// their rates allow. next is when the webhook's next ones are due after that,
	// ends of leases included. With an error, the jobs are those that may be claimed
	// all the same.
	Claim(ctx context.Context, c webhook.Claim) (jobs []webhook.Job, next webhook.Due, err error)

	// Finish adds the attempt to the log, and updates the delivery if it is
	// still pending with this attempt's number. It switches the webhook off if the
	// result says Gone, or if the webhook has failed for webhook.FailingLimit. If
	// this was the delivery that others of its booking are held behind, it makes
	// the next of them due. If the result says Again and the delivery is still
	// pending, it claims the next attempt until the result's NextAt, which neither
	// the webhook's health nor the retry schedule counts. It reports all three. It
	// stores the circuit that the result says, unless the webhook was changed since.
	Finish(ctx context.Context, r webhook.Result, now time.Time) (webhook.Finished, error)

	// RetryNow makes every pending delivery of the webhook due at now that
	// waits for its next attempt.
	RetryNow(ctx context.Context, id webhook.WebhookID, now time.Time) error

	// Release undoes the claim of a delivery until lease, if it is still pending with
	// this attempt number and claim: the attempt does not count, and it is due at now.
	Release(ctx context.Context, delivery webhook.DeliveryID, number int, lease, now time.Time) error
}

// eventStore stores events and their deliveries.
type eventStore interface {
	// Subscriptions returns what matching needs to know about an account; it may
	// be stale.
	Subscriptions(ctx context.Context, account webhook.AccountID) (*webhook.Subscriptions, error)

	// Insert stores the events of a plan with their decisions and deliveries,
	// all or nothing. A delivery whose Claim is set is stored as claimed until
	// the plan's lease and is among the Jobs, else its webhook is among the
	// Waiting; one that is held behind an earlier delivery of its booking is
	// neither. It returns webhook.ErrStale if the subscriptions have changed;
	// Subscriptions then returns the current ones. With an error, it returns what may
	// be stored all the same.
	Insert(ctx context.Context, p *webhook.Plan) ([]webhook.Accepted, error)

	// Test stores a test event and its one delivery for this webhook, whatever
	// its filters; the delivery is due now.
	Test(ctx context.Context, account webhook.AccountID, id webhook.WebhookID, e webhook.Event, now time.Time) (webhook.Delivery, error)

	// Replay makes a delivery due now, finished or waiting.
	Replay(ctx context.Context, account webhook.AccountID, delivery webhook.DeliveryID, c webhook.Change) (webhook.Delivery, error)

	// Send sends an event to one webhook now: it replays its delivery, or creates it.
	Send(ctx context.Context, account webhook.AccountID, event webhook.EventID, id webhook.WebhookID, c webhook.Change) (webhook.Delivery, error)

	// Webhook reads a webhook of an account.
	Webhook(ctx context.Context, account webhook.AccountID, id webhook.WebhookID) (*webhook.Webhook, error)
}

// inlineStore records inline calls.
type inlineStore interface {
	// InsertInline stores an event for an inline call, and claims until lease
	// the one delivery of the webhook that matches.
	InsertInline(ctx context.Context, account webhook.AccountID, e webhook.Event, now, lease time.Time) (webhook.InlineCall, error)

	// TestInline is Test for an inline webhook: the delivery is claimed until
	// lease.
	TestInline(ctx context.Context, account webhook.AccountID, id webhook.WebhookID, e webhook.Event, now, lease time.Time) (webhook.Job, error)

	// Attempts lists attempts of a delivery, up to number last; 0: the newest.
	Attempts(ctx context.Context, account webhook.AccountID, delivery webhook.DeliveryID, last int) ([]webhook.Attempt, error)
}
