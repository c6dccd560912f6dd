package webhook

import (
	"errors"
	"strings"
	"testing"
)

// FuzzArrive: whatever the header says, a path is one that is read as itself again,
// has at most MaxHops hops, and does not pass the account twice.
func FuzzArrive(f *testing.F) {
	here, there := NewInstance([]byte("here")), NewInstance([]byte("there"))
	f.Add("")
	f.Add(there.Extend("", 1))
	f.Add(there.Extend(Via(there.Extend("", 1)), 2) + ",, nothing ,")
	f.Add(here.Extend("", 7))
	f.Fuzz(func(t *testing.T, header string) {
		path, err := here.Arrive(header, 7)
		if err != nil {
			if !errors.Is(err, ErrLoop) || path != "" {
				t.Fatalf("got %q, %v", path, err)
			}
			return
		}
		if path != "" && strings.Count(string(path), ",") >= MaxHops {
			t.Fatalf("%q has too many hops", path)
		}
		if again, err := here.Arrive(string(path), 7); again != path || err != nil {
			t.Fatalf("%q is read as %q, %v", path, again, err)
		}
		if _, err := here.Arrive(here.Extend(path, 7), 7); !errors.Is(err, ErrLoop) {
			t.Fatalf("%q comes back, and got %v", path, err)
		}
	})
}

// FuzzMapHost: a mapped name is mapped to itself, in ASCII, so that what is dialled is
// what is sent and shown.
func FuzzMapHost(f *testing.F) {
	for _, name := range []string{"example.com", "BÜCHER.test", "xn--bcher-kva.test", "a..b", "ⅰ.test", "192.0.2.1", "a_b.test", "faß.de", "."} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		host, ok := MapHost(name)
		if !ok {
			return
		}
		if again, ok := MapHost(host); !ok || again != host {
			t.Fatalf("%q is mapped to %q, and that to %q, %v", name, host, again, ok)
		}
		if strings.ContainsFunc(host, func(r rune) bool { return r <= ' ' || r > '~' }) {
			t.Fatalf("%q is mapped to %q", name, host)
		}
	})
}

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
