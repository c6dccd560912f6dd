package views

import (
	"net/url"
	"strconv"

	"bookhook/webhook"
)

func hrefWebhook(id webhook.ID, more string) string {
	return "/webhooks/" + id.Text(webhook.WebhookPrefix) + more
}

func hrefDelivery(id webhook.ID, more string) string {
	return "/deliveries/" + id.Text(webhook.DeliveryPrefix) + more
}

func hrefEvent(id webhook.ID) string { return "/events/" + id.Text(webhook.EventPrefix) }

func hrefDraft(id webhook.ID, more string) string {
	return "/drafts/" + id.Text(webhook.DraftPrefix) + "/" + more
}

func hrefAccount(id webhook.ID, more string) string {
	return "/admin/accounts/" + id.Text(webhook.AccountPrefix) + more
}

func hrefPerson(id webhook.ID, action string) string {
	return "/settings/people/" + id.Text(webhook.UserPrefix) + action
}

func hrefToken(id webhook.ID) string {
	return "/settings/tokens/" + id.Text(webhook.TokenPrefix) + "/revoke"
}

func hrefClient(id webhook.ID) string {
	return "/settings/clients/" + id.Text(webhook.ClientPrefix) + "/revoke"
}

// withQuery adds the pairs of name and value that have a value.
func withQuery(path string, pairs ...string) string {
	query := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			query.Set(pairs[i], pairs[i+1])
		}
	}
	if len(query) == 0 {
		return path
	}
	return path + "?" + query.Encode()
}

// href is the address of the list under the filter, with further pairs.
func (f DeliveryFilter) href(path string, more ...string) string {
	return withQuery(path, append(more, "state", f.State, "webhook_id", f.Webhook, "type", f.Type,
		"booking_id", f.Booking, "since", f.Since, "until", f.Until)...)
}

func (f DeliveryFilter) empty() bool { return f == DeliveryFilter{} }

func (f EventFilter) href(more ...string) string {
	return withQuery("/events", append(more, "type", f.Type, "booking_id", f.Booking)...)
}

func (f EventFilter) empty() bool { return f == EventFilter{} }

func deliveryCursor(id webhook.ID) string { return cursor(id, webhook.DeliveryPrefix) }

func eventCursor(id webhook.ID) string { return cursor(id, webhook.EventPrefix) }

func cursor(id webhook.ID, prefix string) string {
	if id == 0 {
		return ""
	}
	return id.Text(prefix)
}

func number(n int) string {
	text := strconv.Itoa(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// counted writes a count that may have ended before the list: then "at least 57
// events", or nothing as long as it found none.
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
