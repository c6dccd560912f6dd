package dispatch_test

import (
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
