package webhook_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"bookhook/webhook"
)

func TestTruncate(t *testing.T) {
	for _, tt := range []struct {
		text  string
		limit int
		want  string
	}{
		{"", 0, ""},
		{"abc", 3, "abc"},
		{"abcd", 3, "abc…"},
		{"äöü", 3, "äöü"},
		{"äöüß", 3, "äöü…"},
		{"a", 0, "…"},
	} {
		if got := webhook.Truncate(tt.text, tt.limit); got != tt.want {
			t.Errorf("%q to %d: got %q, want %q", tt.text, tt.limit, got, tt.want)
		}
	}
}

func FuzzQuote(f *testing.F) {
	f.Add("plain", 3)
	f.Add("a\x00b\u202ec\xff", 10)
	f.Fuzz(func(t *testing.T, text string, limit int) {
		limit = max(limit%1000, 0)
		got := webhook.Quote(text, limit)
		if !utf8.ValidString(got) || utf8.RuneCountInString(got) > limit+1 || strings.ContainsAny(got, "\x00\r\n\u202e") {
			t.Errorf("%q to %d: got %q", text, limit, got)
		}
	})
}
