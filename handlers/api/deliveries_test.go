package api

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"bookhook/webhook"
)

func TestShowAttempts(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)
	answered := webhook.Attempt{Number: 2, StartedAt: now, Status: 500, Failure: webhook.FailStatus, RequestHeaders: http.Header{"A": {"1", "2"}}}
	tests := []struct {
		name string
		d    webhook.Delivery
		want string
	}{
		{"the last is on its way", webhook.Delivery{State: webhook.Pending, Attempts: 3, Completed: 2, NextAt: now.Add(time.Minute)}, "cut_off status"},
		{"the last was cut off", webhook.Delivery{State: webhook.Pending, Attempts: 3, Completed: 2, NextAt: now}, "cut_off status cut_off"},
		{"cancelled on its way", webhook.Delivery{State: webhook.Cancelled, Attempts: 3, Completed: 2, NextAt: now.Add(time.Minute)}, "cut_off status"},
		{"finished", webhook.Delivery{State: webhook.Failed, Attempts: 2, Completed: 2}, "cut_off status"},
		{"none yet", webhook.Delivery{State: webhook.Pending}, ""},
	}
	for _, tt := range tests {
		var got []string
		for _, shown := range new(API).showAttempts(tt.d, []webhook.Attempt{answered}, webhook.AttemptsShown, now) {
			switch shown := shown.(type) {
			case attemptJSON:
				got = append(got, string(shown.Reason))
				if shown.RequestHeaders["A"] != "1, 2" {
					t.Errorf("got headers %v", shown.RequestHeaders)
				}
			case cutOffJSON:
				got = append(got, string(shown.Reason))
			}
		}
		if strings.Join(got, " ") != tt.want {
			t.Errorf("%s: got %v, want %s", tt.name, got, tt.want)
		}
	}
}
