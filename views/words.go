package views

import (
	"net/url"
	"strings"

	"bookhook/webhook"
)

// StateName is a delivery's state as people read it.
func StateName(s webhook.State) string {
	switch s {
	case webhook.Pending:
		return "Waiting"
	case webhook.Delivered:
		return "Delivered"
	case webhook.Failed:
		return "Failed"
	}
	return "Cancelled"
}

// ReasonText says in words why an event was not sent to a webhook; "" for
// webhook.Matched.
func ReasonText(r webhook.Reason) string {
	switch r {
	case webhook.Matched:
		return ""
	case webhook.ReasonDisabled:
		return "The webhook was off when the event was received."
	case webhook.ReasonEvent:
		return "This type of event is not selected in the webhook."
	case webhook.ReasonNoChannel:
		return "The event names no channel, and the webhook is limited to selected channels."
	case webhook.ReasonChannel:
		return "The channel of the booking is not selected in the webhook."
	case webhook.ReasonNoTour:
		return "The event names no tour, and the webhook is limited to selected tours."
	case webhook.ReasonTourNotListed:
		return "None of the booking’s tours is selected in the webhook."
	case webhook.ReasonTourExcluded:
		return "All of the booking’s tours are excluded in the webhook."
	case webhook.ReasonPlatformOff:
		return "The booking platform is switched off for this account."
	case webhook.ReasonNotCreated:
		return "The webhook did not exist when the event was received."
	}
	return "Not sent (" + string(r) + ")."
}

// RoleName is a role as people read it.
func RoleName(r webhook.Role) string {
	switch r {
	case webhook.RoleAdmin:
		return "Administrator"
	case webhook.RoleOperator:
		return "Operator"
	}
	return "Staff"
}

// FormatName is a format as people read it.
func FormatName(f webhook.Format) string {
	if f == webhook.Standard {
		return "Signed JSON"
	}
	return "Native call"
}

// lowerFirst returns the text in the middle of a sentence or line.
func lowerFirst(text string) string { return strings.ToLower(text[:1]) + text[1:] }

// host is the part of a URL that people recognise.
func host(address string) string {
	if u, err := url.Parse(address); err == nil && u.Host != "" {
		return u.Host
	}
	return address
}

// orDash is a dash for what is empty.
func orDash(text string) string {
	if text == "" {
		return "–"
	}
	return text
}
