package db_test

import (
	"bytes"
	"fmt"
	"sync"
	"testing"
	"time"

	"bookhook/db"
	"bookhook/webhook"
)

var dispatchingTests = []test{
	{"claim the longest due", testClaimOrder},
	{"claim in parallel", testClaimParallel},
	{"claim when the next is due", testClaimNext},
	{"claim of the newest", testClaimNewest},
	{"claim of much data", testClaimBytes},
	{"claim of much data keeps the order", testClaimBytesKeepsOrder},
	{"claim nothing of a webhook that is off", testClaimOff},
	{"claim raises the attempt", testClaimRaises},
	{"finish", testFinish},
	{"finish fails for good", testFinishFailed},
	{"finish too late", testFinishLate},
	{"finish twice", testFinishTwice},
	{"finish after cancel", testFinishCancelled},
	{"release", testRelease},
	{"release of a cancelled one", testReleaseCancelled},
	{"release of what a person waits for", testReleaseUrgent},
	{"finish and release after a replay", testFinishReplayed},
	{"finish of one that is gone", testFinishGone},
	{"recover claims", testRecoverClaims},
	{"recover claims of what a person waits for", testRecoverUrgent},
	{"due", testDue},
}

func ids(jobs []webhook.Job) []webhook.DeliveryID {
	got := []webhook.DeliveryID{}
	for _, j := range jobs {
		got = append(got, j.Delivery.ID)
	}
	return got
}

func testClaimOrder(t *testing.T, s *db.Store) {
	a, w := shop(t, s)
	d := deliver(t, s, a.ID, 4)
	for i, wait := range []time.Duration{3, 2, 4, 2} { // due after so many minutes
		claim(t, s, w.ID, 1, t0)
		finish(t, s, failure(d[i], w.ID, 1, t0.Add(wait*time.Minute)), t0)
	}
	now := t0.Add(3 * time.Minute)
	same(t, "before any", ids(claim(t, s, w.ID, 9, t0)), []webhook.DeliveryID{})
	same(t, "first of two that are due longest", ids(claim(t, s, w.ID, 1, now)), []webhook.DeliveryID{d[1]})
	same(t, "what else is due, in their order", ids(claim(t, s, w.ID, 9, now)), []webhook.DeliveryID{d[0], d[3]})
	same(t, "nothing more", ids(claim(t, s, w.ID, 9, now)), []webhook.DeliveryID{})
}

func testClaimParallel(t *testing.T, s *db.Store) {
	a, w := shop(t, s)
	deliver(t, s, a.ID, 200)
	var mu sync.Mutex
	seen := map[webhook.DeliveryID]int{}
	var wg sync.WaitGroup
	for range 10 {
		wg.Go(func() {
			for {
				jobs, _, err := s.Claim(t.Context(), webhook.Claim{Webhook: w.ID, N: 7, Now: t0, Lease: lease})
				if err != nil || len(jobs) == 0 {
					return
				}
				mu.Lock()
				for _, j := range jobs {
					seen[j.Delivery.ID]++
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	same(t, "deliveries", len(seen), 200)
	for id, n := range seen {
		same(t, fmt.Sprint("claims of ", id), n, 1)
	}
}

func testClaimNext(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a, w := shop(t, s)
	_, next, err := s.Claim(ctx, webhook.Claim{Webhook: w.ID, N: 5, Now: t0, Lease: lease})
	ok(t, err)
	same(t, "next of none", next.At, time.Time{})
	deliver(t, s, a.ID, 2)
	_, next, err = s.Claim(ctx, webhook.Claim{Webhook: w.ID, N: 1, Now: t0, Lease: lease})
	ok(t, err)
	same(t, "next while one is left", next.At, t0)
	_, next, err = s.Claim(ctx, webhook.Claim{Webhook: w.ID, N: 1, Now: t0, Lease: lease.Add(time.Second)})
	ok(t, err)
	same(t, "next when all are claimed: the first lease", next.At, lease)
}

// testClaimBytes: a claim is bounded by the data of its events, and what it leaves is
// as it was.
func testClaimBytes(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a, w := shop(t, s)
	var all []webhook.DeliveryID
	for range 12 {
		e := newEvent("")
		e.BookingID, e.Data = "", bytes.Repeat([]byte(" "), 1<<20)
		all = append(all, ingest(t, s, a.ID, e)[0].Decisions[0].Delivery)
	}
	for _, id := range all {
		must(s.Replay(ctx, a.ID, id, at(t0)))(t) // urgent
	}
	jobs, next, err := s.Claim(ctx, webhook.Claim{Webhook: w.ID, N: 100, Now: t0, Lease: lease})
	ok(t, err)
	got := []webhook.DeliveryID{}
	for _, job := range jobs {
		got = append(got, job.Delivery.ID)
	}
	same(t, "claimed", got, all[:8])
	same(t, "next", next.At.Equal(t0), true)
	left := must(s.Delivery(ctx, a.ID, all[11]))(t)
	same(t, "attempts of one that is left", left.Attempts, 0)
	same(t, "claimed before others", deliver(t, s, a.ID, 1)[0] > all[11], true)
	same(t, "the rest", len(claim(t, s, w.ID, 4, t0)), 4)
	same(t, "and then others", len(claim(t, s, w.ID, 4, t0)), 1)
}

// testClaimBytesKeepsOrder: what a claim leaves because of its bytes keeps its turn:
// what became due later is not claimed before it.
func testClaimBytesKeepsOrder(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a, w := shop(t, s)
	var all []webhook.DeliveryID
	for range 30 {
		e := newEvent("")
		e.BookingID, e.Data = "", bytes.Repeat([]byte(" "), 1<<20)
		all = append(all, ingest(t, s, a.ID, e)[0].Decisions[0].Delivery)
	}
	var got []webhook.DeliveryID
	for now := t0.Add(time.Second); len(got) < 30; now = now.Add(time.Second) {
		jobs, _, err := s.Claim(ctx, webhook.Claim{Webhook: w.ID, N: 12, Now: now, Lease: now.Add(time.Hour)})
		ok(t, err)
		for _, job := range jobs {
			got = append(got, job.Delivery.ID)
		}
	}
	same(t, "claimed", got, all)
}

// A claim of the newest brings what became due last, urgent ones before it.
func testClaimNewest(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a, w := shop(t, s)
	d := deliver(t, s, a.ID, 4)
	newest := func() webhook.DeliveryID {
		jobs, _, err := s.Claim(ctx, webhook.Claim{Webhook: w.ID, N: 1, Newest: true, Now: t0, Lease: lease})
		ok(t, err)
		return jobs[0].Delivery.ID
	}
	same(t, "newest", newest(), d[3])
	same(t, "the newest of the others", newest(), d[2])
	must(s.Replay(ctx, a.ID, d[0], at(t0)))(t)
	same(t, "an urgent one", newest(), d[0])
	same(t, "the last", newest(), d[1])
}

func testClaimOff(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a, w := shop(t, s)
	d := deliver(t, s, a.ID, 1)
	must(s.SetEnabled(ctx, a.ID, w.ID, false, at(t0)))(t)
	jobs, next, err := s.Claim(ctx, webhook.Claim{Webhook: w.ID, N: 5, Now: t0, Lease: lease})
	ok(t, err)
	same(t, "jobs and next of one that is off", []any{len(jobs), next}, []any{0, webhook.Due{}})
	same(t, "attempts", must(s.Delivery(ctx, a.ID, d[0]))(t).Attempts, 0)
	must(s.SetEnabled(ctx, a.ID, w.ID, true, at(t0)))(t)
	same(t, "when it was switched on", must(s.Webhook(ctx, a.ID, w.ID))(t).OnAt, t0)
	same(t, "jobs when on again", len(claim(t, s, w.ID, 5, t0)), 1)
	finish(t, s, success(d[0], w.ID, 1), t0)
	same(t, "when an attempt has ended", must(s.Webhook(ctx, a.ID, w.ID))(t).OnAt, time.Time{})
	must(s.DeleteWebhook(ctx, a.ID, w.ID, at(t0)))(t)
	same(t, "jobs of one that is deleted", len(claim(t, s, w.ID, 5, lease)), 0)
	same(t, "jobs of one that never was", len(claim(t, s, w.ID+99, 5, t0)), 0)
}

func testClaimRaises(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a, w := shop(t, s)
	d := deliver(t, s, a.ID, 1)[0]
	changed := *w
	changed.URL = "https://corrected.example/"
	ok(t, update(t, s, webhook.Update{Webhook: &changed}, at(t0)))
	for i := range 3 { // each lease ends without an answer
		now := t0.Add(time.Duration(i) * time.Minute)
		job := claim(t, s, w.ID, 1, now)[0]
		want := must(s.Delivery(ctx, a.ID, d))(t)
		same(t, "delivery", job.Delivery, want)
		same(t, "attempts, answered, next", []any{want.Attempts, want.Completed, want.NextAt}, []any{i + 1, 0, now.Add(time.Minute)})
		same(t, "in flight", want.InFlight(now), true)
		same(t, "URL as it is now", job.Webhook.URL, changed.URL)
		same(t, "event", job.Event, must(s.Event(ctx, a.ID, want.Event))(t).Event)
		same(t, "account", job.Account, a)
	}
}

func testFinish(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a, w := shop(t, s)
	d := deliver(t, s, a.ID, 1)[0]
	want := claim(t, s, w.ID, 1, t0)[0].Delivery
	retry := t0.Add(5 * time.Second)
	finish(t, s, failure(d, w.ID, 1, retry), t0)
	want.Completed, want.NextAt = 1, retry
	want.Last = webhook.Outcome{Status: 500, Failure: webhook.FailStatus, Duration: 12 * time.Millisecond}
	same(t, "after a failure", must(s.Delivery(ctx, a.ID, d))(t), want)
	claim(t, s, w.ID, 1, retry)
	finish(t, s, success(d, w.ID, 2), retry)
	want.State, want.Attempts, want.Completed, want.Finished, want.NextAt = webhook.Delivered, 2, 2, retry, time.Time{}
	want.Last = webhook.Outcome{Status: 200, Duration: 12 * time.Millisecond}
	same(t, "after a success", must(s.Delivery(ctx, a.ID, d))(t), want)
	same(t, "attempts", numbers(t, s, a.ID, d), []int{1, 2})
	same(t, "claimed after that", len(claim(t, s, w.ID, 9, t0.Add(time.Hour))), 0)
}

func testFinishFailed(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a, w := shop(t, s)
	d := deliver(t, s, a.ID, 1)[0]
	claim(t, s, w.ID, 1, t0)
	finish(t, s, failure(d, w.ID, 1, time.Time{}), lease)
	got := must(s.Delivery(ctx, a.ID, d))(t)
	same(t, "state and end", []any{got.State, got.Finished}, []any{webhook.Failed, lease})
	same(t, "claimed after that", len(claim(t, s, w.ID, 9, t0.Add(time.Hour))), 0)
}

func testFinishLate(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a, w := shop(t, s)
	d := deliver(t, s, a.ID, 1)[0]
	claim(t, s, w.ID, 1, t0)
	want := claim(t, s, w.ID, 1, lease)[0].Delivery // the first lease is over
	finish(t, s, success(d, w.ID, 1), lease)
	same(t, "not moved", must(s.Delivery(ctx, a.ID, d))(t), want)
	same(t, "in the log", numbers(t, s, a.ID, d), []int{1})
	finish(t, s, failure(d, w.ID, 2, time.Time{}), lease)
	same(t, "state", must(s.Delivery(ctx, a.ID, d))(t).State, webhook.Failed)
	same(t, "in the log", numbers(t, s, a.ID, d), []int{1, 2})
}

// testFinishTwice: a worker that does not know whether its result was kept may
// hand it in again, even after a person asked for a replay.
func testFinishTwice(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a, w := shop(t, s)
	d := deliver(t, s, a.ID, 1)[0]
	claim(t, s, w.ID, 1, t0)
	again := func(r webhook.Result) {
		t.Helper()
		want := must(s.Delivery(ctx, a.ID, d))(t)
		hook := must(s.Webhook(ctx, a.ID, w.ID))(t)
		finish(t, s, r, t0.Add(time.Hour))
		same(t, "delivery", must(s.Delivery(ctx, a.ID, d))(t), want)
		same(t, "webhook", must(s.Webhook(ctx, a.ID, w.ID))(t), hook)
	}
	first := failure(d, w.ID, 1, t0.Add(time.Minute))
	finish(t, s, first, t0)
	again(first)
	must(s.Replay(ctx, a.ID, d, at(t0)))(t)
	again(first)
	claim(t, s, w.ID, 1, t0)
	again(first)
	second := success(d, w.ID, 2)
	finish(t, s, second, t0)
	again(second)
	again(first)
	must(s.Replay(ctx, a.ID, d, at(t0)))(t)
	again(second)
	same(t, "attempts", numbers(t, s, a.ID, d), []int{1, 2})
}

func testFinishCancelled(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a, w := shop(t, s)
	d := deliver(t, s, a.ID, 4)
	claim(t, s, w.ID, 4, t0)
	ok(t, s.Cancel(ctx, a.ID, d[0], at(t0)))
	ok(t, s.Cancel(ctx, a.ID, d[1], at(t0)))
	must(s.DeleteWebhook(ctx, a.ID, w.ID, at(t0)))(t)
	for i, id := range d {
		want, later := must(s.Delivery(ctx, a.ID, id))(t), t0.Add(time.Second)
		same(t, "state before", want.State, webhook.Cancelled)
		r := failure(id, w.ID, 1, lease)
		if i%2 == 0 {
			r = success(id, w.ID, 1)
			want.State, want.Finished = webhook.Delivered, later // the receiver has it
		}
		finish(t, s, r, later)
		want.Completed, want.Last = 1, webhook.Outcome{Status: r.Attempt.Status, Failure: r.Attempt.Failure, Duration: r.Attempt.Duration}
		same(t, "with the answer", must(s.Delivery(ctx, a.ID, id))(t), want)
		same(t, "attempts", numbers(t, s, a.ID, id), []int{1})
	}
}

// testFinishReplayed: an attempt that was cancelled and never ended is not taken for
// that of a later replay.
func testFinishReplayed(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a, w := shop(t, s)
	d := deliver(t, s, a.ID, 1)[0]
	claim(t, s, w.ID, 1, t0)
	ok(t, s.Cancel(ctx, a.ID, d, at(t0)))
	want := must(s.Replay(ctx, a.ID, d, at(lease)))(t)
	ok(t, s.Release(ctx, d, 1, lease, lease))
	finish(t, s, success(d, w.ID, 1), lease)
	same(t, "the replay", must(s.Delivery(ctx, a.ID, d))(t), want)
	same(t, "attempts in the log", numbers(t, s, a.ID, d), []int{1})
}

func testRelease(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a, w := shop(t, s)
	d := deliver(t, s, a.ID, 1)[0]
	want := must(s.Delivery(ctx, a.ID, d))(t)
	claim(t, s, w.ID, 1, t0)
	ok(t, s.Release(ctx, d, 2, lease, t0)) // of an attempt that nobody made
	same(t, "in flight still", must(s.Delivery(ctx, a.ID, d))(t).Attempts, 1)
	want.NextAt = t0.Add(time.Second)
	for range 2 { // twice is harmless
		ok(t, s.Release(ctx, d, 1, lease, want.NextAt))
		same(t, "uncharged and due", must(s.Delivery(ctx, a.ID, d))(t), want)
	}
	same(t, "number of the next attempt", claim(t, s, w.ID, 1, want.NextAt)[0].Delivery.Attempts, 1)
	ok(t, s.Release(ctx, d, 1, lease, want.NextAt)) // of the first claim once more, since nobody learned of it
	same(t, "in flight again", must(s.Delivery(ctx, a.ID, d))(t).Attempts, 1)
	finish(t, s, failure(d, w.ID, 1, lease), t0)
	want = must(s.Delivery(ctx, a.ID, d))(t)
	ok(t, s.Release(ctx, d, 1, lease, t0)) // too late: it has an answer
	same(t, "answered", must(s.Delivery(ctx, a.ID, d))(t), want)
}

// testReleaseUrgent: what a person waits for goes first again, and a test also while its
// webhook is off.
func testReleaseUrgent(t *testing.T, s *db.Store) {
	_, w := shop(t, s)
	urgent := webhook.Claim{Webhook: w.ID, Urgent: 2, Now: t0, Lease: lease}
	replayed := ended(t, s, w, webhook.Failed)
	must(s.Replay(t.Context(), w.Account, replayed, at(t0)))(t)
	tested := must(s.Test(t.Context(), w.Account, w.ID, webhook.Event{Type: "cancelled"}, t0))(t).ID
	jobs, _, err := s.Claim(t.Context(), urgent)
	ok(t, err)
	for _, job := range jobs {
		ok(t, s.Release(t.Context(), job.Delivery.ID, job.Delivery.Attempts, job.Delivery.NextAt, t0))
		same(t, "urgent still", must(s.Delivery(t.Context(), w.Account, job.Delivery.ID))(t).Urgent, true)
	}
	must(s.SetEnabled(t.Context(), w.Account, w.ID, false, at(t0)))(t)
	jobs, _, err = s.Claim(t.Context(), urgent)
	ok(t, err)
	same(t, "claimed while off", ids(jobs), []webhook.DeliveryID{tested})
	must(s.SetEnabled(t.Context(), w.Account, w.ID, true, at(t0)))(t)
	jobs, _, err = s.Claim(t.Context(), urgent)
	ok(t, err)
	same(t, "claimed when on again", ids(jobs), []webhook.DeliveryID{replayed})
}

func testReleaseCancelled(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a, w := shop(t, s)
	d := deliver(t, s, a.ID, 1)[0]
	claim(t, s, w.ID, 1, t0)
	ok(t, s.Cancel(ctx, a.ID, d, at(t0)))
	ok(t, s.Release(ctx, d, 1, lease, t0))
	got := must(s.Delivery(ctx, a.ID, d))(t)
	same(t, "state", got.State, webhook.Cancelled)
	same(t, "tries that were never made", got.Attempts, 0)
}

func testFinishGone(t *testing.T, s *db.Store) {
	_, w := shop(t, s)
	same(t, "off", finish(t, s, success(4711, w.ID, 1), t0), "") // pruned meanwhile: no error
}

func testRecoverClaims(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a, w := shop(t, s)
	d := deliver(t, s, a.ID, 3)
	claim(t, s, w.ID, 3, t0)
	finish(t, s, failure(d[0], w.ID, 1, lease), t0)
	finish(t, s, success(d[1], w.ID, 1), t0)
	now := t0.Add(time.Second)
	waits, done := must(s.Delivery(ctx, a.ID, d[0]))(t), must(s.Delivery(ctx, a.ID, d[1]))(t)
	ok(t, s.RecoverClaims(ctx, webhook.AllShards, now))
	same(t, "one that waits for its time", must(s.Delivery(ctx, a.ID, d[0]))(t), waits)
	same(t, "one that is delivered", must(s.Delivery(ctx, a.ID, d[1]))(t), done)
	jobs := claim(t, s, w.ID, 9, now)
	same(t, "one that was cut off is due", ids(jobs), []webhook.DeliveryID{d[2]})
	same(t, "its attempt counts", jobs[0].Delivery.Attempts, 2)
}

// testRecoverUrgent: what a person waited for when the process died goes first again, a
// test also while its webhook is off, until its attempt has ended.
func testRecoverUrgent(t *testing.T, s *db.Store) {
	ctx := t.Context()
	_, w := shop(t, s)
	urgent := webhook.Claim{Webhook: w.ID, Urgent: 2, Now: t0, Lease: lease}
	replayed := ended(t, s, w, webhook.Failed)
	must(s.Replay(ctx, w.Account, replayed, at(t0)))(t)
	tested := must(s.Test(ctx, w.Account, w.ID, webhook.Event{Type: "cancelled"}, t0))(t).ID
	jobs, due, err := s.Claim(ctx, urgent)
	ok(t, err)
	same(t, "claimed", []any{len(jobs), due.At, due.Urgent}, []any{2, lease, lease})
	must(s.SetEnabled(ctx, w.Account, w.ID, false, at(t0)))(t)
	urgent.Now = t0.Add(time.Second)
	ok(t, s.RecoverClaims(ctx, webhook.AllShards, urgent.Now))
	same(t, "due while off", must(s.Due(ctx, webhook.AllShards))(t), map[webhook.WebhookID]webhook.Due{w.ID: {Account: w.Account, At: urgent.Now, Urgent: urgent.Now}})
	jobs, due, err = s.Claim(ctx, urgent)
	ok(t, err)
	same(t, "claimed while off", []any{ids(jobs), jobs[0].Urgent, jobs[0].Delivery.Attempts, due.Urgent}, []any{[]webhook.DeliveryID{tested}, true, 2, lease})
	must(s.SetEnabled(ctx, w.Account, w.ID, true, at(t0)))(t)
	jobs, _, err = s.Claim(ctx, urgent)
	ok(t, err)
	same(t, "claimed when on again", []any{ids(jobs), jobs[0].Urgent, jobs[0].Delivery.Attempts}, []any{[]webhook.DeliveryID{replayed}, true, 3})

	again := failure(replayed, w.ID, 3, lease)
	again.Again = true
	finish(t, s, again, t0)
	same(t, "its connection was closed", must(s.Delivery(ctx, w.Account, replayed))(t).Urgent, true)
	finish(t, s, failure(replayed, w.ID, 4, lease), t0)
	same(t, "its attempt has ended", must(s.Delivery(ctx, w.Account, replayed))(t).Urgent, false)
}

func testDue(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a, w := shop(t, s)
	same(t, "nothing pending", must(s.Due(ctx, webhook.AllShards))(t), map[webhook.WebhookID]webhook.Due{})
	deliver(t, s, a.ID, 2)
	b, second := shop(t, s)
	deliver(t, s, b.ID, 1)
	off := addHook(t, s, b.ID)
	deliver(t, s, b.ID, 1)
	must(s.SetEnabled(ctx, b.ID, off.ID, false, at(t0)))(t)
	claim(t, s, second.ID, 5, t0)
	same(t, "due", must(s.Due(ctx, webhook.AllShards))(t), map[webhook.WebhookID]webhook.Due{w.ID: {Account: w.Account, At: t0}, second.ID: {Account: second.Account, At: lease}})
}
