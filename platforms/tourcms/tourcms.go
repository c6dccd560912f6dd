// Package tourcms speaks the wire format of TourCMS (Palisis): the catalogue of
// its twelve asynchronous booking events and its GET webhook.
//
// Facts are from the vendor's page "Booking notification webhook"
// (https://www.tourcms.com/support/api/mp/webhooks/booking_notification.php):
// a GET, the five keys in this order, success is status 200. How TourCMS itself
// extends a URL that has a query, and how it encodes spaces, is not documented;
// Bookhook keeps the URL's own query first and untouched, joins with "&", and
// encodes as in RFC 3986 (a space is %20).
package tourcms

import (
	_ "embed"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"bookhook/webhook"
)

//go:embed catalogue.json
var catalogue []byte

// Events returns the catalogue, in the order of the vendor's page.
func Events() []webhook.EventType { return webhook.ReadCatalogue(catalogue) }

// Methods are those by which TourCMS calls: GET for what happened, POST where it
// asks.
var Methods = []string{http.MethodGet, http.MethodPost}

// About is for operators.
const About = ""

// Settings are what Bookhook has to know.
func Settings() []webhook.Setting { return nil }

// Read reads a notification.
func Read(in webhook.Inbound) (webhook.Reading, error) {
	return webhook.Reading{}, webhook.BadRequest("not yet")
}

// Booking says what the event says about a booking.
func Booking(webhook.Event) *webhook.Booking { return nil }

// Sample is an event as it could come.
func Sample(eventType, id string, now time.Time) webhook.Event {
	return webhook.Event{Platform: "tourcms", Type: eventType, BookingID: id, OccurredAt: now}
}

// Lookup asks TourCMS for the tours of a booking.
func Lookup() *webhook.Lookup { return nil }

// Lists asks TourCMS for channels and tours.
func Lists() *webhook.Lists { return nil }

// Native writes an event as TourCMS itself would call the URL: all five keys
// are always there, empty when the event does not know them.
func Native(w *webhook.Webhook, a webhook.Account, e webhook.Event) webhook.Request {
	target := w.URL
	query := strings.Join([]string{
		"event=" + escape(e.Type),
		"account_id=" + strconv.FormatInt(a.Number, 10),
		"account_name=" + escape(a.Name),
		"channel_id=" + escape(e.ChannelID),
		"booking_id=" + escape(e.BookingID),
	}, "&")
	full := target + joiner(target) + query
	_, signed, _ := strings.Cut(full, "?")
	return webhook.Request{Method: http.MethodGet, URL: full, Signed: []byte(signed), Only200: true}
}

// joiner is what stands between the URL as configured and the five keys.
func joiner(target string) string {
	_, query, has := strings.Cut(target, "?")
	switch {
	case !has:
		return "?"
	case query == "" || strings.HasSuffix(query, "&"):
		return ""
	}
	return "&" // also behind another question mark, which is part of a value
}

// escape percent-encodes all but the unreserved characters of RFC 3986.
func escape(value string) string {
	return strings.ReplaceAll(url.QueryEscape(value), "+", "%20")
}
