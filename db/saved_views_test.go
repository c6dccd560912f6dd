package db_test

import (
	"fmt"
	"testing"

	"bookhook/db"
	"bookhook/webhook"
)

var savedViewTests = []test{
	{"saved, replaced, deleted", testSavedViews},
	{"so many and no more", testSavedViewsLimit},
	{"leave with their person", testSavedViewsRemoved},
}

// keep saves a view of the deliveries.
func keep(tb testing.TB, s *db.Store, u webhook.User, name, query string) {
	tb.Helper()
	ok(tb, s.SaveView(tb.Context(), webhook.SavedView{Account: u.Account, User: u.ID, List: webhook.ViewedDeliveries, Name: name, Query: query}, t0))
}

func viewsOf(tb testing.TB, s *db.Store, u webhook.User, of webhook.ViewedList) string {
	tb.Helper()
	text := ""
	for _, v := range must(s.SavedViews(tb.Context(), u.Account, u.ID, of))(tb) {
		text += v.Name + " " + v.Query + ", "
	}
	return text
}

func testSavedViews(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a, _ := shop(t, s)
	anna, ben := newUser(t, s, a.ID, "anna@example.com"), newUser(t, s, a.ID, "ben@example.com")
	keep(t, s, anna, "Ünpaid 🦭", "state=failed")
	keep(t, s, anna, "Night", "type=cancelled")
	keep(t, s, anna, "Night", "type=wink%3Acancelled")
	keep(t, s, ben, "Night", "state=pending")
	ok(t, s.SaveView(ctx, webhook.SavedView{Account: a.ID, User: anna.ID, List: webhook.ViewedEvents, Name: "Night", Query: "sent=false"}, t0))
	same(t, "of Anna", viewsOf(t, s, anna, webhook.ViewedDeliveries), "Night type=wink%3Acancelled, Ünpaid 🦭 state=failed, ")
	same(t, "of events", viewsOf(t, s, anna, webhook.ViewedEvents), "Night sent=false, ")
	same(t, "of Ben", viewsOf(t, s, ben, webhook.ViewedDeliveries), "Night state=pending, ")

	first := must(s.SavedViews(ctx, a.ID, anna.ID, webhook.ViewedDeliveries))(t)[0]
	same(t, "created", first.CreatedAt, t0)
	_, err := s.DeleteView(ctx, a.ID, ben.ID, first.ID)
	wantError(t, "of somebody else", err, webhook.ErrNotFound)
	other, _ := shop(t, s)
	_, err = s.DeleteView(ctx, other.ID, anna.ID, first.ID)
	wantError(t, "of another account", err, webhook.ErrNotFound)
	same(t, "deleted", must(s.DeleteView(ctx, a.ID, anna.ID, first.ID))(t), first)
	same(t, "left", viewsOf(t, s, anna, webhook.ViewedDeliveries), "Ünpaid 🦭 state=failed, ")
}

func testSavedViewsLimit(t *testing.T, s *db.Store) {
	a, _ := shop(t, s)
	anna, ben := newUser(t, s, a.ID, "anna@example.com"), newUser(t, s, a.ID, "ben@example.com")
	for i := range webhook.MaxSavedViews {
		keep(t, s, anna, fmt.Sprint("View ", i), "state=failed")
	}
	keep(t, s, anna, "View 0", "state=pending") // replaced
	keep(t, s, ben, "View", "state=failed")
	err := s.SaveView(t.Context(), webhook.SavedView{Account: a.ID, User: anna.ID, List: webhook.ViewedEvents, Name: "One more"}, t0)
	same(t, "one more", err, error(webhook.LimitReached{What: webhook.LimitedViews, Limit: webhook.MaxSavedViews, Used: webhook.MaxSavedViews}))
}

func testSavedViewsRemoved(t *testing.T, s *db.Store) {
	a, _ := shop(t, s)
	anna := newUser(t, s, a.ID, "anna@example.com")
	keep(t, s, anna, "Night", "state=failed")
	ok(t, s.RemoveUser(t.Context(), a.ID, anna.ID, at(t0)))
	same(t, "left", viewsOf(t, s, anna, webhook.ViewedDeliveries), "")
}
