package dispatch

import (
	"context"
	"time"

	"bookhook/webhook"
)

// Store is what the dispatcher needs of the database. Every method is one
// transaction; what was answered is on disk.
type Store interface {
	// Heal makes every claim that a dead process left due at once. It must
	// not be called while another process can hold one.
	Heal(ctx context.Context, now time.Time) error

	// Due tells, for every switched-on webhook with something pending, when
	// its earliest delivery is due; the end of a lease counts.
	Due(ctx context.Context) (map[webhook.ID]time.Time, error)

	// Claim takes up to n due deliveries of a webhook that is switched on,
	// the oldest due first: it raises Attempts and moves NextAt to lease. It
	// also tells when the webhook's next pending delivery is due after that,
	// ends of leases included; zero when there is none.
	Claim(ctx context.Context, id webhook.ID, n int, now, lease time.Time) (jobs []webhook.Job, next time.Time, err error)

	// Finish adds the attempt to the log, and moves the delivery if it is
	// still pending with this attempt's number. It switches the webhook off
	// when the result says Gone or when it has failed for
	// webhook.FailingLimit, and makes the next delivery of the booking due
	// that was held behind this one; it tells both.
	Finish(ctx context.Context, r webhook.Result, now time.Time) (webhook.Finished, error)

	// Hasten makes due at now every pending delivery of the webhook that
	// waits for its next try.
	Hasten(ctx context.Context, id webhook.ID, now time.Time) error

	// Release gives a claimed delivery back, uncharged and due at now, if it
	// is still pending with this attempt number.
	Release(ctx context.Context, delivery webhook.ID, number int, now time.Time) error

	// Ingest stores events with their decisions and deliveries, all or
	// nothing. For each match it asks take whether the dispatcher has room
	// for the delivery; then it is stored as claimed until lease and is among
	// the Jobs, else its webhook is among the Waiting; a delivery that is held
	// for an earlier one of its booking is neither. take is not called
	// after Ingest returned; it may have been although Ingest fails.
	Ingest(ctx context.Context, account webhook.ID, events []webhook.Event, now, lease time.Time, take func(*webhook.Webhook) bool) ([]webhook.Accepted, error)

	// Lookups lists up to limit events behind after that wait until their
	// platform is asked about the booking, in the order they were accepted. None
	// is added before one that was listed.
	Lookups(ctx context.Context, after webhook.ID, limit int) ([]webhook.PendingLookup, error)

	// Undecided reads an account's event that still waits for that;
	// webhook.ErrNotFound when it does not.
	Undecided(ctx context.Context, account, event webhook.ID) (webhook.Event, error)

	// LookedUp matches events that waited, in the order given, all or none, and
	// does with their deliveries what Ingest does. One that does not wait any
	// more is passed over.
	LookedUp(ctx context.Context, account webhook.ID, events []webhook.Event, now, lease time.Time, take func(*webhook.Webhook) bool) ([]webhook.Accepted, error)

	// Connection is an account's use of a platform; webhook.ErrNotFound when it
	// never used it.
	Connection(ctx context.Context, account webhook.ID, platform string) (webhook.Connection, error)

	// Test stores a test event and its one delivery for this webhook,
	// whatever its filters say; the delivery is due now.
	Test(ctx context.Context, account, webhookID webhook.ID, e webhook.Event, now time.Time) (webhook.Delivery, error)

	// Ask stores an event about which an inline webhook is to be asked, and
	// claims until lease the one delivery of the webhook that matches.
	Ask(ctx context.Context, account webhook.ID, e webhook.Event, now, lease time.Time) (webhook.Answer, error)

	// TestInline is Test for an inline webhook: the delivery is claimed until
	// lease.
	TestInline(ctx context.Context, account, webhookID webhook.ID, e webhook.Event, now, lease time.Time) (webhook.Job, error)

	// Attempts lists the attempts of a delivery.
	Attempts(ctx context.Context, account, delivery webhook.ID) ([]webhook.Attempt, error)

	// Webhook finds a webhook of an account.
	Webhook(ctx context.Context, account, id webhook.ID) (*webhook.Webhook, error)

	// Replay makes a delivery due now, be it finished or waiting; by is who
	// asked for it.
	Replay(ctx context.Context, account, delivery webhook.ID, by string, now time.Time) (webhook.Delivery, error)
}
