package webhook

import (
	"encoding/base64"
	"strconv"
	"strings"
	"unicode/utf8"
)

// HiddenBasic stands where an Authorization header is shown or kept.
const HiddenBasic = "Basic ••••"

// ReadBasic returns the value of Basic authentication that a person means: it
// may be written as user:password, which is encoded here, or as the value
// itself, with or without the word Basic before it.
func ReadBasic(text string) (value, problem string) {
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
// as it is; an empty one is in order, and not sent. Its words do not repeat it.
func CheckBasic(value string) (problem string) {
	switch {
	case utf8.RuneCountInString(value) > MaxBasic:
		return "Use at most " + strconv.Itoa(MaxBasic) + " characters."
	case strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r > '~' }):
		return "Use letters without accents, digits and signs only, no control characters."
	case strings.TrimSpace(value) != value:
		return "Take the space at the beginning or the end away."
	}
	return ""
}
