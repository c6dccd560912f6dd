// Package prioticket speaks the wire format of Prioticket.
package prioticket

import (
	_ "embed"
	"net/http"
	"time"

	"bookhook/webhook"
)

//go:embed catalogue.json
var catalogue []byte

// Events returns the catalogue.
func Events() []webhook.EventType { return webhook.ReadCatalogue(catalogue) }

// Methods are those by which Prioticket calls.
var Methods = []string{http.MethodPost}

// About is for operators.
const About = ""

// Settings are what Bookhook has to know.
func Settings() []webhook.Setting { return nil }

// Read reads a notification.
func Read(in webhook.Inbound) (webhook.Reading, error) {
	return webhook.Reading{}, webhook.BadRequest("not yet")
}

// Native writes a delivery.
func Native(w *webhook.Webhook, _ webhook.Account, e webhook.Event) webhook.Request {
	return webhook.JSONRequest(w.URL, e.Data)
}

// Booking says what the event says about a booking.
func Booking(webhook.Event) *webhook.Booking { return nil }

// Sample is an event as it could come.
func Sample(eventType, id string, now time.Time) webhook.Event {
	return webhook.Event{Platform: "prioticket", Type: eventType, BookingID: id, OccurredAt: now}
}
