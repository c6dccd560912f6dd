package auth

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/alexedwards/argon2id"
	lru "github.com/hashicorp/golang-lru/v2"
)

// Limits of hashing, which takes hashParams.Memory each time.
const (
	maxHashing  = 2               // at once
	hashingWait = 5 * time.Second // for one to finish
)

// ErrOverloaded says that too many passwords were being hashed or compared to start
// another one within 5 seconds, or that the request ended while it waited.
var ErrOverloaded = errors.New("too many passwords are being checked")

// Hasher hashes and compares passwords, at most two at once and one for each owner:
// the network from which somebody signs in, or the account of who is signed in.
// Owners with nothing else running or waiting go before others, first those with a
// password that was correct before; of those alike, the last who came and the first
// take turns. So nobody waits for the guesses of others, even if they come from
// everywhere. Use [NewHasher]; it is safe for concurrent use.
type Hasher struct {
	mu      sync.Mutex
	free    int
	running map[string]bool              // owners
	known   *lru.Cache[string, struct{}] // owners with a correct password; nothing but their rank depends on it
	waiting []*turn                      // in the order in which they came
	oldest  bool                         // the first of those alike goes next, not the last
}

// maxKnown is how many owners are known; beyond it the least recent are forgotten.
const maxKnown = 10_000

// rank says who goes first; the lowest does.
type rank int

const (
	rankKnown rank = iota // nothing else of the owner, who is known
	rankOnly              // nothing else of the owner
	rankMore
	ranks
)

// turn is one who waits.
type turn struct {
	owner string
	rank  rank
	now   chan struct{} // closed when it is their turn
}

// NewHasher returns a Hasher.
func NewHasher() *Hasher {
	known, err := lru.New[string, struct{}](maxKnown)
	if err != nil { // only for a size that is not positive
		panic(err)
	}
	return &Hasher{free: maxHashing, running: map[string]bool{}, known: known}
}

// Hash is [HashPassword], or returns ErrOverloaded.
func (h *Hasher) Hash(ctx context.Context, owner, password string) (hash string, err error) {
	err = h.do(ctx, owner, func() (err error) {
		hash, err = HashPassword(password)
		return err
	})
	return hash, err
}

// Matches reports whether the password is the one of the hash, or returns
// ErrOverloaded. The empty hash, for a user who does not exist, takes as long to
// compare as any other and matches nothing.
func (h *Hasher) Matches(ctx context.Context, owner, password, hash string) (match bool, err error) {
	err = h.do(ctx, owner, func() (err error) {
		match, err = argon2id.ComparePasswordAndHash(password, cmp.Or(hash, dummyHash))
		return err
	})
	if match = match && hash != ""; match {
		h.known.Add(owner, struct{}{})
	}
	return match, err
}

// do runs work when it is the owner's turn.
func (h *Hasher) do(ctx context.Context, owner string, work func() error) error {
	ctx, cancel := context.WithTimeout(ctx, hashingWait)
	defer cancel()
	t := h.enter(owner)
	select {
	case <-t.now:
	case <-ctx.Done():
		if h.leave(t) {
			return fmt.Errorf("%w: %w", ErrOverloaded, ctx.Err())
		}
	}
	defer h.finish(owner)
	return work()
}

// enter starts to wait.
func (h *Hasher) enter(owner string) *turn {
	h.mu.Lock()
	defer h.mu.Unlock()
	t := &turn{owner, rankOnly, make(chan struct{})}
	switch {
	case h.running[owner], slices.ContainsFunc(h.waiting, func(other *turn) bool { return other.owner == owner }):
		t.rank = rankMore
	case h.known.Contains(owner):
		t.rank = rankKnown
	}
	h.waiting = append(h.waiting, t)
	h.startNext()
	return t
}

// leave stops to wait, and reports false if it is their turn already.
func (h *Hasher) leave(t *turn) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	i := slices.Index(h.waiting, t)
	if i < 0 {
		return false
	}
	h.waiting = slices.Delete(h.waiting, i, i+1)
	return true
}

// finish ends an owner's turn.
func (h *Hasher) finish(owner string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.free++
	delete(h.running, owner)
	h.startNext()
}

// startNext starts the next who may, if anybody. h.mu is held.
func (h *Hasher) startNext() {
	if h.free == 0 {
		return
	}
	i := h.next()
	if i < 0 {
		return
	}
	t := h.waiting[i]
	h.waiting = slices.Delete(h.waiting, i, i+1)
	h.free--
	h.running[t.owner] = true
	close(t.now)
}

// next returns whose turn it is; -1 if nobody may start. h.mu is held.
func (h *Hasher) next() int {
	for r := range ranks {
		first, last := -1, -1
		for i, t := range h.waiting {
			if t.rank == r && !h.running[t.owner] {
				if first < 0 {
					first = i
				}
				last = i
			}
		}
		if first >= 0 && r < rankMore {
			if h.oldest = !h.oldest; !h.oldest {
				return last
			}
		}
		if first >= 0 {
			return first
		}
	}
	return -1
}
