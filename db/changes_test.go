package db_test

import (
	"fmt"
	"testing"
	"time"

	"bookhook/db"
	"bookhook/db/dbtest"
	"bookhook/webhook"
)

// TestChanges: whatever happens to an account is seen by whoever looks after each step,
// and by nobody who looks at another account.
func TestChanges(t *testing.T) {
	t.Parallel()
	s := openFile(t, dbtest.At(t))
	a, w := shop(t, s)
	other, _ := shop(t, s)
	var d webhook.Delivery
	claim := func(tb testing.TB, now time.Time) {
		jobs, _, err := s.Claim(tb.Context(), webhook.Claim{Webhook: w.ID, N: 1, Urgent: 1, Now: now, Lease: now.Add(time.Minute)})
		ok(tb, err)
		if len(jobs) != 1 {
			tb.Fatalf("claimed %d deliveries, want 1", len(jobs))
		}
		d = jobs[0].Delivery
	}
	succeed := func(tb testing.TB) { finish(tb, s, success(d.ID, w.ID, d.Attempts), t0) }
	replayed := func(tb testing.TB) {
		must(s.Replay(tb.Context(), a.ID, d.ID, at(t0)))(tb)
		claim(tb, t0)
		succeed(tb)
	}
	steps := []struct {
		name string
		do   func(tb testing.TB)
	}{
		{"an event", func(tb testing.TB) {
			d = must(insert(tb, s, a.ID, some(1), t0, lease, taken))(tb)[0].Jobs[0].Delivery
		}},
		{"a failed attempt", func(tb testing.TB) { finish(tb, s, failure(d.ID, w.ID, 1, t0.Add(time.Hour)), t0) }},
		{"the next attempt", func(tb testing.TB) { claim(tb, t0.Add(time.Hour)) }},
		{"which fails, too", func(tb testing.TB) { finish(tb, s, failure(d.ID, w.ID, 2, t0.Add(2*time.Hour)), t0.Add(time.Hour)) }},
		{"one that succeeds", func(tb testing.TB) { claim(tb, t0.Add(2*time.Hour)); succeed(tb) }},
		{"another event", func(tb testing.TB) {
			d = must(insert(tb, s, a.ID, some(1), t0, t0, taken))(tb)[0].Jobs[0].Delivery
		}},
		{"it waits no longer", func(tb testing.TB) { ok(tb, s.Cancel(tb.Context(), a.ID, d.ID, at(t0))) }},
		{"a replay that was delivered at once", replayed},
		{"the same again", replayed},
		{"the first call of a platform", func(tb testing.TB) {
			ok(tb, s.ConnectionUsed(tb.Context(), must(s.Connection(tb.Context(), a.ID, webhook.DefaultPlatform))(tb), "", t0))
		}},
		{"a rejected request", func(tb testing.TB) { ok(tb, s.AddRejectedRequest(tb.Context(), rejected(a.ID, "x"), t0)) }},
		{"a hidden checklist", func(tb testing.TB) { ok(tb, s.HideChecklist(tb.Context(), a.ID, true, at(t0))) }},
		{"an event that waits", func(tb testing.TB) { must(insert(tb, s, a.ID, some(1), t0, lease, waiting))(tb) }},
		{"the webhook is off", func(tb testing.TB) {
			must(s.SetEnabled(tb.Context(), a.ID, w.ID, false, at(t0)))(tb)
		}},
		{"an event that it does not receive", func(tb testing.TB) { must(insert(tb, s, a.ID, some(1), t0, lease, taken))(tb) }},
	}
	before, others := changesOf(t, s, a.ID), changesOf(t, s, other.ID)
	for _, step := range steps {
		step.do(t)
		after := changesOf(t, s, a.ID)
		if after == before {
			t.Errorf("%s: nobody sees it", step.name)
		}
		if before = after; changesOf(t, s, a.ID) != after {
			t.Errorf("%s: it is seen twice", step.name)
		}
	}
	if changesOf(t, s, other.ID) != others {
		t.Error("the other account sees what is not its own")
	}
	_, err := s.Changes(t.Context(), 12345)
	wantError(t, "an account that there is not", err, webhook.ErrNotFound)
}

func changesOf(tb testing.TB, s *db.Store, account webhook.AccountID) string {
	tb.Helper()
	return must(s.Changes(tb.Context(), account))(tb)
}

// BenchmarkChanges measures one look of those who follow an account, on the database of
// BenchmarkLists.
func BenchmarkChanges(b *testing.B) {
	s := listsStore(b)
	for _, account := range []webhook.AccountID{1, 2} {
		percentiles(b, fmt.Sprintf("account=%d", account), func() error {
			_, err := s.Changes(b.Context(), account)
			return err
		})
	}
}
