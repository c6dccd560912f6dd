package dispatch

import (
	"context"
	"slices"
	"time"

	"bookhook/webhook"
)

// When events arrive faster than they are delivered, accepting them must not win:
// what does not fit into memory goes through the table, which costs more than
// sending, so that ever less would be sent. So an event for a lane that is fast but
// full waits for a place before it is stored. A lane that is slow because of its
// receiver delays nobody: its events go to the table at once.
const (
	fastInterval = 2 * time.Millisecond   // between two requests of a fast lane, on average
	fastPause    = 100 * time.Millisecond // without a request, after which a lane is no longer fast
	paceWeight   = 32                     // requests that the average goes over
	paceAhead    = 40 * time.Millisecond  // a fast lane holds what it sends in this time,
	maxAhead     = 1000                   // and at most this many jobs
	maxRoomWait  = 250 * time.Millisecond // of an event for a place
)

// pace is how fast the requests of a lane succeed. A failure is no reason to hold
// more, however fast it comes.
type pace struct {
	last     time.Time     // when one did, or the first after a pause started; zero: nothing to do
	interval time.Duration // on average; 0: not known
}

// update records an attempt; more says that there is another one to make.
func (p *pace) update(a attemptSignal, now time.Time, more bool) {
	switch {
	case a.failed:
		*p = pace{}
		return
	case p.last.IsZero(): // it started before a failure
	case p.interval == 0:
		p.interval = max(now.Sub(p.last), 1)
	default:
		p.interval = max(p.interval+(now.Sub(p.last)-p.interval)/paceWeight, 1)
	}
	p.last = now
	if !more {
		p.last = time.Time{}
	}
}

// requestStarted records that there is something to do again.
func (p *pace) requestStarted(now time.Time) {
	if p.last.IsZero() {
		p.last = now
	}
}

// ahead is how many jobs the lane does in the time of paceAhead; 0 if it is not fast.
func (p *pace) ahead() int {
	if p.interval == 0 || p.interval > fastInterval {
		return 0
	}
	return min(int(paceAhead/p.interval), maxAhead)
}

// isFast reports whether a place becomes free soon.
func (p *pace) isFast(now time.Time) bool {
	return p.ahead() > 0 && (p.last.IsZero() || now.Sub(p.last) < fastPause)
}

// awaitRoom waits until the lanes of the plan's matches have room, those of them that
// are fast. It returns when ctx ends or after maxRoomWait, too: the table has room.
func (s *lanes) awaitRoom(ctx context.Context, p *webhook.Plan) {
	if s.crowded(p, nil, nil) == nil {
		return
	}
	patience := time.NewTimer(maxRoomWait)
	defer patience.Stop()
	turn := make(chan struct{}, 1)
	for had := (*lane)(nil); ; {
		l := s.crowded(p, turn, had)
		if l == nil {
			return
		}
		if had != nil && had != l { // its place is for another one
			s.passTurn(had)
		}
		had = l
		select {
		case <-turn:
			continue
		case <-patience.C:
		case <-ctx.Done():
		}
		s.stopWaiting(l, turn)
		return
	}
}

// crowded returns the first fast lane of the plan's matches that has no room for
// another delivery, and adds the turn to those who wait for it; nil if there is none.
// had is the lane in which the event has had its turn: should others have taken the
// room, it is the first to wait again.
func (s *lanes) crowded(p *webhook.Plan, turn chan struct{}, had *lane) *lane {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.clock()
	if !s.open || !s.shards.isOpen(p.Subscriptions.Account.ID) {
		return nil
	}
	for i := range p.Events {
		e := &p.Events[i]
		for j, d := range e.Decisions {
			l := s.byID[p.Subscriptions.Webhooks[j].ID]
			if d.Reason != webhook.Matched || e.Event.Lookup || l == nil || !l.isCrowded(now, l == had) {
				continue
			}
			switch {
			case turn == nil:
			case l == had:
				l.waiting = slices.Insert(l.waiting, 0, turn)
			default:
				l.waiting = append(l.waiting, turn)
			}
			return l
		}
	}
	return nil
}

func (s *lanes) passTurn(l *lane) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l.wake(1)
}

// stopWaiting removes a turn; if it has come already, the next one gets it.
func (s *lanes) stopWaiting(l *lane, turn chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if i := slices.Index(l.waiting, turn); i >= 0 {
		l.waiting = slices.Delete(l.waiting, i, i+1)
	} else {
		l.wake(1)
	}
}

// isCrowded reports whether an event should wait for a place rather than go to the
// table. So it should while older ones are there, or others wait before it.
func (l *lane) isCrowded(now time.Time, hadTurn bool) bool {
	full := l.room() < 1 || !hadTurn && len(l.waiting) > 0 && !l.isHalfFree()
	return l.gap == 0 && !l.breaker.Open() && l.pace.isFast(now) && (full || l.hasOlder(now))
}

// hasOlder reports whether older deliveries wait in the table. While a claim is
// running, these have places of their own.
func (l *lane) hasOlder(now time.Time) bool {
	return !l.claiming && !l.nextDue.IsZero() && !l.nextDue.After(now)
}

// isHalfFree reports whether half of the lane is free.
func (l *lane) isHalfFree() bool { return 2*l.room() >= l.capacity() }

// giveTurns lets those who wait look for room, as many as there is room for, once
// half of the lane is free or nothing is in flight: events that are stored together
// share a commit, and results that come meanwhile share the next one.
func (l *lane) giveTurns() {
	if l.isHalfFree() || l.inFlight == 0 {
		l.wake(max(1, l.room()))
	}
}

// wake wakes the first n who wait.
func (l *lane) wake(n int) {
	n = min(n, len(l.waiting))
	for _, turn := range l.waiting[:n] {
		turn <- struct{}{}
	}
	l.waiting = slices.Delete(l.waiting, 0, n)
}
