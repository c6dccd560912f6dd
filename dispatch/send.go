package dispatch

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"runtime/debug"
	"strconv"
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
	transport   *guard.Transport
	connections *guard.Connections // of all transports; only those of this one are kept
	platforms   platforms.Registry
	log         *slog.Logger
	userAgent   string
	instance    webhook.Instance
	limits      limits
}

// maxRead is how many bytes an answer may take on the wire: what is kept and
// drained of its body, its headers, and as much again for how they are framed.
const maxRead = 1 << 20

// limits bound one attempt.
type limits struct {
	timeout time.Duration // in all
	connect time.Duration // of the connection, and again of the TLS handshake
	inline  bool          // of an inline call: the timeout is the webhook's own
	fresh   bool          // on a new connection, which is closed afterwards
}

func newSender(o Options) *sender {
	s := &sender{
		platforms: o.Platforms, log: o.Log, userAgent: "bookhook/" + cmp.Or(o.Version, "dev"), instance: o.Instance,
		limits: limits{timeout: o.Timeout, connect: o.Connect},
	}
	s.connections = guard.NewConnections(o.MaxConnections, func() { s.transport.CloseIdleConnections() })
	s.transport = guard.NewTransport(guard.TransportOptions{
		Guard: o.Guard, Connect: o.Connect, MaxRead: maxRead, RootCAs: o.RootCAs, Connections: s.connections,
	})
	return s
}

// attemptResult is an attempt and what the dispatcher needs to know about it.
type attemptResult struct {
	webhook.Attempt
	retryAfter time.Duration // the pause that the receiver asked for
	cutOff     bool          // at shutdown: it does not count as an attempt
	noPlace    bool          // Bookhook had no connection for it: nor does this
	keptClosed bool          // there was no answer, because a kept connection was closed

	limit           time.Duration // that the answer had
	certificateEnds time.Time     // of the connection; zero without TLS
}

// warnings returns those of the webhook after the attempt, nil if it changed none.
func (a *attemptResult) warnings(w *webhook.Webhook, now time.Time) *webhook.Warnings {
	after := w.Warnings.After(webhook.Sighting{Attempt: a.Attempt, CertificateEnds: a.certificateEnds, Limit: a.limit, Now: now})
	if after == w.Warnings {
		return nil
	}
	return &after
}

// fail records why the attempt failed.
func (a *attemptResult) fail(err error) {
	a.Failure, a.Error = guard.Classify(err)
	if a.RemoteAddr == "" && a.Failure != webhook.FailBlocked { // nothing was dialled
		a.RemoteAddr = guard.DialledAddr(err)
	}
}

// send makes one attempt to deliver; fresh says that it must be on a new connection.
func (s *sender) send(ctx context.Context, job *webhook.Job, fresh bool) attemptResult {
	limits := s.limits
	limits.fresh = fresh
	return s.attempt(ctx, job, limits, func() (platforms.Request, error) {
		return s.platforms.Write(job.Webhook, job.Account, job.Event), nil
	})
}

// attempt sends the request that write returns. It returns within the timeout, or
// soon after ctx ends.
func (s *sender) attempt(ctx context.Context, job *webhook.Job, l limits, write func() (platforms.Request, error)) (a attemptResult) {
	a.Number, a.StartedAt, a.limit = job.Delivery.Attempts, time.Now(), l.timeout
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
	if err := s.exchange(request, job, wire, l, &a); err != nil {
		_, complete := errors.AsType[guard.StatusError](err)
		a.cutOff = !complete && ctx.Err() != nil
		a.noPlace = errors.Is(err, guard.ErrNoPlace)
		a.fail(err)
	}
	return a
}

// exchange sends the request and reads the response into a. It returns a
// [guard.RequestError] if there is no complete response, and a [guard.StatusError]
// if the response is not a success. The status decides, even
// if the body is cut short: of a success that is a remark in a, since the receiver
// has the event and must not get it again. Only the answer to an inline call says
// in its body what it means.
func (s *sender) exchange(request *http.Request, job *webhook.Job, wire platforms.Request, l limits, a *attemptResult) error {
	failed := guard.RequestError{Host: request.URL.Host, Timeout: l.timeout, Connect: l.connect, Inline: l.inline}
	response, seen, err := s.roundTrip(request, job.Account.ID, l.fresh)
	a.observe(seen)
	if err != nil {
		a.keptClosed = seen.KeptClosed()
		failed.Err, failed.Begun, failed.Kept = err, seen.Begun(), a.keptClosed
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
		if l.inline {
			return failed
		}
		a.Error = guard.BodyRemark(failed, a.Status) // a failure by its status replaces it
	}
	if succeeded {
		return nil
	}
	if a.Status == http.StatusTooManyRequests || a.Status == http.StatusServiceUnavailable {
		a.retryAfter = ParseRetryAfter(response.Header.Get("Retry-After"), time.Now())
	}
	return guard.StatusError{
		Receiver: cmp.Or(job.Webhook.Name, "The receiver"), Status: a.Status, Location: response.Header.Get("Location"), Method: wire.Method, Only200: wire.Only200, Inline: l.inline,
		Loop: response.Header.Get(webhook.LoopHeader) != "",
	}
}

func (s *sender) roundTrip(request *http.Request, account webhook.AccountID, fresh bool) (*http.Response, *guard.Wire, error) {
	if fresh {
		return s.transport.Send(request)
	}
	return s.transport.SendKept(request, account)
}

// observe records what was seen on the wire. If nothing was written, the headers
// stay those that would have been.
func (a *attemptResult) observe(seen *guard.Wire) {
	a.RemoteAddr, a.certificateEnds = seen.RemoteAddr, seen.CertificateEnds()
	if sent := seen.Header(); sent != nil {
		a.RequestHeaders = sent
	}
	if _, ok := a.RequestHeaders["Authorization"]; ok {
		a.RequestHeaders = maps.Clone(a.RequestHeaders) // the request may still be about to be written
		a.RequestHeaders["Authorization"] = []string{webhook.HiddenBasic}
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
	request, err := guard.NewRequest(ctx, wire.Method, wire.URL, wire.Body)
	if err != nil {
		return nil, err
	}
	a.URL = request.URL.String()
	request.Header = s.headers(job, wire, request, a, signature)
	a.RequestHeaders = request.Header // until it is known what was written
	return request, nil
}

// headers returns all headers that are sent. net/http writes Host and
// Content-Length itself, with these values, and ignores those given here.
func (s *sender) headers(job *webhook.Job, wire platforms.Request, request *http.Request, a *attemptResult, signature string) http.Header {
	h := http.Header{
		"Host":              {request.Host},
		"Accept":            {"*/*"}, // some firewalls refuse requests without it
		"User-Agent":        {s.userAgent},
		"Webhook-Id":        {job.Delivery.ID.String()},
		"Webhook-Timestamp": {strconv.FormatInt(a.StartedAt.Unix(), 10)},
		"Webhook-Signature": {signature},
		"Bookhook-Attempt":  {strconv.Itoa(a.Number)},
		"Bookhook-Sequence": {strconv.FormatInt(int64(job.Event.ID), 10)},
		webhook.ViaHeader:   {s.instance.Extend(job.Event.Via, job.Account.ID)},
	}
	if job.Delivery.Test {
		h["Bookhook-Test"] = []string{"true"}
	}
	if request.ContentLength > 0 {
		h["Content-Length"] = []string{strconv.FormatInt(request.ContentLength, 10)}
	}
	maps.Copy(h, wire.Header)
	if job.Webhook.Basic != "" {
		h["Authorization"] = []string{"Basic " + job.Webhook.Basic}
	}
	return h
}
