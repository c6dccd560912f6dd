package db

import (
	"bytes"
	"encoding/json"
	"net/http"
	"testing"

	"bookhook/webhook"
)

// FuzzHeadersJSON: headers are written as encoding/json would.
func FuzzHeadersJSON(f *testing.F) {
	f.Add("Content-Type", "text/plain; charset=utf-8", "")
	f.Add("X-Odd", "a \"quote\", a \\ and a tab\t", "<é🎟>")
	f.Add("", "\x00\x7f", "\xff\xfe")
	f.Fuzz(func(t *testing.T, name, one, two string) {
		h := http.Header{name: {one, two}, "None": {}, "A": {two}}
		var want bytes.Buffer
		encoder := json.NewEncoder(&want)
		encoder.SetEscapeHTML(false)
		if err := encoder.Encode(h); err != nil {
			t.Fatal(err)
		}
		if got := headersJSON(h) + "\n"; got != want.String() {
			t.Errorf("got %s, want %s", got, want.String())
		}
	})
}

func TestHeadersJSON(t *testing.T) {
	for _, h := range []http.Header{nil, {}, {"A": nil}, {"B": {"1"}, "A": {"2", "3"}}} {
		var got, want http.Header
		if err := json.Unmarshal([]byte(headersJSON(h)), &got); err != nil {
			t.Fatalf("%s: %v", headersJSON(h), err)
		}
		if err := json.Unmarshal([]byte(toJSON(h)), &want); err != nil {
			t.Fatal(err)
		}
		if len(got) != len(want) || len(got["A"]) != len(want["A"]) || (got == nil) != (want == nil) {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestDecisionsJSON(t *testing.T) {
	for _, decisions := range [][]webhook.Decision{
		{},
		{{Webhook: 1, Delivery: 2}},
		{{Webhook: 1, Reason: webhook.ReasonChannel}, {Webhook: 9007199254740993, Delivery: 3}, {Webhook: 4, Reason: "a \"new\" one"}},
	} {
		if got, want := decisionsJSON(decisions), toJSON(decisions); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}
