package db_test

import (
	"strconv"
	"testing"
	"time"

	"bookhook/auth"
	"bookhook/db"
)

// The limits of auth.Limiter, for one name from one network and for one network.
const perName, perNetwork = 10, 100

var tryTests = []test{
	{"limits", testTries},
	{"who signed in", testTriesForgiven},
	{"few rows", testTriesStaySmall},
}

// tryer has two limiters that take turns, as of two processes, and what was allowed.
type tryer struct {
	t     *testing.T
	of    [2]*auth.Limiter
	turns int
}

func newTryer(t *testing.T, store auth.TryStore) *tryer {
	t.Helper()
	return &tryer{t: t, of: [2]*auth.Limiter{auth.NewLimiter(store, "sign-in"), auth.NewLimiter(store, "sign-in")}}
}

func (tr *tryer) next() *auth.Limiter {
	tr.turns++
	return tr.of[tr.turns%2]
}

func (tr *tryer) allow(network, name string, at time.Time) bool {
	tr.t.Helper()
	allowed, err := tr.next().Allow(tr.t.Context(), network, name, at)
	if err != nil {
		tr.t.Fatal(err)
	}
	return allowed
}

func (tr *tryer) forgive(network, name string) {
	tr.t.Helper()
	if err := tr.next().Forgive(tr.t.Context(), network, name); err != nil {
		tr.t.Fatal(err)
	}
}

func testTries(t *testing.T, s *db.Store) {
	l, now := newTryer(t, s), t0
	for range perName {
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
		{"within the window", "192.0.2.1", "anna@example.com", now.Add(auth.LimitWindow), false},
		{"after the window", "192.0.2.1", "anna@example.com", now.Add(auth.LimitWindow + time.Second), true},
	} {
		if got := l.allow(c.ip, c.email, c.at); got != c.want {
			t.Errorf("%s: got %v, want %v", c.what, got, c.want)
		}
	}
	other := auth.NewLimiter(s, "client")
	if allowed, err := other.Allow(t.Context(), "192.0.2.1", "anna@example.com", now); err != nil || !allowed {
		t.Errorf("something else that is limited: %v, %v", allowed, err)
	}
}

// Whoever signed in is forgiven, and nothing else: whoever has an account could guess
// the passwords of others without end, and sign in from time to time.
func testTriesForgiven(t *testing.T, s *db.Store) {
	l, now := newTryer(t, s), t0
	for range perName {
		l.allow("192.0.2.1", "anna@example.com", now)
	}
	l.forgive("192.0.2.1", "anna@example.com")
	if !l.allow("192.0.2.1", "anna@example.com", now) {
		t.Error("refused after a sign-in that worked")
	}
	guesses := perName // those of the network but the one that was forgiven, and the one after it
	for ; guesses < 2*perNetwork; guesses++ {
		if !l.allow("192.0.2.1", strconv.Itoa(guesses), now) {
			break
		}
		if l.allow("192.0.2.1", "mallory@example.com", now) {
			l.forgive("192.0.2.1", "mallory@example.com")
		}
	}
	if guesses != perNetwork {
		t.Errorf("got %d guesses beside sign-ins that worked, want %d", guesses, perNetwork)
	}
}

// A network adds no more rows than it may try, and they go when they have no meaning any
// more.
func testTriesStaySmall(t *testing.T, s *db.Store) {
	ctx, l, refused := t.Context(), newTryer(t, s), 0
	for i := range perNetwork + 5 {
		if !l.allow("192.0.2.1", strconv.Itoa(i), t0) {
			refused++
		}
	}
	same(t, "refused of many names from one place", refused, 5)
	same(t, "rows of one network", must(s.Tries(ctx))(t), perNetwork+1)
	ok(t, s.ForgetTries(ctx, t0))
	same(t, "rows that still count", must(s.Tries(ctx))(t), perNetwork+1)
	ok(t, s.ForgetTries(ctx, t0.Add(time.Millisecond)))
	same(t, "rows after that", must(s.Tries(ctx))(t), 0)
}
