package lookup

import (
	"time"

	"bookhook/webhook"
)

// booking has events that wait, in the order in which they were accepted. It
// has a task, or is among the ready bookings of its source, or among the
// retries.
type booking struct {
	key       bookingKey
	source    *source
	events    []pendingEvent
	retryAt   time.Time
	lastError string // why its last request failed
}

type bookingKey struct {
	sourceKey
	booking string
}

type pendingEvent struct {
	id       webhook.ID
	lookup   bool      // false: it only waits for those before it
	since    time.Time // when this process read it
	failures int       // requests that failed
}

// task is a booking that is looked up and matched.
type task struct {
	booking   *booking // owned by the schedule
	key       bookingKey
	events    []pendingEvent // a copy of the first ones
	waiting   int            // how many events wait in all
	cached    response       // the last one, if any
	lastError string         // why the last request failed; "" if it did not
	giveUp    string         // why no request is made for any of the events; "" if one may be
	startedAt time.Time
	slow      bool // it counts among those of slow sources
}

// giveUpReason says why an event is matched without another request; "" if one
// may be made.
func (t task) giveUpReason(e pendingEvent) string {
	switch {
	case t.giveUp != "":
		return t.giveUp
	case e.failures > len(retryPauses):
		return t.lastError
	}
	return ""
}

// result is the end of a task.
type result struct {
	task
	done        int      // so many of its events wait no more
	response    response // a new one; zero without
	failure     string   // why a request failed; "" if none did
	storeFailed bool
}
