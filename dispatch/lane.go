package dispatch

import (
	"slices"
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
	id             webhook.WebhookID
	account        *account
	concurrency    int           // of the webhook; 1 until a job says more
	gap            time.Duration // between two requests; zero without a rate
	lastStart      time.Time     // of a request
	breaker        breaker
	pace           pace
	waiting        []chan struct{} // events that wait for room, each of capacity 1
	lastRetryNow   time.Time       // when its waiting retries were last made due
	inFlight       int             // requests
	unrecorded     int             // attempts that the store has failed to record so far
	reserved       int             // places for jobs of a claim or an ingest that is under way
	queue          []*webhook.Job  // claimed, oldest first
	urgent         []*webhook.Job  // claimed for people who wait for them
	urgentInFlight int             // jobs of them that started, until their results are recorded
	bulk           []*webhook.Job  // claimed for bulk replays; they start when the queue is empty
	bulkInFlight   int             // jobs of them that started, until their results are recorded
	nextDue        time.Time       // of its rows in the table; zero: none known
	nextUrgent     time.Time       // of its urgent rows; zero: none known
	nextBulk       time.Time       // when the next item of a bulk replay may be claimed; zero: none known
	version        int             // incremented when the webhook changes or its circuit opens
	claiming       bool            // a claim is under way
	startQueued    bool            // is in lanes.starting
	claimQueued    bool            // is in lanes.claiming
	timer          time.Time       // when it may go into one of the lines; see nextTimer
	timerIndex     int             // in lanes.timers; -1 if it is not there
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
func (l *lane) room() int {
	return l.capacity() - l.inFlight - l.reserved - len(l.queue) - len(l.bulk)
}

// isRoomy reports whether a good part of the lane is free, since one claim returns many
// jobs.
func (l *lane) isRoomy() bool { return l.room() >= max(1, l.capacity()/lookAhead) }

// bulkRoom is how many jobs of bulk replays the lane may claim: none while anything else
// is there to be sent, and at most a third of what it may hold.
func (l *lane) bulkRoom() int {
	if len(l.queue)+len(l.bulk) > 0 || !l.isRoomy() {
		return 0
	}
	return min(l.room(), max(1, l.capacity()/lookAhead)-l.bulkInFlight)
}

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

// startAt returns when rate and circuit allow the next request; for an urgent one that is
// always.
func (l *lane) startAt() time.Time {
	if l.startsUrgent() {
		return time.Time{}
	}
	if at := l.rateAllows(); at.After(l.breaker.ProbeAt) {
		return at
	}
	return l.breaker.ProbeAt
}

// maxUrgent is how many urgent jobs of a webhook may be in memory, and so how many of
// their requests may be in flight beside those that its concurrency allows.
const maxUrgent = 8

// urgentRoom is how many more urgent jobs may be claimed.
func (l *lane) urgentRoom() int { return max(0, maxUrgent-len(l.urgent)-l.urgentInFlight) }

// startsUrgent reports whether an urgent job is the next to start.
func (l *lane) startsUrgent() bool { return len(l.urgent) > 0 && l.urgentInFlight < maxUrgent }

// startable returns the queue whose first job has a place in flight; nil if none has.
// Urgent ones need none; those of bulk replays come last, and half of the places are not
// for them.
func (l *lane) startable() *[]*webhook.Job {
	switch {
	case l.startsUrgent():
		return &l.urgent
	case l.inFlight >= l.maxInFlight():
	case len(l.queue) > 0:
		return &l.queue
	case len(l.bulk) > 0 && l.bulkInFlight < max(1, l.concurrency/2):
		return &l.bulk
	}
	return nil
}

// canStart reports whether the lane's own limits allow a job to start now.
func (l *lane) canStart(now time.Time) bool { return l.startable() != nil && !l.startAt().After(now) }

// claimAt returns when rows are to be claimed; zero: not by time alone. The lane waits
// until all attempts are recorded: while the store fails their leases end, and a claim
// would send again what was already delivered.
func (l *lane) claimAt() (at time.Time) {
	if l.claiming || l.unrecorded > 0 {
		return time.Time{}
	}
	if l.urgentRoom() > 0 {
		at = l.nextUrgent
	}
	return earlier(at, l.claimOthersAt())
}

// claimOthersAt is claimAt for rows that are not urgent. While the circuit is open, they
// wait for the next probe, and else until a good part of the lane is free.
func (l *lane) claimOthersAt() (at time.Time) {
	if !l.isRoomy() {
		return time.Time{}
	}
	at = l.nextDue
	if l.bulkRoom() > 0 {
		at = earlier(at, l.nextBulk)
	}
	if !at.IsZero() && l.breaker.ProbeAt.After(at) {
		return l.breaker.ProbeAt
	}
	return at
}

// earlier returns the earlier of two times, of which zero is none.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// canClaim reports whether rows may be claimed now.
func (l *lane) canClaim(now time.Time) bool {
	at := l.claimAt()
	return !at.IsZero() && !at.After(now)
}

// nextTimer returns when the lane may go into one of the lines where it is not
// yet; zero: not by time alone.
func (l *lane) nextTimer() (at time.Time) {
	if !l.claimQueued {
		at = l.claimAt()
	}
	if l.startable() != nil && !l.startQueued && (at.IsZero() || l.startAt().Before(at)) {
		at = l.startAt()
	}
	return at
}

// idle reports whether the lane can be deleted.
func (l *lane) idle(now time.Time) bool {
	return l.inFlight == 0 && len(l.waiting) == 0 && l.unrecorded == 0 && l.reserved == 0 && !l.claiming && !l.startQueued && !l.claimQueued &&
		len(l.queue)+len(l.urgent)+len(l.bulk)+l.urgentInFlight+l.bulkInFlight == 0 && l.nextDue.IsZero() && l.nextUrgent.IsZero() && l.nextBulk.IsZero() &&
		l.breaker.Failures == 0 && !l.rateAllows().After(now) && now.Sub(l.lastRetryNow) > retryNowInterval
}

// due records when rows are due, if that is earlier than what is known; zero times
// change nothing.
func (l *lane) due(next webhook.Due) {
	l.nextDue = earlier(l.nextDue, next.At)
	l.nextUrgent = earlier(l.nextUrgent, next.Urgent)
	l.nextBulk = earlier(l.nextBulk, next.Bulk)
}

// forget makes the lane one of which nothing is known. What is in flight goes on.
func (l *lane) forget() {
	l.version++
	l.nextDue, l.nextUrgent, l.nextBulk = time.Time{}, time.Time{}, time.Time{}
	l.lastStart, l.lastRetryNow = time.Time{}, time.Time{}
	l.breaker, l.pace = breaker{}, pace{}
	l.startQueued, l.claimQueued = false, false
	l.wake(len(l.waiting))
}

// configure takes over how a webhook is set. The state of its circuit is newer here, unless
// a change has reset it.
func (l *lane) configure(w *webhook.Webhook) {
	l.breaker.follow(w.Circuit.Resets)
	l.concurrency = min(max(w.Concurrency, 1), webhook.MaxConcurrency)
	l.gap = w.Rate.Gap()
}

// next takes the next job out of its queue and counts its request, which starts now.
func (l *lane) next(now time.Time) *webhook.Job {
	queue := l.startable()
	job := (*queue)[0]
	*queue = slices.Delete(*queue, 0, 1)
	l.countSpecial(job, 1)
	l.inFlight++
	l.lastStart = now
	l.pace.requestStarted(now)
	return job
}

// countSpecial counts a job that is urgent or of a bulk replay as started, or with -1 as
// done.
func (l *lane) countSpecial(job *webhook.Job, n int) {
	switch {
	case job.Urgent:
		l.urgentInFlight += n
	case job.Bulk:
		l.bulkInFlight += n
	}
}
