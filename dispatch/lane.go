package dispatch

import (
	"time"

	"bookhook/webhook"
)

// lookAhead is how many jobs a lane holds, in flight and queued, as a multiple
// of the requests that its webhook may have in flight.
const lookAhead = 3

// lane is what the dispatcher knows about one webhook that has something to do.
// Its fields are guarded by the mutex of [lanes].
type lane struct {
	id       webhook.ID
	limit    int            // requests in flight at once; 1 until a job told
	gap      time.Duration  // from one request to the next; zero without a rate
	last     time.Time      // when the last request went out
	breaker  breaker        // of the receiver
	hastened time.Time      // when its waiting retries were last brought forward
	flying   int            // requests in flight
	unsaved  int            // answers that the store has failed to record so far
	reserved int            // places promised to a claim or an ingest that is under way
	queue    []*webhook.Job // claimed, oldest first
	next     time.Time      // when its next row in the table is due; zero: none known
	version  int            // raised when the webhook's configuration changes or its circuit opens
	claiming bool           // a claim is under way
	ready    bool           // is in lanes.ready
	dueAt    int            // its place in lanes.due; -1 when it is not there
	pacedAt  int            // its place in lanes.paced; -1 when it is not there
}

func newLane(id webhook.ID) *lane { return &lane{id: id, limit: 1, dueAt: -1, pacedAt: -1} }

// atOnce is how many requests may be in flight.
func (l *lane) atOnce() int {
	if l.breaker.Open() {
		return 1
	}
	return l.limit
}

// capacity is how many jobs the lane may hold, in flight and queued.
func (l *lane) capacity() int {
	switch {
	case l.breaker.Open():
		return 1
	case l.gap > 0:
		return min(lookAhead*l.limit, max(1, int(paceAhead/l.gap)))
	}
	return lookAhead * l.limit
}

// room is how many more jobs the lane may hold.
func (l *lane) room() int { return l.capacity() - l.flying - l.reserved - len(l.queue) }

// free is when the rate allows the next request.
func (l *lane) free() time.Time {
	if l.gap == 0 {
		return time.Time{}
	}
	return l.last.Add(l.gap)
}

// from is when the next request may go, as far as rate and circuit tell.
func (l *lane) from() time.Time {
	if free := l.free(); free.After(l.breaker.ProbeAt) {
		return free
	}
	return l.breaker.ProbeAt
}

// waits says whether the lane has a job and a place in flight for it.
func (l *lane) waits() bool { return len(l.queue) > 0 && l.flying < l.atOnce() }

// startable says whether the lane itself would start a job now.
func (l *lane) startable(now time.Time) bool { return l.waits() && !l.from().After(now) }

// claimable says whether rows are to be claimed once they are due. It waits
// for a good part of the lane to be free: one claim brings many jobs. And for
// all answers to be recorded: in a long trouble of the store their leases end,
// and a claim would send again what has arrived.
func (l *lane) claimable() bool {
	return !l.next.IsZero() && !l.claiming && l.unsaved == 0 && l.room() >= max(1, min(l.limit, l.capacity()/2))
}

// claimAt is when rows are to be claimed: what is due while the circuit is open
// waits for the next probe.
func (l *lane) claimAt() time.Time {
	if l.breaker.ProbeAt.After(l.next) {
		return l.breaker.ProbeAt
	}
	return l.next
}

// idle says that the lane can be forgotten.
func (l *lane) idle() bool {
	return l.flying == 0 && l.unsaved == 0 && l.reserved == 0 && len(l.queue) == 0 && l.next.IsZero() && !l.claiming && !l.ready &&
		l.breaker.Failures == 0 && !l.free().After(time.Now()) && time.Since(l.hastened) > hastenGap
}

// due moves the lane's next time forward to at, never back; a zero time changes
// nothing.
func (l *lane) due(at time.Time) {
	if !at.IsZero() && (l.next.IsZero() || at.Before(l.next)) {
		l.next = at
	}
}

func (l *lane) configure(w *webhook.Webhook) {
	l.limit = min(max(w.Concurrency, 1), webhook.MaxConcurrency)
	l.gap = w.Rate.Gap()
}

// started notes that a request goes out now.
func (l *lane) started(now time.Time) {
	l.flying++
	l.last = now
}
