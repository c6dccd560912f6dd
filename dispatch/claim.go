package dispatch

import (
	"time"

	"bookhook/webhook"
)

// storePause is how long a lane waits after the store failed, or reported a due
// row that a claim then did not find.
const storePause = time.Second

// claim is a claim that is to be made or under way.
type claim struct {
	lane    *lane
	version int
	n       int  // at most this many jobs
	newest  bool // that are due, instead of the oldest
}

// turn moves lanes whose timer has fired into the lines, starts their jobs, and
// returns the claims to make, one of each account and lane in turn. next is
// when turn is to be called again; zero: when woken.
func (s *lanes) turn() (claims []claim, next time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.clock()
	for at := s.timers.next(); !at.IsZero() && !at.After(now); at = s.timers.next() {
		s.reschedule(s.timers[0], now)
	}
	s.startReady(now)
	for l := s.claiming.next(s.mayClaim); l != nil; l = s.claiming.next(s.mayClaim) {
		l.claimQueued = false
		if l.canClaim(now) {
			claims = append(claims, s.beginClaim(l))
		}
		s.reschedule(l, now)
	}
	s.nextWake = s.timers.next()
	return claims, s.nextWake
}

func (s *lanes) beginClaim(l *lane) claim {
	n := max(l.concurrency, l.room()-l.concurrency) // leaves room for an ingest meanwhile
	c := claim{lane: l, version: l.version, n: min(n, l.room(), claimBatch, s.share(l.account)), newest: l.breaker.newestFirst()}
	l.claiming, l.nextDue = true, time.Time{} // set again by what becomes due from now on
	s.reserve(l, c.n)
	s.addClaims(l.account, 1)
	return c
}

// claimDone queues the jobs of a claim; next is when the webhook's next row is
// due. It returns the jobs that must be released: the webhook changed meanwhile,
// the lane turned out to have less room, or the dispatcher is stopping.
func (s *lanes) claimDone(c claim, jobs []webhook.Job, next time.Time) (stale []*webhook.Job) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := c.lane
	l.claiming = false
	s.addClaims(l.account, -1)
	s.reserve(l, -c.n)
	current := s.open && l.version == c.version
	if current && len(jobs) > 0 {
		l.configure(jobs[0].Webhook)
	}
	for i := range jobs {
		if current && l.room() > 0 {
			s.enqueue(l, &jobs[i])
		} else {
			stale = append(stale, &jobs[i])
		}
	}
	if now := s.clock(); len(jobs) == 0 && !next.IsZero() && !next.After(now) {
		next = now.Add(storePause)
	}
	l.due(next)
	s.update(l)
	l.giveTurns()
	return stale
}
