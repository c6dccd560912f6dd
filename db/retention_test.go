package db_test

import (
	"testing"
	"time"

	"bookhook/db"
	"bookhook/webhook"
)

var retentionTests = []test{
	{"what is old goes", testPrune},
	{"what is new stays", testPruneNew},
	{"what was replayed", testPruneReplayed},
	{"in small batches", testPruneBatches},
	{"sessions", testPruneSessions},
}

func testPrune(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a, w := shop(t, s)
	pending := ended(t, s, w, webhook.Pending)
	waits := must(s.Delivery(ctx, a.ID, pending))(t)
	gone := []webhook.ID{}
	for _, state := range []webhook.State{webhook.Delivered, webhook.Failed, webhook.Cancelled} {
		gone = append(gone, ended(t, s, w, state))
	}
	w = must(s.Webhook(ctx, a.ID, w.ID))(t)
	addHook(t, s, a.ID, func(w *webhook.Webhook) { w.Events = []string{"never"} })
	unmatched := newEvent("kept until pruned")
	unmatched.Type = "x"
	must(s.SetEnabled(ctx, a.ID, w.ID, false, by, t0))(t)
	ingest(t, s, a.ID, unmatched)
	later := t0.Add(24 * time.Hour)
	for n := int64(1); n > 0; {
		n = must(s.Prune(ctx, later, t0, 2))(t)
	}
	for _, id := range gone {
		_, err := s.Delivery(ctx, a.ID, id)
		wantError(t, "delivery", err, webhook.ErrNotFound)
		same(t, "its attempts", len(numbers(t, s, a.ID, id)), 0)
	}
	same(t, "one that waits", must(s.Delivery(ctx, a.ID, pending))(t), waits)
	same(t, "its attempts", numbers(t, s, a.ID, pending), []int{1})
	same(t, "events", listedEvents(t, s, a.ID, webhook.EventFilter{Limit: 9}), []webhook.ID{waits.Event})
	same(t, "audit entries", len(must(s.Audit(ctx, a.ID, 0, 9))(t)), 0)
	same(t, "webhooks", len(must(s.Webhooks(ctx, a.ID))(t)), 2)
	same(t, "an id that was forgotten is new", ingest(t, s, a.ID, unmatched)[0].Duplicate, false)
}

func testPruneNew(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a, w := shop(t, s)
	d := ended(t, s, w, webhook.Delivered)
	same(t, "deleted", must(s.Prune(ctx, t0.Add(-time.Minute), t0, 100))(t), 0)
	same(t, "attempts", numbers(t, s, a.ID, d), []int{1})
}

// testPruneReplayed: what is old but ended a moment ago stays.
func testPruneReplayed(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a, w := shop(t, s)
	d := ended(t, s, w, webhook.Failed)
	late := t0.Add(100 * 24 * time.Hour)
	must(s.Replay(ctx, a.ID, d, by, late))(t)
	n := claim(t, s, w.ID, 1, late)[0].Delivery.Attempts
	finish(t, s, success(d, w.ID, n), late)
	for range 3 {
		must(s.Prune(ctx, late.Add(-time.Hour), late, 100))(t)
	}
	same(t, "state", must(s.Delivery(ctx, a.ID, d))(t).State, webhook.Delivered)
	same(t, "attempts", numbers(t, s, a.ID, d), []int{1, n})
}

func testPruneBatches(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a, w := shop(t, s)
	d := deliver(t, s, a.ID, 50)
	claim(t, s, w.ID, 50, t0)
	for _, id := range d {
		finish(t, s, success(id, w.ID, 1), t0)
	}
	deliver(t, s, a.ID, 1)
	later, rounds, all := t0.Add(24*time.Hour), 0, int64(0)
	for {
		n := must(s.Prune(ctx, later, t0, 7))(t)
		if n == 0 {
			break
		}
		rounds, all = rounds+1, all+n
		if n > 4*7 {
			t.Errorf("got %d rows in one batch, want at most 7 of each kind", n)
		}
	}
	same(t, "rounds", rounds, 8)
	same(t, "rows", all, 3*50+2) // deliveries, attempts, events; two audit entries
	same(t, "deliveries left", must(s.CountDeliveries(ctx, a.ID, webhook.DeliveryFilter{}))(t), 1)
}

func testPruneSessions(t *testing.T, s *db.Store) {
	ctx := t.Context()
	ok(t, s.AddSession(ctx, []byte("a"), nil, session(0)))
	must(s.Prune(ctx, t0.Add(-time.Hour), t0.Add(time.Hour-time.Millisecond), 10))(t)
	same(t, "before its end", alive(t, s, "a"), []string{"a"})
	same(t, "deleted at its end", must(s.Prune(ctx, t0.Add(-time.Hour), t0.Add(time.Hour), 10))(t), 1)
}
