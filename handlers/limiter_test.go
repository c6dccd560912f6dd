package handlers

import (
	"strconv"
	"testing"
	"time"
)

func TestLimiter(t *testing.T) {
	now := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	l := newLimiter()
	for range limitPerEmail {
		if !l.allow("192.0.2.1", "anna@example.com", now) {
			t.Fatal("refused before the limit")
		}
	}
	for _, c := range []struct {
		what, ip, email string
		at              time.Time
		want            bool
	}{
		{"the eleventh try", "192.0.2.1", "anna@example.com", now, false},
		{"the owner from elsewhere", "192.0.2.2", "anna@example.com", now, true},
		{"somebody else beside the attacker", "192.0.2.1", "berta@example.com", now, true},
		{"within the window", "192.0.2.1", "anna@example.com", now.Add(limitWindow), false},
		{"after the window", "192.0.2.1", "anna@example.com", now.Add(limitWindow + time.Second), true},
	} {
		if got := l.allow(c.ip, c.email, c.at); got != c.want {
			t.Errorf("%s: got %v, want %v", c.what, got, c.want)
		}
	}
}

func TestLimiterForgivesWhoSignedIn(t *testing.T) {
	now := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	l := newLimiter()
	for range limitPerIP / 2 {
		l.allow("192.0.2.1", "anna@example.com", now)
	}
	l.forget("192.0.2.1", "anna@example.com")
	if !l.allow("192.0.2.1", "anna@example.com", now) {
		t.Error("refused after a sign-in that worked")
	}
}

func TestLimiterPerAddress(t *testing.T) {
	now := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	l := newLimiter()
	refused := 0
	for i := range limitPerIP + 5 {
		if !l.allow("192.0.2.1", string(rune('a'+i%26))+string(rune('a'+i/26)), now) {
			refused++
		}
	}
	if refused != 5 {
		t.Errorf("many e-mail addresses from one place: got %d refused, want 5", refused)
	}
}

// Whoever is over the limit has nothing more kept of them, and all together
// never more than limitEntries.
func TestLimiterStaysSmall(t *testing.T) {
	now := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	l := newLimiter()
	for i := range 2 * limitPerIP {
		l.allow("192.0.2.1", strconv.Itoa(i), now)
	}
	if got := len(l.tries); got != limitPerIP+1 {
		t.Errorf("one network address: got %d entries, want %d", got, limitPerIP+1)
	}
	for i := range limitEntries {
		l.allow(strconv.Itoa(i), "anna@example.com", now)
	}
	if got := len(l.tries); got > limitEntries {
		t.Errorf("got %d entries, want at most %d", got, limitEntries)
	}
	l.allow("192.0.2.2", "anna@example.com", now.Add(2*limitWindow))
	if got := len(l.tries); got != 2 {
		t.Errorf("after the window: got %d entries, want 2", got)
	}
}
