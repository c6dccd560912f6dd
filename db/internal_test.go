package db

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"bookhook/db/postgres/pgtest"
	"bookhook/webhook"
)

// What the tests inside of the package share.

var now = time.Now().UTC().Truncate(time.Millisecond)

// changedAt is a change by somebody.
func changedAt(t time.Time) webhook.Change { return webhook.Change{By: "x", At: t} }

func openTemp(tb testing.TB) *Store {
	tb.Helper()
	at := filepath.Join(tb.TempDir(), "bookhook.db")
	if pgtest.Wanted() {
		at = pgtest.Database(tb, "template1")
	}
	s, err := Create(tb.Context(), at, nil)
	if err == nil {
		_, err = s.Lease(tb.Context(), webhook.LeaseRequest{Name: "test"})
	}
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { s.Close() })
	return s
}

func want(tb testing.TB, what string, got, want any) {
	tb.Helper()
	if got != want {
		tb.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func wantErr(tb testing.TB, what string, got, want error) {
	tb.Helper()
	if !errors.Is(got, want) {
		tb.Errorf("%s: got error %v, want %v", what, got, want)
	}
}

// anAccount is a new account.
func anAccount(tb testing.TB, s *Store) webhook.Account {
	tb.Helper()
	a, err := s.AddAccount(tb.Context(), webhook.Account{Name: "A", TimeZone: "UTC", WebhookLimit: 10}, changedAt(now))
	wantErr(tb, "account", err, nil)
	return a
}

// aHook is a webhook for every event, not created yet.
func aHook(account webhook.AccountID, ordered bool) *webhook.Webhook {
	all := webhook.NewFilter(webhook.All, nil)
	return &webhook.Webhook{Account: account, Enabled: true, Config: webhook.Config{
		Kind: webhook.Async, AllEvents: true, Channels: all, Tours: all, Concurrency: 1, Ordered: ordered,
	}}
}

// planFor matches events with the webhooks of an account as they are.
func planFor(tb testing.TB, s *Store, account webhook.AccountID, events ...webhook.Event) *webhook.Plan {
	tb.Helper()
	subscriptions, err := s.Subscriptions(context.WithoutCancel(tb.Context()), account)
	if err != nil {
		tb.Fatal(err)
	}
	return webhook.NewPlan(subscriptions, events, now, now.Add(time.Minute))
}
