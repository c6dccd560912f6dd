package handlers

import (
	"net/http"
	"strings"

	"github.com/gofiber/fiber/v2"

	"bookhook/views"
	"bookhook/webhook"
)

func (a *app) listEvents(c *fiber.Ctx) error {
	ctx, account := c.UserContext(), visiting(c).Account.ID
	typed := views.EventFilter{Booking: strings.TrimSpace(c.Query("booking_id")), Type: c.Query("type")}
	f, problems := readEventFilter(typed, a.Platforms.KnownKey)
	all := f
	var err error
	if f.Before, err = refQuery(c, "before", webhook.EventPrefix); err != nil {
		return err
	}
	f.Limit = pageRows
	found, err := a.Store.Events(ctx, account, f)
	if err != nil {
		return err
	}
	props := views.EventsProps{Filter: typed, Problems: problems, Older: found.Next, First: f.Before == 0}
	props.Stopped = found.Next != 0 && len(found.Rows) < pageRows
	if props.Count.N = len(found.Rows); found.Next != 0 || !props.First {
		if props.Count, err = a.Store.CountEvents(ctx, account, all); err != nil {
			return err
		}
	}
	if props.Types, err = a.eventTypes(ctx, account, f.Type); err != nil {
		return err
	}
	if props.Rows, err = a.eventRows(c, found.Rows); err != nil {
		return err
	}
	if props.Page, err = a.page(c); err != nil {
		return err
	}
	return render(c, formStatus(problems), views.Events(props))
}

// readEventFilter reads what deliveries can be filtered by as well.
func readEventFilter(typed views.EventFilter, known func(key string) bool) (webhook.EventFilter, webhook.Invalid) {
	f := deliveryFilter{problems: webhook.Invalid{}, typed: views.DeliveryFilter{Booking: typed.Booking, Type: typed.Type}}
	f.readType(known)
	f.readBooking()
	return webhook.EventFilter{Booking: f.Booking, Type: f.Type}, f.problems
}

func (a *app) eventRows(c *fiber.Ctx, rows []webhook.EventRow) ([]views.EventRow, error) {
	var channels []string
	for _, r := range rows {
		channels = append(channels, r.ChannelID)
	}
	names, err := a.itemNames(c.UserContext(), visiting(c).Account.ID, webhook.Channels, channels)
	shown := make([]views.EventRow, len(rows))
	for i, r := range rows {
		shown[i] = views.EventRow{
			Event: r.Event, EventName: a.eventName(r.Platform, r.Type), Platform: a.platformName(r.Platform), ChannelName: names[r.ChannelID],
			Sent: r.Sent(), Skipped: len(r.Decisions) - r.Sent(),
		}
	}
	return shown, err
}

func (a *app) showEvent(c *fiber.Ctx) error {
	ctx, account := c.UserContext(), visiting(c).Account.ID
	id, err := refParam(c, webhook.EventPrefix)
	if err != nil {
		return err
	}
	e, err := a.Store.Event(ctx, account, id)
	if err != nil {
		return err
	}
	props := views.EventProps{Event: e.Event, EventName: a.eventName(e.Platform, e.Type), Platform: a.platformName(e.Platform)}
	if props.Names, err = a.names(ctx, account, []string{e.ChannelID}, e.TourIDs); err != nil {
		return err
	}
	if props.Decisions, err = a.decisions(c, e); err != nil {
		return err
	}
	if props.Page, err = a.page(c); err != nil {
		return err
	}
	return render(c, http.StatusOK, views.Event(props))
}

// decisions are what became of an event for each webhook.
func (a *app) decisions(c *fiber.Ctx, e webhook.EventRow) ([]views.DecisionRow, error) {
	named, err := a.hooks(c.UserContext(), e.Account)
	if err != nil {
		return nil, err
	}
	deliveries, err := a.Store.Deliveries(c.UserContext(), e.Account, webhook.DeliveryFilter{Event: e.ID, Limit: len(e.Decisions)})
	byID := make(map[webhook.ID]*webhook.Delivery, len(deliveries.Rows))
	for i := range deliveries.Rows {
		byID[deliveries.Rows[i].ID] = &deliveries.Rows[i].Delivery
	}
	rows := make([]views.DecisionRow, len(e.Decisions))
	for i, d := range e.Decisions {
		w := named.find(d.Webhook)
		rows[i] = views.DecisionRow{
			Webhook: d.Webhook, Name: named.names[d.Webhook], Deleted: w == nil, Asks: w != nil && w.Kind == webhook.Inline,
			Reason: d.Reason, Delivery: byID[d.Delivery],
		}
		if shown := rows[i].Delivery; shown != nil && err == nil {
			rows[i].WaitsFor, err = a.waitsFor(c.UserContext(), *shown)
		}
	}
	return rows, err
}
