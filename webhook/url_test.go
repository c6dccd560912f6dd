package webhook_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"bookhook/messages"
	"bookhook/webhook"
)

func TestCheckURLAccepts(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"https", "https://example.com/hook", ""},
		{"http", "http://example.com", ""},
		{"scheme and host in capitals", "HTTPS://Example.COM/Hook", ""},
		{"outer space is taken off", " \thttps://example.com/hook\r\n", "https://example.com/hook"},
		{"query is kept as it is", "https://example.com/hook?b=2&a=1&&x=%2F+y;z&empty=", ""},
		{
			"what a query may not have is percent-encoded", `https://example.com/é?name=Café"x"|[1]^{a}\&p=50%&q=%zz%C3`,
			`https://example.com/é?name=Caf%C3%A9%22x%22%7C%5B1%5D%5E%7Ba%7D%5C&p=50%25&q=%25zz%C3`,
		},
		{"empty query", "https://example.com/hook?", ""},
		{"question mark and at sign in the query", "https://example.com/?mail=a@b.test?c", ""},
		{"percent signs in the path", "https://example.com/a%20b%2Fc", ""},
		{"letters beyond ASCII in the path", "https://example.com/réservé/🎟", ""},
		{"international host", "https://bücher.example/hook", ""},
		{"international host, Greek", "https://παράδειγμα.δοκιμή/", ""},
		{"international host in ASCII", "https://xn--bcher-kva.example/", ""},
		{"trailing dot", "https://example.com./", ""},
		{"underscore", "https://my_hooks.example.com/", ""},
		{"one label", "http://localhost/", ""},
		{"lowest port", "https://example.com:1/", ""},
		{"highest port", "https://example.com:65535/", ""},
		{"IPv4", "http://192.0.2.1:8080/hook", ""},
		{"IPv6", "https://[2001:db8::1]/hook", ""},
		{"IPv6 with port", "https://[2001:db8::1]:8443/hook", ""},
		{"2,000 characters", "https://example.com/" + strings.Repeat("é", 1980), ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			want := tt.want
			if want == "" {
				want = tt.text
			}
			if got, problem := webhook.CheckURL(tt.text); got != want || !problem.IsZero() {
				t.Errorf("got %q, problem %q, want %q", got, problem, want)
			}
		})
	}
}

// Parts of the problems of refused URLs.
const begin, call, host, port = "Begin the URL with https://", "not a URL that can be called", "names no host", "from 1 to 65535"

var refusedURLs = []struct{ name, text, want string }{
	{"empty", "", "Enter the URL"},
	{"only space", " \t\n", "Enter the URL"},
	{"ftp", "ftp://example.com/x", "not ftp://"},
	{"javascript", "javascript:alert(1)", begin},
	{"javascript with slashes", "javascript://example.com/%0aalert(1)", "not javascript://"},
	{"mailto", "mailto:someone@example.com", begin},
	{"file", "file:///etc/passwd", begin},
	{"data", "data:text/html,x", begin},
	{"no scheme", "example.com/x", begin},
	{"no scheme, port", "example.com:8080/x", begin},
	{"no scheme, address and port", "192.0.2.1:8080/x", begin},
	{"no scheme, slashes", "//example.com/x", begin},
	{"path only", "/x", begin},
	{"no slashes", "https:example.com", begin},
	{"scheme only", "https://", host},
	{"one slash", "https:/example.com", host},
	{"no host", "https:///x", host},
	{"no host but a port", "https://:443/x", host},
	{"no host but a query", "https://?x", host},
	{"user", "https://user@example.com/", "user name and password"},
	{"user and password", "https://user:pass@example.com/", "user name and password"},
	{"empty user", "https://@example.com/", "user name and password"},
	{"port 0", "https://example.com:0/", port},
	{"port 65536", "https://example.com:65536/", port},
	{"port without end", "https://example.com:99999999999999999999/", port},
	{"empty port", "https://example.com:/", port},
	{"empty port of IPv6", "https://[2001:db8::1]:/", port},
	{"port in letters", "https://example.com:http/", call},
	{"negative port", "https://example.com:-1/", call},
	{"fragment", "https://example.com/?a=1#part", "from # on"},
	{"empty fragment", "https://x.test/#", "from # on"},
	{"fragment without path", "https://x.test#", "from # on"},
	{"3,000 characters", "https://example.com/" + strings.Repeat("x", 2980), "more than 2000 characters"},
	{"2,001 characters", "https://example.com/" + strings.Repeat("x", 1981), "more than 2000 characters"},
	{"space in the path", "https://example.com/a b", "spaces"},
	{"space in the host", "https://exam ple.com/", "spaces"},
	{"hard space", "https://example.com/a\u00a0b", "spaces"},
	{"line break", "https://example.com/a\nb", "line breaks"},
	{"header injection", "https://example.com/ HTTP/1.1\r\nHost: x", "line breaks"},
	{"null", "https://example.com/\x00", "control characters"},
	{"delete", "https://example.com/\x7f", "control characters"},
	{"invalid UTF-8", "https://example.com/\xff\xfe", "cannot be read"},
	{"percent garbage in the path", "https://example.com/%zz", call},
	{"percent cut off", "https://example.com/%2", call},
	{"percent garbage in the host", "https://ex%ample.com/", call},
	{"percent signs that are no text in the host", "https://%ff.example/", "is not a host name"},
	{"IPv6 zone", "https://[fe80::1%25eth0]/", "is not a host name"},
	{"IPv6 without brackets", "https://2001:db8::1/", call},
	{"IPv6 half open", "https://[2001:db8::1/", call},
	{"name in brackets", "https://[example.com]/", call},
	{"two dots", "https://example..com/", "is not a host name"},
	{"only a dot", "https://./", "is not a host name"},
	{"hyphen first", "https://-example.com/", "is not a host name"},
	{"hyphen last", "https://example-.com/", "is not a host name"},
	{"comma", "https://a.test,b.test/", "is not a host name"},
	{"backslash", `https://example.com\@evil.test/`, ""},
	{"long label", "https://" + strings.Repeat("x", 64) + ".com/", "is not a host name"},
	{"long host", "https://" + strings.Repeat("x.", 127) + "com/", "is not a host name"},
}

func TestCheckURLRefuses(t *testing.T) {
	for _, tt := range refusedURLs {
		t.Run(tt.name, func(t *testing.T) {
			got, problem := webhook.CheckURL(tt.text)
			if text := messages.Text(problem); text == "" || !strings.Contains(text, tt.want) || !utf8.ValidString(text) {
				t.Errorf("got problem %q, want one with %q", problem, tt.want)
			}
			if want := strings.TrimSpace(tt.text); got != want {
				t.Errorf("got %q, want %q, as it was typed", got, want)
			}
		})
	}
}

func FuzzCheckURL(f *testing.F) {
	for _, text := range []string{
		"", "https://example.com/hook?a=1&b=%2F", "HTTP://EXAMPLE.com:80", "ftp://x.test/", "javascript:alert(1)",
		"mailto:a@b.test", "example.com/x", "https://u:p@x.test/", "https://x.test/#", "https://x.test:65536",
		"https://[::1]:8443/", "https://[fe80::1%25eth0]/", "https://bücher.example/🎟", "https://x.test/%zz",
		"https://x.test:/", "https:///", "https://\xff/", "https://%C3%BC.test/", "https://x.test/a b", "https://x.test\\y",
		"http://a.test./?", "https://x.test//..//?#", "https://[::ffff:192.0.2.1]", "https://_a.test/;x=1?;=&",
		"https://a.test/?é=%C3|%zz%", "https://a.test/??[\"]",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, problem := webhook.CheckURL(text)
		if !problem.IsZero() {
			return
		}
		typed := strings.TrimSpace(text)
		before, query, _ := strings.Cut(got, "?")
		if path, _, _ := strings.Cut(typed, "?"); before != path || len(got) < len(typed) {
			t.Fatalf("got %q of %q, want all but the query as typed", got, text)
		}
		if strings.ContainsFunc(query, func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune("\"<>[]\\^`{|}#", r) }) {
			t.Errorf("got the query %q of %q", query, text)
		}
		if again, problem := webhook.CheckURL(got); again != got || !problem.IsZero() {
			t.Errorf("got %q of %q, and of that %q, %s", got, text, again, problem)
		}
		u, err := url.Parse(got)
		if err != nil {
			t.Fatalf("%q is accepted and does not parse: %v", got, err)
		}
		if u.Scheme != "http" && u.Scheme != "https" || u.Opaque != "" || u.Hostname() == "" || u.User != nil {
			t.Errorf("%q is accepted: scheme %q, host %q, user %v", got, u.Scheme, u.Host, u.User)
		}
		if n := utf8.RuneCountInString(got); n > webhook.MaxURL || !utf8.ValidString(got) || strings.ContainsFunc(got, unicode.IsControl) {
			t.Errorf("%q is accepted: %d characters, or not all of them text", got, n)
		}
		if strings.Contains(got, "#") {
			t.Errorf("%q is accepted and has a fragment", got)
		}
		if _, err := http.NewRequest(http.MethodGet, got, nil); err != nil { //nolint:noctx // never sent
			t.Errorf("%q is accepted and makes no request: %v", got, err)
		}
		if again, problem := webhook.CheckURL(got); again != got || !problem.IsZero() {
			t.Errorf("%q is accepted, then changed to %q, %q", got, again, problem)
		}
	})
}

func TestSameDestination(t *testing.T) {
	same := [][2]string{
		{"https://example.com", "https://example.com/other?query=1"},
		{"https://example.com/", "HTTPS://EXAMPLE.com"},
		{"https://example.com/", "https://example.com:443/"},
		{"http://example.com:80", "http://example.com"},
		{"http://example.com:", "http://example.com"},
		{"http://example.com:08080", "http://example.com:8080"},
		{"https://example.com./", " https://example.com/ "},
		{"https://BÜCHER.example/a", "https://xn--bcher-kva.example/b"},
		{"https://bu\u0308cher.example", "https://b%C3%BCcher.example"},
		{"https://bücher。example", "https://bücher.example"}, // an ideographic full stop
		{"https://[2001:db8::1]/", "https://[2001:DB8:0:0:0:0:0:1]:443/"},
		{"http://192.0.2.1:8080/a", "http://192.0.2.1:8080/b"},
	}
	for _, pair := range same {
		if !webhook.SameDestination(pair[0], pair[1]) || !webhook.SameDestination(pair[1], pair[0]) {
			t.Errorf("%q and %q are the same", pair[0], pair[1])
		}
	}
	other := [][2]string{
		{"http://example.com/", "https://example.com/"},
		{"http://example.com:443/", "https://example.com/"},
		{"https://example.com/", "https://example.com:8443/"},
		{"http://127.0.0.1:8080/", "http://127.0.0.1:8081/"},
		{"http://127.0.0.1/", "http://localhost/"},
		{"https://example.com/", "https://www.example.com/"},
		{"https://example.com/", "https://example.com.evil.test/"},
		{"https://example.com/", "https://example.com@evil.test/"},
		{"https://example.com/", "https://evil.test/https://example.com/"},
		{"https://example.com/", "https://exаmple.com/"}, // a Cyrillic а
		{"https://straße.example/", "https://strasse.example/"},
		{"https://[2001:db8::1]/", "https://[2001:db8::2]/"},
		{"https://example.com/", ""},
		{"", ""}, // what is no URL is nowhere
		{"example.com", "example.com"},
		{"ftp://example.com/", "ftp://example.com/"},
		{"https:///x", "https:///x"},
		{"https://[fe80::1%25eth0]/", "https://[fe80::1%25eth0]/"},
		{"https://a\u200d.example/", "https://a\u200d.example/"}, // a name that no server has
	}
	for _, pair := range other {
		if webhook.SameDestination(pair[0], pair[1]) || webhook.SameDestination(pair[1], pair[0]) {
			t.Errorf("%q and %q are not the same", pair[0], pair[1])
		}
	}
}

// FuzzMapHost wants that there is one form of a host: it maps to itself, and is the
// same whatever case it is written in, or with a dot at its end.
func FuzzMapHost(f *testing.F) {
	for _, text := range []string{"", ".", "a.test.", "BÜCHER.test", "faß.de", "xn--bcher-kva.test", "xn--a", "::1", "FE80::1%eth0", "::ffff:1.2.3.4", "1.2.3.4", "١.٢.٣.٤", "１２７.0.0.1", "a\u200db.test", "a。test。"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, name string) {
		host, ok := webhook.MapHost(name)
		if !ok {
			return
		}
		if again, ok := webhook.MapHost(host); !ok || again != host {
			t.Errorf("%q: %q is mapped to %q, %t", name, host, again, ok)
		}
		if strings.ToLower(host) != host || strings.ContainsFunc(host, func(r rune) bool { return r > unicode.MaxASCII }) {
			t.Errorf("%q: got %q", name, host)
		}
		if same, ok := webhook.MapHost(strings.ToUpper(host)); !ok || same != host {
			t.Errorf("%q: in capitals it is %q, %t", host, same, ok)
		}
		if same, ok := webhook.MapHost(host + "."); !strings.Contains(host, ":") && (!ok || same != host) {
			t.Errorf("%q: with a dot at its end it is %q, %t", host, same, ok)
		}
	})
}
