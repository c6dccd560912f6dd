package db_test

import (
	"sync"
	"testing"
	"time"

	"bookhook/db"
	"bookhook/webhook"
)

// testConfigChanges: Ingest keeps webhooks in memory and must see each change.
func testConfigChanges(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a, w := shop(t, s)
	job := func() webhook.Job {
		t.Helper()
		got := must(insert(t, s, a.ID, some(1), t0, lease, taken))(t)[0]
		if len(got.Jobs) != 1 {
			t.Fatalf("got %d jobs, want 1", len(got.Jobs))
		}
		return got.Jobs[0]
	}
	same(t, "URL", job().Webhook.URL, w.URL)
	changed := *w
	changed.URL = "https://new.example/"
	ok(t, update(t, s, webhook.Update{Webhook: &changed}, at(t0)))
	same(t, "new URL", job().Webhook.URL, changed.URL)
	ok(t, s.RotateSecret(ctx, a.ID, w.ID, w.SecretShownAt, "whsec_two", at(t0)))
	same(t, "new secret", job().Webhook.Secret, "whsec_two")
	a.Name, a.Number = "New name", 4711
	ok(t, s.UpdateAccount(ctx, a, at(t0)))
	same(t, "new account", job().Account, a)
	second := addHook(t, s, a.ID)
	same(t, "decisions with a second", len(ingest(t, s, a.ID, newEvent(""))[0].Decisions), 2)
	must(s.SetEnabled(ctx, a.ID, second.ID, false, at(t0)))(t)
	same(t, "off", ingest(t, s, a.ID, newEvent(""))[0].Decisions[1].Reason, webhook.ReasonDisabled)
	must(s.SetEnabled(ctx, a.ID, second.ID, true, at(t0)))(t)
	same(t, "on", ingest(t, s, a.ID, newEvent(""))[0].Decisions[1].Reason, webhook.Matched)
	must(s.DeleteWebhook(ctx, a.ID, second.ID, at(t0)))(t)
	same(t, "deleted", len(ingest(t, s, a.ID, newEvent(""))[0].Decisions), 1)
	gone := failure(job().Delivery.ID, w.ID, 1, time.Time{})
	gone.Gone = true
	finish(t, s, gone, t0)
	same(t, "gone", ingest(t, s, a.ID, newEvent(""))[0].Decisions[0].Reason, webhook.ReasonDisabled)
}

// testConfigParallel: an event that comes in after a change was answered is
// decided by it, whatever else happens.
func testConfigParallel(t *testing.T, s *db.Store) {
	ctx := t.Context()
	var wg sync.WaitGroup
	for range 4 {
		a, w := shop(t, s)
		wg.Go(func() {
			for i := range 20 {
				on := i%2 == 1
				if _, err := s.SetEnabled(ctx, a.ID, w.ID, on, at(t0)); err != nil {
					t.Error(err)
				}
				got, err := insert(t, s, a.ID, some(1), t0, lease, waiting)
				if err != nil {
					t.Error(err)
					return
				}
				same(t, "sent while on only", got[0].Decisions[0].Reason == webhook.Matched, on)
			}
		})
	}
	wg.Wait()
}

func testSkipped(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a, on := shop(t, s)
	off := addHook(t, s, a.ID, func(w *webhook.Webhook) { w.Enabled, w.AllEvents, w.Events = false, false, []string{"never"} })
	ingest(t, s, a.ID, some(4)...)
	ingest(t, s, a.ID, newEvent("x"))
	ingest(t, s, a.ID, newEvent("x")) // a duplicate counts once
	same(t, "skipped by the one that is off", must(s.Webhook(ctx, a.ID, off.ID))(t).Skipped, 5)
	same(t, "skipped by the one that is on", must(s.Webhook(ctx, a.ID, on.ID))(t).Skipped, 0)
}

func testTestEvent(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a := newAccount(t, s)
	w := addHook(t, s, a.ID, func(w *webhook.Webhook) { w.SelectEvents([]string{"never"}) })
	addHook(t, s, a.ID)
	d := must(s.Test(ctx, a.ID, w.ID, newEvent(""), t0))(t)
	same(t, "delivery", must(s.Delivery(ctx, a.ID, d.ID))(t), d)
	want := webhook.Delivery{
		ID: d.ID, Account: a.ID, Event: d.Event, Webhook: w.ID, Platform: "tourcms", Type: "cancelled", BookingID: "1234",
		Test: true, State: webhook.Pending, NextAt: t0, Urgent: true, CreatedAt: t0,
	}
	same(t, "delivery", d, want)
	row := must(s.Event(ctx, a.ID, d.Event))(t)
	same(t, "test", row.Test, true)
	same(t, "decisions", row.Decisions, []webhook.Decision{{Webhook: w.ID, Delivery: d.ID}})
	same(t, "claimed", claim(t, s, w.ID, 5, t0)[0].Event, row.Event)
	must(s.SetEnabled(ctx, a.ID, w.ID, false, at(t0)))(t)
	other := deliver(t, s, a.ID, 1)
	must(s.SetEnabled(ctx, a.ID, w.ID, true, at(t0)))(t)
	must(s.Replay(ctx, a.ID, d.ID, at(t0.Add(time.Hour))))(t)
	must(s.SetEnabled(ctx, a.ID, w.ID, false, at(t0)))(t)
	off := must(s.Test(ctx, a.ID, w.ID, newEvent(""), t0))(t)
	same(t, "due while it is off", must(s.Due(ctx, webhook.AllShards))(t)[w.ID], webhook.Due{Account: a.ID, At: t0, Urgent: t0})
	same(t, "claimed while it is off", ids(claim(t, s, w.ID, 5, t0)), []webhook.DeliveryID{off.ID})
	same(t, "of another webhook", len(other), 1)
}
