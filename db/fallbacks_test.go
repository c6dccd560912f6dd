package db_test

import (
	"encoding/json"
	"errors"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"bookhook/db"
	"bookhook/fallback"
	"bookhook/webhook"
)

var fallbackTests = []test{
	{"chosen, confirmed and removed", testFallback},
	{"whom it cannot be for", testFallbackRefused},
	{"another address", testFallbackChanged},
	{"guests' data are added", testFallbackGuests},
	{"who gets the messages stops them", testFallbackStopped},
	{"the webhook is deleted", testFallbackDeleted},
	{"messages", testFallbackMessages},
	{"several processes", testFallbackRace},
	{"what is listed", testFallbackLists},
}

const office = "office@example.com"

func chooseFallback(tb testing.TB, s *db.Store, w *webhook.Webhook, address string) {
	tb.Helper()
	if !must(s.SetFallback(tb.Context(), fallback.Fallback{Account: w.Account, Webhook: w.ID, Address: address}, at(t0)))(tb) {
		tb.Fatal("nobody was asked to confirm")
	}
}

// confirmed is a fallback whose address was confirmed.
func confirmed(tb testing.TB, s *db.Store, w *webhook.Webhook) fallback.Fallback {
	tb.Helper()
	chooseFallback(tb, s, w, office)
	mail := must(s.AllMails(tb.Context(), 0, 1))(tb)[0]
	must(s.SetFallbackToken(tb.Context(), mail.ID, []byte("hash of "+w.ID.String()), t0.Add(fallback.Term)))(tb)
	ok(tb, s.ConfirmFallback(tb.Context(), []byte("hash of "+w.ID.String()), false, t0))
	return must(s.Fallback(tb.Context(), w.Account, w.ID))(tb)
}

// listedOnce makes a list of a fallback be sent.
func listedOnce(tb testing.TB, s *db.Store, f fallback.Fallback) fallback.Fallback {
	tb.Helper()
	ctx := tb.Context()
	m := fallback.Mail{Webhook: f.Webhook, Incident: 7, From: t0.Add(-time.Hour), Until: t0.Add(time.Hour)}
	ok(tb, s.QueueFallback(ctx, f, m, t0.Add(time.Hour)))
	mail := claimList(tb, s, t0.Add(time.Hour))
	mail.State, mail.FinishedAt = webhook.MailSent, t0.Add(time.Hour)
	ok(tb, s.FinishMail(ctx, mail))
	return must(s.Fallback(ctx, f.Account, f.Webhook))(tb)
}

// claimList takes the message with a list that is due; others are sent.
func claimList(tb testing.TB, s *db.Store, now time.Time) webhook.Mail {
	tb.Helper()
	for {
		mail := must(s.ClaimMail(tb.Context(), now, now.Add(time.Minute)))(tb)
		if mail.Kind == webhook.MailFallback {
			return mail
		}
		mail.State = webhook.MailSent
		ok(tb, s.FinishMail(tb.Context(), mail))
	}
}

// lastMail is what the newest message is about.
func lastMail(tb testing.TB, s *db.Store) (webhook.Mail, fallback.Mail) {
	tb.Helper()
	mail := must(s.AllMails(tb.Context(), 0, 1))(tb)[0]
	var about fallback.Mail
	ok(tb, json.Unmarshal(mail.Args, &about))
	return mail, about
}

func testFallback(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a, w := shop(t, s)
	_, err := s.Fallback(ctx, a.ID, w.ID)
	wantError(t, "none", err, webhook.ErrNotFound)
	chooseFallback(t, s, w, office)
	want := fallback.Fallback{Webhook: w.ID, Account: a.ID, Address: office, SetBy: by, SetAt: t0, ExpiresAt: t0.Add(fallback.Term), LinkState: webhook.MailWaiting}
	same(t, "chosen", must(s.Fallback(ctx, a.ID, w.ID))(t), want)
	if must(s.SetFallback(ctx, fallback.Fallback{Account: a.ID, Webhook: w.ID, Address: office}, at(t0)))(t) {
		t.Error("the same address was asked again")
	}
	same(t, "chosen again", must(s.FallbackOf(ctx, w.ID))(t), want)
	mails := must(s.AllMails(ctx, 0, 9))(t)
	same(t, "messages", len(mails), 1)
	same(t, "to", []string{mails[0].To, string(mails[0].Kind)}, []string{office, "confirm"})

	must(s.SetFallbackToken(ctx, mails[0].ID, []byte("one"), t0.Add(time.Hour)))(t)
	again := must(s.SendFallbackLink(ctx, a.ID, w.ID, at(t0.Add(time.Minute))))(t)
	same(t, "asked again", again.Address, office)
	same(t, "the first link still works", must(s.FallbackByToken(ctx, []byte("one"), t0))(t).Webhook, w.ID)
	_, err = s.SetFallbackToken(ctx, mails[0].ID, []byte("x"), t0)
	wantError(t, "of a message that is no longer the last", err, webhook.ErrNotFound)
	must(s.SetFallbackToken(ctx, must(s.AllMails(ctx, 0, 1))(t)[0].ID, []byte("two"), t0.Add(time.Hour)))(t)
	for _, hash := range []string{"one", "three", ""} {
		wantError(t, hash, s.ConfirmFallback(ctx, []byte(hash), false, t0), webhook.ErrNotFound)
	}
	wantError(t, "expired", s.ConfirmFallback(ctx, []byte("two"), false, t0.Add(time.Hour)), webhook.ErrNotFound)
	ok(t, s.ConfirmFallback(ctx, []byte("two"), false, t0.Add(time.Second)))
	wantError(t, "once more", s.ConfirmFallback(ctx, []byte("two"), false, t0), webhook.ErrNotFound)
	same(t, "confirmed", must(s.Fallback(ctx, a.ID, w.ID))(t).ConfirmedAt, t0.Add(time.Second))
	_, err = s.SendFallbackLink(ctx, a.ID, w.ID, at(t0))
	wantError(t, "a link for what is confirmed", err, webhook.ErrConflict)

	same(t, "removed", must(s.RemoveFallback(ctx, a.ID, w.ID, at(t0)))(t).Address, office)
	_, err = s.RemoveFallback(ctx, a.ID, w.ID, at(t0))
	wantError(t, "again", err, webhook.ErrNotFound)
	same(t, "messages: nothing was listed", len(must(s.AllMails(ctx, 0, 9))(t)), 2)
	actions := ""
	for _, e := range must(s.Audit(ctx, a.ID, 0, 4))(t) {
		actions += e.Action + " by " + e.By + ", "
	}
	same(t, "log", actions, "fallback.removed by "+by+", fallback.confirmed by "+office+", fallback.again by "+by+", fallback.set by "+by+", ")
}

func testFallbackRefused(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a, w := shop(t, s)
	other := newAccount(t, s)
	_, err := s.SetFallback(ctx, fallback.Fallback{Account: other.ID, Webhook: w.ID, Address: office}, at(t0))
	wantError(t, "of another account", err, webhook.ErrNotFound)
	inline := addHook(t, s, a.ID, func(w *webhook.Webhook) {
		w.Kind, w.AllEvents, w.Events = webhook.Inline, false, []string{"new_confirmed_web"}
	})
	_, err = s.SetFallback(ctx, fallback.Fallback{Account: a.ID, Webhook: inline.ID, Address: office}, at(t0))
	wantInvalid(t, err, "email", "Nothing waits for a synchronous webhook")
	limit := func(err error) webhook.Limited {
		reached, _ := errors.AsType[webhook.LimitReached](err)
		return reached.What
	}
	chooseFallback(t, s, w, office)
	for range webhook.MaxConfirmationsTo - 1 {
		must(s.SendFallbackLink(ctx, a.ID, w.ID, at(t0)))(t)
	}
	_, err = s.SendFallbackLink(ctx, a.ID, w.ID, at(t0))
	same(t, "to one address", limit(err), webhook.LimitedConfirmationsTo)
	for i := range webhook.MaxConfirmations - webhook.MaxConfirmationsTo {
		chooseFallback(t, s, w, strconv.Itoa(i)+"@example.com")
	}
	_, err = s.SetFallback(ctx, fallback.Fallback{Account: a.ID, Webhook: w.ID, Address: "more@example.com"}, at(t0))
	same(t, "of the account", limit(err), webhook.LimitedConfirmations)
	same(t, "the one before stays", must(s.Fallback(ctx, a.ID, w.ID))(t).Address, strconv.Itoa(webhook.MaxConfirmations-webhook.MaxConfirmationsTo-1)+"@example.com")
	must(s.SendFallbackLink(ctx, a.ID, w.ID, at(t0.Add(webhook.ConfirmationsWithin+time.Minute))))(t)
}

// testFallbackChanged: another address is to be confirmed, gets nothing that the one
// before got, and that one is told.
func testFallbackChanged(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a, w := shop(t, s)
	deliver(t, s, a.ID, 1)
	f := listedOnce(t, s, confirmed(t, s, w))
	chooseFallback(t, s, w, "new@example.com")
	got := must(s.Fallback(ctx, a.ID, w.ID))(t)
	want := fallback.Fallback{Webhook: w.ID, Account: a.ID, Address: "new@example.com", SetBy: by, SetAt: t0, ExpiresAt: t0.Add(fallback.Term), LinkState: webhook.MailWaiting, QueuedAt: f.QueuedAt, Listed: f.Listed}
	same(t, "changed", got, want)
	mail, about := lastMail(t, s)
	same(t, "told", []string{mail.To, string(about.Last)}, []string{office, "removed"})
	same(t, "about", []time.Time{about.From, about.Until}, []time.Time{t0.Add(-time.Hour), t0.Add(time.Hour)})
	same(t, "of those that are confirmed", len(must(s.Fallbacks(ctx, []webhook.WebhookID{w.ID}))(t)), 0)
}

// testFallbackGuests: who confirmed without guests' data gets none before they confirm that.
func testFallbackGuests(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a, w := shop(t, s)
	confirmed(t, s, w)
	choose := func(guests bool) bool {
		t.Helper()
		return must(s.SetFallback(ctx, fallback.Fallback{Account: a.ID, Webhook: w.ID, Address: office, Guests: guests}, at(t0.Add(time.Minute))))(t)
	}
	if !choose(true) {
		t.Error("added: not asked again")
	}
	got := must(s.Fallback(ctx, a.ID, w.ID))(t)
	if !got.Guests || !got.ConfirmedAt.IsZero() || got.LinkState != webhook.MailWaiting || got.ExpiresAt != t0.Add(time.Minute+fallback.Term) || got.SetAt != t0.Add(time.Minute) {
		t.Errorf("added: got %+v", got)
	}
	same(t, "of those that are confirmed", len(must(s.Fallbacks(ctx, []webhook.WebhookID{w.ID}))(t)), 0)
	mail := must(s.AllMails(ctx, 0, 1))(t)[0]
	same(t, "asked", []string{mail.To, string(mail.Kind)}, []string{office, "confirm"})
	must(s.SetFallbackToken(ctx, mail.ID, []byte("two"), t0.Add(time.Hour)))(t)
	wantError(t, "what was shown is not what was chosen", s.ConfirmFallback(ctx, []byte("two"), false, t0), webhook.ErrConflict)
	same(t, "not confirmed", must(s.Fallback(ctx, a.ID, w.ID))(t).ConfirmedAt, time.Time{})
	ok(t, s.ConfirmFallback(ctx, []byte("two"), true, t0))
	before := len(must(s.AllMails(ctx, 0, 99))(t))
	for range 2 {
		if choose(false) {
			t.Error("left out: asked again")
		}
	}
	got = must(s.Fallback(ctx, a.ID, w.ID))(t)
	if got.Guests || got.ConfirmedAt != t0 || len(must(s.AllMails(ctx, 0, 99))(t)) != before {
		t.Errorf("left out: got %+v", got)
	}
	for range webhook.MaxConfirmationsTo - 2 {
		choose(true)
		choose(false)
	}
	unchanged := must(s.Fallback(ctx, a.ID, w.ID))(t)
	_, err := s.SetFallback(ctx, fallback.Fallback{Account: a.ID, Webhook: w.ID, Address: office, Guests: true}, at(t0))
	if _, limited := errors.AsType[webhook.LimitReached](err); !limited {
		t.Errorf("too often: got %v", err)
	}
	same(t, "too often", must(s.Fallback(ctx, a.ID, w.ID))(t), unchanged)
}

func testFallbackStopped(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a, w := shop(t, s)
	deliver(t, s, a.ID, 1)
	f := listedOnce(t, s, confirmed(t, s, w))
	ok(t, s.StopFallback(ctx, w.ID, "new@example.com", t0))
	same(t, "by another address", must(s.Fallback(ctx, a.ID, w.ID))(t), f)
	messages := len(must(s.AllMails(ctx, 0, 9))(t))
	for range 2 {
		ok(t, s.StopFallback(ctx, w.ID, office, t0))
	}
	got := must(s.Fallback(ctx, a.ID, w.ID))(t)
	if !got.ConfirmedAt.IsZero() || got.StoppedAt != t0 || got.Incident != 0 || len(must(s.AllMails(ctx, 0, 9))(t)) != messages {
		t.Errorf("got %+v", got)
	}
	same(t, "log", must(s.Audit(ctx, a.ID, 0, 1))(t)[0].Action, "fallback.stopped")
	must(s.SendFallbackLink(ctx, a.ID, w.ID, at(t0)))(t)
	must(s.SetFallbackToken(ctx, must(s.AllMails(ctx, 0, 1))(t)[0].ID, []byte("two"), t0.Add(time.Hour)))(t)
	ok(t, s.ConfirmFallback(ctx, []byte("two"), false, t0))
	same(t, "confirmed again", must(s.Fallback(ctx, a.ID, w.ID))(t).StoppedAt, time.Time{})
}

func testFallbackDeleted(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a, w := shop(t, s)
	deliver(t, s, a.ID, 1)
	listedOnce(t, s, confirmed(t, s, w))
	must(s.DeleteWebhook(ctx, a.ID, w.ID, at(t0)))(t)
	_, err := s.FallbackOf(ctx, w.ID)
	wantError(t, "of a deleted webhook", err, webhook.ErrNotFound)
	mail, about := lastMail(t, s)
	same(t, "told", []string{mail.To, string(about.Last)}, []string{office, "deleted"})
}

func testFallbackMessages(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a, w := shop(t, s)
	f := confirmed(t, s, w)
	same(t, "of a failing webhook", must(s.Fallbacks(ctx, []webhook.WebhookID{w.ID}))(t), []fallback.Fallback{f})
	same(t, "of none", len(must(s.Fallbacks(ctx, nil))(t)), 0)
	m := fallback.Mail{Webhook: w.ID, Incident: 7, From: t0.Add(-time.Hour), Until: t0.Add(time.Hour)}
	now := t0.Add(time.Hour)
	wantError(t, "nothing to list", s.QueueFallback(ctx, f, m, now), webhook.ErrNotFound)
	same(t, "unchanged", must(s.Fallback(ctx, a.ID, w.ID))(t), f)
	deliver(t, s, a.ID, 2)
	queued := 0
	s.WatchOutbox(func() { queued++ })
	ok(t, s.QueueFallback(ctx, f, m, now))
	same(t, "woken", queued, 1)
	wantError(t, "once more", s.QueueFallback(ctx, f, m, now), webhook.ErrConflict)
	mail, about := lastMail(t, s)
	same(t, "about", about, m)
	same(t, "to", []string{mail.To, string(mail.Kind)}, []string{office, "fallback"})
	got := must(s.Fallback(ctx, a.ID, w.ID))(t)
	if !got.Sending || got.Incident != 7 || got.Since != m.From || got.QueuedAt != now || !got.Listed.IsZero() {
		t.Errorf("queued: got %+v", got)
	}
	failed := claimList(t, s, now)
	failed.State, failed.Problem = webhook.MailFailed, webhook.NewMessage("mail.later", "a", "b")
	ok(t, s.FinishMail(ctx, failed))
	got = must(s.Fallback(ctx, a.ID, w.ID))(t)
	if got.Sending || !got.Listed.IsZero() || got.Problem.IsZero() {
		t.Errorf("not sent: got %+v", got)
	}
	f = got
	same(t, "about which messages are sent", must(s.Fallbacks(ctx, nil))(t), []fallback.Fallback{f})
	m.Until = t0.Add(2 * time.Hour)
	ok(t, s.QueueFallback(ctx, f, m, t0.Add(2*time.Hour)))
	sent := claimList(t, s, t0.Add(2*time.Hour))
	sent.State = webhook.MailSent
	ok(t, s.FinishMail(ctx, sent))
	f = must(s.Fallback(ctx, a.ID, w.ID))(t)
	same(t, "listed", f.Listed, m.Until)
	ok(t, s.QueueFallback(ctx, f, f.LastMail(fallback.Over), t0.Add(3*time.Hour)))
	_, about = lastMail(t, s)
	same(t, "the last", about, fallback.Mail{Webhook: w.ID, Incident: 7, From: t0.Add(-time.Hour), Until: m.Until, Last: fallback.Over})
	got = must(s.Fallback(ctx, a.ID, w.ID))(t)
	if got.Incident != 0 || got.Listed != m.Until || got.QueuedAt != f.QueuedAt {
		t.Errorf("after the last: got %+v", got)
	}
}

// testFallbackRace: of several that see the same, one queues a message.
func testFallbackRace(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a, w := shop(t, s)
	deliver(t, s, a.ID, 1)
	f := confirmed(t, s, w)
	before := len(must(s.AllMails(ctx, 0, 99))(t))
	m := fallback.Mail{Webhook: w.ID, Incident: 7, From: t0.Add(-time.Hour), Until: t0.Add(time.Hour)}
	race := func(what string, f fallback.Fallback, m fallback.Mail) {
		t.Helper()
		var all sync.WaitGroup
		var won atomic.Int64
		for range 8 {
			all.Go(func() {
				if s.QueueFallback(ctx, f, m, t0.Add(time.Hour)) == nil {
					won.Add(1)
				}
			})
		}
		all.Wait()
		before++
		if n := len(must(s.AllMails(ctx, 0, 99))(t)); won.Load() != 1 || n != before {
			t.Errorf("%s: %d of 8 queued it, %d messages", what, won.Load(), n)
		}
	}
	race("the first", f, m)
	f = must(s.Fallback(ctx, a.ID, w.ID))(t)
	f.Listed = m.Until
	race("the last", f, f.LastMail(fallback.Over))
}

func testFallbackLists(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a, w := shop(t, s)
	waiting, failed, delivered, cancelled := ended(t, s, w, webhook.Pending), ended(t, s, w, webhook.Failed), ended(t, s, w, webhook.Delivered), ended(t, s, w, webhook.Cancelled)
	test := newEvent("test")
	test.Test = true
	other := newEvent("no booking")
	other.BookingID = ""
	ingest(t, s, a.ID, test, other)
	lists := func(what string, m fallback.Mail, want ...webhook.DeliveryID) {
		t.Helper()
		m.Webhook = w.ID
		rows, all, err := s.ListedDeliveries(ctx, a.ID, m, 99)
		ok(t, err)
		var ids []webhook.DeliveryID
		for _, d := range rows {
			ids = append(ids, d.ID)
		}
		same(t, what, ids, want)
		same(t, what+": how many", all, webhook.Count{N: len(want)})
		rows, all, err = s.ListedDeliveries(ctx, a.ID, m, 1)
		ok(t, err)
		same(t, what+": the first", []int{len(rows), all.N}, []int{min(1, len(want)), len(want)})
	}
	hour := func(n int) time.Time { return t0.Add(time.Duration(n) * time.Hour) }
	lists("what has not arrived", fallback.Mail{From: hour(-1), Until: hour(1)}, waiting, failed)
	lists("before", fallback.Mail{From: hour(-2), Until: hour(-1)})
	lists("after", fallback.Mail{From: hour(1), Until: hour(2)})
	lists("what became of it", fallback.Mail{From: hour(-1), Until: hour(1), Last: fallback.Over}, waiting, failed, cancelled)
	claim(t, s, w.ID, 9, hour(1))
	finish(t, s, failure(waiting, w.ID, 2, time.Time{}), hour(1).Add(time.Minute))
	lists("what has failed for good since", fallback.Mail{From: hour(1), Until: hour(2)}, waiting)
	lists("and then no more", fallback.Mail{From: hour(2), Until: hour(3)})
	lists("it was longer ago than retries take", fallback.Mail{From: hour(1).Add(webhook.FailingLimit), Until: hour(1000)})

	_, err := s.Replay(ctx, a.ID, delivered, at(hour(1)))
	ok(t, err)
	claim(t, s, w.ID, 9, hour(1))
	finish(t, s, success(delivered, w.ID, 2), hour(1))
	lists("what arrived late", fallback.Mail{From: hour(-1), Until: hour(1), Last: fallback.Over}, waiting, failed, delivered, cancelled)
	rows, _, err := s.ListedDeliveries(ctx, newAccount(t, s).ID, fallback.Mail{Webhook: w.ID, From: hour(-1), Until: hour(1)}, 9)
	ok(t, err)
	same(t, "for another account", len(rows), 0)
	f := confirmed(t, s, w)
	m := fallback.Mail{Webhook: w.ID, Incident: 7, From: hour(0).Add(-time.Minute), Until: hour(1)}
	must(s.SetEnabled(ctx, a.ID, w.ID, false, at(t0)))(t)
	m.From = hour(3)
	m.Until = hour(4)
	wantError(t, "off, and nothing came in", s.QueueFallback(ctx, f, m, t0), webhook.ErrNotFound)
	m.From, m.Until = time.Now().Add(-time.Minute), time.Now().Add(time.Minute)
	ingest(t, s, a.ID, newEvent("skipped"))
	ok(t, s.QueueFallback(ctx, f, m, t0))
}
