// Package bookhook is Bookhook itself as a source of events: the notices of an account,
// for systems that raise an alarm or open a ticket. They are the incidents that people
// are notified of by e-mail (package incidents); package notices writes them. Nothing
// can be connected to it, and nobody else may send its events.
//
// They are events like any other, so that a webhook which selects them has retries, a
// log and a signature as for bookings. Their data are the same for each type: docs/receivers.md
// describes them.
package bookhook

import (
	_ "embed"
	"time"

	"bookhook/platforms"
	"bookhook/webhook"
)

//go:embed catalogue.json
var catalogue []byte

// Platform is Bookhook itself.
func Platform() platforms.Platform {
	return platforms.Platform{
		Key: webhook.OwnPlatform, Name: "Bookhook", Own: true, Events: platforms.ReadCatalogue(catalogue),
		Native: Native, Booking: Booking, Sample: Sample,
	}
}

// Native is the standard format: there is no other for Bookhook's own events.
func Native(w *webhook.Webhook, a webhook.Account, e webhook.Event) platforms.Request {
	return platforms.StandardRequest(a, e, nil, w.URL)
}

// Booking is nil: a notice is about many bookings or none.
func Booking(webhook.Event) *platforms.Booking { return nil }

// Sample is an event of this type as Bookhook could send it.
func Sample(eventType, _ string, now time.Time) webhook.Event {
	n := Notice{
		Incident: "outage/whk_sample", State: Open, Summary: "Accounting is failing",
		Text: []string{"Accounting has accepted no delivery for an hour.", "Bookings that have not arrived: TC-1234, TC-1240."},
		URL:  "https://bookhook.example/webhooks/whk_sample", WebhookID: "whk_sample", Webhook: "Accounting", OpenedAt: now.Add(-time.Hour),
	}
	return n.Event(eventType, now)
}
