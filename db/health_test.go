package db_test

import (
	"testing"
	"time"

	"bookhook/db"
	"bookhook/webhook"
)

var healthTests = []test{
	{"failing since", testFailingSince},
	{"circuit", testCircuit},
	{"recovered", testRecovered},
	{"late circuit", testLateCircuit},
	{"off after five days", testOffFailing},
	{"quiet", testQuiet},
	{"attention", testAttention},
	{"recent failures", testRecentFailures},
	{"off when gone", testOffGone},
	{"tests do not count", testHealthOfTests},
	{"a kept connection that was closed", testAgain},
}

// failOnce sends one more delivery, which fails at now.
func failOnce(tb testing.TB, s *db.Store, w *webhook.Webhook, now time.Time, changes ...func(*webhook.Result)) webhook.OffReason {
	tb.Helper()
	d := deliver(tb, s, w.Account, 1)[0]
	claim(tb, s, w.ID, 1000, now)
	r := failure(d, w.ID, 1, now.Add(time.Minute))
	for _, change := range changes {
		change(&r)
	}
	return finish(tb, s, r, now)
}

func health(tb testing.TB, s *db.Store, w *webhook.Webhook) webhook.Health {
	tb.Helper()
	return must(s.Webhook(tb.Context(), w.Account, w.ID))(tb).Health
}

func testFailingSince(t *testing.T, s *db.Store) {
	a, w := shop(t, s)
	failOnce(t, s, w, t0)
	failOnce(t, s, w, t0.Add(time.Hour))
	same(t, "since the first failure", health(t, s, w), webhook.Health{FailingSince: t0, FailedAt: t0.Add(time.Hour)})
	d := deliver(t, s, a.ID, 1)[0]
	claim(t, s, w.ID, 9, t0.Add(time.Hour))
	finish(t, s, success(d, w.ID, 1), t0.Add(time.Hour))
	same(t, "well after a success", health(t, s, w), webhook.Health{})
	failOnce(t, s, w, t0.Add(2*time.Hour))
	same(t, "failing again", health(t, s, w), webhook.Health{FailingSince: t0.Add(2 * time.Hour), FailedAt: t0.Add(2 * time.Hour)})
}

// circuit says in a result how the circuit is when it is recorded.
func circuit(c webhook.Circuit) func(*webhook.Result) {
	return func(r *webhook.Result) { r.Circuit = func() webhook.Circuit { return c } }
}

// testCircuit: it is stored with each failure, read with what is due and by every page,
// and closed by a success.
func testCircuit(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a, w := shop(t, s)
	stored := func() webhook.Circuit { return must(s.Webhook(ctx, a.ID, w.ID))(t).Circuit }
	one := webhook.Circuit{Failures: 1}
	failOnce(t, s, w, t0, circuit(one))
	same(t, "one failure", stored(), one)
	same(t, "needs attention", len(must(s.Attention(ctx, a.ID))(t)), 0)
	open := webhook.Circuit{Failures: 12, Pauses: 3, OpenedAt: t0, ProbeAt: t0.Add(20 * time.Second)}
	failOnce(t, s, w, t0, circuit(open))
	same(t, "open", stored(), open)
	same(t, "needs attention", len(must(s.Attention(ctx, a.ID))(t)), 1)
	same(t, "in all accounts", must(s.Accounts(ctx))(t)[0].Attention, 1)
	same(t, "with what is due", must(s.Due(ctx, webhook.AllShards))(t)[w.ID].Circuit, open)
	failOnce(t, s, w, t0, func(r *webhook.Result) { r.Test = true }, circuit(one))
	same(t, "after a failed test", stored(), open)
	failOnce(t, s, w, t0)
	same(t, "after a result that says nothing", stored(), open)
	for _, d := range must(s.Deliveries(ctx, a.ID, webhook.DeliveryFilter{State: webhook.Pending, Limit: 99}))(t).Rows {
		ok(t, s.Cancel(ctx, a.ID, d.ID, at(t0)))
	}
	due := must(s.Due(ctx, webhook.AllShards))(t)[w.ID]
	same(t, "nothing is due", []any{due.Circuit, due.At.IsZero()}, []any{open, true})
	d := deliver(t, s, a.ID, 1)[0]
	claim(t, s, w.ID, 9, t0)
	finish(t, s, success(d, w.ID, 1), t0)
	same(t, "after a success", stored(), webhook.Circuit{})
}

// testRecovered: a success of a webhook that was failing says so, once; one after a single
// failure, which is no alarm, does not.
func testRecovered(t *testing.T, s *db.Store) {
	a, w := shop(t, s)
	succeed := func(now time.Time) bool {
		d := deliver(t, s, a.ID, 1)[0]
		claim(t, s, w.ID, 99, now)
		r := success(d, w.ID, 1)
		r.Account = a.ID
		return must(s.Finish(t.Context(), r, now))(t).Recovered
	}
	same(t, "at first", succeed(t0), false)
	failOnce(t, s, w, t0)
	same(t, "after one failure", succeed(t0), false)
	failOnce(t, s, w, t0)
	failOnce(t, s, w, t0.Add(webhook.FailingAfter))
	same(t, "of a failing one", succeed(t0.Add(time.Hour)), true)
	same(t, "and the next", succeed(t0.Add(time.Hour)), false)
}

// testLateCircuit: results may be recorded in another order than their attempts ended, and
// after a change of the webhook.
func testLateCircuit(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a, w := shop(t, s)
	stored := func() webhook.Circuit { return must(s.Webhook(ctx, a.ID, w.ID))(t).Circuit }
	succeed := func(c webhook.Circuit) {
		d := deliver(t, s, a.ID, 1)[0]
		claim(t, s, w.ID, 99, t0)
		r := success(d, w.ID, 1)
		circuit(c)(&r)
		finish(t, s, r, t0)
	}
	two := webhook.Circuit{Failures: 2}
	failOnce(t, s, w, t0, circuit(two))
	succeed(two)
	same(t, "a success before the failures", stored(), two)
	same(t, "which says that it fails", health(t, s, w), webhook.Health{FailingSince: t0, FailedAt: t0})
	succeed(webhook.Circuit{})
	same(t, "a success after them", stored(), webhook.Circuit{})
	same(t, "which says that it is well", health(t, s, w), webhook.Health{})

	open := webhook.Circuit{Failures: 12, Pauses: 3, OpenedAt: t0, ProbeAt: t0.Add(time.Minute)}
	for name, change := range map[string]func() error{
		"changed": func() error { _, err := s.UpdateWebhook(ctx, webhook.Update{Webhook: w}, at(t0)); return err },
		"off and on": func() error {
			if _, err := s.SetEnabled(ctx, a.ID, w.ID, false, at(t0)); err != nil {
				return err
			}
			_, err := s.SetEnabled(ctx, a.ID, w.ID, true, at(t0))
			return err
		},
		"new secret": func() error { return s.RotateSecret(ctx, a.ID, w.ID, w.SecretShownAt, webhook.NewSecret(), at(t0)) },
	} {
		open.Resets = stored().Resets
		failOnce(t, s, w, t0, circuit(open))
		same(t, "open before it is "+name, stored(), open)
		ok(t, change())
		after := stored()
		same(t, name, []any{after.Failures, after.ProbeAt.IsZero(), after.Resets > open.Resets}, []any{0, true, true})
		failOnce(t, s, w, t0, circuit(open))
		same(t, "an attempt from before it was "+name, stored(), after)
		same(t, "the health of that", health(t, s, w).FailingSince, t0)
	}
}

func testOffFailing(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a, w := shop(t, s)
	end := t0.Add(webhook.FailingLimit)
	for at := t0; at.Before(end); at = at.Add(webhook.FailingGap) {
		same(t, "on the way", failOnce(t, s, w, at), "")
	}
	same(t, "just before", failOnce(t, s, w, end.Add(-time.Millisecond)), "")
	same(t, "after five days", failOnce(t, s, w, end), webhook.OffFailing)
	got := must(s.Webhook(ctx, a.ID, w.ID))(t)
	same(t, "enabled", got.Enabled, false)
	same(t, "health", got.Health, webhook.Health{FailingSince: t0, FailedAt: end, OffAt: end, OffReason: webhook.OffFailing, OffBy: webhook.ByBookhook})
	newest := must(s.Audit(ctx, a.ID, 0, 1))(t)[0]
	same(t, "audit", []string{newest.By, newest.Action}, []string{"Bookhook", "webhook.off_failing"})
	same(t, "said once", failLate(t, s, w, end.Add(time.Hour)), "")
	same(t, "off as before", health(t, s, w).OffAt, end)
	must(s.SetEnabled(ctx, a.ID, w.ID, true, at(end)))(t)
	same(t, "well when switched on", health(t, s, w), webhook.Health{OnAt: end})
	same(t, "failing again", failOnce(t, s, w, end), "")
}

// testAttention: what Bookhook switched off needs attention, and what fails for a while;
// neither what failed once nor what a person switched off.
func testAttention(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a, w := shop(t, s)
	other, _ := shop(t, s)
	names := func(id webhook.AccountID) (names []string) {
		for _, one := range must(s.Attention(ctx, id))(t) {
			names = append(names, one.Name)
		}
		return names
	}
	failOnce(t, s, w, t0)
	same(t, "after one failure", names(a.ID), nil)
	failOnce(t, s, w, t0.Add(webhook.FailingAfter))
	same(t, "after a while", names(a.ID), []string{w.Name})
	same(t, "of another account", names(other.ID), nil)
	failOnce(t, s, w, t0.Add(time.Hour), func(r *webhook.Result) { r.Gone = true })
	same(t, "switched off", names(a.ID), []string{w.Name})
	must(s.SetEnabled(ctx, a.ID, w.ID, true, at(t0)))(t)
	must(s.SetEnabled(ctx, a.ID, w.ID, false, at(t0)))(t)
	same(t, "switched off by a person", names(a.ID), nil)
}

// testRecentFailures: of the newest deliveries, tests and what was never attempted aside.
func testRecentFailures(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a, w := shop(t, s)
	count := func(id webhook.AccountID) webhook.Failures {
		return must(s.RecentFailures(ctx, id, w.ID, webhook.RecentCounted))(t)
	}
	same(t, "none", count(a.ID), webhook.Failures{})
	for i := range 2 {
		failOnce(t, s, w, t0.Add(time.Duration(i)*time.Second))
	}
	d := deliver(t, s, a.ID, 1)[0]
	claim(t, s, w.ID, 1000, t0.Add(time.Second))
	finish(t, s, success(d, w.ID, 1), t0.Add(time.Second))
	deliver(t, s, a.ID, 3)
	same(t, "two of three", count(a.ID), webhook.Failures{Failed: 2, Of: 3})
	for range webhook.RecentCounted {
		d := deliver(t, s, a.ID, 1)[0]
		claim(t, s, w.ID, 1000, t0.Add(time.Second))
		finish(t, s, success(d, w.ID, 1), t0.Add(time.Second))
	}
	same(t, "of the newest hundred", count(a.ID), webhook.Failures{Of: webhook.RecentCounted})
}

// testQuiet: a failure now and one long ago are no five days of failing.
func testQuiet(t *testing.T, s *db.Store) {
	_, w := shop(t, s)
	failOnce(t, s, w, t0)
	later := t0.Add(120 * 24 * time.Hour)
	same(t, "months later", failOnce(t, s, w, later), "")
	same(t, "health", health(t, s, w), webhook.Health{FailingSince: later, FailedAt: later})
}

// failLate is a failure that comes in when the webhook is off: its request was
// on its way.
func failLate(tb testing.TB, s *db.Store, w *webhook.Webhook, now time.Time) webhook.OffReason {
	tb.Helper()
	rows := must(s.Deliveries(tb.Context(), w.Account, webhook.DeliveryFilter{Limit: 1}))(tb).Rows
	return finish(tb, s, failure(rows[0].ID, w.ID, rows[0].Attempts+1, now), now)
}

func testOffGone(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a, w := shop(t, s)
	waits := deliver(t, s, a.ID, 1)[0]
	gone := func(r *webhook.Result) {
		r.Gone, r.State, r.NextAt = true, webhook.Failed, time.Time{}
		r.Attempt.Status, r.Attempt.Failure = 410, webhook.FailGone
	}
	same(t, "gone", failOnce(t, s, w, t0, gone), webhook.OffGone)
	same(t, "health", health(t, s, w), webhook.Health{FailingSince: t0, FailedAt: t0, OffAt: t0, OffReason: webhook.OffGone, OffBy: webhook.ByBookhook})
	same(t, "what waits goes on waiting", must(s.Delivery(ctx, a.ID, waits))(t).State, webhook.Pending)
	must(s.SetEnabled(ctx, a.ID, w.ID, true, at(t0)))(t)
	must(s.DeleteWebhook(ctx, a.ID, w.ID, at(t0)))(t)
	r := failure(waits, w.ID, 1, time.Time{})
	gone(&r)
	same(t, "of a deleted webhook", finish(t, s, r, t0), "")
}

func testHealthOfTests(t *testing.T, s *db.Store) {
	_, w := shop(t, s)
	isTest := func(r *webhook.Result) { r.Test = true }
	failOnce(t, s, w, t0, isTest)
	same(t, "a failed test", health(t, s, w), webhook.Health{})
	failOnce(t, s, w, t0)
	same(t, "a failed test does not switch off", failOnce(t, s, w, t0.Add(webhook.FailingLimit), isTest), "")
	same(t, "health", health(t, s, w), webhook.Health{FailingSince: t0, FailedAt: t0})
	gone := func(r *webhook.Result) { r.Test, r.Gone = true, true }
	same(t, "a test that is told to stop does", failOnce(t, s, w, t0, gone), webhook.OffGone)
}

// testAgain: the attempt is in the log and the next one claimed, and neither the
// health nor the schedule counts it; not if the delivery was cancelled or claimed
// meanwhile. Handing in the result again, when its commit was not heard of, changes
// nothing.
func testAgain(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a, w := shop(t, s)
	d := deliver(t, s, a.ID, 3)
	claim(t, s, w.ID, 3, t0)
	result := func(d webhook.DeliveryID) webhook.Result {
		r := failure(d, w.ID, 1, lease)
		r.Again = true
		return r
	}
	want := must(s.Delivery(ctx, a.ID, d[0]))(t)
	want.Attempts, want.Completed, want.Base, want.NextAt = 2, 1, 1, lease
	want.Last = webhook.Outcome{Status: 500, Failure: webhook.FailStatus, Duration: 12 * time.Millisecond}
	same(t, "claimed again", must(s.Finish(ctx, result(d[0]), t0))(t).Again, true)
	same(t, "delivery", must(s.Delivery(ctx, a.ID, d[0]))(t), want)
	same(t, "failing since", must(s.Webhook(ctx, a.ID, w.ID))(t).FailingSince.IsZero(), true)
	same(t, "claimed by others", len(claim(t, s, w.ID, 9, t0)), 0)
	same(t, "handed in twice", must(s.Finish(ctx, result(d[0]), t0))(t).Again, true)
	same(t, "delivery after that", must(s.Delivery(ctx, a.ID, d[0]))(t), want)
	ok(t, s.RecoverClaims(ctx, webhook.AllShards, t0)) // after a crash in the attempt that was claimed
	job := claim(t, s, w.ID, 1, t0)[0].Delivery
	same(t, "handed in after that", must(s.Finish(ctx, result(d[0]), t0))(t).Again, false)
	same(t, "claimed after a crash", []any{job.ID, job.Attempts, job.Base}, []any{d[0], 3, 1})
	finish(t, s, success(d[0], w.ID, 3), t0)
	same(t, "state", must(s.Delivery(ctx, a.ID, d[0]))(t).State, webhook.Delivered)
	same(t, "in the log", numbers(t, s, a.ID, d[0]), []int{1, 3})

	ok(t, s.Cancel(ctx, a.ID, d[1], at(t0)))
	same(t, "cancelled meanwhile", must(s.Finish(ctx, result(d[1]), t0))(t).Again, false)
	same(t, "state", must(s.Delivery(ctx, a.ID, d[1]))(t).State, webhook.Cancelled)
	claim(t, s, w.ID, 1, lease)
	same(t, "claimed meanwhile", must(s.Finish(ctx, result(d[2]), lease))(t).Again, false)
	same(t, "in the log", numbers(t, s, a.ID, d[2]), []int{1})
}
