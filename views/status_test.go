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

// A list of events says of each what needs attention most, with its number, and else to how many it was delivered.
func TestEventOutcomes(t *testing.T) {
	t.Parallel()
	failed := webhook.Outcome{Status: 500, Failure: webhook.FailStatus}
	var (
		delivered = webhook.Delivery{State: webhook.Delivered, Attempts: 1}
		waiting   = webhook.Delivery{State: webhook.Pending, NextAt: now}
		sending   = webhook.Delivery{State: webhook.Pending, Attempts: 1, NextAt: now.Add(time.Minute)}
		retrying  = webhook.Delivery{State: webhook.Pending, Attempts: 1, Completed: 1, Last: failed, NextAt: now.Add(time.Minute)}
		retried   = webhook.Delivery{State: webhook.Pending, Attempts: 2, Completed: 1, Last: failed, NextAt: now.Add(time.Minute)} // in flight
		lost      = webhook.Delivery{State: webhook.Failed, Attempts: 2, Last: failed}
		refused   = webhook.Delivery{State: webhook.Failed, Attempts: 1, Last: failed, Inline: true}
		cancelled = webhook.Delivery{State: webhook.Cancelled}
	)
	for _, test := range []struct {
		deliveries    []webhook.Delivery
		sent, skipped int
		tone, word    string
	}{
		{nil, 0, 0, "", "Sent to no webhook"},
		{nil, 0, 3, "", "Sent to no webhook"},
		{nil, 2, 1, "", "No longer in the log"},
		{[]webhook.Delivery{delivered}, 1, 6, "ok", "Delivered"},
		{[]webhook.Delivery{delivered, delivered}, 2, 1, "ok", "2 delivered"},
		{[]webhook.Delivery{delivered}, 2, 1, "ok", "1 of 2 delivered"}, // the other one is no longer in the log
		{[]webhook.Delivery{delivered, waiting}, 2, 1, "wait", "1 of 2 waiting"},
		{[]webhook.Delivery{sending}, 1, 4, "wait", "Waiting"},
		{[]webhook.Delivery{waiting, retrying, delivered}, 3, 0, "warn", "1 of 3 waiting"},
		{[]webhook.Delivery{retried, waiting}, 2, 0, "warn", "1 of 2 waiting"},
		{[]webhook.Delivery{retrying, lost, lost, cancelled}, 4, 0, "bad", "2 of 4 failed"},
		{[]webhook.Delivery{refused}, 1, 0, "bad", "Refused"},
		{[]webhook.Delivery{delivered, cancelled}, 2, 0, "idle", "1 of 2 cancelled"},
	} {
		tone, word := EventRow{Sent: test.sent, Skipped: test.skipped, Deliveries: test.deliveries}.outcome(now)
		if tone != test.tone || word != test.word {
			t.Errorf("%v: got %q, %q, want %q, %q", test.deliveries, tone, word, test.tone, test.word)
		}
	}
}
