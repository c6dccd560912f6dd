package bench

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync"
	"time"
)

// load sends events with one worker for each connection.
type load struct {
	log         *deliveryLog
	url         *url.URL
	tokens      []string // of the accounts, which take turns
	perAccount  int      // channels of an account, which take turns too
	connections int
	rate        int // events/s, at planned times; 0: each worker sends as soon as it has its answer
	warm        time.Duration
	time        time.Duration // counted, after warm
}

// run sends until the time is over, and returns the window that is counted. It
// calls sample at the window's beginning and end.
func (l *load) run(ctx context.Context, sample func()) (window, error) {
	transport := &http.Transport{MaxIdleConnsPerHost: l.connections, DisableCompression: true}
	defer transport.CloseIdleConnections()
	began := l.log.now()
	w := window{from: began + int64(l.warm), to: began + int64(l.warm+l.time)}
	var workers sync.WaitGroup
	for range l.connections {
		workers.Go(func() { l.work(ctx, transport, began, w.to) })
	}
	for _, edge := range []int64{w.from, w.to} {
		if !sleep(ctx, time.Duration(edge-l.log.now())) {
			break
		}
		sample()
	}
	workers.Wait()
	return w, context.Cause(ctx)
}

func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

func (l *load) work(ctx context.Context, transport *http.Transport, began, until int64) {
	f := newTemplate(l.log.tag)
	requests := l.requests(ctx)
	text := bytes.Clone(f.text)
	for ctx.Err() == nil && l.log.now() < until {
		number := l.log.issue()
		entry := l.log.at(number)
		planned := l.log.now()
		if l.rate > 0 {
			planned = began + int64(number)*int64(time.Second)/int64(l.rate)
			if planned >= until || !sleep(ctx, time.Duration(planned-l.log.now())) {
				return
			}
		}
		entry.planned.Store(planned)
		f.write(text, number, number/len(l.tokens)%l.perAccount)
		if err := post(transport, requests[number%len(requests)], text); err != nil {
			if ctx.Err() == nil {
				l.log.refuse(err)
			}
			text = bytes.Clone(f.text) // the transport may still read the other one
			continue
		}
		entry.accepted.Store(l.log.now())
	}
}

// requests returns, for each account, what all its requests have in common.
func (l *load) requests(ctx context.Context) []*http.Request {
	all := make([]*http.Request, len(l.tokens))
	for i, token := range l.tokens {
		all[i] = (&http.Request{
			Method: http.MethodPost, URL: l.url, Host: l.url.Host, ContentLength: eventSize, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
			Header: http.Header{"Content-Type": {"application/json"}, "Authorization": {"Bearer " + token}},
		}).WithContext(ctx)
	}
	return all
}

// post sends one event. It returns nil if the event was accepted.
func post(transport *http.Transport, common *http.Request, text []byte) error {
	request := *common
	request.Body = io.NopCloser(bytes.NewReader(text))
	response, err := transport.RoundTrip(&request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode/100 != 2 {
		body, _ := io.ReadAll(io.LimitReader(response.Body, 500))
		err = fmt.Errorf("%s: %s", response.Status, body)
		if busy(response) {
			err = busyError{err}
		}
		return err
	}
	_, err = io.Copy(io.Discard, response.Body)
	return err
}

// busyError is an answer that asks to send the event again later.
type busyError struct{ error }

func busy(response *http.Response) bool {
	retryable := response.StatusCode == http.StatusTooManyRequests || response.StatusCode == http.StatusServiceUnavailable
	return retryable && response.Header.Get("Content-Type") == "application/problem+json" && response.Header.Get("Retry-After") != ""
}

// patience is how long nothing may arrive before the remaining events count as
// lost.
const patience = 20 * time.Second

// drain waits until every accepted event that is wanted has arrived.
func (l *deliveryLog) drain(ctx context.Context, wanted func(number int) bool) error {
	arrivals, since := l.arrivals.Load(), time.Now()
	for number := range int(l.issued.Load()) {
		e := l.at(number)
		for wanted(number) && e.accepted.Load() != 0 && e.arrived.Load() == 0 {
			if now := l.arrivals.Load(); now != arrivals {
				arrivals, since = now, time.Now()
			} else if time.Since(since) > patience {
				return nil
			}
			if !sleep(ctx, 5*time.Millisecond) {
				return context.Cause(ctx)
			}
		}
	}
	return nil
}
