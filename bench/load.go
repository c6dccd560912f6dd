package bench

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"
)

// load sends events with one worker for each connection.
type load struct {
	log         *deliveryLog
	urls        []*url.URL // take turns
	tokens      []string   // of the accounts, which take turns
	perAccount  int        // channels of an account, which take turns too
	connections int
	enough      func(context.Context, *deliveryLog) // see phase
	rate        int                                 // events/s, at planned times; 0: each worker sends as soon as it has its response
	warm        time.Duration
	time        time.Duration // counted, after warm

	first int          // number that it sends
	began int64        // of the log's time
	until atomic.Int64 // nothing is sent from then on
	last  atomic.Int64 // an event was accepted then
}

// run sends until the time is over, and returns the window that is counted. It
// calls sample at the window's beginning and end.
func (l *load) run(ctx context.Context, sample func()) (window, error) {
	transport := &http.Transport{MaxIdleConnsPerHost: l.connections, DisableCompression: true}
	defer transport.CloseIdleConnections()
	l.first, l.began = int(l.log.issued.Load()), l.log.now()
	w := window{from: l.began + int64(l.warm), to: l.began + int64(l.warm+l.time)}
	l.until.Store(w.to)
	var workers sync.WaitGroup
	for range l.connections {
		workers.Go(func() { l.work(ctx, transport) })
	}
	if sleep(ctx, time.Duration(w.from-l.log.now())) {
		sample()
		l.awaitEnd(ctx)
		l.awaitAnswer(ctx, w.from)
		sample()
	}
	w.to = l.until.Load()
	workers.Wait()
	return w, context.Cause(ctx)
}

// awaitEnd waits until the time is over, or enough was sent.
func (l *load) awaitEnd(ctx context.Context) {
	left := time.Duration(l.until.Load() - l.log.now())
	if l.enough == nil {
		sleep(ctx, left)
		return
	}
	ctx, cancel := context.WithTimeout(ctx, left)
	defer cancel()
	l.enough(ctx, l.log)
	l.until.Store(min(l.until.Load(), l.log.now()))
}

// awaitAnswer goes on, up to ten seconds, until an event was accepted after from: in a
// short run on a busy machine none may have been.
func (l *load) awaitAnswer(ctx context.Context, from int64) {
	const step = 100 * time.Millisecond
	for range 10 * time.Second / step {
		if ctx.Err() != nil || l.last.Load() > from {
			return
		}
		l.until.Store(l.log.now() + 2*int64(step))
		sleep(ctx, step)
	}
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

func (l *load) work(ctx context.Context, transport *http.Transport) {
	f := newTemplate(l.log.tag)
	requests := l.requests(ctx)
	text := bytes.Clone(f.text)
	for ctx.Err() == nil && l.log.now() < l.until.Load() {
		number := l.log.issue()
		entry := l.log.at(number)
		planned := l.log.now()
		if l.rate > 0 {
			planned = l.began + int64(number-l.first)*int64(time.Second)/int64(l.rate)
			if planned >= l.until.Load() || !sleep(ctx, time.Duration(planned-l.log.now())) {
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
		now := l.log.now()
		entry.accepted.Store(now)
		l.last.Store(now)
	}
}

// requests returns, for each account at each URL, what all its requests have in common.
// The accounts take turns first.
func (l *load) requests(ctx context.Context) []*http.Request {
	all := make([]*http.Request, 0, len(l.tokens)*len(l.urls))
	for _, to := range l.urls {
		for _, token := range l.tokens {
			all = append(all, (&http.Request{
				Method: http.MethodPost, URL: to, Host: to.Host, ContentLength: eventSize, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
				Header: http.Header{"Content-Type": {"application/json"}, "Authorization": {"Bearer " + token}},
			}).WithContext(ctx))
		}
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

// busyError is a response that asks to send the event again later.
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
