package db_test

import (
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
	{"retry now", testOrderRetryNow},
	{"retry now, many", testRetryNowMany},
	{"webhook deleted", testOrderDeleted},
	{"prune", testOrderPrune},
	{"whatever happens", testOrderWhatever},
	{"many at the same time", testCrowd},
}

func ordered(w *webhook.Webhook) { w.Ordered = true }

// orderedShop is an account with one webhook that keeps the order.
func orderedShop(tb testing.TB, s *db.Store) (webhook.Account, *webhook.Webhook) {
	tb.Helper()
	a := newAccount(tb, s)
	return a, addHook(tb, s, a.ID, ordered)
}

// inLine are ids as they are claimed at a time, in their order.
func inLine(tb testing.TB, s *db.Store, w *webhook.Webhook, at time.Time, want ...webhook.DeliveryID) {
	tb.Helper()
	same(tb, "claimed", ids(claim(tb, s, w.ID, 99, at)), append([]webhook.DeliveryID{}, want...))
}

// wantHeld checks which of the deliveries are held; those have no next try.
func wantHeld(tb testing.TB, s *db.Store, account webhook.AccountID, all []webhook.DeliveryID, held ...bool) {
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
	same(tb, "freed one", must(s.Finish(tb.Context(), r, t0))(tb).Released, want)
}

func setOrder(tb testing.TB, s *db.Store, w *webhook.Webhook, keep bool) {
	tb.Helper()
	w.Ordered = keep
	ok(tb, update(tb, s, webhook.Update{Webhook: w}, at(t0)))
}

func testHeldOnInsert(t *testing.T, s *db.Store) {
	a, w := orderedShop(t, s)
	d := deliver(t, s, a.ID, 1)
	got := must(insert(t, s, a.ID, some(1), t0, lease, taken))(t)[0]
	same(t, "jobs and waiting of a held one", []int{len(got.Jobs), len(got.Waiting)}, []int{0, 0})
	d = append(d, got.Decisions[0].Delivery)
	wantHeld(t, s, a.ID, d, false, true)
	same(t, "attempts of a held one", must(s.Delivery(t.Context(), a.ID, d[1]))(t).Attempts, 0)
	other := newEvent("")
	other.BookingID = "another"
	got = must(insert(t, s, a.ID, []webhook.Event{other}, t0, lease, taken))(t)[0]
	same(t, "jobs of another booking", len(got.Jobs), 1)
	inLine(t, s, w, t0, d[0])
	_, next, err := s.Claim(t.Context(), webhook.Claim{Webhook: w.ID, N: 9, Now: t0, Lease: lease})
	ok(t, err)
	same(t, "next: the end of a lease, not what is held", next.At, lease)
}

func testHeldInBatch(t *testing.T, s *db.Store) {
	a, w := orderedShop(t, s)
	got := must(insert(t, s, a.ID, some(3), t0, lease, taken))(t)
	same(t, "jobs", []int{len(got[0].Jobs), len(got[1].Jobs), len(got[2].Jobs)}, []int{1, 0, 0})
	d := []webhook.DeliveryID{got[0].Decisions[0].Delivery, got[1].Decisions[0].Delivery, got[2].Decisions[0].Delivery}
	wantHeld(t, s, a.ID, d, false, true, true)
	for i, id := range d {
		if i > 0 {
			inLine(t, s, w, t0, id)
		}
		freed(t, s, success(id, w.ID, 1), i < 2)
	}
	same(t, "due", must(s.Due(t.Context(), webhook.AllShards))(t), map[webhook.WebhookID]webhook.Due{})
	fresh := deliver(t, s, a.ID, 1)
	wantHeld(t, s, a.ID, fresh, false)
	inLine(t, s, w, t0, fresh...)
}

func testFreedByEnd(t *testing.T, s *db.Store) {
	a, w := orderedShop(t, s)
	for _, end := range []func(webhook.DeliveryID) webhook.Result{
		func(id webhook.DeliveryID) webhook.Result { return success(id, w.ID, 1) },
		func(id webhook.DeliveryID) webhook.Result { return failure(id, w.ID, 1, time.Time{}) },
	} {
		d := deliver(t, s, a.ID, 2)
		inLine(t, s, w, t0, d[0])
		r := end(d[0])
		freed(t, s, r, true)
		got := must(s.Delivery(t.Context(), a.ID, d[0]))(t)
		same(t, "state and end", []any{got.State, got.Finished, got.Completed}, []any{r.State, t0, 1})
		same(t, "log", numbers(t, s, a.ID, d[0]), []int{1})
		freed(t, s, r, false) // once more
		same(t, "due", must(s.Due(t.Context(), webhook.AllShards))(t), map[webhook.WebhookID]webhook.Due{w.ID: {Account: w.Account, At: t0}})
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
		same(t, "due", must(s.Due(t.Context(), webhook.AllShards))(t), map[webhook.WebhookID]webhook.Due{w.ID: {Account: w.Account, At: later}})
	}
	inLine(t, s, w, later, d[0])
	ok(t, s.Release(t.Context(), d[0], 4, later.Add(time.Minute), later)) // given back is not ended either
	inLine(t, s, w, later, d[0])
	freed(t, s, success(d[0], w.ID, 4), true)
}

func testFreedByCancel(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a, w := orderedShop(t, s)
	d := deliver(t, s, a.ID, 4)
	ok(t, s.Cancel(ctx, a.ID, d[1], at(t0))) // one in the middle
	wantHeld(t, s, a.ID, d, false, false, true, true)
	ok(t, s.Cancel(ctx, a.ID, d[0], at(t0))) // the one that waits
	wantHeld(t, s, a.ID, d, false, false, false, true)
	inLine(t, s, w, t0, d[2])
	ok(t, s.Cancel(ctx, a.ID, d[2], at(t0))) // one on its way
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
	same(t, "off and freed", got, webhook.Finished{Off: webhook.OffGone, Released: true})
	must(s.SetEnabled(t.Context(), a.ID, w.ID, true, at(t0)))(t)
	inLine(t, s, w, t0, d[1])
}

func testFreedWhileOff(t *testing.T, s *db.Store) {
	a, w := orderedShop(t, s)
	d := deliver(t, s, a.ID, 3)
	inLine(t, s, w, t0, d[0])
	must(s.SetEnabled(t.Context(), a.ID, w.ID, false, at(t0)))(t)
	freed(t, s, success(d[0], w.ID, 1), true)
	ok(t, s.Cancel(t.Context(), a.ID, d[1], at(t0)))
	must(s.SetEnabled(t.Context(), a.ID, w.ID, true, at(t0)))(t)
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
