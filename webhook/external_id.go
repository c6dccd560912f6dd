package webhook

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Prefixes of the external ids that Bookhook creates itself. Senders may not use
// them, so that an id of theirs never equals one of these.
const (
	InboundPrefix = "in:"     // of a notification that a platform sent
	InlinePrefix  = "inline:" // of an inline call, which may have the same id as the event that follows it
)

// CheckSentID says what is wrong with an external id that a sender chose; zero
// when nothing is.
func CheckSentID(id string) Message {
	for _, prefix := range []string{InboundPrefix, InlinePrefix} {
		if strings.HasPrefix(id, prefix) {
			return NewMessage("event.id_reserved", prefix)
		}
	}
	return CheckExternalID(id)
}

// CheckExternalID says what is wrong with the external id of an event; zero when
// nothing is.
func CheckExternalID(id string) Message {
	if utf8.RuneCountInString(id) > MaxEventID || !utf8.ValidString(id) || strings.ContainsFunc(id, unicode.IsControl) {
		return NewMessage("event.id", MaxEventID)
	}
	return Message{}
}
