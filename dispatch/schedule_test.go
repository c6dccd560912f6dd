package dispatch_test

import (
	"testing"
	"testing/synctest"
	"time"

	"bookhook/dispatch"
	"bookhook/dispatch/guard"
	"bookhook/webhook"
)

// These run on a false clock: their receivers are refused by the guard, which
// takes no network. The bubble also finds goroutines that are left behind.

const blocked = "http://10.0.0.1/"

// bubble runs a test on a false clock that begins after 2025, when ids do.
func bubble(t *testing.T, test func(*testing.T)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)))
		test(t)
	})
}

func TestScheduleIsKept(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		r := newRig(t).run(dispatch.Options{Guard: &guard.Guard{}})
		r.hook(blocked)
		id := r.ingest(1)[0]
		for range webhook.Schedule {
			<-r.store.finished
		}
		d, attempts := r.delivery(id), r.attempts(id)
		if d.State != webhook.Failed || len(attempts) != len(webhook.Schedule) {
			t.Fatalf("got %s after %d attempts, want failed after %d", d.State, len(attempts), len(webhook.Schedule))
		}
		for i, pause := range webhook.Schedule[1:] {
			got := attempts[i+1].StartedAt.Sub(attempts[i].StartedAt)
			if got < pause-time.Millisecond || got > pause+pause/10+time.Second {
				t.Errorf("got %s before attempt %d, want %s and up to a tenth more", got, i+2, pause)
			}
		}
		r.stop()
	})
}

func TestFailingForDaysSwitchesOff(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		r := newRig(t).run(dispatch.Options{Guard: &guard.Guard{}})
		w := r.hook(blocked)
		began := time.Now()
		for time.Since(began) < webhook.FailingLimit+24*time.Hour {
			r.ingest(1)
			time.Sleep(6 * time.Hour) // of the false clock
		}
		after, err := r.store.Webhook(t.Context(), r.account.ID, w.ID)
		if err != nil || after.Enabled || after.OffReason != webhook.OffFailing {
			t.Fatalf("got %+v, %v, want it off", after, err)
		}
		if off := after.OffAt.Sub(began); off < webhook.FailingLimit-time.Second || off > webhook.FailingLimit+24*time.Hour {
			t.Errorf("got it off after %s, want %s", off, webhook.FailingLimit)
		}
		r.stop()
	})
}

func TestNothingHappensWhileNothingIsDue(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		r := newRig(t).run(dispatch.Options{Guard: &guard.Guard{}, Schedule: []time.Duration{0, 1000 * time.Hour}})
		r.hook(blocked)
		r.ingest(1)
		first := <-r.store.finished
		time.Sleep(999 * time.Hour) // a loop that polls would take for ever
		if n := len(r.store.finished); n != 0 {
			t.Errorf("got %d attempts before the time, want none", n)
		}
		second := <-r.store.finished
		if got := second.Attempt.StartedAt.Sub(first.Attempt.StartedAt); got < 1000*time.Hour {
			t.Errorf("got the second attempt after %s, want 1000 h", got)
		}
		r.stop()
	})
}

// TestRetryNowKeepsTheTime: an attempt that a person asks for neither puts off the next one
// nor uses up the schedule, however often, and wherever it is asked for.
func TestRetryNowKeepsTheTime(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		r := newRig(t).run(dispatch.Options{Guard: &guard.Guard{}})
		w := r.hook(blocked)
		id := r.ingest(1)[0]
		for range 4 { // the next one is in half an hour
			<-r.store.finished
		}
		next := r.delivery(id).NextAt
		for _, ask := range []func() error{
			func() error { _, err := r.Replay(t.Context(), r.account.ID, id, byTest()); return err },
			func() error { _, err := r.store.RetryOldest(t.Context(), r.account.ID, w.ID, byTest()); return err },
			func() error {
				_, err := r.store.SetEnabled(t.Context(), r.account.ID, w.ID, false, byTest())
				if err == nil {
					_, err = r.store.SetEnabled(t.Context(), r.account.ID, w.ID, true, byTest())
				}
				return err
			},
		} {
			time.Sleep(time.Minute)
			if err := ask(); err != nil {
				t.Fatal(err)
			}
			<-r.store.finished
			if got := r.delivery(id); !got.NextAt.Equal(next) || !got.Scheduled.IsZero() {
				t.Errorf("got %+v, want the next attempt at %s", got, next)
			}
		}
		if got := (<-r.store.finished).Attempt.StartedAt; got.Before(next) || got.After(next.Add(time.Second)) {
			t.Errorf("got an attempt at %s, want it at %s", got, next)
		}
		for range webhook.Schedule[5:] {
			<-r.store.finished
		}
		if d := r.delivery(id); d.State != webhook.Failed || d.Attempts != len(webhook.Schedule)+3 {
			t.Errorf("got %s after %d attempts, want failed after three more than the schedule has", d.State, d.Attempts)
		}
	})
}
