package webhook

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Truncate returns the text with at most limit characters and an ellipsis for
// what was left out.
func Truncate(text string, limit int) string {
	if len(text) <= limit || utf8.RuneCountInString(text) <= limit {
		return text
	}
	n := 0
	for i := range text {
		if n == limit {
			return text[:i] + "…"
		}
		n++
	}
	return text
}

// Quote returns a text that others wrote so that a sentence can repeat it:
// truncated, and with a replacement character for what is not UTF-8 or cannot be
// seen (control characters, those that turn the direction of the text).
func Quote(text string, limit int) string {
	return Truncate(strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return utf8.RuneError
	}, text), limit)
}
