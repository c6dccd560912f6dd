package api

import (
	"bytes"
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/gofiber/fiber/v2"

	"bookhook/handlers/web"
	"bookhook/platforms"
	"bookhook/webhook"
)

// EventStore is what the API needs of the events.
type EventStore interface {
	Events(ctx context.Context, account webhook.AccountID, f webhook.EventFilter) (webhook.Page[webhook.EventRow, webhook.EventID], error)
	Event(ctx context.Context, account webhook.AccountID, id webhook.EventID) (webhook.EventRow, error)
}

// idempotencyKey is the header with the id of an event whose body has none.
const idempotencyKey = "Idempotency-Key"

// AddEvent stores one event. The response is 202 once the event is on disk, or 200
// if it was received before.
func (a *API) AddEvent(c *fiber.Ctx) error {
	via, err := web.Via(c, a.Instance, currentToken(c).Account)
	if err != nil {
		return err
	}
	body, err := web.ReadObject(c)
	if err != nil {
		return err
	}
	e := a.readEvent(body)
	e.Via = via
	e.ExternalID = readKey(c, body, e.ExternalID)
	if err := body.End(); err != nil {
		return err
	}
	accepted, err := a.Dispatcher.Ingest(c.UserContext(), currentToken(c).Account, []webhook.Event{e})
	if err != nil {
		return err
	}
	status := http.StatusAccepted
	if accepted[0].Duplicate {
		status = http.StatusOK
	}
	return web.SendJSON(c, status, showDecisions(accepted[0].Event, accepted[0].Decisions))
}

// readKey returns the event's id, from the body or from the header. Two different
// ids are refused: an event that was sent with either must not be delivered again.
func readKey(c *fiber.Ctx, body *web.Object, id string) string {
	key := c.Get(idempotencyKey)
	if key == "" {
		return id
	}
	if len(c.Request().Header.PeekAll(idempotencyKey)) > 1 {
		body.Problems.Add(idempotencyKey, "idempotency.twice")
	}
	if problem := webhook.CheckSentID(key); !problem.IsZero() {
		body.Problems.AddMessage(idempotencyKey, problem)
	}
	if id != "" && id != key {
		body.Problems.Add(idempotencyKey, "idempotency.other_id", webhook.Quote(id, web.MaxQuoted))
	}
	return key
}

// AddEvents stores a batch of events, all or none.
func (a *API) AddEvents(c *fiber.Ctx) error {
	via, err := web.Via(c, a.Instance, currentToken(c).Account)
	if err != nil {
		return err
	}
	body, err := web.ReadObject(c)
	if err != nil {
		return err
	}
	var events []webhook.Event
	body.Objects("events", "events", webhook.MaxBatch, func(o *web.Object) {
		e := a.readEvent(o)
		e.Via = via
		events = append(events, e)
	})
	if len(events) == 0 {
		body.Wrong("events", "events.none_sent")
	}
	if c.Get(idempotencyKey) != "" {
		body.Problems.Add(idempotencyKey, "idempotency.batch")
	}
	if err := body.End(); err != nil {
		return err
	}
	accepted, err := a.Dispatcher.Ingest(c.UserContext(), currentToken(c).Account, events)
	if err != nil {
		return err
	}
	items := make([]batchItemJSON, len(accepted))
	for i, one := range accepted {
		items[i] = batchItemJSON{decidedJSON: showDecisions(one.Event, one.Decisions), Status: "accepted"}
		if one.Duplicate {
			items[i].Status = "duplicate"
		}
	}
	return web.SendJSON(c, http.StatusAccepted, fiber.Map{"items": items})
}

// readEvent reads an event; what is wrong with it is in o.Problems.
func (a *API) readEvent(o *web.Object) webhook.Event {
	e := webhook.Event{Platform: webhook.DefaultPlatform}
	if value := o.Take("id"); value != nil {
		id, problem := web.ReadRef(value)
		if problem.IsZero() {
			problem = webhook.CheckSentID(id)
		}
		o.WrongMessage("id", problem)
		e.ExternalID = id
	}
	e.Data = bytes.Clone(o.TakeRaw("data")) // null is data; a clone does not keep the whole body in memory
	if len(e.Data) > webhook.MaxData {
		o.Wrong("data", "event.data_too_long", webhook.MaxData>>10)
	}
	web.Text(o, "platform", &e.Platform)
	web.Text(o, "type", &e.Type)
	a.checkType(o, e)
	e.ChannelID = o.Ref("channel_id")
	e.TourIDs = o.Refs("tour_ids", "tours", webhook.MaxTours)
	e.BookingID = o.Ref("booking_id")
	e.OccurredAt = o.Time("occurred_at")
	return e
}

// checkType adds a problem if the event's platform or type does not exist.
func (a *API) checkType(o *web.Object, e webhook.Event) {
	p, known := a.Platforms.Connected(e.Platform)
	if !known {
		o.Wrong("platform", "event.platform", webhook.Quote(e.Platform, web.MaxQuoted), webhook.JoinText(a.Platforms.Connectable(), func(p platforms.Platform) string { return p.Key }))
		return
	}
	if _, known := p.Event(e.Type); !known {
		keys := webhook.JoinText(p.Events, func(t platforms.EventType) string { return t.Key })
		if e.Type == "" {
			o.Wrong("type", "event.type_missing", keys)
			return
		}
		o.Wrong("type", "event.type", p.Name, webhook.Quote(e.Type, web.MaxQuoted), keys)
	}
}

// ListEvents lists events, the newest first, without their data.
func (a *API) ListEvents(c *fiber.Ctx) error {
	q := readQuery(c, eventParameters...)
	f := a.eventFilter(q)
	f.Before, f.Limit = queryID[webhook.EventID](q, "cursor"), q.limit
	if err := q.problems.Err(); err != nil {
		return err
	}
	found, err := a.Store.Events(c.UserContext(), currentToken(c).Account, f)
	if err != nil {
		return err
	}
	return web.SendJSON(c, http.StatusOK, pageOf(found.Rows, cursor(found.Next), a.showEvent))
}

// eventParameters are the filters of the events.
var eventParameters = []string{"booking_id", "type", "channel_id", "tour_id", "sent", "since", "until"}

func (a *API) eventFilter(q *query) webhook.EventFilter {
	return webhook.EventFilter{
		Booking: q.ref("booking_id"), Type: q.eventKey("type", a.Platforms.KnownKey), Channel: q.ref("channel_id"), Tour: q.ref("tour_id"),
		Sent: q.sent("sent"), Since: q.time("since"), Until: q.time("until"),
	}
}

// ExportEvents streams the events as CSV, the newest first.
func (a *API) ExportEvents(c *fiber.Ctx) error {
	q := readParameters(c, eventParameters...)
	f, account := a.eventFilter(q), currentToken(c).Account
	if err := q.problems.Err(); err != nil {
		return err
	}
	return a.Server.SendExport(c, web.EventExport(f, web.UTC, func(ctx context.Context, f webhook.EventFilter) (webhook.Page[webhook.EventRow, webhook.EventID], error) {
		return a.Store.Events(ctx, account, f)
	}))
}

// ShowEvent shows an event with its data, byte for byte as they were sent;
// encoding/json would rewrite them.
func (a *API) ShowEvent(c *fiber.Ctx) error {
	id, err := web.IDParam[webhook.EventID](c)
	if err != nil {
		return err
	}
	row, err := a.Store.Event(c.UserContext(), currentToken(c).Account, id)
	if err != nil {
		return err
	}
	head := platforms.EncodeJSON(a.showEvent(row))
	data := row.Data
	if len(data) == 0 {
		data = []byte("null")
	}
	return web.SendBytes(c, fiber.MIMEApplicationJSON, slices.Concat(head[:len(head)-1], []byte(`,"data":`), data, []byte("}")))
}

// decidedJSON is an event and the decision for each webhook.
type decidedJSON struct {
	ID         string            `json:"id"`
	Deliveries []deliveryRefJSON `json:"deliveries"`
	Skipped    []skippedJSON     `json:"skipped"`
}

type deliveryRefJSON struct {
	ID        string `json:"id"`
	WebhookID string `json:"webhook_id"`
}

type skippedJSON struct {
	WebhookID string         `json:"webhook_id"`
	Reason    webhook.Reason `json:"reason"`
}

type batchItemJSON struct {
	decidedJSON
	Status string `json:"status"`
}

func showDecisions(e webhook.Event, decisions []webhook.Decision) decidedJSON {
	shown := decidedJSON{ID: e.ID.String(), Deliveries: []deliveryRefJSON{}, Skipped: []skippedJSON{}}
	for _, d := range decisions {
		hook := d.Webhook.String()
		if d.Reason == webhook.Matched || d.Delivery != 0 { // a person sent what was skipped at first
			shown.Deliveries = append(shown.Deliveries, deliveryRefJSON{d.Delivery.String(), hook})
		} else {
			shown.Skipped = append(shown.Skipped, skippedJSON{hook, d.Reason})
		}
	}
	return shown
}

// eventJSON is an event as it is listed.
type eventJSON struct {
	decidedJSON
	ExternalID string     `json:"external_id"`
	Platform   string     `json:"platform"`
	Type       string     `json:"type"`
	ChannelID  string     `json:"channel_id"`
	TourIDs    []string   `json:"tour_ids"`
	BookingID  string     `json:"booking_id"`
	OccurredAt *time.Time `json:"occurred_at"`
	ReceivedAt *time.Time `json:"received_at"`
	Test       bool       `json:"test"`
	Waiting    bool       `json:"waiting"`
	Note       string     `json:"note"`
}

func (a *API) showEvent(e webhook.EventRow) eventJSON {
	return eventJSON{
		decidedJSON: showDecisions(e.Event, e.Decisions), ExternalID: e.ExternalID, Platform: e.Platform, Type: e.Type,
		ChannelID: e.ChannelID, TourIDs: append([]string{}, e.TourIDs...), BookingID: e.BookingID,
		OccurredAt: timeOrNull(e.OccurredAt), ReceivedAt: timeOrNull(e.ReceivedAt), Test: e.Test,
		Waiting: e.Lookup, Note: a.Platforms.Text(e.Note),
	}
}

// SendEvent sends one event to one webhook, whatever was decided when it came in.
func (a *API) SendEvent(c *fiber.Ctx) error {
	account := currentToken(c).Account
	event, err := web.IDParam[webhook.EventID](c)
	if err != nil {
		return err
	}
	if _, err := a.Store.Event(c.UserContext(), account, event); err != nil {
		return err
	}
	body, err := web.ReadObject(c)
	if err != nil {
		return err
	}
	id := readWebhookID(body)
	if err := body.End(); err != nil {
		return err
	}
	d, err := a.Dispatcher.Send(c.UserContext(), account, event, id, byToken(c))
	if err != nil {
		return err
	}
	return web.SendJSON(c, http.StatusAccepted, fiber.Map{"id": d.ID.String()})
}
