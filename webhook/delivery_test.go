package webhook_test

import (
	"net/http"
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
		{"claimed again", webhook.Delivery{State: webhook.Pending, Attempts: 3, Answered: 2, NextAt: lease}, true},
		{"waits for its first try", webhook.Delivery{State: webhook.Pending, NextAt: lease}, false},
		{"waits for its next try", webhook.Delivery{State: webhook.Pending, Attempts: 2, Answered: 2, NextAt: lease}, false},
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

func TestSucceeded(t *testing.T) {
	tests := []struct {
		status        int
		want, want200 bool
	}{
		{0, false, false},
		{199, false, false},
		{200, true, true},
		{201, true, false},
		{204, true, false},
		{299, true, false},
		{301, false, false},
		{410, false, false},
		{500, false, false},
	}
	for _, tt := range tests {
		if got := (webhook.Request{}).Succeeded(tt.status); got != tt.want {
			t.Errorf("%d: got %v, want %v", tt.status, got, tt.want)
		}
		if got := (webhook.Request{Only200: true}).Succeeded(tt.status); got != tt.want200 {
			t.Errorf("%d, only 200: got %v, want %v", tt.status, got, tt.want200)
		}
	}
}

func TestStandardRequest(t *testing.T) {
	const url = "https://example.com/hook?a=1"
	e := webhook.Event{ID: 1, Platform: "tourcms", Type: "cancelled", ReceivedAt: time.Unix(1, 0)}
	got := webhook.StandardRequest(webhook.Account{Number: 4069}, e, nil, url)
	if got.Method != http.MethodPost || got.URL != url || got.Only200 {
		t.Errorf("got %s %s, only 200 %v, want POST %s, any 2xx", got.Method, got.URL, got.Only200, url)
	}
	if got := got.Header.Get("Content-Type"); got != "application/json" {
		t.Errorf("got content type %q, want application/json", got)
	}
	want := string(e.StandardBody(4069, nil))
	if string(got.Body) != want || string(got.Signed) != want {
		t.Errorf("got body %s, signed %s, want %s", got.Body, got.Signed, want)
	}
}
