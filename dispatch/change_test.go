package dispatch_test

import (
	"net/http"
	"sync/atomic"
	"testing"

	"bookhook/dispatch"
	"bookhook/webhook"
)

func TestChangedUsesTheNewURL(t *testing.T) {
	t.Parallel()
	old, fresh := newGate(t), newGate(t)
	fresh.open()
	r := start(t, dispatch.Options{})
	w := r.hook(old.URL, concurrency(1))
	r.ingest(10)
	receive(t, old.arrived) // the others are queued, or in the table
	w.URL = fresh.URL
	r.save(w)
	old.open()
	for range 10 {
		if got := r.next(); got.State != webhook.Delivered || got.Attempt.Number != 1 {
			t.Errorf("got %s by attempt %d, want delivered by the first", got.State, got.Attempt.Number)
		}
	}
	if got := len(fresh.arrived); got != 9 {
		t.Errorf("got %d requests at the new URL, want 9", got)
	}
}

// TestChangedWhileUrgent: what a person waits for still goes at once when its webhook
// changed while it was claimed: its rate has nothing for it for a minute.
func TestChangedWhileUrgent(t *testing.T) {
	t.Parallel()
	var got atomic.Int32
	s := receiver(t, func(http.ResponseWriter, *http.Request) { got.Add(1) })
	r := newRig(t)
	changes, w := 2, (*webhook.Webhook)(nil)
	r.store.claimed = func(jobs []webhook.Job) {
		if changes > 0 && len(jobs) > 0 && jobs[0].Urgent {
			changes--
			r.touch(w)
		}
	}
	r.run(dispatch.Options{})
	w = r.hook(s.URL, func(w *webhook.Webhook) { w.Rate = webhook.Rate{Requests: 1, Per: webhook.Minute} })
	id := r.ingest(1)[0]
	r.next()
	if _, err := r.Replay(t.Context(), r.account.ID, id, byTest()); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if released := receive(t, r.store.released); released != id {
			t.Errorf("got %s released, want %s", released, id)
		}
	}
	if again := r.next(); again.Delivery != id || again.State != webhook.Delivered || again.Attempt.Number != 2 {
		t.Errorf("got %+v, want the replay delivered by its first attempt", again)
	}
	if got.Load() != 2 {
		t.Errorf("got %d requests, want two", got.Load())
	}
}

func TestOffWaitsUntilOn(t *testing.T) {
	t.Parallel()
	g := newGate(t)
	r := start(t, dispatch.Options{})
	w := r.hook(g.URL, concurrency(1))
	ids := r.ingest(3)
	receive(t, g.arrived)
	switchTo := func(on bool) {
		t.Helper()
		if _, err := r.store.SetEnabled(t.Context(), r.account.ID, w.ID, on, byTest()); err != nil {
			t.Fatal(err)
		}
	}
	switchTo(false)
	g.open()
	r.next() // what was in flight
	for range 2 {
		receive(t, r.store.released)
	}
	if got := len(g.arrived); got != 0 {
		t.Errorf("got %d requests while off, want none", got)
	}
	switchTo(true)
	for range ids[1:] {
		if got := r.next().State; got != webhook.Delivered {
			t.Errorf("got %s, want delivered once on", got)
		}
	}
}
