package webhook_test

import (
	"math"
	"testing"
	"time"

	"bookhook/webhook"
)

var retryNow = time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)

// justBelowOne is the greatest jitter that there is.
var justBelowOne = math.Nextafter(1, 0)

func TestNextTrySchedule(t *testing.T) {
	want := []time.Duration{
		5 * time.Second, time.Minute, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour,
		10 * time.Hour, 14 * time.Hour, 20 * time.Hour, 24 * time.Hour,
	}
	for i, pause := range want {
		for _, jitter := range []float64{0, 0.25, 0.5, justBelowOne} {
			at, again := webhook.NextAttempt(webhook.Schedule, i+1, webhook.Outcome{Status: 500}, 0, retryNow, jitter)
			got := at.Sub(retryNow)
			exact := pause + time.Duration(jitter*float64(pause)/10)
			if !again || got < pause || got > pause+pause/10 || (got-exact).Abs() > time.Microsecond {
				t.Errorf("after try %d, jitter %v: got %v, %v, want %v", i+1, jitter, got, again, exact)
			}
		}
	}
	if webhook.Schedule[0] != 0 {
		t.Errorf("the first try waits %v, want none", webhook.Schedule[0])
	}
	for _, try := range []int{math.MinInt, -1, 0, len(want) + 1, len(want) + 2, math.MaxInt} {
		if at, again := webhook.NextAttempt(webhook.Schedule, try, webhook.Outcome{Status: 500}, time.Hour, retryNow, 0.5); again || !at.IsZero() {
			t.Errorf("after try %d: got %v, %v, want no more", try, at, again)
		}
	}
}

// TestScheduleTotal holds the doc comment of Schedule to its word.
func TestScheduleTotal(t *testing.T) {
	at := retryNow
	for try := 1; ; try++ {
		next, again := webhook.NextAttempt(webhook.Schedule, try, webhook.Outcome{Failure: webhook.FailRefused}, 0, at, 0)
		if !again {
			break
		}
		at = next
	}
	if got, want := at.Sub(retryNow), 75*time.Hour+36*time.Minute+5*time.Second; got != want {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestNextTryPause(t *testing.T) {
	throttled := webhook.Outcome{Status: 429, Failure: webhook.FailStatus}
	timeout := webhook.Outcome{Failure: webhook.FailTimeout}
	failed := webhook.Outcome{Status: 503, Failure: webhook.FailStatus}
	tests := []struct {
		name       string
		try        int
		outcome    webhook.Outcome
		retryAfter time.Duration
		want       time.Duration
	}{
		{"no floor", 1, failed, 0, 5 * time.Second},
		{"no answer, no floor", 1, webhook.Outcome{Failure: webhook.FailRefused}, 0, 5 * time.Second},
		{"floor after 429", 1, throttled, 0, time.Minute},
		{"floor after a timeout", 1, timeout, 0, time.Minute},
		{"the floor does not shorten", 3, throttled, 0, 5 * time.Minute},
		{"retry-after lengthens", 1, failed, 90 * time.Second, 90 * time.Second},
		{"retry-after above the floor", 1, throttled, 90 * time.Second, 90 * time.Second},
		{"retry-after below the floor", 1, throttled, 20 * time.Second, time.Minute},
		{"retry-after never shortens", 4, failed, time.Minute, 30 * time.Minute},
		{"retry-after of the past", 1, failed, -time.Hour, 5 * time.Second},
		{"retry-after at its bound", 1, failed, 24 * time.Hour, 24 * time.Hour},
		{"retry-after beyond its bound", 1, failed, 25 * time.Hour, 24 * time.Hour},
		{"retry-after without end", 1, throttled, math.MaxInt64, 24 * time.Hour},
		{"retry-after without beginning", 1, throttled, math.MinInt64, time.Minute},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, jitter := range []float64{0, justBelowOne} {
				at, again := webhook.NextAttempt(webhook.Schedule, tt.try, tt.outcome, tt.retryAfter, retryNow, jitter)
				most := tt.want + time.Duration(math.Ceil(jitter*float64(tt.want/10)))
				if got := at.Sub(retryNow); !again || got < tt.want || got > most {
					t.Errorf("jitter %v: got %v, %v, want %v to %v", jitter, got, again, tt.want, most)
				}
			}
		})
	}
}

func TestNextTryOtherSchedule(t *testing.T) {
	short := []time.Duration{0, time.Millisecond}
	at, again := webhook.NextAttempt(short, 1, webhook.Outcome{Status: 500}, 0, retryNow, 0)
	if got := at.Sub(retryNow); !again || got != time.Millisecond {
		t.Errorf("got %v, %v, want 1ms", got, again)
	}
	if at, again := webhook.NextAttempt(nil, 1, webhook.Outcome{}, 0, retryNow, 0); again {
		t.Errorf("no schedule: got %v, want no more", at)
	}
}

func FuzzNextTry(f *testing.F) {
	f.Add(1, 500, false, int64(0), int64(1795251600000), 0.0)
	f.Add(1, 429, false, int64(90*time.Second), int64(0), 0.5)
	f.Add(10, 0, true, int64(math.MaxInt64), int64(math.MaxInt64), justBelowOne)
	f.Add(11, 503, false, int64(math.MinInt64), int64(math.MinInt64), 0.1)
	f.Add(math.MinInt, 0, true, int64(-1), int64(-1), 0.9)
	f.Fuzz(func(t *testing.T, try, status int, timeout bool, retryAfter, millis int64, jitter float64) {
		if !(jitter >= 0 && jitter < 1) {
			t.Skip("no jitter")
		}
		outcome, least := webhook.Outcome{Status: status}, time.Duration(0)
		if timeout {
			outcome.Failure = webhook.FailTimeout
		}
		if timeout || status == 429 {
			least = time.Minute
		}
		now := time.UnixMilli(millis)
		at, again := webhook.NextAttempt(webhook.Schedule, try, outcome, time.Duration(retryAfter), now, jitter)
		if want := try >= 1 && try <= 10; again != want {
			t.Fatalf("after try %d: got %v, want %v", try, again, want)
		}
		if !again {
			return
		}
		least = max(least, webhook.Schedule[try], min(time.Duration(retryAfter), 24*time.Hour))
		if got := at.Sub(now); got < least || got > least+least/10 {
			t.Errorf("after try %d: got %v, want %v and up to 10 %% more", try, got, least)
		}
	})
}

func TestNextAfterExtra(t *testing.T) {
	failed, throttled := webhook.Outcome{Status: 503, Failure: webhook.FailStatus}, webhook.Outcome{Status: 429, Failure: webhook.FailStatus}
	for _, tt := range []struct {
		name                  string
		scheduled, retryAfter time.Duration
		outcome               webhook.Outcome
		want                  time.Duration
	}{
		{"as scheduled", time.Hour, 0, failed, time.Hour},
		{"overdue", -time.Hour, 0, failed, 0},
		{"the floor holds", time.Second, 0, throttled, time.Minute},
		{"retry-after holds", time.Minute, time.Hour, failed, time.Hour},
		{"retry-after does not shorten", time.Hour, time.Minute, failed, time.Hour},
		{"retry-after has its bound", time.Hour, 48 * time.Hour, failed, 24 * time.Hour},
	} {
		if got := webhook.NextAfterExtra(retryNow.Add(tt.scheduled), tt.outcome, tt.retryAfter, retryNow, 0).Sub(retryNow); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.name, got, tt.want)
		}
	}
}
