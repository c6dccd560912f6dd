package webhook

import "testing"

func TestSupportHref(t *testing.T) {
	for text, want := range map[Support]string{
		DefaultSupport:                   "",
		"support@example.com":            "mailto:support@example.com",
		"a+b?c@example.com":              "mailto:a+b%3Fc@example.com",
		"https://example.com/help?a=1":   "https://example.com/help?a=1",
		"http://example.com/help":        "",
		"https:///help":                  "",
		"https://example.com/ or Anna":   "",
		"Anna <anna@example.com>":        "",
		"Anna in the office, +372 5551":  "",
		"javascript:alert(1)":            "",
		"anna@example.com or the office": "",
	} {
		if got := text.Href(); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}
