package db_test

import (
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"bookhook/db"
	"bookhook/webhook"
)

var orderTests = []test{
	{"held on insert", testHeldOnInsert},
	{"held within one batch", testHeldInBatch},
	{"freed by success and by final failure", testFreedByEnd},
	{"not freed by a retry", testNotFreedByRetry},
	{"freed by a cancel", testFreedByCancel},
	{"freed when the receiver is gone", testFreedByGone},
	{"freed while the webhook is off", testFreedWhileOff},
	{"late results free nothing", testLateFreesNothing},
	{"replay of an older one", testReplayOlder},
	{"replay of a newer one", testReplayNewer},
	{"replay of one that is held", testReplayHeld},
	{"replay of a cancelled one on its way", testReplayCancelledOnItsWay},
	{"tests and events without booking are in no order", testOutOfOrder},
	{"two webhooks and two accounts", testOrdersApart},
	{"duplicates", testOrderDuplicates},
	{"switched off", testOrderOff},
	{"switched off while another one waits", testOrderOffWithOthers},
	{"switched on again", testOrderOnAgain},
	{"switched on again when some are let go", testOrderOnHalfway},
	{"crash", testOrderCrash},
	{"hasten", testOrderHasten},
	{"hasten many", testHastenMany},
	{"webhook deleted", testOrderDeleted},
	{"prune", testOrderPrune},
	{"whatever happens", testOrderWhatever},
}

func ordered(w *webhook.Webhook) { w.Ordered = true }

// orderedShop is an account with one webhook that keeps the order.
func orderedShop(tb testing.TB, s *db.Store) (webhook.Account, *webhook.Webhook) {
	tb.Helper()
	a := newAccount(tb, s)
	return a, addHook(tb, s, a.ID, ordered)
}

// inLine are ids as they are claimed at a time, in their order.
func inLine(tb testing.TB, s *db.Store, w *webhook.Webhook, at time.Time, want ...webhook.ID) {
	tb.Helper()
	same(tb, "claimed", ids(claim(tb, s, w.ID, 99, at)), append([]webhook.ID{}, want...))
}

// wantHeld checks which of the deliveries are held; those have no next try.
func wantHeld(tb testing.TB, s *db.Store, account webhook.ID, all []webhook.ID, held ...bool) {
	tb.Helper()
	got := []bool{}
	for _, id := range all {
		d := must(s.Delivery(tb.Context(), account, id))(tb)
		got = append(got, d.Held)
		if d.Held != (d.NextAt.IsZero() && d.State == webhook.Pending) {
			tb.Errorf("got %+v, want a time for its next try unless it is held", d)
		}
	}
	same(tb, "held", got, held)
}

// freed finishes an attempt and checks whether that let one go.
func freed(tb testing.TB, s *db.Store, r webhook.Result, want bool) {
	tb.Helper()
	same(tb, "freed one", must(s.Finish(tb.Context(), r, t0))(tb).Freed, want)
}

func setOrder(tb testing.TB, s *db.Store, w *webhook.Webhook, keep bool) {
	tb.Helper()
	w.Ordered = keep
	ok(tb, s.UpdateWebhook(tb.Context(), w, time.Time{}, nil, by, t0))
}

func testHeldOnInsert(t *testing.T, s *db.Store) {
	a, w := orderedShop(t, s)
	d := deliver(t, s, a.ID, 1)
	got := must(s.Ingest(t.Context(), a.ID, some(1), t0, lease, taken))(t)[0]
	same(t, "jobs and waiting of a held one", []int{len(got.Jobs), len(got.Waiting)}, []int{0, 0})
	d = append(d, got.Decisions[0].Delivery)
	wantHeld(t, s, a.ID, d, false, true)
	same(t, "attempts of a held one", must(s.Delivery(t.Context(), a.ID, d[1]))(t).Attempts, 0)
	other := newEvent("")
	other.BookingID = "another"
	got = must(s.Ingest(t.Context(), a.ID, []webhook.Event{other}, t0, lease, taken))(t)[0]
	same(t, "jobs of another booking", len(got.Jobs), 1)
	inLine(t, s, w, t0, d[0])
	_, next, err := s.Claim(t.Context(), w.ID, 9, t0, lease)
	ok(t, err)
	same(t, "next: the end of a lease, not what is held", next, lease)
}

func testHeldInBatch(t *testing.T, s *db.Store) {
	a, w := orderedShop(t, s)
	got := must(s.Ingest(t.Context(), a.ID, some(3), t0, lease, taken))(t)
	same(t, "jobs", []int{len(got[0].Jobs), len(got[1].Jobs), len(got[2].Jobs)}, []int{1, 0, 0})
	d := []webhook.ID{got[0].Decisions[0].Delivery, got[1].Decisions[0].Delivery, got[2].Decisions[0].Delivery}
	wantHeld(t, s, a.ID, d, false, true, true)
	for i, id := range d {
		if i > 0 {
			inLine(t, s, w, t0, id)
		}
		freed(t, s, success(id, w.ID, 1), i < 2)
	}
	same(t, "due", must(s.Due(t.Context()))(t), map[webhook.ID]time.Time{})
	fresh := deliver(t, s, a.ID, 1)
	wantHeld(t, s, a.ID, fresh, false)
	inLine(t, s, w, t0, fresh...)
}

func testFreedByEnd(t *testing.T, s *db.Store) {
	a, w := orderedShop(t, s)
	for _, end := range []func(webhook.ID) webhook.Result{
		func(id webhook.ID) webhook.Result { return success(id, w.ID, 1) },
		func(id webhook.ID) webhook.Result { return failure(id, w.ID, 1, time.Time{}) },
	} {
		d := deliver(t, s, a.ID, 2)
		inLine(t, s, w, t0, d[0])
		r := end(d[0])
		freed(t, s, r, true)
		got := must(s.Delivery(t.Context(), a.ID, d[0]))(t)
		same(t, "state and end", []any{got.State, got.Finished, got.Answered}, []any{r.State, t0, 1})
		same(t, "log", numbers(t, s, a.ID, d[0]), []int{1})
		freed(t, s, r, false) // once more
		same(t, "due", must(s.Due(t.Context()))(t), map[webhook.ID]time.Time{w.ID: t0})
		inLine(t, s, w, t0, d[1])
		freed(t, s, success(d[1], w.ID, 1), false)
	}
}

func testNotFreedByRetry(t *testing.T, s *db.Store) {
	a, w := orderedShop(t, s)
	d := deliver(t, s, a.ID, 2)
	later := t0
	for try := range 3 {
		inLine(t, s, w, later, d[0])
		later = later.Add(time.Hour)
		freed(t, s, failure(d[0], w.ID, try+1, later), false)
		wantHeld(t, s, a.ID, d, false, true)
		same(t, "due", must(s.Due(t.Context()))(t), map[webhook.ID]time.Time{w.ID: later})
	}
	inLine(t, s, w, later, d[0])
	ok(t, s.Release(t.Context(), d[0], 4, later)) // given back is not ended either
	inLine(t, s, w, later, d[0])
	freed(t, s, success(d[0], w.ID, 4), true)
}

func testFreedByCancel(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a, w := orderedShop(t, s)
	d := deliver(t, s, a.ID, 4)
	ok(t, s.Cancel(ctx, a.ID, d[1], by, t0)) // one in the middle
	wantHeld(t, s, a.ID, d, false, false, true, true)
	ok(t, s.Cancel(ctx, a.ID, d[0], by, t0)) // the one that waits
	wantHeld(t, s, a.ID, d, false, false, false, true)
	inLine(t, s, w, t0, d[2])
	ok(t, s.Cancel(ctx, a.ID, d[2], by, t0)) // one on its way
	wantHeld(t, s, a.ID, d, false, false, false, false)
	freed(t, s, success(d[2], w.ID, 1), false)
	inLine(t, s, w, t0, d[3])
}

func testFreedByGone(t *testing.T, s *db.Store) {
	a, w := orderedShop(t, s)
	d := deliver(t, s, a.ID, 2)
	inLine(t, s, w, t0, d[0])
	r := failure(d[0], w.ID, 1, time.Time{})
	r.Gone = true
	got := must(s.Finish(t.Context(), r, t0))(t)
	same(t, "off and freed", got, webhook.Finished{Off: webhook.OffGone, Freed: true})
	must(s.SetEnabled(t.Context(), a.ID, w.ID, true, by, t0))(t)
	inLine(t, s, w, t0, d[1])
}

func testFreedWhileOff(t *testing.T, s *db.Store) {
	a, w := orderedShop(t, s)
	d := deliver(t, s, a.ID, 3)
	inLine(t, s, w, t0, d[0])
	must(s.SetEnabled(t.Context(), a.ID, w.ID, false, by, t0))(t)
	freed(t, s, success(d[0], w.ID, 1), true)
	ok(t, s.Cancel(t.Context(), a.ID, d[1], by, t0))
	must(s.SetEnabled(t.Context(), a.ID, w.ID, true, by, t0))(t)
	inLine(t, s, w, t0, d[2])
}

func testLateFreesNothing(t *testing.T, s *db.Store) {
	a, w := orderedShop(t, s)
	d := deliver(t, s, a.ID, 2)
	inLine(t, s, w, t0, d[0])
	inLine(t, s, w, lease, d[0]) // its first lease is over
	freed(t, s, success(d[0], w.ID, 1), false)
	wantHeld(t, s, a.ID, d, false, true)
	freed(t, s, success(d[0], w.ID, 2), true)
	same(t, "log", numbers(t, s, a.ID, d[0]), []int{1, 2})
}

// testReplayOlder: then two of the booking are active, and what is held waits
// for both.
func testReplayOlder(t *testing.T, s *db.Store) {
	for _, olderFirst := range []bool{true, false} {
		a, w := orderedShop(t, s)
		d := deliver(t, s, a.ID, 3)
		inLine(t, s, w, t0, d[0])
		freed(t, s, failure(d[0], w.ID, 1, time.Time{}), true)
		same(t, "held", must(s.Replay(t.Context(), a.ID, d[0], by, t0))(t).Held, false)
		wantHeld(t, s, a.ID, d, false, false, true)
		inLine(t, s, w, t0, d[0], d[1])
		first, second := success(d[0], w.ID, 2), success(d[1], w.ID, 1)
		if !olderFirst {
			first, second = second, first
		}
		freed(t, s, first, false)
		wantHeld(t, s, a.ID, d, false, false, true)
		freed(t, s, second, true)
		inLine(t, s, w, t0, d[2])
	}
}

func testReplayNewer(t *testing.T, s *db.Store) {
	a, w := orderedShop(t, s)
	d := deliver(t, s, a.ID, 3)
	for i := range 2 {
		inLine(t, s, w, t0, d[i])
		freed(t, s, success(d[i], w.ID, 1), true)
	}
	must(s.Replay(t.Context(), a.ID, d[0], by, t0))(t)
	got := must(s.Replay(t.Context(), a.ID, d[1], by, t0))(t) // the first is before it
	same(t, "held, state and base", []any{got.Held, got.State, got.Base}, []any{true, webhook.Pending, 1})
	inLine(t, s, w, t0, d[0], d[2])
	freed(t, s, success(d[0], w.ID, 2), true)
	inLine(t, s, w, t0, d[1])
	freed(t, s, success(d[2], w.ID, 1), false)
	freed(t, s, success(d[1], w.ID, 2), false)
	same(t, "due", must(s.Due(t.Context()))(t), map[webhook.ID]time.Time{})
}

func testReplayHeld(t *testing.T, s *db.Store) {
	a, w := orderedShop(t, s)
	d := deliver(t, s, a.ID, 4)
	inLine(t, s, w, t0, d[0])
	got := must(s.Replay(t.Context(), a.ID, d[2], by, t0))(t) // somebody wants it now
	same(t, "held and next", []any{got.Held, got.NextAt}, []any{false, t0})
	inLine(t, s, w, t0, d[2])
	wantHeld(t, s, a.ID, d, false, true, false, true)
	freed(t, s, success(d[0], w.ID, 1), true)
	wantHeld(t, s, a.ID, d, false, false, false, true)
	inLine(t, s, w, t0, d[1])
	freed(t, s, success(d[1], w.ID, 1), false) // the third is on its way still
	freed(t, s, success(d[2], w.ID, 1), true)
	inLine(t, s, w, t0, d[3])
}

// testReplayCancelledOnItsWay: the answer that is still to come must not make
// it active before its turn.
func testReplayCancelledOnItsWay(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a, w := orderedShop(t, s)
	d := deliver(t, s, a.ID, 2)
	inLine(t, s, w, t0, d[0])
	freed(t, s, success(d[0], w.ID, 1), true)
	inLine(t, s, w, t0, d[1])
	ok(t, s.Cancel(ctx, a.ID, d[1], by, t0))
	must(s.Replay(ctx, a.ID, d[0], by, t0))(t)
	_, err := s.Replay(ctx, a.ID, d[1], by, t0)
	wantError(t, "replay of one whose answer is still to come", err, webhook.ErrConflict)
	freed(t, s, failure(d[1], w.ID, 1, lease), false)
	same(t, "state", must(s.Delivery(ctx, a.ID, d[1]))(t).State, webhook.Cancelled)
	same(t, "held", must(s.Replay(ctx, a.ID, d[1], by, t0))(t).Held, true)
	inLine(t, s, w, t0, d[0])
	freed(t, s, success(d[0], w.ID, 2), true)
	inLine(t, s, w, t0, d[1])
}

func testOutOfOrder(t *testing.T, s *db.Store) {
	a, w := orderedShop(t, s)
	d := deliver(t, s, a.ID, 2)
	trial := must(s.Test(t.Context(), a.ID, w.ID, newEvent(""), t0))(t) // of the same booking
	bare := some(2)
	bare[0].BookingID, bare[1].BookingID = "", ""
	none := ingest(t, s, a.ID, bare...)
	inLine(t, s, w, t0, d[0], trial.ID, none[0].Decisions[0].Delivery, none[1].Decisions[0].Delivery)
	freed(t, s, success(trial.ID, w.ID, 1), false)
	freed(t, s, success(none[0].Decisions[0].Delivery, w.ID, 1), false)
	ok(t, s.Cancel(t.Context(), a.ID, none[1].Decisions[0].Delivery, by, t0))
	wantHeld(t, s, a.ID, d, false, true)
	freed(t, s, success(d[0], w.ID, 1), true)
	inLine(t, s, w, t0, d[1])
	must(s.Replay(t.Context(), a.ID, trial.ID, by, t0))(t)
	freed(t, s, success(d[1], w.ID, 1), false)
	wantHeld(t, s, a.ID, deliver(t, s, a.ID, 1), false) // a test that is pending holds nothing
}

func testOrdersApart(t *testing.T, s *db.Store) {
	a, w := orderedShop(t, s)
	second := addHook(t, s, a.ID, ordered)
	b, other := orderedShop(t, s)
	loose := addHook(t, s, b.ID)
	got := ingest(t, s, a.ID, some(2)...)
	inLine(t, s, w, t0, got[0].Decisions[0].Delivery)
	inLine(t, s, second, t0, got[0].Decisions[1].Delivery)
	freed(t, s, success(got[0].Decisions[0].Delivery, w.ID, 1), true)
	inLine(t, s, w, t0, got[1].Decisions[0].Delivery)
	inLine(t, s, second, t0)
	same(t, "waiting of both", got[0].Waiting, []webhook.ID{w.ID, second.ID})
	theirs := ingest(t, s, b.ID, some(2)...)
	inLine(t, s, other, t0, theirs[0].Decisions[0].Delivery)
	inLine(t, s, loose, t0, theirs[0].Decisions[1].Delivery, theirs[1].Decisions[1].Delivery)
}

func testOrderDuplicates(t *testing.T, s *db.Store) {
	a, w := orderedShop(t, s)
	first := ingest(t, s, a.ID, newEvent("one"), newEvent("two"), newEvent("one"))
	again := ingest(t, s, a.ID, newEvent("two"))
	same(t, "duplicates", []bool{first[2].Duplicate, again[0].Duplicate}, []bool{true, true})
	d := []webhook.ID{first[0].Decisions[0].Delivery, first[1].Decisions[0].Delivery}
	inLine(t, s, w, t0, d[0])
	freed(t, s, success(d[0], w.ID, 1), true)
	inLine(t, s, w, t0, d[1])
	freed(t, s, success(d[1], w.ID, 1), false)
}

func testOrderOff(t *testing.T, s *db.Store) {
	a, w := orderedShop(t, s)
	d := deliver(t, s, a.ID, 5)
	setOrder(t, s, w, false)
	same(t, "due", must(s.Due(t.Context()))(t)[w.ID].After(t0), false)
	got := []webhook.ID{}
	for range 5 { // a few at a time
		jobs, next, err := s.Claim(t.Context(), w.ID, 2, t0, lease)
		ok(t, err)
		got = append(got, ids(jobs)...)
		if len(got) < 5 && next.After(t0) {
			t.Errorf("got the next at %s with %d claimed, want it now", next, len(got))
		}
	}
	same(t, "claimed, in their order", got, d)
	same(t, "of a new one", must(s.Ingest(t.Context(), a.ID, some(1), t0, lease, taken))(t)[0].Jobs[0].Delivery.Held, false)
}

// testOrderOffWithOthers: what is in flight, or waits for its next try, is due
// before what is held, which must not wait for it all the same.
func testOrderOffWithOthers(t *testing.T, s *db.Store) {
	a, w := orderedShop(t, s)
	d := deliver(t, s, a.ID, 2)
	inLine(t, s, w, t0, d[0])
	freed(t, s, failure(d[0], w.ID, 1, t0.Add(24*time.Hour)), false)
	setOrder(t, s, w, false)
	if next := must(s.Due(t.Context()))(t)[w.ID]; next.After(t0) {
		t.Errorf("got what was held due at %s, want now", next)
	}
	inLine(t, s, w, t0, d[1])
}

// testOrderOnAgain: what is active by then stays so; what comes waits for all.
func testOrderOnAgain(t *testing.T, s *db.Store) {
	a := newAccount(t, s)
	w := addHook(t, s, a.ID)
	d := deliver(t, s, a.ID, 2)
	setOrder(t, s, w, true)
	d = append(d, deliver(t, s, a.ID, 1)...)
	wantHeld(t, s, a.ID, d, false, false, true)
	inLine(t, s, w, t0, d[0], d[1])
	freed(t, s, success(d[1], w.ID, 1), false)
	freed(t, s, success(d[0], w.ID, 1), true)
	inLine(t, s, w, t0, d[2])
}

// testOrderOnHalfway: one was let go while the order was off; it must let go
// those that are held behind it now.
func testOrderOnHalfway(t *testing.T, s *db.Store) {
	a, w := orderedShop(t, s)
	d := deliver(t, s, a.ID, 4)
	inLine(t, s, w, t0, d[0])
	setOrder(t, s, w, false)
	same(t, "let go", ids(claim(t, s, w.ID, 1, t0)), []webhook.ID{d[1]})
	setOrder(t, s, w, true)
	wantHeld(t, s, a.ID, d, false, false, true, true)
	freed(t, s, success(d[0], w.ID, 1), false)
	freed(t, s, success(d[1], w.ID, 1), true)
	inLine(t, s, w, t0, d[2])
	freed(t, s, success(d[2], w.ID, 1), true)
	inLine(t, s, w, t0, d[3])
}

func testOrderCrash(t *testing.T, s *db.Store) {
	a, w := orderedShop(t, s)
	d := deliver(t, s, a.ID, 3)
	inLine(t, s, w, t0, d[0])
	now := t0.Add(time.Second)
	ok(t, s.Heal(t.Context(), now))
	wantHeld(t, s, a.ID, d, false, true, true)
	same(t, "due", must(s.Due(t.Context()))(t), map[webhook.ID]time.Time{w.ID: now})
	inLine(t, s, w, now, d[0])
	freed(t, s, success(d[0], w.ID, 2), true)
	ok(t, s.Heal(t.Context(), now))
	inLine(t, s, w, now, d[1])
}

func testOrderHasten(t *testing.T, s *db.Store) {
	a, w := orderedShop(t, s)
	d := deliver(t, s, a.ID, 2)
	other := newEvent("")
	other.BookingID = "another"
	flying := must(s.Ingest(t.Context(), a.ID, []webhook.Event{other}, t0, lease, taken))(t)[0].Jobs[0].Delivery
	inLine(t, s, w, t0, d[0])
	freed(t, s, failure(d[0], w.ID, 1, t0.Add(time.Hour)), false)
	now := t0.Add(time.Second)
	ok(t, s.Hasten(t.Context(), w.ID, now))
	wantHeld(t, s, a.ID, d, false, true)
	same(t, "one on its way", must(s.Delivery(t.Context(), a.ID, flying.ID))(t).NextAt, lease)
	inLine(t, s, w, now, d[0])
	for number := 2; number < 50; number++ { // a receiver that comes and goes does not use up the schedule
		freed(t, s, failure(d[0], w.ID, number, now.Add(time.Hour)), false)
		ok(t, s.Hasten(t.Context(), w.ID, now))
		inLine(t, s, w, now, d[0])
		if got := must(s.Delivery(t.Context(), a.ID, d[0]))(t); got.Attempts-got.Base != 1 {
			t.Fatalf("attempt %d is number %d of the schedule, want 1", number+1, got.Attempts-got.Base)
		}
	}
}

// testHastenMany: more wait than are hastened in one step.
func testHastenMany(t *testing.T, s *db.Store) {
	a, w := shop(t, s)
	const many = 2500
	later := t0.Add(time.Hour)
	must(s.Ingest(t.Context(), a.ID, some(many), later, lease, waiting))(t)
	same(t, "due before", len(claim(t, s, w.ID, many, t0)), 0)
	ok(t, s.Hasten(t.Context(), w.ID, t0))
	same(t, "due", len(claim(t, s, w.ID, many, t0)), many)
}

func testOrderDeleted(t *testing.T, s *db.Store) {
	a, w := orderedShop(t, s)
	d := deliver(t, s, a.ID, 3)
	inLine(t, s, w, t0, d[0])
	same(t, "cancelled", must(s.DeleteWebhook(t.Context(), a.ID, w.ID, by, t0))(t), int64(3))
	wantHeld(t, s, a.ID, d, false, false, false)
	freed(t, s, success(d[0], w.ID, 1), false)
	for _, id := range d {
		same(t, "state", must(s.Delivery(t.Context(), a.ID, id))(t).State, webhook.Cancelled)
	}
	same(t, "due", must(s.Due(t.Context()))(t), map[webhook.ID]time.Time{})
}

func testOrderPrune(t *testing.T, s *db.Store) {
	a, w := orderedShop(t, s)
	d := deliver(t, s, a.ID, 3)
	inLine(t, s, w, t0, d[0])
	freed(t, s, success(d[0], w.ID, 1), true)
	later := t0.Add(time.Hour)
	_, _, err := s.Prune(t.Context(), later, later, 0, 99)
	ok(t, err)
	_, err = s.Delivery(t.Context(), a.ID, d[0])
	wantError(t, "the one that ended", err, webhook.ErrNotFound)
	wantHeld(t, s, a.ID, d[1:], false, true)
	inLine(t, s, w, t0, d[1])
	freed(t, s, success(d[1], w.ID, 1), true)
}

// history is a store to which anything happens, in any order.
type history struct {
	testing.TB
	*db.Store
	*rand.Rand
	account webhook.Account
	hook    *webhook.Webhook
	flying  []webhook.Delivery
	all     []webhook.ID
	now     time.Time
}

// step does one thing; that it cannot be done is no fault.
func (h *history) step() {
	ctx := h.Context()
	h.now = h.now.Add(time.Duration(h.IntN(90)) * time.Second)
	switch h.IntN(12) {
	case 0, 1, 2:
		list := some(1 + h.IntN(4))
		for i := range list {
			list[i].BookingID = strconv.Itoa(h.IntN(3))
		}
		take := func(*webhook.Webhook) bool { return h.IntN(2) == 0 }
		for _, a := range must(h.Ingest(ctx, h.account.ID, list, h.now, h.now.Add(time.Minute), take))(h) {
			for _, job := range a.Jobs {
				h.flying = append(h.flying, job.Delivery)
			}
			if id := a.Decisions[0].Delivery; id != 0 {
				h.all = append(h.all, id)
			}
		}
	case 3, 4:
		h.claim(1 + h.IntN(3))
	case 5, 6, 7:
		h.land([]time.Time{{}, h.now.Add(time.Minute)}[h.IntN(2)], h.IntN(2) == 0)
	case 8:
		_ = h.Cancel(ctx, h.account.ID, h.any(), by, h.now)
	case 9:
		_, _ = h.Replay(ctx, h.account.ID, h.any(), by, h.now)
	case 10:
		setOrder(h, h.Store, h.hook, h.IntN(3) > 0)
	case 11:
		if h.IntN(5) == 0 { // the process dies
			h.flying = nil
			ok(h, h.Heal(ctx, h.now))
		} else if n := len(h.flying); n > 0 {
			ok(h, h.Release(ctx, h.flying[n-1].ID, h.flying[n-1].Attempts, h.now))
			h.flying = h.flying[:n-1]
		}
	}
}

func (h *history) any() webhook.ID {
	if len(h.all) == 0 {
		return 0
	}
	return h.all[h.IntN(len(h.all))]
}

func (h *history) claim(n int) {
	for _, job := range claim(h, h.Store, h.hook.ID, n, h.now) {
		h.flying = append(h.flying, job.Delivery)
	}
}

// land ends one of those in flight.
func (h *history) land(next time.Time, well bool) {
	if len(h.flying) == 0 {
		return
	}
	i := h.IntN(len(h.flying))
	d := h.flying[i]
	h.flying = append(h.flying[:i], h.flying[i+1:]...)
	r := failure(d.ID, h.hook.ID, d.Attempts, next)
	if well {
		r = success(d.ID, h.hook.ID, d.Attempts)
	}
	must(h.Finish(h.Context(), r, h.now))(h)
}

// testOrderWhatever: whatever happens, all that is pending gets its turn.
func testOrderWhatever(t *testing.T, s *db.Store) {
	for seed := range uint64(12) {
		h := &history{TB: t, Store: s, Rand: rand.New(rand.NewPCG(seed, 1)), now: t0}
		h.account, h.hook = orderedShop(t, s)
		for range 150 {
			h.step()
		}
		setOrder(t, s, h.hook, seed%3 > 0)
		for range len(h.all) + 1 {
			h.now = h.now.Add(time.Hour)
			h.claim(99)
			for len(h.flying) > 0 {
				h.land(time.Time{}, true)
			}
		}
		left := must(s.Deliveries(t.Context(), h.account.ID, webhook.DeliveryFilter{State: webhook.Pending, Limit: 99}))(t).Rows
		if len(left) > 0 {
			t.Errorf("seed %d: %d deliveries never get their turn: %+v", seed, len(left), left)
		}
		if next, waits := must(s.Due(t.Context()))(t)[h.hook.ID]; waits {
			t.Errorf("seed %d: got something due at %s, want nothing", seed, next)
		}
	}
}
