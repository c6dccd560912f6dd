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
	flying   int            // requests in flight
	reserved int            // places promised to a claim or an ingest that is under way
	queue    []*webhook.Job // claimed, oldest first
	next     time.Time      // when its next row in the table is due; zero: none known
	version  int            // raised when the webhook's configuration changes
	claiming bool           // a claim is under way
	circuit  webhook.Circuit
	ready    bool           // is in lanes.ready
	index    int            // in lanes.due; -1 when it is not there
}

// room is how many more jobs the lane may hold.
func (l *lane) room() int {
	return lookAhead*l.limit - l.flying - l.reserved - len(l.queue)
}

// startable says whether the lane itself would start a job now.
func (l *lane) startable() bool { return len(l.queue) > 0 && l.flying < l.limit }

// claimable says whether rows are to be claimed once they are due. It waits
// for a good part of the lane to be free: one claim brings many jobs.
func (l *lane) claimable() bool {
	return !l.next.IsZero() && !l.claiming && l.room() >= l.limit
}

// idle says that the lane can be forgotten.
func (l *lane) idle() bool {
	return l.flying == 0 && l.reserved == 0 && len(l.queue) == 0 && l.next.IsZero() && !l.claiming && !l.ready
}

// dueAt moves the lane's next time forward to at, never back; a zero time
// changes nothing.
func (l *lane) dueAt(at time.Time) {
	if !at.IsZero() && (l.next.IsZero() || at.Before(l.next)) {
		l.next = at
	}
}

func (l *lane) configure(w *webhook.Webhook) {
	l.limit = min(max(w.Concurrency, 1), webhook.MaxConcurrency)
}

// dueHeap orders claimable lanes by the time they are due; for container/heap.
type dueHeap []*lane

func (h dueHeap) Len() int           { return len(h) }
func (h dueHeap) Less(i, j int) bool { return h[i].next.Before(h[j].next) }

func (h dueHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}

// Push appends a lane.
func (h *dueHeap) Push(x any) {
	l := x.(*lane) //nolint:errcheck // nothing else is ever pushed
	l.index = len(*h)
	*h = append(*h, l)
}

// Pop takes the last lane off.
func (h *dueHeap) Pop() any {
	last := len(*h) - 1
	l := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	l.index = -1
	return l
}
