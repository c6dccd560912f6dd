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

// Bounds of what is remembered of API tokens.
const (
	tokenTTL    = time.Second // another process may revoke one
	maxTokens   = 10_000      // beyond it the least recently used is dropped
	tokenUseGap = time.Hour   // between two records that a token is in use
)

// TokenStore has the API tokens; *db.Store is one. TokenByHash returns
// webhook.ErrNotFound for a hash that belongs to none.
type TokenStore interface {
	TokenByHash(ctx context.Context, hash []byte) (webhook.Token, error)
	TokenUsed(ctx context.Context, id webhook.TokenID, now time.Time) error
}

// Tokens finds API tokens. It keeps what it read for one second, so that many
// requests in a row read the database once, and records the use of each token at
// most once an hour. It is safe for concurrent use.
type Tokens struct {
	store TokenStore
	known *expirable.LRU[tokenHash, webhook.Token]

	mu       sync.Mutex
	purges   int
	recorded *lru.Cache[webhook.TokenID, time.Time] // when the use was recorded last
}

type tokenHash [sha256.Size]byte

// NewTokens returns a Tokens that has read nothing.
func NewTokens(store TokenStore) *Tokens {
	recorded, err := lru.New[webhook.TokenID, time.Time](maxTokens)
	if err != nil { // only for a size that is not positive
		panic(err)
	}
	return &Tokens{store: store, known: expirable.NewLRU[tokenHash, webhook.Token](maxTokens, nil, tokenTTL), recorded: recorded}
}

// Find returns the token with this text; it returns webhook.ErrNotFound if there
// is none.
func (t *Tokens) Find(ctx context.Context, text string) (webhook.Token, error) {
	hash := tokenHash(sha256.Sum256([]byte(text)))
	if token, known := t.known.Get(hash); known {
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
	if purges == t.purges { // else it may have been revoked while it was read
		t.known.Add(hash, token)
	}
	return token, nil
}

// Purge makes the next request of every token read the database; it is called
// when one was revoked.
func (t *Tokens) Purge() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.purges++
	t.known.Purge()
}

// Used records that the token is in use at now, at most once an hour.
func (t *Tokens) Used(ctx context.Context, token webhook.Token, now time.Time) error {
	if !t.due(token, now) {
		return nil
	}
	return t.store.TokenUsed(ctx, token.ID, now)
}

// due reports whether the use of the token is to be recorded now, and counts it
// as recorded.
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
