package dispatch_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"bookhook/dispatch"
	"bookhook/dispatch/guard"
	"bookhook/webhook"
)

// outside is a real receiver for tests on a false clock. It lives outside their
// bubble, and keeps no connection: one that is waited on would stop the clock,
// as a request does that it has not answered.
func outside(t *testing.T, h http.HandlerFunc) *httptest.Server {
	t.Helper()
	return receiver(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Connection", "close")
		h(w, r)
	})
}

// recoveringReceiver is a receiver that is down, then up. Once up, it keeps what comes
// after the first request until so many are in flight as may be.
type recoveringReceiver struct {
	*httptest.Server
	up       atomic.Bool
	down     atomic.Int32 // requests while it was down
	answered atomic.Int32 // requests while it was up
	inFlight atomic.Int32
	most     atomic.Int32 // in flight while up
}

func newRecovering(t *testing.T, limit int32) *recoveringReceiver {
	p := &recoveringReceiver{}
	all := make(chan struct{})
	reached := sync.OnceFunc(func() { close(all) })
	p.Server = outside(t, func(w http.ResponseWriter, _ *http.Request) {
		if !p.up.Load() {
			p.down.Add(1)
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		n := p.inFlight.Add(1)
		defer p.inFlight.Add(-1)
		for most := p.most.Load(); n > most && !p.most.CompareAndSwap(most, n); most = p.most.Load() {
		}
		if p.answered.Add(1) == 1 {
			return
		}
		if n >= limit {
			reached()
		}
		select {
		case <-all:
		case <-time.After(20 * time.Second):
			t.Errorf("%d requests in flight, want %d", p.inFlight.Load(), limit)
			reached()
		}
	})
	return p
}

// TestRecovery: one that is down for hours gets a probe now and then, and all
// that waits as soon as it is up.
func TestRecovery(t *testing.T) {
	t.Parallel()
	const waiting, limit, down = 100, 8, 2 * time.Hour
	p := newRecovering(t, limit)
	bubble(t, func(t *testing.T) {
		r := newRig(t).run(dispatch.Options{})
		w := r.hook(p.URL, concurrency(limit))
		ids := r.ingest(waiting)
		time.Sleep(down / 2)
		ids = append(ids, r.ingest(waiting)...) // while it is down
		time.Sleep(down / 2)
		if c := r.circuit(w); !c.Open() || c.ProbeAt.Before(time.Now()) || c.ProbeAt.After(time.Now().Add(5*time.Minute)) {
			t.Errorf("got %+v, want an open circuit with a probe within five minutes", c)
		}
		calls := int(p.down.Load())
		checkProbes(t, r, calls, limit, down)
		p.up.Store(true)
		first := <-r.store.finished
		for range ids[1:] {
			got := <-r.store.finished
			if got.State != webhook.Delivered {
				t.Errorf("got %s, want delivered", got.State)
			}
			if after := got.Attempt.StartedAt.Sub(first.Attempt.StartedAt); after > time.Second {
				t.Errorf("got one %s after the probe, want no waiting", after)
			}
		}
		if got := p.most.Load(); got != limit {
			t.Errorf("got %d in flight, want %d", got, limit)
		}
		charged := 0
		for _, id := range ids {
			charged += r.delivery(id).Attempts
		}
		if want := calls + len(ids); charged != want {
			t.Errorf("got %d attempts charged, want %d: one for each request", charged, want)
		}
		r.mustBeIdle(w)
		r.stop()
	})
}

// checkProbes checks that the circuit opened soon, and that from then on there
// was one request at a time, after growing pauses.
func checkProbes(t *testing.T, r *rig, calls, limit int, down time.Duration) {
	t.Helper()
	var starts []time.Time
	for range calls {
		starts = append(starts, (<-r.store.finished).Attempt.StartedAt)
	}
	slices.SortFunc(starts, time.Time.Compare)
	const soon = time.Second
	atOnce := 1
	for atOnce < len(starts) && starts[atOnce].Sub(starts[0]) < soon {
		atOnce++
	}
	if atOnce < webhook.CircuitFailures || atOnce > webhook.CircuitFailures+limit {
		t.Errorf("got %d requests at once, want those that open the circuit and those in flight then", atOnce)
	}
	pause, passed := 5*time.Second, time.Duration(0)
	for i := atOnce; i < len(starts); i++ {
		if got := starts[i].Sub(starts[i-1]); got < pause-soon || got > pause+soon {
			t.Errorf("got a probe after %s, want %s", got, pause)
		}
		passed += pause
		pause = min(2*pause, 5*time.Minute)
	}
	if passed+pause < down {
		t.Errorf("got no probe after %s", passed)
	}
}

// TestFailingRecovers: also of a receiver that refused everything without being paused, all
// that waits follows the delivery that a person asked for; as often as that happens.
func TestFailingRecovers(t *testing.T) {
	t.Parallel()
	var good atomic.Bool
	server := outside(t, func(w http.ResponseWriter, _ *http.Request) {
		if !good.Load() {
			w.WriteHeader(http.StatusNotFound)
		}
	})
	bubble(t, func(t *testing.T) {
		r := newRig(t).run(dispatch.Options{})
		w := r.hook(server.URL, concurrency(2))
		for range 2 {
			good.Store(false)
			ids := r.ingest(5)
			time.Sleep(5 * time.Minute)
			good.Store(true)
			if _, err := r.store.RetryOldest(t.Context(), r.account.ID, w.ID, byTest()); err != nil {
				t.Fatal(err)
			}
			var first time.Time
			for delivered := 0; delivered < len(ids); {
				got := <-r.store.finished
				if got.State != webhook.Delivered {
					continue
				}
				if delivered++; delivered == 1 {
					first = got.Attempt.StartedAt
				}
				if after := got.Attempt.StartedAt.Sub(first); after > time.Second {
					t.Errorf("got one %s after the first that was accepted, want no waiting", after)
				}
			}
			if r.circuit(w).Open() {
				t.Error("it was paused")
			}
		}
		r.stop()
	})
}

// TestRestartKeepsTheCircuit: a process that starts while a receiver is down sends it one
// probe, when that is due, and not as many requests as the webhook may have in flight.
func TestRestartKeepsTheCircuit(t *testing.T) {
	t.Parallel()
	var calls atomic.Int32
	var good atomic.Bool
	server := outside(t, func(w http.ResponseWriter, _ *http.Request) {
		calls.Add(1)
		if !good.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	bubble(t, func(t *testing.T) {
		r := newRig(t).run(dispatch.Options{})
		w := r.hook(server.URL, concurrency(8))
		ids := r.ingest(40)
		time.Sleep(time.Minute)
		r.close()
		r.open()
		before, called := r.circuit(w), calls.Load()
		if !before.Open() || !before.ProbeAt.After(time.Now()) || before.Pauses < 3 {
			t.Fatalf("got %+v, want a circuit that has been open for a while", before)
		}
		r.run(dispatch.Options{})
		time.Sleep(time.Until(before.ProbeAt) - time.Second)
		if n := calls.Load() - called; n != 0 {
			t.Errorf("got %d requests before the probe, want none", n)
		}
		time.Sleep(2 * time.Second)
		if n := calls.Load() - called; n != 1 {
			t.Errorf("got %d requests when the probe was due, want one", n)
		}
		after := r.circuit(w)
		if after.Failures != before.Failures+1 || after.Pauses != before.Pauses+1 {
			t.Errorf("got %+v after the probe, want one more failure and pause than %+v", after, before)
		}
		good.Store(true)
		time.Sleep(time.Until(after.ProbeAt) + time.Second)
		for _, id := range ids {
			if d := r.delivery(id); d.State != webhook.Delivered {
				t.Errorf("got %s, want all delivered after a probe was accepted", d.State)
			}
		}
		if c := r.circuit(w); c != (webhook.Circuit{}) {
			t.Errorf("got %+v, want a closed circuit", c)
		}
		r.stop()
	})
}

// TestFailedTestsOpenNoCircuit: tests that fail open no circuit.
func TestFailedTestsOpenNoCircuit(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		r := newRig(t).run(dispatch.Options{Guard: &guard.Guard{}})
		w := r.hook(blocked)
		for range 2 * webhook.CircuitFailures {
			if _, err := r.Test(t.Context(), r.account.ID, w.ID, events(1)[0]); err != nil {
				t.Fatal(err)
			}
			<-r.store.finished
		}
		if c := r.circuit(w); c != (webhook.Circuit{}) {
			t.Errorf("got %+v, want a closed circuit", c)
		}
		r.ingest(100)
		time.Sleep(time.Minute)
		if c := r.circuit(w); !c.Open() {
			t.Errorf("got %+v, want an open circuit", c)
		}
		r.save(w)
		if c := r.circuit(w); c != (webhook.Circuit{Resets: 1}) {
			t.Errorf("got %+v after a change, want it closed", c)
		}
		r.stop()
	})
}

// TestRefusedContentOpensNoCircuit: a receiver that refuses bookings for what they
// say gets the others at once as well.
func TestRefusedContentOpensNoCircuit(t *testing.T) {
	t.Parallel()
	for _, status := range []int{400, 404, 405, 409, 413, 415, 422} {
		var good atomic.Bool
		server := outside(t, func(w http.ResponseWriter, _ *http.Request) {
			if !good.Load() {
				w.WriteHeader(status)
			}
		})
		bubble(t, func(t *testing.T) {
			r := newRig(t).run(dispatch.Options{})
			w := r.hook(server.URL)
			r.ingest(24)
			for range 24 {
				<-r.store.finished
			}
			if c := r.circuit(w); c != (webhook.Circuit{}) {
				t.Errorf("%d: got %+v, want a closed circuit", status, c)
			}
			good.Store(true)
			began := time.Now()
			r.ingest(5)
			for range 5 {
				<-r.store.finished
			}
			if took := time.Since(began); took > time.Second {
				t.Errorf("%d: the good ones took %s", status, took)
			}
			r.stop()
		})
	}
}

// TestRetryAfterDelaysTheProbe: who asks for a pause gets it.
func TestRetryAfterDelaysTheProbe(t *testing.T) {
	t.Parallel()
	server := outside(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "1800")
		w.WriteHeader(http.StatusServiceUnavailable)
	})
	bubble(t, func(t *testing.T) {
		r := newRig(t).run(dispatch.Options{})
		r.hook(server.URL, concurrency(1))
		r.ingest(100)
		for range webhook.CircuitFailures {
			<-r.store.finished
		}
		before := time.Now()
		for range 3 {
			<-r.store.finished
			if got := time.Since(before); got < 30*time.Minute || got > 30*time.Minute+time.Second {
				t.Errorf("got a probe after %s, want 30 m", got)
			}
			before = time.Now()
		}
		r.stop()
	})
}
