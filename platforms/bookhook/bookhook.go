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
	"slices"
	"strings"
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

type sample struct {
	prefix string
	notice Notice
}

// samples are the incidents of Sample, by the beginning of the type.
var samples = []sample{
	{"webhook.", Notice{
		Incident: "outage/whk_sample", Summary: "Accounting is failing", WebhookID: "whk_sample", Webhook: "Accounting",
		Text: []string{"Accounting has accepted no delivery for an hour.", "Bookings that have not arrived: TC-1234, TC-1240."}, URL: "https://bookhook.example/webhooks/whk_sample",
	}},
	{"certificate.", Notice{
		Incident: "certificate/whk_sample", Summary: "The certificate of Accounting expires soon", WebhookID: "whk_sample", Webhook: "Accounting",
		Text: []string{"Ask whoever runs the receiver to renew it."}, URL: "https://bookhook.example/webhooks/whk_sample",
	}},
	{"requests.", Notice{
		Incident: "rejected/tourcms", Summary: "Requests from TourCMS are rejected", Platform: "tourcms",
		Text: []string{"The page shows each rejected request with the reason."}, URL: "https://bookhook.example/settings/rejected",
	}},
	{"platform.", Notice{
		Incident: "silence/tourcms", Summary: "No events from TourCMS", Platform: "tourcms",
		Text: []string{"Usually about 40 have come by this time of the week."}, URL: "https://bookhook.example/settings/platforms",
	}},
}

// Sample is an event of this type as Bookhook could send it.
func Sample(eventType, _ string, now time.Time) webhook.Event {
	i := slices.IndexFunc(samples, func(s sample) bool { return strings.HasPrefix(eventType, s.prefix) })
	n := samples[max(i, 0)].notice
	n.State, n.OpenedAt = Open, now.Add(-time.Hour)
	if strings.HasSuffix(eventType, ".resolved") {
		n.State, n.Outcome, n.Summary, n.ClosedAt = Resolved, "recovered", "It is over: "+n.Summary, now
	}
	return n.Event(eventType, now)
}
