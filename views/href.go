package views

import (
	"net/url"
	"strconv"
	"strings"

	"bookhook/webhook"
)

func hrefWebhook(id webhook.WebhookID, more string) string {
	return "/webhooks/" + id.String() + more
}

func hrefDelivery(id webhook.DeliveryID, more string) string {
	return "/deliveries/" + id.String() + more
}

func hrefEvent(id webhook.EventID) string { return "/events/" + id.String() }

// hrefBooking is the page of a booking. Browsers take . and .. for steps in a path, so
// two references have no page, and lead to their events.
func hrefBooking(reference string) string {
	if reference == "." || reference == ".." {
		return EventFilter{Booking: reference}.href()
	}
	return "/bookings/" + url.PathEscape(reference)
}

func hrefDraft(id webhook.DraftID, more string) string {
	return "/drafts/" + id.String() + "/" + more
}

func hrefAccount(id webhook.AccountID, more string) string {
	return "/admin/accounts/" + id.String() + more
}

func hrefUser(id webhook.UserID, action string) string {
	return "/settings/people/" + id.String() + action
}

func hrefInvitation(id webhook.InvitationID, action string) string {
	return "/settings/invitations/" + id.String() + action
}

func hrefToken(id webhook.TokenID) string {
	return "/settings/tokens/" + id.String() + "/revoke"
}

func hrefClient(id webhook.ClientID) string {
	return "/settings/clients/" + id.String() + "/revoke"
}

// withQuery adds the pairs of name and value that have a value.
func withQuery(path string, pairs ...string) string {
	query := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			query.Add(pairs[i], pairs[i+1])
		}
	}
	if len(query) == 0 {
		return path
	}
	return path + "?" + query.Encode()
}

// href is the address of the list, or of a delivery in it, under the filter, with
// further pairs.
func (f DeliveryFilter) href(path string, more ...string) string {
	return withQuery(path, append(more, "state", f.State, "webhook_id", f.Webhook, "type", f.Type, "booking_id", f.Booking,
		"period", f.Period.Named, "since", f.Period.Since, "until", f.Period.Until)...)
}

// Query is the filter as a saved view keeps it.
func (f DeliveryFilter) Query() string {
	f.Period = f.Period.filtering()
	return strings.TrimPrefix(f.href(""), "?")
}

func (f DeliveryFilter) empty() bool { return f.Query() == "" }

func (f EventFilter) href(more ...string) string { return f.hrefOf("/events", more...) }

func (f EventFilter) hrefOf(path string, more ...string) string {
	return withQuery(path, append(more, "type", f.Type, "booking_id", f.Booking, "channel_id", f.Channel, "tour_id", f.Tour, "sent", f.Sent,
		"period", f.Period.Named, "since", f.Period.Since, "until", f.Period.Until)...)
}

// Query is the filter as a saved view keeps it.
func (f EventFilter) Query() string {
	f.Period = f.Period.filtering()
	return strings.TrimPrefix(f.hrefOf(""), "?")
}

func (f EventFilter) empty() bool { return f.Query() == "" }

// cursor is an id in an address; "" for the zero id.
func cursor[I interface {
	~int64
	String() string
}](id I) string {
	if id == 0 {
		return ""
	}
	return id.String()
}

func number(n int) string {
	text := strconv.Itoa(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// counted writes a count. If counting stopped before the end of the list, it is "at
// least 57 events", or "" if none was found.
func counted(c webhook.Count, one, many string) string {
	switch {
	case !c.More || c.N >= webhook.CountCap:
		return count(c.N, c.More, one, many)
	case c.N == 0:
		return ""
	case c.N == 1:
		return "at least 1 " + one
	}
	return "at least " + number(c.N) + " " + many
}

// count writes "1 event", "2,400 events", "more than 10,000 events".
func count(n int, capped bool, one, many string) string {
	switch {
	case capped:
		return "more than " + number(n) + " " + many
	case n == 1:
		return "1 " + one
	}
	return number(n) + " " + many
}
