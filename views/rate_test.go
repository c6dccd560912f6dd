package views

import (
	"strings"
	"testing"
	"time"

	"bookhook/webhook"
)

func TestRateText(t *testing.T) {
	for _, test := range []struct {
		concurrency int
		rate        webhook.Rate
		ordered     bool
		want        string
	}{
		{8, webhook.Rate{Requests: 60, Per: webhook.Minute}, true, "Up to 8 requests at once, at most 60 per minute; events of one booking in order"},
		{8, webhook.Rate{}, true, "Up to 8 requests at once; events of one booking in order"},
		{1, webhook.Rate{Requests: 1000, Per: webhook.Second}, false, "One request at a time, at most 1,000 per second; events of one booking in any order"},
	} {
		if got := rateText(test.concurrency, test.rate, test.ordered); got != test.want {
			t.Errorf("got %q, want %q", got, test.want)
		}
	}
}

func TestBacklogText(t *testing.T) {
	ago := func(n int, d time.Duration) webhook.Backlog { return webhook.Backlog{Waiting: n, Oldest: now.Add(-d)} }
	for _, test := range []struct {
		backlog     webhook.Backlog
		long, short string
	}{
		{ago(1, 4*time.Minute), "1 delivery waiting for 4 min", "1 waiting for 4 min"},
		{ago(3, 4*time.Minute), "3 deliveries waiting, the oldest for 4 min", "3 waiting, the oldest for 4 min"},
		{ago(webhook.CountCap+1, 50*time.Hour), "more than 10,000 deliveries waiting, the oldest for 2 days", "more than 10,000 waiting, the oldest for 2 days"},
		{webhook.Backlog{Waiting: 2}, "2 deliveries waiting", "2 waiting"},
	} {
		if got := backlogText(test.backlog, now); got != test.long {
			t.Errorf("got %q, want %q", got, test.long)
		}
		if got := backlogShort(test.backlog, now); got != test.short {
			t.Errorf("got %q, want %q", got, test.short)
		}
	}
}

func TestPausedText(t *testing.T) {
	page := Page{Now: now, Location: madrid()}
	for _, test := range []struct {
		probe time.Duration
		want  string
	}{
		{4*time.Minute + 20*time.Second, "Paused after 12 failures in a row. Next attempt at 14:09."},
		{-time.Second, "Paused after 12 failures in a row. Next attempt as soon as a delivery is due."},
	} {
		c := webhook.Circuit{Failures: 12, ProbeAt: now.Add(test.probe)}
		if got := pausedText(c, page); got != test.want {
			t.Errorf("got %q, want %q", got, test.want)
		}
	}
}

// The story of a delivery that could go out, but for the open circuit.
func TestStoryWithOpenCircuit(t *testing.T) {
	k := kinds[0]
	p := DeliveryProps{Page: k.page(webhook.RoleStaff), Delivery: k.delivery(7), Webhook: &webhook.Webhook{Enabled: true, Circuit: k.circuit()}}
	if got := p.story().Next; !strings.HasPrefix(got, "Paused after 12 failures in a row.") {
		t.Errorf("got %q, want that the webhook is paused", got)
	}
	p.Delivery = k.delivery(1) // has its own time
	p.Delivery.NextAt = p.Webhook.Circuit.ProbeAt
	if got := p.story().Next; !strings.HasPrefix(got, "Paused after 12 failures in a row.") {
		t.Errorf("got %q, want that the webhook is paused until then", got)
	}
	p.Delivery.NextAt = p.Webhook.Circuit.ProbeAt.Add(time.Minute)
	if got := p.story().Next; !strings.HasPrefix(got, "Next attempt at") {
		t.Errorf("got %q, want when the next attempt is", got)
	}
}

func TestStoryInOrder(t *testing.T) {
	d := kinds[0].held()
	s := StoryOf(d, nil, &webhook.Webhook{Enabled: true}, 11, now, madrid())
	if want := "Waiting for an earlier event of booking 12338."; s.What != want {
		t.Errorf("got %q, want %q", s.What, want)
	}
	if s := StoryOf(d, nil, &webhook.Webhook{}, 11, now, madrid()); !strings.Contains(s.Next, "The webhook was switched off") {
		t.Errorf("got %q, want that the webhook is off", s.Next)
	}
	d.State = webhook.Cancelled
	if s := StoryOf(d, nil, &webhook.Webhook{Enabled: true}, 11, now, madrid()); strings.Contains(s.What, "Waiting") {
		t.Errorf("stopped: got %q", s.What)
	}
}
