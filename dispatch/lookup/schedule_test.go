package lookup

import (
	"fmt"
	"testing"
	"time"

	"bookhook/webhook"
)

var down = webhook.NewMessage("lookup.network", "example.com")

func rows(account webhook.AccountID, first, n int) []webhook.PendingLookup {
	list := make([]webhook.PendingLookup, n)
	for i := range list {
		list[i] = webhook.PendingLookup{Event: webhook.EventID(first + i), Account: account, Platform: "tourcms", Booking: fmt.Sprint(first + i), Lookup: true}
	}
	return list
}

// TestSourcesTakeTurns: of many sources each gets its share of the places, and
// failing ones half of them at most.
func TestSourcesTakeTurns(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)
	s := newSchedule(maxPending)
	for account := range webhook.AccountID(20) {
		s.add(rows(account, int(account)*100, 10), now)
	}
	var tasks []task
	for next, ok := s.next(now); ok; next, ok = s.next(now) {
		tasks = append(tasks, next)
	}
	accounts := map[webhook.AccountID]int{}
	for _, next := range tasks {
		accounts[next.key.account]++
	}
	if len(tasks) != maxConcurrent || len(accounts) != maxConcurrent {
		t.Fatalf("got %d tasks of %d sources, want one of each of %d", len(tasks), len(accounts), maxConcurrent)
	}
	for _, next := range tasks {
		s.finish(result{task: next, failure: down}, now)
	}
	if got := s.nextWake(now); !got.Equal(now.Add(failurePause)) {
		t.Errorf("got the next wake-up at %s, want after the pause of a failing source", got)
	}
	now = now.Add(failurePause)
	slow, other := 0, 0
	for next, ok := s.next(now); ok; next, ok = s.next(now) {
		if next.slow {
			slow++
		} else {
			other++
		}
	}
	if slow != maxSlow || other < maxConcurrent-maxSlow-1 {
		t.Errorf("got %d tasks of failing sources and %d others, want half of each, but for one that is left free", slow, other)
	}
}

// TestAccountsShare: an account with slow APIs on several platforms leaves places to
// another one, a slow one too, and takes turns as one.
func TestAccountsShare(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)
	s := newSchedule(maxPending)
	for platform := range 6 {
		waiting := rows(1, 100*platform, 50)
		for i := range waiting {
			waiting[i].Platform = fmt.Sprint("platform ", platform)
		}
		s.add(waiting, now)
	}
	start := func() (running []task) {
		for next, ok := s.next(now); ok; next, ok = s.next(now) {
			running = append(running, next)
		}
		return running
	}
	first := start()
	if len(first) != maxConcurrent/2 {
		t.Fatalf("got %d tasks of one account, want half of %d", len(first), maxConcurrent)
	}
	for _, next := range first {
		s.finish(result{task: next, done: 1, response: response{requestedAt: now}}, now.Add(2*slowAfter))
	}
	if got := len(start()); got != maxSlow/2 {
		t.Fatalf("got %d tasks of one slow account, want half of %d", got, maxSlow)
	}
	s.add(rows(2, 1000, 10), now)
	s.source(sourceKey{2, "tourcms"}).slow = true
	second := start()
	if len(second) != maxSlow/4 || second[0].key.account != 2 {
		t.Errorf("got %d tasks of the other slow account, want %d at once", len(second), maxSlow/4)
	}
	s.add(rows(3, 2000, 10), now)
	if third := start(); len(third) != maxPerSource || third[0].key.account != 3 {
		t.Errorf("got %d tasks of a healthy account, want %d at once", len(third), maxPerSource)
	}
}

// TestBookingIsGivenUp: after the last pause an event is matched without
// another request, and its source is forgotten with it.
func TestBookingIsGivenUp(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)
	s := newSchedule(maxPending)
	s.add(rows(1, 1, 1), now)
	for i := range len(retryPauses) + 1 {
		next, ok := s.next(now)
		if !ok || !next.giveUpReason(next.events[0]).IsZero() {
			t.Fatalf("got %+v, %t, want attempt %d", next, ok, i+1)
		}
		s.finish(result{task: next, failure: down}, now)
		if i < len(retryPauses) {
			if _, ok := s.next(now.Add(retryPauses[i] - 1)); ok {
				t.Errorf("got attempt %d early", i+2)
			}
			now = now.Add(retryPauses[i])
		}
	}
	now = now.Add(failurePause)
	next, ok := s.next(now)
	if !ok || next.giveUpReason(next.events[0]).Code != down.Code {
		t.Fatalf("got %+v, %t, want the event given up", next, ok)
	}
	s.finish(result{task: next, done: 1}, now)
	if s.pending != 0 || s.running != 0 || s.slow != 0 || len(s.bookings) != 0 || len(s.sources) != 0 || len(s.accounts) != 0 || len(s.turns) != 0 {
		t.Errorf("something is left: %+v", s)
	}
}
