package web

import (
	"sync"

	"bookhook/webhook"
)

// The memory for the bodies of all requests that are being received or handled. A
// sender takes more only while it has less than is free, so that something is left
// for each other one.
const (
	maxBodies    = 32 << 20 // bytes
	maxShare     = 8 << 20  // bytes of one account
	maxAnonymous = 1 << 20  // bytes of one network from which nobody has signed in
)

// sender is who sends a body: an account, or the network of somebody who is not
// known to be of one.
type sender struct {
	account webhook.AccountID
	network string
}

func (s sender) most() int {
	if s.account == 0 {
		return maxAnonymous
	}
	return maxShare
}

// budget is the memory for bodies that are under way, by sender.
type budget struct {
	mu     sync.Mutex
	taken  int
	shares map[sender]int
}

// take takes n bytes, and reports whether they were left.
func (b *budget) take(s sender, n int) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	free, share := maxBodies-b.taken, b.shares[s]
	if n > free || !webhook.MayTake(share, free) || share+n > s.most() {
		return false
	}
	b.taken += n
	b.shares[s] += n
	return true
}

// giveBack returns n bytes.
func (b *budget) giveBack(s sender, n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.taken -= n
	if b.shares[s] -= n; b.shares[s] == 0 {
		delete(b.shares, s)
	}
}
