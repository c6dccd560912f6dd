package db_test

import (
	"testing"
	"time"

	"bookhook/db"
	"bookhook/webhook"
)

var touchedTests = []test{
	{"which changes are reported", testTouched},
	{"when a change is reported", testTouchedCommitted},
}

// testTouched: a watcher is called for every change of a webhook or its deliveries
// by other ways than the dispatcher's own.
func testTouched(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a := newAccount(t, s)
	var touched []webhook.Touched
	s.Watch(func(all []webhook.Touched) { touched = append(touched, all...) })
	after := func(what string, want ...webhook.Touched) {
		t.Helper()
		same(t, what, touched, want)
		touched = nil
	}
	w := addHook(t, s, a.ID, ordered)
	changed := webhook.Touched{Account: a.ID, Webhook: w.ID, What: webhook.TouchWebhook}
	due := webhook.Touched{Account: a.ID, Webhook: w.ID, What: webhook.TouchDue}
	after("create, when nothing waits for it")
	ok(t, update(t, s, webhook.Update{Webhook: w}, at(t0)))
	after("update", changed)
	ok(t, s.RotateSecret(ctx, a.ID, w.ID, w.SecretShownAt, "whsec_two", at(t0)))
	after("rotate the secret", changed)
	d := deliver(t, s, a.ID, 3)
	claim(t, s, w.ID, 1, t0)
	finish(t, s, success(d[0], w.ID, 1), t0)
	after("insert, claim and finish")
	ok(t, s.Cancel(ctx, a.ID, d[1], at(t0)))
	after("cancel", webhook.Touched{Account: a.ID, Webhook: w.ID, What: webhook.TouchDeliveries})
	must(s.Replay(ctx, a.ID, d[0], at(t0)))(t)
	urgent := webhook.Touched{Account: a.ID, Webhook: w.ID, What: webhook.TouchUrgent}
	after("replay", urgent)
	must(s.Test(ctx, a.ID, w.ID, newEvent(""), t0))(t)
	after("test", urgent)
	must(s.SetEnabled(ctx, a.ID, w.ID, true, at(t0)))(t)
	after("switch on what is on")
	must(s.SetEnabled(ctx, a.ID, w.ID, false, at(t0)))(t)
	after("switch off", changed)
	must(s.SetEnabled(ctx, a.ID, w.ID, true, at(t0)))(t)
	after("switch on", changed, due)
	must(s.DeleteWebhook(ctx, a.ID, w.ID, at(t0)))(t)
	after("delete", changed)
}

// testTouchedCommitted: a change that is reported can be read.
func testTouchedCommitted(t *testing.T, s *db.Store) {
	a, w := shop(t, s)
	reported := 0
	s.Watch(func([]webhook.Touched) {
		reported++
		same(t, "name", must(s.Webhook(t.Context(), a.ID, w.ID))(t).Name, "New")
	})
	w.Name = "New"
	ok(t, update(t, s, webhook.Update{Webhook: w}, at(t0)))
	same(t, "reported", reported, 1)
	wantError(t, "a conflict", update(t, s, webhook.Update{Webhook: w, Base: t0.Add(-time.Hour)}, at(t0)), webhook.ErrConflict)
	same(t, "reported of a conflict", reported, 1)
}
