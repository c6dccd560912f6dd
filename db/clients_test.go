package db_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"bookhook/auth"
	"bookhook/db"
	"bookhook/webhook"
)

var clientTests = []test{
	{"round trip", testClientRoundTrip},
	{"access tokens", testClientTokens},
	{"expired access tokens", testExpiredClientTokens},
	{"many access tokens", testManyClientTokens},
	{"revoke", testRevokeClient},
}

func newClient(tb testing.TB, s *db.Store, account webhook.AccountID, name, hash string) webhook.Client {
	tb.Helper()
	return must(s.AddClient(tb.Context(), webhook.Client{Account: account, Name: name, CreatedAt: t0}, []byte(hash), at(t0)))(tb)
}

func testClientRoundTrip(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a := newAccount(t, s)
	first, second := newClient(t, s, a.ID, "Reseller", "h1"), newClient(t, s, a.ID, "Kasse", "\x00\xff")
	same(t, "list", must(s.Clients(ctx, a.ID))(t), []webhook.Client{first, second})
	got, hash, err := s.ClientByID(ctx, second.ID)
	ok(t, err)
	same(t, "by id", got, second)
	same(t, "hash", string(hash), "\x00\xff")
	_, _, err = s.ClientByID(ctx, 1)
	wantError(t, "unknown", err, webhook.ErrNotFound)
	same(t, "audit", must(s.Audit(ctx, a.ID, 0, 1))(t)[0].Action, "client.created")
}

func testClientTokens(t *testing.T, s *db.Store) {
	ctx := t.Context()
	c := newClient(t, s, newAccount(t, s).ID, "Reseller", "h")
	expires := t0.Add(time.Hour)
	ok(t, s.AddClientToken(ctx, c.ID, []byte("t1"), "a b", expires, t0))
	ok(t, s.AddClientToken(ctx, c.ID, []byte("t2"), "", expires.Add(time.Minute), t0.Add(time.Minute)))
	c.UsedAt = t0.Add(time.Minute)
	same(t, "first", must(s.ClientToken(ctx, []byte("t1"), expires.Add(-1)))(t), auth.Grant{Client: c, Scope: "a b", ExpiresAt: expires})
	same(t, "second", must(s.ClientToken(ctx, []byte("t2"), expires))(t).Scope, "")
	for _, hash := range []string{"t3", "", "h"} {
		_, err := s.ClientToken(ctx, []byte(hash), t0)
		wantError(t, "unknown token", err, webhook.ErrNotFound)
	}
	if err := s.AddClientToken(ctx, c.ID, []byte("t1"), "", expires, t0); err == nil {
		t.Error("two access tokens have one hash")
	}
	wantError(t, "of no client", s.AddClientToken(ctx, 1, []byte("t4"), "", expires, t0), webhook.ErrNotFound)
}

func testExpiredClientTokens(t *testing.T, s *db.Store) {
	ctx := t.Context()
	c := newClient(t, s, newAccount(t, s).ID, "Reseller", "h")
	expires := t0.Add(time.Hour)
	ok(t, s.AddClientToken(ctx, c.ID, []byte("old"), "", expires, t0))
	ok(t, s.AddClientToken(ctx, c.ID, []byte("young"), "", expires.Add(time.Hour), t0))
	_, err := s.ClientToken(ctx, []byte("old"), expires)
	wantError(t, "expired", err, webhook.ErrNotFound)
	prune(t, s, t0, expires, 10)
	_, err = s.ClientToken(ctx, []byte("old"), t0)
	wantError(t, "pruned", err, webhook.ErrNotFound)
	ok(t, s.AddClientToken(ctx, c.ID, []byte("new"), "", expires.Add(9*time.Hour), expires.Add(time.Hour)))
	_, err = s.ClientToken(ctx, []byte("young"), t0)
	wantError(t, "expired before the next one", err, webhook.ErrNotFound)
	must(s.ClientToken(ctx, []byte("new"), t0))(t)
}

// atOnce does something n times at once, so that it shares commits.
func atOnce(t *testing.T, n int, do func(i int) error) {
	t.Helper()
	var group sync.WaitGroup
	for i := range n {
		group.Go(func() { ok(t, do(i)) })
	}
	group.Wait()
}

func testManyClientTokens(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a := newAccount(t, s)
	c, other := newClient(t, s, a.ID, "Reseller", "h1"), newClient(t, s, a.ID, "Kasse", "h2")
	ok(t, s.AddClientToken(ctx, other.ID, []byte("other"), "", t0.Add(time.Minute), t0))
	add := func(i int) error {
		return s.AddClientToken(ctx, c.ID, fmt.Append(nil, i), "", t0.Add(time.Hour+time.Duration(i)*time.Second), t0)
	}
	atOnce(t, auth.MaxClientTokens, add)
	must(s.ClientToken(ctx, []byte("0"), t0))(t)
	ok(t, add(auth.MaxClientTokens))
	_, err := s.ClientToken(ctx, []byte("0"), t0)
	wantError(t, "the oldest", err, webhook.ErrNotFound)
	for _, hash := range [][]byte{[]byte("1"), fmt.Append(nil, auth.MaxClientTokens), []byte("other")} {
		must(s.ClientToken(ctx, hash, t0))(t)
	}
}

func testRevokeClient(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a := newAccount(t, s)
	gone, stays := newClient(t, s, a.ID, "Reseller", "h1"), newClient(t, s, a.ID, "Kasse", "h2")
	for _, c := range []webhook.Client{gone, stays} {
		ok(t, s.AddClientToken(ctx, c.ID, []byte(c.Name), "", t0.Add(time.Hour), t0))
	}
	ok(t, s.RevokeClient(ctx, a.ID, gone.ID, at(t0)))
	_, err := s.ClientToken(ctx, []byte(gone.Name), t0)
	wantError(t, "its access token", err, webhook.ErrNotFound)
	_, _, err = s.ClientByID(ctx, gone.ID)
	wantError(t, "revoked", err, webhook.ErrNotFound)
	wantError(t, "again", s.RevokeClient(ctx, a.ID, gone.ID, at(t0)), webhook.ErrNotFound)
	wantError(t, "a token for it", s.AddClientToken(ctx, gone.ID, []byte("late"), "", t0.Add(time.Hour), t0), webhook.ErrNotFound)
	must(s.ClientToken(ctx, []byte(stays.Name), t0))(t)
	same(t, "left", len(must(s.Clients(ctx, a.ID))(t)), 1)
	same(t, "audit", must(s.Audit(ctx, a.ID, 0, 1))(t)[0].Action, "client.revoked")
}
