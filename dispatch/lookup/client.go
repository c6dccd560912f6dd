package lookup

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"bookhook/dispatch/guard"
	"bookhook/platforms"
	"bookhook/webhook"
)

// Bounds of a response.
const (
	maxResponse = 4 << 20 // bytes of the body that are read
	MaxRead     = 8 << 20 // bytes that it may take on the wire
)

// Client makes requests to the platforms' APIs, each on a new connection: one is
// never repeated but by [Queue], which logs it.
type Client struct {
	Transport *guard.Transport
	Platforms platforms.Registry
	UserAgent string           // for requests of a platform that sets none
	Instance  webhook.Instance // for the path of the event that a request is about
	Log       *slog.Logger     // one line for each request
}

// response is the response of a platform.
type response struct {
	requestedAt time.Time
	duration    time.Duration
	status      int
	body        []byte
}

// attributes are what the log says about a request: neither the URL nor a
// header, which may be secret.
func (r response) attributes(err error) []slog.Attr {
	reason := ""
	if err != nil {
		reason = err.Error()
	}
	return []slog.Attr{slog.Int("status", r.status), slog.Int64("ms", r.duration.Milliseconds()), slog.String("reason", reason)}
}

// fetch makes one request, which ends with ctx; via is the path of the event that it
// is about, "" for none. Its error is a
// [platforms.Unanswered]; what the status means is up to the platform.
func (c *Client) fetch(ctx context.Context, wire platforms.Request, via string) (r response, err error) {
	r.requestedAt = time.Now()
	defer func() { r.duration = time.Since(r.requestedAt) }()
	request, err := guard.NewRequest(ctx, wire.Method, wire.URL, wire.Body)
	if err != nil {
		return r, unanswered("lookup.address")
	}
	request.Header = http.Header{"User-Agent": {c.UserAgent}, "Accept": {"*/*"}}
	if via != "" { // the API may be a Bookhook, for which a request is an event
		request.Header[webhook.ViaHeader] = []string{via}
	}
	maps.Copy(request.Header, wire.Header)
	response, err := c.Transport.RoundTrip(request)
	if err != nil {
		return r, platforms.Unanswered{Why: transportMessage(request, err, r.requestedAt)}
	}
	defer response.Body.Close()
	r.status = response.StatusCode
	r.body, err = io.ReadAll(io.LimitReader(response.Body, maxResponse+1))
	switch {
	case err != nil:
		return r, platforms.Unanswered{Why: transportMessage(request, err, r.requestedAt)}
	case len(r.body) > maxResponse:
		return r, unanswered("lookup.too_large", maxResponse>>20)
	case r.status >= 300 && r.status <= 399:
		return r, unanswered("lookup.redirect", guard.StatusText(r.status))
	}
	return r, nil
}

// transportMessage is a phrase for why there was no complete response.
func transportMessage(request *http.Request, err error, since time.Time) webhook.Message {
	host := request.URL.Host
	reason, _ := guard.Classify(guard.RequestError{Err: err, Host: host})
	switch reason {
	case webhook.FailInternal: // see guard.ErrNoPlace
		return webhook.NewMessage("lookup.no_place")
	case webhook.FailBlocked:
		blocked, _ := errors.AsType[*guard.BlockedError](err)
		if !guard.IsAddress(host) {
			return webhook.NewMessage("lookup.blocked_name", host).Because(blocked.Kind.Message())
		}
		return webhook.NewMessage("lookup.blocked", blocked.Addr).Because(blocked.Kind.Message())
	case webhook.FailDNS:
		return webhook.NewMessage("lookup.dns", quote(request.URL.Hostname()))
	case webhook.FailTLS:
		return webhook.NewMessage("lookup.tls", host)
	case webhook.FailRefused:
		return webhook.NewMessage("lookup.refused", host)
	case webhook.FailTimeout:
		return webhook.NewMessage("lookup.timeout", host, time.Since(since).Round(100*time.Millisecond))
	}
	return webhook.NewMessage("lookup.network", host)
}

// unanswered returns an error that says why a platform did not answer.
func unanswered(code string, args ...any) platforms.Unanswered {
	return platforms.Unanswered{Why: webhook.NewMessage(code, args...)}
}

// platformError converts an error of a platform's package about a request or a
// response.
func platformError(err error) platforms.Unanswered {
	if m, ok := errors.AsType[webhook.Message](err); ok {
		return platforms.Unanswered{Why: m}
	}
	return unanswered("lookup.other", strings.TrimSuffix(quote(err.Error()), "."))
}

func quote(text string) string { return webhook.Quote(text, 300) }

// recoverPanic turns a panic in a platform's package into an error; it is
// deferred.
func (c *Client) recoverPanic(err *error) {
	if p := recover(); p != nil {
		c.Log.Error("panic in a platform's package", "panic", p, "stack", string(debug.Stack()))
		*err = unanswered("lookup.bug")
	}
}

// whyOf returns the message of an error of fetch or recoverPanic.
func whyOf(err error) webhook.Message {
	u, _ := errors.AsType[platforms.Unanswered](err)
	return u.Why
}
