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
	{"what waits is passed once", testPrunePending},
	{"in small batches", testPruneBatches},
	{"sessions", testPruneSessions},
	{"what could not be read", testPruneRejected},
}

// prune prunes to the end and returns how many rows went in each round.
func prune(tb testing.TB, s *db.Store, before, now time.Time, batch int) (rounds []int64) {
	tb.Helper()
	for after := webhook.EventID(0); ; {
		n, last, err := s.Prune(tb.Context(), before, now, after, batch)
		ok(tb, err)
		if n == 0 && last == after {
			return rounds
		}
		rounds, after = append(rounds, n), last
	}
}

func testPrune(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a, w := shop(t, s)
	pending := ended(t, s, w, webhook.Pending)
	waits := must(s.Delivery(ctx, a.ID, pending))(t)
	gone := []webhook.DeliveryID{}
	for _, state := range []webhook.State{webhook.Delivered, webhook.Failed, webhook.Cancelled} {
		gone = append(gone, ended(t, s, w, state))
	}
	w = must(s.Webhook(ctx, a.ID, w.ID))(t)
	addHook(t, s, a.ID, func(w *webhook.Webhook) { w.SelectEvents([]string{"never"}) })
	unmatched := newEvent("kept until pruned")
	unmatched.Type = "x"
	must(s.SetEnabled(ctx, a.ID, w.ID, false, at(t0)))(t)
	ingest(t, s, a.ID, unmatched)
	later := t0.Add(24 * time.Hour)
	prune(t, s, later, t0, 2)
	for _, id := range gone {
		_, err := s.Delivery(ctx, a.ID, id)
		wantError(t, "delivery", err, webhook.ErrNotFound)
		same(t, "its attempts", len(numbers(t, s, a.ID, id)), 0)
	}
	same(t, "one that waits", must(s.Delivery(ctx, a.ID, pending))(t), waits)
	same(t, "its attempts", numbers(t, s, a.ID, pending), []int{1})
	same(t, "events", listedEvents(t, s, a.ID, webhook.EventFilter{Limit: 9}), []webhook.EventID{waits.Event})
	same(t, "audit entries", len(must(s.Audit(ctx, a.ID, 0, 9))(t)), 0)
	same(t, "webhooks", len(must(s.Webhooks(ctx, a.ID))(t)), 2)
	same(t, "an id that was forgotten is new", ingest(t, s, a.ID, unmatched)[0].Duplicate, false)
}

func testPruneNew(t *testing.T, s *db.Store) {
	a, w := shop(t, s)
	d := ended(t, s, w, webhook.Delivered)
	same(t, "rounds", len(prune(t, s, t0.Add(-time.Minute), t0, 100)), 0)
	same(t, "attempts", numbers(t, s, a.ID, d), []int{1})
}

// testPruneReplayed: what is old but ended a moment ago stays.
func testPruneReplayed(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a, w := shop(t, s)
	d := ended(t, s, w, webhook.Failed)
	late := t0.Add(100 * 24 * time.Hour)
	must(s.Replay(ctx, a.ID, d, at(late)))(t)
	n := claim(t, s, w.ID, 1, late)[0].Delivery.Attempts
	finish(t, s, success(d, w.ID, n), late)
	prune(t, s, late.Add(-time.Hour), late, 100)
	same(t, "state", must(s.Delivery(ctx, a.ID, d))(t).State, webhook.Delivered)
	same(t, "attempts", numbers(t, s, a.ID, d), []int{1, n})
}

// testPrunePending: what waits does not hold up what is behind it, and what
// ended beside it goes.
func testPrunePending(t *testing.T, s *db.Store) {
	a, w := shop(t, s)
	waits := deliver(t, s, a.ID, 30)
	second := addHook(t, s, a.ID)
	e := ingest(t, s, a.ID, newEvent(""))[0]
	ok(t, s.Cancel(t.Context(), a.ID, e.Decisions[1].Delivery, at(t0)))
	deliver(t, s, a.ID, 1)
	same(t, "rounds", len(prune(t, s, t0.Add(24*time.Hour), t0, 8)), 4)
	waits = append(waits, e.Decisions[0].Delivery)
	same(t, "first webhook", len(listed(t, s, a.ID, webhook.DeliveryFilter{Webhook: w.ID, Limit: 99})), len(waits)+1)
	same(t, "second webhook", len(listed(t, s, a.ID, webhook.DeliveryFilter{Webhook: second.ID, Limit: 99})), 1)
	same(t, "of the event", listed(t, s, a.ID, webhook.DeliveryFilter{Event: e.Event.ID, Limit: 9}), waits[30:])
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
	rounds, all := prune(t, s, t0.Add(24*time.Hour), t0, 7), int64(0)
	for _, n := range rounds {
		all += n
		if n > 4*7 {
			t.Errorf("got %d rows in one batch, want at most 7 of each kind", n)
		}
	}
	same(t, "rounds", len(rounds), 8)
	same(t, "rows", all, 3*50+2) // deliveries, attempts, events; two audit entries
	same(t, "deliveries left", must(s.CountDeliveries(ctx, a.ID, webhook.DeliveryFilter{}))(t).N, 1)
}

func testPruneSessions(t *testing.T, s *db.Store) {
	ctx := t.Context()
	ok(t, s.AddSession(ctx, []byte("a"), nil, session(0)))
	same(t, "rounds before its end", len(prune(t, s, t0.Add(-time.Hour), t0.Add(time.Hour-time.Millisecond), 10)), 0)
	same(t, "before its end", alive(t, s, "a"), []string{"a"})
	same(t, "deleted at its end", prune(t, s, t0.Add(-time.Hour), t0.Add(time.Hour), 10), []int64{1})
}

// testPruneRejected: what could not be read goes a week after it came last,
// however long events are kept.
func testPruneRejected(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a := newAccount(t, s)
	for i, body := range []string{"once", "again", "and again", "later"} {
		ok(t, s.AddRejectedRequest(ctx, rejected(a.ID, body), t0.Add(time.Duration(i)*time.Millisecond)))
	}
	again := t0.Add(time.Hour)
	for _, body := range []string{"again", "and again"} {
		ok(t, s.AddRejectedRequest(ctx, rejected(a.ID, body), again))
	}
	end := t0.Add(webhook.KeepRejected)
	same(t, "rounds a moment before its end", len(prune(t, s, t0.Add(-time.Hour), end, 10)), 0)
	end = end.Add(30 * time.Minute) // ids are of the real time, some of them minutes after t0
	same(t, "gone at its end", prune(t, s, t0.Add(-time.Hour), end, 1), []int64{1, 1})
	same(t, "what came again", bodies(must(s.RejectedRequests(ctx, a.ID, 0, 9))(t)), []string{"and again", "again"})
	same(t, "gone in the end", prune(t, s, t0.Add(-time.Hour), end.Add(time.Hour), 10), []int64{2})
}
