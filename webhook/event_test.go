package webhook_test

import (
	"testing"
	"time"

	"bookhook/webhook"
)

var (
	occurred = time.Date(2026, 11, 21, 10, 0, 0, 120_000_000, time.FixedZone("CET", 3600))
	received = time.Date(2026, 11, 21, 9, 0, 5, 0, time.UTC)
)

// confirmed is an event in which every field is set.
func confirmed() webhook.Event {
	return webhook.Event{
		ID: 1, Account: 2, ExternalID: "tc-1234-confirmed", Platform: "tourcms", Type: "new_confirmed_web",
		ChannelID: "3930", BookingID: "1234", TourIDs: []string{"12", "15"},
		OccurredAt: occurred, ReceivedAt: received, Data: []byte(`{"any":"json"}`),
	}
}

func TestEventKey(t *testing.T) {
	tests := []struct{ platform, eventType, want string }{
		{"tourcms", "cancelled", "cancelled"},
		{"wink", "cancelled", "wink:cancelled"},
	}
	for _, tt := range tests {
		if got := webhook.EventKey(tt.platform, tt.eventType); got != tt.want {
			t.Errorf("EventKey: got %q, want %q", got, tt.want)
		}
		if got := (webhook.Event{Platform: tt.platform, Type: tt.eventType}).Key(); got != tt.want {
			t.Errorf("Key: got %q, want %q", got, tt.want)
		}
	}
}
