package dispatch

import (
	"testing"
	"time"

	"bookhook/webhook"
)

// forever is the lease of a process that has no others beside it.
func forever() (l webhook.Lease) {
	l.Share = webhook.Shards
	for i := range l.Epochs {
		l.Epochs[i] = 1
	}
	return l
}

// acceptAll makes lanes of all accounts accept jobs.
func (s *lanes) acceptAll(due map[webhook.WebhookID]webhook.Due) {
	s.granted(forever())
	s.opened(webhook.AllShards, forever(), due)
	s.accept()
}

// grant is a lease of some shards until a time.
func grant(until time.Time, epoch int64, shards ...int) (l webhook.Lease) {
	l.Until, l.Share = until, webhook.Shards
	for _, i := range shards {
		l.Epochs[i] = epoch
	}
	return l
}

func set(shards ...int) (s webhook.ShardSet) {
	for _, i := range shards {
		s |= 1 << i
	}
	return s
}

func wantSets(t *testing.T, what string, got ...webhook.ShardSet) {
	t.Helper()
	for i := 0; i < len(got); i += 2 {
		if got[i] != got[i+1] {
			t.Errorf("%s: got %b, want %b", what, got[i], got[i+1])
		}
	}
}

// TestShards steps through the life of shards.
func TestShards(t *testing.T) {
	var s shards
	now := time.Now()
	until := now.Add(webhook.LeaseTime)
	first := grant(until, 5, 0, 1, 2, 3)
	lost, acquired := s.granted(first, now)
	wantSets(t, "granted", lost, 0, acquired, set(0, 1, 2, 3))
	if s.isOpen(1) || !s.isKnown(1) || s.isKnown(4) {
		t.Error("what is due is to be recorded of shards that are held, and nothing claimed before they are open")
	}
	wantSets(t, "opened", s.opened(set(0, 1, 2), first), set(0, 1, 2), s.in(opening), set(3), s.in(open), set(0, 1, 2))
	lost, acquired = s.granted(first, now)
	wantSets(t, "renewed", lost, 0, acquired, 0)

	s.begin(2, 2)
	wantSets(t, "one too many: an idle one that is open, not the first", s.surplus(3), set(1))
	wantSets(t, "two too many", s.surplus(2), set(1, 0))
	wantSets(t, "three too many", s.surplus(1), set(0, 1, 2))
	s.drain(set(1, 2))
	wantSets(t, "drained", s.drained(), set(1))
	if s.isKnown(1) || s.end(2) || !s.end(2) {
		t.Error("a shard can be given back when the last thing under way has ended")
	}
	wantSets(t, "drained", s.drained(), set(1, 2))
	lost, acquired = s.granted(grant(until, 5, 0, 2, 3), now)
	wantSets(t, "one was given back", lost, 0, acquired, 0, s.in(draining), set(2))
	lost, acquired = s.granted(grant(until, 6, 2, 3), now)
	wantSets(t, "lost, and two taken anew", lost, set(0, 3), acquired, set(2, 3))
	wantSets(t, "opened for what was read before", s.opened(set(2, 3), first), 0)
}

// TestLeased: a lease is good while both clocks say so, up to a moment before its end.
func TestLeased(t *testing.T) {
	var s shards
	now := time.Now()
	if !s.leased(now) {
		t.Error("a lease for ever is not good")
	}
	s.until = now.Add(webhook.LeaseTime)
	for name, tt := range map[string]struct {
		at   time.Time
		want bool
	}{
		"now": {now, true}, "at the margin": {now.Add(webhook.LeaseTime - leaseMargin), false}, "after its end": {now.Add(time.Hour), false},
		"after a suspension": {now.Round(0).Add(time.Hour), false}, "before the margin": {now.Add(webhook.LeaseTime - leaseMargin - 1), true},
	} {
		if got := s.leased(tt.at); got != tt.want {
			t.Errorf("%s: got %t, want %t", name, got, tt.want)
		}
	}
}
