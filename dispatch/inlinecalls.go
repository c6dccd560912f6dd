package dispatch

import (
	"context"
	"sync"

	"bookhook/webhook"
)

// inlineCalls limits the inline calls that are running: for each account to its share
// (see fair) and to as many as a webhook may have requests in flight, so that a slow
// receiver takes no places from other accounts, and for each external id to one at a
// time.
type inlineCalls struct {
	max int // over all accounts

	mu        sync.Mutex
	running   int
	byAccount map[webhook.AccountID]int
	byID      map[inlineCallID]chan struct{} // closed when the call is done
}

// inlineCallID identifies a call; without an external id it is unique.
type inlineCallID struct {
	account    webhook.AccountID
	externalID string
}

func newInlineCalls(limit int) *inlineCalls {
	return &inlineCalls{max: limit, byAccount: map[webhook.AccountID]int{}, byID: map[inlineCallID]chan struct{}{}}
}

// acquire takes a place, after the call with the same id is done; release frees
// it. It returns webhook.ErrBusy if there is no place, and the error of ctx if
// that ends first.
func (c *inlineCalls) acquire(ctx context.Context, id inlineCallID) (release func(), err error) {
	for {
		release, same, err := c.tryAcquire(id)
		if err != nil {
			return nil, err
		}
		if same == nil {
			return release, nil
		}
		select {
		case <-same:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (c *inlineCalls) tryAcquire(id inlineCallID) (release func(), same chan struct{}, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if same = c.byID[id]; same != nil {
		return nil, same, nil
	}
	if has := c.byAccount[id.account]; has >= webhook.MaxConcurrency || !webhook.MayTake(has, c.max-c.running) {
		return nil, nil, webhook.ErrBusy
	}
	done := make(chan struct{})
	if id.externalID != "" {
		c.byID[id] = done
	}
	c.running++
	c.byAccount[id.account]++
	return func() { c.release(id, done) }, nil, nil
}

func (c *inlineCalls) release(id inlineCallID, done chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if id.externalID != "" {
		delete(c.byID, id)
	}
	c.running--
	if c.byAccount[id.account]--; c.byAccount[id.account] == 0 {
		delete(c.byAccount, id.account)
	}
	close(done)
}
