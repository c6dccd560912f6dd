package handlers

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/gofiber/fiber/v2"

	"bookhook/views"
	"bookhook/webhook"
)

// pageRows is how many deliveries or events one page shows.
const pageRows = 50

func deliveryPath(id webhook.ID) string { return "/deliveries/" + id.Text(webhook.DeliveryPrefix) }

// deliveryRows names what the rows are of; the platform when the account uses several.
func (a *app) deliveryRows(rows []webhook.DeliveryRow, h hooks) []views.DeliveryRow {
	shown := make([]views.DeliveryRow, len(rows))
	for i, r := range rows {
		w := h.find(r.Webhook)
		shown[i] = views.DeliveryRow{
			Delivery: r.Delivery, EventName: a.eventName(r.Platform, r.Type), WebhookName: h.names[r.Webhook], WebhookOff: w != nil && !w.Enabled,
			Probing: a.Dispatcher.Circuit(r.Webhook).Open(),
		}
	}
	return shown
}

// listDeliveries shows the log. A part of the filter that cannot be read is
// named and left out.
func (a *app) listDeliveries(c *fiber.Ctx) error {
	account := visiting(c).Account
	h, err := a.hooks(c.UserContext(), account.ID)
	if err != nil {
		return err
	}
	f := readDeliveryFilter(c, account.Location(), h, a.Platforms.KnownKey)
	props := views.DeliveriesProps{Filter: f.typed, Problems: f.problems, Webhooks: h.options(f.Webhook)}
	all := f.DeliveryFilter
	if f.Before, err = refQuery(c, "before", webhook.DeliveryPrefix); err != nil {
		return err
	}
	f.Limit = pageRows
	found, err := a.Store.Deliveries(c.UserContext(), account.ID, f.DeliveryFilter)
	if err != nil {
		return err
	}
	props.Rows, props.Older, props.First = a.deliveryRows(found.Rows, h), found.Next, f.Before == 0
	props.Stopped = found.Next != 0 && len(found.Rows) < pageRows
	if props.Count.N = len(found.Rows); found.Next != 0 || !props.First {
		if props.Count, err = a.Store.CountDeliveries(c.UserContext(), account.ID, all); err != nil {
			return err
		}
	}
	if props.Types, err = a.eventTypes(c.UserContext(), account.ID, f.Type); err != nil {
		return err
	}
	props.Asks = h.inline()
	if len(props.Types) > 1 {
		for i := range props.Rows {
			props.Rows[i].Platform = a.platformName(props.Rows[i].Delivery.Platform)
		}
	}
	if props.Newest, err = a.newestDelivery(c); err != nil {
		return err
	}
	if props.Page, err = a.page(c); err != nil {
		return err
	}
	return render(c, formStatus(f.problems), views.Deliveries(props))
}

// newestDelivery is from where on the announcer counts; 0 when there is none.
func (a *app) newestDelivery(c *fiber.Ctx) (webhook.ID, error) {
	found, err := a.Store.Deliveries(c.UserContext(), visiting(c).Account.ID, webhook.DeliveryFilter{Limit: 1})
	if err != nil || len(found.Rows) == 0 {
		return 0, err
	}
	return found.Rows[0].ID, nil
}

// countNewDeliveries says how many came in after the one that was the newest
// when the page was made.
func (a *app) countNewDeliveries(c *fiber.Ctx) error {
	account := visiting(c).Account
	h, err := a.hooks(c.UserContext(), account.ID)
	if err != nil {
		return err
	}
	f := readDeliveryFilter(c, account.Location(), h, a.Platforms.KnownKey)
	if f.After, err = refQuery(c, "after", webhook.DeliveryPrefix); err != nil {
		return err
	}
	count, err := a.Store.CountDeliveries(c.UserContext(), account.ID, f.DeliveryFilter)
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, views.NewDeliveries(count, f.typed))
}

func (a *app) deliveryParam(c *fiber.Ctx) (webhook.Delivery, error) {
	id, err := refParam(c, webhook.DeliveryPrefix)
	if err != nil {
		return webhook.Delivery{}, err
	}
	return a.Store.Delivery(c.UserContext(), visiting(c).Account.ID, id)
}

func (a *app) showDelivery(c *fiber.Ctx) error {
	d, err := a.deliveryParam(c)
	if err != nil {
		return err
	}
	props := views.DeliveryProps{
		Delivery: d, EventName: a.eventName(d.Platform, d.Type), Platform: a.platformName(d.Platform),
		MaxTries: a.Tries, Circuit: a.Dispatcher.Circuit(d.Webhook),
	}
	if props.WaitsFor, err = a.waitsFor(c.UserContext(), d); err != nil {
		return err
	}
	event, err := a.Store.Event(c.UserContext(), d.Account, d.Event)
	if err != nil {
		return err
	}
	props.Event = event.Event
	if props.Attempts, err = a.attempts(c.UserContext(), d); err != nil {
		return err
	}
	named, err := a.hooks(c.UserContext(), d.Account)
	if err != nil {
		return err
	}
	props.Webhook, props.WebhookName = named.find(d.Webhook), named.names[d.Webhook]
	if props.Page, err = a.page(c); err != nil {
		return err
	}
	return render(c, http.StatusOK, views.Delivery(props))
}

// attempts are those that a delivery knows of. One that ended after it was read
// is left out: the two would contradict each other.
func (a *app) attempts(ctx context.Context, d webhook.Delivery) ([]webhook.Attempt, error) {
	all, err := a.Store.Attempts(ctx, d.Account, d.ID)
	return slices.DeleteFunc(all, func(t webhook.Attempt) bool { return t.Number >= d.Attempts && t.Number > d.Answered }), err
}

// liveWebhook is the webhook of a delivery, nil when it was deleted.
func (a *app) liveWebhook(c *fiber.Ctx, d webhook.Delivery) (*webhook.Webhook, error) {
	w, err := a.Store.Webhook(c.UserContext(), d.Account, d.Webhook)
	if errors.Is(err, webhook.ErrNotFound) {
		return nil, nil
	}
	return w, err
}

func (a *app) replayDelivery(c *fiber.Ctx) error {
	d, err := a.deliveryParam(c)
	if err != nil {
		return err
	}
	w, err := a.liveWebhook(c, d)
	if err != nil {
		return err
	}
	replayed, err := a.Dispatcher.Replay(c.UserContext(), d.Account, d.ID, visiting(c).User.Email)
	text, err := replayText(replayed, err, w, a.Dispatcher.Circuit(d.Webhook))
	if err != nil {
		return err
	}
	return a.done(c, deliveryPath(d.ID), text)
}

// asProbe says when a delivery that a person waits for goes out although the
// circuit is open.
func asProbe(what string) string {
	return "Your server has failed again and again, so " + what + " goes out as the next probe, within five minutes. The answer appears below."
}

// replayText says what came of a replay and what happens next.
func replayText(d webhook.Delivery, err error, w *webhook.Webhook, c webhook.Circuit) (string, error) {
	if errors.Is(err, webhook.ErrConflict) {
		return "It is on its way right now. Wait for the answer before you send it again.", nil
	}
	problems, err := invalid(err)
	switch {
	case err != nil:
		return "", err
	case len(problems) > 0:
		return problems["webhook"], nil
	case w != nil && !w.Enabled:
		return "It is sent as soon as the webhook is switched on again.", nil
	case d.Held:
		return "It is sent as soon as the earlier events of its booking are delivered, given up or stopped.", nil
	}
	switch {
	case c.Open():
		return asProbe("it"), nil
	case w != nil && w.Rate.Requests > 0:
		return "It goes out next, as soon as the webhook's rate limit lets it. The answer appears below.", nil
	}
	return "It is being sent now. The answer appears below.", nil
}

func (a *app) cancelDelivery(c *fiber.Ctx) error {
	d, err := a.deliveryParam(c)
	if err != nil {
		return err
	}
	now := time.Now()
	err = a.Store.Cancel(c.UserContext(), d.Account, d.ID, visiting(c).User.Email, now)
	if errors.Is(err, webhook.ErrConflict) {
		return a.done(c, deliveryPath(d.ID), "Nothing was stopped: it had ended before.")
	}
	if err != nil {
		return err
	}
	a.Dispatcher.Cancelled(d.Webhook)
	text := "Bookhook makes no further try. You can replay it later."
	if d.InFlight(now) {
		text = "Bookhook makes no further try. The one that is on its way may still arrive. You can replay it later."
	}
	return a.done(c, deliveryPath(d.ID), text)
}
