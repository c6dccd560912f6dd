// Package wink supports the wire format of Wink (wink.travel, TripPay).
//
// What Wink publishes is its catalogue of events and that it sends a POST, may
// send again when no 200 comes back, and sends to HTTPS only
// (https://academy.wink.travel/et/developers/webhook-events and
// https://github.com/wink-travel/docs). The catalogue here has 129 keys: the 67
// of the older list, 24 of them retired, and the 62 that were added since June
// 2026. The whole key must match: channel-manager.update is not
// channel-manager.update.rate. Wink's own examples use booking.created and
// payment.completed, which are in no catalogue and so are rejected.
//
// There is no published payload, envelope, header or signature. So all of this is
// our reading:
//
//   - any JSON object is accepted whose member type, eventType, event_type, event,
//     eventName, event_name, name or key (the first of them that fits) is a key
//     of the catalogue;
//   - a member eventId or event_id is the id of the notification. A member id is
//     not: it may be the id of what the event is about. Without an id, a request
//     with the same bytes is a redelivery;
//   - in events whose key begins with "booking.", the member bookingIdentifier,
//     bookingId, booking_id or entityIdentifier (the name in Wink's own log of
//     events) is the booking;
//   - an event has no channel, no tours and no time.
package wink

import (
	_ "embed"
	"net/http"

	"bookhook/platforms"
)

//go:embed catalogue.json
var catalogue []byte

// Events returns the catalogue.
func Events() []platforms.EventType { return platforms.ReadCatalogue(catalogue) }

// known reports whether the catalogue has a key.
var known = platforms.CatalogueKeys(catalogue)

// Platform is Wink.
func Platform() platforms.Platform {
	return platforms.Platform{
		Key: "wink", Name: "Wink", Connect: connect, About: about, Events: Events(), Methods: []string{http.MethodPost}, Texts: texts,
		Read: Read, Native: Native, Booking: Booking, Sample: Sample,
	}
}

// about is for operators: what to do, then what is good to know.
var connect = []string{
	"In Wink, create a webhook under Applications › Webhooks (in the newer portal: Manage account › Webhooks).",
	"Paste this address as the Webhook URL, and choose the events; none chosen means all.",
}

var about = []string{
	"Wink does not publish what it sends: Bookhook takes any JSON that names an event of the catalogue at its top, which is our reading, and keeps whatever else it receives for 7 days among the rejected requests.",
	"Events have no channel and no tours, so webhooks for selected channels, or for only some tours, do not receive them.",
	"How Wink signs its webhooks is not public, so keep this address secret: whoever knows it can send to it.",
}
