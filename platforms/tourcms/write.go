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

// Native writes an event as TourCMS itself would call the URL. If TourCMS sent the
// event, its query is passed on byte for byte; also if it was a POST, since an
// asynchronous webhook gets a GET. Other events have all five keys, with an empty
// value for what the event does not have.
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

// joiner returns what joins the configured URL and the query of TourCMS.
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
