package db_test

import (
	"testing"
	"time"

	"bookhook/db"
	"bookhook/webhook"
)

var bulkTests = []test{
	{"failed ones are sent again and counted", testBulkClaim},
	{"after everything that is due", testBulkYields},
	{"waiting ones get an extra attempt", testBulkWaiting},
	{"in flight: it is sent anyway", testBulkInFlight},
	{"held: it counts when its turn comes", testBulkHeld},
	{"in the order of the booking", testBulkOrder},
	{"skipped ones are created", testBulkSkipped},
	{"sent meanwhile with another id", testBulkSentMeanwhile},
	{"overtaken ones are left out", testBulkOvertaken},
	{"overtaken soon", testBulkOvertakenSoon},
	{"few with many later events", testBulkLater},
	{"deliveries that are gone are left out", testBulkGone},
	{"at a rate", testBulkRate},
	{"off, then on", testBulkOff},
	{"deleted while one is claimed", testBulkReleased},
	{"cut off", testBulkCutOff},
	{"cancelled in flight", testBulkCancelledInFlight},
	{"replayed by a person", testBulkTakenOver},
	{"two replays of one delivery", testBulkTwice},
	{"what is due at the start", testBulkDue},
	{"deleted while it is planned", testBulkDeletedBefore},
	{"a skipped one beside a fresh one", testBulkSkippedOrder},
}

// claimBulk takes up to n items of bulk replays.
func claimBulk(tb testing.TB, s *db.Store, w *webhook.Webhook, n int, now time.Time) ([]webhook.Job, webhook.Due) {
	tb.Helper()
	jobs, due, err := s.Claim(tb.Context(), webhook.Claim{Webhook: w.ID, Bulk: n, Now: now, Lease: now.Add(time.Minute)})
	ok(tb, err)
	return jobs, due
}

// wantCounts checks what became of a replay: sent, left out, delivered and failed.
func wantCounts(tb testing.TB, s *db.Store, p webhook.Replay, state webhook.ReplayState, want ...int) {
	tb.Helper()
	got := must(s.BulkReplay(tb.Context(), p.Account, p.ID))(tb)
	same(tb, "sent, left out, delivered, failed", []int{got.Sent, got.LeftOut, got.Delivered, got.Failed}, want)
	same(tb, "state", got.State, state)
	same(tb, "has an end", !got.Finished.IsZero(), state != webhook.ReplayRunning)
}

func testBulkClaim(t *testing.T, s *db.Store) {
	a, w := shop(t, s)
	d := []webhook.DeliveryID{ended(t, s, w, webhook.Failed), ended(t, s, w, webhook.Delivered), ended(t, s, w, webhook.Failed)}
	p := startedReplay(t, s, w, d...)
	jobs, due := claimBulk(t, s, w, 2, t0)
	same(t, "claimed", ids(jobs), d[:2])
	same(t, "is there more", !due.Bulk.IsZero() && !due.Bulk.After(t0), true)
	before := must(s.Delivery(t.Context(), a.ID, d[0]))(t)
	same(t, "stored", before, jobs[0].Delivery)
	same(t, "state, attempts, base, lease and replay", []any{before.State, before.Attempts, before.Base, before.NextAt, before.Replay},
		[]any{webhook.Pending, 2, 1, t0.Add(time.Minute), p.ID})
	same(t, "bulk and its event", []any{jobs[0].Bulk, jobs[0].Event.ID, len(jobs[0].Event.Data)}, []any{true, before.Event, len(newEvent("").Data)})
	last, due := claimBulk(t, s, w, 2, t0)
	same(t, "the rest", []any{ids(last), due.Bulk}, []any{d[2:], time.Time{}})
	wantCounts(t, s, p, webhook.ReplayRunning, 3, 0, 0, 0)

	result := func(r webhook.Result) webhook.Result { r.Replay = p.ID; return r }
	again := result(failure(d[0], w.ID, 2, t0.Add(time.Minute)))
	again.Again = true
	finish(t, s, again, t0)
	wantCounts(t, s, p, webhook.ReplayRunning, 3, 0, 0, 0)
	finish(t, s, result(success(d[0], w.ID, 3)), t0)
	finish(t, s, result(success(d[0], w.ID, 3)), t0) // once more
	finish(t, s, result(failure(d[1], w.ID, 2, time.Time{})), t0)
	wantCounts(t, s, p, webhook.ReplayRunning, 3, 0, 1, 1)
	finish(t, s, result(failure(d[2], w.ID, 2, t0.Add(time.Hour))), t0)
	wantCounts(t, s, p, webhook.ReplayDone, 3, 0, 1, 1)
	retry := claim(t, s, w.ID, 9, t0.Add(time.Hour))
	same(t, "the retry is of the replay", []any{retry[0].Bulk, retry[0].Delivery.Replay}, []any{false, p.ID})
	finish(t, s, result(success(d[2], w.ID, 3)), t0)
	wantCounts(t, s, p, webhook.ReplayDone, 3, 0, 2, 1)
}

func testBulkYields(t *testing.T, s *db.Store) {
	a, w := shop(t, s)
	d := ended(t, s, w, webhook.Failed)
	p := startedReplay(t, s, w, d)
	fresh := deliver(t, s, a.ID, 1)[0]
	jobs, due := claimBulk(t, s, w, 9, t0)
	same(t, "claimed, and due", []any{len(jobs), due.At}, []any{0, t0})
	wantCounts(t, s, p, webhook.ReplayRunning, 0, 0, 0, 0)
	same(t, "without being asked", ids(claim(t, s, w.ID, 9, t0)), []webhook.DeliveryID{fresh})
	jobs, _ = claimBulk(t, s, w, 9, t0)
	same(t, "claimed", ids(jobs), []webhook.DeliveryID{d})
}

func testBulkWaiting(t *testing.T, s *db.Store) {
	a, w := shop(t, s)
	d := deliver(t, s, a.ID, 1)[0]
	claim(t, s, w.ID, 1, t0)
	finish(t, s, failure(d, w.ID, 1, t0.Add(time.Hour)), t0)
	p := startedReplay(t, s, w, d)
	jobs, due := claimBulk(t, s, w, 9, t0)
	same(t, "claimed", ids(jobs), []webhook.DeliveryID{d})
	same(t, "attempts, base and next", []any{jobs[0].Delivery.Attempts, jobs[0].Delivery.Base, due.At}, []any{2, 1, t0.Add(time.Minute)})
	wantCounts(t, s, p, webhook.ReplayRunning, 1, 0, 0, 0)
}

func testBulkInFlight(t *testing.T, s *db.Store) {
	a, w := shop(t, s)
	d := deliver(t, s, a.ID, 1)[0]
	claim(t, s, w.ID, 1, t0)
	p := startedReplay(t, s, w, d)
	jobs, _ := claimBulk(t, s, w, 9, t0)
	same(t, "claimed", len(jobs), 0)
	wantCounts(t, s, p, webhook.ReplayDone, 1, 0, 0, 0)
	finish(t, s, success(d, w.ID, 1), t0)
	same(t, "state", must(s.Delivery(t.Context(), a.ID, d))(t).State, webhook.Delivered)
}

func testBulkHeld(t *testing.T, s *db.Store) {
	a, w := orderedShop(t, s)
	d := deliver(t, s, a.ID, 2)
	inLine(t, s, w, t0, d[0])
	p := startedReplay(t, s, w, d[1])
	jobs, _ := claimBulk(t, s, w, 9, t0)
	same(t, "claimed", len(jobs), 0)
	wantHeld(t, s, a.ID, d, false, true)
	wantCounts(t, s, p, webhook.ReplayRunning, 1, 0, 0, 0)
	freed(t, s, success(d[0], w.ID, 1), true)
	inLine(t, s, w, t0, d[1])
	r := success(d[1], w.ID, 1)
	r.Replay = p.ID
	finish(t, s, r, t0)
	wantCounts(t, s, p, webhook.ReplayDone, 1, 0, 1, 0)
}

func testBulkOrder(t *testing.T, s *db.Store) {
	a, w := orderedShop(t, s)
	d := deliver(t, s, a.ID, 3)
	for _, id := range d {
		inLine(t, s, w, t0, id)
		finish(t, s, failure(id, w.ID, 1, time.Time{}), t0)
	}
	p := startedReplay(t, s, w, d...)
	for i, id := range d {
		jobs, _ := claimBulk(t, s, w, 9, t0)
		if i > 0 { // the claim of the first one made the others wait for it
			jobs = claim(t, s, w.ID, 9, t0)
		}
		same(t, "claimed", ids(jobs), []webhook.DeliveryID{id})
		r := success(id, w.ID, 2)
		r.Replay = p.ID
		finish(t, s, r, t0)
	}
	wantCounts(t, s, p, webhook.ReplayDone, 3, 0, 3, 0)
}

// skippedReplay is a replay of an event that the webhook did not receive.
func skippedReplay(tb testing.TB, s *db.Store, w *webhook.Webhook, all bool) (webhook.Replay, webhook.EventID) {
	tb.Helper()
	e := skipped(tb, s, w)
	p := must(s.PlanReplay(tb.Context(), w.Account, webhook.ReplayRequest{Events: &webhook.EventFilter{}, Webhook: w.ID, All: all}, at(t0)))(tb)
	ok(tb, s.AddReplayItems(tb.Context(), w.Account, p.ID, []webhook.ReplayItem{{Event: e, Webhook: w.ID}}))
	return must(s.StartReplay(tb.Context(), w.Account, p.ID, at(t0)))(tb), e
}

func testBulkSkipped(t *testing.T, s *db.Store) {
	a, w := shop(t, s)
	p, e := skippedReplay(t, s, w, false)
	jobs, _ := claimBulk(t, s, w, 9, t0)
	same(t, "claimed", len(jobs), 1)
	d := must(s.Delivery(t.Context(), a.ID, jobs[0].Delivery.ID))(t)
	same(t, "stored", d, jobs[0].Delivery)
	same(t, "attempts, urgent and replay", []any{d.Attempts, d.Urgent, d.Replay}, []any{1, false, p.ID})
	same(t, "decisions", must(s.Event(t.Context(), a.ID, e))(t).Decisions, []webhook.Decision{{Webhook: w.ID, Delivery: d.ID, Reason: webhook.ReasonDisabled}})
	same(t, "no longer missed", must(s.Webhook(t.Context(), a.ID, w.ID))(t).Missed.Events, 0)
}

func testBulkSentMeanwhile(t *testing.T, s *db.Store) {
	a, w := shop(t, s)
	p, e := skippedReplay(t, s, w, true)
	d := must(s.Send(t.Context(), a.ID, e, w.ID, at(t0)))(t)
	same(t, "claimed", ids(claim(t, s, w.ID, 9, t0)), []webhook.DeliveryID{d.ID})
	finish(t, s, success(d.ID, w.ID, 1), t0)
	jobs, _ := claimBulk(t, s, w, 9, t0)
	same(t, "the item is of that delivery", ids(jobs), []webhook.DeliveryID{d.ID})
	r := success(d.ID, w.ID, 2)
	r.Replay = p.ID
	finish(t, s, r, t0)
	wantCounts(t, s, p, webhook.ReplayDone, 1, 0, 1, 0)
	same(t, "deliveries", len(listed(t, s, a.ID, webhook.DeliveryFilter{Event: e, Limit: 9})), 1)
}

func testBulkOvertaken(t *testing.T, s *db.Store) {
	a, w := shop(t, s)
	p, _ := skippedReplay(t, s, w, false)
	all, _ := skippedReplay(t, s, w, true)
	d := deliver(t, s, a.ID, 1)[0]
	claim(t, s, w.ID, 9, t0)
	finish(t, s, success(d, w.ID, 1), t0)
	jobs, _ := claimBulk(t, s, w, 9, t0)
	same(t, "claimed", len(jobs), 1)
	same(t, "of the other replay", jobs[0].Delivery.Replay, all.ID)
	wantCounts(t, s, p, webhook.ReplayDone, 0, 1, 0, 0)
}

// testBulkOvertakenSoon: what is about to be sent is the newest, whichever would arrive
// first.
func testBulkOvertakenSoon(t *testing.T, s *db.Store) {
	a, w := shop(t, s)
	older := ended(t, s, w, webhook.Failed)
	waits := ended(t, s, w, webhook.Pending)
	newest := func(id webhook.DeliveryID) webhook.Replay {
		p := plannedReplay(t, s, id, w, must(s.Delivery(t.Context(), a.ID, id))(t).Event)
		return must(s.StartReplay(t.Context(), a.ID, p.ID, at(t0)))(t)
	}
	p := newest(older)
	jobs, _ := claimBulk(t, s, w, 9, t0)
	same(t, "claimed", len(jobs), 0)
	wantCounts(t, s, p, webhook.ReplayDone, 0, 1, 0, 0)
	ended(t, s, w, webhook.Pending)
	newest(waits) // it is sent in any case, and so goes first
	jobs, _ = claimBulk(t, s, w, 9, t0)
	same(t, "claimed before a later one", ids(jobs), []webhook.DeliveryID{waits})
}

func testBulkGone(t *testing.T, s *db.Store) {
	_, w := shop(t, s)
	p := startedReplay(t, s, w, ended(t, s, w, webhook.Failed))
	prune(t, s, t0.Add(24*time.Hour), t0.Add(24*time.Hour), 9)
	jobs, due := claimBulk(t, s, w, 9, t0)
	same(t, "claimed and due", []any{len(jobs), due.Bulk}, []any{0, time.Time{}})
	wantCounts(t, s, p, webhook.ReplayDone, 0, 1, 0, 0)
}

func testBulkRate(t *testing.T, s *db.Store) {
	_, w := shop(t, s)
	p := must(s.PlanReplay(t.Context(), w.Account, webhook.ReplayRequest{All: true, Rate: webhook.Rate{Requests: 1, Per: webhook.Second}}, at(t0)))(t)
	for range 5 {
		id := ended(t, s, w, webhook.Failed)
		event := must(s.Delivery(t.Context(), w.Account, id))(t).Event
		ok(t, s.AddReplayItems(t.Context(), w.Account, p.ID, []webhook.ReplayItem{{Delivery: id, Event: event, Webhook: w.ID}}))
	}
	must(s.StartReplay(t.Context(), w.Account, p.ID, at(t0)))(t)
	for _, step := range []struct {
		after  time.Duration
		jobs   int
		nextIn time.Duration
	}{
		{0, 1, time.Second},
		{999 * time.Millisecond, 0, time.Second},
		{1030 * time.Millisecond, 1, 2 * time.Second},    // late: the next one is not
		{time.Hour, 1, time.Hour + 900*time.Millisecond}, // a pause earns no burst
	} {
		jobs, due, err := s.Claim(t.Context(), webhook.Claim{Webhook: w.ID, Bulk: 9, Now: t0.Add(step.after), Lease: t0.Add(24 * time.Hour)})
		ok(t, err)
		same(t, "claimed and next after "+step.after.String(), []any{len(jobs), due.Bulk.Sub(t0)}, []any{step.jobs, step.nextIn})
	}
}

func testBulkOff(t *testing.T, s *db.Store) {
	_, w := shop(t, s)
	p := startedReplay(t, s, w, ended(t, s, w, webhook.Failed))
	must(s.SetEnabled(t.Context(), w.Account, w.ID, false, at(t0)))(t)
	jobs, due := claimBulk(t, s, w, 9, t0)
	same(t, "claimed and due while off", []any{len(jobs), due}, []any{0, webhook.Due{}})
	wantCounts(t, s, p, webhook.ReplayRunning, 0, 0, 0, 0)
	must(s.SetEnabled(t.Context(), w.Account, w.ID, true, at(t0)))(t)
	jobs, _ = claimBulk(t, s, w, 9, t0)
	same(t, "claimed when on", len(jobs), 1)
}

func testBulkReleased(t *testing.T, s *db.Store) {
	a, w := shop(t, s)
	id := ended(t, s, w, webhook.Failed)
	p := startedReplay(t, s, w, id)
	jobs, _ := claimBulk(t, s, w, 9, t0)
	ok(t, s.Release(t.Context(), id, jobs[0].Delivery.Attempts, jobs[0].Delivery.NextAt, t0))
	d := must(s.Delivery(t.Context(), a.ID, id))(t)
	same(t, "state, attempts and replay", []any{d.State, d.Attempts, d.Replay}, []any{webhook.Pending, 1, p.ID})
	same(t, "claimed again", ids(claim(t, s, w.ID, 9, t0)), []webhook.DeliveryID{id})
	_, err := s.DeleteWebhook(t.Context(), a.ID, w.ID, at(t0))
	ok(t, err)
	wantCounts(t, s, p, webhook.ReplayDone, 1, 0, 0, 0)
}

// testBulkCutOff: after a crash an item that was in flight goes on as its delivery does.
func testBulkCutOff(t *testing.T, s *db.Store) {
	_, w := shop(t, s)
	id := ended(t, s, w, webhook.Failed)
	p := startedReplay(t, s, w, id)
	claimBulk(t, s, w, 9, t0)
	ok(t, s.RecoverClaims(t.Context(), webhook.AllShards, t0))
	jobs := claim(t, s, w.ID, 9, t0)
	same(t, "claimed again", []any{ids(jobs), jobs[0].Delivery.Attempts, jobs[0].Delivery.Replay}, []any{[]webhook.DeliveryID{id}, 3, p.ID})
	r := success(id, w.ID, 3)
	r.Replay = p.ID
	finish(t, s, r, t0)
	wantCounts(t, s, p, webhook.ReplayDone, 1, 0, 1, 0)
}

func testBulkCancelledInFlight(t *testing.T, s *db.Store) {
	a, w := shop(t, s)
	first, second := ended(t, s, w, webhook.Failed), ended(t, s, w, webhook.Failed)
	p := startedReplay(t, s, w, first, second)
	claimBulk(t, s, w, 9, t0)
	for _, id := range []webhook.DeliveryID{first, second} {
		ok(t, s.Cancel(t.Context(), a.ID, id, at(t0)))
	}
	wantCounts(t, s, p, webhook.ReplayDone, 2, 0, 0, 0)
	again := startedReplay(t, s, w, first)
	claimBulk(t, s, w, 9, t0)
	wantCounts(t, s, again, webhook.ReplayDone, 0, 1, 0, 0)
	for _, r := range []webhook.Result{success(first, w.ID, 2), failure(second, w.ID, 2, time.Time{})} {
		r.Replay = p.ID
		finish(t, s, r, t0)
	}
	wantCounts(t, s, p, webhook.ReplayDone, 2, 0, 1, 0) // the receiver has one of them
}

func testBulkTakenOver(t *testing.T, s *db.Store) {
	a, w := shop(t, s)
	id := ended(t, s, w, webhook.Failed)
	p := startedReplay(t, s, w, id)
	claimBulk(t, s, w, 9, t0)
	must(s.Replay(t.Context(), a.ID, id, at(t0.Add(time.Hour))))(t) // the claim has expired
	wantCounts(t, s, p, webhook.ReplayDone, 1, 0, 0, 0)
	r := success(id, w.ID, 2)
	r.Replay = p.ID
	jobs := claim(t, s, w.ID, 9, t0.Add(time.Hour))
	same(t, "replay", jobs[0].Delivery.Replay, webhook.ReplayID(0))
	finish(t, s, r, t0) // too late
	finish(t, s, success(id, w.ID, 3), t0)
	wantCounts(t, s, p, webhook.ReplayDone, 1, 0, 0, 0)
}

func testBulkTwice(t *testing.T, s *db.Store) {
	_, w := shop(t, s)
	id := ended(t, s, w, webhook.Failed)
	first, second := startedReplay(t, s, w, id), startedReplay(t, s, w, id)
	jobs, _ := claimBulk(t, s, w, 9, t0)
	same(t, "claimed", len(jobs), 1)
	wantCounts(t, s, second, webhook.ReplayDone, 1, 0, 0, 0) // it is in flight already
	r := success(id, w.ID, 2)
	r.Replay = first.ID
	finish(t, s, r, t0)
	wantCounts(t, s, first, webhook.ReplayDone, 1, 0, 1, 0)
}

func testBulkDue(t *testing.T, s *db.Store) {
	_, w := shop(t, s)
	p := startedReplay(t, s, w, ended(t, s, w, webhook.Failed))
	addHook(t, s, w.Account)
	same(t, "due", must(s.Due(t.Context(), webhook.AllShards))(t), map[webhook.WebhookID]webhook.Due{w.ID: {Account: w.Account, Bulk: t0}})
	must(s.CancelReplay(t.Context(), w.Account, p.ID, at(t0)))(t)
	same(t, "cancelled", must(s.Due(t.Context(), webhook.AllShards))(t), map[webhook.WebhookID]webhook.Due{})
}

// testBulkLater: all other writes wait for a claim, so it claims few of those with many
// later events in their bookings.
func testBulkLater(t *testing.T, s *db.Store) {
	a, w := shop(t, s)
	must(s.SetEnabled(t.Context(), a.ID, w.ID, false, at(t0)))(t)
	var items []webhook.ReplayItem
	for _, booking := range []string{"A", "B"} {
		events := some(webhook.MaxLaterEvents + 1)
		for i := range events {
			events[i].BookingID = booking
		}
		items = append(items, webhook.ReplayItem{Event: ingest(t, s, a.ID, events...)[0].Event.ID, Webhook: w.ID})
	}
	must(s.SetEnabled(t.Context(), a.ID, w.ID, true, at(t0)))(t)
	p := must(s.PlanReplay(t.Context(), a.ID, webhook.ReplayRequest{Events: &webhook.EventFilter{}, Webhook: w.ID}, at(t0)))(t)
	ok(t, s.AddReplayItems(t.Context(), a.ID, p.ID, items))
	must(s.StartReplay(t.Context(), a.ID, p.ID, at(t0)))(t)
	for _, more := range []bool{true, false} {
		jobs, due := claimBulk(t, s, w, 9, t0)
		same(t, "claimed, and is there more", []any{len(jobs), !due.Bulk.IsZero()}, []any{1, more})
	}
}

// testBulkDeletedBefore: a webhook that is deleted while a replay is planned is left out
// of it; else it would run for ever.
func testBulkDeletedBefore(t *testing.T, s *db.Store) {
	a, w := shop(t, s)
	other := addHook(t, s, a.ID)
	e := ingest(t, s, a.ID, newEvent(""))[0]
	p := must(s.PlanReplay(t.Context(), a.ID, webhook.ReplayRequest{All: true}, at(t0)))(t)
	for _, d := range e.Decisions {
		ok(t, s.AddReplayItems(t.Context(), a.ID, p.ID, []webhook.ReplayItem{{Delivery: d.Delivery, Event: e.Event.ID, Webhook: d.Webhook}}))
	}
	must(s.DeleteWebhook(t.Context(), a.ID, w.ID, at(t0)))(t)
	started := must(s.StartReplay(t.Context(), a.ID, p.ID, at(t0)))(t)
	same(t, "total and left out", []int{started.Total, started.LeftOut}, []int{2, 1})
	wantCounts(t, s, p, webhook.ReplayRunning, 0, 1, 0, 0)
	must(s.DeleteWebhook(t.Context(), a.ID, other.ID, at(t0)))(t)
	wantCounts(t, s, p, webhook.ReplayDone, 0, 2, 0, 0)
}

// testBulkSkippedOrder: the delivery of a skipped event has its id since the replay was
// planned. It does not wait for that of a later event that came in meanwhile, and what
// waits for both is released after both.
func testBulkSkippedOrder(t *testing.T, s *db.Store) {
	a, w := orderedShop(t, s)
	p, _ := skippedReplay(t, s, w, true)
	later := deliver(t, s, a.ID, 2) // of the same booking
	inLine(t, s, w, t0, later[0])
	jobs, _ := claimBulk(t, s, w, 9, t0)
	same(t, "claimed", len(jobs), 1)
	same(t, "is it the older one", jobs[0].Delivery.ID < later[0] && jobs[0].Delivery.BookingID == must(s.Delivery(t.Context(), a.ID, later[0]))(t).BookingID, true)
	freed(t, s, success(later[0], w.ID, 1), false)
	r := success(jobs[0].Delivery.ID, w.ID, 1)
	r.Replay = p.ID
	freed(t, s, r, true)
	inLine(t, s, w, t0, later[1])
}
