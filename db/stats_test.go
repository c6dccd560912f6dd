package db_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"bookhook/db"
	"bookhook/db/dbtest"
	"bookhook/stats"
	"bookhook/webhook"
)

var statsTests = []test{
	{"right at any moment", testStatsAlways},
	{"what is not counted", testStatsUncounted},
	{"late results", testStatsLate},
	{"added up by several", testFoldTogether},
	{"events by platform and channel", testEventCounts},
	{"no more channels than are counted", testChannelFlood},
	{"silence", testSilences},
	{"old counts are deleted", testPruneCounts},
	{"notices are no bookings", testStatsOfNotices},
}

// fold adds up all that was counted.
func fold(tb testing.TB, s *db.Store) {
	tb.Helper()
	for must(s.FoldCounts(tb.Context()))(tb) {
	}
}

// outcomes are the parts of counts that can be compared.
func outcomes(c stats.Counts) []int64 {
	return []int64{c.Delivered, c.FailedAttempts(), c.GivenUp}
}

// testStatsAlways: whatever was added up meanwhile, the reports of all periods have
// each attempt once, in the bucket in which it started.
func testStatsAlways(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a, w := shop(t, s)
	_, others := shop(t, s)
	random := rand.New(rand.NewPCG(3, 4)) //nolint:gosec // no secret
	want := map[stats.Period]*stats.Report{}
	for _, p := range stats.Periods {
		want[p] = stats.NewReport(p, t0, a.Location())
	}
	both, delivered := stats.NewReport(stats.Month, t0, time.UTC), int64(0)
	for i := range 120 {
		hook, ours := w, i%3 > 0
		if !ours {
			hook = others
		}
		d := deliver(t, s, hook.Account, 1)[0]
		claim(t, s, hook.ID, 9, t0)
		r := success(d, hook.ID, 1)
		if random.IntN(2) == 0 {
			r = failure(d, hook.ID, 1, time.Time{})
		}
		r.Account, r.Attempt.StartedAt = hook.Account, t0.Add(-time.Duration(random.Int64N(int64(32*24*time.Hour))))
		finish(t, s, r, t0)
		if bucket := want[stats.Day].At(r.Attempt.StartedAt); ours && bucket != nil {
			bucket.Count(counted(r))
		}
		if both.At(r.Attempt.StartedAt) != nil && r.State == webhook.Delivered {
			delivered++
		}
		for _, p := range []stats.Period{stats.Week, stats.Month} {
			if bucket := want[p].At(r.Attempt.StartedAt); ours && bucket != nil {
				bucket.Count(counted(r))
			}
		}
		switch random.IntN(4) {
		case 0:
			must(s.FoldCounts(ctx))(t)
		case 1:
			wantReports(t, s, w, want)
		}
	}
	wantReports(t, s, w, want)
	fold(t, s)
	wantReports(t, s, w, want)
	if must(s.FoldCounts(ctx))(t) {
		t.Error("there is more after all was added up")
	}
	same(t, "delivered of all accounts", must(s.InstanceStats(ctx, stats.Month, t0))(t).Total.Delivered, delivered)
}

// counted is what a result counts as.
func counted(r webhook.Result) stats.Attempt {
	a := r.Attempt
	return stats.Attempt{StartedAt: a.StartedAt, Reason: stats.ReasonOf(a.Outcome()), GivenUp: r.State == webhook.Failed, Responded: a.Status != 0, Duration: a.Duration}
}

func wantReports(t *testing.T, s *db.Store, w *webhook.Webhook, want map[stats.Period]*stats.Report) {
	t.Helper()
	for p, report := range want {
		report.Sum()
		of := must(s.WebhookStats(t.Context(), w.Account, w.ID, p, t0))(t)
		same(t, "webhook", of, report)
		same(t, "account", must(s.AccountStats(t.Context(), w.Account, p, t0))(t), report)
	}
	line := must(s.Sparklines(t.Context(), w.Account, []webhook.WebhookID{w.ID}, t0))(t)[w.ID]
	same(t, "account's sparkline", must(s.AccountSparklines(t.Context(), []webhook.Account{must(s.Account(t.Context(), w.Account))(t)}, t0))(t)[w.Account], line)
	for i, day := range line.Days {
		bucket := want[stats.Month].Buckets[30-stats.SparklineDays+i]
		same(t, "day", []int64{day.Delivered, day.FailedAttempts, day.GivenUp}, outcomes(bucket.Counts))
	}
	today := must(s.Today(t.Context(), w.Account, t0))(t)
	same(t, "today", outcomes(today.Attempts), outcomes(want[stats.Month].Buckets[29].Counts))
}

// testStatsOfNotices: what Bookhook itself says counts for its webhook, and is no booking.
func testStatsOfNotices(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a, w := shop(t, s)
	d := deliver(t, s, a.ID, 1)[0]
	claim(t, s, w.ID, 9, t0)
	r := success(d, w.ID, 1)
	r.Own = true
	finish(t, s, r, t0)
	check := func() {
		t.Helper()
		same(t, "webhook", outcomes(must(s.WebhookStats(ctx, a.ID, w.ID, stats.Day, t0))(t).Total), []int64{1, 0, 0})
		same(t, "account", outcomes(must(s.AccountStats(ctx, a.ID, stats.Day, t0))(t).Total), []int64{0, 0, 0})
		same(t, "today", outcomes(must(s.Today(ctx, a.ID, t0))(t).Attempts), []int64{0, 0, 0})
		for i, day := range must(s.AccountSparklines(ctx, []webhook.Account{must(s.Account(ctx, a.ID))(t)}, t0))(t)[a.ID].Days {
			same(t, fmt.Sprint("day ", i), day.Delivered, 0)
		}
	}
	check()
	fold(t, s)
	check()
}

// testStatsUncounted: a test, a kept connection that was closed, and what was undone.
func testStatsUncounted(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a, w := shop(t, s)
	tested := must(s.Test(ctx, a.ID, w.ID, newEvent(""), t0))(t)
	claim(t, s, w.ID, 9, t0)
	r := success(tested.ID, w.ID, 1)
	r.Test = true
	finish(t, s, r, t0)
	d := deliver(t, s, a.ID, 1)[0]
	claim(t, s, w.ID, 9, t0)
	r = failure(d, w.ID, 1, t0.Add(time.Minute))
	r.Again = true
	finish(t, s, r, t0)
	same(t, "neither", outcomes(must(s.AccountStats(ctx, a.ID, stats.Day, t0))(t).Total), []int64{0, 0, 0})
	same(t, "events", must(s.Today(ctx, a.ID, t0))(t).Events, 1)

	// An event whose id is known with another content is refused, also in a group with others.
	first, again := newEvent("one"), newEvent("one")
	again.BookingID = "another"
	ingest(t, s, a.ID, first)
	var group sync.WaitGroup
	for i := range 20 {
		group.Go(func() {
			e := newEvent("")
			if i%2 == 0 {
				e = again
			}
			_, err := insert(t, s, a.ID, []webhook.Event{newEvent(""), e}, t0, lease, waiting)
			if conflict, is := errors.AsType[webhook.IDConflict](err); is != (i%2 == 0) {
				t.Errorf("got %v %v", conflict, err)
			}
		})
	}
	group.Wait()
	same(t, "events that are stored", must(s.Today(ctx, a.ID, t0))(t).Events, 22)
	fold(t, s)
	same(t, "events that are stored, added up", must(s.Today(ctx, a.ID, t0))(t).Events, 22)
	same(t, "those of the instance", must(s.Today(ctx, 0, t0))(t).Events, 22)
}

// testStatsLate: a result that comes after its delivery was sent again counts as an
// attempt, and never as the last one.
func testStatsLate(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a, w := shop(t, s)
	d := deliver(t, s, a.ID, 1)[0]
	claim(t, s, w.ID, 9, t0)
	finish(t, s, failure(d, w.ID, 1, time.Time{}), t0)
	must(s.Replay(ctx, a.ID, d, at(t0)))(t)
	claim(t, s, w.ID, 9, t0)
	claim(t, s, w.ID, 9, t0.Add(time.Hour)) // the first lease ended
	late := failure(d, w.ID, 2, time.Time{})
	finish(t, s, late, t0)
	finish(t, s, late, t0)
	same(t, "after a late one", outcomes(must(s.AccountStats(ctx, a.ID, stats.Day, t0))(t).Total), []int64{0, 2, 1})
	finish(t, s, success(d, w.ID, 3), t0)
	same(t, "after the success", outcomes(must(s.AccountStats(ctx, a.ID, stats.Day, t0))(t).Total), []int64{1, 2, 1})
	same(t, "reasons", must(s.AccountStats(ctx, a.ID, stats.Day, t0))(t).Total.Failed, map[stats.Reason]int64{"status 500": 2})
}

// testFoldTogether: what several add up at the same time counts once.
func testFoldTogether(t *testing.T, s *db.Store) {
	a, w := shop(t, s)
	var folding, finishing sync.WaitGroup
	done := make(chan struct{})
	for range 3 {
		folding.Go(func() {
			for {
				must(s.FoldCounts(t.Context()))(t)
				select {
				case <-done:
					return
				default:
				}
			}
		})
	}
	ids := deliver(t, s, a.ID, 100)
	claim(t, s, w.ID, 100, t0)
	for chunk := range slices.Chunk(ids, 10) {
		finishing.Go(func() {
			for _, d := range chunk {
				finish(t, s, success(d, w.ID, 1), t0)
			}
		})
	}
	finishing.Wait()
	close(done)
	folding.Wait()
	fold(t, s)
	same(t, "delivered", must(s.AccountStats(t.Context(), a.ID, stats.Day, t0))(t).Total.Delivered, 100)
}

func testEventCounts(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a, _ := shop(t, s)
	useWink(t, s, a.ID)
	wink, none := newEvent(""), newEvent("")
	wink.Platform, wink.Type = "wink", "booking_created"
	none.ChannelID = ""
	ingest(t, s, a.ID, newEvent(""), newEvent(""), wink, none)
	today := must(s.Today(ctx, a.ID, t0))(t)
	same(t, "today", []int64{today.Events, int64(today.Waiting)}, []int64{4, 4})
	if today.OldestWaiting.Before(t0.Add(-time.Minute)) || today.OldestWaiting.After(time.Now()) {
		t.Errorf("the oldest is of %s, want %s", today.OldestWaiting, t0)
	}
	same(t, "tomorrow", must(s.Today(ctx, a.ID, t0.AddDate(0, 0, 1)))(t).Events, 0)
	other := newAccount(t, s)
	same(t, "another account", must(s.Today(ctx, other.ID, t0))(t).Events, 0)
}

// testChannelFlood: whoever has an address may name any channel; what comes from further
// ones is counted, but not by channel, however it is added up.
func testChannelFlood(t *testing.T, s *db.Store) {
	a, _ := shop(t, s)
	const part = 260
	for i := range 5 {
		events := some(part)
		for n := range events {
			events[n].ChannelID = strconv.Itoa(i*part + n)
		}
		must(insert(t, s, a.ID, events, t0, lease, waiting))(t)
		fold(t, s)
	}
	same(t, "events", must(s.Today(t.Context(), a.ID, t0))(t).Events, 5*part)
	same(t, "channels", must(s.CountedChannels(t.Context(), a.ID))(t), stats.MaxChannels)
}

// testSilences: what was received in the weeks before is known, added up or not.
func testSilences(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a, _ := shop(t, s)
	other := newAccount(t, s)
	for week := range 3 {
		then := t0.In(a.Location()).AddDate(0, 0, -7*(week+1)).Add(-time.Hour)
		must(insert(t, s, a.ID, some(12), then, lease, waiting))(t)
		if week == 1 {
			fold(t, s)
		}
	}
	want := []stats.Silence{{Platform: "tourcms", All: true, Since: stats.Hour(t0, a.Location()).Add(-2 * time.Hour), Usual: 12}}
	same(t, "silent", must(s.Silences(ctx, a.ID, t0))(t), want)
	same(t, "another account", len(must(s.Silences(ctx, other.ID, t0))(t)), 0)
	ingest(t, s, a.ID, newEvent(""))
	same(t, "no longer", len(must(s.Silences(ctx, a.ID, t0))(t)), 0)
	fold(t, s)
	same(t, "no longer, added up", len(must(s.Silences(ctx, a.ID, t0))(t)), 0)
}

func testPruneCounts(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a, w := shop(t, s)
	d := deliver(t, s, a.ID, 1)[0]
	claim(t, s, w.ID, 9, t0)
	finish(t, s, success(d, w.ID, 1), t0)
	fold(t, s)
	_, _, err := s.Prune(ctx, t0.Add(-time.Hour), t0.Add(stats.Kept-time.Hour), 0, 100)
	ok(t, err)
	same(t, "before", must(s.AccountStats(ctx, a.ID, stats.Day, t0))(t).Total.Delivered, 1)
	_, _, err = s.Prune(ctx, t0.Add(-time.Hour), t0.Add(stats.Kept+time.Hour), 0, 100)
	ok(t, err)
	same(t, "after", must(s.AccountStats(ctx, a.ID, stats.Day, t0))(t).Total.Delivered, 0)
	same(t, "events", must(s.Today(ctx, a.ID, t0))(t).Events, 0)
}

// TestStatsReopen: what was counted and not added up yet is there after a restart.
func TestStatsReopen(t *testing.T) {
	path := dbtest.At(t)
	s := dbtest.Create(t, path)
	a, w := shop(t, s)
	d := deliver(t, s, a.ID, 1)[0]
	claim(t, s, w.ID, 9, t0)
	finish(t, s, success(d, w.ID, 1), t0)
	ok(t, s.Close())
	s = must(db.Open(t.Context(), path, nil))(t)
	defer s.Close()
	same(t, "delivered", must(s.WebhookStats(t.Context(), a.ID, w.ID, stats.Day, t0))(t).Total.Delivered, 1)
}
