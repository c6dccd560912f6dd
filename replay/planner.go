// Package replay plans bulk replays: which deliveries are sent again, which events
// are sent to a webhook that never got them, what is left out, and about how long it
// takes. The dispatcher then sends what is planned; see the store's PlanReplay.
//
// Candidates are the asynchronous deliveries of a filter, whatever their state, of
// webhooks that are not deleted (one that is off gets them when it is on again); or the
// events of a period that a webhook has no delivery of and, unless the request says
// otherwise, that its present filters match as if it were on. Tests, and events that
// wait for their match, are none.
//
// Of these, bookings whose tours are over are left out if the request says so
// ([Over]); then, unless it wants all, each event of whose booking the webhook already
// got a later one, or gets one in this replay. "Later" is by the events' ids.
//
// A plan reads pages of 500 candidates and keeps of them only a hash of 64 bits for
// each booking, some 20 bytes: 2 MB for 100,000 bookings, and 10 MB for the most that
// one replay may have. What is later in a booking is asked in the query of the page;
// only candidates that have something later are looked at again, a page at a time.
package replay

import (
	"context"
	"errors"
	"hash/maphash"
	"time"

	"bookhook/platforms"
	"bookhook/webhook"
)

// Store is what planning needs of the database; *db.Store is one.
type Store interface {
	Webhooks(ctx context.Context, account webhook.AccountID) ([]*webhook.Webhook, error)
	Candidates(ctx context.Context, account webhook.AccountID, r webhook.ReplayRequest, before webhook.DeliveryID) (webhook.Page[webhook.Candidate, webhook.DeliveryID], error)
	CandidateEvents(ctx context.Context, account webhook.AccountID, f webhook.EventFilter, after webhook.EventID) (events []webhook.MissedEvent, more bool, err error)
	LaterEvents(ctx context.Context, account webhook.AccountID, ids []webhook.EventID) ([]webhook.MissedEvent, error)
	EventData(ctx context.Context, account webhook.AccountID, ids []webhook.EventID, do func(e webhook.Event) error) error
	DeliveryStates(ctx context.Context, account webhook.AccountID, ids []webhook.DeliveryID, replay webhook.ReplayID) (states map[webhook.DeliveryID]webhook.State, replayed map[webhook.DeliveryID]bool, err error)
	Speed(ctx context.Context, account webhook.AccountID, id webhook.WebhookID) (time.Duration, error)

	BulkReplay(ctx context.Context, account webhook.AccountID, id webhook.ReplayID) (webhook.Replay, error)
	PlanReplay(ctx context.Context, account webhook.AccountID, request webhook.ReplayRequest, change webhook.Change) (webhook.Replay, error)
	AddReplayItems(ctx context.Context, account webhook.AccountID, replay webhook.ReplayID, items []webhook.ReplayItem) error
	StartReplay(ctx context.Context, account webhook.AccountID, id webhook.ReplayID, change webhook.Change) (webhook.Replay, error)
	DropReplay(ctx context.Context, account webhook.AccountID, id webhook.ReplayID) error
}

// Planning reads the database as fast as it can, so few requests are planned at once:
// the others of the account, and all other accounts, read meanwhile.
const (
	maxPlans        = 8 // that are under way
	maxPlansAccount = 2 // of one account
	planWait        = 5 * time.Second
)

// Planner plans bulk replays.
type Planner struct {
	store     Store
	platforms platforms.Registry
	hash      maphash.Seed
	turns     *webhook.Turns
}

// New returns a planner.
func New(store Store, known platforms.Registry) *Planner {
	return &Planner{store: store, platforms: known, hash: maphash.MakeSeed(), turns: webhook.NewTurns(maxPlans, maxPlansAccount)}
}

// tooManyPlans says that too many requests are being planned.
var tooManyPlans = webhook.LimitReached{What: webhook.LimitedPlans, Limit: maxPlansAccount, Used: maxPlansAccount, Over: 1, Wait: planWait}

// Count counts what a request would send at now; it stores nothing. It returns
// webhook.Invalid for a webhook or replay that is not the account's, an inline
// webhook or a rate that is not valid, and webhook.LimitReached for more than
// webhook.MaxReplayed deliveries, or while too many requests are being planned.
func (p *Planner) Count(ctx context.Context, account webhook.Account, r webhook.ReplayRequest, now time.Time) (webhook.ReplayPlan, error) {
	end := p.turns.Take(account.ID)
	if end == nil {
		return webhook.ReplayPlan{}, tooManyPlans
	}
	defer end()
	pl, err := p.plan(ctx, account, r, now)
	if err != nil {
		return webhook.ReplayPlan{}, err
	}
	nothing := func([]webhook.ReplayItem) error { return nil }
	if err := pl.run(ctx, nothing); err != nil {
		return webhook.ReplayPlan{}, err
	}
	return pl.counted(ctx)
}

// cleanUp is how long what was planned in vain may take to delete.
const cleanUp = 10 * time.Second

// Start plans a request and starts it. Nothing is left of one that fails. Its errors are
// those of Count, and webhook.LimitReached if webhook.MaxReplays run.
func (p *Planner) Start(ctx context.Context, account webhook.Account, r webhook.ReplayRequest, change webhook.Change) (webhook.Replay, error) {
	end := p.turns.Take(account.ID)
	if end == nil {
		return webhook.Replay{}, tooManyPlans
	}
	defer end()
	pl, err := p.plan(ctx, account, r, change.At)
	if err != nil {
		return webhook.Replay{}, err
	}
	planned, err := p.store.PlanReplay(ctx, account.ID, r, change)
	if err != nil {
		return webhook.Replay{}, err
	}
	err = pl.run(ctx, func(items []webhook.ReplayItem) error {
		return p.store.AddReplayItems(ctx, account.ID, planned.ID, items)
	})
	if err == nil {
		planned, err = p.store.StartReplay(ctx, account.ID, planned.ID, change)
	}
	if err == nil {
		return planned, nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanUp)
	defer cancel()
	return webhook.Replay{}, errors.Join(err, p.store.DropReplay(ctx, account.ID, planned.ID))
}

// plan checks a request and prepares its planning.
func (p *Planner) plan(ctx context.Context, account webhook.Account, r webhook.ReplayRequest, now time.Time) (*planning, error) {
	if err := r.Validate(); err != nil {
		return nil, err
	}
	hooks, err := p.store.Webhooks(ctx, account.ID)
	if err != nil {
		return nil, err
	}
	pl := &planning{
		Planner: p, account: account, request: r, now: now,
		webhooks: map[webhook.WebhookID]*webhook.Webhook{}, sent: map[webhook.WebhookID]int{}, bookings: map[uint64]struct{}{},
	}
	for _, w := range hooks {
		if w.Kind == webhook.Async {
			pl.webhooks[w.ID] = w
		} else if r.Events != nil && w.ID == r.Webhook {
			return nil, webhook.Invalid{"webhook_id": webhook.NewMessage("delivery.inline_replay")}
		}
	}
	if r.Deliveries.Replay != 0 {
		_, err := p.store.BulkReplay(ctx, account.ID, r.Deliveries.Replay)
		if errors.Is(err, webhook.ErrNotFound) {
			return nil, webhook.Invalid{"deliveries.replay_id": webhook.NewMessage("replay.unknown")}
		}
		if err != nil {
			return nil, err
		}
	}
	if r.Events == nil {
		return pl, nil
	}
	w, ok := pl.webhooks[r.Webhook]
	if !ok {
		return nil, webhook.Invalid{"webhook_id": webhook.NewMessage("replay.webhook_unknown")}
	}
	on := *w
	on.Enabled = true
	pl.missing = &on
	return pl, nil
}
