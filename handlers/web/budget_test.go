package web

import "testing"

// Whoever takes all that a sender can leaves something to each other one.
func TestBudgetLeavesSomethingToOthers(t *testing.T) {
	t.Parallel()
	b := budget{shares: map[sender]int{}}
	for account := range 40 {
		s, taken := sender{}, 0
		if account%2 == 0 {
			s.network = string(rune('a' + account))
		} else {
			s.account = 1 << account
		}
		for b.take(s, 64<<10) {
			taken += 64 << 10
		}
		if account < 12 && taken < 64<<10 || taken > s.most() {
			t.Errorf("sender %d got %d bytes", account, taken)
		}
		defer b.giveBack(s, taken)
	}
	if b.taken > maxBodies {
		t.Errorf("%d bytes are taken, want at most %d", b.taken, maxBodies)
	}
}
