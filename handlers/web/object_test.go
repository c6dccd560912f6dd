package web

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"unicode/utf8"

	"bookhook/webhook"
)

// FuzzParseObject wants that reading never panics, that what is refused has
// words for it, and that the members are those that encoding/json finds.
func FuzzParseObject(f *testing.F) {
	for _, seed := range []string{
		`{"id":"tc-1","tour_ids":[12,"15"],"data":{"any":["json",null,1e9,"\ud800"]}}`, `{"type":"cancelled","data":null}`,
		` {"type":"cancelled" , "type":5}`, `{"id":00}`, `{"id":1e5}`, `{"tour_ids":[[],{},""]}`, `[]`, `null`, `{`, ``, "\xff", `{"":{}}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		o, err := ParseObject(body)
		if err != nil {
			if p := AsProblem(err); p.Status != http.StatusBadRequest || !utf8.ValidString(p.Detail) {
				t.Fatalf("got %+v", p)
			}
			return
		}
		var members map[string]json.RawMessage
		if err := json.Unmarshal(bytes.TrimPrefix(body, webhook.ByteOrderMark), &members); err != nil || len(members) != len(o.members) {
			t.Fatalf("%v: got %d members, want %d", err, len(o.members), len(members))
		}
		for name, want := range members {
			if got := o.members[name]; string(got) != string(want) {
				t.Fatalf("%q: got %s, want %s", name, got, want)
			}
		}
	})
}

func TestPosition(t *testing.T) {
	t.Parallel()
	text := []byte("é\r\n{\"🎟\":\n}")
	for at, want := range map[int]string{-1: "line 1, column 1", 0: "line 1, column 1", 2: "line 1, column 2", 4: "line 2, column 1", 10: "line 2, column 4", 99: "line 3, column 2"} {
		if got := position(text, at); got != want {
			t.Errorf("%d: got %s, want %s", at, got, want)
		}
	}
}

func TestParseObjectSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat("[", 101)
	for text, want := range map[string]string{
		" \n":                 "The body is empty; send a JSON object.",
		"{\"a\":\n \"\xff\"}": "The body is not UTF-8 at line 2, column 3.",
		deep:                  "Objects and lists may be nested at most 100 deep.",
		"{\n\"é\": 00}":       "The body is not JSON at line 2, column 7: invalid character '0' after object key:value pair.",
		"{\"a\":1":            "The body is not JSON at line 1, column 6: unexpected end of JSON input.",
		"{} {}":               "The body is not JSON at line 1, column 4: invalid character '{' after top-level value.",
		"[]":                  "The body must be a JSON object, such as {…}.",
	} {
		if _, err := ParseObject([]byte(text)); AsProblem(err).Detail != want {
			t.Errorf("%q: got %q, want %q", text, AsProblem(err).Detail, want)
		}
	}
}
