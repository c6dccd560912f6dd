package web

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"bookhook/auth"
	"bookhook/messages"
	"bookhook/webhook"
)

// Problem is an error with a text for the client; its cause is only logged. As JSON
// it is a problem document of RFC 9457.
type Problem struct {
	Type      string            `json:"type"`
	Title     string            `json:"title"`
	Status    int               `json:"status"`
	Detail    string            `json:"detail,omitempty"`
	Errors    map[string]string `json:"errors,omitempty"` // field → what is wrong with it
	RequestID string            `json:"request_id,omitempty"`

	Meaning string `json:"-"` // for a page: what it means for the bookings
	Next    string `json:"-"` // for a page: what to do
	Cause   error  `json:"-"`
}

// Error returns the text of the cause, for the log.
func (p *Problem) Error() string {
	if p.Cause != nil {
		return p.Cause.Error()
	}
	return p.Title
}

// Unwrap returns the cause.
func (p *Problem) Unwrap() error { return p.Cause }

// Failed returns the problem of a request whose handler returned err, with the
// request's id. It drops what the handler has written.
func (s *Server) Failed(c *fiber.Ctx, err error) *Problem {
	c.Response().ResetBody()
	p := *AsProblem(err)
	if reached, ok := errors.AsType[webhook.LimitReached](err); ok {
		p = s.limitReached(reached)
		if p.Status == http.StatusTooManyRequests {
			c.Set(fiber.HeaderRetryAfter, strconv.Itoa(messages.RetrySeconds(reached)))
		}
	}
	p.RequestID = RequestID(c)
	return &p
}

// Unavailable returns a 503: Bookhook itself does not work right now.
func Unavailable(detail string, cause error) error {
	return &Problem{Type: "unavailable", Title: "Bookhook is not available right now", Status: http.StatusServiceUnavailable, Detail: detail, Cause: cause}
}

// Unsupported returns a 415: a body of a type that is not supported here.
func Unsupported(detail string) error {
	return &Problem{
		Type: "unsupported-media-type", Title: "This kind of body is not supported", Status: http.StatusUnsupportedMediaType, Detail: detail,
		Meaning: "Nothing was changed, and no booking is affected.", Next: detail,
	}
}

// Malformed returns a 400: a body that cannot be parsed.
func Malformed(format string, args ...any) *Problem {
	return &Problem{Type: "malformed", Title: "The body is malformed", Status: http.StatusBadRequest, Detail: fmt.Sprintf(format, args...)}
}

// limitReached returns a 409, or a 429 if waiting helps.
func (s *Server) limitReached(e webhook.LimitReached) Problem {
	p := Problem{
		Type: string(e.What) + "-limit", Title: "The account has reached its limit of " + limitedNames[e.What], Status: http.StatusConflict,
		Detail: messages.Text(messages.Limit(e, s.support)), Meaning: "Nothing was changed, and no booking is affected.", Cause: e,
	}
	if e.Wait > 0 {
		p.Status = http.StatusTooManyRequests
	}
	p.Next = p.Detail
	return p
}

var limitedNames = map[webhook.Limited]string{
	webhook.LimitedWebhooks: "asynchronous webhooks",
	webhook.LimitedInline:   "synchronous webhooks",
	webhook.LimitedFilters:  "what its webhooks name",
	webhook.LimitedTokens:   "API tokens",
	webhook.LimitedClients:  "clients",
	webhook.LimitedDrafts:   "drafts",
	webhook.LimitedPeople:   "people",
	webhook.LimitedChannels: "channels",
	webhook.LimitedTours:    "tours",
	webhook.LimitedChecks:   "checks and tests",
	webhook.LimitedReplays:  "replays that run",
	webhook.LimitedReplayed: "deliveries of one replay",
	webhook.LimitedPlans:    "replays that are planned at once",
	webhook.LimitedViews:    "saved views of a person",

	webhook.LimitedInvitations:   "invitations of a day",
	webhook.LimitedInvitationsTo: "invitations to one address",

	webhook.LimitedHeld:        "references of a list",
	webhook.LimitedReconciled:  "deliveries of a comparison",
	webhook.LimitedReconciling: "lists that are compared at once",
}

// AsProblem converts an error into a problem. An unknown error is an internal one,
// of which the client sees only the request id.
func AsProblem(err error) *Problem {
	if p, ok := errors.AsType[*Problem](err); ok {
		return p
	}
	if f, ok := errors.AsType[*fiber.Error](err); ok {
		return &Problem{Type: "about:blank", Title: http.StatusText(f.Code), Status: f.Code, Detail: fiberDetail(f), Cause: err}
	}
	if fields, ok := errors.AsType[webhook.Invalid](err); ok {
		return &Problem{
			Type: "invalid", Title: "Something in the request is not valid", Status: http.StatusUnprocessableEntity,
			Detail: list(messages.Problems(fields)), Errors: messages.Problems(fields), Cause: err,
		}
	}
	if used, ok := errors.AsType[webhook.IDConflict](err); ok {
		return &Problem{
			Type: "id-conflict", Title: "This id was used for another event", Status: http.StatusConflict, Cause: err,
			Detail: fmt.Sprintf("An event with the id %q was received before with other content. Send a new event with a new id.", used.ExternalID),
		}
	}
	if down, ok := errors.AsType[webhook.Unavailable](err); ok {
		return unavailableProblem(down, err)
	}
	return sentinelProblem(err)
}

func unavailableProblem(down webhook.Unavailable, cause error) *Problem {
	p := &Problem{
		Type: "unavailable", Title: "Bookhook's database cannot be used right now", Status: http.StatusServiceUnavailable, Cause: cause,
		Detail:  messages.Text(down.Message) + " Nothing of this request was stored. Send it again, with the same id, until it is accepted.",
		Meaning: messages.Text(down.Message) + " What was accepted before is safe and will be delivered. What you just did was not saved.",
		Next:    "Try again in a minute. If the problem persists, tell the person who runs this Bookhook.",
	}
	if down.Unknown {
		p.Detail = messages.Text(down.Message) + " It is not known whether this request was stored. Send it again, with the same id, until it is accepted: it is stored once."
		p.Meaning = messages.Text(down.Message) + " What was accepted before is safe and will be delivered. It is not known whether what you just did was saved."
		p.Next = "Look in a minute whether it was, and do it again if not. If the problem persists, tell the person who runs this Bookhook."
	}
	return p
}

// list joins the problems of all fields, in the order of their names.
func list(problems map[string]string) string {
	parts := make([]string, 0, len(problems))
	for _, field := range slices.Sorted(maps.Keys(problems)) {
		parts = append(parts, field+": "+strings.TrimSuffix(problems[field], "."))
	}
	return strings.Join(parts, "; ") + "."
}

func sentinelProblem(err error) *Problem {
	switch {
	case errors.Is(err, webhook.ErrNotFound):
		return &Problem{Type: "not-found", Title: "Not found", Status: http.StatusNotFound, Detail: "This account has nothing with this id.", Cause: err}
	case errors.Is(err, webhook.ErrConflict):
		return &Problem{
			Type: "conflict", Title: "Changed in the meantime", Status: http.StatusConflict, Cause: err,
			Detail: "It was changed meanwhile, or is in use right now. Read it again, then repeat the request.",
		}
	case errors.Is(err, webhook.ErrOff):
		return &Problem{
			Type: "webhook-off", Title: "The webhook is off", Status: http.StatusConflict, Cause: err,
			Detail: "Nothing is sent to it, and nothing was changed. Switch it on, then repeat the request.",
		}
	case errors.Is(err, webhook.ErrLoop):
		return &Problem{
			Type: "loop", Title: "This event came back", Status: http.StatusLoopDetected, Cause: err,
			Detail: "According to its header " + webhook.ViaHeader + ", this account sent the event itself, or it has passed more than " +
				strconv.Itoa(webhook.MaxHops) + " accounts. It was not accepted again, because it would travel without end.",
		}
	case errors.Is(err, auth.ErrOverloaded):
		return &Problem{
			Type: "busy", Title: "Too many people are signing in right now", Status: http.StatusServiceUnavailable, Cause: err,
			Meaning: "Nothing was changed, and no booking is affected.", Next: "Try again in a few seconds.",
		}
	case errors.Is(err, webhook.ErrBusy), errors.Is(err, context.DeadlineExceeded):
		return &Problem{
			Type: "busy", Title: "More is received than can be stored right now", Status: http.StatusServiceUnavailable, Cause: err,
			Detail: "Nothing of this request was stored. Send it again in a few seconds.",
		}
	}
	return &Problem{
		Type: "internal", Title: "Something went wrong in Bookhook", Status: http.StatusInternalServerError, Cause: err,
		Detail: "The cause is in Bookhook's log under the request id.",
	}
}

func fiberDetail(f *fiber.Error) string {
	switch f.Code {
	case http.StatusRequestTimeout:
		return fmt.Sprintf("The request did not arrive within %.0f seconds. Send it again.", RequestTimeout.Seconds())
	case http.StatusRequestHeaderFieldsTooLarge:
		return fmt.Sprintf("Address and headers of a request may have at most %d KiB. Send shorter ones.", maxHeader>>10)
	case http.StatusNotFound:
		return "There is nothing at this address."
	case http.StatusMethodNotAllowed:
		return "This address does not support this method."
	}
	return ""
}
