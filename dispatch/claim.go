package dispatch

import (
	"time"

	"bookhook/webhook"
)

// storePause is how long a lane waits after the store failed, or reported a due
// row that a claim then did not find.
const storePause = time.Second

// leftOutPause is how long it waits after a claim whose items were all left out.
const leftOutPause = 10 * time.Millisecond

// claim is a claim that is to be made or under way.
type claim struct {
	lane    *lane
	version int
	urgent  int  // at most this many urgent jobs
	n       int  // and this many others
	bulk    int  // and this many of bulk replays
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
			claims = append(claims, s.beginClaim(l, now))
		}
		s.reschedule(l, now)
	}
	s.nextWake = s.timers.next()
	return claims, s.nextWake
}

// beginClaim claims what is due or, if nothing is, items of bulk replays. An ingest
// meanwhile has room for as many deliveries as the webhook takes at once.
func (s *lanes) beginClaim(l *lane, now time.Time) claim {
	c := claim{lane: l, version: l.version, newest: l.breaker.newestFirst()}
	if !l.nextUrgent.IsZero() {
		c.urgent, l.nextUrgent = l.urgentRoom(), time.Time{}
	}
	others := l.claimOthersAt()
	switch {
	case others.IsZero(), others.After(now):
	case l.hasOlder(now):
		n := max(l.concurrency, l.room()-l.concurrency)
		c.n = min(n, l.room(), claimBatch, s.share(l.account))
		l.nextDue = time.Time{} // set again by what becomes due from now on
	default:
		c.bulk = min(l.bulkRoom(), claimBatch, s.share(l.account))
		l.nextBulk = time.Time{}
	}
	l.claiming = true
	s.shards.begin(l.account.id, 1)
	s.reserve(l, c.n+c.bulk)
	s.hold(l.account, c.urgent, 0)
	s.addClaims(l.account, 1)
	return c
}

// claimDone queues the jobs of a claim; next is when the webhook's next rows are
// due. It returns the jobs that must be released: the webhook changed meanwhile,
// the lane turned out to have less room, or the dispatcher is stopping. Call end for the
// account after that.
func (s *lanes) claimDone(c claim, jobs []webhook.Job, next webhook.Due) (stale []*webhook.Job) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := c.lane
	l.claiming = false
	s.addClaims(l.account, -1)
	s.reserve(l, -c.n-c.bulk)
	s.hold(l.account, -c.urgent, 0)
	current := s.open && l.version == c.version
	if current && len(jobs) > 0 {
		l.configure(jobs[0].Webhook)
	}
	for i := range jobs {
		if current && (jobs[i].Urgent || l.room() > 0) {
			s.enqueue(l, &jobs[i])
		} else {
			stale = append(stale, &jobs[i])
		}
	}
	if len(jobs) == 0 {
		next = c.delayed(next, s.clock())
	}
	if s.shards.isKnown(l.account.id) {
		l.due(next)
	}
	s.update(l)
	l.giveTurns()
	return s.releasing(stale)
}

// delayed is what is due after a claim that found nothing: what it should have found is
// looked for again after a pause.
func (c claim) delayed(next webhook.Due, now time.Time) webhook.Due {
	if c.urgent > 0 {
		next.Urgent = notBefore(next.Urgent, now, storePause)
	}
	if c.n > 0 {
		next.At = notBefore(next.At, now, storePause)
	}
	if c.bulk > 0 && (next.At.IsZero() || next.At.After(now)) { // else it was not its turn
		next.Bulk = notBefore(next.Bulk, now, leftOutPause)
	}
	return next
}

// notBefore returns the time after a pause instead of one that is over; zero stays so.
func notBefore(at, now time.Time, pause time.Duration) time.Time {
	if at.IsZero() || at.After(now) {
		return at
	}
	return now.Add(pause)
}
