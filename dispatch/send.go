package dispatch

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/http/httptrace"
	"runtime/debug"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"bookhook/dispatch/guard"
	"bookhook/platforms"
	"bookhook/webhook"
)

// maxDrain is how many bytes of a body are read beyond what is kept, so that the
// connection can be used again.
const maxDrain = 256 << 10

// sender makes the requests of deliveries.
type sender struct {
	transport *http.Transport
	platforms platforms.Registry
	log       *slog.Logger
	userAgent string
	limits    limits
}

// limits bound one attempt.
type limits struct {
	timeout time.Duration // in all
	connect time.Duration // of the connection, and again of the TLS handshake
	inline  bool          // of an inline call: the timeout is the webhook's own
}

func newSender(o Options) *sender {
	s := &sender{
		platforms: o.Platforms, log: o.Log, userAgent: "bookhook/" + cmp.Or(o.Version, "dev"),
		limits: limits{timeout: o.Timeout, connect: o.Connect},
	}
	s.transport = guard.NewTransport(guard.TransportOptions{
		Guard: o.Guard, Connect: o.Connect, Timeout: o.Timeout, RootCAs: o.RootCAs,
		Connections: guard.NewConnections(o.MaxConnections, func() { s.transport.CloseIdleConnections() }),
	})
	return s
}

// attemptResult is an attempt and what the dispatcher needs to know about it.
type attemptResult struct {
	webhook.Attempt
	retryAfter time.Duration // the pause that the receiver asked for
	cutOff     bool          // at shutdown: it does not count as an attempt
	begun      *atomic.Bool  // bytes of a response arrived
}

// fail records why the attempt failed.
func (a *attemptResult) fail(err error) {
	a.Failure, a.Error = guard.Classify(err)
	if a.RemoteAddr == "" {
		a.RemoteAddr = guard.DialledAddr(err)
	}
}

// send makes one attempt to deliver.
func (s *sender) send(ctx context.Context, job *webhook.Job) attemptResult {
	return s.attempt(ctx, job, s.limits, func() (platforms.Request, error) {
		return s.platforms.Write(job.Webhook, job.Account, job.Event), nil
	})
}

// attempt sends the request that write returns. It returns within the timeout, or
// soon after ctx ends.
func (s *sender) attempt(ctx context.Context, job *webhook.Job, l limits, write func() (platforms.Request, error)) (a attemptResult) {
	a.Number, a.StartedAt, a.begun = job.Delivery.Attempts, time.Now(), new(atomic.Bool)
	defer func() {
		if p := recover(); p != nil {
			s.log.Error("panic while sending", "delivery", job.Delivery.ID.String(), "panic", p, "stack", string(debug.Stack()))
			a.fail(webhook.NewMessage("attempt.bug"))
		}
		a.Duration = time.Since(a.StartedAt)
	}()
	limited, cancel := context.WithTimeout(ctx, l.timeout)
	defer cancel()
	wire, err := write()
	if err != nil {
		a.fail(err)
		return a
	}
	request, err := s.request(limited, job, wire, &a)
	if err != nil {
		a.fail(err)
		return a
	}
	if err := s.exchange(request, job.Webhook.Name, wire, l, &a); err != nil {
		_, complete := errors.AsType[guard.StatusError](err)
		a.cutOff = !complete && ctx.Err() != nil
		a.fail(err)
	}
	return a
}

// exchange sends the request to the webhook of that name, and reads the response
// into a. It returns a [guard.RequestError] if there is no complete response, and
// a [guard.StatusError] if the response is not a success. A success whose body is
// cut short remains one, with a remark in a: the receiver has the event, and must
// not get it again. Only the answer to an inline call says in its body what it
// means.
func (s *sender) exchange(request *http.Request, receiver string, wire platforms.Request, l limits, a *attemptResult) error {
	failed := guard.RequestError{Host: request.URL.Host, Timeout: l.timeout, Connect: l.connect, Inline: l.inline}
	response, err := s.transport.RoundTrip(request)
	if err != nil {
		failed.Err, failed.Begun = err, a.begun.Load()
		return failed
	}
	defer response.Body.Close()
	failed.Begun = true
	if response.StatusCode < 100 { // net/http accepts 000 and +12
		failed.Err = fmt.Errorf("malformed HTTP status code %q", response.Status)
		return failed
	}
	a.Status, a.ResponseHeaders = response.StatusCode, response.Header
	a.ResponseBody, a.Truncated, err = readBody(response)
	succeeded := wire.Succeeded(a.Status)
	if err != nil {
		failed.Err, failed.InBody = err, true
		if l.inline || !succeeded {
			return failed
		}
		a.Error = guard.BodyRemark(failed, a.Status)
	}
	if succeeded {
		return nil
	}
	if a.Status == http.StatusTooManyRequests || a.Status == http.StatusServiceUnavailable {
		a.retryAfter = ParseRetryAfter(response.Header.Get("Retry-After"), time.Now())
	}
	return guard.StatusError{
		Receiver: cmp.Or(receiver, "The receiver"), Status: a.Status, Location: response.Header.Get("Location"), Method: wire.Method, Only200: wire.Only200, Inline: l.inline,
	}
}

// readBody reads the part of the body that is kept, and discards a bounded rest.
// It returns what it read even if that fails. After a change of protocol there is
// no body but the bare connection, which net/http reads without a deadline.
func readBody(response *http.Response) (body []byte, truncated bool, err error) {
	if response.Body == http.NoBody || response.StatusCode == http.StatusSwitchingProtocols {
		return nil, false, nil
	}
	body, err = io.ReadAll(io.LimitReader(response.Body, webhook.MaxStoredBody+1))
	if len(body) <= webhook.MaxStoredBody {
		return body, false, err
	}
	_, _ = io.CopyN(io.Discard, response.Body, maxDrain) // if it fails, the connection is not used again
	return body[:webhook.MaxStoredBody], true, nil
}

// request builds the request and records in a what is sent.
func (s *sender) request(ctx context.Context, job *webhook.Job, wire platforms.Request, a *attemptResult) (*http.Request, error) {
	a.Method, a.URL, a.RequestBody = wire.Method, wire.URL, wire.Body
	signature, err := webhook.Sign(job.Webhook.Secrets(a.StartedAt), job.Delivery.ID.String(), a.StartedAt, wire.Signed)
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, wire.Method, wire.URL, bytes.NewReader(wire.Body))
	if err != nil {
		return nil, err
	}
	if request.URL.Host == "" || !strings.HasPrefix(request.URL.Scheme, "http") {
		return nil, fmt.Errorf("%.200q is not a URL that can be called", wire.URL)
	}
	a.URL = request.URL.String()
	a.RequestHeaders = s.headers(job, wire, request, a, signature)
	request.Header = maps.Clone(a.RequestHeaders)
	if len(wire.Body) > 0 {
		// This tells net/http that a POST may be repeated if a kept connection
		// turns out to be closed; a nil value is not sent.
		request.Header["X-Idempotency-Key"] = nil
	}
	if job.Webhook.Basic != "" {
		request.Header["Authorization"] = []string{"Basic " + job.Webhook.Basic}
		a.RequestHeaders["Authorization"] = []string{webhook.HiddenBasic}
	}
	return request.WithContext(httptrace.WithClientTrace(ctx, trace(a, request.URL.Port() != ""))), nil
}

// headers returns all headers that are sent. net/http writes Host and
// Content-Length itself, with these values, and ignores those given here.
func (s *sender) headers(job *webhook.Job, wire platforms.Request, request *http.Request, a *attemptResult, signature string) http.Header {
	h := http.Header{
		"Host":              {request.URL.Host},
		"Accept":            {"*/*"}, // some firewalls refuse requests without it
		"User-Agent":        {s.userAgent},
		"Webhook-Id":        {job.Delivery.ID.String()},
		"Webhook-Timestamp": {strconv.FormatInt(a.StartedAt.Unix(), 10)},
		"Webhook-Signature": {signature},
		"Bookhook-Attempt":  {strconv.Itoa(a.Number)},
		"Bookhook-Sequence": {strconv.FormatInt(int64(job.Delivery.ID), 10)},
	}
	if job.Delivery.Test {
		h["Bookhook-Test"] = []string{"true"}
	}
	if request.ContentLength > 0 {
		h["Content-Length"] = []string{strconv.FormatInt(request.ContentLength, 10)}
	}
	maps.Copy(h, wire.Header)
	return h
}

// trace records the address that is called, whether a response began, and for an
// internationalised name the host as it is sent. net/http calls these functions in
// the goroutine of RoundTrip, before it writes the request, except for that of the
// first byte.
func trace(a *attemptResult, withPort bool) *httptrace.ClientTrace {
	begun := a.begun // net/http's reader may outlive the attempt, and must not keep it alive
	t := &httptrace.ClientTrace{
		GotConn:              func(info httptrace.GotConnInfo) { a.RemoteAddr = info.Conn.RemoteAddr().String() },
		GotFirstResponseByte: func() { begun.Store(true) },
	}
	host := a.RequestHeaders["Host"]
	if !strings.ContainsFunc(host[0], func(r rune) bool { return r > 127 }) {
		return t
	}
	t.GetConn = func(address string) {
		host[0] = address
		if name, _, err := net.SplitHostPort(address); err == nil && !withPort {
			host[0] = name
		}
	}
	return t
}
