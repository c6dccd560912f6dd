package dispatch

import (
	"time"

	"bookhook/webhook"
)

// Pauses between two probes of a receiver that keeps failing.
const (
	firstPause = 5 * time.Second
	maxPause   = 5 * time.Minute
)

// breaker opens and closes the circuit of a lane.
type breaker struct {
	webhook.Circuit
	openedAt time.Time // when the current pause began
	pause    time.Duration
}

// attemptSignal is what an attempt says about the health of the receiver.
type attemptSignal struct {
	failed     bool
	startedAt  time.Time
	retryAfter time.Duration // the pause that the receiver asked for
}

// update closes the circuit after a success. It counts a failure, which opens the
// circuit or lengthens the pause, unless its attempt was in flight when the
// current pause began.
func (b *breaker) update(a attemptSignal, now time.Time) {
	if !a.failed {
		*b = breaker{}
		return
	}
	b.Failures++
	if b.Failures < webhook.CircuitFailures || !a.startedAt.After(b.openedAt) {
		return
	}
	b.pause = min(max(2*b.pause, firstPause), maxPause)
	b.openedAt, b.ProbeAt = now, now.Add(max(b.pause, a.retryAfter))
}
