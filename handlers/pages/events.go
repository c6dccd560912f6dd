package pages

import (
	"context"
	"net/http"
	"slices"

	"github.com/gofiber/fiber/v2"

	"bookhook/handlers/web"
	"bookhook/views"
	"bookhook/webhook"
)

// EventStore is what the pages need of the events.
type EventStore interface {
	Events(ctx context.Context, account webhook.AccountID, f webhook.EventFilter) (webhook.Page[webhook.EventRow, webhook.EventID], error)
	EventsOf(ctx context.Context, account webhook.AccountID, ids []webhook.EventID) ([]webhook.EventRow, error)
	CountEvents(ctx context.Context, account webhook.AccountID, f webhook.EventFilter) (webhook.Count, error)
	Overtaken(ctx context.Context, e webhook.Event, w webhook.WebhookID) (bool, error)
	Event(ctx context.Context, account webhook.AccountID, id webhook.EventID) (webhook.EventRow, error)
	EventID(ctx context.Context, account webhook.AccountID, external string) (webhook.EventID, error)
}

// ListEvents shows the events, the newest first. A part of the filter that is not
// valid is shown as a problem and ignored.
func (pg *Pages) ListEvents(c *fiber.Ctx) error {
	return pg.showEvents(c, pg.newFilterReader(currentUser(c), queryOf(c)).events(), views.ViewForm{})
}

func (pg *Pages) showEvents(c *fiber.Ctx, f eventFilter, refused views.ViewForm) error {
	ctx, account := c.UserContext(), currentUser(c).Account.ID
	all := f.EventFilter
	var err error
	if f.Before, err = web.IDQuery[webhook.EventID](c, "before"); err != nil {
		return err
	}
	f.Limit = pageRows
	found, err := pg.Store.Events(ctx, account, f.EventFilter)
	if err != nil {
		return err
	}
	props := views.EventsProps{Filter: f.typed, Problems: f.problems, Older: found.Next, First: f.Before == 0}
	props.Stopped = found.Next != 0 && len(found.Rows) < pageRows
	if props.Count.N = len(found.Rows); found.Next != 0 || !props.First {
		if props.Count, err = pg.Store.CountEvents(ctx, account, all); err != nil {
			return err
		}
	}
	if props.Types, err = pg.eventTypes(ctx, account, f.Type); err != nil {
		return err
	}
	if props.Channels, err = pg.itemOptions(ctx, account, webhook.Channels, f.Channel); err != nil {
		return err
	}
	if props.Tours, err = pg.itemOptions(ctx, account, webhook.Tours, f.Tour); err != nil {
		return err
	}
	rows, err := pg.refreshedEvents(c, found.Rows)
	if err != nil {
		return err
	}
	if props.Rows, err = pg.eventRows(c, rows); err != nil {
		return err
	}
	if props.Views, err = pg.savedViews(c, webhook.ViewedEvents, refused); err != nil {
		return err
	}
	if props.Page, err = pg.page(c); err != nil {
		return err
	}
	return render(c, listStatus(f.problems, refused), views.Events(props))
}

// maxItemOptions is how many channels or tours a filter lists to choose from. Of more,
// the id is typed.
const maxItemOptions = 200

// itemOptions returns the channels or tours to choose from in a filter, and the one
// that is chosen; none if there are too many.
func (pg *Pages) itemOptions(ctx context.Context, account webhook.AccountID, kind webhook.ItemKind, chosen string) ([]views.Option, error) {
	items, err := pg.Store.AllItems(ctx, account, kind)
	if err != nil || len(items) == 0 || len(items) > maxItemOptions {
		return nil, err
	}
	found := chosen == ""
	options := make([]views.Option, len(items))
	for i, item := range items {
		options[i] = views.Option{Value: item.ID, Name: item.Name}
		found = found || item.ID == chosen
	}
	if !found {
		options = append(options, views.Option{Value: chosen, Name: chosen})
	}
	return options, nil
}

func (pg *Pages) eventRows(c *fiber.Ctx, rows []webhook.EventRow) ([]views.EventRow, error) {
	var channels []string
	var ids []webhook.DeliveryID
	for _, r := range rows {
		channels = append(channels, r.ChannelID)
		ids = append(ids, webhook.DeliveryIDs(r.Decisions)...)
	}
	account := currentUser(c).Account.ID
	names, err := pg.itemNames(c.UserContext(), account, webhook.Channels, channels)
	if err != nil {
		return nil, err
	}
	deliveries, err := pg.Store.DeliveriesOf(c.UserContext(), account, ids)
	if err != nil {
		return nil, err
	}
	logged := make(map[webhook.DeliveryID]webhook.Delivery, len(deliveries))
	for _, d := range deliveries {
		logged[d.ID] = d
	}
	shown := make([]views.EventRow, len(rows))
	for i, r := range rows {
		shown[i] = views.EventRow{
			Event: r.Event, EventName: pg.eventName(r.Platform, r.Type), EventShort: pg.eventShort(r.Platform, r.Type), Platform: pg.platformName(r.Platform), ChannelName: names[r.ChannelID],
			Sent: r.Sent(), Skipped: len(r.Decisions) - r.Sent(),
		}
		for _, d := range r.Decisions {
			if delivery, ok := logged[d.Delivery]; ok {
				shown[i].Deliveries = append(shown[i].Deliveries, delivery)
			}
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

// concerns reports whether an event may be meant for a webhook: a booking is not for one
// that receives notices only.
func concerns(e webhook.Event, w *webhook.Webhook) bool {
	return w == nil || !w.OnlyOwn() || e.Platform == webhook.OwnPlatform
}

// decisions returns what was decided about an event for the webhooks that it may be meant
// for; those that were created since are among them.
func (h hooks) decisions(e webhook.EventRow) []webhook.Decision {
	all := slices.DeleteFunc(slices.Clone(e.Decisions), func(d webhook.Decision) bool {
		return d.Delivery == 0 && !concerns(e.Event, h.find(d.Webhook))
	})
	for _, w := range h.live {
		if !e.Test && !e.Lookup && w.Kind == webhook.Async && concerns(e.Event, w) && !slices.ContainsFunc(all, func(d webhook.Decision) bool { return d.Webhook == w.ID }) {
			all = append(all, webhook.Decision{Webhook: w.ID, Reason: webhook.ReasonNotCreated})
		}
	}
	return all
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
	decisions := named.decisions(e)
	rows := make([]views.DecisionRow, len(decisions))
	for i, d := range decisions {
		w := named.find(d.Webhook)
		rows[i] = decisionRow(d, named)
		rows[i].Delivery = byID[d.Delivery]
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
	if w.Enabled && !confirmed(c) {
		question, err := pg.olderQuestion(c, event, w)
		switch {
		case err != nil:
			return err
		case !question.IsZero():
			return pg.done(c, "/events/"+event.String(), question)
		}
	}
	d, err := pg.Dispatcher.Send(c.UserContext(), w.Account, event, id, currentUser(c).change())
	if err != nil {
		return pg.notSent(c, err, "/events/"+event.String())
	}
	return pg.showResult(c, d, deliveryPath(d.ID))
}

// decisionRow is a decision with the name of its webhook, without its delivery.
func decisionRow(d webhook.Decision, h hooks) views.DecisionRow {
	w := h.find(d.Webhook)
	return views.DecisionRow{
		Webhook: d.Webhook, Name: h.names[d.Webhook], Deleted: w == nil, Off: w != nil && !w.Enabled, Inline: w != nil && w.Kind == webhook.Inline, Reason: d.Reason,
	}
}

// preview returns what a webhook with this configuration would have received of the
// newest events.
func (pg *Pages) preview(ctx context.Context, account webhook.AccountID, config webhook.Config) (views.PreviewProps, error) {
	subscriptions, err := pg.Store.Subscriptions(ctx, account)
	if err != nil {
		return views.PreviewProps{}, err
	}
	newest, err := pg.Store.Events(ctx, account, webhook.EventFilter{Limit: webhook.PreviewEvents})
	if err != nil {
		return views.PreviewProps{}, err
	}
	props := views.PreviewProps{Preview: subscriptions.Preview(config, newest.Rows), Kind: config.Kind, EventNames: map[string]string{}}
	for _, r := range slices.Concat(props.Matched, props.Skipped) {
		props.EventNames[r.Event.Key()] = pg.eventName(r.Event.Platform, r.Event.Type)
	}
	return props, nil
}
