package auth

import (
	"context"
	"errors"
	"testing"
	"time"

	"bookhook/webhook"
)

func TestTokenUse(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)
	u := NewTokens(nil)
	for _, c := range []struct {
		what string
		used time.Time
		now  time.Time
		want bool
	}{
		{"never used", time.Time{}, now, true},
		{"read before that was noted", time.Time{}, now.Add(time.Second), false},
		{"within the hour", now, now.Add(59 * time.Minute), false},
		{"after the hour", now, now.Add(time.Hour), true},
	} {
		if got := u.due(webhook.Token{ID: 1, UsedAt: c.used}, c.now); got != c.want {
			t.Errorf("%s: got %v, want %v", c.what, got, c.want)
		}
	}
}

// revoking is a store in which the token is revoked while it is read.
type revoking struct {
	tokens *Tokens
	reads  int
}

func (r *revoking) TokenByHash(context.Context, []byte) (webhook.Token, error) {
	if r.reads++; r.reads > 1 {
		return webhook.Token{}, webhook.ErrNotFound
	}
	r.tokens.Purge()
	return webhook.Token{ID: 1}, nil
}

func (r *revoking) TokenUsed(context.Context, webhook.TokenID, time.Time) error { return nil }

func TestTokenRevokedWhileItIsRead(t *testing.T) {
	t.Parallel()
	store := &revoking{}
	store.tokens = NewTokens(store)
	if _, err := store.tokens.Find(t.Context(), "bh_x"); err != nil {
		t.Fatal(err)
	}
	if _, err := store.tokens.Find(t.Context(), "bh_x"); !errors.Is(err, webhook.ErrNotFound) {
		t.Errorf("got %v after it was revoked, want it read again", err)
	}
}
