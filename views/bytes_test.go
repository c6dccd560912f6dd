package views

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"unicode/utf8"

	"bookhook/webhook"
)

// Whatever a receiver answers, the page of the delivery is whole, shows it as
// text, and is not many times as large.
func TestHostileAnswerOnThePage(t *testing.T) {
	const markup = `</pre></dd><script>alert(1)</script><img src=x onerror="alert(1)"><!--`
	for name, body := range map[string]string{
		"markup":          markup,
		"markup in JSON":  `{"a":"` + strings.ReplaceAll(markup, `"`, `'`) + `"}`,
		"control":         "a\x1b[2J\x07\x08\r\u0085\u009b31m",
		"NUL":             "a\x00b" + markup,
		"not UTF-8":       "a\xff\xc0\x80" + markup,
		"JSON, not UTF-8": "{\"a\":\"\xff\"}",
		"direction":       "\u202e\u2066" + markup + "\u200f",
		"deep JSON":       strings.Repeat("[", 9999) + strings.Repeat("]", 9999),
		"deep objects":    strings.Repeat(`{"":`, 9000) + "1" + strings.Repeat("}", 9000),
		"deep and long":   strings.Repeat("[", 2000) + strings.Repeat("1,", 20_000) + "1" + strings.Repeat("]", 2000),
		"brackets":        strings.Repeat("[", webhook.MaxStoredBody),
		"cut in a letter": strings.Repeat("x", webhook.MaxStoredBody-1) + "\xc3",
	} {
		t.Run(name, func(t *testing.T) {
			k := kinds[0]
			a := k.attempt(2, webhook.Outcome{Status: 500, Failure: webhook.FailStatus})
			a.ResponseBody, a.Error = []byte(body), webhook.NewMessage(markup)
			a.ResponseHeaders = http.Header{"X-Markup": {markup}, markup: {markup}, "X-Direction": {"\u202e" + markup}}
			var page bytes.Buffer
			p := DeliveryProps{Page: Page{Now: now}, Delivery: k.delivery(0), Attempts: []webhook.Attempt{a}}
			if err := attempt(p, a, true).Render(t.Context(), &page); err != nil {
				t.Fatal(err)
			}
			if !utf8.Valid(page.Bytes()) || bytes.IndexByte(page.Bytes(), 0) >= 0 {
				t.Error("the page has bytes that are no text")
			}
			for _, tag := range []string{"<script", "<img", "<!--"} {
				if strings.Contains(page.String(), tag) {
					t.Errorf("the page has %s", tag)
				}
			}
			if opened, closed := strings.Count(page.String(), "<pre"), strings.Count(page.String(), "</pre>"); opened != closed {
				t.Errorf("got %d <pre> and %d </pre>", opened, closed)
			}
			if page.Len() > 12*len(body)+20_000 {
				t.Errorf("got a page of %d bytes for an answer of %d", page.Len(), len(body))
			}
		})
	}
}

func TestPrettyJSON(t *testing.T) {
	for body, want := range map[string]string{
		` {"a":[1,{"b":"[,]\"{"}],"c":{}} `: "{\n  \"a\": [\n    1,\n    {\n      \"b\": \"[,]\\\"{\"\n    }\n  ],\n  \"c\": {}\n}",
		`"x"`:                               `"x"`, "[]": "[]", "{": "", "": "", "[1] 2": "", "\"\xff\"": "",
	} {
		if got, ok := prettyJSON([]byte(body)); got != want || ok != (want != "") {
			t.Errorf("%s: got %q, %t, want %q", body, got, ok, want)
		}
		if got, _ := prettyJSON([]byte(body)); len(got) > len(body)+indentation([]byte(body)) {
			t.Errorf("%s: got %d bytes, want at most %d more", body, len(got), indentation([]byte(body)))
		}
	}
}

// FuzzAttempt wants that whatever was sent and answered, the page shows it as text, and
// is not many times as large.
func FuzzAttempt(f *testing.F) {
	f.Add([]byte(`{"a":[1,{"b":"</pre><script>"}]}`), []byte("\x1f\x8b\x00"), "X-A", "\u202e<img>")
	f.Add([]byte("[[[[[\"\\\"]"), []byte("ü\xc3"), "", "\xff\x00")
	f.Add([]byte(nil), []byte("a'b\"c`$(d)\\"), "Cookie", "'")
	k := kinds[0]
	f.Fuzz(func(t *testing.T, sent, answered []byte, name, value string) {
		a := k.attempt(2, webhook.Outcome{Status: 500, Failure: webhook.FailStatus})
		a.RequestBody, a.ResponseBody = sent, answered[:min(len(answered), webhook.MaxStoredBody)]
		a.ResponseHeaders = http.Header{name: {strings.ToValidUTF8(strings.ReplaceAll(value, "\x00", ""), "")}}
		var page bytes.Buffer
		if err := attempt(DeliveryProps{Page: Page{Now: now}, Delivery: k.delivery(0), Attempts: []webhook.Attempt{a}}, a, true).Render(t.Context(), &page); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(page.String(), "<script") || strings.Contains(page.String(), "<img") || strings.Count(page.String(), "<pre") != strings.Count(page.String(), "</pre>") {
			t.Errorf("what was sent is markup on the page: %s", page.Bytes())
		}
		if most := 12*(len(sent)+len(answered)+len(name)+len(value)) + 40_000; page.Len() > most {
			t.Errorf("got a page of %d bytes for %d and %d", page.Len(), len(sent), len(answered))
		}
		text, ok := prettyJSON(sent)
		var was, is bytes.Buffer
		if ok && (json.Compact(&was, sent) != nil || json.Compact(&is, []byte(text)) != nil || !bytes.Equal(was.Bytes(), is.Bytes())) {
			t.Errorf("%q is shown as %q", sent, text)
		}
	})
}
