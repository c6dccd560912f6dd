package wink

import (
	"bytes"
	"encoding/json"
	"slices"
	"time"

	"bookhook/platforms"
	"bookhook/webhook"
)

// Native writes an event as Wink itself would call the URL. What Wink sent is passed
// on unchanged, and so are data from the API that name the event as Wink's do.
// Other data get an envelope of our own.
func Native(w *webhook.Webhook, _ webhook.Account, e webhook.Event) platforms.Request {
	if e.Inbound {
		return platforms.JSONRequest(w.URL, e.Data)
	}
	if body, err := platforms.ParseObject(e.Data); err == nil && keyOf(body) == e.Type {
		return platforms.JSONRequest(w.URL, e.Data)
	}
	return platforms.JSONRequest(w.URL, wrapped(e))
}

// envelope is the envelope of data that do not name their event.
type envelope struct {
	Type    string          `json:"type"`
	Booking string          `json:"bookingIdentifier,omitempty"`
	Data    json.RawMessage `json:"data"`
}

func wrapped(e webhook.Event) []byte {
	head := envelope{Type: e.Type, Data: json.RawMessage("0")}
	if ofBooking(e.Type) {
		head.Booking = e.BookingID
	}
	data := e.Data
	if len(data) == 0 {
		data = []byte("null")
	}
	start := bytes.TrimSuffix(platforms.EncodeJSON(head), []byte("0}"))
	return slices.Concat(start, data, []byte("}"))
}

// Sample is an event as Wink could send it at now. Wink publishes no example, so it
// has only what Read needs: the key, and the id of the booking or of whatever else
// the event is about.
func Sample(eventType, id string, now time.Time) webhook.Event {
	sample := struct {
		Type    string `json:"type"`
		Booking string `json:"bookingIdentifier,omitempty"`
		Entity  string `json:"entityIdentifier,omitempty"`
	}{Type: eventType, Entity: id}
	if ofBooking(eventType) {
		sample.Booking, sample.Entity = id, ""
	}
	body := platforms.EncodeJSON(sample)
	e := webhook.Event{Type: eventType, BookingID: id, Data: body}
	if read, err := Read(platforms.Inbound{Body: body}); err == nil {
		e = read.Event
	}
	e.Platform, e.Inbound, e.OccurredAt = "wink", true, now
	return e
}
