//go:build unix

package e2e

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync"
	"testing"
	"time"
)

// balancer has a request answered by any replica, and breaks the connection when that fails. Whoever
// failed gets nothing for a moment. It repeats nothing.
type balancer struct {
	URL  string
	dice *dice

	mu      sync.Mutex
	targets []*url.URL
	failed  map[string]time.Time
}

func newBalancer(t testing.TB, d *dice, urls []string) *balancer {
	t.Helper()
	f := &balancer{dice: d, failed: map[string]time.Time{}}
	for _, text := range urls {
		target, err := url.Parse(text)
		must(t, err)
		f.targets = append(f.targets, target)
	}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(f.pick())
			r.Out.Host = r.In.Host
		},
		Transport: &http.Transport{MaxIdleConnsPerHost: 40, ResponseHeaderTimeout: 5 * time.Second},
		ErrorHandler: func(_ http.ResponseWriter, r *http.Request, _ error) {
			f.mu.Lock()
			f.failed[r.URL.Host] = time.Now()
			f.mu.Unlock()
			panic(http.ErrAbortHandler)
		},
	}
	srv := httptest.NewServer(proxy)
	t.Cleanup(func() {
		srv.CloseClientConnections()
		srv.Close()
	})
	f.URL = srv.URL
	return f
}

// pick chooses a replica that has not failed of late, or any if all have.
func (f *balancer) pick() *url.URL {
	f.mu.Lock()
	defer f.mu.Unlock()
	var good []*url.URL
	for _, target := range f.targets {
		if time.Since(f.failed[target.Host]) > 2*time.Second {
			good = append(good, target)
		}
	}
	if len(good) == 0 {
		good = f.targets
	}
	return good[f.dice.n(len(good))]
}

// probe posts an event until it is accepted.
func (l *load) probe() {
	t := l.op.t
	t.Helper()
	l.mu.Lock()
	p := &parcel{events: []map[string]any{l.event()}}
	l.parcels = append(l.parcels, p)
	l.mu.Unlock()
	eventuallyWithin(t, 2*time.Minute, "an event of account "+l.op.Number+" is accepted", func() bool {
		l.send(caller, p)
		l.mu.Lock()
		defer l.mu.Unlock()
		return p.told != nil
	})
}

// missing are the deliveries that were accepted, and that the receiver that is well has not got.
func (l *load) missing() (ids []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, p := range l.parcels {
		for _, a := range p.told {
			if id := a.to(l.well.hook); !l.well.took(id) {
				ids = append(ids, id)
			}
		}
	}
	return ids
}

// took reports whether a receiver has taken a delivery.
func (s *sink) took(delivery string) bool {
	for _, seen := range s.sights(delivery) {
		if seen.status/100 == 2 {
			return true
		}
	}
	return false
}
