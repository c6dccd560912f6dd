package db_test

import (
	"testing"
	"time"

	"bookhook/db"
	"bookhook/webhook"
)

var tokenTests = []test{
	{"round trip", testTokenRoundTrip},
	{"used", testTokenUsed},
	{"revoke", testRevokeToken},
}

func newToken(tb testing.TB, s *db.Store, account webhook.AccountID, name, hash string) webhook.Token {
	tb.Helper()
	return must(s.AddToken(tb.Context(), webhook.Token{Account: account, Name: name, CreatedAt: t0}, []byte(hash), at(t0)))(tb)
}

func testTokenRoundTrip(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a := newAccount(t, s)
	first, second := newToken(t, s, a.ID, "Website", "h1"), newToken(t, s, a.ID, "Kasse", "\x00\xff")
	same(t, "list", must(s.Tokens(ctx, a.ID))(t), []webhook.Token{first, second})
	same(t, "by hash", must(s.TokenByHash(ctx, []byte("\x00\xff")))(t), second)
	_, err := s.TokenByHash(ctx, []byte("h3"))
	wantError(t, "unknown hash", err, webhook.ErrNotFound)
	if _, err := s.AddToken(ctx, webhook.Token{Account: a.ID}, []byte("h1"), at(t0)); err == nil {
		t.Error("two tokens have one hash")
	}
}

func testTokenUsed(t *testing.T, s *db.Store) {
	ctx := t.Context()
	want := newToken(t, s, newAccount(t, s).ID, "Website", "h1")
	want.UsedAt = t0.Add(time.Hour)
	ok(t, s.TokenUsed(ctx, want.ID, want.UsedAt))
	same(t, "token", must(s.TokenByHash(ctx, []byte("h1")))(t), want)
}

func testRevokeToken(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a := newAccount(t, s)
	gone, stays := newToken(t, s, a.ID, "Website", "h1"), newToken(t, s, a.ID, "Kasse", "h2")
	ok(t, s.RevokeToken(ctx, a.ID, gone.ID, at(t0)))
	_, err := s.TokenByHash(ctx, []byte("h1"))
	wantError(t, "revoked", err, webhook.ErrNotFound)
	wantError(t, "again", s.RevokeToken(ctx, a.ID, gone.ID, at(t0)), webhook.ErrNotFound)
	same(t, "list", must(s.Tokens(ctx, a.ID))(t), []webhook.Token{stays})
}
