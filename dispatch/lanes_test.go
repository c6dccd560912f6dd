package dispatch

import (
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"bookhook/webhook"
)

// startedJob is a job that the lanes started.
type startedJob struct {
	lane *lane
	job  *webhook.Job
}

// testLanes are lanes whose jobs a test finishes by hand.
type testLanes struct {
	*lanes
	started []startedJob
}

func newTestLanes(limit int) *testLanes {
	b := &testLanes{}
	b.lanes = newLanes(limit, time.Now, func(l *lane, job *webhook.Job) { b.started = append(b.started, startedJob{l, job}) })
	b.acceptAll(nil)
	return b
}

// finish finishes the i-th job in flight.
func (b *testLanes) finish(i int) {
	f := b.started[i]
	b.started = append(b.started[:i], b.started[i+1:]...)
	b.requestDone(f.lane)
	b.jobDone(f.lane, f.job)
}

func jobs(w *webhook.Webhook, n int) []webhook.Job {
	list := make([]webhook.Job, n)
	for i := range list {
		list[i] = webhook.Job{Webhook: w, Event: webhook.Event{Data: make([]byte, 100)}}
	}
	return list
}

// plan reserves places for n events that match a webhook.
func (b *testLanes) plan(w *webhook.Webhook, n int) (r *reservation, taken int) {
	p := &webhook.Plan{Subscriptions: &webhook.Subscriptions{Account: webhook.Account{ID: w.Account}, Webhooks: []*webhook.Webhook{w}}}
	for range n {
		p.Events = append(p.Events, webhook.PlannedEvent{Decisions: []webhook.Decision{{Webhook: w.ID}}, Claim: make([]bool, 1)})
	}
	r = b.reservePlan(p)
	for _, e := range p.Events {
		if e.Claim[0] {
			taken++
		}
	}
	return r, taken
}

// ingest reserves places for n events and lets the first of them become jobs.
func (b *testLanes) ingest(w *webhook.Webhook, n, become int) int {
	r, taken := b.plan(w, n)
	a := webhook.Accepted{Event: webhook.Event{Account: w.Account}, Jobs: jobs(w, min(taken, become))}
	if taken < n {
		a.Waiting = []webhook.WebhookID{w.ID}
	}
	r.commit([]webhook.Accepted{a})
	return taken
}

func (b *testLanes) mustBeEmpty(t *testing.T) {
	t.Helper()
	if len(b.byID) != 0 || len(b.accounts) != 0 || b.inFlight != 0 || !reflect.DeepEqual(b.total, account{}) ||
		len(b.starting.accounts) != 0 || len(b.claiming.accounts) != 0 || len(b.timers) != 0 {
		t.Errorf("something is left: %d lanes, %d accounts with %+v, %d in flight, waiting %d and %d, %d timers",
			len(b.byID), len(b.accounts), b.total, b.inFlight, len(b.starting.accounts), len(b.claiming.accounts), len(b.timers))
	}
}

func TestLaneIsBounded(t *testing.T) {
	t.Parallel()
	b := newTestLanes(1000)
	w := &webhook.Webhook{ID: 1, Config: webhook.Config{Concurrency: 4}}
	if got := b.ingest(w, 100, 100); got != 12 {
		t.Errorf("got %d places, want 12", got)
	}
	if got := len(b.started); got != 4 {
		t.Errorf("got %d in flight, want 4", got)
	}
	if got := b.ingest(w, 1, 1); got != 0 {
		t.Error("got a place while older ones wait in the table")
	}
	if claims, _ := b.turn(); len(claims) != 0 {
		t.Error("got a claim for a full lane")
	}
	for range 4 {
		b.finish(0)
	}
	claims, _ := b.turn()
	if len(claims) != 1 || claims[0].n != 4 {
		t.Fatalf("got %+v, want a claim of 4", claims)
	}
	b.claimDone(claims[0], nil, webhook.Due{})
	for len(b.started) > 0 {
		b.finish(0)
	}
	b.mustBeEmpty(t)
}

// TestPlacesBesideAClaim: what is older goes first, but not while a claim brings
// it to the places that it has reserved.
func TestPlacesBesideAClaim(t *testing.T) {
	t.Parallel()
	b := newTestLanes(1000)
	w := &webhook.Webhook{ID: 1, Config: webhook.Config{Concurrency: 4}}
	b.due(w.Account, w.ID, time.Now())
	if got := b.ingest(w, 1, 1); got != 0 {
		t.Errorf("got %d places before what is older, want none", got)
	}
	claims, _ := b.turn()
	b.due(w.Account, w.ID, time.Now())
	if got := b.ingest(w, 20, 20); got != 12-claims[0].n {
		t.Errorf("got %d places beside a claim of %d, want the rest of 12", got, claims[0].n)
	}
	b.claimDone(claims[0], jobs(w, claims[0].n), webhook.Due{At: time.Now()})
	if got := b.ingest(w, 1, 1); got != 0 {
		t.Errorf("got %d places after the claim, want none", got)
	}
}

// TestPlanIsShared: the deliveries of one plan start in turn, and a webhook that
// got no place leaves nothing behind.
func TestPlanIsShared(t *testing.T) {
	t.Parallel()
	b := newTestLanes(3) // one account gets two
	hooks := []*webhook.Webhook{
		{ID: 1, Config: webhook.Config{Concurrency: 2}},
		{ID: 2, Config: webhook.Config{Concurrency: 2}},
		{ID: 3, Config: webhook.Config{Concurrency: 2}},
	}
	p := &webhook.Plan{Subscriptions: &webhook.Subscriptions{Webhooks: hooks}}
	for range 2 {
		p.Events = append(p.Events, webhook.PlannedEvent{
			Decisions: []webhook.Decision{{Webhook: 1}, {Webhook: 2}, {Webhook: 3, Reason: webhook.ReasonDisabled}}, Claim: make([]bool, 3),
		})
	}
	r := b.reservePlan(p)
	if len(r.places) != 2 || len(b.byID) != 2 {
		t.Fatalf("got %d places of %d lanes, want two of two", len(r.places), len(b.byID))
	}
	r.commit([]webhook.Accepted{{Jobs: append(jobs(hooks[0], 2), jobs(hooks[1], 2)...)}})
	if len(b.started) != 2 || b.started[0].lane.id == b.started[1].lane.id {
		t.Errorf("got %+v started, want one of each", b.started)
	}
	for len(b.started) > 0 {
		b.finish(0)
	}
	b.mustBeEmpty(t)
}

func TestTurnsAreTaken(t *testing.T) {
	t.Parallel()
	b := newTestLanes(3) // one account gets two
	first, second := &webhook.Webhook{ID: 1, Config: webhook.Config{Concurrency: 2}}, &webhook.Webhook{ID: 2, Config: webhook.Config{Concurrency: 2}}
	b.ingest(first, 3, 3)
	b.ingest(second, 3, 3)
	var order []webhook.WebhookID
	for len(b.started) > 0 {
		order = append(order, b.started[0].lane.id)
		b.finish(0)
	}
	// Two of the first were in flight when the second came.
	want := []webhook.WebhookID{1, 1, 2, 1, 2, 2}
	for i := range want {
		if i >= len(order) || order[i] != want[i] {
			t.Fatalf("got %v, want %v", order, want)
		}
	}
	b.mustBeEmpty(t)
}

func TestMemoryIsBoundedByBytes(t *testing.T) {
	t.Parallel()
	b := newTestLanes(1000)
	w := &webhook.Webhook{ID: 1, Config: webhook.Config{Concurrency: 200}}
	big := make([]byte, maxBytes/20+1) // half of the memory is one account's
	r, _ := b.plan(w, 10)
	list := jobs(w, 10)
	for i := range list {
		list[i].Event.Data = big
	}
	r.commit([]webhook.Accepted{{Jobs: list}})
	b.due(0, 2, time.Now())
	if claims, _ := b.turn(); len(claims) != 0 || b.ingest(&webhook.Webhook{ID: 3, Config: webhook.Config{Concurrency: 1}}, 1, 1) != 0 {
		t.Fatal("got more than memory allows")
	}
	select {
	case <-b.wake:
	default:
	}
	b.finish(0)
	select {
	case <-b.wake:
	default:
		t.Error("the loop sleeps although there is memory again")
	}
	if claims, _ := b.turn(); len(claims) != 2 {
		t.Errorf("got %d claims, want 2", len(claims))
	}
}

func TestStaleJobsAreGivenBack(t *testing.T) {
	t.Parallel()
	b := newTestLanes(100)
	w := &webhook.Webhook{ID: 1, Config: webhook.Config{Concurrency: 1}}
	r, _ := b.plan(w, 1)
	b.invalidate(w.Account, w.ID)
	if got := len(r.commit([]webhook.Accepted{{Jobs: jobs(w, 1)}})); got != 1 {
		t.Errorf("got %d stale jobs of an ingest, want 1", got)
	}
	b.due(w.Account, w.ID, time.Now())
	claims, _ := b.turn()
	b.invalidate(w.Account, w.ID)
	if got := len(b.claimDone(claims[0], jobs(w, 1), webhook.Due{})); got != 1 {
		t.Errorf("got %d stale jobs of a claim, want 1", got)
	}
	b.ingest(w, 3, 3)
	if got := len(b.invalidate(w.Account, w.ID)); got != 2 {
		t.Errorf("got %d queued jobs, want 2", got)
	}
	b.finish(0)
	b.mustBeEmpty(t)
}

func TestContradictingStoreIsRetriedLater(t *testing.T) {
	t.Parallel()
	b := newTestLanes(100)
	now := time.Now()
	b.clock = func() time.Time { return now }
	b.due(0, 1, now)
	claims, _ := b.turn()
	b.claimDone(claims[0], nil, webhook.Due{At: now}) // due, but nothing there
	if claims, next := b.turn(); len(claims) != 0 || !next.Equal(now.Add(storePause)) {
		t.Errorf("got %d claims, next at %s, want none before %s", len(claims), next, now.Add(storePause))
	}
}

// TestCountsBalance: whatever happens in whatever order, the bounds hold and the
// counts balance.
func TestCountsBalance(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		b := newTestLanes(5)
		var claims []claim
		for range 200 {
			id := random.IntN(6)
			w := &webhook.Webhook{ID: webhook.WebhookID(id), Account: webhook.AccountID(id % 3), Config: webhook.Config{Concurrency: 1 + random.IntN(4)}}
			switch random.IntN(6) {
			case 0:
				b.ingest(w, random.IntN(6), random.IntN(6))
			case 1:
				more, _ := b.turn()
				claims = append(claims, more...)
			case 2:
				b.due(w.Account, w.ID, time.Now())
			case 3:
				b.invalidate(w.Account, w.ID)
			case 4:
				if len(b.started) > 0 {
					b.finish(random.IntN(len(b.started)))
				}
			case 5:
				if len(claims) > 0 {
					b.claimDone(claims[0], jobs(&webhook.Webhook{ID: claims[0].lane.id, Config: webhook.Config{Concurrency: w.Concurrency}}, random.IntN(claims[0].n+1)), webhook.Due{})
					claims = claims[1:]
				}
			}
			if len(b.started) > 5 || b.inFlight != len(b.started) || b.total.claims != len(claims) || b.total.claims > maxClaims {
				t.Fatalf("%d in flight (%d), claims %d (%d)", b.inFlight, len(b.started), b.total.claims, len(claims))
			}
		}
		for len(b.started)+len(claims)+len(b.claiming.accounts)+len(b.timers) > 0 {
			more, _ := b.turn()
			for _, c := range append(claims, more...) {
				b.claimDone(c, nil, webhook.Due{})
			}
			claims = nil
			for len(b.started) > 0 {
				b.finish(0)
			}
		}
		b.mustBeEmpty(t)
	}
}

func TestPanicIsAnOutcome(t *testing.T) {
	t.Parallel()
	d := New(Options{})
	a := d.sender.send(t.Context(), &webhook.Job{Delivery: webhook.Delivery{Attempts: 1}}, false) // without a webhook
	if a.Failure != webhook.FailInternal || a.Error.IsZero() || a.Number != 1 || a.cutOff {
		t.Errorf("got %+v, want an internal failure", a)
	}
}

// TestUnrecordedHoldsClaims: while an attempt is not recorded its delivery looks
// due at the end of its lease, and a claim would send it again. The store fails
// after the request is done, when its lane may be deleted.
func TestUnrecordedHoldsClaims(t *testing.T) {
	t.Parallel()
	b := newTestLanes(10)
	w := &webhook.Webhook{ID: 1, Config: webhook.Config{Concurrency: 2}}
	b.ingest(w, 1, 1)
	b.finish(0)
	b.mustBeEmpty(t)
	b.addUnrecorded(w.Account, w.ID, 1)
	b.due(w.Account, w.ID, time.Now())
	if claims, _ := b.turn(); len(claims) != 0 {
		t.Error("got a claim while an attempt is not recorded")
	}
	b.ingest(&webhook.Webhook{ID: 1, Config: webhook.Config{Concurrency: 2}}, 1, 1)
	b.addUnrecorded(w.Account, w.ID, -1)
	if len(b.byID) != 1 {
		t.Errorf("got %d lanes, want the one that has something to do", len(b.byID))
	}
	claims, _ := b.turn()
	if len(claims) != 1 {
		t.Fatalf("got %d claims, want 1", len(claims))
	}
	b.claimDone(claims[0], nil, webhook.Due{})
	for len(b.started) > 0 {
		b.finish(0)
	}
	b.mustBeEmpty(t)
}
