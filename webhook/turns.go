package webhook

import "sync"

// Turns are places for work that must not be under way too often at once: so many in
// all, which accounts share as MayTake says.
type Turns struct {
	most, each int
	mu         sync.Mutex
	taken      int
	byAccount  map[AccountID]int
}

// NewTurns returns most turns, of which an account may have each at a time.
func NewTurns(most, each int) *Turns {
	return &Turns{most: most, each: each, byAccount: map[AccountID]int{}}
}

// Take takes a turn and returns what gives it back, which may be called more than once;
// nil if none is left for the account.
func (t *Turns) Take(account AccountID) (giveBack func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if has := t.byAccount[account]; has >= t.each || !MayTake(has, t.most-t.taken) {
		return nil
	}
	t.taken++
	t.byAccount[account]++
	return sync.OnceFunc(func() { t.giveBack(account) })
}

func (t *Turns) giveBack(account AccountID) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.taken--
	if t.byAccount[account]--; t.byAccount[account] == 0 {
		delete(t.byAccount, account)
	}
}
