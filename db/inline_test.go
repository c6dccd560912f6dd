package db_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"bookhook/db"
	"bookhook/incidents"
	"bookhook/webhook"
)

var inlineTests = []test{
	{"one for a channel", testOneInlineForAChannel},
	{"one for a channel, in parallel", testOneInlineInParallel},
	{"one for a channel, when changed", testInlineChanged},
	{"no limit", testInlineHasNoLimit},
	{"the type stays", testTypeStays},
	{"asked", testInlineCall},
	{"nobody to ask", testInlineNobody},
	{"asked twice", testInlineTwice},
	{"the id of something that was told", testInlineReceivedID},
	{"never due", testInlineIsNeverDue},
	{"a dead process", testInlineRecovered},
	{"not replayed, not cancelled", testInlineOnce},
	{"tested", testTestInline},
	{"refusals switch nothing off", testRefusalsCount},
	{"a dead receiver is failing", testDeadInline},
}

// inline makes it an inline webhook for these channels; none means all.
func inline(channels ...string) func(*webhook.Webhook) {
	return func(w *webhook.Webhook) {
		w.Kind, w.Format, w.TimeLimit = webhook.Inline, webhook.Native, 10
		w.Name, w.AllEvents, w.Events = "Gate", false, []string{"cancelled", "new_temporary_web"}
		if len(channels) > 0 {
			w.Channels = webhook.NewFilter(webhook.Include, channels)
		}
	}
}

func isOff(w *webhook.Webhook) { w.Enabled = false }

func testOneInlineForAChannel(t *testing.T, s *db.Store) {
	a := newAccount(t, s)
	create := func(changes ...func(*webhook.Webhook)) error {
		_, err := s.CreateWebhook(t.Context(), newHook(a.ID, changes...), nil, at(t0))
		return err
	}
	ok(t, s.AddItem(t.Context(), a.ID, webhook.Channels, webhook.Item{ID: "2", Name: "Viator"}, at(t0)))
	first := addHook(t, s, a.ID, inline("1", "2"), isOff)
	wantInvalid(t, create(inline("3", "2")), "channels", "“Gate” is for the channel Viator (2)")
	wantInvalid(t, create(inline()), "channels", "for the channel 1,")
	ok(t, create(inline("3", "4")))
	ok(t, create()) // an asynchronous one for all channels is another thing
	must(s.DeleteWebhook(t.Context(), a.ID, first.ID, at(t0)))(t)
	ok(t, create(inline("1", "2")))
	addHook(t, s, newAccount(t, s).ID, inline())
	draft := newHook(a.ID, inline("2"))
	wantInvalid(t, s.CheckChannels(t.Context(), draft), "channels", "Viator")
	ok(t, s.CheckChannels(t.Context(), newHook(a.ID, inline("5"))))
	ok(t, s.CheckChannels(t.Context(), newHook(a.ID)))
}

func testOneInlineInParallel(t *testing.T, s *db.Store) {
	a := newAccount(t, s)
	errs := make([]error, 20)
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() { _, errs[i] = s.CreateWebhook(t.Context(), newHook(a.ID, inline()), nil, at(t0)) })
	}
	wg.Wait()
	won := 0
	for _, err := range errs {
		if err == nil {
			won++
			continue
		}
		wantInvalid(t, err, "channels", "for all channels")
	}
	same(t, "webhooks that were created", won, 1)
}

func testInlineChanged(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a := newAccount(t, s)
	one, two := addHook(t, s, a.ID, inline("1")), addHook(t, s, a.ID, inline("2"))
	one.Name, one.TimeLimit = "Still one", 25
	ok(t, update(t, s, webhook.Update{Webhook: one}, at(t0))) // its own channel is no clash
	same(t, "time limit", must(s.Webhook(ctx, a.ID, one.ID))(t).TimeLimit, 25)
	two.Channels = webhook.NewFilter(webhook.All, nil)
	wantInvalid(t, update(t, s, webhook.Update{Webhook: two}, at(t0)), "channels", "“Still one”")
	two.Channels = webhook.NewFilter(webhook.Include, []string{"2", "3"})
	ok(t, update(t, s, webhook.Update{Webhook: two}, at(t0)))
}

func testInlineHasNoLimit(t *testing.T, s *db.Store) {
	a := newAccount(t, s)
	ok(t, s.SetLimit(t.Context(), a.ID, 1, at(t0)))
	addHook(t, s, a.ID)
	addHook(t, s, a.ID, inline("1"))
	addHook(t, s, a.ID, inline("2"))
	_, err := s.CreateWebhook(t.Context(), newHook(a.ID), nil, at(t0))
	wantError(t, "an asynchronous one", err, webhook.ErrLimit)
}

func testTypeStays(t *testing.T, s *db.Store) {
	a, w := shop(t, s)
	inline()(w)
	wantInvalid(t, update(t, s, webhook.Update{Webhook: w}, at(t0)), "type", "cannot be changed")
	same(t, "type", must(s.Webhook(t.Context(), a.ID, w.ID))(t).Kind, webhook.Async)
}

func testInlineCall(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a, _ := shop(t, s)
	gate, off := addHook(t, s, a.ID, inline("3930")), addHook(t, s, a.ID, inline("7"), isOff)
	got := must(s.InsertInline(ctx, a.ID, newEvent("q-1"), t0, lease))(t)
	if !got.Called() || got.Duplicate || got.Accepted {
		t.Errorf("got %+v, want a question", got)
	}
	d := got.Job.Delivery
	same(t, "decisions", got.Decisions, []webhook.Decision{
		{Webhook: gate.ID, Delivery: d.ID}, {Webhook: off.ID, Reason: webhook.ReasonDisabled},
	})
	same(t, "webhook", got.Job.Webhook.ID, gate.ID)
	same(t, "account", got.Job.Account.Number, a.Number)
	row := must(s.Delivery(ctx, a.ID, d.ID))(t)
	same(t, "delivery", row, d)
	if !row.Inline || row.Attempts != 1 || !row.InFlight(t0) || row.State != webhook.Pending {
		t.Errorf("got %+v, want one that is on its way", row)
	}
	same(t, "decisions of the event", must(s.Event(ctx, a.ID, got.Event.ID))(t).Decisions, got.Decisions)
	same(t, "skipped", must(s.Webhook(ctx, a.ID, off.ID))(t).Skipped, 1)
	finish(t, s, success(d.ID, gate.ID, 1), t0)
	same(t, "state", must(s.Delivery(ctx, a.ID, d.ID))(t).State, webhook.Delivered)
}

func testInlineNobody(t *testing.T, s *db.Store) {
	a, told := shop(t, s)
	gate := addHook(t, s, a.ID, inline("7"))
	got := must(s.InsertInline(t.Context(), a.ID, newEvent("q-1"), t0, lease))(t)
	same(t, "asked", got.Called(), false)
	same(t, "decisions", got.Decisions, []webhook.Decision{{Webhook: gate.ID, Reason: webhook.ReasonChannel}})
	same(t, "deliveries of the asynchronous one", must(s.Backlog(t.Context(), a.ID, told.ID))(t).Waiting, 0)
	again := must(s.InsertInline(t.Context(), a.ID, newEvent("q-1"), t0, lease))(t)
	if again.Called() || !again.Duplicate || again.Event.ID != got.Event.ID {
		t.Errorf("again: got %+v, want the same", again)
	}
	must(s.SwitchPlatform(t.Context(), a.ID, "tourcms", false, at(t0)))(t)
	off := must(s.InsertInline(t.Context(), a.ID, newEvent(""), t0, lease))(t)
	same(t, "with the platform off", off.Decisions[0].Reason, webhook.ReasonPlatformOff)
	_, err := s.InsertInline(t.Context(), a.ID+99, newEvent(""), t0, lease)
	wantError(t, "no such account", err, webhook.ErrNotFound)
}

func testInlineTwice(t *testing.T, s *db.Store) {
	a := newAccount(t, s)
	addHook(t, s, a.ID, inline())
	first := must(s.InsertInline(t.Context(), a.ID, newEvent("q-1"), t0, lease))(t)
	again := must(s.InsertInline(t.Context(), a.ID, newEvent("q-1"), t0.Add(time.Second), lease))(t)
	same(t, "duplicate", again.Duplicate, true)
	same(t, "delivery", again.Job.Delivery, first.Job.Delivery)
	same(t, "event", again.Event.ID, first.Event.ID)
	other := newEvent("q-1")
	other.BookingID = "5678"
	_, err := s.InsertInline(t.Context(), a.ID, other, t0, lease)
	wantError(t, "other content", err, webhook.ErrConflict)
}

func testInlineReceivedID(t *testing.T, s *db.Store) {
	a, w := shop(t, s)
	ingest(t, s, a.ID, newEvent("e-1"))
	_, err := s.InsertInline(t.Context(), a.ID, newEvent("e-1"), t0, lease)
	wantError(t, "the id of an event that was told", err, webhook.ErrConflict)
	must(s.SetEnabled(t.Context(), a.ID, w.ID, false, at(t0)))(t)
	ingest(t, s, a.ID, newEvent("e-2"))
	addHook(t, s, a.ID, inline())
	_, err = s.InsertInline(t.Context(), a.ID, newEvent("e-2"), t0, lease)
	wantError(t, "the id of an event that was skipped", err, webhook.ErrConflict)
}

func testInlineIsNeverDue(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a := newAccount(t, s)
	gate := addHook(t, s, a.ID, inline())
	must(s.InsertInline(ctx, a.ID, newEvent(""), t0, lease))(t)
	late := t0.Add(time.Hour)
	same(t, "due", len(must(s.Due(ctx, webhook.AllShards))(t)), 0)
	same(t, "claimed", len(claim(t, s, gate.ID, 10, late)), 0)
	must(s.SetEnabled(ctx, a.ID, gate.ID, false, at(t0)))(t)
	must(s.SetEnabled(ctx, a.ID, gate.ID, true, at(late)))(t) // which makes them due
	same(t, "claimed after switching on", len(claim(t, s, gate.ID, 10, late.Add(time.Hour))), 0)
	same(t, "decisions on an event that is sent", len(ingest(t, s, a.ID, newEvent(""))[0].Decisions), 0)
}

func testInlineRecovered(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a, told := shop(t, s)
	gate := addHook(t, s, a.ID, inline())
	q := must(s.InsertInline(ctx, a.ID, newEvent(""), t0, lease))(t).Job.Delivery
	deliver(t, s, a.ID, 1)
	later := t0.Add(time.Second)
	ok(t, s.RecoverClaims(ctx, webhook.AllShards, later))
	ok(t, s.CleanUp(ctx, false, lease.Add(-time.Millisecond)))
	same(t, "state while another process may make the call", must(s.Delivery(ctx, a.ID, q.ID))(t).State, webhook.Pending)
	ok(t, s.CleanUp(ctx, true, later))
	d := must(s.Delivery(ctx, a.ID, q.ID))(t)
	if d.State != webhook.Failed || !d.Finished.Equal(later) || d.Last.Failure != webhook.CutOff || d.Attempts != 1 || d.Completed != 0 {
		t.Errorf("got %+v, want failed and cut off", d)
	}
	same(t, "claimed of the other", len(claim(t, s, told.ID, 10, later)), 1)
	answer := success(q.ID, gate.ID, 1) // of a process that was not dead
	answer.Inline = true
	finish(t, s, answer, later.Add(time.Second))
	same(t, "state after a late answer", must(s.Delivery(ctx, a.ID, q.ID))(t).State, webhook.Delivered)
	late := must(s.InsertInline(ctx, a.ID, newEvent(""), t0, lease))(t).Job.Delivery
	ok(t, s.CleanUp(ctx, false, lease))
	same(t, "state after its time", must(s.Delivery(ctx, a.ID, late.ID))(t).State, webhook.Failed)
}

func testInlineOnce(t *testing.T, s *db.Store) {
	a := newAccount(t, s)
	gate := addHook(t, s, a.ID, inline())
	d := must(s.InsertInline(t.Context(), a.ID, newEvent(""), t0, lease))(t).Job.Delivery
	wantInvalid(t, s.Cancel(t.Context(), a.ID, d.ID, at(t0)), "webhook", "within seconds")
	finish(t, s, failure(d.ID, gate.ID, 1, time.Time{}), t0)
	_, err := s.Replay(t.Context(), a.ID, d.ID, at(t0))
	wantInvalid(t, err, "webhook", "made once")
}

func testTestInline(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a := newAccount(t, s)
	gate := addHook(t, s, a.ID, inline("7"))
	job := must(s.TestInline(ctx, a.ID, gate.ID, newEvent(""), t0, lease))(t)
	row := must(s.Delivery(ctx, a.ID, job.Delivery.ID))(t)
	same(t, "delivery", row, job.Delivery)
	if !row.Inline || !row.Test || !row.InFlight(t0) || !job.Event.Test || job.Webhook.ID != gate.ID || job.Account.ID != a.ID {
		t.Errorf("got %+v, want a test on its way", job)
	}
	same(t, "due", len(must(s.Due(ctx, webhook.AllShards))(t)), 0)
	must(s.SetEnabled(ctx, a.ID, gate.ID, false, at(t0)))(t)
	must(s.TestInline(ctx, a.ID, gate.ID, newEvent(""), t0, lease))(t) // a passed one is a reason to switch it on
}

func testRefusalsCount(t *testing.T, s *db.Store) {
	a := newAccount(t, s)
	gate := addHook(t, s, a.ID, inline())
	refused := webhook.Outcome{Status: 409, Failure: webhook.FailStatus}
	for day := range 7 {
		askOnce(t, s, gate, refused, t0.Add(time.Duration(day)*24*time.Hour))
	}
	w := must(s.Webhook(t.Context(), a.ID, gate.ID))(t)
	if !w.Enabled || !w.FailingSince.IsZero() || !strings.Contains(w.Name, "Gate") {
		t.Errorf("got %+v, want it on and well", w)
	}
	same(t, "recent failures", must(s.RecentFailures(t.Context(), a.ID, gate.ID, webhook.LatestCounted))(t), webhook.Failures{Of: 7})
	askOnce(t, s, gate, webhook.Outcome{Status: 500, Failure: webhook.FailStatus}, t0)
	same(t, "with one of the receiver", must(s.RecentFailures(t.Context(), a.ID, gate.ID, webhook.LatestCounted))(t), webhook.Failures{Failed: 1, Of: 8})
}

// askOnce calls an inline webhook once, with this outcome at now.
func askOnce(tb testing.TB, s *db.Store, gate *webhook.Webhook, o webhook.Outcome, now time.Time) {
	tb.Helper()
	d := must(s.InsertInline(tb.Context(), gate.Account, newEvent(""), now, now.Add(time.Minute)))(tb).Job.Delivery
	r := success(d.ID, gate.ID, 1)
	if o.Failure != "" {
		r = failure(d.ID, gate.ID, 1, time.Time{})
	}
	r.Account, r.Inline, r.Attempt.Status, r.Attempt.Failure = gate.Account, true, o.Status, o.Failure
	same(tb, "switched off", finish(tb, s, r, now), "")
}

// testDeadInline: what is the receiver's fault counts as it does for other webhooks until it
// answers, but pauses nothing and switches nothing off: bookings would be accepted without
// asking it. It ends with any answer, also with the refusal of a booking.
func testDeadInline(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a := newAccount(t, s)
	gate := addHook(t, s, a.ID, inline())
	status := func() webhook.Status {
		return must(s.Webhook(ctx, a.ID, gate.ID))(t).Status(webhook.Activity{Used: true})
	}
	for _, o := range []webhook.Outcome{{Failure: webhook.FailRefused}, {Failure: webhook.FailTimeout}, {Status: 503, Failure: webhook.FailStatus}, {Status: 401, Failure: webhook.FailStatus}, {Status: 404, Failure: webhook.FailStatus}, {Status: 200, Failure: webhook.FailAnswer}} {
		askOnce(t, s, gate, o, t0)
		same(t, "one failure is no alarm", status(), webhook.StatusHealthy)
		same(t, "since", health(t, s, gate).FailingSince, t0)
		askOnce(t, s, gate, o, t0.Add(webhook.FailingAfter))
		same(t, "status", status(), webhook.StatusFailing)
		same(t, "needs attention", len(must(s.Attention(ctx, a.ID))(t)), 1)
		askOnce(t, s, gate, webhook.Outcome{Status: 409, Failure: webhook.FailStatus}, t0.Add(time.Hour))
		same(t, "after a refusal", health(t, s, gate), webhook.Health{})
		for day := range 8 {
			askOnce(t, s, gate, o, t0.Add(time.Duration(day)*24*time.Hour))
		}
		now := t0.Add(7 * 24 * time.Hour)
		stage := incidents.NoStage
		for _, trouble := range must(s.Troubles(ctx, nil))(t) {
			stage = max(stage, trouble.Conditions(now)[0].Stage)
		}
		same(t, "an incident, in which nothing is to be switched off", stage, incidents.Begun)
		askOnce(t, s, gate, webhook.Outcome{Status: 200}, now)
		same(t, "after an answer", health(t, s, gate), webhook.Health{})
	}
}
