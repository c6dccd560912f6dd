package dispatch

import (
	"time"

	"bookhook/webhook"
)

const (
	// lookAhead is how many jobs a lane holds, in flight and queued, as a
	// multiple of the webhook's concurrency.
	lookAhead = 3

	// rateAhead is for how long a lane with a rate holds jobs: they have to be
	// sent before their leases end.
	rateAhead = 30 * time.Second

	// retryNowInterval is the least time between two recoveries that make all
	// waiting retries due: a receiver may keep failing for some events and
	// accept others.
	retryNowInterval = 10 * time.Minute
)

// lane is what the dispatcher knows about one webhook that has something to do.
// Its fields are guarded by the mutex of [lanes].
type lane struct {
	id           webhook.WebhookID
	account      *account
	concurrency  int           // of the webhook; 1 until a job says more
	gap          time.Duration // between two requests; zero without a rate
	lastStart    time.Time     // of a request
	breaker      breaker
	pace         pace
	waiting      []chan struct{} // events that wait for room, each of capacity 1
	lastRetryNow time.Time       // when its waiting retries were last made due
	inFlight     int             // requests
	unrecorded   int             // attempts that the store has failed to record so far
	reserved     int             // places for jobs of a claim or an ingest that is under way
	queue        []*webhook.Job  // claimed, oldest first
	nextDue      time.Time       // of its rows in the table; zero: none known
	version      int             // incremented when the webhook changes or its circuit opens
	claiming     bool            // a claim is under way
	startQueued  bool            // is in lanes.starting
	claimQueued  bool            // is in lanes.claiming
	timer        time.Time       // when it may go into one of the lines; see nextTimer
	timerIndex   int             // in lanes.timers; -1 if it is not there
}

func newLane(id webhook.WebhookID, a *account) *lane {
	return &lane{id: id, account: a, concurrency: 1, timerIndex: -1}
}

// maxInFlight is how many requests may be in flight.
func (l *lane) maxInFlight() int {
	if l.breaker.Open() {
		return 1
	}
	return l.concurrency
}

// capacity is how many jobs the lane may hold, in flight and queued.
func (l *lane) capacity() int {
	switch {
	case l.breaker.Open():
		return 1
	case l.gap > 0:
		return min(lookAhead*l.concurrency, max(1, int(rateAhead/l.gap)))
	}
	return max(lookAhead*l.concurrency, l.pace.ahead())
}

// room is how many more jobs the lane may hold.
func (l *lane) room() int { return l.capacity() - l.inFlight - l.reserved - len(l.queue) }

// rateAllows returns when the rate allows the next request; zero without a rate.
// It is not a rate.Limiter, because that cannot tell the time without reserving
// it, and after a change of the rate keeps the fraction of a token that was earned
// at the old rate, so that a request would be sent too early.
func (l *lane) rateAllows() time.Time {
	if l.gap == 0 {
		return time.Time{}
	}
	return l.lastStart.Add(l.gap)
}

// startAt returns when rate and circuit allow the next request.
func (l *lane) startAt() time.Time {
	if at := l.rateAllows(); at.After(l.breaker.ProbeAt) {
		return at
	}
	return l.breaker.ProbeAt
}

// wantsStart reports whether the lane has a job, and a place in flight for it.
func (l *lane) wantsStart() bool { return len(l.queue) > 0 && l.inFlight < l.maxInFlight() }

// canStart reports whether the lane's own limits allow a job to start now.
func (l *lane) canStart(now time.Time) bool { return l.wantsStart() && !l.startAt().After(now) }

// wantsClaim reports whether rows are to be claimed once they are due. The lane
// waits until a good part of it is free, because one claim returns many jobs, and
// until all attempts are recorded: while the store fails their leases end, and a
// claim would send again what was already delivered.
func (l *lane) wantsClaim() bool {
	return !l.nextDue.IsZero() && !l.claiming && l.unrecorded == 0 && l.room() >= max(1, l.capacity()/lookAhead)
}

// claimAt returns when rows are to be claimed: while the circuit is open, they
// wait for the next probe.
func (l *lane) claimAt() time.Time {
	if l.breaker.ProbeAt.After(l.nextDue) {
		return l.breaker.ProbeAt
	}
	return l.nextDue
}

// canClaim reports whether rows may be claimed now.
func (l *lane) canClaim(now time.Time) bool { return l.wantsClaim() && !l.claimAt().After(now) }

// nextTimer returns when the lane may go into one of the lines where it is not
// yet; zero: not by time alone.
func (l *lane) nextTimer() (at time.Time) {
	if l.wantsClaim() && !l.claimQueued {
		at = l.claimAt()
	}
	if l.wantsStart() && !l.startQueued && (at.IsZero() || l.startAt().Before(at)) {
		at = l.startAt()
	}
	return at
}

// idle reports whether the lane can be deleted.
func (l *lane) idle(now time.Time) bool {
	return l.inFlight == 0 && len(l.waiting) == 0 && l.unrecorded == 0 && l.reserved == 0 && len(l.queue) == 0 && l.nextDue.IsZero() && !l.claiming && !l.startQueued && !l.claimQueued &&
		l.breaker.Failures == 0 && !l.rateAllows().After(now) && now.Sub(l.lastRetryNow) > retryNowInterval
}

// due records that a row is due at that time, if that is earlier than nextDue; a
// zero time changes nothing.
func (l *lane) due(at time.Time) {
	if !at.IsZero() && (l.nextDue.IsZero() || at.Before(l.nextDue)) {
		l.nextDue = at
	}
}

func (l *lane) configure(w *webhook.Webhook) {
	l.concurrency = min(max(w.Concurrency, 1), webhook.MaxConcurrency)
	l.gap = w.Rate.Gap()
}

// requestStarted counts a request that starts now.
func (l *lane) requestStarted(now time.Time) {
	l.inFlight++
	l.lastStart = now
	l.pace.requestStarted(now)
}
