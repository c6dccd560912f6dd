package dispatch_test

import (
	"fmt"
	"net/http"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"bookhook/dispatch"
	"bookhook/webhook"
)

func rate(requests int, per webhook.Period) func(*webhook.Webhook) {
	return func(w *webhook.Webhook) { w.Rate = webhook.Rate{Requests: requests, Per: per} }
}

// starts are when the next n attempts began, in their order.
func (r *rig) starts(n int) []time.Time {
	var at []time.Time
	for range n {
		at = append(at, (<-r.store.finished).Attempt.StartedAt)
	}
	slices.SortFunc(at, time.Time.Compare)
	return at
}

// setRate changes the rate as a person does.
func (r *rig) setRate(w *webhook.Webhook, change func(*webhook.Webhook)) {
	r.Helper()
	change(w)
	r.save(w)
}

// wantSpaced checks that no more requests began in any period than the rate
// allows, evenly spaced, and that none of it was left unused.
func wantSpaced(t *testing.T, at []time.Time, limit webhook.Rate) {
	t.Helper()
	period := map[webhook.Period]time.Duration{webhook.Second: time.Second, webhook.Minute: time.Minute}[limit.Per]
	for i := limit.Requests; i < len(at); i++ {
		if got := at[i].Sub(at[i-limit.Requests]); got < period {
			t.Fatalf("got %d requests in %s, want %d in %s", limit.Requests+1, got, limit.Requests, period)
		}
	}
	gap := period / time.Duration(limit.Requests)
	for i := 1; i < len(at); i++ {
		if got := at[i].Sub(at[i-1]); got < gap || got > gap+gap/10+time.Millisecond {
			t.Fatalf("got %s before request %d, want %s", got, i+1, gap)
		}
	}
}

func TestRateIsKept(t *testing.T) {
	t.Parallel()
	server := outside(t, answer(http.StatusOK))
	for _, tt := range []struct {
		requests    int
		per         webhook.Period
		concurrency int
		events      int
	}{
		{10, webhook.Second, 1, 60},
		{10, webhook.Second, 256, 60},
		{7, webhook.Second, 8, 60},
		{1000, webhook.Second, 256, 300},
		{1, webhook.Second, 8, 100},
		{30, webhook.Minute, 8, 90},
		{7, webhook.Minute, 256, 30},
		{1, webhook.Minute, 1, 10},
		{1, webhook.Minute, 256, 10},
	} {
		t.Run(fmt.Sprint(tt.requests, " per ", tt.per, " with ", tt.concurrency), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				r := newRig(t).run(dispatch.Options{Timeout: time.Second})
				w := r.hook(server.URL, rate(tt.requests, tt.per), concurrency(tt.concurrency))
				r.ingest(tt.events / 2)
				r.ingest(tt.events - tt.events/2)
				wantSpaced(t, r.starts(tt.events), w.Rate)
				if n := len(r.store.released); n > 0 {
					t.Errorf("%d deliveries were given back, want none to wait too long", n)
				}
				r.mustBeIdle(w)
				r.stop()
			})
		})
	}
}

// TestRateOfProbes: while the circuit is open both hold, and after it the rate.
func TestRateOfProbes(t *testing.T) {
	t.Parallel()
	var up atomic.Bool
	server := outside(t, func(w http.ResponseWriter, _ *http.Request) {
		if !up.Load() {
			w.WriteHeader(http.StatusInternalServerError)
		}
	})
	bubble(t, func(t *testing.T) {
		r := newRig(t).run(dispatch.Options{})
		w := r.hook(server.URL, rate(2, webhook.Minute))
		ids := r.ingest(30)
		const gap = 30 * time.Second
		at := r.starts(webhook.CircuitFailures + 7)
		wantSpaced(t, at[:webhook.CircuitFailures], w.Rate)
		for i, pause := range []time.Duration{gap, gap, gap, 40 * time.Second, 80 * time.Second, 160 * time.Second, 300 * time.Second} {
			n := webhook.CircuitFailures + i
			if got := at[n].Sub(at[n-1]); got < pause || got > pause+time.Second {
				t.Errorf("got probe %d after %s, want %s", i+1, got, pause)
			}
		}
		up.Store(true)
		wantSpaced(t, r.starts(len(ids)), w.Rate)
		r.mustBeIdle(w)
		r.stop()
	})
}

func TestChangedRateHoldsAtOnce(t *testing.T) {
	t.Parallel()
	server := outside(t, answer(http.StatusOK))
	bubble(t, func(t *testing.T) {
		r := newRig(t).run(dispatch.Options{})
		w := r.hook(server.URL, rate(1, webhook.Minute))
		r.ingest(300)
		slow := r.starts(2)
		time.Sleep(10 * time.Second) // the third is due in 50 s
		r.setRate(w, rate(10, webhook.Second))
		fast := r.starts(100)
		if got := fast[0].Sub(slow[1]); got > 11*time.Second {
			t.Errorf("got the first at the higher rate after %s, want it at once", got)
		}
		wantSpaced(t, fast, w.Rate)
		r.setRate(w, rate(1, webhook.Minute))
		r.touch(w) // as after a cancel: no request more for that
		again := slices.Concat(fast[99:], r.starts(5))
		for again[1].Sub(again[0]) < time.Second { // on their way when it was changed
			again = append(again[1:], r.starts(1)...)
		}
		wantSpaced(t, again, w.Rate)
		before := len(r.store.released)
		wantSpaced(t, r.starts(20), w.Rate)
		if got := len(r.store.released) - before; got > 0 {
			t.Errorf("%d deliveries were given back at a steady rate, want none", got)
		}
		r.setRate(w, func(w *webhook.Webhook) { w.Rate = webhook.Rate{} })
		all := r.starts(170)
		if got := all[169].Sub(all[0]); got > time.Second {
			t.Errorf("took %s without a rate, want no pauses", got)
		}
		r.stop()
	})
}
