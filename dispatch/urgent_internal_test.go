package dispatch

import (
	"testing"
	"time"

	"bookhook/webhook"
)

// urgentJobs are jobs that people wait for.
func urgentJobs(w *webhook.Webhook, n int) []webhook.Job {
	list := jobs(w, n)
	for i := range list {
		list[i].Urgent = true
	}
	return list
}

// urgentClaim makes the one claim that is to be made, which is of urgent rows alone,
// and lets it find n.
func (b *testLanes) urgentClaim(t *testing.T, w *webhook.Webhook, n int) {
	t.Helper()
	claims, _ := b.turn()
	if len(claims) != 1 || claims[0].n != 0 || claims[0].bulk != 0 || claims[0].urgent < n {
		t.Fatalf("got claims %+v, want one of %d urgent rows", claims, n)
	}
	if stale := b.claimDone(claims[0], urgentJobs(w, n), webhook.Due{}); len(stale) != 0 {
		t.Fatalf("got %d stale jobs", len(stale))
	}
}

// TestUrgentGoesAtOnce: neither a full lane nor a rate nor an open circuit is in its way.
func TestUrgentGoesAtOnce(t *testing.T) {
	t.Parallel()
	for name, config := range map[string]webhook.Config{
		"full":    {Concurrency: 1},
		"rate":    {Concurrency: 1, Rate: webhook.Rate{Requests: 1, Per: webhook.Minute}},
		"circuit": {Concurrency: 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newTestLanes(1000)
			w := &webhook.Webhook{ID: 1, Config: config}
			n := 1
			if name == "full" {
				n = 5
			}
			b.ingest(w, n, n)
			l := b.lane(0, 1)
			if name == "circuit" {
				failTimes(&l.breaker, webhook.CircuitFailures, time.Now())
			}
			if name != "full" { // nothing is in flight
				b.finish(0)
			}
			before := len(b.started)
			b.urgent(0, 1)
			b.urgentClaim(t, w, 2)
			if got := len(b.started) - before; got != 2 || !b.started[len(b.started)-1].job.Urgent {
				t.Errorf("got %d started, want both urgent ones", got)
			}
		})
	}
}

// TestUrgentIsBounded: a person, or a program, that asks for more than a few at a time
// gets a few at a time.
func TestUrgentIsBounded(t *testing.T) {
	t.Parallel()
	b := newTestLanes(1000)
	w := &webhook.Webhook{ID: 1, Config: webhook.Config{Concurrency: 1}}
	b.urgent(0, 1)
	b.urgentClaim(t, w, maxUrgent)
	b.urgent(0, 1)
	if claims, _ := b.turn(); len(claims) != 0 || len(b.started) != maxUrgent {
		t.Errorf("got %d in flight and %+v, want %d and no further claim", len(b.started), claims, maxUrgent)
	}
	b.finish(0)
	b.urgentClaim(t, w, 1)
	for len(b.started) > 0 {
		b.finish(0)
	}
	b.mustBeEmpty(t)

	b = newTestLanes(4) // one account gets two
	b.urgent(0, 1)
	b.urgentClaim(t, w, 4)
	if len(b.started) != 2 {
		t.Errorf("got %d in flight, want the two that the account may have", len(b.started))
	}
	if got := len(b.close()); got != 2 {
		t.Errorf("got %d queued at the end, want 2", got)
	}
}

// TestUrgentSurvivesTheCircuit: what waits for a worker goes although the circuit opens.
func TestUrgentSurvivesTheCircuit(t *testing.T) {
	t.Parallel()
	b := newTestLanes(4) // one account gets two
	w := &webhook.Webhook{ID: 1, Config: webhook.Config{Concurrency: 2}}
	l := b.lane(0, 1)
	failTimes(&l.breaker, webhook.CircuitFailures-1, time.Now())
	b.ingest(w, 3, 3)
	b.urgent(0, 1)
	b.urgentClaim(t, w, 1)
	if queued := b.fail(0, time.Now()); len(queued) != 1 || queued[0].Urgent {
		t.Errorf("got %d released, want the one that is not urgent", len(queued))
	}
	if last := b.started[len(b.started)-1]; !last.job.Urgent {
		t.Error("the urgent one was not started")
	}
}

// TestUrgentIsAProbe: the success of what a person asked for since the circuit opened
// closes it, and makes what waits due; a failure makes the pause longer.
func TestUrgentIsAProbe(t *testing.T) {
	t.Parallel()
	for began, want := range map[time.Duration]bool{-time.Second: false, time.Second: true} {
		for _, urgent := range []bool{true, false} {
			d := New(Options{})
			l := d.lanes.lane(0, 1)
			l.inFlight, d.lanes.inFlight = 1, 1
			failTimes(&l.breaker, webhook.CircuitFailures, day)
			job := &webhook.Job{Webhook: &webhook.Webhook{ID: 1}, Urgent: urgent}
			recovered, _ := d.updateCircuit(l, job, attemptResult{Attempt: webhook.Attempt{StartedAt: day.Add(began)}})
			if recovered != (want && urgent) || d.lanes.circuit(1).Open() {
				t.Errorf("begun %s after the opening, urgent %t: got recovered %t, open %t", began, urgent, recovered, d.lanes.circuit(1).Open())
			}
		}
	}
	var b breaker
	failTimes(&b, webhook.CircuitFailures, day)
	b.update(attemptSignal{failed: true, startedAt: day.Add(time.Second)}, day.Add(2*time.Second))
	if got := b.ProbeAt.Sub(day); got != 2*time.Second+2*firstPause {
		t.Errorf("got the next probe in %s, want it after twice the pause", got)
	}
}
