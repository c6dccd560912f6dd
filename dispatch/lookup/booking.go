package lookup

import (
	"slices"
	"time"

	"bookhook/webhook"
)

// booking has events that wait, in the order in which they were accepted. It has
// a running task, is among the ready bookings of its source, or is among the
// retries.
type booking struct {
	key       bookingKey
	source    *source
	events    []pendingEvent
	retryAt   time.Time
	lastError webhook.Message // why its last request failed; zero if it did not
}

// has reports whether the event is among those that wait.
func (b *booking) has(event webhook.EventID) bool {
	if n := len(b.events); n == 0 || b.events[n-1].id < event {
		return false
	}
	return slices.ContainsFunc(b.events, func(e pendingEvent) bool { return e.id == event })
}

type bookingKey struct {
	sourceKey
	booking string
}

type pendingEvent struct {
	id       webhook.EventID
	lookup   bool      // false: it only waits for those before it
	since    time.Time // when this process read it
	failures int       // requests that failed
}

// task is a booking that is looked up and matched.
type task struct {
	schedule  *schedule
	booking   *booking // owned by the schedule
	key       bookingKey
	events    []pendingEvent  // a copy of the first ones
	waiting   int             // how many events wait in all
	cached    response        // the last one, if any
	lastError webhook.Message // why the last request failed; zero if it did not
	giveUp    webhook.Message // why no request is made for any of the events; zero if one may be made
	startedAt time.Time
	slow      bool // it counts among those of slow sources
}

// giveUpReason says why an event is matched without another request; zero if
// one may be made.
func (t task) giveUpReason(e pendingEvent) webhook.Message {
	switch {
	case !t.giveUp.IsZero():
		return t.giveUp
	case e.failures > len(retryPauses):
		return t.lastError
	}
	return webhook.Message{}
}

// result is the result of a task.
type result struct {
	task
	done        int             // how many of its events no longer wait
	response    response        // a new one; zero without
	failure     webhook.Message // why a request failed; zero if none did
	storeFailed bool
}
