package dispatch_test

import (
	"testing"

	"bookhook/dispatch"
	"bookhook/webhook"
)

func TestSlowReceiverDoesNotDelayAnother(t *testing.T) {
	t.Parallel()
	slow := newGate(t)
	r := start(t, dispatch.Options{})
	slowHook := r.hook(slow.URL)
	r.ingest(500) // far more than the lane holds
	fastHook := r.hook(receiver(t, answer(200)).URL)
	for range 20 {
		r.ingest(10)
		for range 10 {
			if got := r.next(); got.Webhook != fastHook.ID {
				t.Fatalf("got a result of %s, want only those of the fast one", got.Webhook.String())
			}
		}
	}
	slow.open()
	for range 700 {
		if got := r.next(); got.Webhook != slowHook.ID || got.State != webhook.Delivered {
			t.Fatalf("got %s, want all of the slow one delivered", got.State)
		}
	}
	if got := slow.most.Load(); got > webhook.DefaultConcurrency {
		t.Errorf("got %d requests at once, want %d at most", got, webhook.DefaultConcurrency)
	}
}

func TestConcurrency(t *testing.T) {
	t.Parallel()
	for _, limit := range []int{1, 3, 64} {
		g := newGate(t)
		r := start(t, dispatch.Options{})
		r.hook(g.URL, concurrency(limit))
		r.ingest(100)
		for range limit {
			receive(t, g.arrived)
		}
		g.open()
		for range 100 {
			r.next()
		}
		if got := int(g.most.Load()); got != limit {
			t.Errorf("got %d requests at once, want %d", got, limit)
		}
	}
}

func TestGlobalCapIsShared(t *testing.T) {
	t.Parallel()
	a, b := newGate(t), newGate(t)
	r := start(t, dispatch.Options{MaxInFlight: 4}) // of which one account may have half
	r.hook(a.URL)
	r.hook(b.URL)
	r.ingest(20)
	receive(t, a.arrived)
	receive(t, b.arrived)
	a.open()
	b.open()
	for range 40 {
		r.next()
	}
	if got := a.most.Load() + b.most.Load(); got > 4 {
		t.Errorf("got %d requests at once, want 2 in all", got)
	}
}
