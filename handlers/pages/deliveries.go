package pages

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/gofiber/fiber/v2"

	"bookhook/handlers/web"
	"bookhook/views"
	"bookhook/webhook"
)

// DeliveryStore is what the pages need of the log of deliveries.
type DeliveryStore interface {
	Deliveries(ctx context.Context, account webhook.ID, f webhook.DeliveryFilter) (webhook.Page[webhook.DeliveryRow], error)
	CountDeliveries(ctx context.Context, account webhook.ID, f webhook.DeliveryFilter) (webhook.Count, error)
	Delivery(ctx context.Context, account, id webhook.ID) (webhook.Delivery, error)
	WaitsFor(ctx context.Context, account, delivery webhook.ID) (first webhook.ID, err error)
	Attempts(ctx context.Context, account, delivery webhook.ID) ([]webhook.Attempt, error)
	Cancel(ctx context.Context, account, id webhook.ID, by string, now time.Time) error
}

// pageRows is how many deliveries or events one page shows.
const pageRows = 50

func deliveryPath(id webhook.ID) string { return "/deliveries/" + id.Text(webhook.DeliveryPrefix) }

// deliveryRows names what the rows are of; the platform when the account uses several.
func (pg *Pages) deliveryRows(rows []webhook.DeliveryRow, h hooks) []views.DeliveryRow {
	shown := make([]views.DeliveryRow, len(rows))
	for i, r := range rows {
		w := h.find(r.Webhook)
		shown[i] = views.DeliveryRow{
			Delivery: r.Delivery, EventName: pg.eventName(r.Platform, r.Type), WebhookName: h.names[r.Webhook], WebhookOff: w != nil && !w.Enabled,
			Probing: pg.Dispatcher.Circuit(r.Webhook).Open(),
		}
	}
	return shown
}

// ListDeliveries shows the log. A part of the filter that cannot be read is
// named and left out.
func (pg *Pages) ListDeliveries(c *fiber.Ctx) error {
	account := currentUser(c).Account
	h, err := pg.hooks(c.UserContext(), account.ID)
	if err != nil {
		return err
	}
	f := readDeliveryFilter(c, account.Location(), h, pg.Platforms.KnownKey)
	props := views.DeliveriesProps{Filter: f.typed, Problems: f.problems, Webhooks: h.options(f.Webhook)}
	all := f.DeliveryFilter
	if f.Before, err = web.IDQuery(c, "before", webhook.DeliveryPrefix); err != nil {
		return err
	}
	f.Limit = pageRows
	found, err := pg.Store.Deliveries(c.UserContext(), account.ID, f.DeliveryFilter)
	if err != nil {
		return err
	}
	props.Rows, props.Older, props.First = pg.deliveryRows(found.Rows, h), found.Next, f.Before == 0
	props.Stopped = found.Next != 0 && len(found.Rows) < pageRows
	if props.Count.N = len(found.Rows); found.Next != 0 || !props.First {
		if props.Count, err = pg.Store.CountDeliveries(c.UserContext(), account.ID, all); err != nil {
			return err
		}
	}
	if props.Types, err = pg.eventTypes(c.UserContext(), account.ID, f.Type); err != nil {
		return err
	}
	props.Asks = h.inline()
	if len(props.Types) > 1 {
		for i := range props.Rows {
			props.Rows[i].Platform = pg.platformName(props.Rows[i].Delivery.Platform)
		}
	}
	if props.Newest, err = pg.newestDelivery(c); err != nil {
		return err
	}
	if props.Page, err = pg.page(c); err != nil {
		return err
	}
	return render(c, formStatus(f.problems), views.Deliveries(props))
}

// newestDelivery is the one after which new deliveries are counted; zero when
// there is none.
func (pg *Pages) newestDelivery(c *fiber.Ctx) (webhook.ID, error) {
	found, err := pg.Store.Deliveries(c.UserContext(), currentUser(c).Account.ID, webhook.DeliveryFilter{Limit: 1})
	if err != nil || len(found.Rows) == 0 {
		return 0, err
	}
	return found.Rows[0].ID, nil
}

// CountNewDeliveries says how many deliveries there are after the one that was
// the newest when the page was rendered.
func (pg *Pages) CountNewDeliveries(c *fiber.Ctx) error {
	account := currentUser(c).Account
	h, err := pg.hooks(c.UserContext(), account.ID)
	if err != nil {
		return err
	}
	f := readDeliveryFilter(c, account.Location(), h, pg.Platforms.KnownKey)
	if f.After, err = web.IDQuery(c, "after", webhook.DeliveryPrefix); err != nil {
		return err
	}
	count, err := pg.Store.CountDeliveries(c.UserContext(), account.ID, f.DeliveryFilter)
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, views.NewDeliveries(count, f.typed))
}

func (pg *Pages) deliveryParam(c *fiber.Ctx) (webhook.Delivery, error) {
	id, err := web.IDParam(c, webhook.DeliveryPrefix)
	if err != nil {
		return webhook.Delivery{}, err
	}
	return pg.Store.Delivery(c.UserContext(), currentUser(c).Account.ID, id)
}

// ShowDelivery shows a delivery with its attempts.
func (pg *Pages) ShowDelivery(c *fiber.Ctx) error {
	d, err := pg.deliveryParam(c)
	if err != nil {
		return err
	}
	props := views.DeliveryProps{
		Delivery: d, EventName: pg.eventName(d.Platform, d.Type), Platform: pg.platformName(d.Platform),
		MaxTries: pg.MaxAttempts, Circuit: pg.Dispatcher.Circuit(d.Webhook),
	}
	if props.WaitsFor, err = pg.waitsFor(c.UserContext(), d); err != nil {
		return err
	}
	event, err := pg.Store.Event(c.UserContext(), d.Account, d.Event)
	if err != nil {
		return err
	}
	props.Event = event.Event
	attempts, err := pg.Store.Attempts(c.UserContext(), d.Account, d.ID)
	if err != nil {
		return err
	}
	props.Attempts = d.Known(attempts)
	named, err := pg.hooks(c.UserContext(), d.Account)
	if err != nil {
		return err
	}
	props.Webhook, props.WebhookName = named.find(d.Webhook), named.names[d.Webhook]
	if props.Page, err = pg.page(c); err != nil {
		return err
	}
	return render(c, http.StatusOK, views.Delivery(props))
}

// waitsFor is the delivery that d is held behind; zero when it is not held, or
// not any more.
func (pg *Pages) waitsFor(ctx context.Context, d webhook.Delivery) (webhook.ID, error) {
	if !d.Held {
		return 0, nil
	}
	first, err := pg.Store.WaitsFor(ctx, d.Account, d.ID)
	if errors.Is(err, webhook.ErrNotFound) {
		return 0, nil
	}
	return first, err
}

// liveWebhook is the webhook of a delivery, nil when it was deleted.
func (pg *Pages) liveWebhook(c *fiber.Ctx, d webhook.Delivery) (*webhook.Webhook, error) {
	w, err := pg.Store.Webhook(c.UserContext(), d.Account, d.Webhook)
	if errors.Is(err, webhook.ErrNotFound) {
		return nil, nil
	}
	return w, err
}

// ReplayDelivery makes a delivery due now and says when it is sent.
func (pg *Pages) ReplayDelivery(c *fiber.Ctx) error {
	d, err := pg.deliveryParam(c)
	if err != nil {
		return err
	}
	w, err := pg.liveWebhook(c, d)
	if err != nil {
		return err
	}
	replayed, err := pg.Dispatcher.Replay(c.UserContext(), d.Account, d.ID, currentUser(c).User.Email)
	text, err := replayText(replayed, err, w, pg.Dispatcher.Circuit(d.Webhook))
	if err != nil {
		return err
	}
	return pg.done(c, deliveryPath(d.ID), text)
}

// circuitOpenText says when a delivery that a person waits for is sent although
// the circuit is open.
func circuitOpenText(what string) string {
	return "The receiver failed repeatedly, so " + what + " is sent as the next attempt, within five minutes. The answer appears below."
}

// replayText says how a replay ended and what happens next.
func replayText(d webhook.Delivery, err error, w *webhook.Webhook, c webhook.Circuit) (string, error) {
	if errors.Is(err, webhook.ErrConflict) {
		return "It is being sent right now. Wait for the answer before you send it again.", nil
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
		return "It is sent as soon as the earlier events of its booking are delivered, failed or stopped.", nil
	}
	switch {
	case c.Open():
		return circuitOpenText("it"), nil
	case w != nil && w.Rate.Requests > 0:
		return "It is sent next, as soon as the webhook's rate limit allows it. The answer appears below.", nil
	}
	return "It is being sent now. The answer appears below.", nil
}

// CancelDelivery stops a delivery; a request in flight is not cut off.
func (pg *Pages) CancelDelivery(c *fiber.Ctx) error {
	d, err := pg.deliveryParam(c)
	if err != nil {
		return err
	}
	now := time.Now()
	err = pg.Store.Cancel(c.UserContext(), d.Account, d.ID, currentUser(c).User.Email, now)
	if errors.Is(err, webhook.ErrConflict) {
		return pg.done(c, deliveryPath(d.ID), "Nothing was stopped: it had finished before.")
	}
	if err != nil {
		return err
	}
	pg.Dispatcher.Cancelled(d.Webhook)
	text := "Bookhook makes no further attempt. You can replay it later."
	if d.InFlight(now) {
		text = "Bookhook makes no further attempt. The one that is in flight may still arrive. You can replay it later."
	}
	return pg.done(c, deliveryPath(d.ID), text)
}
