// Package live says when something of an account has changed, to those who follow it:
// the browsers with an open page.
//
// It says only that something changed, as a short text that is another one then. What
// changed, a page asks by itself. The text is read from the database once a second
// while anybody follows the account, so it does not matter which process made the
// change, and nothing is paid for an account that nobody looks at.
//
// [Hub.Follow] begins, a [Follower] is one stream. There may be so many of an account
// and of all; who comes then is refused, and should ask now and then instead.
package live

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"bookhook/webhook"
)

// Bounds of followers.
const (
	maxFollowers        = 1024 // of all accounts
	maxAccountFollowers = 64
	pause               = time.Second     // between two looks at an account
	lookTimeout         = 5 * time.Second // of one look
)

// Store is what the hub needs of the database; *db.Store is one.
type Store interface {
	// Changes returns a text that is another one after a change of the account.
	Changes(ctx context.Context, account webhook.AccountID) (string, error)
}

// Hub has all followers of this process.
type Hub struct {
	store Store

	mu       sync.Mutex
	all      int
	accounts map[webhook.AccountID]*account
}

// account is one that is followed.
type account struct {
	followers map[*Follower]struct{}
	joined    chan struct{} // has an element after somebody began to follow
	stop      context.CancelFunc
}

// NewHub returns a hub without followers.
func NewHub(store Store) *Hub {
	return &Hub{store: store, accounts: map[webhook.AccountID]*account{}}
}

// Follower follows an account until it is closed.
type Follower struct {
	hub     *Hub
	account webhook.AccountID
	mayStay func(ctx context.Context) (bool, error)
	changes chan string   // the newest text that was not taken yet
	ended   chan struct{} // closed when it may not stay
	end     func()
	told    string // the last text; used by watch alone
}

// Changes gets the text of now, and then each other one; one that was not taken is
// replaced by a newer one.
func (f *Follower) Changes() <-chan string { return f.changes }

// Ended is closed when who follows may no longer do so.
func (f *Follower) Ended() <-chan struct{} { return f.ended }

// Follow begins to follow an account, and reports false if too many do. mayStay is
// asked with each look whether the follower may go on: its session can end. Close the
// follower.
func (h *Hub) Follow(id webhook.AccountID, mayStay func(ctx context.Context) (bool, error)) (*Follower, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	a := h.accounts[id]
	has := 0
	if a != nil {
		has = len(a.followers)
	}
	if has >= maxAccountFollowers || !webhook.MayTake(has, maxFollowers-h.all) {
		return nil, false
	}
	if a == nil {
		ctx, stop := context.WithCancel(context.Background())
		a = &account{followers: map[*Follower]struct{}{}, joined: make(chan struct{}, 1), stop: stop}
		h.accounts[id] = a
		go h.watch(ctx, id, a)
	}
	f := &Follower{hub: h, account: id, mayStay: mayStay, changes: make(chan string, 1), ended: make(chan struct{})}
	f.end = sync.OnceFunc(func() { close(f.ended) })
	a.followers[f] = struct{}{}
	h.all++
	select {
	case a.joined <- struct{}{}:
	default:
	}
	return f, true
}

// Close ends following. With the last follower of an account, the looks at it end.
func (f *Follower) Close() {
	h := f.hub
	h.mu.Lock()
	defer h.mu.Unlock()
	a := h.accounts[f.account]
	if a == nil {
		return
	}
	if _, follows := a.followers[f]; !follows {
		return
	}
	delete(a.followers, f)
	h.all--
	if len(a.followers) == 0 {
		a.stop()
		delete(h.accounts, f.account)
	}
}

// watch looks at an account again and again until ctx ends.
func (h *Hub) watch(ctx context.Context, id webhook.AccountID, a *account) {
	looks := time.NewTicker(pause)
	defer looks.Stop()
	for {
		select {
		case <-a.joined:
		case <-looks.C:
		case <-ctx.Done():
			return
		}
		h.look(ctx, id, h.followers(a))
	}
}

// followers returns those of an account.
func (h *Hub) followers(a *account) []*Follower {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Collect(maps.Keys(a.followers))
}

// look tells the followers what they were not told yet, and ends those that may not
// stay. While the database cannot be read, all stay and are told nothing.
func (h *Hub) look(ctx context.Context, id webhook.AccountID, followers []*Follower) {
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	text, err := h.store.Changes(ctx, id)
	for _, f := range followers {
		stays, stayErr := f.mayStay(ctx)
		switch {
		case stayErr == nil && !stays, errors.Is(err, webhook.ErrNotFound):
			f.end()
		case err == nil && f.told != text:
			f.told = text
			f.tell(text)
		}
	}
}

// tell replaces what the follower has not taken.
func (f *Follower) tell(text string) {
	select {
	case <-f.changes:
	default:
	}
	f.changes <- text // only watch sends, so there is room
}
