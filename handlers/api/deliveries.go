package api

import (
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/gofiber/fiber/v2"

	"bookhook/handlers/web"
	"bookhook/webhook"
)

// DeliveryStore is what the API needs of the log of deliveries.
type DeliveryStore interface {
	Deliveries(ctx context.Context, account webhook.ID, f webhook.DeliveryFilter) (webhook.Page[webhook.DeliveryRow], error)
	Delivery(ctx context.Context, account, id webhook.ID) (webhook.Delivery, error)
	WaitsFor(ctx context.Context, account, delivery webhook.ID) (first webhook.ID, err error)
	Attempts(ctx context.Context, account, delivery webhook.ID) ([]webhook.Attempt, error)
}

// ListDeliveries lists the log, the newest first, without attempts.
func (a *API) ListDeliveries(c *fiber.Ctx) error {
	q := readQuery(c, "state", "webhook_id", "event_id", "booking_id", "type", "since", "until")
	f := webhook.DeliveryFilter{
		State: q.state("state"), Webhook: q.id("webhook_id", webhook.WebhookPrefix), Event: q.id("event_id", webhook.EventPrefix),
		Booking: q.ref("booking_id"), Type: q.eventKey("type", a.Platforms.KnownKey), Since: q.time("since"), Until: q.time("until"),
		Before: q.id("cursor", webhook.DeliveryPrefix), Limit: q.limit,
	}
	if err := q.problems.Err(); err != nil {
		return err
	}
	found, err := a.Store.Deliveries(c.UserContext(), currentToken(c).Account, f)
	if err != nil {
		return err
	}
	now := time.Now()
	show := func(r webhook.DeliveryRow) deliveryJSON { return showDelivery(r.Delivery, now) }
	return web.SendJSON(c, http.StatusOK, pageOf(found, webhook.DeliveryPrefix, show))
}

// ShowDelivery shows a delivery with all its attempts.
func (a *API) ShowDelivery(c *fiber.Ctx) error {
	id, err := web.IDParam(c, webhook.DeliveryPrefix)
	if err != nil {
		return err
	}
	d, err := a.Store.Delivery(c.UserContext(), currentToken(c).Account, id)
	if err != nil {
		return err
	}
	attempts, err := a.Store.Attempts(c.UserContext(), d.Account, d.ID)
	if err != nil {
		return err
	}
	first, err := a.waitsFor(c.UserContext(), d)
	if err != nil {
		return err
	}
	now := time.Now()
	return web.SendJSON(c, http.StatusOK, struct {
		deliveryJSON
		WaitsFor *string `json:"waits_for"`
		Attempts []any   `json:"attempts"`
	}{showDelivery(d, now), showRef(first, webhook.DeliveryPrefix), showAttempts(d, d.Known(attempts), now)})
}

// waitsFor is the delivery that d is held behind; zero when it is not held, or
// not any more.
func (a *API) waitsFor(ctx context.Context, d webhook.Delivery) (webhook.ID, error) {
	if !d.Held {
		return 0, nil
	}
	first, err := a.Store.WaitsFor(ctx, d.Account, d.ID)
	if errors.Is(err, webhook.ErrNotFound) {
		return 0, nil
	}
	return first, err
}

// showRef is an id as shown, nil for none.
func showRef(id webhook.ID, prefix string) *string {
	if id == 0 {
		return nil
	}
	shown := id.Text(prefix)
	return &shown
}

// ReplayDelivery makes a delivery due now.
func (a *API) ReplayDelivery(c *fiber.Ctx) error {
	id, err := web.IDParam(c, webhook.DeliveryPrefix)
	if err != nil {
		return err
	}
	if err := web.ReadNothing(c); err != nil {
		return err
	}
	d, err := a.Dispatcher.Replay(c.UserContext(), currentToken(c).Account, id, byToken(c))
	if err != nil {
		return err
	}
	return web.SendJSON(c, http.StatusAccepted, showDelivery(d, time.Now()))
}

// deliveryJSON is a delivery as it is listed.
type deliveryJSON struct {
	ID            string        `json:"id"`
	EventID       string        `json:"event_id"`
	WebhookID     string        `json:"webhook_id"`
	Platform      string        `json:"platform"`
	Type          string        `json:"type"`
	BookingID     string        `json:"booking_id"`
	Test          bool          `json:"test"`
	State         webhook.State `json:"state"`
	AttemptsMade  int           `json:"attempts_made"`
	Held          bool          `json:"held"`
	NextAttemptAt *time.Time    `json:"next_attempt_at"`
	CreatedAt     *time.Time    `json:"created_at"`
	FinishedAt    *time.Time    `json:"finished_at"`
}

func showDelivery(d webhook.Delivery, now time.Time) deliveryJSON {
	shown := deliveryJSON{
		ID: d.Ref(), EventID: d.Event.Text(webhook.EventPrefix), WebhookID: d.Webhook.Text(webhook.WebhookPrefix),
		Platform: d.Platform, Type: d.Type, BookingID: d.BookingID, Test: d.Test, State: d.State,
		AttemptsMade: d.Attempts, Held: d.Held, CreatedAt: timeOrNull(d.CreatedAt), FinishedAt: timeOrNull(d.Finished),
	}
	if d.State == webhook.Pending && !d.InFlight(now) { // in flight it has a lease, not a next attempt
		shown.NextAttemptAt = timeOrNull(d.NextAt)
	}
	return shown
}

// attemptJSON is an attempt that finished, with or without an answer.
type attemptJSON struct {
	Number             int               `json:"number"`
	StartedAt          *time.Time        `json:"started_at"`
	DurationMS         int64             `json:"duration_ms"`
	Status             int               `json:"status,omitempty"`
	Reason             webhook.Failure   `json:"reason"`
	Error              string            `json:"error"`
	Method             string            `json:"method"`
	URL                string            `json:"url"`
	RemoteAddress      string            `json:"remote_address"`
	RequestHeaders     map[string]string `json:"request_headers"`
	RequestBody        string            `json:"request_body"`
	RequestBodyBase64  string            `json:"request_body_base64,omitempty"`
	ResponseHeaders    map[string]string `json:"response_headers"`
	ResponseBody       string            `json:"response_body"`
	ResponseBodyBase64 string            `json:"response_body_base64,omitempty"`
	ResponseTruncated  bool              `json:"response_truncated"`
}

// cutOffJSON is an attempt of which nobody knows how it ended.
type cutOffJSON struct {
	Number int             `json:"number"`
	Reason webhook.Failure `json:"reason"`
	Error  string          `json:"error"`
}

// showAttempts lists the attempts in their order. A number without an attempt
// was cut off, except for the last one while it can still be in flight.
func showAttempts(d webhook.Delivery, attempts []webhook.Attempt, now time.Time) []any {
	shown := []any{}
	for n := 1; n <= d.Attempts; n++ {
		i := slices.IndexFunc(attempts, func(a webhook.Attempt) bool { return a.Number == n })
		switch {
		case i >= 0:
			shown = append(shown, showAttempt(attempts[i]))
		case n < d.Attempts || !d.NextAt.After(now):
			shown = append(shown, cutOffJSON{n, webhook.CutOff, "Bookhook stopped before or while the request was sent; whether the receiver got it is not known."})
		}
	}
	return shown
}

func showAttempt(a webhook.Attempt) attemptJSON {
	shown := attemptJSON{
		Number: a.Number, StartedAt: timeOrNull(a.StartedAt), DurationMS: a.Duration.Milliseconds(), Status: a.Status,
		Reason: a.Failure, Error: a.Error, Method: a.Method, URL: a.URL, RemoteAddress: a.RemoteAddr,
		RequestHeaders: flatHeaders(a.RequestHeaders), ResponseHeaders: flatHeaders(a.ResponseHeaders), ResponseTruncated: a.Truncated,
	}
	shown.RequestBody, shown.RequestBodyBase64 = showBytes(a.RequestBody)
	shown.ResponseBody, shown.ResponseBodyBase64 = showBytes(a.ResponseBody)
	return shown
}

// showBytes shows a body as text; one that is not UTF-8 also as base64.
func showBytes(body []byte) (shown, encoded string) {
	if utf8.Valid(body) {
		return string(body), ""
	}
	return strings.ToValidUTF8(string(body), "\uFFFD"), base64.StdEncoding.EncodeToString(body)
}

// flatHeaders joins the values of each header.
func flatHeaders(headers http.Header) map[string]string {
	flat := make(map[string]string, len(headers))
	for name, values := range headers {
		flat[name] = strings.Join(values, ", ")
	}
	return flat
}
