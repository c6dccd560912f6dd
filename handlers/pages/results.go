package pages

import (
	"context"
	"errors"
	"time"

	"github.com/gofiber/fiber/v2"

	"bookhook/views"
	"bookhook/webhook"
)

// What a person asked to be sent goes at once, so the response waits for the result: then
// its page says what happened, also without JavaScript. The table is asked, since
// another process may send it.
const (
	resultWait  = 5 * time.Second
	resultPause = 50 * time.Millisecond // between two looks
	maxWaiting  = 64                    // responses that wait at once; others do not
	maxWaits    = maxWaiting / 4        // of one account
)

// showResult waits for the result of a delivery that was asked for, and redirects to a
// page that says it.
func (pg *Pages) showResult(c *fiber.Ctx, d webhook.Delivery, target string) error {
	if d.Held {
		return pg.done(c, target, webhook.NewMessage("delivery.when_released"))
	}
	ended, err := pg.awaitResult(c.UserContext(), d)
	if err != nil {
		return err
	}
	w, err := pg.Store.Webhook(c.UserContext(), d.Account, d.Webhook)
	if err != nil && !errors.Is(err, webhook.ErrNotFound) {
		return err
	}
	return pg.done(c, target, resultMessages(ended, d, w, currentUser(c).Account.Location())...)
}

// awaitResult waits until the attempt that a delivery was asked for has ended, for
// resultWait at most, and returns the delivery as it is then.
func (pg *Pages) awaitResult(ctx context.Context, asked webhook.Delivery) (webhook.Delivery, error) {
	end := pg.waiting.Take(asked.Account)
	if end == nil {
		return asked, nil
	}
	defer end()
	ticks := time.NewTicker(resultPause)
	defer ticks.Stop()
	for end := time.Now().Add(resultWait); ; {
		d, err := pg.Store.Delivery(ctx, asked.Account, asked.ID)
		if errors.Is(err, webhook.ErrNotFound) {
			return asked, nil
		}
		if err != nil || hasResult(d, asked) || time.Now().After(end) {
			return d, err
		}
		select {
		case <-ticks.C:
		case <-ctx.Done():
			return d, nil
		}
	}
}

// hasResult reports whether an attempt ended since a delivery was asked for, and none
// follows it at once.
func hasResult(d, asked webhook.Delivery) bool {
	before := asked.Attempts
	if asked.Inline { // its attempt was counted already
		before--
	}
	return d.Completed > before && d.Completed == d.Attempts
}

// resultMessages say what came of a delivery that was asked for; a paused webhook is
// called again when its circuit allows it. w is nil if it was deleted.
func resultMessages(d, asked webhook.Delivery, w *webhook.Webhook, loc *time.Location) []webhook.Message {
	if !hasResult(d, asked) {
		return []webhook.Message{webhook.NewMessage("result.none")}
	}
	said := []webhook.Message{views.ResultMessage(d.Last, w)}
	switch {
	case d.State == webhook.Pending:
		next := d.NextAt
		if w != nil && w.Circuit.ProbeAt.After(next) {
			next = w.Circuit.ProbeAt
		}
		said = append(said, webhook.NewMessage("result.next", views.Clock(next, time.Now(), loc)))
	case d.State == webhook.Failed && !d.Test:
		said = append(said, webhook.NewMessage("result.gave_up"))
	}
	return said
}

// RetryWebhook attempts the delivery of a webhook that waits longest: once it is
// accepted, the others follow.
func (pg *Pages) RetryWebhook(c *fiber.Ctx) error {
	w, err := pg.webhookParam(c)
	if err != nil {
		return err
	}
	d, err := pg.Store.RetryOldest(c.UserContext(), w.Account, w.ID, currentUser(c).change())
	switch {
	case errors.Is(err, webhook.ErrConflict):
		return pg.done(c, webhookPath(w.ID, views.OverviewTab), webhook.NewMessage("webhook.none_waiting"))
	case err != nil:
		return pg.notSent(c, err, webhookPath(w.ID, views.OverviewTab))
	}
	return pg.showResult(c, d, webhookPath(w.ID, views.OverviewTab))
}
