package dispatch_test

import (
	"runtime"
	"runtime/metrics"
	"strings"
	"testing"
	"time"

	"bookhook/dispatch"
	"bookhook/platforms/all"
	"bookhook/webhook"
)

func TestShutdownWaitsWithinTheGrace(t *testing.T) {
	g := newGate(t)
	r := start(t, dispatch.Options{})
	r.hook(g.URL, concurrency(2))
	ids := r.ingest(5)
	receive(t, g.arrived)
	receive(t, g.arrived)
	stopped := make(chan struct{})
	go func() {
		r.stop()
		close(stopped)
	}()
	released := map[webhook.DeliveryID]bool{}
	for range 3 { // those in the queue, at once
		released[receive(t, r.store.released)] = true
	}
	g.open()
	receive(t, stopped)
	for _, id := range ids {
		d := r.delivery(id)
		if released[id] && (d.State != webhook.Pending || d.Attempts != 0 || d.NextAt.After(time.Now())) {
			t.Errorf("got %+v, want a delivery that nobody touched", d)
		}
		if !released[id] && d.State != webhook.Delivered {
			t.Errorf("got %+v, want what was in flight delivered", d)
		}
	}
}

func TestShutdownChargesNothingForWhatItCutsOff(t *testing.T) {
	g := newGate(t)
	r := start(t, dispatch.Options{Grace: time.Millisecond})
	r.hook(g.URL)
	id := r.ingest(1)[0]
	receive(t, g.arrived)
	r.stop()
	if d := r.delivery(id); d.State != webhook.Pending || d.Attempts != 0 || d.NextAt.After(time.Now()) {
		t.Errorf("got %+v, want due and not charged", d)
	}
	if got := len(r.attempts(id)); got != 0 {
		t.Errorf("got %d attempts in the log, want none", got)
	}
}

func TestNothingIsTakenBeforeAndAfterRunning(t *testing.T) {
	r := newRig(t)
	r.hook(receiver(t, answer(200)).URL)
	r.Dispatcher = dispatch.New(dispatch.Options{Store: r.store, Lookups: r.store, Shards: r.store, Platforms: all.Platforms()})
	if r.Alive() {
		t.Error("alive before Run")
	}
	id := r.ingest(1)[0]
	if d := r.delivery(id); d.Attempts != 0 {
		t.Errorf("got %d attempts before Run, want 0", d.Attempts)
	}
	r.run(dispatch.Options{})
	if got := r.next(); got.Delivery != id || got.State != webhook.Delivered {
		t.Errorf("got %+v, want what waited delivered", got)
	}
	if !r.Alive() {
		t.Error("not alive while running")
	}
	r.stop()
	if d := r.delivery(r.ingest(1)[0]); r.Alive() || d.Attempts != 0 {
		t.Errorf("got alive %t, %d attempts after Run, want none of that", r.Alive(), d.Attempts)
	}
}

func TestClaimsOfADeadProcessAreRecovered(t *testing.T) {
	r := newRig(t)
	r.hook(receiver(t, answer(200)).URL)
	now := time.Now()
	subscriptions, err := r.store.Subscriptions(t.Context(), r.account.ID)
	if err != nil {
		t.Fatal(err)
	}
	p := webhook.NewPlan(subscriptions, events(1), now, now.Add(time.Hour))
	p.Events[0].Claim[0] = true
	accepted, err := r.store.Insert(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	r.run(dispatch.Options{})
	got := r.next()
	if got.State != webhook.Delivered || got.Delivery != accepted[0].Jobs[0].Delivery.ID || got.Attempt.Number != 2 {
		t.Errorf("got %+v, want delivered by the second attempt", got)
	}
}

// TestUrgentSurvivesADeadProcess: a test of a webhook that is off was cut off; the next
// process sends it, since nothing else would.
func TestUrgentSurvivesADeadProcess(t *testing.T) {
	r := newRig(t)
	w := r.hook(receiver(t, answer(200)).URL, func(w *webhook.Webhook) { w.Enabled = false })
	now := time.Now()
	d := must(r.store.Test(t.Context(), r.account.ID, w.ID, events(1)[0], now))(t)
	jobs, _, err := r.store.Claim(t.Context(), webhook.Claim{Webhook: w.ID, Urgent: 1, Now: now, Lease: now.Add(time.Hour)})
	if err != nil || len(jobs) != 1 {
		t.Fatalf("got %d claimed, %v", len(jobs), err)
	}
	r.run(dispatch.Options{})
	if got := r.next(); got.State != webhook.Delivered || got.Delivery != d.ID || got.Attempt.Number != 2 {
		t.Errorf("got %+v, want the test delivered by the second attempt", got)
	}
}

// workers counts the goroutines that run jobs, or wait for one. Tests of other
// dispatchers must not run meanwhile.
func workers() int {
	stacks := make([]byte, 16<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	return strings.Count(string(stacks), "dispatch.(*Dispatcher).runJobs(")
}

// waitForWorkers waits until there are n workers.
func waitForWorkers(t *testing.T, n int) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); workers() != n; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("got %d workers, want %d", workers(), n)
		}
	}
}

// goroutinesCreated is how many goroutines the process has had.
func goroutinesCreated() uint64 {
	created := []metrics.Sample{{Name: "/sched/goroutines-created:goroutines"}}
	metrics.Read(created)
	return created[0].Value.Uint64()
}

func TestWorkersAreReused(t *testing.T) {
	const mostIdle = 256
	g := newGate(t)
	r := start(t, dispatch.Options{})
	for range 2 {
		r.hook(g.URL, concurrency(mostIdle/2+10))
	}
	r.ingest(mostIdle/2 + 10)
	waitForWorkers(t, mostIdle+20)
	g.open()
	for range mostIdle + 20 {
		r.next()
	}
	waitForWorkers(t, mostIdle)
	before := goroutinesCreated()
	for range 50 {
		r.ingest(1)
		r.next()
		r.next()
	}
	if got := goroutinesCreated() - before; got > 150 { // the receiver has one for each request
		t.Errorf("got %d new goroutines for 100 jobs, want about 100", got)
	}
	r.stop()
	if got := workers(); got != 0 {
		t.Errorf("got %d workers after Run, want none", got)
	}
}
