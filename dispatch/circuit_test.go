package dispatch

import (
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"bookhook/webhook"
)

var day = time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)

// failTimes lets a breaker see failures of attempts that each began just now.
func failTimes(b *breaker, n int, now time.Time) {
	for range n {
		b.update(attemptSignal{failed: true, startedAt: now}, now)
	}
}

func TestBreaker(t *testing.T) {
	t.Parallel()
	failed := func(began, now time.Duration, retryAfter ...time.Duration) func(*breaker) {
		return func(b *breaker) {
			v := attemptSignal{failed: true, startedAt: day.Add(began)}
			if len(retryAfter) > 0 {
				v.retryAfter = retryAfter[0]
			}
			b.update(v, day.Add(now))
		}
	}
	open := func(b *breaker) { failTimes(b, webhook.CircuitFailures, day) }
	well := func(b *breaker) { b.update(attemptSignal{startedAt: day}, day.Add(time.Second)) }
	for _, tt := range []struct {
		name     string
		steps    []func(*breaker)
		failures int
		probe    time.Duration // after day; 0: closed
	}{
		{"new", nil, 0, 0},
		{"nine failures", []func(*breaker){func(b *breaker) { failTimes(b, 9, day) }}, 9, 0},
		{"ten failures", []func(*breaker){open}, 10, 5 * time.Second},
		{"a success between", []func(*breaker){func(b *breaker) { failTimes(b, 9, day) }, well, func(b *breaker) { failTimes(b, 9, day) }}, 9, 0},
		{"ended after the opening, begun before", []func(*breaker){open, failed(-time.Second, time.Second)}, 11, 5 * time.Second},
		{"ended after the opening, begun at that time", []func(*breaker){open, failed(0, time.Second)}, 11, 5 * time.Second},
		{"the same with a Retry-After", []func(*breaker){open, failed(-time.Second, time.Second, time.Hour)}, 11, 5 * time.Second},
		{"a probe", []func(*breaker){open, failed(5*time.Second, 6*time.Second)}, 11, 16 * time.Second},
		{"two probes", []func(*breaker){open, failed(5*time.Second, 5*time.Second), failed(15*time.Second, 15*time.Second)}, 12, 35 * time.Second},
		{"a probe with a Retry-After", []func(*breaker){open, failed(5*time.Second, 5*time.Second, time.Minute)}, 11, 65 * time.Second},
		{"one that asks for less", []func(*breaker){open, failed(5*time.Second, 5*time.Second, time.Second)}, 11, 15 * time.Second},
		{"the pause after a Retry-After", []func(*breaker){open, failed(5*time.Second, 5*time.Second, time.Minute), failed(65*time.Second, 65*time.Second)}, 12, 85 * time.Second},
		{"recovered", []func(*breaker){open, well}, 0, 0},
		{"recovered, then failing again", []func(*breaker){open, failed(5*time.Second, 5*time.Second), well, open}, 10, 5 * time.Second},
	} {
		b := breaker{}
		for _, step := range tt.steps {
			step(&b)
		}
		want := time.Time{}
		if tt.probe > 0 {
			want = day.Add(tt.probe)
		}
		if b.Failures != tt.failures || !b.ProbeAt.Equal(want) || b.Open() != (tt.probe > 0) {
			t.Errorf("%s: got %+v, want %d failures and a probe at %s", tt.name, b.Circuit, tt.failures, want)
		}
	}
}

func TestRefusesContent(t *testing.T) {
	t.Parallel()
	refused := func(status int, after time.Duration) bool {
		return refusesContent(webhook.Attempt{Status: status, Failure: webhook.FailStatus, Duration: after})
	}
	for _, status := range []int{400, 404, 405, 409, 413, 415, 422} {
		if !refused(status, time.Second) || refused(status, promptAnswer) {
			t.Errorf("%d: got %t at once and %t late, want it to be about the content only at once", status, refused(status, 0), refused(status, promptAnswer))
		}
	}
	for _, status := range []int{401, 403, 408, 429, 500, 503} {
		if refused(status, 0) {
			t.Errorf("%d is not about the content", status)
		}
	}
	if refusesContent(webhook.Attempt{Status: 404, Failure: webhook.FailTimeout}) {
		t.Error("an answer that did not end is not about the content")
	}
}

// A delivery that the receiver never accepts must not be every probe.
func TestProbesAlternate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newTestLanes(100)
		w := &webhook.Webhook{ID: 1, Config: webhook.Config{Concurrency: 1}}
		b.openCircuit(t, w)
		b.due(0, 1, time.Now())
		var newest []bool
		for range 4 {
			claims, next := b.turn()
			for len(claims) == 0 {
				time.Sleep(time.Until(next))
				claims, next = b.turn()
			}
			newest = append(newest, claims[0].newest)
			b.claimDone(claims[0], jobs(w, 1), webhook.Due{At: time.Now()})
			b.fail(0, time.Now())
		}
		if want := []bool{false, true, false, true}; !slices.Equal(newest, want) {
			t.Errorf("got the newest as the probe: %t, want %t", newest, want)
		}
	})
}

func TestPausesGrow(t *testing.T) {
	t.Parallel()
	b, now := breaker{}, day
	failTimes(&b, webhook.CircuitFailures-1, now)
	for i, want := range []time.Duration{5, 10, 20, 40, 80, 160, 300, 300, 300} {
		failTimes(&b, 1, now)
		if got := b.ProbeAt.Sub(now); got != want*time.Second {
			t.Errorf("got pause %d of %s, want %s", i+1, got, want*time.Second)
		}
		now = b.ProbeAt
	}
}

// TestRetryNowKeepsTheProbe: a person who asks for attempts during a pause does not put off
// the next probe; the receiver may.
func TestRetryNowKeepsTheProbe(t *testing.T) {
	t.Parallel()
	b := breaker{}
	failTimes(&b, webhook.CircuitFailures, day)
	before := b
	clicked := attemptSignal{failed: true, urgent: true, startedAt: day.Add(time.Second)}
	for range 3 {
		b.update(clicked, day.Add(2*time.Second))
	}
	if b.ProbeAt != before.ProbeAt || b.Pauses != before.Pauses || b.Failures != before.Failures+3 {
		t.Errorf("got %+v, want three more failures and else %+v", b, before)
	}
	clicked.retryAfter = time.Hour
	b.update(clicked, day.Add(2*time.Second))
	if want := day.Add(time.Hour + 2*time.Second); b.ProbeAt != want {
		t.Errorf("got the probe at %s, want it when the receiver allows it: %s", b.ProbeAt, want)
	}
}

// TestOnlyAProbeRecovers: a success that was on its way when the circuit
// opened closes it, and makes no retry due.
func TestOnlyAProbeRecovers(t *testing.T) {
	t.Parallel()
	for began, want := range map[time.Duration]bool{-time.Second: false, firstPause - 1: false, firstPause: true, time.Minute: true} {
		d := New(Options{})
		l := d.lanes.lane(0, 1)
		l.inFlight, d.lanes.inFlight = 1, 1
		failTimes(&l.breaker, webhook.CircuitFailures, day)
		job := &webhook.Job{Webhook: &webhook.Webhook{ID: 1}}
		recovered, _ := d.updateCircuit(l, job, attemptResult{Attempt: webhook.Attempt{StartedAt: day.Add(began)}})
		if recovered != want || d.lanes.circuit(1).Open() {
			t.Errorf("begun %s after the opening: got recovered %t, open %t, want %t and closed", began, recovered, d.lanes.circuit(1).Open(), want)
		}
	}
}

// fail finishes the i-th job in flight with a failure, and returns what was queued.
func (b *testLanes) fail(i int, startedAt time.Time) []*webhook.Job {
	return b.attempted(i, true, startedAt)
}

// attempted finishes the i-th job in flight with an attempt.
func (b *testLanes) attempted(i int, failed bool, startedAt time.Time) []*webhook.Job {
	f := b.started[i]
	b.started = append(b.started[:i], b.started[i+1:]...)
	_, _, queued := b.attemptDone(f.lane, attemptSignal{failed: failed, startedAt: startedAt})
	b.jobDone(f.lane, f.job)
	return queued
}

// openCircuit makes the receiver of a webhook fail until its circuit opens.
func (b *testLanes) openCircuit(t *testing.T, w *webhook.Webhook) (queued []*webhook.Job) {
	t.Helper()
	for range webhook.CircuitFailures {
		if b.circuit(w.ID).Open() {
			t.Fatal("open too early")
		}
		if len(b.started) == 0 {
			b.ingest(w, 1, 1)
		}
		queued = append(queued, b.fail(0, time.Now())...)
	}
	if !b.circuit(w.ID).Open() {
		t.Fatal("not open after ten failures")
	}
	return queued
}

// probe claims when the loop would, and lets the claim bring what it asked for.
func (b *testLanes) probe(t *testing.T, w *webhook.Webhook) {
	t.Helper()
	claims, next := b.turn()
	for len(claims) == 0 {
		if next.IsZero() {
			t.Fatal("the loop sleeps for ever")
		}
		time.Sleep(time.Until(next))
		claims, next = b.turn()
	}
	if len(claims) != 1 || claims[0].n != 1 {
		t.Fatalf("got claims %+v, want one of one job", claims)
	}
	b.claimDone(claims[0], jobs(w, 1), webhook.Due{At: time.Now()})
}

func TestOneProbeAtATime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newTestLanes(100)
		w := &webhook.Webhook{ID: 1, Config: webhook.Config{Concurrency: 8}}
		b.ingest(w, 20, 20) // 8 in flight, 12 queued
		began := time.Now()
		if got := len(b.openCircuit(t, w)); got != 3 {
			t.Errorf("got %d queued jobs back, want 3: 17 were started", got)
		}
		opened := time.Now()
		for len(b.started) > 0 { // those that were in flight then
			b.fail(0, began.Add(-time.Second))
		}
		if got := b.circuit(1).ProbeAt; !got.Equal(opened.Add(5 * time.Second)) {
			t.Errorf("got the probe at %s, want 5 s after the opening", got)
		}
		if got := b.ingest(w, 5, 5); got != 0 || len(b.started) != 0 {
			t.Errorf("got %d taken, %d in flight while open, want none", got, len(b.started))
		}
		for i, pause := range []time.Duration{5, 10, 20, 40, 80, 160, 300, 300} {
			before := time.Now()
			b.probe(t, w)
			if got := time.Since(before); got != pause*time.Second || len(b.started) != 1 {
				t.Fatalf("got probe %d after %s, %d in flight, want one after %s", i+1, got, len(b.started), pause*time.Second)
			}
			b.due(0, 1, time.Now())
			if claims, _ := b.turn(); len(claims) != 0 {
				t.Fatal("got a claim while a probe is in flight")
			}
			b.fail(0, time.Now())
		}
		b.probe(t, w)
		b.attempted(0, false, time.Now())
		if b.circuit(1) != (webhook.Circuit{}) {
			t.Error("a success did not close the circuit")
		}
		claims, _ := b.turn()
		if len(claims) != 1 || claims[0].n < 8 {
			t.Fatalf("got %+v, want a claim of many jobs at once", claims)
		}
		b.claimDone(claims[0], jobs(w, claims[0].n), webhook.Due{At: time.Now()})
		if got := len(b.started); got != 8 {
			t.Errorf("got %d in flight, want all 8", got)
		}
	})
}

// TestReservationsEndWithTheCircuit: what comes for places reserved before the
// circuit opened is given back.
func TestReservationsEndWithTheCircuit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newTestLanes(100)
		w := &webhook.Webhook{ID: 1, Config: webhook.Config{Concurrency: 8}}
		b.ingest(w, 1, 1)
		b.due(0, 1, time.Now())
		claims, _ := b.turn()
		if len(claims) != 1 {
			t.Fatalf("got %d claims, want one", len(claims))
		}
		b.claimDone(claims[0], nil, webhook.Due{})
		r, _ := b.plan(w, 3)
		b.due(0, 1, time.Now())
		claims, _ = b.turn()
		b.openCircuit(t, w)
		if got := len(r.commit([]webhook.Accepted{{Jobs: jobs(w, 3)}})); got != 3 {
			t.Errorf("got %d jobs of an ingest back, want 3", got)
		}
		if got := len(b.claimDone(claims[0], jobs(w, claims[0].n), webhook.Due{At: time.Now()})); got != claims[0].n {
			t.Errorf("got %d jobs of a claim back, want %d", got, claims[0].n)
		}
		b.due(0, 1, time.Now())
		b.probe(t, w)
		if b.invalidate(0, 1); !b.circuit(1).Open() {
			t.Error("a delivery was cancelled: the circuit is closed, want it open")
		}
		b.resetCircuit(0, 1)
		if got := b.invalidate(0, 1); len(got) != 0 || b.circuit(1).Open() {
			t.Errorf("got %d jobs back, open %t after a change, want it closed", len(got), b.circuit(1).Open())
		}
	})
}

// serve claims as the loop would, from a table that never runs out.
func (b *testLanes) serve() {
	for claims, _ := b.turn(); len(claims) > 0; claims, _ = b.turn() {
		for _, c := range claims {
			b.claimDone(c, jobs(&webhook.Webhook{ID: c.lane.id, Config: webhook.Config{Concurrency: 8}}, c.n), webhook.Due{At: time.Now()})
		}
	}
}

// TestDeadReceiversLeaveRoom: dead ones could take all places; after a few
// timeouts each has one now and again, and there is room for a healthy one.
func TestDeadReceiversLeaveRoom(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const dead, places, timeout = 300, 2048, 15 * time.Second
		b := newTestLanes(places)
		for id := range webhook.WebhookID(dead) {
			b.due(webhook.AccountID(id), 10+id, time.Now())
		}
		b.serve()
		if len(b.started) < places*9/10 {
			t.Fatalf("got %d in flight, want nearly all %d places taken", len(b.started), places)
		}
		for round := range 100 {
			began := time.Now()
			time.Sleep(timeout)
			for range len(b.started) {
				b.fail(0, began)
			}
			b.serve()
			if limit := places / 2; round >= 3 && len(b.started) > limit {
				t.Fatalf("got %d in flight after %d timeouts, want %d at most", len(b.started), round+1, limit)
			}
			if b.ingest(&webhook.Webhook{ID: 1, Account: dead, Config: webhook.Config{Concurrency: 8}}, 1, 1) != 1 {
				t.Fatal("got no place for a healthy one")
			}
			if b.started[len(b.started)-1].lane.id != 1 {
				t.Fatal("the healthy one is not on its way at once")
			}
			b.attempted(len(b.started)-1, false, began)
		}
		if got := len(b.started); got > dead {
			t.Errorf("got %d in flight in the end, want a probe each at most", got)
		}
	})
}

// mustBeOrdered checks what lanes and loop rely on: the timers are a heap of just
// the lanes that wait for a time, and the loop looks when the first is due.
func (b *testLanes) mustBeOrdered(t *testing.T) {
	t.Helper()
	for i, l := range b.timers {
		if l.timerIndex != i {
			t.Fatalf("lane %d has the index %d, is at %d", l.id, l.timerIndex, i)
		}
		if i > 0 && b.timers.Less(i, (i-1)/2) {
			t.Fatal("the timers are out of order")
		}
	}
	for _, l := range b.byID {
		want := l.nextTimer()
		if (l.timerIndex >= 0) != !want.IsZero() || !want.IsZero() && !want.Equal(l.timer) {
			t.Fatalf("lane %d is not where it belongs: %+v, want a timer at %s", l.id, l, want)
		}
		if l.startQueued != slices.Contains(l.account.startQueue, l) || l.claimQueued != slices.Contains(l.account.claimQueue, l) {
			t.Fatalf("lane %d is not queued as it believes: %+v", l.id, l)
		}
	}
	if len(b.wake) > 0 {
		return
	}
	b.mustBeShared(t)
	if slices.ContainsFunc(b.claiming.accounts, b.mayClaim) {
		t.Fatal("the loop sleeps although a claim may begin")
	}
	if next := b.timers.next(); !next.IsZero() && (b.nextWake.IsZero() || next.Before(b.nextWake)) {
		t.Fatal("the loop sleeps beyond the next timer")
	}
}

// TestLanesStayInOrder: rates, circuits, claims and changes in any order.
func TestLanesStayInOrder(t *testing.T) {
	t.Parallel()
	for seed := range uint64(40) {
		synctest.Test(t, func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 31))
			b := newTestLanes(6)
			var claims []claim
			for range 1000 {
				w := &webhook.Webhook{ID: webhook.WebhookID(1 + random.IntN(20)), Config: webhook.Config{Concurrency: 1 + random.IntN(4)}}
				w.Account = webhook.AccountID(w.ID % 4)
				if w.ID%2 == 0 {
					w.Rate = webhook.Rate{Requests: int(w.ID), Per: webhook.Second}
				}
				switch random.IntN(9) {
				case 0:
					b.ingest(w, random.IntN(6), random.IntN(6))
				case 1, 2:
					<-time.After(time.Duration(random.IntN(3000)) * time.Millisecond)
					select {
					case <-b.wake:
					default:
					}
					more, _ := b.turn()
					claims = append(claims, more...)
				case 3:
					b.due(w.Account, w.ID, time.Now().Add(time.Duration(random.IntN(2000))*time.Millisecond))
				case 4:
					if random.IntN(4) == 0 {
						b.resetCircuit(w.Account, w.ID)
						b.invalidate(w.Account, w.ID)
					}
				case 5, 6, 7:
					if n := len(b.started); n > 0 {
						i := random.IntN(n)
						b.attempted(i, b.started[i].lane.id%3 == 0 || random.IntN(9) == 0, time.Now())
					}
				case 8:
					if len(claims) > 0 {
						c := claims[0]
						w.ID, claims = c.lane.id, claims[1:]
						b.claimDone(c, jobs(w, random.IntN(c.n+1)), webhook.Due{At: time.Now().Add(time.Second)})
					}
				}
				b.mustBeOrdered(t)
			}
		})
	}
}

// TestLanesFollowResets: a change that was not heard of closes the circuit once something
// is read after it; what was read before says nothing about the circuit.
func TestLanesFollowResets(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		open := webhook.Circuit{Failures: 12, Pauses: 3, OpenedAt: time.Now(), ProbeAt: time.Now().Add(time.Minute), Resets: 4}
		for name, read := range map[string]func(*testLanes, int){
			"what is due": func(b *testLanes, resets int) {
				b.reread(map[webhook.WebhookID]webhook.Due{1: {Circuit: webhook.Circuit{Resets: resets}}})
			},
			"an event": func(b *testLanes, resets int) {
				b.ingest(&webhook.Webhook{ID: 1, Circuit: webhook.Circuit{Resets: resets}, Config: webhook.Config{Concurrency: 1}}, 1, 0)
			},
		} {
			start := func() *testLanes {
				b := newTestLanes(100)
				b.granted(webhook.Lease{})
				b.acceptAll(map[webhook.WebhookID]webhook.Due{1: {Circuit: open}})
				return b
			}
			b := start()
			if got := b.circuit(1); got != open {
				t.Errorf("%s: got %+v at the start, want what was stored", name, got)
			}
			for resets, want := range map[int]bool{3: true, 4: true, 5: false} {
				b := start()
				if read(b, resets); b.circuit(1).Open() != want {
					t.Errorf("%s after %d resets: got open %t, want %t", name, resets, !want, want)
				}
			}
		}
	})
}
