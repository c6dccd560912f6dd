package views

import (
	"testing"
	"time"

	"bookhook/webhook"
)

// A webhook that fails never shows a green tick, and every status has a word.
func TestHealth(t *testing.T) {
	for status, h := range healthOf {
		if ok := h.tone == "ok"; ok != (status == webhook.StatusHealthy) || status.NeedsAttention() != (h.tone == "bad") || h.word == "" {
			t.Errorf("%s is shown as %v", status, h)
		}
	}
}

func TestWebhookRowProblem(t *testing.T) {
	page := Page{Now: now, Location: madrid()}
	last := webhook.Outcome{Status: 503, Failure: webhook.FailStatus}
	w := &webhook.Webhook{Enabled: true, Health: webhook.Health{FailingSince: now.Add(-31 * time.Hour), FailedAt: now}}
	got := WebhookRow{Webhook: w, Error: last}.problem(page)
	if len(got) != 2 || got[0] != "since Fri 20 Nov, 07:05" || got[1] != "503 Service Unavailable" {
		t.Errorf("got %q, want since when and the last error", got)
	}
}

func TestUnreliable(t *testing.T) {
	r := WebhookRow{Webhook: &webhook.Webhook{Enabled: true}, Last: &webhook.Delivery{}, Failures: webhook.Failures{Failed: 6, Of: 10}}
	if got := r.problem(Page{Now: now}); r.Status() != webhook.StatusUnreliable || len(got) != 1 || got[0] != "6 of the last 10 deliveries were not accepted" {
		t.Errorf("got %s, %q", r.Status(), got)
	}
}
