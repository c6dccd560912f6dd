package webhook_test

import (
	"reflect"
	"slices"
	"testing"
	"time"

	"bookhook/webhook"
)

func TestNewFilter(t *testing.T) {
	tests := []struct {
		name string
		mode webhook.Mode
		ids  []string
		want webhook.Filter
	}{
		{"all", webhook.All, nil, webhook.Filter{Mode: webhook.All, IDs: []string{}}},
		{"all forgets ids", webhook.All, []string{"1"}, webhook.Filter{Mode: webhook.All, IDs: []string{}}},
		{"no mode is all", "", []string{"1"}, webhook.Filter{Mode: webhook.All, IDs: []string{}}},
		{"sorted", webhook.Include, []string{"9", "10", "1"}, webhook.Filter{Mode: webhook.Include, IDs: []string{"1", "10", "9"}}},
		{"each once", webhook.Exclude, []string{"2", "1", "2", "1"}, webhook.Filter{Mode: webhook.Exclude, IDs: []string{"1", "2"}}},
		{"none chosen", webhook.Include, nil, webhook.Filter{Mode: webhook.Include, IDs: []string{}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			given := slices.Clone(tt.ids)
			if got := webhook.NewFilter(tt.mode, tt.ids); !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %#v, want %#v", got, tt.want)
			}
			if !slices.Equal(tt.ids, given) {
				t.Errorf("the caller's ids became %q, want %q", tt.ids, given)
			}
		})
	}
}

func TestAllEvents(t *testing.T) {
	tests := []struct {
		events []string
		want   bool
	}{
		{[]string{"*"}, true},
		{[]string{"cancelled"}, false},
		{nil, false},
	}
	for _, tt := range tests {
		var c webhook.Config
		c.SelectEvents(tt.events)
		if got := c.AllEvents; got != tt.want {
			t.Errorf("%q: got %v, want %v", tt.events, got, tt.want)
		}
		if got := c.EventKeys(); !slices.Equal(got, tt.events) {
			t.Errorf("got %q, want %q", got, tt.events)
		}
	}
}

func TestSwitchOffAt(t *testing.T) {
	if got := (&webhook.Webhook{}).SwitchOffAt(); !got.IsZero() {
		t.Errorf("healthy: got %v, want the zero time", got)
	}
	since := time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)
	want := time.Date(2026, 11, 26, 9, 0, 0, 0, time.UTC)
	failing := webhook.Webhook{Health: webhook.Health{FailingSince: since}}
	if got := failing.SwitchOffAt(); !got.Equal(want) {
		t.Errorf("failing: got %v, want %v", got, want)
	}
	failing.Kind = webhook.Inline
	if got := failing.SwitchOffAt(); !got.IsZero() {
		t.Errorf("synchronous: got %v, want the zero time", got)
	}
}

func TestSecrets(t *testing.T) {
	now := time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)
	tests := []struct {
		name string
		w    webhook.Webhook
		want []string
	}{
		{"never rotated", webhook.Webhook{Secret: "new"}, []string{"new"}},
		{"overlap", webhook.Webhook{Secret: "new", OldSecret: "old", OldUntil: now.Add(1)}, []string{"new", "old"}},
		{"overlap ends", webhook.Webhook{Secret: "new", OldSecret: "old", OldUntil: now}, []string{"new"}},
		{"no old secret", webhook.Webhook{Secret: "new", OldUntil: now.Add(time.Hour)}, []string{"new"}},
	}
	for _, tt := range tests {
		if got := tt.w.Secrets(now); !slices.Equal(got, tt.want) {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}
