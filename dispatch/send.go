package dispatch

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptrace"
	"runtime/debug"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"bookhook/webhook"
)

// answer is an attempt and what else came of it.
type answer struct {
	webhook.Attempt
	retryAfter time.Duration // the pause that the receiver asks for
	cut        bool          // we broke it off ourselves: as if it had not been made
	begun      *atomic.Bool  // something came back on the connection
}

// send makes one attempt to deliver.
func (s *sender) send(ctx context.Context, job *webhook.Job) answer {
	return s.attempt(ctx, job, func() (webhook.Request, error) {
		return s.platforms.Write(job.Webhook, job.Account, job.Event), nil
	})
}

// attempt makes the request that write writes. It ends within the timeout, or
// soon after ctx does.
func (s *sender) attempt(ctx context.Context, job *webhook.Job, write func() (webhook.Request, error)) (a answer) {
	a.Number, a.StartedAt, a.begun = job.Delivery.Attempts, time.Now(), new(atomic.Bool)
	defer func() {
		if p := recover(); p != nil {
			s.log.Error("panic while sending", "delivery", job.Delivery.Ref(), "panic", p, "stack", string(debug.Stack()))
			s.fail(&a, webhook.FailInternal, errors.New("a mistake in Bookhook"))
		}
		a.Duration = time.Since(a.StartedAt)
	}()
	limited, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	wire, err := write()
	if err != nil {
		s.fail(&a, webhook.FailInternal, err)
		return a
	}
	request, err := s.request(limited, job, wire, &a)
	if err != nil {
		s.fail(&a, webhook.FailInternal, err)
		return a
	}
	if err := s.exchange(request, wire, &a); err != nil {
		a.cut = ctx.Err() != nil
		s.fail(&a, failure(err), err)
	}
	return a
}

// exchange sends the request and reads the answer into a; an error says that
// there was no complete answer.
func (s *sender) exchange(request *http.Request, wire webhook.Request, a *answer) error {
	response, err := s.transport.RoundTrip(request)
	if err != nil {
		return exchangeError{err, a.begun.Load(), false}
	}
	defer response.Body.Close()
	if response.StatusCode < 100 { // net/http takes 000 and +12
		return exchangeError{fmt.Errorf("malformed HTTP status code %q", response.Status), true, false}
	}
	a.Status, a.ResponseHeaders = response.StatusCode, response.Header
	if a.ResponseBody, a.Truncated, err = readBody(response); err != nil {
		return exchangeError{err, true, true}
	}
	if wire.Succeeded(a.Status) {
		return nil
	}
	a.Failure, a.Error = judge(a.Status, response.Header.Get("Location"), wire)
	if a.Status == http.StatusTooManyRequests || a.Status == http.StatusServiceUnavailable {
		a.retryAfter = ParseRetryAfter(response.Header.Get("Retry-After"), time.Now())
	}
	return nil
}

// readBody reads what is kept of the body, and what may follow within limits.
// After a change of protocol there is none, but the bare connection, from
// which net/http reads without a deadline.
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

func (s *sender) fail(a *answer, f webhook.Failure, err error) {
	a.Failure, a.Error = f, s.explain(f, err, a.URL)
	if a.RemoteAddr == "" {
		a.RemoteAddr = dialled(err)
	}
}

// request builds the request and notes in a how it goes over the wire.
func (s *sender) request(ctx context.Context, job *webhook.Job, wire webhook.Request, a *answer) (*http.Request, error) {
	a.Method, a.URL, a.RequestBody = wire.Method, wire.URL, wire.Body
	signature, err := webhook.Sign(job.Webhook.Secrets(a.StartedAt), job.Delivery.Ref(), a.StartedAt, wire.Signed)
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
		// Tells net/http that a POST may be repeated when a kept connection
		// turns out to be closed; a nil value is not sent.
		request.Header["X-Idempotency-Key"] = nil
	}
	if job.Webhook.Basic != "" {
		request.Header["Authorization"] = []string{"Basic " + job.Webhook.Basic}
		a.RequestHeaders["Authorization"] = []string{webhook.HiddenBasic}
	}
	return request.WithContext(httptrace.WithClientTrace(ctx, trace(a, request.URL.Port() != ""))), nil
}

// headers are all that are sent. net/http writes Host and Content-Length by
// itself, with these values, and leaves out those given here.
func (s *sender) headers(job *webhook.Job, wire webhook.Request, request *http.Request, a *answer, signature string) http.Header {
	h := http.Header{
		"Host":              {request.URL.Host},
		"User-Agent":        {s.agent},
		"Webhook-Id":        {job.Delivery.Ref()},
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

// trace notes the address that is called, whether anything came back, and the
// host as it is sent when it is an internationalised name. net/http calls these
// functions in the goroutine of RoundTrip, before it writes the request, but
// for that of the first byte.
func trace(a *answer, withPort bool) *httptrace.ClientTrace {
	begun := a.begun // the reading may outlive the attempt, and a with it
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
