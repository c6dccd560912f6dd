package dispatch_test

import (
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"unicode"
	"unicode/utf8"

	"bookhook/dispatch"
	"bookhook/messages"
	"bookhook/webhook"
)

// The target of a redirect is never called, not even where it could be.
func TestRedirectsAreNotFollowed(t *testing.T) {
	var called atomic.Int32
	elsewhere := receiver(t, func(http.ResponseWriter, *http.Request) { called.Add(1) })
	r := newTarget(t, dispatch.Options{})
	for status := 300; status <= 308; status++ {
		for _, location := range []string{
			elsewhere.URL, strings.TrimPrefix(elsewhere.URL, "http:"), "http://169.254.169.254/latest/meta-data/iam", "http://[fd00:ec2::254]/",
			"file:///etc/passwd", "gopher://127.0.0.1:6379/_FLUSHALL", "javascript:alert(1)", "/", "", ":", "http://%",
		} {
			t.Run(strconv.Itoa(status)+" "+location, func(t *testing.T) {
				server := receiver(t, func(w http.ResponseWriter, _ *http.Request) {
					w.Header().Set("Location", location)
					w.Header().Set("Refresh", "0; url="+elsewhere.URL)
					w.Header().Set("Alt-Svc", `h2="`+elsewhere.Listener.Addr().String()+`"`)
					w.WriteHeader(status)
				})
				a := r.try(server.URL)
				check(t, a, webhook.FailRedirect, strconv.Itoa(status), location, "does not follow redirects; enter the final address")
				if got := r.Probe(t.Context(), server.URL); got.Level != webhook.ProbeWarn || !strings.Contains(messages.Text(got.Message), location) {
					t.Errorf("got %+v, want a warning that names %s", got, location)
				}
			})
		}
	}
	if got := called.Load(); got != 0 {
		t.Errorf("the target was called %d times", got)
	}
}

// What a receiver writes is quoted short, and as text that can be seen.
func TestHostileTextIsQuotedSafely(t *testing.T) {
	const moved = "HTTP/1.1 302 Found\r\nContent-Length: 0\r\n"
	for name, answer := range map[string]string{
		"long":          moved + "Location: http://x.test/" + strings.Repeat("a", 50_000) + "\r\n\r\n",
		"long letters":  moved + "Location: http://x.test/" + strings.Repeat("é", 10_000) + "\r\n\r\n",
		"not UTF-8":     moved + "Location: http://x.test/\xff\xc0\x80\xed\xa0\x80\r\n\r\n",
		"C1 controls":   moved + "Location: http://x.test/\u009b31m\u0085\r\n\r\n",
		"direction":     moved + "Location: http://x.test/\u202egnp.exe\u2066\u200f\r\n\r\n",
		"invisible":     moved + "Location: http://x.test/\u200b\u2028\u2029\ufeff\U000e0041\r\n\r\n",
		"status":        "HTTP/1.1 \x1b[2J\u202e\x00\xff No\r\n\r\n",
		"status line":   "\x1b]0;title\x07\u202e\xff" + strings.Repeat("x", 10_000) + "\r\n\r\n",
		"header":        ok200 + "\x1b[2J\u202e\xff\r\n\r\n",
		"status number": "HTTP/1.1 000 \u202e\u009b\xff\r\nContent-Length: 0\r\n\r\n",
		"chunk":         ok200 + "Transfer-Encoding: chunked\r\n\r\n\x1b\xff\u202e\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			a := newTarget(t, dispatch.Options{}).try("http://" + raw(t, say(answer, shut)))
			if a.Error.IsZero() {
				t.Errorf("got %q without a message", a.Failure)
			}
			unseen := func(r rune) bool { return r != utf8.RuneError && !unicode.IsPrint(r) }
			if i := strings.IndexFunc(messages.Text(a.Error), unseen); i >= 0 || !utf8.ValidString(messages.Text(a.Error)) || utf8.RuneCountInString(messages.Text(a.Error)) > 700 {
				t.Errorf("got %d bytes, unseen at %d: %q", len(messages.Text(a.Error)), i, a.Error)
			}
		})
	}
}

// Such an answer is also in the log as it was, as far as it is text.
func TestHostileAnswerInTheLog(t *testing.T) {
	const body = "\x00\x1b[31m<script>\u202e\xff"
	answer := "HTTP/1.1 500 \xff\r\nX-Bidi: \u202e<b>\r\nX-Bytes: \xff\xfe\r\nContent-Length: " + strconv.Itoa(len(body)) + "\r\n\r\n" + body
	r := start(t, dispatch.Options{Timeout: patience})
	r.hook("http://" + raw(t, say(answer)))
	id := r.ingest(1)[0]
	r.next()
	got := r.attempts(id)[0]
	check(t, got, webhook.FailStatus, "500 Internal Server Error")
	if string(got.ResponseBody) != body {
		t.Errorf("got body %q, want %q", got.ResponseBody, body)
	}
	if bidi, bytes := got.ResponseHeaders.Get("X-Bidi"), got.ResponseHeaders.Get("X-Bytes"); bidi != "\u202e<b>" || bytes != "\ufffd\ufffd" {
		t.Errorf("got headers %q, %q", bidi, bytes)
	}
}
