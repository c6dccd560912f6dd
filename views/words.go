package views

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"bookhook/webhook"
)

// answerText is the last answer of a delivery in two or three words.
func answerText(o webhook.Outcome) string {
	switch {
	case o.Failure == webhook.FailAnswer:
		return failureWord(o.Failure)
	case brokenOff(o) && o.Failure == webhook.FailTimeout:
		return "Timed out"
	case brokenOff(o):
		return "No complete answer"
	case o.Status != 0:
		return statusLine(o.Status)
	case o.Failure == "":
		return ""
	}
	return failureWord(o.Failure)
}

func statusLine(status int) string {
	return strings.TrimSpace(strconv.Itoa(status) + " " + http.StatusText(status))
}

// brokenOff reports whether an answer began and did not come to its end: its
// status then counts for nothing.
func brokenOff(o webhook.Outcome) bool {
	return o.Status != 0 && (o.Failure == webhook.FailTimeout || o.Failure == webhook.FailNetwork)
}

// brokenOffDetail is how such an answer began.
func brokenOffDetail(o webhook.Outcome) string { return "began as " + statusLine(o.Status) }

// failureWord is a failure in a few words.
func failureWord(f webhook.Failure) string {
	switch f {
	case webhook.FailBlocked:
		return "Address not allowed"
	case webhook.FailDNS:
		return "Host not found"
	case webhook.FailTLS:
		return "Certificate problem"
	case webhook.FailRefused:
		return "Connection refused"
	case webhook.FailTimeout:
		return "No answer in time"
	case webhook.FailNetwork:
		return "Connection broke"
	case webhook.FailRedirect:
		return "Redirected"
	case webhook.FailGone:
		return "Gone"
	case webhook.FailStatus:
		return "Not accepted"
	case webhook.FailAnswer:
		return "No valid answer"
	case webhook.CutOff:
		return "Cut off"
	}
	return "Not sent"
}

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
		return "The webhook was switched off when the event came in."
	case webhook.ReasonEvent:
		return "The webhook is not told of this kind of event."
	case webhook.ReasonNoChannel:
		return "The event names no channel, and the webhook is told of selected channels only."
	case webhook.ReasonChannel:
		return "The booking came through a channel that the webhook is not told of."
	case webhook.ReasonNoTour:
		return "The event names no tour, and the webhook is told of selected tours only."
	case webhook.ReasonTourNotListed:
		return "None of the booking’s tours is one that the webhook is told of."
	case webhook.ReasonTourExcluded:
		return "Every tour of the booking is one that the webhook leaves out."
	case webhook.ReasonPlatformOff:
		return "The booking platform that sent the event is switched off for this account."
	}
	return "Not sent, for the reason “" + string(r) + "”."
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

// host is the part of a URL that people recognise.
func host(address string) string {
	if u, err := url.Parse(address); err == nil && u.Host != "" {
		return u.Host
	}
	return address
}

// orDash stands for what is empty.
func orDash(text string) string {
	if text == "" {
		return "–"
	}
	return text
}
