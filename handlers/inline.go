package handlers

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"

	"github.com/gofiber/fiber/v2"

	"bookhook/webhook"
)

// questionPrefix stands before the external id of what is asked, so that a
// booking system may use the same id when it tells of the event afterwards.
const questionPrefix = "inline:"

// apiAsk asks the inline webhook that matches before a booking is confirmed. A
// refusal is an answer like any other.
func (a *app) apiAsk(c *fiber.Ctx) error {
	body, err := readBody(c)
	if err != nil {
		return err
	}
	e := a.readQuestion(body)
	e.ExternalID = readKey(c, body, e.ExternalID)
	if err := body.end(); err != nil {
		return err
	}
	id := e.ExternalID
	if id != "" {
		e.ExternalID = questionPrefix + id
	}
	answer, err := a.Dispatcher.CallInline(c.UserContext(), calling(c).Account, e)
	if used, ok := errors.AsType[webhook.IDConflict](err); ok && id != "" {
		used.ExternalID = id
		err = used
	}
	if err != nil {
		return err
	}
	return sendJSON(c, http.StatusOK, showAnswer(answer))
}

func (a *app) readQuestion(o *object) webhook.Event {
	var document string
	text(o, "xml", &document)
	if _, sent := o.members["data"]; sent {
		o.wrong("data", "There is no field of this name here; a question has its document under xml.")
	}
	e := a.readEvent(o)
	e.Data = nil
	if e.BookingID == "" {
		o.wrong("booking_id", "Say which booking the question is about.")
	}
	if e.Type != "" && o.problems[o.path+"type"] == "" && !a.Platforms.Inline(e.Key()) {
		o.wrong("type", "Nobody is asked about %s. Known: %s.", echo(e.Type), joinKeys(a.asked(e.Platform), func(t webhook.EventType) string { return t.Key }))
	}
	if document != "" {
		e.Data = a.readDocument(o, e, document)
	}
	return e
}

// readDocument returns the data of a question about the event with its document.
func (a *app) readDocument(o *object, e webhook.Event, document string) []byte {
	data := webhook.EncodeJSON(map[string]string{"xml": document})
	e.Data = data
	switch {
	case len(data) > webhook.MaxData:
		o.wrong("xml", "Send at most %d KiB.", webhook.MaxData>>10)
	case len(o.problems) == 0:
		if _, err := a.Platforms.Question(&webhook.Webhook{URL: exampleURL, Secret: "any"}, webhook.Account{}, e, nil); err != nil {
			o.wrong("xml", "This cannot be taken: %s.", err)
		}
	}
	return data
}

// asked are the events of a platform about which somebody can be asked.
func (a *app) asked(platform string) []webhook.EventType {
	p, _ := a.Platforms.Get(platform)
	return slices.DeleteFunc(slices.Clone(p.Events), func(e webhook.EventType) bool {
		return !a.Platforms.Inline(webhook.EventKey(platform, e.Key))
	})
}

// answerJSON is what came of a question.
type answerJSON struct {
	ID         string          `json:"id"`
	Accepted   bool            `json:"accepted"`
	WebhookID  *string         `json:"webhook_id"`
	DeliveryID *string         `json:"delivery_id"`
	Status     int             `json:"status"`
	Reason     webhook.Failure `json:"reason"`
	Error      string          `json:"error"`
	Text       string          `json:"text"`
	Tickets    json.RawMessage `json:"tickets"` // as they came; null for none
	Skipped    []skippedJSON   `json:"skipped"`
}

func showAnswer(a webhook.Answer) answerJSON {
	return answerJSON{
		ID: a.Event.Ref(), Accepted: a.Accepted,
		WebhookID:  showRef(a.Job.Delivery.Webhook, webhook.WebhookPrefix),
		DeliveryID: showRef(a.Job.Delivery.ID, webhook.DeliveryPrefix),
		Status:     a.Attempt.Status, Reason: a.Reason, Error: a.Error, Text: a.Text, Tickets: a.Tickets,
		Skipped: showDecisions(a.Event, a.Decisions).Skipped,
	}
}

// askInbound asks the account's inline webhook about a booking about which its
// platform asks; nil when none that is on matches. It asks each time: a platform
// that asks again did not get the first answer, or not in time.
func (a *app) askInbound(ctx context.Context, account webhook.ID, in webhook.Inbound, e webhook.Event) (*webhook.Answer, error) {
	if in.Method != http.MethodPost || !a.Platforms.Inline(e.Key()) {
		return nil, nil
	}
	all, err := a.Store.Webhooks(ctx, account)
	if err != nil {
		return nil, err
	}
	matches := func(w *webhook.Webhook) bool {
		return w.Kind == webhook.Inline && webhook.Match(w, &e) == webhook.Matched
	}
	if !slices.ContainsFunc(all, matches) {
		return nil, nil
	}
	e.ExternalID, e.Lookup = "", false
	answer, err := a.Dispatcher.CallInline(ctx, account, e)
	if err != nil {
		return nil, err
	}
	return &answer, nil
}

// refuseBooking tells the platform that the receiver does not take the booking;
// anything but 200 does.
func refuseBooking(c *fiber.Ctx, answer *webhook.Answer) error {
	c.Set(fiber.HeaderContentType, fiber.MIMETextPlainCharsetUTF8)
	return c.Status(http.StatusBadGateway).SendString(answer.Error)
}

// passOn gives the platform what the receiver said.
func passOn(c *fiber.Ctx, answer *webhook.Answer) error {
	said := bytes.TrimSpace(answer.Attempt.ResponseBody)
	if len(said) > 0 {
		c.Set(fiber.HeaderContentType, fiber.MIMEApplicationJSON)
	}
	return c.Status(http.StatusOK).Send(said)
}
