package db_test

import (
	"testing"
	"time"

	"bookhook/db"
	"bookhook/webhook"
)

// testWaitsFor: a held delivery names the earliest one that holds it, and whoever
// has let go is not named any more.
func testWaitsFor(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a := newAccount(t, s)
	w := addHook(t, s, a.ID, func(w *webhook.Webhook) { w.Ordered = true })
	d := deliver(t, s, a.ID, 3)
	for i, want := range []webhook.DeliveryID{0, d[0], d[0]} {
		got, err := s.WaitsFor(ctx, a.ID, d[i])
		same(t, "waits for", got, want)
		if want == 0 {
			wantError(t, "the first", err, webhook.ErrNotFound)
		} else {
			ok(t, err)
		}
	}
	_, err := s.WaitsFor(ctx, newAccount(t, s).ID, d[1])
	wantError(t, "of another account", err, webhook.ErrNotFound)

	must(s.Replay(ctx, a.ID, d[2], at(t0)))(t) // sent early: no one waits for it
	same(t, "the second waits for", must(s.WaitsFor(ctx, a.ID, d[1]))(t), d[0])
	_, err = s.WaitsFor(ctx, a.ID, d[2])
	wantError(t, "one sent early", err, webhook.ErrNotFound)

	claim(t, s, w.ID, 2, t0)
	finish(t, s, success(d[0], w.ID, 1), t0.Add(time.Second))
	_, err = s.WaitsFor(ctx, a.ID, d[1])
	wantError(t, "one let go", err, webhook.ErrNotFound)
}

// testWaitsForStopped: what was stopped while it was held waits for nothing.
func testWaitsForStopped(t *testing.T, s *db.Store) {
	a := newAccount(t, s)
	addHook(t, s, a.ID, func(w *webhook.Webhook) { w.Ordered = true })
	d := deliver(t, s, a.ID, 2)
	ok(t, s.Cancel(t.Context(), a.ID, d[1], at(t0)))
	_, err := s.WaitsFor(t.Context(), a.ID, d[1])
	wantError(t, "stopped", err, webhook.ErrNotFound)
}
