package dispatch

import (
	"net/http"
	"time"

	"bookhook/webhook"
)

// Pauses between two probes of a receiver that keeps failing.
const (
	firstPause = 5 * time.Second
	maxPause   = 5 * time.Minute
)

// promptAnswer is how fast a receiver refuses what it has only looked at.
const promptAnswer = 2 * time.Second

// breaker opens and closes the circuit of a lane.
type breaker struct{ webhook.Circuit }

// newestFirst reports whether the next probe is the newest delivery that is due.
// Every other one is: the oldest may be one that the receiver will never accept.
func (b *breaker) newestFirst() bool { return b.Pauses%2 == 0 && b.Open() }

// close closes the circuit.
func (b *breaker) close() { b.Circuit = webhook.Circuit{Resets: b.Resets} }

// follow closes the circuit if the webhook was changed since what is known of it.
func (b *breaker) follow(resets int) {
	if resets > b.Resets {
		b.Circuit = webhook.Circuit{Resets: resets}
	}
}

// pause is how long the current pause lasts, unless the receiver asked for more.
func (b *breaker) pause() time.Duration {
	pause := firstPause
	for n := 1; n < b.Pauses && pause < maxPause; n++ {
		pause *= 2
	}
	return min(pause, maxPause)
}

// isProbe reports whether an attempt that started then shows how the receiver is now:
// it is the one that the circuit waited for, or one that a person asked for since.
func (b *breaker) isProbe(startedAt time.Time, urgent bool) bool {
	return !startedAt.Before(b.ProbeAt) || urgent && startedAt.After(b.OpenedAt)
}

// refusesContent reports whether a healthy receiver refused a delivery for what it
// says, or for where it came from. That is a failure of the delivery and not of the
// receiver.
func refusesContent(a webhook.Attempt) bool {
	if a.Failure == webhook.FailLoop {
		return true
	}
	switch a.Status {
	case http.StatusBadRequest, http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusConflict,
		http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType, http.StatusUnprocessableEntity:
		return a.Failure == webhook.FailStatus && a.Duration < promptAnswer
	}
	return false
}

// attemptSignal is what an attempt says about the health of the receiver.
type attemptSignal struct {
	failed     bool
	startedAt  time.Time
	retryAfter time.Duration // the pause that the receiver asked for
	urgent     bool          // a person asked for the attempt
}

// update closes the circuit after a success. It counts a failure, which opens the
// circuit or lengthens the pause, unless its attempt was in flight when the
// current pause began. One that a person asked for during a pause does not move the next
// probe, unless the receiver asked for that.
func (b *breaker) update(a attemptSignal, now time.Time) {
	if !a.failed {
		b.close()
		return
	}
	b.Failures++
	if b.Failures < webhook.CircuitFailures || !a.startedAt.After(b.OpenedAt) {
		return
	}
	if a.urgent && b.Open() {
		if asked := now.Add(a.retryAfter); asked.After(b.ProbeAt) && a.retryAfter > 0 {
			b.ProbeAt = asked
		}
		return
	}
	b.Pauses++
	b.OpenedAt, b.ProbeAt = now, now.Add(max(b.pause(), a.retryAfter))
}
