package webhook

import "time"

// AttemptTimeout is how long an attempt may take in all; an inline call has the
// webhook's own time limit.
const AttemptTimeout = 15 * time.Second

// Schedule is the pause before each attempt of a delivery, the first being made
// at once. When it is used up the delivery has failed: 75 hours, 36 minutes and
// 5 seconds after it began, jitter and the time of the requests aside.
var Schedule = []time.Duration{
	0,
	5 * time.Second,
	time.Minute,
	5 * time.Minute,
	30 * time.Minute,
	2 * time.Hour,
	5 * time.Hour,
	10 * time.Hour,
	14 * time.Hour,
	20 * time.Hour,
	24 * time.Hour,
}

// Bounds of the pause between two attempts.
const (
	ThrottleFloor = time.Minute    // the least after a 429 or a timeout
	MaxRetryAfter = 24 * time.Hour // the most that a receiver's Retry-After may ask for
)

// NextAttempt says when to make the next attempt after the one with this number
// (1 is the first) failed at now; false when the schedule is used up.
//
// The pause is that of the schedule and up to 10 % more, by jitter in [0,1):
// never early. A Retry-After (0 when there was none) is honoured up to
// MaxRetryAfter and never shortens the pause; after a 429 or a timeout it is
// ThrottleFloor at least.
func NextAttempt(schedule []time.Duration, number int, o Outcome, retryAfter time.Duration, now time.Time, jitter float64) (time.Time, bool) {
	if number < 1 || number >= len(schedule) {
		return time.Time{}, false
	}
	pause := max(schedule[number], leastPause(o, retryAfter))
	return now.Add(withJitter(pause, jitter)), true
}

// NextAfterExtra says when to make the next attempt after an extra one failed at now, which
// a person asked for before the scheduled time: at that time, or at once if it has passed,
// but never before the receiver allows it, as for NextAttempt.
func NextAfterExtra(scheduled time.Time, o Outcome, retryAfter time.Duration, now time.Time, jitter float64) time.Time {
	if least := now.Add(withJitter(leastPause(o, retryAfter), jitter)); scheduled.Before(least) {
		return least
	}
	return scheduled
}

// leastPause is the shortest pause that a receiver allows after an attempt.
func leastPause(o Outcome, retryAfter time.Duration) time.Duration {
	least := time.Duration(0)
	if o.Status == 429 || o.Failure == FailTimeout {
		least = ThrottleFloor
	}
	return max(least, min(retryAfter, MaxRetryAfter))
}

// withJitter makes a pause up to 10 % longer.
func withJitter(pause time.Duration, jitter float64) time.Duration {
	return pause + time.Duration(jitter*float64(pause)/10)
}
