package db_test

import (
	"testing"
	"time"

	"bookhook/db"
	"bookhook/webhook"
)

var replayTests = []test{
	{"a replay from its plan to its end", testReplayEnds},
	{"cancelled", testReplayCancelled},
	{"dropped", testReplayDropped},
	{"planned by a process that died", testReplayPlannedBeforeCrash},
	{"its webhook is deleted", testReplayWebhookDeleted},
	{"old ones go", testReplayPruned},
	{"what was skipped is sent", testSendSkipped},
	{"what was missed is sent", testMissed},
	{"what was sent is sent again", testSendAgain},
	{"before the webhook existed", testSendToNewer},
	{"what cannot be sent", testSendRefused},
	{"skipped and in order", testSendInOrder},
	{"skipped between others of its booking", testSendBetween},
	{"sent later, then pruned", testSendPruned},
	{"a later event was delivered", testOvertaken},
	{"the oldest that waits is retried", testRetryOldest},
	{"urgent ones beside the others", testClaimUrgent},
	{"send what is in flight", testSendInFlight},
}

// plannedReplay is a replay of one delivery that is not started.
func plannedReplay(tb testing.TB, s *db.Store, d webhook.DeliveryID, w *webhook.Webhook, e webhook.EventID) webhook.Replay {
	tb.Helper()
	p := must(s.PlanReplay(tb.Context(), w.Account, webhook.ReplayRequest{Deliveries: webhook.DeliveryFilter{State: webhook.Failed}}, at(t0)))(tb)
	ok(tb, s.AddReplayItems(tb.Context(), w.Account, p.ID, []webhook.ReplayItem{{Delivery: d, Event: e, Webhook: w.ID}}))
	return p
}

// startedReplay is a replay of these deliveries that runs.
func startedReplay(tb testing.TB, s *db.Store, w *webhook.Webhook, deliveries ...webhook.DeliveryID) webhook.Replay {
	tb.Helper()
	p := must(s.PlanReplay(tb.Context(), w.Account, webhook.ReplayRequest{All: true}, at(t0)))(tb)
	for _, id := range deliveries {
		d := must(s.Delivery(tb.Context(), w.Account, id))(tb)
		ok(tb, s.AddReplayItems(tb.Context(), w.Account, p.ID, []webhook.ReplayItem{{Delivery: id, Event: d.Event, Webhook: w.ID}}))
	}
	return must(s.StartReplay(tb.Context(), w.Account, p.ID, at(t0)))(tb)
}

func testReplayEnds(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a, w := shop(t, s)
	id := ended(t, s, w, webhook.Failed)
	d := must(s.Delivery(ctx, a.ID, id))(t)
	p := plannedReplay(t, s, id, w, d.Event)
	_, err := s.BulkReplay(ctx, a.ID, p.ID)
	wantError(t, "one that is planned", err, webhook.ErrNotFound)
	started := must(s.StartReplay(ctx, a.ID, p.ID, at(t0)))(t)
	want := p
	want.State, want.Total = webhook.ReplayRunning, 1
	same(t, "started", started, want)
	same(t, "found", must(s.BulkReplay(ctx, a.ID, p.ID))(t), want)
	same(t, "listed", must(s.BulkReplays(ctx, a.ID, 0, 9))(t), []webhook.Replay{want})
	same(t, "before it", len(must(s.BulkReplays(ctx, a.ID, p.ID, 9))(t)), 0)
	_, err = s.StartReplay(ctx, a.ID, p.ID, at(t0))
	wantError(t, "started twice", err, webhook.ErrNotFound)
	empty := must(s.PlanReplay(ctx, a.ID, webhook.ReplayRequest{}, at(t0)))(t)
	same(t, "one of nothing", must(s.StartReplay(ctx, a.ID, empty.ID, at(t0)))(t).State, webhook.ReplayDone)
}

func testReplayCancelled(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a, w := shop(t, s)
	p := startedReplay(t, s, w, ended(t, s, w, webhook.Failed))
	got := must(s.CancelReplay(ctx, a.ID, p.ID, at(t0.Add(time.Hour))))(t)
	same(t, "state and end", []any{got.State, got.Finished}, []any{webhook.ReplayCancelled, t0.Add(time.Hour)})
	_, err := s.CancelReplay(ctx, a.ID, p.ID, at(t0))
	wantError(t, "cancelled twice", err, webhook.ErrConflict)
	same(t, "claimed", len(claim(t, s, w.ID, 9, t0.Add(time.Hour))), 0)
}

func testReplayDropped(t *testing.T, s *db.Store) {
	a, w := shop(t, s)
	id := ended(t, s, w, webhook.Failed)
	p := plannedReplay(t, s, id, w, must(s.Delivery(t.Context(), a.ID, id))(t).Event)
	ok(t, s.DropReplay(t.Context(), a.ID, p.ID))
	_, err := s.StartReplay(t.Context(), a.ID, p.ID, at(t0))
	wantError(t, "started", err, webhook.ErrNotFound)
}

func testReplayPlannedBeforeCrash(t *testing.T, s *db.Store) {
	a, w := shop(t, s)
	id := ended(t, s, w, webhook.Failed)
	p := plannedReplay(t, s, id, w, must(s.Delivery(t.Context(), a.ID, id))(t).Event)
	runs := startedReplay(t, s, w, id)
	ok(t, s.CleanUp(t.Context(), true, t0))
	_, err := s.StartReplay(t.Context(), a.ID, p.ID, at(t0))
	wantError(t, "started", err, webhook.ErrNotFound)
	same(t, "one that runs", must(s.BulkReplay(t.Context(), a.ID, runs.ID))(t), runs)
}

func testReplayWebhookDeleted(t *testing.T, s *db.Store) {
	a, w := shop(t, s)
	p := startedReplay(t, s, w, ended(t, s, w, webhook.Failed), ended(t, s, w, webhook.Delivered))
	_, err := s.DeleteWebhook(t.Context(), a.ID, addHook(t, s, a.ID).ID, at(t0))
	ok(t, err)
	same(t, "another webhook was deleted", must(s.BulkReplay(t.Context(), a.ID, p.ID))(t), p)
	_, err = s.DeleteWebhook(t.Context(), a.ID, w.ID, at(t0.Add(time.Hour)))
	ok(t, err)
	got := must(s.BulkReplay(t.Context(), a.ID, p.ID))(t)
	same(t, "state, end and left out", []any{got.State, got.Finished, got.LeftOut}, []any{webhook.ReplayDone, t0.Add(time.Hour), 2})
}

func testReplayPruned(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a, w := shop(t, s)
	id := ended(t, s, w, webhook.Failed)
	old, runs := startedReplay(t, s, w, id), startedReplay(t, s, w, id)
	must(s.CancelReplay(ctx, a.ID, old.ID, at(t0)))(t)
	prune(t, s, t0.Add(-time.Hour), t0, 1)
	same(t, "before that", len(must(s.BulkReplays(ctx, a.ID, 0, 9))(t)), 2)
	prune(t, s, t0.Add(24*time.Hour), t0, 1)
	same(t, "left", must(s.BulkReplays(ctx, a.ID, 0, 9))(t), []webhook.Replay{runs})
}

// skipped is an event that the webhook did not receive, since it was off.
func skipped(tb testing.TB, s *db.Store, w *webhook.Webhook) webhook.EventID {
	tb.Helper()
	must(s.SetEnabled(tb.Context(), w.Account, w.ID, false, at(t0)))(tb)
	e := ingest(tb, s, w.Account, newEvent(""))[0].Event.ID
	must(s.SetEnabled(tb.Context(), w.Account, w.ID, true, at(t0)))(tb)
	return e
}

func testSendSkipped(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a, w := shop(t, s)
	e := skipped(t, s, w)
	d := must(s.Send(ctx, a.ID, e, w.ID, at(t0)))(t)
	same(t, "stored", must(s.Delivery(ctx, a.ID, d.ID))(t), d)
	same(t, "urgent, due and its event", []any{d.Urgent, d.NextAt, d.Event}, []any{true, t0, e})
	event := must(s.Event(ctx, a.ID, e))(t)
	same(t, "decisions", event.Decisions, []webhook.Decision{{Webhook: w.ID, Delivery: d.ID, Reason: webhook.ReasonDisabled}})
	same(t, "sent", event.Sent(), 1)
	same(t, "no longer missed", must(s.Webhook(ctx, a.ID, w.ID))(t).Missed, webhook.Missed{Since: t0, Until: t0})
	same(t, "of the event", listed(t, s, a.ID, webhook.DeliveryFilter{Event: e, Limit: 9}), []webhook.DeliveryID{d.ID})
	same(t, "of the booking", listed(t, s, a.ID, webhook.DeliveryFilter{Booking: event.BookingID, Limit: 9}), []webhook.DeliveryID{d.ID})
	same(t, "claimed", claim(t, s, w.ID, 9, t0)[0].Delivery.ID, d.ID)
	_, err := s.Send(ctx, a.ID, e, w.ID, at(t0))
	wantError(t, "while it is in flight", err, webhook.ErrConflict)
}

// testMissed: what a webhook missed while it was off is less by what it is sent after all,
// and by what that overtakes.
func testMissed(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a, w := shop(t, s)
	must(s.SetEnabled(ctx, a.ID, w.ID, false, at(t0)))(t)
	of := func(booking string) webhook.EventID {
		e := newEvent("")
		e.BookingID = booking
		return ingest(t, s, a.ID, e)[0].Event.ID
	}
	first, changed, cancelled, other, unnamed := of("1"), of("1"), of("1"), of("2"), of("")
	must(s.SetEnabled(ctx, a.ID, w.ID, true, at(t0.Add(time.Minute))))(t)
	later := of("1")
	for _, c := range []struct {
		what string
		sent webhook.EventID
		left int
	}{{"one of a booking, and the one before", changed, 3}, {"one that it overtook", first, 3}, {"the last", cancelled, 2}, {"no booking", unnamed, 1}, {"again", cancelled, 1}, {"what was not missed", later, 1}, {"another booking", other, 0}} {
		_, err := s.Send(ctx, a.ID, c.sent, w.ID, at(t0.Add(time.Hour)))
		ok(t, err)
		same(t, c.what, must(s.Webhook(ctx, a.ID, w.ID))(t).Missed.Events, c.left)
	}
}

func testSendAgain(t *testing.T, s *db.Store) {
	a, w := shop(t, s)
	id := ended(t, s, w, webhook.Delivered)
	d := must(s.Send(t.Context(), a.ID, must(s.Delivery(t.Context(), a.ID, id))(t).Event, w.ID, at(t0)))(t)
	same(t, "id, state and urgent", []any{d.ID, d.State, d.Urgent}, []any{id, webhook.Pending, true})
}

func testSendToNewer(t *testing.T, s *db.Store) {
	a, w := shop(t, s)
	e := ingest(t, s, a.ID, newEvent(""))[0].Event.ID
	newer := addHook(t, s, a.ID)
	d := must(s.Send(t.Context(), a.ID, e, newer.ID, at(t0)))(t)
	got := must(s.Event(t.Context(), a.ID, e))(t).Decisions
	same(t, "decisions", len(got), 2)
	same(t, "the first", got[0].Webhook, w.ID)
	same(t, "the second", got[1], webhook.Decision{Webhook: newer.ID, Delivery: d.ID, Reason: webhook.ReasonNotCreated})
}

func testSendRefused(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a, w := shop(t, s)
	e := skipped(t, s, w)
	tested := must(s.Test(ctx, a.ID, w.ID, newEvent(""), t0))(t)
	_, err := s.Send(ctx, a.ID, tested.Event, w.ID, at(t0))
	wantInvalid(t, err, "event", "test event")
	inline := addHook(t, s, a.ID, func(w *webhook.Webhook) { w.Kind = webhook.Inline })
	_, err = s.Send(ctx, a.ID, e, inline.ID, at(t0))
	wantInvalid(t, err, "webhook_id", "before a booking is confirmed")
	waits := newEvent("")
	waits.Inbound, waits.Lookup = true, true
	_, err = s.Send(ctx, a.ID, ingest(t, s, a.ID, waits)[0].Event.ID, w.ID, at(t0))
	wantInvalid(t, err, "event", "waits")
	must(s.SetEnabled(ctx, a.ID, w.ID, false, at(t0)))(t)
	_, err = s.Send(ctx, a.ID, e, w.ID, at(t0))
	wantError(t, "while the webhook is off", err, webhook.ErrOff)
	same(t, "decisions", must(s.Event(ctx, a.ID, e))(t).Sent(), 0)
}

func testSendInOrder(t *testing.T, s *db.Store) {
	a, w := orderedShop(t, s)
	e := skipped(t, s, w)
	first := deliver(t, s, a.ID, 1)[0]
	d := must(s.Send(t.Context(), a.ID, e, w.ID, at(t0)))(t)
	same(t, "held behind what is later", []any{d.Held, d.Urgent}, []any{false, true})
	same(t, "stored", must(s.Delivery(t.Context(), a.ID, d.ID))(t), d)
	last := deliver(t, s, a.ID, 1)[0]
	inLine(t, s, w, t0, first, d.ID)
	freed(t, s, success(first, w.ID, 1), false) // what was sent later is of an earlier event
	wantHeld(t, s, a.ID, []webhook.DeliveryID{d.ID, last}, false, true)
	freed(t, s, success(d.ID, w.ID, 1), true)
	inLine(t, s, w, t0, last)
}

// testSendBetween: a skipped event waits for what is earlier, but not if it would then
// go after what is later.
func testSendBetween(t *testing.T, s *db.Store) {
	a, w := orderedShop(t, s)
	first := deliver(t, s, a.ID, 1)[0]
	d := must(s.Send(t.Context(), a.ID, skipped(t, s, w), w.ID, at(t0)))(t)
	same(t, "held behind what is earlier", []any{d.Held, d.Urgent}, []any{true, false})
	same(t, "stored", must(s.Delivery(t.Context(), a.ID, d.ID))(t), d)
	inLine(t, s, w, t0, first)
	freed(t, s, success(first, w.ID, 1), true)
	inLine(t, s, w, t0, d.ID)
	e := skipped(t, s, w)
	later := deliver(t, s, a.ID, 1)[0]
	again := must(s.Send(t.Context(), a.ID, e, w.ID, at(t0)))(t)
	wantHeld(t, s, a.ID, []webhook.DeliveryID{d.ID, later, again.ID}, false, true, false)
	freed(t, s, success(d.ID, w.ID, 1), false)
	inLine(t, s, w, t0, again.ID)
	freed(t, s, success(again.ID, w.ID, 1), true)
	inLine(t, s, w, t0, later)
	must(s.Replay(t.Context(), a.ID, again.ID, at(t0)))(t) // while what is later is in flight
	wantHeld(t, s, a.ID, []webhook.DeliveryID{again.ID}, false)
}

func testSendPruned(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a, w := shop(t, s)
	e := skipped(t, s, w)
	d := must(s.Send(ctx, a.ID, e, w.ID, at(t0)))(t)
	prune(t, s, t0.Add(24*time.Hour), t0, 9)
	must(s.Event(ctx, a.ID, e))(t) // its delivery is pending
	claim(t, s, w.ID, 9, t0)
	finish(t, s, success(d.ID, w.ID, 1), t0)
	prune(t, s, t0.Add(24*time.Hour), t0, 9)
	_, err := s.Event(ctx, a.ID, e)
	wantError(t, "event", err, webhook.ErrNotFound)
}

func testOvertaken(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a, w := shop(t, s)
	other := addHook(t, s, a.ID)
	older := must(s.Event(ctx, a.ID, ingest(t, s, a.ID, newEvent(""))[0].Event.ID))(t).Event
	later := ingest(t, s, a.ID, newEvent(""))[0].Decisions[0].Delivery
	is := func(hook webhook.WebhookID) bool { return must(s.Overtaken(ctx, older, hook))(t) }
	same(t, "by one that waits", is(w.ID), false)
	claim(t, s, w.ID, 9, t0)
	finish(t, s, success(later, w.ID, 1), t0)
	same(t, "by one that was delivered", is(w.ID), true)
	same(t, "elsewhere", is(other.ID), false)
	newest := must(s.Delivery(ctx, a.ID, later))(t)
	same(t, "the later one", must(s.Overtaken(ctx, must(s.Event(ctx, a.ID, newest.Event))(t).Event, w.ID))(t), false)
}

func testRetryOldest(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a, w := shop(t, s)
	_, err := s.RetryOldest(ctx, a.ID, w.ID, at(t0))
	wantError(t, "none waits", err, webhook.ErrConflict)
	first, second := ended(t, s, w, webhook.Pending), ended(t, s, w, webhook.Pending)
	deliver(t, s, a.ID, 1)
	flying := claim(t, s, w.ID, 1, t0)[0].Delivery.ID
	got := must(s.RetryOldest(ctx, a.ID, w.ID, at(t0)))(t)
	same(t, "delivery, urgent, next and base", []any{got.ID, got.Urgent, got.NextAt, got.Base}, []any{first, true, t0, 1})
	same(t, "stored", must(s.Delivery(ctx, a.ID, first))(t), got)
	same(t, "the other one", must(s.Delivery(ctx, a.ID, second))(t).Urgent, false)
	same(t, "once more", must(s.RetryOldest(ctx, a.ID, w.ID, at(t0)))(t).ID, second)
	_, err = s.RetryOldest(ctx, a.ID, w.ID, at(t0))
	wantError(t, "one is in flight: "+flying.String(), err, webhook.ErrConflict)
	must(s.SetEnabled(ctx, a.ID, w.ID, false, at(t0)))(t)
	_, err = s.RetryOldest(ctx, a.ID, w.ID, at(t0))
	wantError(t, "off", err, webhook.ErrOff)
}

// testSendInFlight: one that was cancelled while its request is in flight is not sent
// beside it.
func testSendInFlight(t *testing.T, s *db.Store) {
	a, w := shop(t, s)
	d := deliver(t, s, a.ID, 1)[0]
	claim(t, s, w.ID, 1, t0)
	ok(t, s.Cancel(t.Context(), a.ID, d, at(t0)))
	event := must(s.Delivery(t.Context(), a.ID, d))(t).Event
	_, err := s.Send(t.Context(), a.ID, event, w.ID, at(t0))
	wantError(t, "in flight", err, webhook.ErrConflict)
	must(s.Send(t.Context(), a.ID, event, w.ID, at(lease)))(t)
}

func testClaimUrgent(t *testing.T, s *db.Store) {
	_, w := shop(t, s)
	var again []webhook.DeliveryID
	for range 3 {
		again = append(again, ended(t, s, w, webhook.Failed))
	}
	due := deliver(t, s, w.Account, 2)
	for _, id := range again {
		must(s.Replay(t.Context(), w.Account, id, at(t0)))(t)
	}
	jobs, next, err := s.Claim(t.Context(), webhook.Claim{Webhook: w.ID, Urgent: 2, Now: t0, Lease: lease})
	ok(t, err)
	same(t, "claimed", []any{ids(jobs), jobs[0].Urgent}, []any{again[:2], true})
	same(t, "due", next, webhook.Due{Account: w.Account, At: t0, Urgent: t0})
	jobs, next, err = s.Claim(t.Context(), webhook.Claim{Webhook: w.ID, N: 1, Urgent: 8, Now: t0, Lease: lease})
	ok(t, err)
	same(t, "the last urgent one and one more", []any{ids(jobs), jobs[0].Urgent, jobs[1].Urgent}, []any{[]webhook.DeliveryID{again[2], due[0]}, true, false})
	same(t, "then due", next, webhook.Due{Account: w.Account, At: t0, Urgent: lease})
}
