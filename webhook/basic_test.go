package webhook_test

import (
	"encoding/base64"
	"net/http"
	"strings"
	"testing"

	"bookhook/webhook"
)

func TestReadBasic(t *testing.T) {
	long := strings.Repeat("x", webhook.MaxBasic)
	for _, tt := range []struct {
		text, value string
		right       bool
	}{
		{"", "", true},
		{"  ", "", true},
		{"dXNlcjpwYXNz", "dXNlcjpwYXNz", true},
		{" dXNlcjpwYXNz\n", "dXNlcjpwYXNz", true},
		{"Basic dXNlcjpwYXNz", "dXNlcjpwYXNz", true},
		{"basic  dXNlcjpwYXNz", "dXNlcjpwYXNz", true},
		{"user:pass", "dXNlcjpwYXNz", true},
		{"Basic user:pass", "dXNlcjpwYXNz", true},
		{"user:pass word", "dXNlcjpwYXNzIHdvcmQ=", true},
		{"müller:ööö", base64.StdEncoding.EncodeToString([]byte("müller:ööö")), true},
		{":", "Og==", true},
		{"any token", "any token", true},
		{long, long, true},
		{long + "x", long + "x", false},
		{"user:" + long, base64.StdEncoding.EncodeToString([]byte("user:" + long)), false},
		{"müller", "müller", false},
		{"a\x00b", "a\x00b", false},
		{"a:b\nc", "a:b\nc", false},
		{"a\x7fb", "a\x7fb", false},
		{"\xff:\xff", "\xff:\xff", false},
	} {
		value, problem := webhook.ReadBasic(tt.text)
		if value != tt.value || problem.IsZero() != tt.right {
			t.Errorf("%.60q: got %.60q, %q, want %.60q", tt.text, value, problem, tt.value)
		}
	}
}

func TestCheckBasic(t *testing.T) {
	for value, right := range map[string]bool{"": true, "a:b": true, "a b": true, "~!\"": true, " a": false, "a ": false, "a\tb": false, "a\r\nX: y": false, "é": false} {
		if problem := webhook.CheckBasic(value); problem.IsZero() != right {
			t.Errorf("%q: got %q", value, problem)
		}
	}
}

// Whatever is accepted is in the header unchanged, and nothing else is.
func FuzzReadBasic(f *testing.F) {
	f.Add("user:pass")
	f.Add("Basic Basic x")
	f.Add("a\r\nHost: b")
	f.Fuzz(func(t *testing.T, text string) {
		value, problem := webhook.ReadBasic(text)
		if !problem.IsZero() || value == "" {
			return
		}
		r, err := http.NewRequest(http.MethodPost, "http://example.com/", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Basic "+value)
		var wire strings.Builder
		if err := r.Write(&wire); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(wire.String(), "\r\nAuthorization: Basic "+value+"\r\n") {
			t.Errorf("%q goes out as %q", value, wire.String())
		}
		if user, password, found := strings.Cut(strings.TrimSpace(text), ":"); found && !strings.HasPrefix(strings.ToLower(text), "basic ") {
			if u, p, ok := r.BasicAuth(); !ok || u != user || p != password {
				t.Errorf("%q is read as %q and %q", text, u, p)
			}
		}
	})
}
