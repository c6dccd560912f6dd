package harbour

import (
	"encoding/json"
	"time"

	"bookhook/platforms"
	"bookhook/webhook"
)

// notification is what Harbour sends.
type notification struct {
	ID      string          `json:"id"`
	Event   string          `json:"event"`
	At      time.Time       `json:"at"`
	Booking json.RawMessage `json:"booking,omitempty"`
}

// Native writes an event as Harbour itself would call the URL. What Harbour sent is
// passed on unchanged; the data of an event from the API get Harbour's envelope.
func Native(w *webhook.Webhook, _ webhook.Account, e webhook.Event) platforms.Request {
	if e.Inbound {
		return platforms.JSONRequest(w.URL, e.Data)
	}
	booking := e.Data
	if len(booking) == 0 {
		booking = platforms.EncodeJSON(map[string]string{"ref": e.BookingID})
	}
	return platforms.JSONRequest(w.URL, platforms.EncodeJSON(notification{ID: e.ID.String(), Event: e.Type, At: e.At(), Booking: booking}))
}

// Sample is an event as Harbour could send it at now.
func Sample(eventType, id string, now time.Time) webhook.Event {
	e := webhook.Event{Platform: "harbour", Type: eventType, BookingID: id, OccurredAt: now.UTC(), Inbound: true}
	n := notification{ID: "sample-" + id, Event: eventType, At: e.OccurredAt}
	if actions[eventType] != "" {
		n.Booking = platforms.EncodeJSON(map[string]string{"ref": id, "state": "confirmed"})
	}
	e.Data = platforms.EncodeJSON(n)
	return e
}
