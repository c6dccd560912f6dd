package auth

import (
	"net/netip"
	"strconv"
	"testing"
	"time"
)

func TestLimiter(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	l := NewLimiter()
	for range limitPerName {
		if !l.Allow("192.0.2.1", "anna@example.com", now) {
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
		{"within the window", "192.0.2.1", "anna@example.com", now.Add(LimitWindow), false},
		{"after the window", "192.0.2.1", "anna@example.com", now.Add(LimitWindow + time.Second), true},
	} {
		if got := l.Allow(c.ip, c.email, c.at); got != c.want {
			t.Errorf("%s: got %v, want %v", c.what, got, c.want)
		}
	}
}

// TestLimiterForgivesWhoSignedIn, and nothing else: whoever has an account could guess
// the passwords of others without end, and sign in from time to time.
func TestLimiterForgivesWhoSignedIn(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	l := NewLimiter()
	for range limitPerName {
		l.Allow("192.0.2.1", "anna@example.com", now)
	}
	l.Forgive("192.0.2.1", "anna@example.com")
	if !l.Allow("192.0.2.1", "anna@example.com", now) {
		t.Error("refused after a sign-in that worked")
	}
	guesses := limitPerName // those of the network but the one that was forgiven, and the one after it
	for ; guesses < 2*limitPerNetwork; guesses++ {
		if !l.Allow("192.0.2.1", strconv.Itoa(guesses), now) {
			break
		}
		if l.Allow("192.0.2.1", "mallory@example.com", now) {
			l.Forgive("192.0.2.1", "mallory@example.com")
		}
	}
	if guesses != limitPerNetwork {
		t.Errorf("got %d guesses beside sign-ins that worked, want %d", guesses, limitPerNetwork)
	}
}

func TestLimiterPerAddress(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	l := NewLimiter()
	refused := 0
	for i := range limitPerNetwork + 5 {
		if !l.Allow("192.0.2.1", string(rune('a'+i%26))+string(rune('a'+i/26)), now) {
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
	t.Parallel()
	now := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	l := NewLimiter()
	for i := range 2 * limitPerNetwork {
		l.Allow("192.0.2.1", strconv.Itoa(i), now)
	}
	if got := l.counts.Len(); got != limitPerNetwork+1 {
		t.Errorf("one network address: got %d entries, want %d", got, limitPerNetwork+1)
	}
	for i := range limitEntries {
		l.Allow(strconv.Itoa(i), "anna@example.com", now)
	}
	if got := l.counts.Len(); got > limitEntries {
		t.Errorf("got %d entries, want at most %d", got, limitEntries)
	}
}

func TestNetwork(t *testing.T) {
	t.Parallel()
	for addr, want := range map[string]string{
		"203.0.113.9": "203.0.113.9", "2001:db8:1:2:3:4:5:6": "2001:db8:1:2::/64", "fe80::1%eth0": "fe80::/64",
	} {
		if got := Network(netip.MustParseAddr(addr)); got != want {
			t.Errorf("%s: got %s, want %s", addr, got, want)
		}
	}
	if got := Network(netip.Addr{}); got == "" {
		t.Error("an unknown address is counted under nothing")
	}
}
