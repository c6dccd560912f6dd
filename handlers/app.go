package handlers

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/middleware/recover"

	"bookhook/platforms"
	"bookhook/static"
	"bookhook/webhook"
)

// Bounds of a request.
const (
	maxBody        = 4 << 20  // bytes of a request body
	maxHeader      = 16 << 10 // bytes of a request's header, which has every cookie of the site
	requestTimeout = 30 * time.Second
)

// Options are what the application needs; all are required but those that say what
// nothing means.
type Options struct {
	Store      Store
	Dispatcher Dispatcher
	BaseURL    string // as people reach Bookhook, without a slash at the end; "" means as each request came
	Version    string
	CookieKey  []byte // 32 bytes that sign the session cookie
	Log        *slog.Logger
	Tries      int                // length of the retry schedule, for the words on a delivery's page
	SetupToken string             // opens /setup while there is no user; "" keeps it shut
	Proxies    []string           // addresses or CIDRs whose X-Forwarded-For is believed
	Platforms  platforms.Registry // nil: all that Bookhook speaks
}

// app holds what the handlers share.
type app struct {
	Options
	sessions *sessionStore
	crossing *http.CrossOriginProtection
	proxies  []netip.Prefix
	logins   *limiter
	clients  *limiter // of the Prioticket-compatible API
	hashing  hashing
	tokens   *tokens
	chunked  *chunked
}

// New returns the application, ready to listen.
func New(o Options) (*fiber.App, error) {
	secure := false
	crossing := http.NewCrossOriginProtection()
	if o.BaseURL != "" {
		base, err := url.Parse(o.BaseURL)
		if err != nil {
			return nil, fmt.Errorf("read the base URL: %w", err)
		}
		secure = base.Scheme == "https"
		if err := crossing.AddTrustedOrigin(base.Scheme + "://" + base.Host); err != nil {
			return nil, fmt.Errorf("read the base URL: %w", err)
		}
	}
	if o.Platforms == nil {
		o.Platforms = platforms.All()
	}
	proxies, err := readProxies(o.Proxies)
	if err != nil {
		return nil, err
	}
	a := &app{
		Options: o, sessions: newSessionStore(o.Store, o.CookieKey, secure), crossing: crossing, proxies: proxies,
		logins: newLimiter(), clients: newLimiter(), hashing: make(hashing, maxHashing), tokens: &tokens{}, chunked: &chunked{},
	}
	f := fiber.New(fiber.Config{
		AppName: "Bookhook", DisableStartupMessage: true, Immutable: true, CaseSensitive: true,
		BodyLimit: maxBody, ReadBufferSize: maxHeader, DisablePreParseMultipartForm: true,
		ReadTimeout: requestTimeout, WriteTimeout: 2 * requestTimeout, IdleTimeout: 2 * time.Minute,
		ErrorHandler:            a.fail,
		EnableTrustedProxyCheck: true, TrustedProxies: o.Proxies, // for the scheme and the host; the address is clientIP's
	})
	f.Server().HeaderReceived = a.chunked.note
	f.Use(nameRequest)
	f.Use(a.secureHeaders(secure))
	f.Use(recover.New(recover.Config{EnableStackTrace: true, StackTraceHandler: a.logPanic}))
	f.Use(deadline, a.plainAddress, plainBody)
	a.routes(f)
	return f, nil
}

const requestIDKey = "request"

// nameRequest gives the request the id under which the log has it. One that the
// client sent is not taken over: it could be anything, and anybody's.
func nameRequest(c *fiber.Ctx) error {
	id := rand.Text()
	c.Locals(requestIDKey, id)
	c.Set(fiber.HeaderXRequestID, id)
	return c.Next()
}

// plainBody refuses a compressed body: a small one can unpack to more than there
// is memory, and what reads bodies would unpack it without asking.
func plainBody(c *fiber.Ctx) error {
	for _, encoding := range c.Request().Header.PeekAll(fiber.HeaderContentEncoding) {
		if len(encoding) > 0 && !strings.EqualFold(string(encoding), "identity") {
			return unsupported("Send the body as it is, without a Content-Encoding.")
		}
	}
	return c.Next()
}

// deadline bounds what a request may take; fiber's own context has no end.
func deadline(c *fiber.Ctx) error {
	ctx, cancel := context.WithTimeout(c.UserContext(), requestTimeout)
	defer cancel()
	c.SetUserContext(ctx)
	return c.Next()
}

// contentPolicy allows nothing but what Bookhook itself serves.
const contentPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

func (a *app) secureHeaders(https bool) fiber.Handler {
	return func(c *fiber.Ctx) error {
		h := &c.Response().Header
		h.Set(fiber.HeaderContentSecurityPolicy, contentPolicy)
		h.Set(fiber.HeaderXContentTypeOptions, "nosniff")
		h.Set(fiber.HeaderXFrameOptions, "DENY")
		h.Set(fiber.HeaderReferrerPolicy, "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set(fiber.HeaderPermissionsPolicy, "camera=(), geolocation=(), microphone=()")
		h.Set(fiber.HeaderCacheControl, "no-store")
		if https {
			h.Set(fiber.HeaderStrictTransportSecurity, "max-age=31536000")
		}
		return c.Next()
	}
}

func (a *app) showStatic(c *fiber.Ctx) error {
	f, ok := static.Lookup(c.Params("name"))
	if !ok {
		return fiber.ErrNotFound
	}
	c.Set(fiber.HeaderCacheControl, "public, max-age=31536000, immutable")
	c.Set(fiber.HeaderContentType, f.Type)
	return c.Send(f.Body)
}

// showHealth answers 200 when the database answers and the dispatcher is alive.
func (a *app) showHealth(c *fiber.Ctx) error {
	if err := a.ping(c.UserContext()); err != nil && !errors.Is(err, webhook.ErrBusy) { // much to do is no illness
		if down, ok := errors.AsType[webhook.Unavailable](err); ok {
			return unavailable(down.What, err)
		}
		return unavailable("the database does not answer", err)
	}
	if !a.Dispatcher.Alive() {
		return unavailable("the dispatcher is not running", errors.New("dispatcher is not alive"))
	}
	return c.JSON(fiber.Map{"status": "ok", "version": a.Version})
}

// healthTime is how long the database may take to answer; less than whoever
// asks for the health waits.
const healthTime = 3 * time.Second

func (a *app) ping(ctx context.Context) error {
	answer := make(chan error, 1)
	go func() { answer <- a.Store.Ping(ctx) }()
	select {
	case err := <-answer:
		return err
	case <-time.After(healthTime):
		return fmt.Errorf("no answer within %s", healthTime)
	}
}
