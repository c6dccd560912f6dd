package db_test

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"bookhook/db"
	"bookhook/incidents"
	"bookhook/reconcile"
	"bookhook/stats"
	"bookhook/webhook"
)

var isolationTests = []test{
	{"another account's ids are not found", testIsolation},
	{"another account's ids filter to nothing", testIsolatedLists},
	{"another account's bookings are not planned", testIsolatedCandidates},
	{"the table is complete", testIsolationComplete},
	{"a held delivery names what it waits for", testWaitsFor},
	{"a stopped delivery waits for nothing", testWaitsForStopped},
}

// theirs is one of each kind of thing, all of one account.
type theirs struct {
	hook     *webhook.Webhook
	draft    webhook.Draft
	user     webhook.User
	token    webhook.Token
	client   webhook.Client
	event    webhook.EventID
	delivery webhook.DeliveryID
	invited  webhook.Invitation
	incident webhook.IncidentID
	view     webhook.ViewID
	planned  webhook.ReplayID
	running  webhook.ReplayID
	upload   webhook.UploadID
	open     webhook.UploadID
	compared webhook.ReconciliationID
	compares webhook.ReconciliationID
}

// isolated are the methods that take an account and an id, called with the
// account "me" and an id of somebody else. Items are in items_test.go.
var isolated = map[string]func(t *testing.T, s *db.Store, me webhook.AccountID, x theirs) error{
	"Webhook": func(t *testing.T, s *db.Store, me webhook.AccountID, x theirs) error {
		_, err := s.Webhook(t.Context(), me, x.hook.ID)
		return err
	},
	"WebhookStats": func(t *testing.T, s *db.Store, me webhook.AccountID, x theirs) error {
		_, err := s.WebhookStats(t.Context(), me, x.hook.ID, stats.Day, t0)
		return err
	},
	"UpdateWebhook": func(t *testing.T, s *db.Store, me webhook.AccountID, x theirs) error {
		w := *x.hook
		w.Account = me
		return update(t, s, webhook.Update{Webhook: &w}, at(t0))
	},
	"UpdateWebhook with their draft": func(t *testing.T, s *db.Store, me webhook.AccountID, x theirs) error {
		return update(t, s, webhook.Update{Webhook: addHook(t, s, me), Draft: &x.draft}, at(t0))
	},
	"CreateWebhook with their draft": func(t *testing.T, s *db.Store, me webhook.AccountID, x theirs) error {
		_, err := s.CreateWebhook(t.Context(), newHook(me), &x.draft, at(t0))
		return err
	},
	"PendingEvent": func(t *testing.T, s *db.Store, me webhook.AccountID, _ theirs) error {
		other := newAccount(t, s)
		waits := newEvent("")
		waits.Inbound, waits.Lookup = true, true
		_, err := s.PendingEvent(t.Context(), me, ingest(t, s, other.ID, waits)[0].Event.ID)
		return err
	},
	"Fallback": func(t *testing.T, s *db.Store, me webhook.AccountID, x theirs) error {
		_, err := s.Fallback(t.Context(), me, x.hook.ID)
		return err
	},
	"SendFallbackLink": func(t *testing.T, s *db.Store, me webhook.AccountID, x theirs) error {
		_, err := s.SendFallbackLink(t.Context(), me, x.hook.ID, at(t0))
		return err
	},
	"RemoveFallback": func(t *testing.T, s *db.Store, me webhook.AccountID, x theirs) error {
		_, err := s.RemoveFallback(t.Context(), me, x.hook.ID, at(t0))
		return err
	},
	"Incident": func(t *testing.T, s *db.Store, me webhook.AccountID, x theirs) error {
		_, err := s.Incident(t.Context(), me, x.incident)
		return err
	},
	"LastFailure": func(t *testing.T, s *db.Store, me webhook.AccountID, x theirs) error {
		_, _, err := s.LastFailure(t.Context(), me, x.hook.ID)
		return err
	},
	"SetEnabled": func(t *testing.T, s *db.Store, me webhook.AccountID, x theirs) error {
		_, err := s.SetEnabled(t.Context(), me, x.hook.ID, false, at(t0))
		return err
	},
	"RotateSecret": func(t *testing.T, s *db.Store, me webhook.AccountID, x theirs) error {
		return s.RotateSecret(t.Context(), me, x.hook.ID, x.hook.SecretShownAt, "whsec_mine", at(t0))
	},
	"MarkSecretStored": func(t *testing.T, s *db.Store, me webhook.AccountID, x theirs) error {
		return s.MarkSecretStored(t.Context(), me, x.hook.ID, x.hook.SecretShownAt, at(t0))
	},
	"DeleteWebhook": func(t *testing.T, s *db.Store, me webhook.AccountID, x theirs) error {
		_, err := s.DeleteWebhook(t.Context(), me, x.hook.ID, at(t0))
		return err
	},
	"Test": func(t *testing.T, s *db.Store, me webhook.AccountID, x theirs) error {
		_, err := s.Test(t.Context(), me, x.hook.ID, newEvent(""), t0)
		return err
	},
	"TestInline": func(t *testing.T, s *db.Store, me webhook.AccountID, x theirs) error {
		_, err := s.TestInline(t.Context(), me, x.hook.ID, newEvent(""), t0, lease)
		return err
	},
	"Draft": func(t *testing.T, s *db.Store, me webhook.AccountID, x theirs) error {
		_, err := s.Draft(t.Context(), me, x.draft.ID)
		return err
	},
	"SaveDraft": func(t *testing.T, s *db.Store, me webhook.AccountID, x theirs) error {
		x.draft.Account = me
		_, err := s.SaveDraft(t.Context(), x.draft, t0)
		return err
	},
	"DeleteDraft": func(t *testing.T, s *db.Store, me webhook.AccountID, x theirs) error {
		return s.DeleteDraft(t.Context(), me, x.draft.ID)
	},
	"SetRole": func(t *testing.T, s *db.Store, me webhook.AccountID, x theirs) error {
		return s.SetRole(t.Context(), me, x.user.ID, webhook.RoleStaff, at(t0))
	},
	"RemoveUser": func(t *testing.T, s *db.Store, me webhook.AccountID, x theirs) error {
		return s.RemoveUser(t.Context(), me, x.user.ID, at(t0))
	},
	"RevokeToken": func(t *testing.T, s *db.Store, me webhook.AccountID, x theirs) error {
		return s.RevokeToken(t.Context(), me, x.token.ID, at(t0))
	},
	"RevokeClient": func(t *testing.T, s *db.Store, me webhook.AccountID, x theirs) error {
		return s.RevokeClient(t.Context(), me, x.client.ID, at(t0))
	},
	"DeleteView": func(t *testing.T, s *db.Store, me webhook.AccountID, x theirs) error {
		_, err := s.DeleteView(t.Context(), me, x.user.ID, x.view)
		return err
	},
	"SendInvitation": func(t *testing.T, s *db.Store, me webhook.AccountID, x theirs) error {
		_, err := s.SendInvitation(t.Context(), me, x.invited.ID, at(t0))
		return err
	},
	"WithdrawInvitation": func(t *testing.T, s *db.Store, me webhook.AccountID, x theirs) error {
		_, err := s.WithdrawInvitation(t.Context(), me, x.invited.ID, at(t0))
		return err
	},
	"Event": func(t *testing.T, s *db.Store, me webhook.AccountID, x theirs) error {
		_, err := s.Event(t.Context(), me, x.event)
		return err
	},
	"Delivery": func(t *testing.T, s *db.Store, me webhook.AccountID, x theirs) error {
		_, err := s.Delivery(t.Context(), me, x.delivery)
		return err
	},
	"WaitsFor": func(t *testing.T, s *db.Store, me webhook.AccountID, x theirs) error {
		_, err := s.WaitsFor(t.Context(), me, x.delivery)
		return err
	},
	"Replay": func(t *testing.T, s *db.Store, me webhook.AccountID, x theirs) error {
		_, err := s.Replay(t.Context(), me, x.delivery, at(t0))
		return err
	},
	"Send": func(t *testing.T, s *db.Store, me webhook.AccountID, x theirs) error {
		_, err := s.Send(t.Context(), me, x.event, x.hook.ID, at(t0))
		return err
	},
	"RetryOldest": func(t *testing.T, s *db.Store, me webhook.AccountID, x theirs) error {
		_, err := s.RetryOldest(t.Context(), me, x.hook.ID, at(t0))
		return err
	},
	"Send their event to mine": func(t *testing.T, s *db.Store, me webhook.AccountID, x theirs) error {
		_, err := s.Send(t.Context(), me, x.event, addHook(t, s, newAccount(t, s).ID).ID, at(t0))
		return err
	},
	"AddReplayItems": func(t *testing.T, s *db.Store, me webhook.AccountID, x theirs) error {
		return s.AddReplayItems(t.Context(), me, x.planned, nil)
	},
	"StartReplay": func(t *testing.T, s *db.Store, me webhook.AccountID, x theirs) error {
		_, err := s.StartReplay(t.Context(), me, x.planned, at(t0))
		return err
	},
	"DropReplay": func(t *testing.T, s *db.Store, me webhook.AccountID, x theirs) error {
		return s.DropReplay(t.Context(), me, x.planned)
	},
	"BulkReplay": func(t *testing.T, s *db.Store, me webhook.AccountID, x theirs) error {
		_, err := s.BulkReplay(t.Context(), me, x.running)
		return err
	},
	"CancelReplay": func(t *testing.T, s *db.Store, me webhook.AccountID, x theirs) error {
		_, err := s.CancelReplay(t.Context(), me, x.running, at(t0))
		return err
	},
	"Cancel": func(t *testing.T, s *db.Store, me webhook.AccountID, x theirs) error {
		return s.Cancel(t.Context(), me, x.delivery, at(t0))
	},
	"Upload": func(t *testing.T, s *db.Store, me webhook.AccountID, x theirs) error {
		_, err := s.Upload(t.Context(), me, x.upload)
		return err
	},
	"UploadBlock": func(t *testing.T, s *db.Store, me webhook.AccountID, x theirs) error {
		_, err := s.UploadBlock(t.Context(), me, x.upload, 0)
		return err
	},
	"AddUploadBlock": func(t *testing.T, s *db.Store, me webhook.AccountID, x theirs) error {
		return s.AddUploadBlock(t.Context(), me, x.open, 1, []byte("x"))
	},
	"CompleteUpload": func(t *testing.T, s *db.Store, me webhook.AccountID, x theirs) error {
		_, err := s.CompleteUpload(t.Context(), me, x.open)
		return err
	},
	"DropUpload": func(t *testing.T, s *db.Store, me webhook.AccountID, x theirs) error {
		return s.DropUpload(t.Context(), me, x.upload)
	},
	"AddHeld": func(t *testing.T, s *db.Store, me webhook.AccountID, x theirs) error {
		_, err := s.AddHeld(t.Context(), me, x.compares, nil)
		return err
	},
	"MatchHeld": func(t *testing.T, s *db.Store, me webhook.AccountID, x theirs) error {
		return s.MatchHeld(t.Context(), me, x.compares, nil, reconcile.Key)
	},
	"SetHeld": func(t *testing.T, s *db.Store, me webhook.AccountID, x theirs) error {
		return s.SetHeld(t.Context(), me, x.compares, nil)
	},
	"SetLacking": func(t *testing.T, s *db.Store, me webhook.AccountID, x theirs) error {
		return s.SetLacking(t.Context(), me, x.compares, nil)
	},
	"FinishReconciliation": func(t *testing.T, s *db.Store, me webhook.AccountID, x theirs) error {
		_, err := s.FinishReconciliation(t.Context(), webhook.Reconciliation{Account: me, ID: x.compares})
		return err
	},
	"Reconciliation": func(t *testing.T, s *db.Store, me webhook.AccountID, x theirs) error {
		_, err := s.Reconciliation(t.Context(), me, x.compared)
		return err
	},
	"DropReconciliation": func(t *testing.T, s *db.Store, me webhook.AccountID, x theirs) error {
		return s.DropReconciliation(t.Context(), me, x.compared)
	},
}

// listing are the methods that take an account and an id and list: nothing of
// another account, but no error.
var listing = map[string]bool{
	"Attempts": true, "Audit": true, "Backlog": true, "BulkReplays": true, "Candidates": true,
	"CandidateEvents": true, "DeliveryStates": true, "EventData": true, "GivenUp": true, "LaterEvents": true, "LookupsOf": true, "RejectedRequests": true, "SavedViews": true, "RecentFailures": true, "ReplayQueue": true, "Sparklines": true, "Speed": true,
	"DeliveredLate": true, "LackingBookings": true, "Mails": true, "Undelivered": true, "HeldMatches": true, "UncomparedHeld": true, "UnsentHeld": true,
}

func furnish(tb testing.TB, s *db.Store) (webhook.Account, theirs) {
	tb.Helper()
	a, w := shop(tb, s)
	x := theirs{hook: w, draft: newDraft(tb, s, a.ID), user: newUser(tb, s, a.ID, "x@example.com"), token: newToken(tb, s, a.ID, "T", "h")}
	x.client = newClient(tb, s, a.ID, "C", "h")
	x.invited = invite(tb, s, a.ID, "i@example.com")
	keep(tb, s, x.user, "Night", "state=failed")
	x.view = must(s.SavedViews(tb.Context(), a.ID, x.user.ID, webhook.ViewedDeliveries))(tb)[0].ID
	accepted := ingest(tb, s, a.ID, newEvent("x"))
	x.event, x.delivery = accepted[0].Event.ID, accepted[0].Decisions[0].Delivery
	claim(tb, s, w.ID, 1, t0)
	finish(tb, s, failure(x.delivery, w.ID, 1, t0.Add(time.Minute)), t0)
	x.hook = must(s.Webhook(tb.Context(), a.ID, w.ID))(tb)
	x.planned = plannedReplay(tb, s, x.delivery, x.hook, x.event).ID
	x.running = must(s.StartReplay(tb.Context(), a.ID, plannedReplay(tb, s, x.delivery, x.hook, x.event).ID, at(t0)))(tb).ID
	x.upload, x.open = uploaded(tb, s, a.ID, "B1").ID, must(s.AddUpload(tb.Context(), webhook.Upload{Account: a.ID, Created: at(t0)}))(tb).ID
	x.compared, x.compares = compared(tb, s, w, "B1"), comparing(tb, s, w, "1234").ID
	ok(tb, s.ChangeIncident(tb.Context(), opens(a.ID, w.ID.String()), incidents.Notice{}, t0))
	x.incident = must(s.Incidents(tb.Context(), a.ID, t0, 9))(tb)[0].ID
	chooseFallback(tb, s, w, "fallback@example.com")
	return a, x
}

func testIsolation(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a, x := furnish(t, s)
	before := must(s.Delivery(ctx, a.ID, x.delivery))(t)
	entries := len(must(s.Audit(ctx, a.ID, 0, 100))(t))
	for name, call := range isolated {
		me := newAccount(t, s)
		wantError(t, name, call(t, s, me.ID, x), webhook.ErrNotFound)
	}
	same(t, "webhook", must(s.Webhook(ctx, a.ID, x.hook.ID))(t), x.hook)
	same(t, "delivery", must(s.Delivery(ctx, a.ID, x.delivery))(t), before)
	same(t, "replays", len(must(s.BulkReplays(ctx, a.ID, 0, 9))(t)), 1)
	same(t, "replay", must(s.BulkReplay(ctx, a.ID, x.running))(t).State, webhook.ReplayRunning)
	same(t, "draft", must(s.Draft(ctx, a.ID, x.draft.ID))(t), x.draft)
	same(t, "comparisons", len(must(s.Reconciliations(ctx, a.ID))(t)), 1)
	same(t, "held", len(must(s.UnsentHeld(ctx, a.ID, x.compared, "", 9))(t)), 1)
	same(t, "held by one under way", must(s.UncomparedHeld(ctx, a.ID, x.compares, ""))(t)[0].Key, "1234")
	same(t, "upload", string(must(s.UploadBlock(ctx, a.ID, x.upload, 0))(t)), "B1")
	same(t, "users", must(s.Users(ctx, a.ID))(t), []webhook.User{x.user})
	same(t, "tokens", must(s.Tokens(ctx, a.ID))(t), []webhook.Token{x.token})
	same(t, "clients", must(s.Clients(ctx, a.ID))(t), []webhook.Client{x.client})
	same(t, "invitations", must(s.Invitations(ctx, a.ID))(t), []webhook.Invitation{x.invited})
	same(t, "audit entries", len(must(s.Audit(ctx, a.ID, 0, 100))(t)), entries)
	for name, call := range isolated { // and nothing is found of an account that does not exist
		if name != "UpdateWebhook with their draft" {
			wantError(t, name, call(t, s, 1, x), webhook.ErrNotFound)
		}
	}
}

func testIsolatedLists(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a, x := furnish(t, s)
	me, _ := shop(t, s)
	deliver(t, s, me.ID, 1)
	same(t, "attempts of mine", len(must(s.Attempts(ctx, a.ID, x.delivery, 0))(t)), 1)
	same(t, "attempts of theirs", len(must(s.Attempts(ctx, me.ID, x.delivery, 0))(t)), 0)
	for _, f := range []webhook.DeliveryFilter{{Webhook: x.hook.ID}, {Event: x.event}} {
		f.Limit = 10
		same(t, "deliveries", len(must(s.Deliveries(ctx, me.ID, f))(t).Rows), 0)
		same(t, "count", must(s.CountDeliveries(ctx, me.ID, f))(t).N, 0)
		newer, older, err := s.Neighbours(ctx, me.ID, f, 1)
		ok(t, err)
		same(t, "beside theirs", []webhook.DeliveryID{newer, older}, []webhook.DeliveryID{0, 0})
	}
	same(t, "deliveries of mine by their ids", len(must(s.DeliveriesOf(ctx, a.ID, []webhook.DeliveryID{x.delivery}))(t)), 1)
	same(t, "deliveries of theirs by their ids", len(must(s.DeliveriesOf(ctx, me.ID, []webhook.DeliveryID{x.delivery}))(t)), 0)
	same(t, "views of theirs", len(must(s.SavedViews(ctx, a.ID, x.user.ID, webhook.ViewedDeliveries))(t)), 1)
	same(t, "their views for me", len(must(s.SavedViews(ctx, me.ID, x.user.ID, webhook.ViewedDeliveries))(t)), 0)
	same(t, "messages of theirs", len(must(s.Mails(ctx, a.ID, 0, 9))(t)), 2)
	same(t, "their messages for me", len(must(s.Mails(ctx, me.ID, 0, 9))(t)), 0)
	same(t, "their invitations for me", len(must(s.Invitations(ctx, me.ID))(t)), 0)
	same(t, "backlog of theirs", must(s.Backlog(ctx, a.ID, x.hook.ID))(t).Waiting, 1)
	same(t, "their failures for me", must(s.RecentFailures(ctx, me.ID, x.hook.ID, webhook.RecentCounted))(t), webhook.Failures{})
	same(t, "what they gave up for me", len(must(s.GivenUp(ctx, me.ID, x.hook.ID, time.Time{}))(t)), 0)
	same(t, "their backlog for me", must(s.Backlog(ctx, me.ID, x.hook.ID))(t), webhook.Backlog{})
	matches := 0
	ok(t, s.HeldMatches(ctx, a.ID, x.compares, "", "Z", func(webhook.BookingMatch) { matches++ }))
	same(t, "matches of theirs", matches, 1)
	same(t, "their comparisons for me", len(must(s.Reconciliations(ctx, me.ID))(t)), 0)
	same(t, "held of theirs", len(must(s.UnsentHeld(ctx, a.ID, x.compared, "", 9))(t)), 1)
	same(t, "what they hold for me", len(must(s.UnsentHeld(ctx, me.ID, x.compared, "", 9))(t)), 0)
	same(t, "what is not compared for me", len(must(s.UncomparedHeld(ctx, me.ID, x.compares, ""))(t)), 0)
	same(t, "lacking of theirs", len(must(s.LackingBookings(ctx, a.ID, x.compared, "", 9))(t)), 1)
	same(t, "what they lack for me", len(must(s.LackingBookings(ctx, me.ID, x.compared, "", 9))(t)), 0)
	ok(t, s.HeldMatches(ctx, me.ID, x.compares, "", "Z", func(m webhook.BookingMatch) { t.Errorf("got %v of theirs", m) }))
	same(t, "what they were sent for me", len(must(s.SentBookings(ctx, me.ID, webhook.ReconcileRequest{Webhook: x.hook.ID}, 0))(t).Rows), 0)
	same(t, "their replays for me", len(must(s.BulkReplays(ctx, me.ID, 0, 9))(t)), 0)
	same(t, "their incidents for me", len(must(s.Incidents(ctx, me.ID, time.Time{}, 9))(t)), 0)
	same(t, "bookings of theirs", len(must(s.Undelivered(ctx, a.ID, x.hook.ID, t0.Add(-time.Hour), t0.Add(-time.Hour), 9))(t)), 1)
	same(t, "their bookings for me", len(must(s.Undelivered(ctx, me.ID, x.hook.ID, t0.Add(-time.Hour), t0.Add(-time.Hour), 9))(t)), 0)
	late, _, err := s.DeliveredLate(ctx, me.ID, x.hook.ID, time.Now().Add(-time.Hour), time.Now().Add(time.Hour), time.Time{})
	ok(t, err)
	same(t, "what arrived late for me", late, webhook.Count{})
	same(t, "log", len(must(s.Deliveries(ctx, me.ID, webhook.DeliveryFilter{Limit: 10}))(t).Rows), 1)
	same(t, "events", len(must(s.Events(ctx, me.ID, webhook.EventFilter{Limit: 10}))(t).Rows), 1)
	for _, name := range must(s.WebhookNames(ctx, me.ID))(t) {
		same(t, "names", name, "Accounting")
	}
	same(t, "names", len(must(s.WebhookNames(ctx, me.ID))(t)), 1)
}

func testIsolatedCandidates(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a, x := furnish(t, s)
	other, _ := shop(t, s)
	read := func(account webhook.AccountID) (found []int) {
		events, _, err := s.CandidateEvents(ctx, account, webhook.EventFilter{}, 0)
		ok(t, err)
		data := 0
		ok(t, s.EventData(ctx, account, []webhook.EventID{x.event}, func(webhook.Event) error { data++; return nil }))
		states, _, err := s.DeliveryStates(ctx, account, []webhook.DeliveryID{x.delivery}, x.running)
		ok(t, err)
		return []int{
			len(must(s.Candidates(ctx, account, webhook.ReplayRequest{}, 0))(t).Rows), len(events), data, len(states),
			len(must(s.LaterEvents(ctx, account, []webhook.EventID{x.event}))(t)),
			len(must(s.Deliveries(ctx, account, webhook.DeliveryFilter{Replay: x.running, Limit: 9}))(t).Rows),
			len(must(s.Candidates(ctx, account, webhook.ReplayRequest{Deliveries: webhook.DeliveryFilter{Replay: x.running}}, 0))(t).Rows),
		}
	}
	same(t, "mine", read(a.ID), []int{1, 1, 1, 1, 1, 1, 1})
	same(t, "theirs", read(other.ID), []int{0, 0, 0, 0, 0, 0, 0})
	same(t, "queue of mine", must(s.ReplayQueue(ctx, a.ID, x.running))(t), []webhook.WebhookID{x.hook.ID})
	same(t, "queue of theirs", len(must(s.ReplayQueue(ctx, other.ID, x.running))(t)), 0)
	ended(t, s, x.hook, webhook.Delivered)
	same(t, "speed of mine", must(s.Speed(ctx, a.ID, x.hook.ID))(t), 12*time.Millisecond)
	same(t, "speed of theirs", must(s.Speed(ctx, other.ID, x.hook.ID))(t), 0)
}

// testIsolationComplete: a method that takes an account and an id is in
// one of the tables above.
func testIsolationComplete(t *testing.T, s *db.Store) {
	account := reflect.TypeFor[webhook.AccountID]()
	isID := func(t reflect.Type) bool {
		return t.PkgPath() == account.PkgPath() && strings.HasPrefix(t.Name(), "ID[")
	}
	for method := range reflect.ValueOf(s).Type().Methods() {
		in := method.Type
		if in.NumIn() > 3 && in.In(2) == account && isID(in.In(3)) && isolated[method.Name] == nil && !listing[method.Name] {
			t.Errorf("%s takes an account and an id and is not tested with another account's", method.Name)
		}
	}
}
