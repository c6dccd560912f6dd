package auth

import (
	"context"
	"crypto/sha256"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/hashicorp/golang-lru/v2/expirable"

	"bookhook/webhook"
)

// Limits of the cache of API tokens.
const (
	tokenTTL    = time.Second // short, since another process may revoke a token
	maxTokens   = 10_000      // beyond it the least recently used is dropped
	tokenUseGap = time.Hour   // between two records that a token is in use
)

// TokenStore stores the API tokens; *db.Store is one. TokenByHash returns
// webhook.ErrNotFound if no token has the hash.
type TokenStore interface {
	TokenByHash(ctx context.Context, hash []byte) (webhook.Token, error)
	TokenUsed(ctx context.Context, id webhook.TokenID, now time.Time) error
}

// Tokens finds API tokens. It caches them for one second, so that many requests in
// a row read the database once, and records the use of each token at most once an
// hour. It is safe for concurrent use.
type Tokens struct {
	store TokenStore
	cache *expirable.LRU[tokenHash, webhook.Token]

	mu       sync.Mutex
	purges   int
	recorded *lru.Cache[webhook.TokenID, time.Time] // when the use was recorded last
}

type tokenHash [sha256.Size]byte

// NewTokens returns a Tokens with an empty cache.
func NewTokens(store TokenStore) *Tokens {
	recorded, err := lru.New[webhook.TokenID, time.Time](maxTokens)
	if err != nil { // only for a size that is not positive
		panic(err)
	}
	return &Tokens{store: store, cache: expirable.NewLRU[tokenHash, webhook.Token](maxTokens, nil, tokenTTL), recorded: recorded}
}

// Find returns the token with this text, or webhook.ErrNotFound.
func (t *Tokens) Find(ctx context.Context, text string) (webhook.Token, error) {
	hash := tokenHash(sha256.Sum256([]byte(text)))
	if token, cached := t.cache.Get(hash); cached {
		return token, nil
	}
	t.mu.Lock()
	purges := t.purges
	t.mu.Unlock()
	token, err := t.store.TokenByHash(ctx, hash[:])
	if err != nil {
		return webhook.Token{}, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if purges == t.purges { // otherwise it may have been revoked while it was read
		t.cache.Add(hash, token)
	}
	return token, nil
}

// Purge empties the cache; call it when a token was revoked.
func (t *Tokens) Purge() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.purges++
	t.cache.Purge()
}

// Used records that the token is in use at now, at most once an hour.
func (t *Tokens) Used(ctx context.Context, token webhook.Token, now time.Time) error {
	if !t.due(token, now) {
		return nil
	}
	return t.store.TokenUsed(ctx, token.ID, now)
}

// due reports whether the use of the token is to be recorded now, and remembers
// that it was.
func (t *Tokens) due(token webhook.Token, now time.Time) bool {
	if now.Sub(token.UsedAt) < tokenUseGap {
		return false
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if last, known := t.recorded.Get(token.ID); known && now.Sub(last) < tokenUseGap {
		return false
	}
	t.recorded.Add(token.ID, now)
	return true
}
