package db_test

import (
	"testing"
	"time"

	"bookhook/db"
	"bookhook/webhook"
)

// testReplayOlder: then two of the booking are active, and what is held waits
// for both.
func testReplayOlder(t *testing.T, s *db.Store) {
	for _, olderFirst := range []bool{true, false} {
		a, w := orderedShop(t, s)
		d := deliver(t, s, a.ID, 3)
		inLine(t, s, w, t0, d[0])
		freed(t, s, failure(d[0], w.ID, 1, time.Time{}), true)
		same(t, "held", must(s.Replay(t.Context(), a.ID, d[0], at(t0)))(t).Held, false)
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
	must(s.Replay(t.Context(), a.ID, d[0], at(t0)))(t)
	got := must(s.Replay(t.Context(), a.ID, d[1], at(t0)))(t) // the first is before it
	same(t, "held, state and base", []any{got.Held, got.State, got.Base}, []any{true, webhook.Pending, 1})
	inLine(t, s, w, t0, d[0], d[2])
	freed(t, s, success(d[0], w.ID, 2), true)
	inLine(t, s, w, t0, d[1])
	freed(t, s, success(d[2], w.ID, 1), false)
	freed(t, s, success(d[1], w.ID, 2), false)
	same(t, "due", must(s.Due(t.Context(), webhook.AllShards))(t), map[webhook.WebhookID]webhook.Due{})
}

func testReplayHeld(t *testing.T, s *db.Store) {
	a, w := orderedShop(t, s)
	d := deliver(t, s, a.ID, 4)
	inLine(t, s, w, t0, d[0])
	got := must(s.Replay(t.Context(), a.ID, d[2], at(t0)))(t) // somebody wants it now
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
	ok(t, s.Cancel(ctx, a.ID, d[1], at(t0)))
	must(s.Replay(ctx, a.ID, d[0], at(t0)))(t)
	_, err := s.Replay(ctx, a.ID, d[1], at(t0))
	wantError(t, "replay of one whose answer is still to come", err, webhook.ErrConflict)
	freed(t, s, failure(d[1], w.ID, 1, lease), false)
	same(t, "state", must(s.Delivery(ctx, a.ID, d[1]))(t).State, webhook.Cancelled)
	same(t, "held", must(s.Replay(ctx, a.ID, d[1], at(t0)))(t).Held, true)
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
	ok(t, s.Cancel(t.Context(), a.ID, none[1].Decisions[0].Delivery, at(t0)))
	wantHeld(t, s, a.ID, d, false, true)
	freed(t, s, success(d[0], w.ID, 1), true)
	inLine(t, s, w, t0, d[1])
	must(s.Replay(t.Context(), a.ID, trial.ID, at(t0)))(t)
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
	same(t, "waiting of both", got[0].Waiting, []webhook.WebhookID{w.ID, second.ID})
	theirs := ingest(t, s, b.ID, some(2)...)
	inLine(t, s, other, t0, theirs[0].Decisions[0].Delivery)
	inLine(t, s, loose, t0, theirs[0].Decisions[1].Delivery, theirs[1].Decisions[1].Delivery)
}

func testOrderDuplicates(t *testing.T, s *db.Store) {
	a, w := orderedShop(t, s)
	first := ingest(t, s, a.ID, newEvent("one"), newEvent("two"), newEvent("one"))
	again := ingest(t, s, a.ID, newEvent("two"))
	same(t, "duplicates", []bool{first[2].Duplicate, again[0].Duplicate}, []bool{true, true})
	d := []webhook.DeliveryID{first[0].Decisions[0].Delivery, first[1].Decisions[0].Delivery}
	inLine(t, s, w, t0, d[0])
	freed(t, s, success(d[0], w.ID, 1), true)
	inLine(t, s, w, t0, d[1])
	freed(t, s, success(d[1], w.ID, 1), false)
}
