package db_test

import (
	"testing"
	"time"

	"bookhook/db"
	"bookhook/webhook"
)

var draftTests = []test{
	{"round trip", testDraftRoundTrip},
	{"delete", testDeleteDraft},
	{"fence", testDraftFence},
	{"gone with the webhook", testDraftOfDeletedWebhook},
	{"list", testDraftList},
}

func newDraft(tb testing.TB, s *db.Store, account webhook.AccountID) webhook.Draft {
	tb.Helper()
	d := webhook.NewDraft([]string{"cancelled"})
	d.Account = account
	return must(s.SaveDraft(tb.Context(), d, t0))(tb)
}

func testDraftRoundTrip(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a, w := shop(t, s)
	d := webhook.EditDraft(w)
	d.Account = a.ID
	d.Name, d.URL = " 🎟 \"x\" ", "ftp://not/yet right"
	d = must(s.SaveDraft(ctx, d, t0))(t)
	if d.ID == 0 {
		t.Fatal("a new draft has no id")
	}
	d.Events = nil
	same(t, "draft", must(s.Draft(ctx, a.ID, d.ID))(t), d)
	d.AllEvents, d.Events = false, []string{"cancelled"}
	d.Tours = webhook.NewFilter(webhook.Exclude, []string{"2", "1"})
	saved := must(s.SaveDraft(ctx, d, t0.Add(time.Second)))(t)
	d.UpdatedAt = t0.Add(time.Second)
	same(t, "saved", saved, d)
	same(t, "draft", must(s.Draft(ctx, a.ID, d.ID))(t), d)
	same(t, "base", must(s.Draft(ctx, a.ID, d.ID))(t).Base.Equal(w.UpdatedAt), true)
}

func testDeleteDraft(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a := newAccount(t, s)
	d := newDraft(t, s, a.ID)
	ok(t, s.DeleteDraft(ctx, a.ID, d.ID))
	_, err := s.Draft(ctx, a.ID, d.ID)
	wantError(t, "find", err, webhook.ErrNotFound)
	wantError(t, "delete again", s.DeleteDraft(ctx, a.ID, d.ID), webhook.ErrNotFound)
	_, err = s.SaveDraft(ctx, d, t0)
	wantError(t, "save", err, webhook.ErrNotFound)
}

// testDraftFence: what was read before another save is neither saved nor
// finished, not even within one millisecond.
func testDraftFence(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a, w := shop(t, s)
	old := newDraft(t, s, a.ID)
	mine, theirs := old, old
	mine.Name, theirs.Name = "Mine", "Theirs"
	theirs = must(s.SaveDraft(ctx, theirs, t0))(t)
	_, err := s.SaveDraft(ctx, mine, t0.Add(time.Second))
	wantError(t, "save", err, webhook.ErrDraftChanged)
	_, err = s.CreateWebhook(ctx, newHook(a.ID), &old, at(t0))
	wantError(t, "create", err, webhook.ErrDraftChanged)
	wantError(t, "update", update(t, s, webhook.Update{Webhook: w, Base: w.UpdatedAt, Draft: &old}, at(t0)), webhook.ErrDraftChanged)
	same(t, "draft", must(s.Draft(ctx, a.ID, old.ID))(t), theirs)
	same(t, "webhooks", must(s.Webhooks(ctx, a.ID))(t), []*webhook.Webhook{w})
	ok(t, update(t, s, webhook.Update{Webhook: w, Base: w.UpdatedAt, Draft: &theirs}, at(t0)))
}

func testDraftOfDeletedWebhook(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a, w := shop(t, s)
	d := webhook.EditDraft(w)
	d.Account = a.ID
	d = must(s.SaveDraft(ctx, d, t0))(t)
	stays := newDraft(t, s, a.ID)
	must(s.DeleteWebhook(ctx, a.ID, w.ID, at(t0)))(t)
	_, err := s.Draft(ctx, a.ID, d.ID)
	wantError(t, "draft of the webhook", err, webhook.ErrNotFound)
	must(s.Draft(ctx, a.ID, stays.ID))(t)
}

func testDraftList(t *testing.T, s *db.Store) {
	a, other := newAccount(t, s), newAccount(t, s)
	first, second := newDraft(t, s, a.ID), newDraft(t, s, a.ID)
	newDraft(t, s, other.ID)
	same(t, "drafts", must(s.Drafts(t.Context(), a.ID))(t), []webhook.Draft{second, first})
}
