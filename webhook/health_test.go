package webhook_test

import (
	"testing"
	"time"

	"bookhook/webhook"
)

func TestAfterFailure(t *testing.T) {
	t0 := time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)
	tests := []struct {
		name  string
		ago   time.Duration // the last failure; zero: none
		since time.Duration // failing for; zero: not
		want  time.Duration // failing for, after a failure now
	}{
		{"the first", 0, 0, 0},
		{"one more", time.Hour, 3 * time.Hour, 3 * time.Hour},
		{"as far apart as may be", webhook.FailingGap, webhook.FailingGap, webhook.FailingGap},
		{"further apart", webhook.FailingGap + 1, webhook.FailingGap + 1, 0},
		{"after a success", time.Hour, 0, 0},
	}
	for _, tt := range tests {
		h := webhook.Health{Skipped: 7}
		if tt.ago != 0 {
			h.FailedAt = t0.Add(-tt.ago)
		}
		if tt.since != 0 {
			h.FailingSince = t0.Add(-tt.since)
		}
		got := h.AfterFailure(t0)
		want := webhook.Health{FailingSince: t0.Add(-tt.want), FailedAt: t0, Skipped: 7}
		if got != want {
			t.Errorf("%s: got %+v, want %+v", tt.name, got, want)
		}
	}
}

func TestSwitchOff(t *testing.T) {
	t0 := time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)
	tests := []struct {
		name   string
		health webhook.Health
		gone   bool
		want   webhook.OffReason
	}{
		{"well", webhook.Health{}, false, ""},
		{"gone", webhook.Health{}, true, webhook.OffGone},
		{"failing for a while", webhook.Health{FailingSince: t0.Add(-webhook.FailingLimit + 1)}, false, ""},
		{"failing for too long", webhook.Health{FailingSince: t0.Add(-webhook.FailingLimit)}, false, webhook.OffFailing},
		{"both", webhook.Health{FailingSince: t0.Add(-webhook.FailingLimit)}, true, webhook.OffGone},
		{"off", webhook.Health{FailingSince: t0.Add(-webhook.FailingLimit), OffAt: t0, OffReason: webhook.OffByUser}, true, ""},
	}
	for _, tt := range tests {
		if got := tt.health.SwitchOff(t0, tt.gone); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}

// TestStatus: one failure is no alarm, and what nobody wanted to be off needs attention.
func TestStatus(t *testing.T) {
	t0 := time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)
	once := webhook.Health{FailingSince: t0, FailedAt: t0}
	soon := webhook.Health{FailingSince: t0, FailedAt: t0.Add(webhook.FailingAfter - 1)}
	failing := webhook.Health{FailingSince: t0, FailedAt: t0.Add(webhook.FailingAfter)}
	on := webhook.Health{OnAt: t0}
	paused, used := webhook.Circuit{Failures: 10, ProbeAt: t0}, webhook.Activity{Used: true}
	for _, tt := range []struct {
		name    string
		off     webhook.OffReason // "": on
		health  webhook.Health
		circuit webhook.Circuit
		lately  webhook.Activity
		want    webhook.Status
		alarm   bool
	}{
		{"never used", "", webhook.Health{}, webhook.Circuit{}, webhook.Activity{}, webhook.StatusUnused, false},
		{"healthy", "", webhook.Health{}, webhook.Circuit{}, used, webhook.StatusHealthy, false},
		{"one failure", "", once, webhook.Circuit{Failures: 1}, used, webhook.StatusHealthy, false},
		{"some failures within a moment", "", soon, webhook.Circuit{Failures: 3}, used, webhook.StatusHealthy, false},
		{"failing", "", failing, webhook.Circuit{Failures: 3}, used, webhook.StatusFailing, true},
		{"paused", "", soon, paused, used, webhook.StatusPaused, true},
		{"off by a person", webhook.OffByUser, failing, paused, used, webhook.StatusOff, false},
		{"off by failures", webhook.OffFailing, failing, paused, used, webhook.StatusStopped, true},
		{"most of a few fail", "", webhook.Health{}, webhook.Circuit{}, webhook.Activity{Used: true, Failures: webhook.Failures{Failed: 8, Of: 9}}, webhook.StatusHealthy, false},
		{"fewer than half fail", "", webhook.Health{}, webhook.Circuit{}, webhook.Activity{Used: true, Failures: webhook.Failures{Failed: 4, Of: 10}}, webhook.StatusHealthy, false},
		{"half fail", "", once, webhook.Circuit{Failures: 1}, webhook.Activity{Used: true, Failures: webhook.Failures{Failed: 5, Of: 10}}, webhook.StatusUnreliable, false},
		{"all fail", "", failing, webhook.Circuit{Failures: 3}, webhook.Activity{Used: true, Failures: webhook.Failures{Failed: 70, Of: 70}}, webhook.StatusFailing, true},
		{"on again, not tried", "", on, webhook.Circuit{}, webhook.Activity{Used: true, Failures: webhook.Failures{Failed: 70, Of: 70}}, webhook.StatusUntried, false},
		{"on again, one has failed", "", on.AfterFailure(t0), webhook.Circuit{}, used, webhook.StatusHealthy, false},
		{"off by 410", webhook.OffGone, webhook.Health{}, webhook.Circuit{}, webhook.Activity{}, webhook.StatusStopped, true},
	} {
		w := &webhook.Webhook{Enabled: tt.off == "", Circuit: tt.circuit, Health: tt.health}
		w.OffReason = tt.off
		if got := w.Status(tt.lately); got != tt.want || got.NeedsAttention() != tt.alarm {
			t.Errorf("%s: got %s, which needs attention: %t; want %s, %t", tt.name, got, got.NeedsAttention(), tt.want, tt.alarm)
		}
	}
}

func TestSwitchOffNear(t *testing.T) {
	t0 := time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)
	near := t0.Add(webhook.FailingLimit - webhook.SwitchOffWarning)
	failing := webhook.Health{FailingSince: t0, FailedAt: near}
	off := failing
	off.OffAt = near
	for _, tt := range []struct {
		name   string
		health webhook.Health
		now    time.Time
		want   bool
	}{
		{"well", webhook.Health{}, t0, false},
		{"a day before", failing, near.Add(1), true},
		{"earlier", failing, near, false},
		{"off already", off, near.Add(1), false},
		{"long ago", failing, near.Add(webhook.FailingGap), true},
		{"so long ago that a failure would begin a new outage", failing, near.Add(webhook.FailingGap + 1), false},
	} {
		w := webhook.Webhook{Health: tt.health}
		if got := w.SwitchOffNear(tt.now); got != tt.want {
			t.Errorf("%s: got %t", tt.name, got)
		}
		w.Kind = webhook.Inline
		if w.SwitchOffNear(tt.now) {
			t.Errorf("%s: a synchronous webhook is not switched off", tt.name)
		}
	}
}
