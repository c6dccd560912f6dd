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
	s := newSchedule()
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
	if slow != maxSlow || other != maxConcurrent-maxSlow {
		t.Errorf("got %d tasks of failing sources and %d others, want half of each", slow, other)
	}
}

// TestBookingIsGivenUp: after the last pause an event is matched without
// another request, and its source is forgotten with it.
func TestBookingIsGivenUp(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)
	s := newSchedule()
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
	if s.pending != 0 || s.running != 0 || s.slow != 0 || len(s.bookings) != 0 || len(s.sources) != 0 || len(s.turns) != 0 {
		t.Errorf("something is left: %+v", s)
	}
}
