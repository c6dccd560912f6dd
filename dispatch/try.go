package dispatch

import (
	"context"
	"time"

	"bookhook/webhook"
)

// Try sends an event to a webhook that is not saved yet, once, as a test
// delivery would, and returns what came of it. Nothing is stored. A person
// waits for it, at most as long as any attempt may take.
func (d *Dispatcher) Try(ctx context.Context, w *webhook.Webhook, account webhook.Account, e webhook.Event) webhook.Attempt {
	e.ID, e.Account, e.ReceivedAt, e.Test = webhook.FirstID(time.Now()), account.ID, time.Now(), true
	job := webhook.Job{
		Delivery: webhook.Delivery{ID: e.ID, Attempts: 1, Test: true},
		Event:    e, Webhook: w, Account: account,
	}
	if w.Kind == webhook.Inline {
		return d.ask(ctx, &job).Attempt
	}
	return d.sender.send(ctx, &job).Attempt
}
