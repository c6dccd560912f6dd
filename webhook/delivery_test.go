package webhook_test

import (
	"testing"
	"time"

	"bookhook/webhook"
)

func TestInFlight(t *testing.T) {
	now := time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)
	lease := now.Add(time.Minute)
	tests := []struct {
		name string
		d    webhook.Delivery
		want bool
	}{
		{"claimed", webhook.Delivery{State: webhook.Pending, Attempts: 1, NextAt: lease}, true},
		{"claimed again", webhook.Delivery{State: webhook.Pending, Attempts: 3, Completed: 2, NextAt: lease}, true},
		{"waits for its first try", webhook.Delivery{State: webhook.Pending, NextAt: lease}, false},
		{"waits for its next try", webhook.Delivery{State: webhook.Pending, Attempts: 2, Completed: 2, NextAt: lease}, false},
		{"the lease ends", webhook.Delivery{State: webhook.Pending, Attempts: 1, NextAt: now}, false},
		{"cut off", webhook.Delivery{State: webhook.Pending, Attempts: 1, NextAt: now.Add(-time.Second)}, false},
		{"cancelled", webhook.Delivery{State: webhook.Cancelled, Attempts: 1, NextAt: lease}, false},
	}
	for _, tt := range tests {
		if got := tt.d.InFlight(now); got != tt.want {
			t.Errorf("%s: got %v, want %v", tt.name, got, tt.want)
		}
	}
}
