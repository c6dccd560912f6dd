package handlers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"strings"

	"github.com/gofiber/fiber/v2"

	"bookhook/views"
	"bookhook/webhook"
)

// problem is an error with words for whoever asked; its cause is only logged.
// As JSON it is a problem document of RFC 9457.
type problem struct {
	Type      string          `json:"type"`
	Title     string          `json:"title"`
	Status    int             `json:"status"`
	Detail    string          `json:"detail,omitempty"`
	Errors    webhook.Invalid `json:"errors,omitempty"` // field → message
	RequestID string          `json:"request_id,omitempty"`

	meaning, next string // for the page
	cause         error
}

// typeUnrecognised is the type of what a platform sent and could not be read.
const typeUnrecognised = "unrecognised"

func (p *problem) Error() string {
	if p.cause != nil {
		return p.cause.Error()
	}
	return p.Title
}

func (p *problem) Unwrap() error { return p.cause }

func unavailable(detail string, cause error) error {
	return &problem{Type: "unavailable", Title: "Bookhook is not available right now", Status: http.StatusServiceUnavailable, Detail: detail, cause: cause}
}

// asProblem finds the words for an error. Whatever it does not know is an
// internal error, about which the outside learns nothing but a request id.
func asProblem(err error) *problem {
	if p, ok := errors.AsType[*problem](err); ok {
		return p
	}
	if f, ok := errors.AsType[*fiber.Error](err); ok {
		return &problem{Type: "about:blank", Title: http.StatusText(f.Code), Status: f.Code, Detail: fiberDetail(f), cause: err}
	}
	if fields, ok := errors.AsType[webhook.Invalid](err); ok {
		return &problem{Type: "invalid", Title: "Something in the request is not right", Status: 422, Detail: fields.Error(), Errors: fields, cause: err}
	}
	if why, ok := errors.AsType[webhook.Unreadable](err); ok {
		return &problem{Type: typeUnrecognised, Title: "Bookhook cannot take this as an event", Status: why.Status, Detail: why.Message, cause: err}
	}
	if used, ok := errors.AsType[webhook.IDConflict](err); ok {
		return &problem{
			Type: "id-conflict", Title: "This id was used for another event", Status: 409, cause: err,
			Detail: fmt.Sprintf("An event with the id %q came in before with other content. Send a new event with a new id.", used.ExternalID),
		}
	}
	if down, ok := errors.AsType[webhook.Unavailable](err); ok {
		return &problem{
			Type: "unavailable", Title: "Bookhook's database cannot be used right now", Status: http.StatusServiceUnavailable, cause: err,
			Detail:  down.What + " Nothing of this request was stored. Send it again, with the same id, until it is accepted.",
			meaning: down.What + " What was accepted before is safe and will be delivered. What you just did was not saved.",
			next:    "Try again in a minute. If it stays so, tell whoever runs Bookhook.",
		}
	}
	return sentinel(err)
}

func sentinel(err error) *problem {
	switch {
	case errors.Is(err, webhook.ErrNotFound):
		return &problem{Type: "not-found", Title: "Not found", Status: 404, Detail: "There is no such thing in this account.", cause: err}
	case errors.Is(err, webhook.ErrConflict):
		return &problem{Type: "conflict", Title: "Changed in the meantime", Status: 409, Detail: "It was changed meanwhile, or is in use right now. Look at it again, then repeat the call.", cause: err}
	case errors.Is(err, webhook.ErrLimit):
		return &problem{
			Type: "webhook-limit", Title: "The account has as many asynchronous webhooks as it may have", Status: 409,
			Detail: "Webhooks that are off count too. Delete one, or ask " + webhook.SupportContact + " to raise the limit.",
			cause:  err,
		}
	case errors.Is(err, webhook.ErrBusy), errors.Is(err, context.DeadlineExceeded):
		return &problem{Type: "busy", Title: "More is coming in than can be stored right now", Status: 503, Detail: "Nothing of this request was stored. Send it again in a few seconds.", cause: err}
	}
	return &problem{Type: "internal", Title: "Something went wrong in Bookhook", Status: 500, Detail: "The cause is in Bookhook's log under the request id.", cause: err}
}

func fiberDetail(f *fiber.Error) string {
	switch f.Code {
	case http.StatusRequestEntityTooLarge:
		return fmt.Sprintf("A request body may have at most %d MiB. Send less at once.", maxBody>>20)
	case http.StatusNotFound:
		return "There is nothing at this address."
	case http.StatusMethodNotAllowed:
		return "This address does not take this method."
	}
	return ""
}

// fail is where every error of a handler ends: one log line when it is ours,
// and a page or a problem document.
func (a *app) fail(c *fiber.Ctx, err error) error {
	c.Response().ResetBody()
	p := *asProblem(err)
	p.RequestID = requestID(c)
	if p.Status >= 500 {
		a.Log.Error("request failed", "request_id", p.RequestID, "method", c.Method(), "path", a.loggedPath(c.Path()), "status", p.Status, "error", err)
		c.Set(fiber.HeaderRetryAfter, "5")
	}
	c.Status(p.Status)
	a.keepRefused(c, p)
	if p.Status == http.StatusRequestEntityTooLarge && unread(c) {
		drain(c)
	}
	if forPrio(c) {
		return sendPrioError(c, p)
	}
	if wantsJSON(c) {
		return sendProblem(c, p)
	}
	return a.showError(c, p)
}

func sendProblem(c *fiber.Ctx, p problem) error {
	body, err := json.Marshal(p)
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderContentType, "application/problem+json")
	return c.Send(body)
}

func (a *app) showError(c *fiber.Ctx, p problem) error {
	props := views.ErrorProps{Theme: theme(c), Status: p.Status, Meaning: p.meaning, Next: p.next}
	if p.Type != "about:blank" && p.meaning != "" {
		props.What = p.Title
	}
	if p.Status >= 500 {
		props.RequestID = p.RequestID
	}
	if v, ok := c.Locals(visitorKey).(*visitor); ok {
		page := v.page(c, nil)
		props.Page = &page
	}
	return render(c, p.Status, views.Error(props))
}

// wantsJSON reports whether the answer is for a program. When a body in chunks
// was too large, fasthttp has forgotten the path with the rest of the header;
// browsers do not send in chunks.
func wantsJSON(c *fiber.Ctx) bool {
	forgotten := len(c.Request().Header.Host()) == 0 && unread(c)
	return forgotten || strings.HasPrefix(c.Path(), "/api/") || strings.HasPrefix(c.Path(), inboundPath) || c.Path() == "/healthz"
}

func requestID(c *fiber.Ctx) string {
	id, _ := c.Locals(requestIDKey).(string)
	return id
}

func (a *app) logPanic(c *fiber.Ctx, cause any) {
	a.Log.Error("panic in a handler", "request_id", requestID(c), "path", a.loggedPath(c.Path()), "panic", fmt.Sprint(cause), "stack", string(debug.Stack()))
}
