package prio

import (
	"context"

	"bookhook/auth"
	"bookhook/handlers/web"
	"bookhook/platforms"
	"bookhook/webhook"
)

// Store is what this API needs of the database; *db.Store is one.
type Store interface {
	ClientStore
	WebhookStore
	auth.TryStore
}

// Dispatcher is what this API needs of the dispatcher; *dispatch.Dispatcher is
// one.
type Dispatcher interface {
	// Ingest stores events and delivers them; see dispatch.Dispatcher.Ingest.
	Ingest(ctx context.Context, account webhook.AccountID, events []webhook.Event) ([]webhook.Accepted, error)
	// CheckURL says why a URL may not be called, judged by its text alone; zero if
	// it may.
	CheckURL(url string) webhook.Message
}

// Options are what this API needs; all are required.
type Options struct {
	Store      Store
	Dispatcher Dispatcher
	Server     *web.Server
	Platforms  platforms.Registry
	Instance   webhook.Instance
}

// Prio has the handlers of the Prioticket-compatible API.
type Prio struct {
	Options
	attempts *auth.Limiter // to get a token
}

// New returns the handlers of the Prioticket-compatible API.
func New(o Options) *Prio { return &Prio{Options: o, attempts: auth.NewLimiter(o.Store, "client")} }
