package db_test

import (
	"bytes"
	"net/http"
	"strings"
	"testing"
	"time"

	"bookhook/db"
	"bookhook/webhook"
)

var deliveryTests = []test{
	{"replay one that ended", testReplayEnded},
	{"replay one that waits", testReplayWaiting},
	{"a person first", testPersonFirst},
	{"replay one in flight", testReplayInFlight},
	{"replay one that was cut off", testReplayCutOff},
	{"replay of a deleted webhook", testReplayDeleted},
	{"replay many times", testReplayAgain},
	{"cancel", testCancel},
}

var attemptTests = []test{
	{"round trip", testAttemptRoundTrip},
	{"many attempts", testManyAttempts},
	{"without anything", testAttemptBare},
	{"cut off ones are missing", testAttemptCutOff},
	{"what receivers answered to failures", testFailedResponses},
}

// ended brings a new delivery into a state, by one attempt.
func ended(tb testing.TB, s *db.Store, w *webhook.Webhook, state webhook.State) webhook.DeliveryID {
	tb.Helper()
	d := deliver(tb, s, w.Account, 1)[0]
	claim(tb, s, w.ID, 1, t0)
	switch state {
	case webhook.Delivered:
		finish(tb, s, success(d, w.ID, 1), t0)
	case webhook.Failed:
		finish(tb, s, failure(d, w.ID, 1, time.Time{}), t0)
	case webhook.Pending:
		finish(tb, s, failure(d, w.ID, 1, t0.Add(time.Hour)), t0)
	case webhook.Cancelled:
		finish(tb, s, failure(d, w.ID, 1, t0.Add(time.Hour)), t0)
		ok(tb, s.Cancel(tb.Context(), w.Account, d, at(t0)))
	}
	same(tb, "state", must(s.Delivery(tb.Context(), w.Account, d))(tb).State, state)
	return d
}

func testReplayEnded(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a, w := shop(t, s)
	for _, state := range []webhook.State{webhook.Delivered, webhook.Failed, webhook.Cancelled} {
		d := ended(t, s, w, state)
		want := must(s.Delivery(ctx, a.ID, d))(t)
		now := t0.Add(time.Second)
		got := must(s.Replay(ctx, a.ID, d, at(now)))(t)
		want.State, want.Base, want.NextAt, want.Urgent, want.Finished = webhook.Pending, 1, now, true, time.Time{}
		same(t, "replayed "+string(state), got, want)
		same(t, "stored", must(s.Delivery(ctx, a.ID, d))(t), want)
		job := claim(t, s, w.ID, 9, now)
		same(t, "claimed", ids(job), []webhook.DeliveryID{d})
		same(t, "attempts and base", []int{job[0].Delivery.Attempts, job[0].Delivery.Base}, []int{2, 1})
		finish(t, s, success(d, w.ID, 2), now)
		same(t, "log", numbers(t, s, a.ID, d), []int{1, 2})
		same(t, "audit", must(s.Audit(ctx, a.ID, 0, 1))(t)[0].Action, "delivery.replayed")
	}
}

func testReplayWaiting(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a, w := shop(t, s)
	d := ended(t, s, w, webhook.Pending)
	want := must(s.Delivery(ctx, a.ID, d))(t)
	want.Scheduled, want.Base = want.NextAt, 1
	want.NextAt, want.Urgent = t0.Add(time.Second), true
	same(t, "tried early, the schedule goes on", must(s.Replay(ctx, a.ID, d, at(want.NextAt)))(t), want)
	fresh := deliver(t, s, a.ID, 1)[0]
	same(t, "one that was never tried", must(s.Replay(ctx, a.ID, fresh, at(t0)))(t).Base, 0)
	must(s.SetEnabled(ctx, a.ID, w.ID, false, at(t0)))(t)
	before := must(s.Delivery(ctx, a.ID, d))(t)
	_, err := s.Replay(ctx, a.ID, d, at(t0))
	wantError(t, "while the webhook is off", err, webhook.ErrOff)
	same(t, "refused", must(s.Delivery(ctx, a.ID, d))(t), before)
}

func testReplayInFlight(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a, w := shop(t, s)
	d := deliver(t, s, a.ID, 1)[0]
	want := claim(t, s, w.ID, 1, t0)[0].Delivery
	_, err := s.Replay(ctx, a.ID, d, at(t0))
	wantError(t, "in flight", err, webhook.ErrConflict)
	same(t, "delivery", must(s.Delivery(ctx, a.ID, d))(t), want)
}

func testReplayCutOff(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a, w := shop(t, s)
	d := deliver(t, s, a.ID, 1)[0]
	claim(t, s, w.ID, 1, t0)
	got := must(s.Replay(ctx, a.ID, d, at(lease)))(t)
	same(t, "attempts, base, next", []any{got.Attempts, got.Base, got.NextAt}, []any{1, 0, lease})
}

func testReplayDeleted(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a, w := shop(t, s)
	d := ended(t, s, w, webhook.Failed)
	must(s.DeleteWebhook(ctx, a.ID, w.ID, at(t0)))(t)
	_, err := s.Replay(ctx, a.ID, d, at(t0))
	wantInvalid(t, err, "webhook", "deleted")
	same(t, "state", must(s.Delivery(ctx, a.ID, d))(t).State, webhook.Failed)
}

func testReplayAgain(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a, w := shop(t, s)
	d := ended(t, s, w, webhook.Failed)
	for i := range 3 {
		got := must(s.Replay(ctx, a.ID, d, at(t0)))(t)
		same(t, "base", got.Base, i+1)
		same(t, "base of a second click", must(s.Replay(ctx, a.ID, d, at(t0)))(t).Base, i+1)
		claim(t, s, w.ID, 1, t0)
		finish(t, s, failure(d, w.ID, i+2, time.Time{}), t0)
	}
	same(t, "log", numbers(t, s, a.ID, d), []int{1, 2, 3, 4})
}

func testCancel(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a, w := shop(t, s)
	for _, state := range []webhook.State{webhook.Delivered, webhook.Failed, webhook.Cancelled} {
		d := ended(t, s, w, state)
		wantError(t, string(state), s.Cancel(ctx, a.ID, d, at(t0)), webhook.ErrConflict)
		same(t, "state", must(s.Delivery(ctx, a.ID, d))(t).State, state)
	}
	d := ended(t, s, w, webhook.Pending)
	ok(t, s.Cancel(ctx, a.ID, d, at(lease)))
	got := must(s.Delivery(ctx, a.ID, d))(t)
	same(t, "state and end", []any{got.State, got.Finished}, []any{webhook.Cancelled, lease})
	same(t, "claimed after that", len(claim(t, s, w.ID, 9, t0.Add(24*time.Hour))), 0)
}

func fullAttempt() webhook.Attempt {
	body := make([]byte, webhook.MaxStoredBody)
	for i := range body {
		body[i] = byte(i * 7)
	}
	return webhook.Attempt{
		Number: 1, StartedAt: t0, Duration: 1234567 * time.Microsecond, Status: 503, Failure: webhook.FailStatus,
		Error: webhook.NewMessage("failure.status", "503 🚧"), Method: "POST", URL: "https://example.com/ü?a=%20&b=<1>", RemoteAddr: "[2001:db8::1]:443",
		RequestHeaders:  map[string][]string{"Webhook-Signature": {"v1,a= v1,b="}, "X-Note": {"<&> \"😀\""}},
		RequestBody:     []byte("{\"a\": \"\u2028 😀\"}\x00\xff"),
		ResponseHeaders: map[string][]string{"Set-Cookie": {"a=1; Path=/", "b=2", ""}, "Date": {"now"}},
		ResponseBody:    body, Truncated: true,
	}
}

func testAttemptRoundTrip(t *testing.T, s *db.Store) {
	a, w := shop(t, s)
	d := deliver(t, s, a.ID, 1)[0]
	claim(t, s, w.ID, 1, t0)
	want := fullAttempt()
	finish(t, s, webhook.Result{Delivery: d, Webhook: w.ID, Attempt: want, State: webhook.Failed}, t0)
	got := must(s.Attempts(t.Context(), a.ID, d, 0))(t)
	same(t, "attempts", len(got), 1)
	same(t, "body", string(got[0].ResponseBody) == string(want.ResponseBody), true)
	got[0].ResponseBody, want.ResponseBody = nil, nil // too long to print
	same(t, "attempt", got[0], want)
}

// testManyAttempts: replays make ever more attempts, and a list of them is bounded in
// numbers and bytes.
func testManyAttempts(t *testing.T, s *db.Store) {
	a, w := shop(t, s)
	e := newEvent("")
	e.Data = bytes.Repeat([]byte(" "), 1<<20)
	d := ingest(t, s, a.ID, e)[0].Decisions[0].Delivery
	for number := 1; number <= webhook.AttemptsShown+20; number++ {
		must(s.Replay(t.Context(), a.ID, d, at(t0)))(t)
		claim(t, s, w.ID, 1, t0)
		r := success(d, w.ID, number)
		r.Data, r.Attempt.RequestBody = e.Data, e.Data
		finish(t, s, r, t0)
	}
	for last, want := range map[int][2]int{0: {21, 120}, 120: {21, 120}, 30: {1, 30}} {
		got := must(s.Attempts(t.Context(), a.ID, d, last))(t)
		same(t, "the first and the last", [2]int{got[0].Number, got[len(got)-1].Number}, want)
		for i, attempt := range got {
			leftOut := len(got)-i > webhook.AttemptBodies>>20
			same(t, "bodies", []any{len(attempt.RequestBody), attempt.LeftOut}, []any{len(e.Data) * boolInt(!leftOut), leftOut})
		}
	}
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

func testAttemptBare(t *testing.T, s *db.Store) {
	a, w := shop(t, s)
	d := deliver(t, s, a.ID, 1)[0]
	claim(t, s, w.ID, 1, t0)
	want := webhook.Attempt{Number: 1, StartedAt: t0, Failure: webhook.FailDNS, Error: webhook.NewMessage("failure.dns", "x.test"), Method: "GET", URL: "https://x.test/"}
	finish(t, s, webhook.Result{Delivery: d, Webhook: w.ID, Attempt: want, State: webhook.Failed}, t0)
	same(t, "attempts", must(s.Attempts(t.Context(), a.ID, d, 0))(t), []webhook.Attempt{want})
}

func testAttemptCutOff(t *testing.T, s *db.Store) {
	a, w := shop(t, s)
	d := deliver(t, s, a.ID, 1)[0]
	for i := range 3 {
		claim(t, s, w.ID, 1, t0.Add(time.Duration(i)*time.Minute))
	}
	finish(t, s, success(d, w.ID, 3), t0)
	got := must(s.Delivery(t.Context(), a.ID, d))(t)
	same(t, "attempts and answered", []int{got.Attempts, got.Completed}, []int{3, 3})
	same(t, "log", numbers(t, s, a.ID, d), []int{3})
}

// testPersonFirst: what a person waits for goes before a backlog, however old.
func testPersonFirst(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a, w := shop(t, s)
	sent := ended(t, s, w, webhook.Delivered)
	backlog := deliver(t, s, a.ID, 3)
	test := must(s.Test(ctx, a.ID, w.ID, newEvent(""), t0.Add(time.Hour)))(t)
	must(s.Replay(ctx, a.ID, sent, at(t0.Add(time.Hour))))(t)
	same(t, "first", ids(claim(t, s, w.ID, 2, t0.Add(time.Hour))), []webhook.DeliveryID{sent, test.ID})
	same(t, "then", ids(claim(t, s, w.ID, 1, t0.Add(time.Hour))), backlog[:1])
}

// testFailedResponses: of the last attempts, failures with a short body only.
func testFailedResponses(t *testing.T, s *db.Store) {
	a, w := shop(t, s)
	d := deliver(t, s, a.ID, 5)
	for i, body := range []string{"No such tour", "", strings.Repeat("x", webhook.MaxMessageBody+1), "Thanks"} {
		claim(t, s, w.ID, 1, t0)
		r := failure(d[i], w.ID, 1, time.Time{})
		if i == 3 {
			r = success(d[i], w.ID, 1)
		}
		r.Attempt.ResponseHeaders, r.Attempt.ResponseBody = http.Header{"Content-Type": {"text/plain"}}, []byte(body)
		finish(t, s, r, t0)
	}
	want := map[webhook.DeliveryID]webhook.Attempt{d[0]: {ResponseHeaders: http.Header{"Content-Type": {"text/plain"}}, ResponseBody: []byte("No such tour")}}
	same(t, "answers", must(s.FailedResponses(t.Context(), a.ID, d))(t), want)
	same(t, "of none", len(must(s.FailedResponses(t.Context(), a.ID, nil))(t)), 0)
	other, _ := shop(t, s)
	same(t, "of another account", len(must(s.FailedResponses(t.Context(), other.ID, d))(t)), 0)

	must(s.Replay(t.Context(), a.ID, d[0], at(t0)))(t)
	claim(t, s, w.ID, 1, t0)
	finish(t, s, success(d[0], w.ID, 2), t0)
	same(t, "delivered at last", len(must(s.FailedResponses(t.Context(), a.ID, d))(t)), 0)
}
