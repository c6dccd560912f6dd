package webhook_test

import (
	"encoding/json"
	"reflect"
	"slices"
	"testing"
	"time"

	"bookhook/webhook"
)

func TestNewPlan(t *testing.T) {
	off := accounting()
	off.ID, off.Enabled = 2, false
	on := accounting()
	on.ID = 1
	s := &webhook.Subscriptions{
		Revision: 5, Account: webhook.Account{ID: 7}, Platforms: map[string]bool{"tourcms": true},
		Webhooks: []*webhook.Webhook{on, off}, Inline: []*webhook.Webhook{{ID: 3}},
	}
	lease := received.Add(time.Minute)
	p := webhook.NewPlan(s, []webhook.Event{*cancellation("7"), *of("wink", "cancelled")}, received, lease)
	if p.Subscriptions != s || !p.At.Equal(received) || !p.Lease.Equal(lease) || len(p.Events) != 2 {
		t.Fatalf("got %+v", p)
	}
	for i, want := range [][]webhook.Decision{
		{{Webhook: 1}, {Webhook: 2, Reason: webhook.ReasonDisabled}},
		{{Webhook: 1, Reason: webhook.ReasonPlatformOff}, {Webhook: 2, Reason: webhook.ReasonPlatformOff}},
	} {
		got := p.Events[i]
		if !slices.Equal(got.Decisions, want) || len(got.Claim) != 2 || slices.Contains(got.Claim, true) {
			t.Errorf("event %d: got %+v, claims %v, want %+v and none claimed", i, got.Decisions, got.Claim, want)
		}
		if got.Event.Account != 7 || !got.Event.ReceivedAt.Equal(received) {
			t.Errorf("event %d: got %+v, want it to be the account's", i, got.Event)
		}
	}
}

func TestIDsMarshal(t *testing.T) {
	type ids struct {
		Webhook  webhook.WebhookID  `json:"webhook"`
		Delivery webhook.DeliveryID `json:"delivery,omitempty"`
	}
	for _, tt := range []struct {
		ids  ids
		text string
	}{
		{ids{1, 2}, `{"webhook":"whk_0000000000002","delivery":"dlv_0000000000004"}`},
		{ids{1, 0}, `{"webhook":"whk_0000000000002"}`},
		{ids{}, `{"webhook":""}`},
	} {
		text, err := json.Marshal(tt.ids)
		if err != nil || string(text) != tt.text {
			t.Errorf("got %s, %v, want %s", text, err, tt.text)
		}
		var back ids
		if err := json.Unmarshal(text, &back); err != nil || !reflect.DeepEqual(back, tt.ids) {
			t.Errorf("%s: got %+v, %v, want %+v", text, back, err, tt.ids)
		}
	}
	if err := json.Unmarshal([]byte(`{"webhook":"dlv_0000000000004"}`), new(ids)); err == nil {
		t.Error("a delivery's id is read as a webhook's")
	}
}
