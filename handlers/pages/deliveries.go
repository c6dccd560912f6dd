package pages

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"

	"bookhook/handlers/web"
	"bookhook/views"
	"bookhook/webhook"
)

// DeliveryStore is what the pages need of the log of deliveries.
type DeliveryStore interface {
	Deliveries(ctx context.Context, account webhook.AccountID, f webhook.DeliveryFilter) (webhook.Page[webhook.DeliveryRow, webhook.DeliveryID], error)
	CountDeliveries(ctx context.Context, account webhook.AccountID, f webhook.DeliveryFilter) (webhook.Count, error)
	Delivery(ctx context.Context, account webhook.AccountID, id webhook.DeliveryID) (webhook.Delivery, error)
	DeliveriesOf(ctx context.Context, account webhook.AccountID, ids []webhook.DeliveryID) ([]webhook.Delivery, error)
	WaitsFor(ctx context.Context, account webhook.AccountID, delivery webhook.DeliveryID) (first webhook.DeliveryID, err error)
	Attempts(ctx context.Context, account webhook.AccountID, delivery webhook.DeliveryID, last int) ([]webhook.Attempt, error)
	Neighbours(ctx context.Context, account webhook.AccountID, f webhook.DeliveryFilter, id webhook.DeliveryID) (newer, older webhook.DeliveryID, err error)
	FailedResponses(ctx context.Context, account webhook.AccountID, deliveries []webhook.DeliveryID) (map[webhook.DeliveryID]webhook.Attempt, error)
	Cancel(ctx context.Context, account webhook.AccountID, id webhook.DeliveryID, change webhook.Change) error
}

// pageRows is how many deliveries or events one page shows.
const pageRows = 50

func deliveryPath(id webhook.DeliveryID) string { return "/deliveries/" + id.String() }

// deliveryRows adds to the rows the names of events and webhooks, and what receivers
// said about failures.
func (pg *Pages) deliveryRows(ctx context.Context, rows []webhook.DeliveryRow, h hooks) ([]views.DeliveryRow, error) {
	var failed []webhook.DeliveryID
	for _, r := range rows {
		if r.Last.Failure != "" && r.Last.Status != 0 {
			failed = append(failed, r.ID)
		}
	}
	var responses map[webhook.DeliveryID]webhook.Attempt
	if len(failed) > 0 {
		var err error
		if responses, err = pg.Store.FailedResponses(ctx, rows[0].Account, failed); err != nil {
			return nil, err
		}
	}
	shown := make([]views.DeliveryRow, len(rows))
	for i, r := range rows {
		w := h.find(r.Webhook)
		shown[i] = views.DeliveryRow{
			Delivery: r.Delivery, EventName: pg.eventName(r.Platform, r.Type), EventShort: pg.eventShort(r.Platform, r.Type), WebhookName: h.names[r.Webhook], WebhookOff: w != nil && !w.Enabled,
			Paused: w != nil && w.Circuit.Open(), Said: webhook.ReceiverMessage(responses[r.ID]),
		}
	}
	return shown, nil
}

// ListDeliveries shows the log. A part of the filter that is not valid is shown as a
// problem and ignored.
func (pg *Pages) ListDeliveries(c *fiber.Ctx) error {
	account := currentUser(c).Account
	h, err := pg.hooks(c.UserContext(), account.ID)
	if err != nil {
		return err
	}
	return pg.showDeliveries(c, h, pg.newFilterReader(currentUser(c), queryOf(c)).deliveries(h), views.ViewForm{})
}

// queryOf reads the parameters of a request.
func queryOf(c *fiber.Ctx) func(name string) string {
	return func(name string) string { return c.Query(name) }
}

func (pg *Pages) showDeliveries(c *fiber.Ctx, h hooks, f deliveryFilter, refused views.ViewForm) error {
	props, err := pg.deliveryList(c, h, f)
	if err != nil {
		return err
	}
	if props.Views, err = pg.savedViews(c, webhook.ViewedDeliveries, refused); err != nil {
		return err
	}
	if props.Page, err = pg.page(c); err != nil {
		return err
	}
	return render(c, listStatus(f.problems, refused), views.Deliveries(props))
}

// deliveryList returns a page of the deliveries that a filter finds.
func (pg *Pages) deliveryList(c *fiber.Ctx, h hooks, f deliveryFilter) (props views.DeliveriesProps, err error) {
	account := currentUser(c).Account
	props = views.DeliveriesProps{Filter: f.typed, Problems: f.problems, Webhooks: h.options(f.Webhook), HasInline: h.inline()}
	all := f.DeliveryFilter
	if f.Before, err = web.IDQuery[webhook.DeliveryID](c, "before"); err != nil {
		return props, err
	}
	f.Limit = pageRows
	found, err := pg.Store.Deliveries(c.UserContext(), account.ID, f.DeliveryFilter)
	if err != nil {
		return props, err
	}
	if props.Rows, err = pg.refreshedRows(c, found.Rows, h); err != nil {
		return props, err
	}
	props.Older, props.First = found.Next, f.Before == 0
	props.Stopped = found.Next != 0 && len(found.Rows) < pageRows
	if props.Count.N = len(found.Rows); found.Next != 0 || !props.First {
		if props.Count, err = pg.Store.CountDeliveries(c.UserContext(), account.ID, all); err != nil {
			return props, err
		}
	}
	return props, pg.addDeliveryTypes(c, &props, f.Type)
}

// listStatus is 422 if the filter of a list or the form of a saved view has problems.
func listStatus(problems webhook.Invalid, refused views.ViewForm) int {
	if !refused.Problem.IsZero() {
		return http.StatusUnprocessableEntity
	}
	return formStatus(problems)
}

// addDeliveryTypes adds the events to choose from, and to the rows their platforms if
// the account uses several.
func (pg *Pages) addDeliveryTypes(c *fiber.Ctx, props *views.DeliveriesProps, chosen string) (err error) {
	if props.Types, err = pg.eventTypes(c.UserContext(), currentUser(c).Account.ID, chosen); err != nil {
		return err
	}
	if views.SeveralPlatforms(props.Types) {
		for i := range props.Rows {
			props.Rows[i].Platform = pg.platformName(props.Rows[i].Delivery.Platform)
		}
	}
	return nil
}

func (pg *Pages) deliveryParam(c *fiber.Ctx) (webhook.Delivery, error) {
	id, err := web.IDParam[webhook.DeliveryID](c)
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
		MaxAttempts: pg.MaxAttempts,
	}
	props.Open, props.Last = openAttempt(c.Query("attempt"), d)
	if props.WaitsFor, err = pg.waitsFor(c.UserContext(), d); err != nil {
		return err
	}
	event, err := pg.Store.Event(c.UserContext(), d.Account, d.Event)
	if err != nil {
		return err
	}
	props.Event = event.Event
	if props.Names, err = pg.names(c.UserContext(), d.Account, []string{event.ChannelID}, event.TourIDs); err != nil {
		return err
	}
	attempts, err := pg.Store.Attempts(c.UserContext(), d.Account, d.ID, props.Last)
	if err != nil {
		return err
	}
	props.Attempts = d.SameSnapshot(attempts)
	named, err := pg.hooks(c.UserContext(), d.Account)
	if err != nil {
		return err
	}
	props.Webhook, props.WebhookName = named.find(d.Webhook), named.names[d.Webhook]
	if props.Webhook != nil && d.State != webhook.Pending {
		if props.Overtaken, err = pg.Store.Overtaken(c.UserContext(), event.Event, d.Webhook); err != nil {
			return err
		}
	}
	f := pg.newFilterReader(currentUser(c), queryOf(c)).deliveries(named)
	props.Filter = f.typed
	if props.Newer, props.Older, err = pg.Store.Neighbours(c.UserContext(), d.Account, f.DeliveryFilter, d.ID); err != nil {
		return err
	}
	if props.Page, err = pg.page(c); err != nil {
		return err
	}
	return render(c, http.StatusOK, views.Delivery(props))
}

// openAttempt returns the number of the attempt to open, and of the last one to list:
// 0 for the newest. What is not the number of an attempt opens the newest.
func openAttempt(query string, d webhook.Delivery) (open, last int) {
	open, err := strconv.Atoi(query)
	if err != nil || open < 1 || open > d.Attempts {
		return 0, 0
	}
	if open <= d.Attempts-webhook.AttemptsShown {
		last = open
	}
	return open, last
}

// waitsFor returns the delivery that d is held behind; zero if it is not held, or no
// longer.
func (pg *Pages) waitsFor(ctx context.Context, d webhook.Delivery) (webhook.DeliveryID, error) {
	if !d.Held {
		return 0, nil
	}
	first, err := pg.Store.WaitsFor(ctx, d.Account, d.ID)
	if errors.Is(err, webhook.ErrNotFound) {
		return 0, nil
	}
	return first, err
}

// liveWebhook returns the webhook of a delivery, nil if it was deleted.
func (pg *Pages) liveWebhook(c *fiber.Ctx, d webhook.Delivery) (*webhook.Webhook, error) {
	w, err := pg.Store.Webhook(c.UserContext(), d.Account, d.Webhook)
	if errors.Is(err, webhook.ErrNotFound) {
		return nil, nil
	}
	return w, err
}

// deliveryPage returns the address of a delivery's page in the list from which it was
// opened, whose filter is in the query.
func deliveryPage(c *fiber.Ctx, id webhook.DeliveryID) string {
	if query := string(c.Request().URI().QueryString()); query != "" {
		return deliveryPath(id) + "?" + query
	}
	return deliveryPath(id)
}

// ReplayDelivery sends a delivery again now and says what came of it.
func (pg *Pages) ReplayDelivery(c *fiber.Ctx) error {
	d, err := pg.deliveryParam(c)
	if err != nil {
		return err
	}
	w, err := pg.liveWebhook(c, d)
	if err != nil {
		return err
	}
	question, err := pg.replayQuestion(c, d, w)
	switch {
	case err != nil:
		return err
	case !question.IsZero():
		return pg.done(c, deliveryPage(c, d.ID), question)
	}
	replayed, err := pg.Dispatcher.Replay(c.UserContext(), d.Account, d.ID, currentUser(c).change())
	if err != nil {
		return pg.notSent(c, err, deliveryPage(c, d.ID))
	}
	return pg.showResult(c, replayed, deliveryPage(c, d.ID))
}

// notSent redirects to a page that says why a delivery was not sent.
func (pg *Pages) notSent(c *fiber.Ctx, err error, target string) error {
	switch {
	case errors.Is(err, webhook.ErrConflict):
		return pg.done(c, target, webhook.NewMessage("delivery.in_flight"))
	case errors.Is(err, webhook.ErrOff):
		return pg.done(c, target, webhook.NewMessage("delivery.webhook_off"))
	}
	problems, err := invalid(err)
	if err != nil {
		return err
	}
	return pg.done(c, target, slices.Collect(maps.Values(problems))...)
}

// CancelDelivery stops a delivery; a request in flight is not cut off.
func (pg *Pages) CancelDelivery(c *fiber.Ctx) error {
	d, err := pg.deliveryParam(c)
	if err != nil {
		return err
	}
	now := time.Now()
	err = pg.Store.Cancel(c.UserContext(), d.Account, d.ID, webhook.Change{By: currentUser(c).User.Email, At: now})
	if errors.Is(err, webhook.ErrConflict) {
		return pg.done(c, deliveryPage(c, d.ID), webhook.NewMessage("delivery.finished_before"))
	}
	if err != nil {
		return err
	}
	if d.InFlight(now) {
		return pg.done(c, deliveryPage(c, d.ID), webhook.NewMessage("delivery.stopped_in_flight"))
	}
	return pg.done(c, deliveryPage(c, d.ID), webhook.NewMessage("delivery.stopped"))
}
