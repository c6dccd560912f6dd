package db_test

import (
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"bookhook/db"
	"bookhook/webhook"
)

var limitTests = []test{
	{"of an account", testLimits},
	{"in parallel", testLimitsInParallel},
	{"of items", testItemLimit},
	{"of retired items", testRetiredItems},
	{"of checks", testCheckLimit},
	{"of what webhooks name", testConfigLimit},
}

// testConfigLimit: what all webhooks of an account name is limited, whichever names
// it, and one that names less is always taken.
func testConfigLimit(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a := newAccount(t, s)
	naming := func(n int) func(*webhook.Webhook) {
		ids := make([]string, n)
		for i := range ids {
			ids[i] = fmt.Sprintf("%0100d", i)
		}
		return func(w *webhook.Webhook) { w.Tours = webhook.NewFilter(webhook.Exclude, ids) }
	}
	small, big := addHook(t, s, a.ID), addHook(t, s, a.ID, naming(10_000))
	addHook(t, s, a.ID, naming(9_000))
	refused := func(what string, err error) {
		t.Helper()
		reached, is := errors.AsType[webhook.LimitReached](err)
		same(t, what, []any{is, reached.What, reached.Limit}, []any{true, webhook.LimitedFilters, webhook.MaxConfigs})
	}
	_, err := s.CreateWebhook(ctx, newHook(a.ID, naming(2_000)), nil, at(t0))
	refused("another", err)
	small.Config = newHook(a.ID, naming(2_000)).Config
	refused("a change", update(t, s, webhook.Update{Webhook: small}, at(t0)))
	big.Config = newHook(a.ID, naming(9_999)).Config
	ok(t, update(t, s, webhook.Update{Webhook: big}, at(t0)))
	big.Config = newHook(a.ID, naming(1_000)).Config
	ok(t, update(t, s, webhook.Update{Webhook: big}, at(t0)))
	ok(t, update(t, s, webhook.Update{Webhook: small}, at(t0)))
	addHook(t, s, newAccount(t, s).ID, naming(10_000)) // another account has its own
}

// limited are things of which an account may have only so many: how to create one, and
// to remove the first.
type limited struct {
	what   webhook.Limited
	limit  int
	create func(s *db.Store, account webhook.AccountID, n int) error
	remove func(t *testing.T, s *db.Store, account webhook.AccountID)
}

func limitedThings(t *testing.T) []limited {
	ctx := t.Context()
	return []limited{
		{webhook.LimitedInline, webhook.MaxInline, func(s *db.Store, account webhook.AccountID, n int) error {
			_, err := s.CreateWebhook(ctx, newHook(account, func(w *webhook.Webhook) {
				w.Kind, w.Channels = webhook.Inline, webhook.NewFilter(webhook.Include, []string{fmt.Sprint(n)})
			}), nil, at(t0))
			return err
		}, func(t *testing.T, s *db.Store, account webhook.AccountID) {
			must(s.DeleteWebhook(ctx, account, must(s.Webhooks(ctx, account))(t)[0].ID, at(t0)))(t)
		}},
		{webhook.LimitedTokens, webhook.MaxTokens, func(s *db.Store, account webhook.AccountID, n int) error {
			_, err := s.AddToken(ctx, webhook.Token{Account: account, Name: "T"}, fmt.Append(nil, account, n), at(t0))
			return err
		}, func(t *testing.T, s *db.Store, account webhook.AccountID) {
			ok(t, s.RevokeToken(ctx, account, must(s.Tokens(ctx, account))(t)[0].ID, at(t0)))
		}},
		{webhook.LimitedClients, webhook.MaxClients, func(s *db.Store, account webhook.AccountID, _ int) error {
			_, err := s.AddClient(ctx, webhook.Client{Account: account, Name: "C"}, []byte("h"), at(t0))
			return err
		}, func(t *testing.T, s *db.Store, account webhook.AccountID) {
			ok(t, s.RevokeClient(ctx, account, must(s.Clients(ctx, account))(t)[0].ID, at(t0)))
		}},
		{webhook.LimitedDrafts, webhook.MaxDrafts, func(s *db.Store, account webhook.AccountID, _ int) error {
			_, err := s.SaveDraft(ctx, webhook.Draft{Account: account}, t0)
			return err
		}, func(t *testing.T, s *db.Store, account webhook.AccountID) {
			drafts := must(s.Drafts(ctx, account))(t)
			same(t, "drafts that are listed", len(drafts), webhook.MaxDrafts)
			must(s.SaveDraft(ctx, drafts[0], t0))(t) // one that exists may be saved
			ok(t, s.DeleteDraft(ctx, account, drafts[0].ID))
		}},
		{webhook.LimitedPeople, webhook.MaxPeople, func(s *db.Store, account webhook.AccountID, n int) error {
			u := webhook.User{Account: account, Email: fmt.Sprintf("%d-%d@example.com", account, n), Role: webhook.RoleStaff}
			_, err := s.AddUser(ctx, u, at(t0))
			return err
		}, func(t *testing.T, s *db.Store, account webhook.AccountID) {
			ok(t, s.RemoveUser(ctx, account, must(s.Users(ctx, account))(t)[0].ID, at(t0)))
		}},
	}
}

func testLimits(t *testing.T, s *db.Store) {
	for _, l := range limitedThings(t) {
		a, other := newAccount(t, s), newAccount(t, s)
		for n := range l.limit {
			ok(t, l.create(s, a.ID, n))
		}
		same(t, "full", l.create(s, a.ID, l.limit), error(webhook.LimitReached{What: l.what, Limit: l.limit, Used: l.limit, Over: 1}))
		ok(t, l.create(s, other.ID, 0)) // another account's are its own
		l.remove(t, s, a.ID)
		ok(t, l.create(s, a.ID, l.limit+1))
		wantError(t, "full again", l.create(s, a.ID, l.limit+2), webhook.ErrLimit)
		wantError(t, "no such account", l.create(s, a.ID+99, 0), webhook.ErrNotFound)
	}
}

func testLimitsInParallel(t *testing.T, s *db.Store) {
	for _, l := range limitedThings(t) {
		a := newAccount(t, s)
		var created atomic.Int64
		atOnce(t, l.limit+20, func(n int) error {
			err := l.create(s, a.ID, n)
			if err == nil {
				created.Add(1)
			} else if !errors.Is(err, webhook.ErrLimit) {
				return err
			}
			return nil
		})
		same(t, string(l.what), created.Load(), int64(l.limit))
	}
}

// testItemLimit fills both lists to one below the limit, and wants all or nothing of
// what exceeds it.
func testItemLimit(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a := newAccount(t, s)
	for _, kind := range kinds {
		what, limit := kind.Limit()
		_, _, err := s.PutItems(ctx, a.ID, kind, numbered(0, limit-1), at(t0))
		ok(t, err)
		over := numbered(limit-2, limit+2) // one that exists, and three new ones
		full := webhook.LimitReached{What: what, Limit: limit, Used: limit - 1, Over: 2}
		over[0].Name = "Renamed"
		_, _, err = s.PutItems(ctx, a.ID, kind, over, at(t0))
		same(t, "put", err, error(full))
		_, err = s.ImportItems(ctx, a.ID, kind, over, at(t0))
		same(t, "import", err, error(full))
		same(t, "items", len(must(s.AllItems(ctx, a.ID, kind))(t)), limit-1)
		same(t, "not renamed", must(s.Item(ctx, a.ID, kind, over[0].ID))(t).Name, "N")
		ok(t, s.AddItem(ctx, a.ID, kind, webhook.Item{ID: "last", Name: "Last"}, at(t0)))
		full = webhook.LimitReached{What: what, Limit: limit, Used: limit, Over: 1}
		same(t, "add", s.AddItem(ctx, a.ID, kind, webhook.Item{ID: "x", Name: "X"}, at(t0)), error(full))
		_, _, err = s.PutItems(ctx, a.ID, kind, over[:1], at(t0))
		ok(t, err) // renames at the limit
		ok(t, s.RetireItem(ctx, a.ID, kind, "last", true, at(t0)))
		ok(t, s.AddItem(ctx, a.ID, kind, webhook.Item{ID: "x", Name: "X"}, at(t0)))
		same(t, "restore", s.RetireItem(ctx, a.ID, kind, "last", false, at(t0)), error(full))
		_, _, err = s.PutItems(ctx, a.ID, kind, []webhook.Item{{ID: "last", Name: "Last"}}, at(t0))
		same(t, "put a retired one", err, error(full))
	}
}

func numbered(from, to int) (items []webhook.Item) {
	for n := from; n < to; n++ {
		items = append(items, webhook.Item{ID: fmt.Sprint("n", n), Name: "N"})
	}
	return items
}

// testRetiredItems: of the retired ones the newest stay.
func testRetiredItems(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a := newAccount(t, s)
	_, _, err := s.PutItems(ctx, a.ID, webhook.Channels, numbered(0, webhook.MaxChannelsInUse), at(t0))
	ok(t, err)
	ok(t, s.RetireAll(ctx, a.ID, webhook.Channels, t0))
	ok(t, s.AddItem(ctx, a.ID, webhook.Channels, webhook.Item{ID: "x", Name: "X"}, at(t0)))
	ok(t, s.RetireItem(ctx, a.ID, webhook.Channels, "x", true, at(t0.Add(time.Hour))))
	same(t, "items", len(must(s.AllItems(ctx, a.ID, webhook.Channels))(t)), webhook.MaxChannelsInUse)
	must(s.Item(ctx, a.ID, webhook.Channels, "x"))(t)
}

func testCheckLimit(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a, other := newAccount(t, s), newAccount(t, s)
	now := t0.Truncate(time.Minute).Add(20 * time.Second)
	var counted atomic.Int64
	atOnce(t, webhook.MaxChecks+20, func(int) error {
		err := s.CountCheck(ctx, a.ID, now)
		if err == nil {
			counted.Add(1)
		} else if !errors.Is(err, webhook.ErrLimit) {
			return err
		}
		return nil
	})
	same(t, "checks at once", counted.Load(), int64(webhook.MaxChecks))
	reached := webhook.LimitReached{What: webhook.LimitedChecks, Limit: webhook.MaxChecks, Used: webhook.MaxChecks, Over: 1, Wait: 40 * time.Second}
	same(t, "one more", s.CountCheck(ctx, a.ID, now), error(reached))
	ok(t, s.CountCheck(ctx, other.ID, now))
	ok(t, s.CountCheck(ctx, a.ID, now.Add(40*time.Second)))
	for range webhook.MaxChecks - 1 {
		ok(t, s.CountCheck(ctx, a.ID, now.Add(41*time.Second)))
	}
	wantError(t, "by a process whose clock is behind", s.CountCheck(ctx, a.ID, now), webhook.ErrLimit)
	wantError(t, "in the same minute", s.CountCheck(ctx, a.ID, now.Add(time.Minute)), webhook.ErrLimit)
	ok(t, s.CountCheck(ctx, a.ID, now.Add(2*time.Minute)))
}
