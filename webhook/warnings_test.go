package webhook_test

import (
	"net/http"
	"testing"
	"time"

	"bookhook/webhook"
)

// TestWarnings: each begins and ends with ordinary attempts.
func TestWarnings(t *testing.T) {
	now := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	day := 24 * time.Hour
	ok := webhook.Attempt{Status: 200, Duration: time.Second}
	slow := webhook.Attempt{Status: 200, Duration: 8 * time.Second}
	moved := webhook.Attempt{Status: 308, Failure: webhook.FailRedirect, ResponseHeaders: http.Header{"Location": {"https://new.example/"}}}
	found := webhook.Attempt{Status: 302, Failure: webhook.FailRedirect, ResponseHeaders: http.Header{"Location": {"https://login.example/"}}}
	silent := webhook.Attempt{Failure: webhook.FailTimeout, Duration: 15 * time.Second}
	tests := []struct {
		name    string
		before  webhook.Warnings
		attempt webhook.Attempt
		ends    time.Time
		want    webhook.Warnings
	}{
		{"nothing", webhook.Warnings{}, ok, now.Add(90 * day), webhook.Warnings{}},
		{"without TLS", webhook.Warnings{}, ok, time.Time{}, webhook.Warnings{}},
		{"it ends soon", webhook.Warnings{}, ok, now.Add(29 * day), webhook.Warnings{CertificateEnds: now.Add(29 * day)}},
		{"it was renewed", webhook.Warnings{CertificateEnds: now.Add(day)}, ok, now.Add(90 * day), webhook.Warnings{}},
		{"no answer", webhook.Warnings{CertificateEnds: now.Add(day)}, silent, time.Time{}, webhook.Warnings{CertificateEnds: now.Add(day)}},
		{"it moved", webhook.Warnings{}, moved, time.Time{}, webhook.Warnings{MovedTo: "https://new.example/"}},
		{"a redirect for now", webhook.Warnings{}, found, time.Time{}, webhook.Warnings{}},
		{"it is back", webhook.Warnings{MovedTo: "https://new.example/"}, ok, time.Time{}, webhook.Warnings{}},
		{"slow", webhook.Warnings{}, slow, time.Time{}, webhook.Warnings{SlowAt: now, Slow: 8 * time.Second}},
		{"slow within the hour", webhook.Warnings{SlowAt: now.Add(-time.Minute)}, slow, time.Time{}, webhook.Warnings{SlowAt: now.Add(-time.Minute)}},
		{"slow again", webhook.Warnings{SlowAt: now.Add(-2 * time.Hour)}, slow, time.Time{}, webhook.Warnings{SlowAt: now, Slow: 8 * time.Second}},
	}
	for _, test := range tests {
		got := test.before.After(webhook.Sighting{Attempt: test.attempt, CertificateEnds: test.ends, Limit: 15 * time.Second, Now: now})
		if got != test.want {
			t.Errorf("%s: got %+v, want %+v", test.name, got, test.want)
		}
	}
	if w := (webhook.Warnings{SlowAt: now}); !w.IsSlow(now.Add(23*time.Hour)) || w.IsSlow(now.Add(day)) || (webhook.Warnings{}).IsSlow(now) {
		t.Error("a slow answer is a warning for a day")
	}
}
