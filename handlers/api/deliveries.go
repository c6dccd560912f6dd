package api

import (
	"context"
	"encoding"
	"encoding/base64"
	"errors"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/gofiber/fiber/v2"

	"bookhook/handlers/web"
	"bookhook/messages"
	"bookhook/webhook"
)

// DeliveryStore is what the API needs of the log of deliveries.
type DeliveryStore interface {
	Deliveries(ctx context.Context, account webhook.AccountID, f webhook.DeliveryFilter) (webhook.Page[webhook.DeliveryRow, webhook.DeliveryID], error)
	Delivery(ctx context.Context, account webhook.AccountID, id webhook.DeliveryID) (webhook.Delivery, error)
	WaitsFor(ctx context.Context, account webhook.AccountID, delivery webhook.DeliveryID) (first webhook.DeliveryID, err error)
	Attempts(ctx context.Context, account webhook.AccountID, delivery webhook.DeliveryID, last int) ([]webhook.Attempt, error)
}

// ListDeliveries lists the log, the newest first, without attempts.
func (a *API) ListDeliveries(c *fiber.Ctx) error {
	q := readQuery(c, deliveryParameters...)
	f := a.deliveryFilter(q)
	f.Before, f.Limit = queryID[webhook.DeliveryID](q, "cursor"), q.limit
	if err := q.problems.Err(); err != nil {
		return err
	}
	found, err := a.Store.Deliveries(c.UserContext(), currentToken(c).Account, f)
	if err != nil {
		return err
	}
	now := time.Now()
	show := func(r webhook.DeliveryRow) deliveryJSON { return showDelivery(r.Delivery, now) }
	return web.SendJSON(c, http.StatusOK, pageOf(found.Rows, cursor(found.Next), show))
}

// deliveryParameters are the filters of the log.
var deliveryParameters = []string{"state", "webhook_id", "event_id", "booking_id", "type", "replay_id", "since", "until"}

func (a *API) deliveryFilter(q *query) webhook.DeliveryFilter {
	return webhook.DeliveryFilter{
		State: q.state("state"), Webhook: queryID[webhook.WebhookID](q, "webhook_id"), Event: queryID[webhook.EventID](q, "event_id"),
		Booking: q.ref("booking_id"), Type: q.eventKey("type", a.Platforms.KnownKey), Since: q.time("since"), Until: q.time("until"),
		Replay: queryID[webhook.ReplayID](q, "replay_id"),
	}
}

// ExportDeliveries streams the log as CSV, the newest first.
func (a *API) ExportDeliveries(c *fiber.Ctx) error {
	q := readParameters(c, deliveryParameters...)
	f, account := a.deliveryFilter(q), currentToken(c).Account
	if err := q.problems.Err(); err != nil {
		return err
	}
	return a.Server.SendExport(c, web.DeliveryExport(f, web.UTC, func(ctx context.Context, f webhook.DeliveryFilter) (webhook.Page[webhook.DeliveryRow, webhook.DeliveryID], error) {
		return a.Store.Deliveries(ctx, account, f)
	}))
}

// ShowDelivery shows a delivery with its newest attempts, as many as the store lists.
func (a *API) ShowDelivery(c *fiber.Ctx) error {
	id, err := web.IDParam[webhook.DeliveryID](c)
	if err != nil {
		return err
	}
	d, err := a.Store.Delivery(c.UserContext(), currentToken(c).Account, id)
	if err != nil {
		return err
	}
	attempts, err := a.Store.Attempts(c.UserContext(), d.Account, d.ID, 0)
	if err != nil {
		return err
	}
	first, err := a.waitsFor(c.UserContext(), d)
	if err != nil {
		return err
	}
	now := time.Now()
	return web.SendJSON(c, http.StatusOK, loggedDeliveryJSON{showDelivery(d, now), idOrNull(first), a.showAttempts(d, d.SameSnapshot(attempts), webhook.AttemptsShown, now)})
}

// loggedDeliveryJSON is a delivery with its attempts.
type loggedDeliveryJSON struct {
	deliveryJSON
	WaitsFor *string `json:"waits_for"`
	Attempts []any   `json:"attempts"`
}

// waitsFor returns the delivery that d is held behind; zero if it is not held, or no
// longer.
func (a *API) waitsFor(ctx context.Context, d webhook.Delivery) (webhook.DeliveryID, error) {
	if !d.Held {
		return 0, nil
	}
	first, err := a.Store.WaitsFor(ctx, d.Account, d.ID)
	if errors.Is(err, webhook.ErrNotFound) {
		return 0, nil
	}
	return first, err
}

// idOrNull returns an id as the API shows it; zero is null.
func idOrNull(id encoding.TextMarshaler) *string {
	if shown := cursor(id); shown != "" {
		return &shown
	}
	return nil
}

// cursor returns an id as a list's next_cursor; zero is "".
func cursor(id encoding.TextMarshaler) string {
	text, err := id.MarshalText()
	if err != nil { // an id always has a text
		panic(err)
	}
	return string(text)
}

// ReplayDelivery sends a delivery again.
func (a *API) ReplayDelivery(c *fiber.Ctx) error {
	id, err := web.IDParam[webhook.DeliveryID](c)
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
		ID: d.ID.String(), EventID: d.Event.String(), WebhookID: d.Webhook.String(),
		Platform: d.Platform, Type: d.Type, BookingID: d.BookingID, Test: d.Test, State: d.State,
		AttemptsMade: d.Attempts, Held: d.Held, CreatedAt: timeOrNull(d.CreatedAt), FinishedAt: timeOrNull(d.Finished),
	}
	if d.State == webhook.Pending && !d.InFlight(now) { // in flight it has a lease, not a next attempt
		shown.NextAttemptAt = timeOrNull(d.NextAt)
	}
	return shown
}

// attemptJSON is an attempt that finished, with or without a response.
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
	BodiesLeftOut      bool              `json:"bodies_left_out"`
}

// cutOffJSON is an attempt whose result is not known.
type cutOffJSON struct {
	Number int             `json:"number"`
	Reason webhook.Failure `json:"reason"`
	Error  string          `json:"error"`
}

// showAttempts lists the last attempts in their order, of so many numbers. A number without an attempt
// was cut off, except for the last one while it can still be in flight.
func (a *API) showAttempts(d webhook.Delivery, attempts []webhook.Attempt, last int, now time.Time) []any {
	shown := []any{}
	for n := max(1, d.Attempts-last+1); n <= d.Attempts; n++ {
		switch {
		case len(attempts) > 0 && attempts[0].Number == n:
			shown = append(shown, a.showAttempt(attempts[0]))
			attempts = attempts[1:]
		case n < d.Attempts || !d.NextAt.After(now):
			shown = append(shown, cutOffJSON{n, webhook.CutOff, messages.Text(webhook.NewMessage("attempt.cut_off"))})
		}
	}
	return shown
}

func (a *API) showAttempt(t webhook.Attempt) attemptJSON {
	shown := attemptJSON{
		Number: t.Number, StartedAt: timeOrNull(t.StartedAt), DurationMS: t.Duration.Milliseconds(), Status: t.Status,
		Reason: t.Failure, Error: a.Platforms.Text(t.Error), Method: t.Method, URL: t.URL, RemoteAddress: t.RemoteAddr,
		RequestHeaders: flatHeaders(t.RequestHeaders), ResponseHeaders: flatHeaders(t.ResponseHeaders), ResponseTruncated: t.Truncated, BodiesLeftOut: t.LeftOut,
	}
	shown.RequestBody, shown.RequestBodyBase64 = showBytes(t.RequestBody)
	shown.ResponseBody, shown.ResponseBodyBase64 = showBytes(t.ResponseBody)
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
