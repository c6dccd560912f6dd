package handlers

import (
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
)

// limiter counts sign-ins that were tried and not yet forgiven.
type limiter struct {
	mu    sync.Mutex
	tries map[string]*tries
}

type tries struct {
	n     int
	since time.Time
}

func newLimiter() *limiter { return &limiter{tries: map[string]*tries{}} }

// allow counts a try and reports whether it may be made.
func (l *limiter) allow(ip, email string, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.tries) > limitEntries {
		l.sweep(now)
	}
	byIP := l.count("ip "+ip, now)
	byEmail := l.count("ip "+ip+" email "+email, now)
	return byIP <= limitPerIP && byEmail <= limitPerEmail
}

// forget forgives the tries of somebody who signed in.
func (l *limiter) forget(ip, email string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.tries, "ip "+ip+" email "+email)
	delete(l.tries, "ip "+ip)
}

func (l *limiter) count(key string, now time.Time) int {
	t := l.tries[key]
	if t == nil || now.Sub(t.since) > limitWindow {
		t = &tries{since: now}
		l.tries[key] = t
	}
	t.n++
	return t.n
}

func (l *limiter) sweep(now time.Time) {
	for key, t := range l.tries {
		if now.Sub(t.since) > limitWindow {
			delete(l.tries, key)
		}
	}
}
