package inbound

import (
	"context"
	"sync"

	"bookhook/webhook"
)

// turns lets the requests of an account be read one after the other. Whoever has
// the address of a platform decides how much work reading is, up to a fifth of a
// second for a signed document; so an account with many such requests under way
// takes the processor from others as one request does. The zero value is ready to
// use.
type turns struct {
	mu sync.Mutex
	of map[webhook.AccountID]*turn
}

// turn is what the requests of one account share.
type turn struct {
	taken    chan struct{} // has an element while one is being read
	requests int           // being read or waiting
}

// take waits for the account's turn, which lasts until done is called. It returns
// webhook.ErrBusy if ctx ends before.
func (t *turns) take(ctx context.Context, account webhook.AccountID) (done func(), err error) {
	own := t.enter(account)
	select {
	case own.taken <- struct{}{}:
		return func() {
			<-own.taken
			t.leave(account, own)
		}, nil
	case <-ctx.Done():
		t.leave(account, own)
		return nil, webhook.ErrBusy
	}
}

func (t *turns) enter(account webhook.AccountID) *turn {
	t.mu.Lock()
	defer t.mu.Unlock()
	own := t.of[account]
	if own == nil {
		if t.of == nil {
			t.of = map[webhook.AccountID]*turn{}
		}
		own = &turn{taken: make(chan struct{}, 1)}
		t.of[account] = own
	}
	own.requests++
	return own
}

func (t *turns) leave(account webhook.AccountID, own *turn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if own.requests--; own.requests == 0 {
		delete(t.of, account)
	}
}
