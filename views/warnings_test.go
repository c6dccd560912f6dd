package views

import (
	"testing"
	"time"

	"bookhook/webhook"
)

// TestWarnings: each says what will happen and what to do, and stays silent in time.
func TestWarnings(t *testing.T) {
	day := 24 * time.Hour
	hook := func(w webhook.Warnings) *webhook.Webhook {
		return &webhook.Webhook{Config: webhook.Config{Name: "Accounting", URL: "https://hooks.example/x"}, Warnings: w}
	}
	for _, test := range []struct {
		name     string
		warnings webhook.Warnings
		want     []string
		tone     string
	}{
		{"none", webhook.Warnings{}, nil, ""},
		{"in a month", webhook.Warnings{CertificateEnds: now.Add(29 * day)}, []string{"certificate expires in 29 days"}, ""},
		{"in days", webhook.Warnings{CertificateEnds: now.Add(3 * day)}, []string{"certificate expires in 3 days"}, "warn"},
		{"expired", webhook.Warnings{CertificateEnds: now.Add(-day)}, nil, ""},
		{"moved", webhook.Warnings{MovedTo: "https://new.example"}, []string{"has moved"}, "warn"},
		{"slow", webhook.Warnings{SlowAt: now.Add(-time.Hour), Slow: 9 * time.Second}, []string{"answers slowly"}, ""},
		{"slow last week", webhook.Warnings{SlowAt: now.Add(-7 * day), Slow: 9 * time.Second}, nil, ""},
	} {
		got := warningsOf(hook(test.warnings), Page{Now: now})
		if len(got) != len(test.want) {
			t.Errorf("%s: got %+v, want %q", test.name, got, test.want)
			continue
		}
		for i, w := range got {
			if w.short != test.want[i] || w.tone != test.tone || w.what == "" || w.next == "" {
				t.Errorf("%s: got %+v, want %q with tone %q", test.name, w, test.want[i], test.tone)
			}
		}
	}
}
