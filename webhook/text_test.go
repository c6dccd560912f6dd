package webhook_test

import (
	"fmt"
	"net/netip"
	"slices"
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

// FuzzParsePrefixes wants that ranges read as themselves however they are written,
// and that an error names what it refuses.
func FuzzParsePrefixes(f *testing.F) {
	for _, text := range []string{"", " , ", "10.1.2.3/8,192.0.2.1", "::ffff:10.0.0.0/104", "::ffff:1.2.3.4", "fe80::1%eth0", "2001:db8::/129", "1.2.3", "::/0, 0.0.0.0/0"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, list string) {
		got, err := webhook.ParsePrefixes(list)
		if err != nil {
			if got != nil || !utf8.ValidString(err.Error()) || strings.ContainsAny(err.Error(), "\r\n") {
				t.Errorf("%q: got %v, %q", list, got, err)
			}
			return
		}
		for _, p := range got {
			if p != p.Masked() || p.Addr().Is4In6() || p.Addr().Zone() != "" {
				t.Errorf("%q: got %s", list, p)
			}
		}
		text := webhook.JoinText(got, netip.Prefix.String)
		if again, err := webhook.ParsePrefixes(text); err != nil || !slices.Equal(again, got) {
			t.Errorf("%q: %q reads as %v, %v", list, text, again, err)
		}
	})
}
