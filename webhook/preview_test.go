package webhook_test

import (
	"testing"

	"bookhook/webhook"
)

// TestPreview: what a webhook would have received, as if it were on.
func TestPreview(t *testing.T) {
	c := webhook.NewConfig([]string{"cancelled"})
	c.Channels = webhook.NewFilter(webhook.Include, []string{"3930"})
	event := func(eventType, channel string, change ...func(*webhook.Event)) webhook.EventRow {
		e := webhook.Event{Platform: webhook.DefaultPlatform, Type: eventType, ChannelID: channel}
		for _, f := range change {
			f(&e)
		}
		return webhook.EventRow{Event: e}
	}
	events := []webhook.EventRow{
		event("cancelled", "3930", func(e *webhook.Event) { e.Test = true }),
		event("cancelled", "3930", func(e *webhook.Event) { e.Lookup = true }),
		event("webhook.failing", "", func(e *webhook.Event) { e.Platform = webhook.OwnPlatform }),
		event("new_confirmed_web", "3930"),
		event("new_confirmed_web", "1"),
		event("new_confirmed_web", "2"),
		event("cancelled", "1"),
		event("cancelled", "3930", func(e *webhook.Event) { e.Platform = "wink" }),
	}
	for range webhook.PreviewEvents {
		events = append(events, event("cancelled", "3930"))
	}
	s := &webhook.Subscriptions{Platforms: map[string]bool{webhook.DefaultPlatform: true}}
	p := s.Preview(c, events)
	if p.Events != webhook.PreviewEvents || p.Sent != webhook.PreviewEvents-5 {
		t.Errorf("got %d of %d, want %d of %d", p.Sent, p.Events, webhook.PreviewEvents-5, webhook.PreviewEvents)
	}
	if len(p.Matched) != webhook.PreviewExamples || len(p.Skipped) != webhook.PreviewExamples {
		t.Fatalf("got %d and %d examples, want %d each", len(p.Matched), len(p.Skipped), webhook.PreviewExamples)
	}
	for i, want := range []webhook.Reason{webhook.ReasonEvent, webhook.ReasonChannel, webhook.ReasonPlatformOff} {
		if got := p.Skipped[i].Reason; got != want {
			t.Errorf("example %d: got %s, want %s", i, got, want)
		}
	}
	if none := s.Preview(c, nil); none.Events != 0 || none.Matched != nil || none.Skipped != nil {
		t.Errorf("of no events: got %+v", none)
	}
}
