package webhook

import (
	"encoding/base64"
	"strings"
	"unicode/utf8"
)

// HiddenBasic stands where an Authorization header is shown or kept.
const HiddenBasic = "Basic ••••"

// ReadBasic returns the value of Basic authentication that a person means: it
// may be written as user:password, which is encoded here, or as the value
// itself, with or without the word Basic before it.
func ReadBasic(text string) (value string, problem Message) {
	text = strings.TrimSpace(text)
	if scheme, rest, found := strings.Cut(text, " "); found && strings.EqualFold(scheme, "Basic") {
		text = strings.TrimSpace(rest)
	}
	if strings.Contains(text, ":") && printable(text) { // base64 has no colon
		text = base64.StdEncoding.EncodeToString([]byte(text))
	}
	return text, CheckBasic(text)
}

// CheckBasic says what is wrong with a value that is sent behind the word Basic
// as it is; an empty one is in order, and not sent. The message does not repeat
// it.
func CheckBasic(value string) (problem Message) {
	switch {
	case utf8.RuneCountInString(value) > MaxBasic:
		return NewMessage("text.too_long", MaxBasic)
	case strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r > '~' }):
		return NewMessage("basic.not_ascii")
	case strings.TrimSpace(value) != value:
		return NewMessage("basic.outer_space")
	}
	return Message{}
}
