package handlers

import (
	"bytes"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/gofiber/fiber/v2"

	"bookhook/platforms"
	"bookhook/webhook"
)

// idempotencyKey is the header that gives an event its id when the body does
// not.
const idempotencyKey = "Idempotency-Key"

// apiAddEvent takes one event: 202 when it is on disk, 200 when it was before.
func (a *app) apiAddEvent(c *fiber.Ctx) error {
	body, err := readBody(c)
	if err != nil {
		return err
	}
	e := a.readEvent(body)
	e.ExternalID = readKey(c, body, e.ExternalID)
	if err := body.end(); err != nil {
		return err
	}
	accepted, err := a.Dispatcher.Ingest(c.UserContext(), calling(c).Account, []webhook.Event{e})
	if err != nil {
		return err
	}
	status := http.StatusAccepted
	if accepted[0].Duplicate {
		status = http.StatusOK
	}
	return sendJSON(c, status, showDecisions(accepted[0].Event, accepted[0].Decisions))
}

// readKey is the event's id, from the body or from the header. Two different
// ones are refused: what came under either must not be delivered again.
func readKey(c *fiber.Ctx, body *object, id string) string {
	key := c.Get(idempotencyKey)
	if key == "" {
		return id
	}
	if problem := checkSentID(key); problem != "" {
		body.problems.Add(idempotencyKey, "%s", problem)
	}
	if id != "" && id != key {
		body.problems.Add(idempotencyKey, "Leave the header out, or give the same id in both: the body has the id %q.", echo(id))
	}
	return key
}

// apiAddEvents takes a batch of events, all or none.
func (a *app) apiAddEvents(c *fiber.Ctx) error {
	body, err := readBody(c)
	if err != nil {
		return err
	}
	var events []webhook.Event
	body.objects("events", "events", webhook.MaxBatch, func(o *object) { events = append(events, a.readEvent(o)) })
	if len(events) == 0 {
		body.wrong("events", "Send at least one event.")
	}
	if c.Get(idempotencyKey) != "" {
		body.problems.Add(idempotencyKey, "This header is for a single event. Give each event of a batch its own id.")
	}
	if err := body.end(); err != nil {
		return err
	}
	accepted, err := a.Dispatcher.Ingest(c.UserContext(), calling(c).Account, events)
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
	return sendJSON(c, http.StatusAccepted, fiber.Map{"items": items})
}

// readEvent reads an event; what is wrong with it is in o.problems.
func (a *app) readEvent(o *object) webhook.Event {
	e := webhook.Event{Platform: webhook.DefaultPlatform}
	if value := o.take("id"); value != nil {
		id, problem := readRef(value)
		if problem == "" {
			problem = checkSentID(id)
		}
		if problem != "" {
			o.wrong("id", "%s", problem)
		}
		e.ExternalID = id
	}
	e.Data = bytes.Clone(o.members["data"]) // null is data; a clone does not hold on to the whole body
	delete(o.members, "data")
	if len(e.Data) > webhook.MaxData {
		o.wrong("data", "Send at most %d KiB of data.", webhook.MaxData>>10)
	}
	text(o, "platform", &e.Platform)
	text(o, "type", &e.Type)
	a.checkType(o, e)
	e.ChannelID = o.ref("channel_id")
	e.TourIDs = o.refs("tour_ids", "tours", webhook.MaxTours)
	e.BookingID = o.ref("booking_id")
	e.OccurredAt = o.time("occurred_at")
	return e
}

// checkSentID keeps those who send events from the ids that Bookhook itself gives
// to what platforms tell and to questions: what comes then under such an id would
// be refused as the same with other content, or passed over.
func checkSentID(id string) string {
	for _, prefix := range []string{inboundPrefix, questionPrefix} {
		if strings.HasPrefix(id, prefix) {
			return "Ids that begin with “" + prefix + "” are Bookhook's own. Put something else before it."
		}
	}
	return checkEventID(id)
}

func checkEventID(id string) string {
	if utf8.RuneCountInString(id) > webhook.MaxEventID || !utf8.ValidString(id) || strings.ContainsFunc(id, unicode.IsControl) {
		return "Use at most 200 characters, none of them control characters."
	}
	return ""
}

// checkType says which platforms and types there are when these are not among
// them.
func (a *app) checkType(o *object, e webhook.Event) {
	p, known := a.Platforms.Get(e.Platform)
	if !known {
		o.wrong("platform", "There is no platform “%s”. Known: %s.", echo(e.Platform), joinKeys(a.Platforms, func(p platforms.Platform) string { return p.Key }))
		return
	}
	if _, known := p.Event(e.Type); !known {
		keys := joinKeys(p.Events, func(t webhook.EventType) string { return t.Key })
		if e.Type == "" {
			o.wrong("type", "Say what happened, with one of: %s.", keys)
			return
		}
		o.wrong("type", "%s has no event “%s”. Known: %s.", p.Name, echo(e.Type), keys)
	}
}

func joinKeys[T any](all []T, key func(T) string) string {
	keys := make([]string, len(all))
	for i, one := range all {
		keys[i] = key(one)
	}
	return strings.Join(keys, ", ")
}

// apiListEvents lists events, the newest first, without their data.
func (a *app) apiListEvents(c *fiber.Ctx) error {
	q := readQuery(c, "booking_id", "type", "since", "until")
	f := webhook.EventFilter{
		Booking: q.ref("booking_id"), Type: q.eventKey("type", a.Platforms.KnownKey), Since: q.time("since"), Until: q.time("until"),
		Before: q.id("cursor", webhook.EventPrefix), Limit: q.limit,
	}
	if err := q.problems.Err(); err != nil {
		return err
	}
	found, err := a.Store.Events(c.UserContext(), calling(c).Account, f)
	if err != nil {
		return err
	}
	return sendJSON(c, http.StatusOK, pageOf(found, webhook.EventPrefix, showEvent))
}

// apiShowEvent shows an event with its data, byte for byte as they came.
func (a *app) apiShowEvent(c *fiber.Ctx) error {
	id, err := refParam(c, webhook.EventPrefix)
	if err != nil {
		return err
	}
	row, err := a.Store.Event(c.UserContext(), calling(c).Account, id)
	if err != nil {
		return err
	}
	head, err := marshal(showEvent(row))
	if err != nil {
		return err
	}
	data := row.Data
	if len(data) == 0 {
		data = []byte("null")
	}
	c.Set(fiber.HeaderContentType, fiber.MIMEApplicationJSON)
	return c.Send(slices.Concat(head[:len(head)-1], []byte(`,"data":`), data, []byte("}")))
}

// decidedJSON is an event and what was decided on it for each webhook.
type decidedJSON struct {
	ID         string        `json:"id"`
	Deliveries []toldJSON    `json:"deliveries"`
	Skipped    []skippedJSON `json:"skipped"`
}

type toldJSON struct {
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
	shown := decidedJSON{ID: e.Ref(), Deliveries: []toldJSON{}, Skipped: []skippedJSON{}}
	for _, d := range decisions {
		hook := d.Webhook.Text(webhook.WebhookPrefix)
		if d.Reason == webhook.Matched {
			shown.Deliveries = append(shown.Deliveries, toldJSON{d.Delivery.Text(webhook.DeliveryPrefix), hook})
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

func showEvent(e webhook.EventRow) eventJSON {
	return eventJSON{
		decidedJSON: showDecisions(e.Event, e.Decisions), ExternalID: e.ExternalID, Platform: e.Platform, Type: e.Type,
		ChannelID: e.ChannelID, TourIDs: append([]string{}, e.TourIDs...), BookingID: e.BookingID,
		OccurredAt: moment(e.OccurredAt), ReceivedAt: moment(e.ReceivedAt), Test: e.Test,
		Waiting: e.Lookup, Note: e.Note,
	}
}
