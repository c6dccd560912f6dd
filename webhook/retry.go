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
	pause := schedule[number]
	if o.Status == 429 || o.Failure == FailTimeout {
		pause = max(pause, ThrottleFloor)
	}
	pause = max(pause, min(retryAfter, MaxRetryAfter))
	return now.Add(pause + time.Duration(jitter*float64(pause)/10)), true
}
