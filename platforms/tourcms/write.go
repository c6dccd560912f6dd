package tourcms

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"bookhook/platforms"
	"bookhook/webhook"
)

// Native writes an event as TourCMS itself would call the URL. What TourCMS sent
// leaves with its query byte for byte; of a POST, too, only that, because a
// webhook that is called afterwards gets a GET. For other events all five keys are
// always there, empty when the event does not know them.
func Native(w *webhook.Webhook, a webhook.Account, e webhook.Event) platforms.Request {
	full := address(w, a, e)
	_, signed, _ := strings.Cut(full, "?")
	return platforms.Request{Method: http.MethodGet, URL: full, Signed: []byte(signed), Only200: true}
}

// Sample is an event of this type as TourCMS could send it, about the booking
// with this id.
func Sample(eventType, id string, now time.Time) webhook.Event {
	return webhook.Event{Platform: platform, Type: eventType, BookingID: id, OccurredAt: now}
}

// address is the webhook's URL with the query of TourCMS.
func address(w *webhook.Webhook, a webhook.Account, e webhook.Event) string {
	if e.Inbound && len(e.Wire) > 0 {
		return w.URL + joiner(w.URL) + string(e.Wire)
	}
	return w.URL + joiner(w.URL) + strings.Join([]string{
		"event=" + escape(e.Type),
		"account_id=" + strconv.FormatInt(a.Number, 10),
		"account_name=" + escape(a.Name),
		"channel_id=" + escape(e.ChannelID),
		"booking_id=" + escape(e.BookingID),
	}, "&")
}

// joiner is what comes between the URL as configured and the query of TourCMS.
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
