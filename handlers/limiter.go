package handlers

import (
	"crypto/sha256"
	"sync"
	"time"
)

// Bounds of failed sign-ins within limitWindow. Those of one e-mail address are
// counted for each network address apart, so that nobody can lock the owner
// out from elsewhere.
const (
	limitWindow   = 15 * time.Minute
	limitPerEmail = 10  // from one network address for one e-mail address
	limitPerIP    = 100 // from one network address in all
	limitEntries  = 100_000
	limitSweep    = time.Minute // between two searches for what has expired
)

// limiter counts sign-ins that were tried and not yet forgiven. What it keeps
// is bounded, whatever is typed and from however many places.
type limiter struct {
	mu    sync.Mutex
	tries map[limitKey]tries
	swept time.Time
}

// limitKey is a hash: it is as long for everybody.
type limitKey [sha256.Size]byte

type tries struct {
	n     int
	since time.Time
}

func newLimiter() *limiter { return &limiter{tries: map[limitKey]tries{}} }

func byIP(ip string) limitKey           { return sha256.Sum256([]byte("ip " + ip)) }
func byEmail(ip, email string) limitKey { return sha256.Sum256([]byte("ip " + ip + " email " + email)) }

// allow counts a try and reports whether it may be made.
func (l *limiter) allow(ip, email string, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.count(byIP(ip), now) <= limitPerIP && l.count(byEmail(ip, email), now) <= limitPerEmail
}

// forget forgives the tries of somebody who signed in.
func (l *limiter) forget(ip, email string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.tries, byEmail(ip, email))
	delete(l.tries, byIP(ip))
}

func (l *limiter) count(key limitKey, now time.Time) int {
	t, known := l.tries[key]
	if !known {
		l.makeRoom(now)
	}
	if !known || now.Sub(t.since) > limitWindow {
		t = tries{since: now}
	}
	t.n++
	l.tries[key] = t
	return t.n
}

// makeRoom keeps the limiter from growing on: what has expired goes, and if
// nothing has, whatever comes first.
func (l *limiter) makeRoom(now time.Time) {
	if len(l.tries) < limitEntries {
		return
	}
	if now.Sub(l.swept) > limitSweep {
		l.sweep(now)
	}
	for key := range l.tries {
		if len(l.tries) < limitEntries {
			break
		}
		delete(l.tries, key)
	}
}

func (l *limiter) sweep(now time.Time) {
	l.swept = now
	for key, t := range l.tries {
		if now.Sub(t.since) > limitWindow {
			delete(l.tries, key)
		}
	}
}
