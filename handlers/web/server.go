package web

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"time"

	"github.com/gofiber/fiber/v2"
	recovery "github.com/gofiber/fiber/v2/middleware/recover"
	"github.com/valyala/fasthttp"

	"bookhook/webhook"
)

// Bounds of a request.
const (
	RequestTimeout = 30 * time.Second // of reading a request, and again of handling it
	maxHeader      = 16 << 10         // bytes of a request's header, which can have cookies of other sites on the domain
)

// Server has what all requests share.
type Server struct {
	baseURL string
	support webhook.Support
	secure  bool // the base URL has the scheme https
	proxies []netip.Prefix
	origins *http.CrossOriginProtection
	bodies  budget
	exports *webhook.Turns
}

// NewServer returns a server. baseURL is how people reach Bookhook, without a slash
// at the end; "" means the address of each request. The X-Forwarded headers of the
// proxies are trusted.
func NewServer(baseURL string, support webhook.Support, proxies []netip.Prefix) (*Server, error) {
	s := &Server{
		baseURL: baseURL, support: support, proxies: proxies, origins: http.NewCrossOriginProtection(),
		bodies: budget{shares: map[sender]int{}}, exports: webhook.NewTurns(maxExports, maxExportsAccount),
	}
	if baseURL == "" {
		return s, nil
	}
	base, err := url.Parse(baseURL)
	if err != nil {
		return nil, fmt.Errorf("read the base URL: %w", err)
	}
	s.secure = base.Scheme == "https"
	if err := s.origins.AddTrustedOrigin(base.Scheme + "://" + base.Host); err != nil {
		return nil, fmt.Errorf("read the base URL: %w", err)
	}
	return s, nil
}

// Hooks are what the middleware leaves to the application.
type Hooks struct {
	Fail     fiber.ErrorHandler            // shows the error of a handler
	Panicked func(c *fiber.Ctx, cause any) // logs a panic
}

// App returns a Fiber application without routes.
func (s *Server) App(h Hooks) *fiber.App {
	f := fiber.New(fiber.Config{
		AppName: "Bookhook", DisableStartupMessage: true, Immutable: true, CaseSensitive: true,
		StreamRequestBody: true, BodyLimit: 1, // what fasthttp reads of a body before a handler runs
		ReadBufferSize: maxHeader, DisablePreParseMultipartForm: true, ReduceMemoryUsage: true,
		ReadTimeout: RequestTimeout, WriteTimeout: 2 * RequestTimeout, IdleTimeout: 2 * time.Minute,
		ErrorHandler:            failed(h.Fail, h.Panicked),
		EnableTrustedProxyCheck: true, TrustedProxies: texts(s.proxies), // for the scheme and the host; the address is ClientIP's
	})
	f.Server().ConnState, f.Server().Handler = trackIdle, knownMethods(f, f.Server().Handler)
	f.Use(s.setRequestID, recovery.New(recovery.Config{EnableStackTrace: true, StackTraceHandler: h.Panicked}))
	f.Use(s.holdBody, s.secureHeaders, strict, deadline)
	return f
}

// knownMethods refuses methods that HTTP does not have. Fiber would do so with words of
// its own before any middleware runs, and keep the connection, with a body that nobody
// has looked at.
func knownMethods(f *fiber.App, next fasthttp.RequestHandler) fasthttp.RequestHandler {
	return func(ctx *fasthttp.RequestCtx) {
		switch string(ctx.Method()) {
		case fiber.MethodGet, fiber.MethodHead, fiber.MethodPost, fiber.MethodPut, fiber.MethodDelete,
			fiber.MethodConnect, fiber.MethodOptions, fiber.MethodTrace, fiber.MethodPatch:
			next(ctx)
			return
		}
		c := f.AcquireCtx(ctx)
		defer f.ReleaseCtx(c)
		ctx.SetConnectionClose()
		if err := f.ErrorHandler(c, fiber.ErrBadRequest); err != nil {
			c.Status(fiber.StatusInternalServerError)
		}
	}
}

// trackIdle tells a connection that can be idle, such as a *accept.Conn, whether it
// is. An idle one has nothing left to read when it is closed.
func trackIdle(conn net.Conn, state fasthttp.ConnState) {
	c, ok := conn.(interface {
		SetIdle(idle bool)
		SetLinger(linger bool)
	})
	switch {
	case !ok:
	case state == fasthttp.StateIdle:
		c.SetLinger(false)
		c.SetIdle(true)
	case state == fasthttp.StateActive:
		c.SetIdle(false)
	}
}

// failed lets fail show an error. If the request could not be read, its connection
// is closed after the response, and what else the client sends is dropped.
func failed(fail fiber.ErrorHandler, panicked func(c *fiber.Ctx, cause any)) fiber.ErrorHandler {
	return func(c *fiber.Ctx, err error) (failed error) {
		defer func() { // Fiber does not recover from a panic here
			if cause := recover(); cause != nil {
				panicked(c, cause)
				failed = fiber.ErrInternalServerError
			}
		}()
		if Unread(c) {
			setLinger(c, true)
			if errors.Is(err, fiber.ErrBadGateway) { // Fiber's word for a client that went away
				err = fiber.ErrBadRequest
			}
		}
		return fail(c, err)
	}
}

// Unread reports whether the header of the request could not be read; then no
// middleware has run, and its address is not known.
func Unread(c *fiber.Ctx) bool { return RequestID(c) == "" }

// BaseURL returns how people reach Bookhook, without a slash at the end.
func (s *Server) BaseURL(c *fiber.Ctx) string { return cmp.Or(s.baseURL, c.BaseURL()) }

// Support returns whom people ask for a higher limit.
func (s *Server) Support() webhook.Support { return s.support }

// Secure reports whether cookies are for HTTPS only.
func (s *Server) Secure() bool { return s.secure }

// SameOrigin refuses requests that a browser sends on behalf of another site, by
// the headers Sec-Fetch-Site and Origin.
func (s *Server) SameOrigin(c *fiber.Ctx) error {
	if err := s.origins.Check(httpRequest(c)); err != nil {
		return &Problem{
			Type: "cross-origin", Title: "This came from another site", Status: http.StatusForbidden, Cause: err,
			Meaning: "Nothing was changed, and no booking is affected.", Next: "Open Bookhook in this browser and do it there.",
		}
	}
	return c.Next()
}

const requestIDKey = "request"

// setRequestID gives the request an id for the log. An id from the client is not
// used: it could be anything.
func (s *Server) setRequestID(c *fiber.Ctx) error {
	id := rand.Text()
	c.Locals(requestIDKey, id)
	c.Set(fiber.HeaderXRequestID, id)
	return c.Next()
}

// RequestID returns the id of the request in the log; "" if the server refused it
// before the middleware ran.
func RequestID(c *fiber.Ctx) string {
	id, _ := c.Locals(requestIDKey).(string)
	return id
}

// deadline limits how long handling a request may take; Fiber's own context never
// ends.
func deadline(c *fiber.Ctx) error {
	ctx, cancel := context.WithTimeout(c.UserContext(), RequestTimeout)
	defer cancel()
	c.SetUserContext(ctx)
	return c.Next()
}

// contentPolicy allows only what Bookhook itself serves.
const contentPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

func (s *Server) secureHeaders(c *fiber.Ctx) error {
	h := &c.Response().Header
	h.Set(fiber.HeaderContentSecurityPolicy, contentPolicy)
	h.Set(fiber.HeaderXContentTypeOptions, "nosniff")
	h.Set(fiber.HeaderXFrameOptions, "DENY")
	h.Set(fiber.HeaderReferrerPolicy, "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set(fiber.HeaderPermissionsPolicy, "camera=(), geolocation=(), microphone=()")
	h.Set(fiber.HeaderCacheControl, "no-store")
	if s.secure {
		h.Set(fiber.HeaderStrictTransportSecurity, "max-age=31536000")
	}
	return c.Next()
}

// httpRequest returns a request for libraries that use net/http; nothing in it
// refers to fasthttp's memory.
func httpRequest(c *fiber.Ctx) *http.Request {
	header := http.Header{}
	for _, name := range []string{"Cookie", "Origin", "Sec-Fetch-Site"} {
		if value := c.Get(name); value != "" {
			header.Set(name, value)
		}
	}
	r := &http.Request{Method: c.Method(), Host: string(c.Request().Host()), Header: header}
	return r.WithContext(context.WithoutCancel(c.UserContext()))
}

func texts(prefixes []netip.Prefix) []string {
	all := make([]string, len(prefixes))
	for i, p := range prefixes {
		all[i] = p.String()
	}
	return all
}
