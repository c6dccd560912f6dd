package postgres

import (
	"strings"
	"unicode/utf8"
)

// CleanText returns a text as PostgreSQL can store it: receivers, platforms and people
// send what they want, and none of it may make a write fail. Ids in which such characters
// would matter are refused before.
func CleanText(text string) string {
	if strings.IndexByte(text, 0) < 0 && utf8.ValidString(text) {
		return text
	}
	return strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\x00", "\uFFFD")
}
