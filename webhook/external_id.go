package webhook

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Prefixes of the external ids that Bookhook makes itself; senders may not use
// them, so that what they send is never taken for something else that came in.
const (
	InboundPrefix = "in:"     // of a notification that a platform sent
	InlinePrefix  = "inline:" // of an inline call, which may have the same id as the event that follows it
)

// CheckSentID says what is wrong with an event's id that a sender chose; "" when
// nothing is.
func CheckSentID(id string) string {
	for _, prefix := range []string{InboundPrefix, InlinePrefix} {
		if strings.HasPrefix(id, prefix) {
			return "Ids that begin with “" + prefix + "” are reserved for Bookhook. Put something else before it."
		}
	}
	return CheckExternalID(id)
}

// CheckExternalID says what is wrong with the external id of an event; "" when
// nothing is.
func CheckExternalID(id string) string {
	if utf8.RuneCountInString(id) > MaxEventID || !utf8.ValidString(id) || strings.ContainsFunc(id, unicode.IsControl) {
		return "Use at most 200 characters, none of them control characters."
	}
	return ""
}
