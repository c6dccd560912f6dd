package webhook_test

import (
	"slices"
	"strconv"
	"testing"

	"bookhook/webhook"
)

// accounting is a webhook that receives every cancellation.
func accounting() *webhook.Webhook {
	return &webhook.Webhook{
		Enabled: true, Config: webhook.Config{
			Name: "Accounting", Events: []string{"cancelled", "wink:cancelled"},
			Channels: webhook.NewFilter(webhook.All, nil), Tours: webhook.NewFilter(webhook.All, nil),
		},
	}
}

func cancellation(channel string, tours ...string) *webhook.Event {
	return &webhook.Event{Platform: "tourcms", Type: "cancelled", ChannelID: channel, TourIDs: tours}
}

func channels(ids ...string) func(*webhook.Webhook) {
	return func(w *webhook.Webhook) { w.Channels = webhook.NewFilter(webhook.Include, ids) }
}

func tours(mode webhook.Mode, ids ...string) func(*webhook.Webhook) {
	return func(w *webhook.Webhook) { w.Tours = webhook.NewFilter(mode, ids) }
}

func events(keys ...string) func(*webhook.Webhook) {
	return func(w *webhook.Webhook) { w.SelectEvents(keys) }
}

func off(w *webhook.Webhook) { w.Enabled = false }

func of(platform, eventType string) *webhook.Event {
	return &webhook.Event{Platform: platform, Type: eventType, ChannelID: "7", TourIDs: []string{"12"}}
}

func TestMatch(t *testing.T) {
	include, exclude := webhook.Include, webhook.Exclude
	set := func(changes ...func(*webhook.Webhook)) []func(*webhook.Webhook) { return changes }
	tests := []struct {
		name  string
		set   []func(*webhook.Webhook)
		event *webhook.Event
		want  webhook.Reason
	}{
		{"no filters", nil, cancellation("7", "12"), webhook.Matched},
		{"no filters, bare event", nil, cancellation(""), webhook.Matched},

		{"off", set(off), cancellation("7", "12"), webhook.ReasonDisabled},
		{"off comes before event", set(off, events("refunded")), cancellation("7"), webhook.ReasonDisabled},

		{"event not selected", set(events("refunded")), cancellation("7"), webhook.ReasonEvent},
		{"no events", set(events()), cancellation("7"), webhook.ReasonEvent},
		{"all events", set(events(webhook.AllEventsKey)), cancellation("7"), webhook.Matched},
		{"all events of another platform", set(events(webhook.AllEventsKey)), of("wink", "new"), webhook.Matched},
		{"other platform selected", nil, of("wink", "cancelled"), webhook.Matched},
		{"same type, platform not selected", nil, of("ltd", "cancelled"), webhook.ReasonEvent},
		{"same type, only the other platform selected", set(events("wink:cancelled")), cancellation("7"), webhook.ReasonEvent},
		{"part of a key", set(events("cancelled_web")), cancellation("7"), webhook.ReasonEvent},
		{"event comes before channel", set(events("refunded"), channels("8")), cancellation(""), webhook.ReasonEvent},

		{"channel selected", set(channels("8", "7")), cancellation("7"), webhook.Matched},
		{"channel not selected", set(channels("8", "77")), cancellation("7"), webhook.ReasonChannel},
		{"no channel", set(channels("8", "7")), cancellation(""), webhook.ReasonNoChannel},
		{"channel comes before tour", set(channels("8"), tours(include, "12")), cancellation("7"), webhook.ReasonChannel},
		{"no channel comes before tour", set(channels("8"), tours(include, "12")), cancellation(""), webhook.ReasonNoChannel},

		{"include, the only tour", set(tours(include, "15", "12")), cancellation("7", "12"), webhook.Matched},
		{"include, one of several tours", set(tours(include, "12")), cancellation("7", "1", "2", "12"), webhook.Matched},
		{"include, none of several tours", set(tours(include, "12")), cancellation("7", "1", "2"), webhook.ReasonTourNotListed},
		{"include, a longer id", set(tours(include, "12")), cancellation("7", "120"), webhook.ReasonTourNotListed},
		{"include, no tours", set(tours(include, "12")), cancellation("7"), webhook.ReasonNoTour},

		{"exclude, the only tour", set(tours(exclude, "15", "12")), cancellation("7", "12"), webhook.ReasonTourExcluded},
		{"exclude, every one of several tours", set(tours(exclude, "15", "12")), cancellation("7", "12", "15", "12"), webhook.ReasonTourExcluded},
		{"exclude, one of several tours", set(tours(exclude, "15")), cancellation("7", "15", "12"), webhook.Matched},
		{"exclude, none of the tours", set(tours(exclude, "15")), cancellation("7", "12"), webhook.Matched},
		{"exclude, no tours", set(tours(exclude, "15")), cancellation("7"), webhook.Matched},

		{"channel and tour", set(channels("7"), tours(include, "12")), cancellation("7", "12"), webhook.Matched},
		{"channel fits, tour does not", set(channels("7"), tours(exclude, "12")), cancellation("7", "12"), webhook.ReasonTourExcluded},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := accounting()
			for _, change := range tt.set {
				change(w)
			}
			if got := webhook.Match(w, tt.event); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestReasonTexts(t *testing.T) {
	got := []webhook.Reason{
		webhook.Matched, webhook.ReasonDisabled, webhook.ReasonEvent, webhook.ReasonNoChannel,
		webhook.ReasonChannel, webhook.ReasonNoTour, webhook.ReasonTourNotListed, webhook.ReasonTourExcluded,
	}
	want := []webhook.Reason{
		"", "webhook_disabled", "event_not_selected", "no_channel",
		"channel_not_selected", "no_tour", "tour_not_included", "tour_excluded",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q as the API promises", got, want)
	}
}

// manyTours returns n ids from 1 up, the highest first, so not in their order.
func manyTours(n int) []string {
	ids := make([]string, n)
	for i := range ids {
		ids[i] = strconv.Itoa(n - i)
	}
	return ids
}

func TestMatchTenThousandTours(t *testing.T) {
	ids := manyTours(webhook.MaxFilterIDs)
	everything := webhook.Known{
		Event: func(string) bool { return true }, Channel: func(string) bool { return true },
		Tour: func(string) bool { return true }, Guard: func(string) webhook.Message { return webhook.Message{} },
	}
	create := func(mode webhook.Mode) *webhook.Webhook {
		d := webhook.NewDraft([]string{"cancelled"})
		d.Name, d.URL, d.Tours = "Big", "https://example.com/hook", webhook.Filter{Mode: mode, IDs: ids}
		w, err := d.Webhook(everything)
		if err != nil {
			t.Fatal(err)
		}
		return w
	}
	include, exclude := create(webhook.Include), create(webhook.Exclude)
	for _, id := range ids {
		if got := webhook.Match(include, cancellation("7", "0", id)); got != webhook.Matched {
			t.Fatalf("include, tour %s: got %q, want a match", id, got)
		}
		if got := webhook.Match(exclude, cancellation("7", id)); got != webhook.ReasonTourExcluded {
			t.Fatalf("exclude, tour %s: got %q, want %q", id, got, webhook.ReasonTourExcluded)
		}
	}
	if got := webhook.Match(include, cancellation("7", "0", "10001")); got != webhook.ReasonTourNotListed {
		t.Errorf("include, tours beyond the list: got %q, want %q", got, webhook.ReasonTourNotListed)
	}
	if got := webhook.Match(exclude, cancellation("7", append(ids[:100:100], "0")...)); got != webhook.Matched {
		t.Errorf("exclude, one of 101 tours beyond the list: got %q, want a match", got)
	}
}

func BenchmarkMatch(b *testing.B) {
	hooks := make([]*webhook.Webhook, 10)
	for i := range hooks {
		hooks[i] = accounting()
		tours([]webhook.Mode{webhook.Include, webhook.Exclude}[i%2], manyTours(1000)...)(hooks[i])
	}
	event := cancellation("7", "250", "500", "1001")
	b.ReportAllocs()
	for b.Loop() {
		for _, w := range hooks {
			if webhook.Match(w, event) != webhook.Matched {
				b.Fatal("not matched")
			}
		}
	}
}

// A webhook that is off misses only those of Bookhook's own events that it selects.
func TestOwnEventsWhileOff(t *testing.T) {
	e := webhook.Event{Platform: webhook.OwnPlatform, Type: "webhook.failing"}
	for name, c := range map[string]struct {
		config webhook.Config
		want   webhook.Reason
	}{
		"all events": {webhook.Config{AllEvents: true}, webhook.ReasonEvent},
		"another":    {webhook.Config{Events: []string{"cancelled"}}, webhook.ReasonEvent},
		"this one":   {webhook.Config{Events: []string{e.Key()}}, webhook.ReasonDisabled},
	} {
		if got := webhook.Match(&webhook.Webhook{Config: c.config}, &e); got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}
