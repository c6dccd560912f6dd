package dispatch

import (
	"time"

	"bookhook/webhook"
)

// storePause is how long a lane waits after the store failed it, or told it
// that something is due which it then did not get.
const storePause = time.Second

// claim is a claim that is to be made or under way.
type claim struct {
	lane    *lane
	version int
	n       int // most jobs
}

// turn starts what had to wait for its time, and picks the lanes of which rows
// are due, those that have waited longest first. It tells when to look again;
// zero: when woken.
func (s *lanes) turn(now time.Time) (claims []claim, next time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.armed = time.Time{}
	for l := s.paced.first(); l != nil && !l.from().After(now); l = s.paced.first() {
		s.enlist(l, now)
		s.place(l)
	}
	s.pump()
	for l := s.due.first(); l != nil && s.claims < maxClaims && !l.claimAt().After(now); l = s.due.first() {
		if s.starved = s.full(); s.starved {
			break
		}
		claims = append(claims, s.begin(l))
	}
	if l := s.due.first(); l != nil && s.claims < maxClaims && !s.starved {
		s.armed = l.claimAt()
	}
	if l := s.paced.first(); l != nil && s.early(l.from()) {
		s.armed = l.from()
	}
	return claims, s.armed
}

func (s *lanes) begin(l *lane) claim {
	n := max(l.limit, l.room()-l.limit) // leaves room for what comes in meanwhile
	c := claim{lane: l, version: l.version, n: min(n, l.room(), claimBatch)}
	l.claiming, l.next = true, time.Time{} // what becomes due from here on is seen again
	s.due.put(l, false)
	s.promise(l, c.n)
	s.claims++
	return c
}

// claimed takes in what a claim brought. It returns the jobs that cannot be
// kept because the configuration changed meanwhile, because it leaves less room
// than the lane knew of, or because the dispatcher stops.
func (s *lanes) claimed(c claim, jobs []webhook.Job, next, now time.Time) (stale []*webhook.Job) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := c.lane
	l.claiming = false
	s.claims--
	s.promise(l, -c.n)
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
	if len(jobs) == 0 && !next.IsZero() && !next.After(now) {
		next = now.Add(storePause)
	}
	l.due(next)
	s.place(l)
	s.pump()
	s.wakeUp() // others may have waited for their claim
	return stale
}
