package web

import (
	"sync"

	"bookhook/webhook"
)

// The memory for the bodies of all requests that are being received or handled. Each
// account can have a quarter of it, and so can all together who are not signed in:
// nobody keeps out another.
const (
	maxBodies = 32 << 20 // bytes
	maxShare  = 8 << 20  // bytes of one account
)

// budget is the memory for bodies that are under way, by account; zero is everybody
// who is not signed in.
type budget struct {
	mu     sync.Mutex
	taken  int
	shares map[webhook.AccountID]int
}

// take takes n bytes, and reports whether they were left.
func (b *budget) take(account webhook.AccountID, n int) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.taken+n > maxBodies || b.shares[account]+n > maxShare {
		return false
	}
	b.taken += n
	b.shares[account] += n
	return true
}

// giveBack returns n bytes.
func (b *budget) giveBack(account webhook.AccountID, n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.taken -= n
	if b.shares[account] -= n; b.shares[account] == 0 {
		delete(b.shares, account)
	}
}
