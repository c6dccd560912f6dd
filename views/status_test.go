package views

import (
	"testing"
	"time"

	"bookhook/webhook"
)

// A state has one tone, in the log as on the page of a delivery; only what was given up
// is bad.
func TestTones(t *testing.T) {
	t.Parallel()
	failed := webhook.Outcome{Status: 500, Failure: webhook.FailStatus}
	for _, test := range []struct {
		delivery webhook.Delivery
		want     string // of the delivery
		attempt  string // of its first attempt, which failed
	}{
		{webhook.Delivery{State: webhook.Pending, Attempts: 1, Completed: 1, Last: failed, NextAt: now.Add(time.Minute)}, "warn", "warn"},
		{webhook.Delivery{State: webhook.Delivered, Attempts: 2}, "ok", "warn"},
		{webhook.Delivery{State: webhook.Failed, Attempts: 2, Last: failed}, "bad", "warn"},
		{webhook.Delivery{State: webhook.Failed, Attempts: 1, Last: failed}, "bad", "bad"},
		{webhook.Delivery{State: webhook.Cancelled, Attempts: 1, Last: failed}, "idle", "warn"},
		{webhook.Delivery{State: webhook.Pending, NextAt: now.Add(time.Minute)}, "wait", "warn"},
	} {
		if got := deliveryTone(test.delivery, now); got != test.want {
			t.Errorf("%+v is %s, want %s", test.delivery, got, test.want)
		}
		a := webhook.Attempt{Number: 1, Method: "POST", Status: 500, Failure: webhook.FailStatus}
		if got := attemptTone(DeliveryProps{Page: Page{Now: now}, Delivery: test.delivery}, a); got != test.attempt {
			t.Errorf("an attempt of %+v is %s, want %s", test.delivery, got, test.attempt)
		}
	}
}
