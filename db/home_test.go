package db_test

import (
	"slices"
	"testing"
	"time"

	"bookhook/checklist"
	"bookhook/db"
	"bookhook/stats"
	"bookhook/webhook"
)

var homeTests = []test{
	{"the checklist ticks", testChecklist},
	{"tests tick nothing", testChecklistOfTests},
	{"the checklist is hidden and shown", testHideChecklist},
	{"given up", testGivenUp},
	{"superseded", testSuperseded},
	{"events sent to no webhook", testUnsent},
	{"retried", testRetried},
	{"accounts in need", testAccountsInNeed},
	{"sparklines of accounts", testAccountSparklines},
}

// testChecklist: each step is seen, of the account alone, and stays.
func testChecklist(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a, other := newAccount(t, s), newAccount(t, s)
	var w *webhook.Webhook
	var want checklist.Facts
	for _, step := range []struct {
		name string
		do   func()
	}{
		{"nothing", func() {}},
		{"a platform called", func() {
			ok(t, s.ConnectionUsed(ctx, must(s.Connection(ctx, a.ID, webhook.DefaultPlatform))(t), "", t0))
			want.CalledAt = t0
		}},
		{"a rejected request", func() {
			ok(t, s.AddRejectedRequest(ctx, rejected(a.ID, "x"), t0))
			want.Rejected = true
		}},
		{"an event", func() { want.Event = ingest(t, s, a.ID, some(1)...)[0].Event.ID }},
		{"another event", func() { ingest(t, s, a.ID, some(1)...) }},
		{"channels", func() {
			_, _, err := s.PutItems(ctx, a.ID, webhook.Channels, []webhook.Item{{ID: "1", Name: "One"}}, at(t0))
			ok(t, err)
			want.Channels = true
		}},
		{"tours", func() {
			_, _, err := s.PutItems(ctx, a.ID, webhook.Tours, []webhook.Item{{ID: "1", Name: "One"}}, at(t0))
			ok(t, err)
			want.Tours = true
		}},
		{"a webhook", func() { w, want.Webhook = addHook(t, s, a.ID), true }},
		{"a failed attempt", func() { failOnce(t, s, w, t0) }},
		{"a delivery", func() {
			claim(t, s, w.ID, 9, t0.Add(time.Hour))
			d := must(s.Deliveries(ctx, a.ID, webhook.DeliveryFilter{Limit: 1}))(t).Rows[0]
			finish(t, s, success(d.ID, w.ID, d.Attempts), t0)
			want.Delivered = true
		}},
		{"a person", func() { newUser(t, s, a.ID, "ada@example.com") }},
		{"a second one", func() { newUser(t, s, a.ID, "tim@example.com"); want.Colleague = true }},
		{"a message that failed", func() { sendMail(t, s, a.ID, webhook.MailFailed) }},
		{"one that is sent", func() { sendMail(t, s, a.ID, webhook.MailSent); want.MailSent = true }},
	} {
		step.do()
		same(t, step.name, must(s.Checklist(ctx, a.ID))(t), want)
	}
	same(t, "of another account", must(s.Checklist(ctx, other.ID))(t), checklist.Facts{})
	must(s.DeleteWebhook(ctx, a.ID, w.ID, at(t0)))(t)
	want.Webhook = false
	same(t, "without a webhook", must(s.Checklist(ctx, a.ID))(t), want)
	_, err := s.Checklist(ctx, 1)
	wantError(t, "of no account", err, webhook.ErrNotFound)
}

// sendMail queues a message to somebody of an account and finishes it.
func sendMail(t *testing.T, s *db.Store, account webhook.AccountID, state webhook.MailState) {
	t.Helper()
	ok(t, s.Enqueue(t.Context(), t0, webhook.Mail{Account: account, To: "ada@example.com", Kind: "x"}))
	m := must(s.ClaimMail(t.Context(), t0, t0.Add(time.Minute)))(t)
	m.State, m.FinishedAt = state, t0
	ok(t, s.FinishMail(t.Context(), m))
}

func testChecklistOfTests(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a, w := shop(t, s)
	d := must(s.Test(ctx, a.ID, w.ID, newEvent(""), t0))(t)
	claim(t, s, w.ID, 9, t0)
	r := success(d.ID, w.ID, 1)
	r.Test = true
	finish(t, s, r, t0)
	same(t, "state", must(s.Delivery(ctx, a.ID, d.ID))(t).State, webhook.Delivered)
	same(t, "facts", must(s.Checklist(ctx, a.ID))(t), checklist.Facts{Webhook: true})
}

func testHideChecklist(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a, other := newAccount(t, s), newAccount(t, s)
	for _, hidden := range []bool{true, false} {
		ok(t, s.HideChecklist(ctx, a.ID, hidden, at(t0)))
		same(t, "hidden", must(s.Checklist(ctx, a.ID))(t).Hidden, hidden)
		same(t, "of another account", must(s.Checklist(ctx, other.ID))(t).Hidden, false)
	}
	log := must(s.Audit(ctx, a.ID, 0, 2))(t)
	same(t, "log", []string{log[0].Action, log[1].Action}, []string{"checklist.shown", "checklist.hidden"})
	wantError(t, "of no account", s.HideChecklist(ctx, 1, true, at(t0)), webhook.ErrNotFound)
}

// testGivenUp: what was given up counts until it is delivered after all.
func testGivenUp(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a, w := shop(t, s)
	other, _ := shop(t, s)
	gate := addHook(t, s, a.ID, inline())
	givenUp := func(account webhook.AccountID, since time.Time) map[webhook.WebhookID]webhook.Count {
		return must(s.GivenUp(ctx, account, 0, since))(t)
	}
	rejections := func(account webhook.AccountID, since time.Time) int {
		return must(s.RejectedSince(ctx, account, since))(t)
	}
	d := deliver(t, s, a.ID, 2)
	claim(t, s, w.ID, 9, t0)
	finish(t, s, failure(d[0], w.ID, 1, t0.Add(time.Hour)), t0)
	finish(t, s, failure(d[1], w.ID, 1, time.Time{}), t0)
	ok(t, s.AddRejectedRequest(ctx, rejected(a.ID, "x"), t0))
	one, none := map[webhook.WebhookID]webhook.Count{w.ID: {N: 1}}, map[webhook.WebhookID]webhook.Count{}
	same(t, "one that failed for good", givenUp(a.ID, t0), one)
	same(t, "of its webhook", must(s.GivenUp(ctx, a.ID, w.ID, t0))(t), one)
	same(t, "of its webhook for another account", must(s.GivenUp(ctx, other.ID, w.ID, t0))(t), none)
	same(t, "of another webhook", must(s.GivenUp(ctx, a.ID, gate.ID, t0))(t), none)
	same(t, "of an earlier day", givenUp(a.ID, t0.Add(time.Second)), none)
	same(t, "of another account", givenUp(other.ID, t0), none)
	same(t, "rejected", []int{rejections(a.ID, t0), rejections(a.ID, t0.Add(time.Second)), rejections(other.ID, t0)}, []int{1, 0, 0})
	must(s.Replay(ctx, a.ID, d[1], at(t0)))(t)
	same(t, "replayed", givenUp(a.ID, t0), none)
	tested := must(s.Test(ctx, a.ID, w.ID, newEvent(""), t0))(t)
	claim(t, s, w.ID, 9, t0)
	r := failure(tested.ID, w.ID, 1, time.Time{})
	r.Test = true
	finish(t, s, r, t0)
	same(t, "a test that failed", givenUp(a.ID, t0), none)
	asked := must(s.InsertInline(ctx, a.ID, newEvent(""), t0, lease))(t).Job.Delivery
	finish(t, s, failure(asked.ID, gate.ID, 1, time.Time{}), t0)
	same(t, "a synchronous one that refused", givenUp(a.ID, t0), none)
}

// testSuperseded: what was given up does not count any more once the webhook got a later
// event of the booking; one that another webhook got, an earlier one and one that is
// waiting do not matter.
func testSuperseded(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a, w := shop(t, s)
	other := addHook(t, s, a.ID)
	send := func(booking string, state webhook.State) {
		e := newEvent("")
		e.BookingID = booking
		for _, d := range ingest(t, s, a.ID, e)[0].Decisions {
			claim(t, s, d.Webhook, 9, t0)
			r := success(d.Delivery, d.Webhook, 1)
			if d.Webhook == w.ID && state != webhook.Delivered {
				r = failure(d.Delivery, d.Webhook, 1, map[webhook.State]time.Time{webhook.Pending: t0.Add(time.Hour)}[state])
			}
			finish(t, s, r, t0)
		}
	}
	count := func() int {
		counts := must(s.GivenUp(ctx, a.ID, 0, t0))(t)
		same(t, "of the other", counts[other.ID], webhook.Count{})
		return counts[w.ID].N
	}
	send("1", webhook.Delivered)
	send("1", webhook.Failed)
	send("1", webhook.Failed)
	send("2", webhook.Failed)
	send("", webhook.Failed)
	send("", webhook.Delivered)
	same(t, "earlier ones arrived", count(), 4)
	send("1", webhook.Pending)
	same(t, "a later one is waiting", count(), 4)
	send("2", webhook.Delivered)
	same(t, "a later one of one booking arrived", count(), 3)
	d := must(s.Deliveries(ctx, a.ID, webhook.DeliveryFilter{Webhook: w.ID, State: webhook.Pending, Limit: 9}))(t).Rows[0]
	claim(t, s, w.ID, 9, t0.Add(time.Hour))
	finish(t, s, success(d.ID, w.ID, 2), t0)
	same(t, "of another", count(), 1)
}

// testUnsent: events of today without a delivery count, those that are not decided yet and
// tests do not.
func testUnsent(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a, w := shop(t, s)
	unsent := func(now time.Time) []int {
		today := must(s.Today(ctx, a.ID, now))(t)
		return []int{today.Unsent, today.Decided}
	}
	same(t, "none", unsent(t0), []int{0, 0})
	ingest(t, s, a.ID, some(2)...)
	must(s.Test(ctx, a.ID, w.ID, newEvent(""), t0))(t)
	same(t, "sent", unsent(t0), []int{0, 2})
	must(s.SetEnabled(ctx, a.ID, w.ID, false, at(t0)))(t)
	e := ingest(t, s, a.ID, some(3)...)[0].Event
	same(t, "not sent", unsent(t0), []int{3, 5})
	same(t, "of another day", unsent(t0.Add(48*time.Hour)), []int{0, 0})
	must(s.SetEnabled(ctx, a.ID, w.ID, true, at(t0)))(t)
	must(s.Send(ctx, a.ID, e.ID, w.ID, at(t0)))(t)
	same(t, "sent later", unsent(t0), []int{2, 5})
}

// testRetried: what is waiting after a failure counts until it ends.
func testRetried(t *testing.T, s *db.Store) {
	a, w := shop(t, s)
	retried := func() []int {
		return []int{must(s.Today(t.Context(), a.ID, t0))(t).Retried, must(s.Today(t.Context(), 0, t0))(t).Retried}
	}
	d := deliver(t, s, a.ID, 2)
	same(t, "none was attempted", retried(), []int{0, 0})
	claim(t, s, w.ID, 9, t0)
	finish(t, s, failure(d[0], w.ID, 1, t0.Add(time.Minute)), t0)
	same(t, "one has failed", retried(), []int{1, 1})
	claim(t, s, w.ID, 9, t0.Add(time.Hour))
	finish(t, s, success(d[0], w.ID, 2), t0)
	same(t, "delivered after all", retried(), []int{0, 0})
}

// testAccountsInNeed: they are those of which Attention has a webhook.
func testAccountsInNeed(t *testing.T, s *db.Store) {
	ctx := t.Context()
	shop(t, s) // healthy
	_, once := shop(t, s)
	failOnce(t, s, once, t0)
	failing, w := shop(t, s)
	failOnce(t, s, w, t0)
	failOnce(t, s, w, t0.Add(webhook.FailingAfter))
	off, byUser := shop(t, s)
	failOnce(t, s, byUser, t0)
	failOnce(t, s, byUser, t0.Add(time.Hour))
	must(s.SetEnabled(ctx, off.ID, byUser.ID, false, at(t0)))(t)
	stopped, gone := shop(t, s)
	addHook(t, s, stopped.ID)
	failOnce(t, s, gone, t0, func(r *webhook.Result) { r.Gone, r.State, r.NextAt = true, webhook.Failed, time.Time{} })
	deleted, former := shop(t, s)
	failOnce(t, s, former, t0)
	failOnce(t, s, former, t0.Add(time.Hour))
	must(s.DeleteWebhook(ctx, deleted.ID, former.ID, at(t0)))(t)

	var found []webhook.AccountID
	for _, use := range must(s.AccountsInNeed(ctx, 9))(t) {
		found = append(found, use.ID)
	}
	same(t, "in need", found, []webhook.AccountID{failing.ID, stopped.ID})
	same(t, "no more than asked", len(must(s.AccountsInNeed(ctx, 1))(t)), 1)
	for _, use := range must(s.AccountsAfter(ctx, 0, 99))(t) {
		need := 0
		if slices.Contains(found, use.ID) {
			need = 1
		}
		same(t, "counted", use.Attention, need)
		same(t, "as Attention", len(must(s.Attention(ctx, use.ID))(t)), need)
	}
}

// testAccountSparklines: each account's by its own clock, whether folded or not.
func testAccountSparklines(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a, w := shop(t, s)
	b := must(s.AddAccount(ctx, webhook.Account{Name: "B", TimeZone: "Pacific/Auckland", WebhookLimit: 10}, at(t0)))(t)
	addHook(t, s, b.ID)
	other, _ := shop(t, s)
	for range 2 {
		d := deliver(t, s, a.ID, 2)
		claim(t, s, w.ID, 9, t0)
		for i, r := range []webhook.Result{success(d[0], w.ID, 1), failure(d[1], w.ID, 1, time.Time{})} {
			r.Account = a.ID
			r.Attempt.StartedAt = t0.Add(time.Duration(-24*i) * time.Hour)
			finish(t, s, r, t0)
		}
		must(s.FoldCounts(ctx))(t)
	}
	for _, accounts := range [][]webhook.Account{nil, {a}, {a, b, b}} {
		must(s.AccountSparklines(ctx, accounts, t0))(t)
	}
	lines := must(s.AccountSparklines(ctx, []webhook.Account{a, b}, t0))(t)
	same(t, "accounts", len(lines), 2)
	same(t, "today", lines[a.ID].Days[stats.SparklineDays-1], stats.DayCounts{Delivered: 2})
	same(t, "yesterday", lines[a.ID].Days[stats.SparklineDays-2], stats.DayCounts{FailedAttempts: 2, GivenUp: 2})
	same(t, "of one that did nothing", lines[b.ID].Days, [stats.SparklineDays]stats.DayCounts{})
	same(t, "by its clock", lines[b.ID].Since().Location().String(), "Pacific/Auckland")
	same(t, "not asked for", lines[other.ID] == nil, true)
}
