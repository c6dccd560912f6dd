package db_test

import (
	"testing"
	"time"

	"bookhook/db"
	"bookhook/webhook"
)

func testOrderOff(t *testing.T, s *db.Store) {
	a, w := orderedShop(t, s)
	d := deliver(t, s, a.ID, 5)
	setOrder(t, s, w, false)
	same(t, "due", must(s.Due(t.Context(), webhook.AllShards))(t)[w.ID].At.After(t0), false)
	got := []webhook.DeliveryID{}
	for range 5 { // a few at a time
		jobs, next, err := s.Claim(t.Context(), webhook.Claim{Webhook: w.ID, N: 2, Now: t0, Lease: lease})
		ok(t, err)
		got = append(got, ids(jobs)...)
		if len(got) < 5 && next.At.After(t0) {
			t.Errorf("got the next at %s with %d claimed, want it now", next.At, len(got))
		}
	}
	same(t, "claimed, in their order", got, d)
	same(t, "of a new one", must(insert(t, s, a.ID, some(1), t0, lease, taken))(t)[0].Jobs[0].Delivery.Held, false)
}

// testOrderOffWithOthers: what is in flight, or waits for its next try, is due
// before what is held, which must not wait for it all the same.
func testOrderOffWithOthers(t *testing.T, s *db.Store) {
	a, w := orderedShop(t, s)
	d := deliver(t, s, a.ID, 2)
	inLine(t, s, w, t0, d[0])
	freed(t, s, failure(d[0], w.ID, 1, t0.Add(24*time.Hour)), false)
	setOrder(t, s, w, false)
	if next := must(s.Due(t.Context(), webhook.AllShards))(t)[w.ID].At; next.After(t0) {
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
	same(t, "let go", ids(claim(t, s, w.ID, 1, t0)), []webhook.DeliveryID{d[1]})
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
	ok(t, s.RecoverClaims(t.Context(), webhook.AllShards, now))
	wantHeld(t, s, a.ID, d, false, true, true)
	same(t, "due", must(s.Due(t.Context(), webhook.AllShards))(t), map[webhook.WebhookID]webhook.Due{w.ID: {Account: w.Account, At: now}})
	inLine(t, s, w, now, d[0])
	freed(t, s, success(d[0], w.ID, 2), true)
	ok(t, s.RecoverClaims(t.Context(), webhook.AllShards, now))
	inLine(t, s, w, now, d[1])
}

func testOrderRetryNow(t *testing.T, s *db.Store) {
	a, w := orderedShop(t, s)
	d := deliver(t, s, a.ID, 2)
	other := newEvent("")
	other.BookingID = "another"
	flying := must(insert(t, s, a.ID, []webhook.Event{other}, t0, lease, taken))(t)[0].Jobs[0].Delivery
	inLine(t, s, w, t0, d[0])
	freed(t, s, failure(d[0], w.ID, 1, t0.Add(time.Hour)), false)
	now := t0.Add(time.Second)
	ok(t, s.RetryNow(t.Context(), w.ID, now))
	wantHeld(t, s, a.ID, d, false, true)
	same(t, "one on its way", must(s.Delivery(t.Context(), a.ID, flying.ID))(t).NextAt, lease)
	inLine(t, s, w, now, d[0])
	for number := 2; number < 50; number++ { // a receiver that comes and goes does not use up the schedule
		freed(t, s, failure(d[0], w.ID, number, now.Add(time.Hour)), false)
		ok(t, s.RetryNow(t.Context(), w.ID, now))
		inLine(t, s, w, now, d[0])
		if got := must(s.Delivery(t.Context(), a.ID, d[0]))(t); got.Attempts-got.Base != 1 {
			t.Fatalf("attempt %d is number %d of the schedule, want 1", number+1, got.Attempts-got.Base)
		}
	}
}

// testRetryNowMany: more deliveries wait than one step makes due.
func testRetryNowMany(t *testing.T, s *db.Store) {
	a, w := shop(t, s)
	const many = 2500
	later := t0.Add(time.Hour)
	must(insert(t, s, a.ID, some(many), later, lease, waiting))(t)
	same(t, "due before", len(claim(t, s, w.ID, many, t0)), 0)
	ok(t, s.RetryNow(t.Context(), w.ID, t0))
	same(t, "due", len(claim(t, s, w.ID, many, t0)), many)
}

func testOrderDeleted(t *testing.T, s *db.Store) {
	a, w := orderedShop(t, s)
	d := deliver(t, s, a.ID, 3)
	inLine(t, s, w, t0, d[0])
	same(t, "cancelled", must(s.DeleteWebhook(t.Context(), a.ID, w.ID, at(t0)))(t), int64(3))
	wantHeld(t, s, a.ID, d, false, false, false)
	freed(t, s, success(d[0], w.ID, 1), false)
	for i, want := range []webhook.State{webhook.Delivered, webhook.Cancelled, webhook.Cancelled} {
		same(t, "state", must(s.Delivery(t.Context(), a.ID, d[i]))(t).State, want)
	}
	same(t, "due", must(s.Due(t.Context(), webhook.AllShards))(t), map[webhook.WebhookID]webhook.Due{})
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
