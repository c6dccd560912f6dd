package api

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"

	"github.com/gofiber/fiber/v2"

	"bookhook/handlers/web"
	"bookhook/platforms"
	"bookhook/webhook"
)

// CallInline calls the inline webhook that matches before a booking is confirmed,
// and returns its answer. A refusal is not an error.
func (a *API) CallInline(c *fiber.Ctx) error {
	via, err := web.Via(c, a.Instance, currentToken(c).Account)
	if err != nil {
		return err
	}
	body, err := web.ReadObject(c)
	if err != nil {
		return err
	}
	e := a.readInline(body)
	e.Via = via
	e.ExternalID = readKey(c, body, e.ExternalID)
	if err := body.End(); err != nil {
		return err
	}
	id := e.ExternalID
	if id != "" {
		e.ExternalID = webhook.InlinePrefix + id
	}
	call, err := a.Dispatcher.CallInline(c.UserContext(), currentToken(c).Account, e)
	if used, ok := errors.AsType[webhook.IDConflict](err); ok && id != "" {
		used.ExternalID = id
		err = used
	}
	if err != nil {
		return err
	}
	return web.SendJSON(c, http.StatusOK, a.showAnswer(call))
}

func (a *API) readInline(o *web.Object) webhook.Event {
	var document string
	web.Text(o, "xml", &document)
	if o.Has("data") {
		o.Wrong("data", "call.data")
	}
	e := a.readEvent(o)
	e.Data = nil
	if e.BookingID == "" {
		o.Wrong("booking_id", "call.booking_missing")
	}
	if e.Type != "" && !o.IsWrong("type") && !a.Platforms.Inline(e.Key()) {
		o.Wrong("type", "call.type", webhook.Quote(e.Type, web.MaxQuoted), webhook.JoinText(a.inlineEvents(e.Platform), func(t platforms.EventType) string { return t.Key }))
	}
	if document != "" {
		e.Data = a.readDocument(o, e, document)
	}
	return e
}

// readDocument returns the data of an inline call about the event, with the document
// that was sent.
func (a *API) readDocument(o *web.Object, e webhook.Event, document string) []byte {
	data := platforms.EncodeJSON(map[string]string{"xml": document})
	e.Data = data
	switch {
	case len(data) > webhook.MaxData:
		o.Wrong("xml", "call.xml_too_long", webhook.MaxData>>10)
	case len(o.Problems) == 0:
		if _, err := a.Platforms.InlineCall(&webhook.Webhook{Config: webhook.Config{URL: "https://example.com"}, Secret: "any"}, webhook.Account{}, e, nil); err != nil {
			o.Wrong("xml", "call.xml", a.sentence(err))
		}
	}
	return data
}

// sentence returns the text for an error of a platform's package.
func (a *API) sentence(err error) string {
	if rejected, ok := errors.AsType[platforms.Rejected](err); ok {
		return a.Platforms.Text(rejected.Why)
	}
	if why, ok := errors.AsType[webhook.Message](err); ok {
		return a.Platforms.Text(why)
	}
	return err.Error()
}

// inlineEvents returns the events of a platform that inline webhooks are called for.
func (a *API) inlineEvents(platform string) []platforms.EventType {
	p, _ := a.Platforms.Get(platform)
	return slices.DeleteFunc(slices.Clone(p.Events), func(e platforms.EventType) bool {
		return !a.Platforms.Inline(webhook.EventKey(platform, e.Key))
	})
}

// answerJSON is the answer to an inline call.
type answerJSON struct {
	ID         string          `json:"id"`
	Accepted   bool            `json:"accepted"`
	WebhookID  *string         `json:"webhook_id"`
	DeliveryID *string         `json:"delivery_id"`
	Status     int             `json:"status"`
	Reason     webhook.Failure `json:"reason"`
	Error      string          `json:"error"`
	Text       string          `json:"text"`
	Tickets    json.RawMessage `json:"tickets"` // as the receiver sent them; null for none
	Skipped    []skippedJSON   `json:"skipped"`
}

func (a *API) showAnswer(call webhook.InlineCall) answerJSON {
	return answerJSON{
		ID: call.Event.ID.String(), Accepted: call.Accepted,
		WebhookID:  idOrNull(call.Job.Delivery.Webhook),
		DeliveryID: idOrNull(call.Job.Delivery.ID),
		Status:     call.Attempt.Status, Reason: call.Reason, Error: a.Platforms.Text(call.Error), Text: call.Text, Tickets: call.Tickets,
		Skipped: showDecisions(call.Event, call.Decisions).Skipped,
	}
}
