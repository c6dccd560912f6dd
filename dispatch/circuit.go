package dispatch

import (
	"time"

	"bookhook/webhook"
)

// Pauses between two probes of a receiver that fails again and again.
const (
	firstPause = 5 * time.Second
	maxPause   = 5 * time.Minute
)

// hastenGap is the least time between two recoveries that bring waiting retries
// forward: some events may be what a receiver fails at, while it takes others.
const hastenGap = 10 * time.Minute

// paceAhead is for how long a lane with a rate holds jobs: what it holds has to
// be sent before its lease ends.
const paceAhead = 30 * time.Second

// breaker opens and closes the circuit of a lane.
type breaker struct {
	webhook.Circuit
	opened time.Time // when the pause began
	pause  time.Duration
}

// verdict is what an answer says about the receiver.
type verdict struct {
	failed     bool
	began      time.Time     // when the attempt began
	retryAfter time.Duration // the pause that the receiver asked for
}

// judge closes the circuit on a success. A failure counts, and opens it or
// lengthens the pause, unless its attempt had begun when one last did.
func (b *breaker) judge(v verdict, now time.Time) {
	if !v.failed {
		*b = breaker{}
		return
	}
	b.Failures++
	if b.Failures < webhook.CircuitFailures || !v.began.After(b.opened) {
		return
	}
	b.pause = min(max(2*b.pause, firstPause), maxPause)
	b.opened, b.ProbeAt = now, now.Add(max(b.pause, v.retryAfter))
}
