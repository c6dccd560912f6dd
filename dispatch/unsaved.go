package dispatch

import (
	"context"

	"bookhook/webhook"
)

// TestUnsaved sends an event once, as a test, to a webhook that is not saved yet,
// and returns the attempt. Nothing is stored. It takes at most as long as any
// attempt may.
func (d *Dispatcher) TestUnsaved(ctx context.Context, w *webhook.Webhook, account webhook.Account, e webhook.Event) webhook.Attempt {
	now := d.clock()
	e.ID, e.Account, e.ReceivedAt, e.Test = webhook.FirstID[webhook.EventID](now), account.ID, now, true
	job := webhook.Job{
		Delivery: webhook.Delivery{ID: webhook.FirstID[webhook.DeliveryID](now), Attempts: 1, Test: true},
		Event:    e, Webhook: w, Account: account,
	}
	if w.Kind == webhook.Inline {
		return d.requestInline(ctx, &job).Attempt
	}
	return d.sender.send(ctx, &job, true).Attempt
}
