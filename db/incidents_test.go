package db_test

import (
	"encoding/json"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"bookhook/db"
	"bookhook/incidents"
	"bookhook/webhook"
)

var incidentTests = []test{
	{"from its beginning to its end", testIncident},
	{"several processes", testIncidentRace},
	{"events for webhooks", testOwnEvents},
	{"who is notified", testIncidentRecipients},
	{"quiet hours", testIncidentQuiet},
	{"a bounded number", testIncidentBound},
	{"of many silent channels", testSilenceBound},
	{"what may be wrong", testTroubles},
	{"rejected lately", testRejectedLately},
	{"settings of notices", testNoticeSettings},
	{"what an outage did", testOutageFacts},
	{"old incidents go", testIncidentsPruned},
}

func opens(account webhook.AccountID, subject string) incidents.Change {
	return incidents.Change{Tell: true, To: incidents.Incident{
		Key: incidents.Key{Account: account, Kind: incidents.Outage, Subject: subject}, Stage: incidents.Begun, Details: incidents.Details{Name: "Accounting", Since: t0}, OpenedAt: t0,
	}}
}

func addPerson(tb testing.TB, s *db.Store, account webhook.AccountID, email string, role webhook.Role) webhook.User {
	tb.Helper()
	return must(s.AddUser(tb.Context(), webhook.User{Account: account, Email: email, PasswordHash: "x", Role: role}, at(t0)))(tb)
}

// recipients are those of all messages in the outbox, the newest first.
func recipients(tb testing.TB, s *db.Store) (to []string) {
	tb.Helper()
	for _, m := range must(s.AllMails(tb.Context(), 0, 99))(tb) {
		to = append(to, m.To)
	}
	return to
}

// testOwnEvents: only a webhook that names the event gets it, whatever its channels and
// tours; it counts as no booking event.
func testOwnEvents(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a := newAccount(t, s)
	selects := func(w *webhook.Webhook) {
		w.AllEvents, w.Events = false, []string{"bookhook:webhook.failing"}
		w.Channels, w.Tours = webhook.NewFilter(webhook.Include, []string{"1"}), webhook.NewFilter(webhook.Include, []string{"2"})
	}
	notice := incidents.Notice{Event: webhook.Event{Platform: webhook.OwnPlatform, Type: "webhook.failing", OccurredAt: t0, Data: []byte(`{"summary":"x"}`)}}
	addHook(t, s, a.ID) // everything
	other := newAccount(t, s)
	addHook(t, s, other.ID, selects)
	ok(t, s.ChangeIncident(ctx, opens(a.ID, "nobody selects it"), notice, t0))
	same(t, "stored for nobody", len(must(s.Events(ctx, a.ID, webhook.EventFilter{Limit: 9}))(t).Rows), 0)

	var touched []webhook.Touched
	s.Watch(func(all []webhook.Touched) { touched = append(touched, all...) })
	w := addHook(t, s, a.ID, selects)
	touched = nil
	ok(t, s.ChangeIncident(ctx, opens(a.ID, "x"), notice, t0))
	same(t, "the dispatcher is woken", touched, []webhook.Touched{{Account: a.ID, Webhook: w.ID, What: webhook.TouchDue}})
	jobs, _, err := s.Claim(ctx, webhook.Claim{Webhook: w.ID, N: 9, Now: t0, Lease: t0.Add(time.Minute)})
	ok(t, err)
	same(t, "due", len(jobs), 1)
	same(t, "type", jobs[0].Event.Key(), "bookhook:webhook.failing")
	same(t, "data", string(jobs[0].Event.Data), `{"summary":"x"}`)
	wantError(t, "what is open already", s.ChangeIncident(ctx, opens(a.ID, "x"), notice, t0), webhook.ErrConflict)
	unsaid := opens(a.ID, "not told")
	unsaid.Tell = false
	ok(t, s.ChangeIncident(ctx, unsaid, notice, t0))
	same(t, "events", len(must(s.Events(ctx, a.ID, webhook.EventFilter{Limit: 9}))(t).Rows), 1)
	same(t, "events of another account", len(must(s.Events(ctx, other.ID, webhook.EventFilter{Limit: 9}))(t).Rows), 0)
	_, err = s.FoldCounts(ctx)
	ok(t, err)
	same(t, "events of today", must(s.Today(ctx, a.ID, t0))(t).Events, 0)
}

func testIncident(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a := newAccount(t, s)
	addPerson(t, s, a.ID, "anna@example.com", webhook.RoleOperator)
	ok(t, s.ChangeIncident(ctx, opens(a.ID, "x"), incidents.Notice{Mail: true}, t0))
	wantError(t, "another one of the same", s.ChangeIncident(ctx, opens(a.ID, "x"), incidents.Notice{Mail: true}, t0), webhook.ErrConflict)
	ok(t, s.ChangeIncident(ctx, opens(a.ID, "y"), incidents.Notice{}, t0))
	same(t, "told", recipients(t, s), []string{"anna@example.com"})
	all := must(s.Incidents(ctx, a.ID, t0, 9))(t)
	same(t, "open", len(all), 2)
	x := all[1]
	want := opens(a.ID, "x").To
	want.ID = x.ID
	same(t, "stored", x, want)
	same(t, "by id", must(s.Incident(ctx, a.ID, x.ID))(t), want)
	_, err := s.Incident(ctx, newAccount(t, s).ID, x.ID)
	wantError(t, "of another account", err, webhook.ErrNotFound)

	raised := x
	raised.Stage = incidents.SwitchedOff
	ok(t, s.ChangeIncident(ctx, incidents.Change{From: x, To: raised, Tell: true}, incidents.Notice{Mail: true}, t0))
	wantError(t, "of what it was before", s.ChangeIncident(ctx, incidents.Change{From: x, To: raised, Tell: true}, incidents.Notice{Mail: true}, t0), webhook.ErrConflict)
	ended := raised
	ended.ClearedAt, ended.ClosedAt = t0.Add(time.Minute), t0.Add(time.Minute)
	ok(t, s.ChangeIncident(ctx, incidents.Change{From: raised, To: ended, Tell: true}, incidents.Notice{Mail: true}, t0.Add(time.Minute)))
	wantError(t, "the end once more", s.ChangeIncident(ctx, incidents.Change{From: raised, To: ended, Tell: true}, incidents.Notice{Mail: true}, t0), webhook.ErrConflict)
	same(t, "messages", len(recipients(t, s)), 3)
	same(t, "open first", must(s.Incidents(ctx, a.ID, t0, 9))(t)[1], ended)
	same(t, "only the open one", len(must(s.Incidents(ctx, a.ID, t0.Add(time.Hour), 9))(t)), 1)
	same(t, "known", len(must(s.KnownIncidents(ctx, t0))(t)), 2)
	ok(t, s.ChangeIncident(ctx, opens(a.ID, "x"), incidents.Notice{}, t0)) // a new one
}

// testIncidentRace: of several that decide the same, one tells people.
func testIncidentRace(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a := newAccount(t, s)
	addPerson(t, s, a.ID, "anna@example.com", webhook.RoleOperator)
	var all sync.WaitGroup
	var won atomic.Int64
	for range 8 {
		all.Go(func() {
			if s.ChangeIncident(ctx, opens(a.ID, "x"), incidents.Notice{Mail: true}, t0) == nil {
				won.Add(1)
			}
		})
	}
	all.Wait()
	if n := len(recipients(t, s)); won.Load() != 1 || n != 1 {
		t.Errorf("%d of 8 opened it, %d messages", won.Load(), n)
	}
}

func testIncidentRecipients(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a, other := newAccount(t, s), newAccount(t, s)
	anna := addPerson(t, s, a.ID, "anna@example.com", webhook.RoleOperator)
	staff := addPerson(t, s, a.ID, "staff@example.com", webhook.RoleStaff)
	addPerson(t, s, a.ID, "boss@example.com", webhook.RoleAdmin)
	addPerson(t, s, other.ID, "other@example.com", webhook.RoleOperator)
	addPerson(t, s, 0, "lone@example.com", webhook.RoleAdmin)
	told := func(what string, c incidents.Change, want ...string) {
		t.Helper()
		n := len(recipients(t, s))
		ok(t, s.ChangeIncident(ctx, c, incidents.Notice{Mail: true}, t0))
		got := map[string]bool{}
		all := recipients(t, s)
		for _, to := range all[:len(all)-n] {
			got[to] = true
		}
		for _, to := range want {
			if !got[to] || len(got) != len(want) || len(all)-n != len(want) {
				t.Errorf("%s: told %v, want %v", what, got, want)
			}
		}
	}
	told("of the account", opens(a.ID, "x"), "anna@example.com", "boss@example.com")
	told("of the instance", opens(0, ""), "boss@example.com", "lone@example.com")
	ok(t, s.SaveNoticeSettings(ctx, staff.ID, incidents.Settings{Mail: true}))
	ok(t, s.SaveNoticeSettings(ctx, anna.ID, incidents.Settings{Mail: true, Muted: []incidents.Kind{incidents.Outage}}))
	told("as chosen", opens(a.ID, "y"), "staff@example.com", "boss@example.com")
	ok(t, s.StopNotices(ctx, staff.ID))
	told("stopped", opens(a.ID, "z"), "boss@example.com")
}

func testIncidentQuiet(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a := newAccount(t, s)
	anna := addPerson(t, s, a.ID, "anna@example.com", webhook.RoleOperator)
	hour := t0.In(a.Location()).Hour()
	quiet := incidents.Hours{From: hour, Until: (hour + 2) % 24}
	ok(t, s.SaveNoticeSettings(ctx, anna.ID, incidents.Settings{Mail: true, Quiet: quiet}))
	ok(t, s.ChangeIncident(ctx, opens(a.ID, "x"), incidents.Notice{Mail: true}, t0))
	m := must(s.AllMails(ctx, 0, 9))(t)[0]
	if !m.NextAt.Equal(quiet.End(t0, a.Location())) || m.NextAt.Sub(t0) > 2*time.Hour || m.NextAt.Sub(t0) < time.Hour {
		t.Errorf("due at %s, now is %s", m.NextAt, t0)
	}
}

func testIncidentBound(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a := newAccount(t, s)
	addPerson(t, s, a.ID, "anna@example.com", webhook.RoleOperator)
	for i := range incidents.MailsPerDay + 5 {
		ok(t, s.ChangeIncident(ctx, opens(a.ID, string(rune('a'+i))), incidents.Notice{Mail: true}, t0))
	}
	all := must(s.AllMails(ctx, 0, 99))(t)
	same(t, "messages", len(all), incidents.MailsPerDay)
	for i, m := range all {
		if last := strings.Contains(string(m.Args), `"last":true`); last != (i == 0) {
			t.Errorf("%d: got %s", i, m.Args)
		}
	}
	ok(t, s.ChangeIncident(ctx, opens(a.ID, "tomorrow"), incidents.Notice{Mail: true}, t0.Add(25*time.Hour)))
	same(t, "the next day", len(recipients(t, s)), incidents.MailsPerDay+1)
}

// testSilenceBound: neither many silent channels nor what an account has keep people from
// being notified of an outage, or of the instance.
func testSilenceBound(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a := newAccount(t, s)
	addPerson(t, s, a.ID, "anna@example.com", webhook.RoleAdmin)
	kinds := func() (kinds []incidents.Kind) {
		for _, m := range must(s.AllMails(ctx, 0, 99))(t) {
			var about incidents.Mail
			ok(t, json.Unmarshal(m.Args, &about))
			kinds = append(kinds, about.Kind)
			same(t, "the last one about silence says so", about.LastKind, len(kinds) == 1 && about.Kind == incidents.Silence)
		}
		return kinds
	}
	for i := range incidents.MailsPerDay {
		c := opens(a.ID, "tourcms/"+strconv.Itoa(i))
		c.To.Kind = incidents.Silence
		ok(t, s.ChangeIncident(ctx, c, incidents.Notice{Mail: true}, t0))
	}
	same(t, "about silence", len(kinds()), incidents.SilenceMailsPerDay)
	for i := range incidents.MailsPerDay {
		ok(t, s.ChangeIncident(ctx, opens(a.ID, strconv.Itoa(i)), incidents.Notice{Mail: true}, t0))
	}
	same(t, "of the account", len(recipients(t, s)), incidents.MailsPerDay)
	disk := opens(0, "")
	disk.To.Kind = incidents.Disk
	ok(t, s.ChangeIncident(ctx, disk, incidents.Notice{Mail: true}, t0))
	same(t, "with the disk", len(recipients(t, s)), incidents.MailsPerDay+1)
}

// failWaiting lets the first attempt of a new delivery fail, and leaves it waiting.
func failWaiting(tb testing.TB, s *db.Store, w *webhook.Webhook) webhook.DeliveryID {
	tb.Helper()
	d := deliver(tb, s, w.Account, 1)[0]
	claim(tb, s, w.ID, 1000, t0)
	finish(tb, s, failure(d, w.ID, 1, t0.Add(time.Minute)), t0)
	return d
}

func testTroubles(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a, hook := shop(t, s)
	healthy := addHook(t, s, a.ID)
	failWaiting(t, s, hook)
	got := must(s.Troubles(ctx, nil))(t)
	if len(got) != 1 || got[0].Webhook.ID != hook.ID || got[0].Webhook.Account != a.ID || got[0].Webhook.Name != hook.Name || got[0].Webhook.FailingSince.IsZero() ||
		!got[0].Webhook.Enabled || got[0].Waiting != 1 || got[0].Limits != incidents.DefaultLimits || got[0].Deleted {
		t.Fatalf("got %+v", got)
	}
	limits := incidents.Limits{After: 2 * time.Hour, Waiting: 7}
	ok(t, s.SaveNoticeLimits(ctx, a.ID, limits, at(t0)))
	same(t, "limits", must(s.NoticeLimits(ctx, a.ID))(t), limits)
	same(t, "limits of the webhook", must(s.Troubles(ctx, nil))(t)[0].Limits, limits)
	same(t, "with another one", len(must(s.Troubles(ctx, []webhook.WebhookID{hook.ID, healthy.ID}))(t)), 2)
	must(s.DeleteWebhook(ctx, a.ID, hook.ID, at(t0)))(t)
	same(t, "deleted", len(must(s.Troubles(ctx, nil))(t)), 0)
	got = must(s.Troubles(ctx, []webhook.WebhookID{hook.ID}))(t)
	same(t, "deleted, asked for", len(got) == 1 && got[0].Deleted, true)
}

func testRejectedLately(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a := newAccount(t, s)
	for i, last := range []time.Duration{-2 * time.Hour, -time.Minute} {
		r := webhook.RejectedRequest{Account: a.ID, Platform: "tourcms", Method: "GET", Query: string(rune('a' + i)), Why: webhook.NewMessage("x")}
		ok(t, s.AddRejectedRequest(ctx, r, t0.Add(last)))
	}
	same(t, "lately", must(s.RejectedLately(ctx, t0.Add(-time.Hour)))(t), []incidents.Rejections{{Account: a.ID, Platform: "tourcms", Last: t0.Add(-time.Minute)}})
	same(t, "just now", len(must(s.RejectedLately(ctx, t0))(t)), 0)
}

func testNoticeSettings(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a := newAccount(t, s)
	staff := addPerson(t, s, a.ID, "staff@example.com", webhook.RoleStaff)
	same(t, "at first", must(s.NoticeSettings(ctx, staff.ID))(t), incidents.DefaultSettings(webhook.RoleStaff))
	chosen := incidents.Settings{Mail: true, Muted: []incidents.Kind{incidents.Silence}, Quiet: incidents.Hours{From: 22, Until: 7}}
	ok(t, s.SaveNoticeSettings(ctx, staff.ID, chosen))
	same(t, "chosen", must(s.NoticeSettings(ctx, staff.ID))(t), chosen)
	ok(t, s.StopNotices(ctx, staff.ID))
	chosen.Mail = false
	same(t, "stopped", must(s.NoticeSettings(ctx, staff.ID))(t), chosen)
	wantError(t, "of nobody", s.StopNotices(ctx, 5), webhook.ErrNotFound)
	wantError(t, "of nobody", s.SaveNoticeSettings(ctx, 5, chosen), webhook.ErrNotFound)
	ok(t, s.RemoveUser(ctx, a.ID, staff.ID, at(t0)))
	_, err := s.NoticeSettings(ctx, staff.ID)
	wantError(t, "removed", err, webhook.ErrNotFound)
}

func testOutageFacts(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a, hook := shop(t, s)
	delivery := failWaiting(t, s, hook)
	id, outcome, err := s.LastFailure(ctx, a.ID, hook.ID)
	ok(t, err)
	same(t, "last failure", id == delivery && outcome.Failure != "", true)
	same(t, "bookings", must(s.Undelivered(ctx, a.ID, hook.ID, t0.Add(-time.Hour), t0.Add(-time.Hour), 9))(t), []string{"1234"})
	same(t, "bookings of later", len(must(s.Undelivered(ctx, a.ID, hook.ID, t0.Add(time.Hour), t0, 9))(t)), 0)
	other := newAccount(t, s)
	same(t, "of another account", len(must(s.Undelivered(ctx, other.ID, hook.ID, t0.Add(-time.Hour), t0.Add(-time.Hour), 9))(t)), 0)
	_, _, err = s.LastFailure(ctx, other.ID, hook.ID)
	wantError(t, "of another account", err, webhook.ErrNotFound)
	late := func(account webhook.AccountID, delivered time.Time) int {
		c, oldest, err := s.DeliveredLate(ctx, account, hook.ID, time.Now().Add(-time.Hour), time.Now().Add(time.Hour), delivered)
		ok(t, err)
		same(t, "the oldest", oldest.IsZero(), c.N == 0)
		return c.N
	}
	same(t, "late", late(a.ID, t0), 0)
	claim(t, s, hook.ID, 1000, t0.Add(time.Minute))
	finish(t, s, success(delivery, hook.ID, 2), t0.Add(10*time.Minute))
	same(t, "delivered late", late(a.ID, t0), 1)
	same(t, "before the outage", late(a.ID, t0.Add(11*time.Minute)), 0)
	same(t, "of another account", late(other.ID, t0), 0)
}

func testIncidentsPruned(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a := newAccount(t, s)
	for _, subject := range []string{"x", "y"} {
		ok(t, s.ChangeIncident(ctx, opens(a.ID, subject), incidents.Notice{}, t0))
	}
	x := must(s.Incidents(ctx, a.ID, t0, 9))(t)[1]
	ended := x
	ended.ClearedAt, ended.ClosedAt = t0, t0
	ok(t, s.ChangeIncident(ctx, incidents.Change{From: x, To: ended}, incidents.Notice{}, t0))
	prune(t, s, t0, t0, 1)
	same(t, "new ones", len(must(s.Incidents(ctx, a.ID, t0, 9))(t)), 2)
	prune(t, s, t0.Add(time.Hour), t0.Add(time.Hour), 1)
	left := must(s.Incidents(ctx, a.ID, time.Time{}, 9))(t)
	same(t, "left", len(left) == 1 && left[0].Subject == "y", true)
}
