package views

import (
	"testing"

	"bookhook/webhook"
)

func TestStatesText(t *testing.T) {
	c := webhook.ReconcileCounts{States: map[webhook.State]int{webhook.Delivered: 10, webhook.Failed: 1, webhook.Pending: 1, webhook.Cancelled: 2}}
	if got, want := statesText(c), "10 were delivered, 1 failed, 1 is waiting, 2 were cancelled."; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestUnsentText(t *testing.T) {
	for _, c := range []struct {
		held webhook.HeldReference
		want string
	}{
		{webhook.HeldReference{Outcome: webhook.HeldUnknown}, "It never came in, or is older than what is kept."},
		{webhook.HeldReference{Outcome: webhook.HeldSkipped}, "It waits for its booking platform."},
		{webhook.HeldReference{Outcome: webhook.HeldSkipped, Reason: webhook.ReasonNotCreated}, "Skipped: the webhook did not exist yet."},
		{webhook.HeldReference{Outcome: webhook.HeldSkipped, Reason: webhook.ReasonDisabled}, "Skipped: The webhook was off when the event was received."},
	} {
		if got := UnsentText(c.held); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}
