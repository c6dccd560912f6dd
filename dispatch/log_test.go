package dispatch

import (
	"log/slog"
	"testing"

	"bookhook/webhook"
)

func TestNothingIsDoneForALogThatIsOff(t *testing.T) {
	d := New(Options{Log: slog.New(slog.DiscardHandler)})
	job := &webhook.Job{Delivery: webhook.Delivery{ID: 1}, Event: webhook.Event{ID: 2}, Webhook: &webhook.Webhook{ID: 3}}
	if got := testing.AllocsPerRun(100, func() { d.logAttempt(job, webhook.Result{}) }); got != 0 {
		t.Errorf("got %v allocations for each attempt, want none", got)
	}
}
