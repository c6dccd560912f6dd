package webhook

import (
	"encoding/base64"
	"strings"
	"unicode/utf8"
)

// HiddenBasic replaces an Authorization header where it is shown or stored.
const HiddenBasic = "Basic ••••"

// ReadBasic returns the value of Basic authentication from what a person typed:
// user:password, which is encoded here, or the value itself, with or without
// the word Basic before it.
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

// CheckBasic says what is wrong with a value that is sent after the word Basic;
// an empty value is valid, and nothing is sent. The message does not contain the
// value.
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
