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
