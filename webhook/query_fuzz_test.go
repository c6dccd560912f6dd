package webhook

import (
	"strings"
	"testing"
)

// FuzzEscapeQuery: what is escaped is not escaped again, and has only characters that
// a query may have.
func FuzzEscapeQuery(f *testing.F) {
	for _, text := range []string{"", "a=1&b=%C3%A9", "é|\"", "%", "%zz", "a b#c", "\x00\xff"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		escaped := escapeQuery("?" + text)
		if again := escapeQuery(escaped); again != escaped {
			t.Fatalf("%q becomes %q, and that %q", text, escaped, again)
		}
		if strings.ContainsFunc(escaped, func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune(`"<>\\^{}|`+"`", r) }) {
			t.Fatalf("%q becomes %q", text, escaped)
		}
	})
}
