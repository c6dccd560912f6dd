package handlers

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"runtime/debug"
	"strings"

	"github.com/gofiber/fiber/v2"

	"bookhook/auth"
	"bookhook/handlers/api"
	"bookhook/handlers/inbound"
	"bookhook/handlers/pages"
	"bookhook/handlers/prio"
	"bookhook/handlers/web"
	"bookhook/live"
	"bookhook/platforms"
	"bookhook/webhook"
)

// Store is what each surface needs of the database; *db.Store is all of them.
type Store struct {
	API      api.Store
	Health   HealthStore
	Inbound  inbound.Store
	Pages    pages.Store
	Prio     prio.Store
	Sessions web.SessionStore
	Tokens   auth.TokenStore
}

// Dispatcher is what the surfaces need of the dispatcher; *dispatch.Dispatcher is
// one.
type Dispatcher interface {
	api.Dispatcher
	inbound.Dispatcher
	pages.Dispatcher
	prio.Dispatcher
	// Alive reports whether the dispatcher is running.
	Alive() bool
}

// Planner plans bulk replays; *replay.Planner is one.
type Planner interface {
	api.Planner
	pages.Planner
}

// Options are what the application needs; all are required except those whose
// comment says what the zero value means.
type Options struct {
	Store       Store
	Dispatcher  Dispatcher
	Planner     Planner
	Reconciler  pages.Reconciler
	Mailer      pages.Mailer // nil: no e-mail is sent
	Platforms   platforms.Registry
	BaseURL     string          // as people reach Bookhook, without a slash at the end; "" means the address of each request
	Support     webhook.Support // whom people ask for a higher limit
	Version     string
	Instance    webhook.Instance // for the path of each event
	CookieKey   []byte           // 32 bytes that sign the session cookie
	StopKey     []byte           // of the links in messages that end them
	Log         *slog.Logger
	MaxAttempts int            // of a delivery: the length of the retry schedule
	SetupToken  string         // opens /setup while there is no user; "" keeps it shut
	Proxies     []netip.Prefix // whose X-Forwarded headers are trusted
}

// app has the four surfaces and what they share.
type app struct {
	server     *web.Server
	pages      *pages.Pages
	api        *api.API
	inbound    *inbound.Inbound
	prio       *prio.Prio
	health     HealthStore
	dispatcher Dispatcher
	version    string
	log        *slog.Logger
}

// New returns the application, ready to listen. It fails if the base URL is not
// valid.
func New(o Options) (*fiber.App, error) {
	server, err := web.NewServer(o.BaseURL, o.Support, o.Proxies)
	if err != nil {
		return nil, err
	}
	tokens := auth.NewTokens(o.Store.Tokens)
	a := &app{
		server: server, health: o.Store.Health, dispatcher: o.Dispatcher, version: o.Version, log: o.Log,
		pages: pages.New(pages.Options{
			Store: o.Store.Pages, Dispatcher: o.Dispatcher, Planner: o.Planner, Reconciler: o.Reconciler, Mailer: o.Mailer, StopKey: o.StopKey,
			Server: server, Tokens: tokens, Platforms: o.Platforms, Version: o.Version,
			Live:        live.NewHub(o.Store.Pages),
			Sessions:    web.NewSessions(o.Store.Sessions, o.CookieKey, server.Secure()),
			MaxAttempts: o.MaxAttempts, SetupToken: o.SetupToken, TokenPath: prio.Path(prio.Newest) + prio.TokenPath,
		}),
		api: api.New(api.Options{
			Store: o.Store.API, Dispatcher: o.Dispatcher, Planner: o.Planner, Server: server, Tokens: tokens, Platforms: o.Platforms, Instance: o.Instance, Log: o.Log,
		}),
		inbound: inbound.New(inbound.Options{
			Store: o.Store.Inbound, Dispatcher: o.Dispatcher, Server: server, Platforms: o.Platforms, Instance: o.Instance, Log: o.Log,
		}),
		prio: prio.New(prio.Options{Store: o.Store.Prio, Dispatcher: o.Dispatcher, Server: server, Platforms: o.Platforms, Instance: o.Instance}),
	}
	f := server.App(web.Hooks{Fail: a.fail, Panicked: a.logPanic})
	a.routes(f)
	return f, nil
}

// fail handles every error of a handler: it logs those of Bookhook itself, and lets
// the surface to which the address belongs send the response.
func (a *app) fail(c *fiber.Ctx, err error) error {
	p := a.server.Failed(c, err)
	path := ""
	if !web.Unread(c) {
		path = c.Path()
	}
	switch {
	case p.Status == http.StatusLoopDetected:
		a.log.Warn("an event came back and was refused", "request_id", p.RequestID, "path", a.inbound.LoggedPath(path))
		c.Set(webhook.LoopHeader, "true")
	case p.Status >= http.StatusInternalServerError:
		a.log.Error("request failed", "request_id", p.RequestID, "method", c.Method(), "path", a.inbound.LoggedPath(path), "status", p.Status, "error", err)
		c.Set(fiber.HeaderRetryAfter, "5")
	}
	switch {
	case prio.Owns(path):
		return a.prio.ShowError(c, p)
	case strings.HasPrefix(path, inbound.Path):
		return web.SendProblem(c, p)
	case path == "", strings.HasPrefix(path, "/api/"), path == "/healthz", path == "/readyz": // "": no browser sends what cannot be read
		return a.api.ShowError(c, p)
	}
	return a.pages.ShowError(c, p)
}

func (a *app) logPanic(c *fiber.Ctx, cause any) {
	a.log.Error("panic in a handler", "request_id", web.RequestID(c), "path", a.inbound.LoggedPath(c.Path()), "panic", fmt.Sprint(cause), "stack", string(debug.Stack()))
}
