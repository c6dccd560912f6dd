package webhook

import "testing"

// TestTurns: an account gets its own few, and never what is left for the others.
func TestTurns(t *testing.T) {
	turns := NewTurns(8, 3)
	take := func(account AccountID, want bool) func() {
		t.Helper()
		back := turns.Take(account)
		if (back != nil) != want {
			t.Fatalf("account %d got one: %v, want %v", account, back != nil, want)
		}
		return back
	}
	first := take(1, true)
	take(1, true)
	take(1, true)
	take(1, false)
	take(2, true)
	take(2, true)
	take(2, true)
	take(3, true)
	take(3, false) // the last one is for another account
	take(4, true)
	take(5, false)
	first()
	first()
	take(5, true)
	take(6, false)
}
