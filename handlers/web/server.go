package web

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/middleware/recover"

	"bookhook/webhook"
)

// Bounds of a request.
const (
	MaxBody        = 4 << 20          // bytes of a request body
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
	heads   heads
}

// NewServer returns a server. baseURL is how people reach Bookhook, without a slash
// at the end; "" means the address of each request. The X-Forwarded headers of the
// proxies are trusted. The heads of requests to the paths that keepHead reports are
// remembered until the body has been read, for those whose body is too large.
func NewServer(baseURL string, support webhook.Support, proxies []netip.Prefix, keepHead func(path string) bool) (*Server, error) {
	s := &Server{baseURL: baseURL, support: support, proxies: proxies, origins: http.NewCrossOriginProtection(), heads: heads{keep: keepHead}}
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
	Fail       fiber.ErrorHandler                     // shows the error of a handler
	Panicked   func(c *fiber.Ctx, cause any)          // logs a panic
	BadAddress func(c *fiber.Ctx, query string) error // handles an address that cannot be read
}

// App returns a Fiber application without routes.
func (s *Server) App(h Hooks) *fiber.App {
	f := fiber.New(fiber.Config{
		AppName: "Bookhook", DisableStartupMessage: true, Immutable: true, CaseSensitive: true,
		BodyLimit: MaxBody, ReadBufferSize: maxHeader, DisablePreParseMultipartForm: true,
		ReadTimeout: RequestTimeout, WriteTimeout: 2 * RequestTimeout, IdleTimeout: 2 * time.Minute,
		ErrorHandler:            h.Fail,
		EnableTrustedProxyCheck: true, TrustedProxies: texts(s.proxies), // for the scheme and the host; the address is ClientIP's
	})
	f.Server().HeaderReceived = s.heads.remember
	f.Use(s.setRequestID, s.secureHeaders)
	f.Use(recover.New(recover.Config{EnableStackTrace: true, StackTraceHandler: h.Panicked}))
	f.Use(deadline, checkAddress(h.BadAddress), checkEncoding)
	return f
}

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
	s.heads.take(c) // the body was read
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

// checkAddress refuses an address that fasthttp cannot read: it has control
// characters, or the Host header is invalid. fasthttp would treat it as that of the
// start page.
func checkAddress(bad func(c *fiber.Ctx, query string) error) fiber.Handler {
	return func(c *fiber.Ctx) error {
		if len(c.Request().URI().PathOriginal()) > 0 {
			return c.Next()
		}
		path, query, _ := strings.Cut(string(c.Request().Header.RequestURI()), "?")
		c.Path(path) // for the response and the log
		return bad(c, query)
	}
}

// checkEncoding refuses a compressed body: a small one can decompress to more than
// fits into memory, and Fiber would decompress it.
func checkEncoding(c *fiber.Ctx) error {
	for _, encoding := range c.Request().Header.PeekAll(fiber.HeaderContentEncoding) {
		if len(encoding) > 0 && !strings.EqualFold(string(encoding), "identity") {
			return Unsupported("Send the body as it is, without a Content-Encoding.")
		}
	}
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
