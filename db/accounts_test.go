package db_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"bookhook/db"
	"bookhook/messages"
	"bookhook/webhook"
)

var accountTests = []test{
	{"set-up happens once", testSetup},
	{"numbers", testAccountNumbers},
	{"round trip", testAccountRoundTrip},
	{"list", testAccountList},
	{"change", testUpdateAccount},
	{"limit", testSetLimit},
	{"audit", testAudit},
}

func testSetup(t *testing.T, s *db.Store) {
	ctx := t.Context()
	if must(s.HasUsers(ctx))(t) {
		t.Error("a new database has users")
	}
	errs := make([]error, 20)
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() {
			a := webhook.Account{Name: fmt.Sprint("Operator ", i), TimeZone: "UTC", WebhookLimit: 10, CreatedAt: t0}
			u := webhook.User{Email: fmt.Sprintf("u%d@example.com", i), PasswordHash: "x", Role: webhook.RoleAdmin, CreatedAt: t0}
			a, u, errs[i] = s.Setup(ctx, a, u, at(t0))
			if errs[i] == nil && (a.ID == 0 || u.ID == 0 || u.Account != a.ID || a.Number != 1) {
				t.Errorf("got account %+v, user %+v, want ids, number 1 and the user in it", a, u)
			}
		})
	}
	wg.Wait()
	won := 0
	for _, err := range errs {
		if err == nil {
			won++
		} else {
			wantError(t, "set-up", err, webhook.ErrConflict)
		}
	}
	same(t, "set-ups that won", won, 1)
	same(t, "accounts", len(must(s.Accounts(ctx))(t)), 1)
	same(t, "has users", must(s.HasUsers(ctx))(t), true)
}

func testAccountNumbers(t *testing.T, s *db.Store) {
	ctx := t.Context()
	tests := []struct{ number, want int64 }{{0, 1}, {0, 2}, {4069, 4069}, {0, 4070}, {3, 3}, {0, 4071}}
	for _, tt := range tests {
		a := must(s.AddAccount(ctx, webhook.Account{Number: tt.number, Name: "A", TimeZone: "UTC", CreatedAt: t0}, at(t0)))(t)
		same(t, fmt.Sprintf("number of %d", tt.number), a.Number, tt.want)
	}
	_, err := s.AddAccount(ctx, webhook.Account{Number: 4069, Name: "B", TimeZone: "UTC"}, at(t0))
	wantInvalid(t, err, "number", "4069")
	same(t, "accounts", len(must(s.Accounts(ctx))(t)), len(tests))
}

func testAccountRoundTrip(t *testing.T, s *db.Store) {
	ctx := t.Context()
	want := newAccount(t, s)
	same(t, "by id", must(s.Account(ctx, want.ID))(t), want)
	same(t, "by number", must(s.AccountByNumber(ctx, want.Number))(t), want)
	_, err := s.Account(ctx, want.ID+1)
	wantError(t, "no such id", err, webhook.ErrNotFound)
	_, err = s.AccountByNumber(ctx, want.Number+1)
	wantError(t, "no such number", err, webhook.ErrNotFound)
}

func testAccountList(t *testing.T, s *db.Store) {
	ctx := t.Context()
	b := must(s.AddAccount(ctx, webhook.Account{Number: 7, Name: "B", TimeZone: "UTC", WebhookLimit: 3, CreatedAt: t0}, at(t0)))(t)
	a := must(s.AddAccount(ctx, webhook.Account{Number: 5, Name: "A", TimeZone: "UTC", WebhookLimit: 10, CreatedAt: t0}, at(t0)))(t)
	addHook(t, s, b.ID)
	addHook(t, s, b.ID, func(w *webhook.Webhook) { w.Enabled = false })
	gone := addHook(t, s, b.ID)
	must(s.DeleteWebhook(ctx, b.ID, gone.ID, at(t0)))(t)
	must(s.AddUser(ctx, webhook.User{Account: b.ID, Email: "x@example.com", Role: webhook.RoleStaff, CreatedAt: t0}, at(t0)))(t)
	want := []webhook.AccountUse{{Account: a}, {Account: b, Webhooks: 2, Users: 1}}
	same(t, "accounts", must(s.Accounts(ctx))(t), want)
}

func testUpdateAccount(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a, other := newAccount(t, s), newAccount(t, s)
	a.Name, a.Number, a.TimeZone = "Neuer Name", 99, "Asia/Tokyo"
	ok(t, s.UpdateAccount(ctx, a, at(t0)))
	same(t, "account", must(s.Account(ctx, a.ID))(t), a)
	a.Number = other.Number
	wantInvalid(t, s.UpdateAccount(ctx, a, at(t0)), "number", "another account")
	a.ID++
	a.Number = 100
	wantError(t, "no such account", s.UpdateAccount(ctx, a, at(t0)), webhook.ErrNotFound)
}

func testSetLimit(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a := newAccount(t, s)
	ok(t, s.SetLimit(ctx, a.ID, 25, at(t0)))
	same(t, "limit", must(s.Account(ctx, a.ID))(t).WebhookLimit, 25)
	wantError(t, "no such account", s.SetLimit(ctx, a.ID+1, 25, at(t0)), webhook.ErrNotFound)
}

// testAudit pages through what was changed, the newest first.
func testAudit(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a, other := newAccount(t, s), newAccount(t, s)
	for i := range 5 {
		ok(t, s.SetLimit(ctx, a.ID, i, at(t0.Add(time.Duration(i)*time.Second))))
	}
	page := must(s.Audit(ctx, a.ID, 0, 4))(t)
	got := []string{}
	for _, e := range page {
		got = append(got, messages.Text(e.Message()))
	}
	same(t, "first page", got, []string{"Set the limit to 4 webhooks.", "Set the limit to 3 webhooks.", "Set the limit to 2 webhooks.", "Set the limit to 1 webhooks."})
	want := webhook.AuditEntry{ID: page[0].ID, Account: a.ID, Change: at(t0.Add(4 * time.Second)), Action: "account.limit", Subject: a.ID.String(), Args: []string{"4"}}
	same(t, "newest entry", page[0], want)
	page = must(s.Audit(ctx, a.ID, page[3].ID, 4))(t)
	same(t, "entries on the last page", len(page), 2)
	same(t, "entries of another account", len(must(s.Audit(ctx, other.ID, 0, 10))(t)), 1)
	if err := s.SetLimit(ctx, 1, 1, at(t0)); !errors.Is(err, webhook.ErrNotFound) {
		t.Errorf("got %v, want not found", err)
	}
}
