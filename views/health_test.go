package views

import (
	"testing"
	"time"

	"bookhook/webhook"
)

// A webhook that fails never shows a green tick.
func TestHealth(t *testing.T) {
	failing := webhook.Health{FailingSince: now.Add(-time.Hour)}
	paused := webhook.Circuit{Failures: 10, ProbeAt: now}
	for _, tt := range []struct {
		name    string
		enabled bool
		health  webhook.Health
		circuit webhook.Circuit
		used    bool
		want    health
	}{
		{"healthy", true, webhook.Health{}, webhook.Circuit{}, true, health{"ok", "check", "Healthy"}},
		{"never used", true, webhook.Health{}, webhook.Circuit{}, false, health{"idle", "clock", "Never used"}},
		{"failing", true, failing, webhook.Circuit{Failures: 3}, true, health{"bad", "alert", "Failing"}},
		{"paused", true, failing, paused, true, health{"bad", "pause", "Paused"}},
		{"off by a person", false, webhook.Health{OffReason: webhook.OffByUser}, paused, true, health{"idle", "off", "Off"}},
		{"off by failures", false, webhook.Health{OffReason: webhook.OffFailing}, webhook.Circuit{}, true, health{"bad", "off", "Off"}},
		{"off by 410", false, webhook.Health{OffReason: webhook.OffGone}, webhook.Circuit{}, false, health{"bad", "off", "Off"}},
	} {
		w := &webhook.Webhook{Enabled: tt.enabled, Health: tt.health}
		if got := healthOf(w, tt.circuit, tt.used); got != tt.want {
			t.Errorf("%s: got %v, want %v", tt.name, got, tt.want)
		}
	}
}

func TestWebhookRowProblem(t *testing.T) {
	page := Page{Now: now, Location: madrid()}
	last := webhook.Delivery{Last: webhook.Outcome{Status: 503, Failure: webhook.FailStatus}}
	w := &webhook.Webhook{Enabled: true, Health: webhook.Health{FailingSince: now.Add(-31 * time.Hour)}}
	got := WebhookRow{Webhook: w, Last: &last}.problem(page)
	if len(got) != 2 || got[0] != "since Fri 20 Nov, 07:05" || got[1] != "503 Service Unavailable" {
		t.Errorf("got %q, want since when and the last error", got)
	}
}
