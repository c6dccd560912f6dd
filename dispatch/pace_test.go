package dispatch

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"bookhook/webhook"
)

// planFor is a plan with one event that matches a webhook.
func planFor(w *webhook.Webhook) *webhook.Plan {
	return &webhook.Plan{
		Subscriptions: &webhook.Subscriptions{Account: webhook.Account{ID: w.Account}, Webhooks: []*webhook.Webhook{w}},
		Events:        []webhook.PlannedEvent{{Decisions: []webhook.Decision{{Webhook: w.ID}}, Claim: make([]bool, 1)}},
	}
}

// waits reports whether an event for the webhook waits for room, and for how long.
func (b *testLanes) waits(ctx context.Context, w *webhook.Webhook) time.Duration {
	began := time.Now()
	b.awaitRoom(ctx, planFor(w))
	return time.Since(began)
}

// fill lets requests of a lane succeed with this pause, and then gives it more than it
// holds.
func (b *testLanes) fill(id webhook.WebhookID, pause time.Duration) *webhook.Webhook {
	b.started = nil
	w := &webhook.Webhook{ID: id, Account: webhook.AccountID(id), Config: webhook.Config{Concurrency: 8}}
	b.ingest(w, 4, 4)
	for range 100 {
		time.Sleep(pause)
		b.attempted(0, false, time.Now())
		b.ingest(w, 1, 1)
	}
	b.ingest(w, 2000, 2000)
	return w
}

// fillAndEmpty makes a fast lane that has nothing more to do.
func (b *testLanes) fillAndEmpty() *webhook.Webhook {
	w := &webhook.Webhook{ID: 1, Account: 1, Config: webhook.Config{Concurrency: 8}}
	b.ingest(w, 2, 2)
	for range 100 {
		time.Sleep(time.Millisecond)
		b.attempted(0, false, time.Now())
		b.ingest(w, 1, 1)
	}
	b.mu.Lock()
	b.byID[w.ID].due(webhook.Due{At: time.Now().Add(10 * time.Hour)}) // one delivery waits for its retry, so the lane stays
	b.mu.Unlock()
	for len(b.started) > 0 {
		b.attempted(0, false, time.Now())
	}
	return w
}

// TestEventsWaitForFastLanes: an event waits for a place in a lane that is fast and
// full, gets one when half of it is free, and goes to the table at once if the lane is
// slow.
func TestEventsWaitForFastLanes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newTestLanes(2048)
		fast := b.fill(1, time.Millisecond)
		if got := b.waits(t.Context(), fast); got != maxRoomWait {
			t.Errorf("got an event that waited for %s while nothing moved, want %s", got, maxRoomWait)
		}
		if got := b.waits(t.Context(), fast); got != 0 {
			t.Errorf("got an event that waited for %s for a lane that stopped, want it not to", got)
		}
		moving := b.fill(2, time.Millisecond)
		go func() {
			b.mu.Lock()
			b.byID[moving.ID].nextDue = time.Time{} // what was in the table is claimed
			b.mu.Unlock()
			for range 20 {
				time.Sleep(time.Millisecond)
				b.attempted(0, false, time.Now())
			}
		}()
		if got := b.waits(t.Context(), moving); got != 20*time.Millisecond {
			t.Errorf("got an event that waited for %s, want 20ms, until half of the lane was free", got)
		}
		slow := b.fill(3, 10*time.Millisecond)
		if got := b.waits(t.Context(), slow); got != 0 {
			t.Errorf("got an event that waited for %s for a slow lane, want it not to", got)
		}
	})
}

// TestFastLanesHoldMore: a lane holds what it sends in a short time, if that is more
// than its concurrency asks for; not if its requests fail, however fast.
func TestFastLanesHoldMore(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)
	l := newLane(1, &account{})
	l.concurrency = 8
	run := func(pause time.Duration, failed bool) int {
		for range 10 * paceWeight {
			now = now.Add(pause)
			l.pace.update(attemptSignal{failed: failed}, now, true)
		}
		return l.capacity()
	}
	for _, c := range []struct {
		pause  time.Duration
		failed bool
		want   int
	}{
		{100 * time.Microsecond, false, int(paceAhead / (100 * time.Microsecond))},
		{time.Microsecond, false, maxAhead},
		{10 * time.Millisecond, false, 3 * 8},
		{100 * time.Microsecond, true, 3 * 8},
	} {
		if got := run(c.pause, c.failed); got < c.want*9/10 || got > c.want*11/10 {
			t.Errorf("got %d jobs with a request each %s, failed: %t; want about %d", got, c.pause, c.failed, c.want)
		}
	}
}

// TestClosedLanesLetEventsGo: at shutdown nobody waits.
func TestClosedLanesLetEventsGo(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newTestLanes(2048)
		w := b.fill(1, time.Millisecond)
		go func() {
			time.Sleep(time.Millisecond)
			b.close()
		}()
		if got := b.waits(t.Context(), w); got != time.Millisecond {
			t.Errorf("got an event that waited for %s, want it to go when the lanes are closed", got)
		}
	})
}

// TestIdleLaneThatHangs: a lane that was fast, had nothing more to do, and whose
// receiver then no longer answers is slow after a moment, as one that stopped while
// it was busy is: its events go to the table at once.
func TestIdleLaneThatHangs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newTestLanes(2048)
		w := b.fillAndEmpty()
		time.Sleep(time.Hour)
		b.ingest(w, 2000, 2000) // and now the receiver hangs
		for range 5 {
			time.Sleep(2 * time.Second)
			if got := b.waits(t.Context(), w); got != 0 {
				t.Errorf("got an event that waited for %s for a lane that hangs, want it not to", got)
			}
		}
	})
}

// TestFreedPlacesAreGivenOn: places of a batch that was not stored go to who waits
// for them, also if nothing is in flight that could free one later.
func TestFreedPlacesAreGivenOn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newTestLanes(2048)
		w := b.fillAndEmpty()
		r, taken := b.plan(w, 1000)
		if taken == 0 || taken == 1000 {
			t.Fatalf("got %d places, want all that there are", taken)
		}
		go func() {
			time.Sleep(2 * time.Millisecond)
			r.commit(nil)
		}()
		if got := b.waits(t.Context(), w); got != 2*time.Millisecond {
			t.Errorf("got an event that waited for %s, want 2ms, until the places were free", got)
		}
	})
}

// TestTurnsComeInOrder: events get their places in the order in which they wait, half
// a lane at a time, however many wait.
func TestTurnsComeInOrder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newTestLanes(2048)
		w := b.fill(1, time.Millisecond)
		b.mu.Lock()
		l := b.byID[w.ID]
		l.nextDue = time.Time{} // what was in the table is claimed
		b.mu.Unlock()
		var passed []int
		for i := range 100 {
			go func() {
				b.awaitRoom(t.Context(), planFor(w))
				b.mu.Lock()
				defer b.mu.Unlock()
				passed = append(passed, i)
				b.reserve(l, 1)
			}()
			synctest.Wait()
		}
		half := (l.capacity() + 1) / 2
		for i := range half {
			if len(passed) != 0 {
				t.Errorf("got %d events that passed when %d of %d places were free", len(passed), i, l.capacity())
			}
			time.Sleep(time.Millisecond)
			b.attempted(0, false, time.Now())
			synctest.Wait()
		}
		if !slices.Equal(slices.Sorted(slices.Values(passed)), upTo(half)) {
			t.Errorf("got %v, want the first %d", passed, half)
		}
	})
}

// upTo is the numbers from 0 to n-1.
func upTo(n int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	return all
}
