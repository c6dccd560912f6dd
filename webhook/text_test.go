package webhook_test

import (
	"fmt"
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

func TestParsePrefixes(t *testing.T) {
	t.Parallel()
	got, err := webhook.ParsePrefixes("10.1.2.3/8, 192.0.2.1,::ffff:192.0.2.2 ,::ffff:10.0.0.0/104,,2001:db8::1,2001:db8::1/48")
	const want = "[10.0.0.0/8 192.0.2.1/32 192.0.2.2/32 10.0.0.0/8 2001:db8::1/128 2001:db8::/48]"
	if err != nil || fmt.Sprint(got) != want {
		t.Errorf("got %v, %v, want %s", got, err, want)
	}
	got, err = webhook.ParsePrefixes("proxy.example.com,192.0.2.1,fe80::1%eth0,::ffff:0.0.0.0/90")
	if len(got) != 0 || err == nil || !strings.HasPrefix(err.Error(), `"proxy.example.com", "fe80::1%eth0", "::ffff:0.0.0.0/90": `) {
		t.Errorf("got %v, %v", got, err)
	}
}
