package pages

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"

	"bookhook/handlers/web"
	"bookhook/views"
	"bookhook/webhook"
)

// EventStore is what the pages need of the events.
type EventStore interface {
	Events(ctx context.Context, account webhook.AccountID, f webhook.EventFilter) (webhook.Page[webhook.EventRow, webhook.EventID], error)
	CountEvents(ctx context.Context, account webhook.AccountID, f webhook.EventFilter) (webhook.Count, error)
	Overtaken(ctx context.Context, e webhook.Event, w webhook.WebhookID) (bool, error)
	Event(ctx context.Context, account webhook.AccountID, id webhook.EventID) (webhook.EventRow, error)
}

// ListEvents shows the events, the newest first. A part of the filter that is not
// valid is shown as a problem and ignored.
func (pg *Pages) ListEvents(c *fiber.Ctx) error {
	ctx, account := c.UserContext(), currentUser(c).Account.ID
	typed := views.EventFilter{Booking: strings.TrimSpace(c.Query("booking_id")), Type: c.Query("type")}
	f, problems := readEventFilter(typed, pg.Platforms.KnownKey)
	all := f
	var err error
	if f.Before, err = web.IDQuery[webhook.EventID](c, "before"); err != nil {
		return err
	}
	f.Limit = pageRows
	found, err := pg.Store.Events(ctx, account, f)
	if err != nil {
		return err
	}
	props := views.EventsProps{Filter: typed, Problems: problems, Older: found.Next, First: f.Before == 0}
	props.Stopped = found.Next != 0 && len(found.Rows) < pageRows
	if props.Count.N = len(found.Rows); found.Next != 0 || !props.First {
		if props.Count, err = pg.Store.CountEvents(ctx, account, all); err != nil {
			return err
		}
	}
	if props.Types, err = pg.eventTypes(ctx, account, f.Type); err != nil {
		return err
	}
	if props.Rows, err = pg.eventRows(c, found.Rows); err != nil {
		return err
	}
	if props.Page, err = pg.page(c); err != nil {
		return err
	}
	return render(c, formStatus(problems), views.Events(props))
}

// readEventFilter reads the filter of events, a part of that of deliveries.
func readEventFilter(typed views.EventFilter, known func(key string) bool) (webhook.EventFilter, webhook.Invalid) {
	f := deliveryFilter{problems: webhook.Invalid{}, typed: views.DeliveryFilter{Booking: typed.Booking, Type: typed.Type}}
	f.readType(known)
	f.readBooking()
	return webhook.EventFilter{Booking: f.Booking, Type: f.Type}, f.problems
}

func (pg *Pages) eventRows(c *fiber.Ctx, rows []webhook.EventRow) ([]views.EventRow, error) {
	var channels []string
	for _, r := range rows {
		channels = append(channels, r.ChannelID)
	}
	names, err := pg.itemNames(c.UserContext(), currentUser(c).Account.ID, webhook.Channels, channels)
	if err != nil {
		return nil, err
	}
	shown := make([]views.EventRow, len(rows))
	for i, r := range rows {
		shown[i] = views.EventRow{
			Event: r.Event, EventName: pg.eventName(r.Platform, r.Type), Platform: pg.platformName(r.Platform), ChannelName: names[r.ChannelID],
			Sent: r.Sent(), Skipped: len(r.Decisions) - r.Sent(),
		}
	}
	return shown, nil
}

// ShowEvent shows an event and the decision for each webhook.
func (pg *Pages) ShowEvent(c *fiber.Ctx) error {
	ctx, account := c.UserContext(), currentUser(c).Account.ID
	id, err := web.IDParam[webhook.EventID](c)
	if err != nil {
		return err
	}
	e, err := pg.Store.Event(ctx, account, id)
	if err != nil {
		return err
	}
	props := views.EventProps{Event: e.Event, EventName: pg.eventName(e.Platform, e.Type), Platform: pg.platformName(e.Platform), Texts: pg.texts(e.Platform)}
	if props.Names, err = pg.names(ctx, account, []string{e.ChannelID}, e.TourIDs); err != nil {
		return err
	}
	if props.Decisions, err = pg.decisions(c, e); err != nil {
		return err
	}
	if props.Page, err = pg.page(c); err != nil {
		return err
	}
	return render(c, http.StatusOK, views.Event(props))
}

// decisions returns the decision on an event for each webhook.
func (pg *Pages) decisions(c *fiber.Ctx, e webhook.EventRow) ([]views.DecisionRow, error) {
	named, err := pg.hooks(c.UserContext(), e.Account)
	if err != nil {
		return nil, err
	}
	deliveries, err := pg.Store.Deliveries(c.UserContext(), e.Account, webhook.DeliveryFilter{Event: e.ID, Limit: len(e.Decisions)})
	if err != nil {
		return nil, err
	}
	byID := make(map[webhook.DeliveryID]*webhook.Delivery, len(deliveries.Rows))
	for i := range deliveries.Rows {
		byID[deliveries.Rows[i].ID] = &deliveries.Rows[i].Delivery
	}
	for _, w := range named.live { // those that were created since, too
		if !e.Test && !e.Lookup && w.Kind == webhook.Async && !slices.ContainsFunc(e.Decisions, func(d webhook.Decision) bool { return d.Webhook == w.ID }) {
			e.Decisions = append(e.Decisions, webhook.Decision{Webhook: w.ID, Reason: webhook.ReasonNotCreated})
		}
	}
	rows := make([]views.DecisionRow, len(e.Decisions))
	for i, d := range e.Decisions {
		w := named.find(d.Webhook)
		rows[i] = views.DecisionRow{
			Webhook: d.Webhook, Name: named.names[d.Webhook], Deleted: w == nil, Inline: w != nil && w.Kind == webhook.Inline, Off: w != nil && !w.Enabled,
			Reason: d.Reason, Delivery: byID[d.Delivery],
		}
		switch {
		case rows[i].Delivery != nil:
			rows[i].WaitsFor, err = pg.waitsFor(c.UserContext(), *rows[i].Delivery)
		case w != nil && !e.Test:
			rows[i].Overtaken, err = pg.Store.Overtaken(c.UserContext(), e.Event, d.Webhook)
		}
		if err != nil {
			return nil, err
		}
	}
	return rows, nil
}

// SendEvent sends an event to a webhook that did not receive it.
func (pg *Pages) SendEvent(c *fiber.Ctx) error {
	event, err := web.IDParam[webhook.EventID](c)
	if err != nil {
		return err
	}
	id, err := webhook.ParseID[webhook.WebhookID](c.FormValue("webhook_id"))
	if err != nil {
		return webhook.ErrNotFound
	}
	w, err := pg.Store.Webhook(c.UserContext(), currentUser(c).Account.ID, id)
	if err != nil {
		return err
	}
	d, err := pg.Dispatcher.Send(c.UserContext(), w.Account, event, id, currentUser(c).change())
	if err != nil {
		return pg.notSent(c, err, "/events/"+event.String())
	}
	return pg.showResult(c, d, w, deliveryPath(d.ID))
}
