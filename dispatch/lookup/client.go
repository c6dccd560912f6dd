package lookup

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"bookhook/dispatch/guard"
	"bookhook/platforms"
	"bookhook/webhook"
)

// maxResponse is the most bytes of a response that are read.
const maxResponse = 4 << 20

// Client makes requests to the platforms' APIs.
type Client struct {
	Transport http.RoundTripper // with the address guard
	Platforms platforms.Registry
	UserAgent string       // for requests of a platform that sets none
	Log       *slog.Logger // one line for each request
}

// response is what a platform answered.
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

// fetch makes one request, which ends with ctx. Its error is a
// [webhook.Unanswered]; what the status means is up to the platform.
func (c *Client) fetch(ctx context.Context, wire webhook.Request) (r response, err error) {
	r.requestedAt = time.Now()
	defer func() { r.duration = time.Since(r.requestedAt) }()
	request, err := http.NewRequestWithContext(ctx, wire.Method, wire.URL, bytes.NewReader(wire.Body))
	if err != nil || request.URL.Host == "" || !strings.HasPrefix(request.URL.Scheme, "http") {
		return r, unanswered(errors.New("its address cannot be called"))
	}
	maps.Copy(request.Header, wire.Header)
	if request.Header.Get("User-Agent") == "" {
		request.Header.Set("User-Agent", c.UserAgent)
	}
	answer, err := c.Transport.RoundTrip(request)
	if err != nil {
		return r, unanswered(errors.New(transportErrorText(request, err, r.requestedAt)))
	}
	defer answer.Body.Close()
	r.status = answer.StatusCode
	r.body, err = io.ReadAll(io.LimitReader(answer.Body, maxResponse+1))
	switch {
	case err != nil:
		return r, unanswered(errors.New(transportErrorText(request, err, r.requestedAt)))
	case len(r.body) > maxResponse:
		return r, unanswered(fmt.Errorf("its answer is larger than %d MiB", maxResponse>>20))
	case r.status >= 300 && r.status <= 399:
		return r, unanswered(fmt.Errorf("it answered %s, a redirect, which Bookhook does not follow", guard.StatusText(strconv.Itoa(r.status))))
	}
	return r, nil
}

// transportErrorText is a phrase for why there was no complete response.
func transportErrorText(request *http.Request, err error, since time.Time) string {
	host := request.URL.Host
	switch reason, _, _ := guard.Classify(guard.RequestError{Err: err, Host: host}); reason {
	case webhook.FailBlocked:
		blocked, _ := errors.AsType[*guard.BlockedError](err)
		return fmt.Sprintf("Bookhook does not call %s, which is %s; ask the person who runs this Bookhook to allow it", blocked.Addr, blocked.Kind)
	case webhook.FailDNS:
		return fmt.Sprintf("the name %s could not be looked up", guard.Quote(request.URL.Hostname()))
	case webhook.FailTLS:
		return "no secure connection to " + host + " could be made"
	case webhook.FailRefused:
		return host + " refused the connection"
	case webhook.FailTimeout:
		return fmt.Sprintf("%s gave no complete answer within %s", host, time.Since(since).Round(100*time.Millisecond))
	}
	return "the connection to " + host + " broke before the answer was complete"
}

// unanswered turns what a platform's package reports into a phrase.
func unanswered(err error) error {
	return webhook.Unanswered{Reason: strings.TrimSuffix(guard.Quote(err.Error()), ".")}
}

// recoverPanic turns a panic in a platform's package into an error; it is
// deferred.
func (c *Client) recoverPanic(err *error) {
	if p := recover(); p != nil {
		c.Log.Error("panic in a platform's package", "panic", p, "stack", string(debug.Stack()))
		*err = webhook.Unanswered{Reason: "there is a mistake in Bookhook, which its log has"}
	}
}
