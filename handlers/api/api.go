package api

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"bookhook/auth"
	"bookhook/handlers/web"
	"bookhook/platforms"
	"bookhook/webhook"
)

// Store is what the API needs of the database, by noun; *db.Store is all of
// them. Methods that take an account return webhook.ErrNotFound for what belongs
// to another.
type Store struct {
	AccountStore
	BookingStore
	DeliveryStore
	EventStore
	ItemStore
	ReplayStore
	StatsStore
	WebhookStore
}

// AccountStore is what the API needs of the accounts.
type AccountStore interface {
	Account(ctx context.Context, id webhook.AccountID) (webhook.Account, error)
	CountCheck(ctx context.Context, account webhook.AccountID, now time.Time) error
}

// Dispatcher is what the API needs of the dispatcher; *dispatch.Dispatcher is
// one.
type Dispatcher interface {
	// Ingest stores events and delivers them; see dispatch.Dispatcher.Ingest.
	Ingest(ctx context.Context, account webhook.AccountID, events []webhook.Event) ([]webhook.Accepted, error)
	// CallInline calls the inline webhook that matches, and waits for its answer.
	CallInline(ctx context.Context, account webhook.AccountID, e webhook.Event) (webhook.InlineCall, error)
	// Test sends a test event to one webhook, whatever its filters.
	Test(ctx context.Context, account webhook.AccountID, id webhook.WebhookID, e webhook.Event) (webhook.Delivery, error)
	// Replay sends a delivery again.
	Replay(ctx context.Context, account webhook.AccountID, id webhook.DeliveryID, change webhook.Change) (webhook.Delivery, error)
	// Send sends an event to one webhook, whatever was decided when it came in.
	Send(ctx context.Context, account webhook.AccountID, event webhook.EventID, id webhook.WebhookID, change webhook.Change) (webhook.Delivery, error)
	// CheckURL says why a URL may not be called, judged by its text alone; zero if
	// it may.
	CheckURL(url string) webhook.Message
}

// Options are what the API needs; all are required.
type Options struct {
	Store      Store
	Dispatcher Dispatcher
	Planner    Planner
	Server     *web.Server
	Tokens     *auth.Tokens
	Platforms  platforms.Registry
	Instance   webhook.Instance
	Log        *slog.Logger
}

// API has the handlers of the JSON API.
type API struct{ Options }

// New returns the handlers of the JSON API.
func New(o Options) *API { return &API{o} }

// ShowError sends a problem document.
func (a *API) ShowError(c *fiber.Ctx, p *web.Problem) error { return web.SendProblem(c, p) }

const tokenKey = "token"

// Bearer is a guard: it lets only requests with an API token through. The response
// to all others is the same, whatever is wrong with the token.
func (a *API) Bearer(c *fiber.Ctx) error {
	token, err := a.findToken(c)
	if errors.Is(err, webhook.ErrNotFound) {
		c.Set(fiber.HeaderWWWAuthenticate, "Bearer")
		return &web.Problem{
			Type: "unauthorized", Title: "A valid API token is needed", Status: http.StatusUnauthorized, Cause: err,
			Detail: "Send the header “Authorization: Bearer bh_…” with a token from Settings, API tokens.",
		}
	}
	if err != nil {
		return err
	}
	if err := a.Tokens.Used(c.UserContext(), token, time.Now()); err != nil { // no reason to refuse the request
		a.Log.Warn("the use of a token was not recorded", "request_id", web.RequestID(c), "token", token.ID.String(), "error", err)
	}
	c.Locals(tokenKey, token)
	web.Identify(c, token.Account)
	return c.Next()
}

func (a *API) findToken(c *fiber.Ctx) (webhook.Token, error) {
	text := web.Credentials(c, "Bearer")
	if !strings.HasPrefix(text, auth.TokenPrefix) {
		return webhook.Token{}, webhook.ErrNotFound
	}
	return a.Tokens.Find(c.UserContext(), text)
}

// currentToken returns the token of a request, on a route behind [API.Bearer]; the
// request is about the token's account.
func currentToken(c *fiber.Ctx) webhook.Token {
	return c.Locals(tokenKey).(webhook.Token) //nolint:forcetypeassert // Bearer put it there
}

// byToken returns a change that the token's owner makes now.
func byToken(c *fiber.Ctx) webhook.Change {
	return webhook.Change{By: "API token " + currentToken(c).Name, At: time.Now()}
}

// known returns what a draft of the account may select.
func (a *API) known(ctx context.Context, account webhook.AccountID) (webhook.Known, error) {
	return a.Platforms.Known(ctx, a.Store, account, a.Dispatcher.CheckURL)
}

// ShowAccount shows the account of the token.
func (a *API) ShowAccount(c *fiber.Ctx) error {
	account, err := a.Store.Account(c.UserContext(), currentToken(c).Account)
	if err != nil {
		return err
	}
	hooks, err := a.Store.Webhooks(c.UserContext(), account.ID)
	if err != nil {
		return err
	}
	return web.SendJSON(c, http.StatusOK, fiber.Map{
		"number": account.Number, "name": account.Name, "time_zone": account.TimeZone,
		"webhook_limit": account.WebhookLimit, "webhooks_used": webhook.CountAsync(hooks),
	})
}

// timeOrNull returns a time as the API shows it; the zero time is null.
func timeOrNull(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}
