package handlers_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"bookhook/auth"
	"bookhook/static"
	"bookhook/webhook"
)

// wire is a client that sees what is on the wire: it decodes nothing.
type wire struct {
	*browser
	token string
}

type wired struct {
	*http.Response
	body []byte
}

func newWire(t *testing.T) *wire {
	t.Helper()
	s := newSite(t)
	text, hash := auth.NewToken()
	_, err := s.store.AddToken(t.Context(), webhook.Token{Account: s.account.ID, Name: "till", CreatedAt: time.Now()}, hash, change())
	s.check(err)
	w := &wire{s.signIn(anna), text}
	w.client.Transport = &http.Transport{DisableCompression: true}
	t.Cleanup(w.client.CloseIdleConnections)
	return w
}

// send sends a request with these header lines ("Name: value").
func (w *wire) send(method, path, body string, header ...string) wired {
	w.Helper()
	request := w.request(method, path, body)
	if strings.HasPrefix(path, "/api/") {
		request.Header.Set("Authorization", "Bearer "+w.token)
		request.Header.Set("Content-Type", "application/json")
	}
	for _, line := range header {
		name, value, _ := strings.Cut(line, ": ")
		request.Header.Add(name, value)
	}
	response, err := w.client.Do(request)
	w.check(err)
	defer response.Body.Close()
	got, err := io.ReadAll(response.Body)
	w.check(err)
	return wired{response, got}
}

// decoded returns the body of a response, which must be compressed and smaller.
func (r wired) decoded(t *testing.T) []byte {
	t.Helper()
	if got := r.Header.Get("Content-Encoding"); got != "gzip" {
		t.Fatalf("%s: got the encoding %q, want gzip", r.Request.URL, got)
	}
	reader, err := gzip.NewReader(bytes.NewReader(r.body))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(reader)
	if err != nil || len(text) <= len(r.body) {
		t.Fatalf("%s: got %d bytes of %d (%v)", r.Request.URL, len(r.body), len(text), err)
	}
	return text
}

func (r wired) isPlain(t *testing.T) {
	t.Helper()
	if got := r.Header.Values("Content-Encoding"); len(got) > 0 {
		t.Errorf("%s %s: got the encoding %q, want none", r.Request.Method, r.Request.URL, got)
	}
}

func TestPagesAndListsAreCompressed(t *testing.T) {
	t.Parallel()
	w := newWire(t)
	event := webhook.Event{BookingID: "1", Data: []byte(`{"seats":"` + strings.Repeat("A1, ", 500) + `"}`)}
	accepted := w.leave(slices.Repeat([]webhook.Event{event}, 10)...) // before there are webhooks: no page says how long they wait
	for i := range 10 {
		w.hook(fmt.Sprintf("https://example.com/%d", i))
	}
	for path, status := range map[string]int{
		"/webhooks": 200, "/nothing": 404, "/webhooks/whk_0": 404, "/settings/platforms": 200, "/deliveries?since=x": 422,
		"/api/v1/webhooks": 200, "/api/v1/events": 200, "/api/v1/events/" + accepted[0].Event.ID.String(): 200, "/api/openapi.json": 200,
		static.Path("app.css"): 200, static.Path("app.js"): 200,
	} {
		plain := w.send("GET", path, "")
		plain.isPlain(t)
		zipped := w.send("GET", path, "", "Accept-Encoding: gzip, deflate, br, zstd")
		if plain.StatusCode != status || zipped.StatusCode != status || !bytes.Equal(zipped.decoded(t), plain.body) {
			t.Errorf("%s: got %d plain, %d compressed, want both %d and the same bytes\n%s", path, plain.StatusCode, zipped.StatusCode, status, plain.body)
		}
		for _, r := range []wired{plain, zipped} {
			if got := r.Header.Get("Vary"); got != "Accept-Encoding" {
				t.Errorf("%s: got Vary %q", path, got)
			}
			if got := r.Header.Get("Content-Length"); got != strconv.Itoa(len(r.body)) {
				t.Errorf("%s: got Content-Length %s, want %d", path, got, len(r.body))
			}
		}
		head := w.send("HEAD", path, "", "Accept-Encoding: gzip, deflate, br, zstd")
		for _, r := range []wired{head, zipped} {
			r.Header.Del("Date")
			r.Header.Del("X-Request-Id")
		}
		if len(head.body) > 0 || fmt.Sprint(head.Header) != fmt.Sprint(zipped.Header) {
			t.Errorf("HEAD %s: got %d bytes and %v, want the header of GET: %v", path, len(head.body), head.Header, zipped.Header)
		}
	}
	// Nothing here has parts or versions to ask for.
	part := w.send("GET", static.Path("app.css"), "", "Accept-Encoding: gzip", "Range: bytes=0-99", `If-None-Match: "x"`, "If-None-Match: *")
	if part.StatusCode != http.StatusOK || len(part.decoded(t)) < 1000 || part.Header.Get("Etag") != "" {
		t.Errorf("a part: got %d %v, want all of it", part.StatusCode, part.Header)
	}
}

func TestCompressionIsNegotiated(t *testing.T) {
	t.Parallel()
	w := newWire(t)
	for _, c := range []struct {
		accept []string
		want   bool
	}{
		{nil, false},
		{[]string{""}, false},
		{[]string{"gzip"}, true},
		{[]string{"GZip"}, true},
		{[]string{"br,gzip"}, true},
		{[]string{"br;q=1.0, gzip ; q=0.2"}, true},
		{[]string{"gzip;Q=0.001"}, true},
		{[]string{"br", "deflate, gzip"}, true},
		{[]string{"*"}, true},
		{[]string{"gzip;q=0"}, false},
		{[]string{"gzip;q=0.000, *"}, false},
		{[]string{"*;q=0"}, false},
		{[]string{"*;q=0, gzip;q=0.1"}, true},
		{[]string{"br, deflate, zstd"}, false},
		{[]string{"x-gzipped"}, false},
		{[]string{"identity, gzip;q=0.5"}, false},
		{[]string{"identity;q=0.5, gzip"}, true},
		{[]string{"identity;q=0.5, gzip;q=0.5"}, true},
		{[]string{"identity"}, false},
		{[]string{"gzip;q=much"}, false},
		{[]string{";;;,,=,q="}, false},
	} {
		var header []string
		for _, value := range c.accept {
			header = append(header, "Accept-Encoding: "+value)
		}
		r := w.send("GET", "/webhooks", "", header...)
		if got := r.Header.Get("Content-Encoding") == "gzip"; got != c.want {
			t.Errorf("%q: got compressed %t, want %t", c.accept, got, c.want)
		}
	}
}

// A page that another site made the browser request is sent as it is: its size says
// nothing about a secret in it.
func TestNotCompressedForOtherSites(t *testing.T) {
	t.Parallel()
	w := newWire(t)
	for site, want := range map[string]bool{"none": true, "same-origin": true, "same-site": false, "cross-site": false} {
		r := w.send("GET", "/settings/platforms", "", "Accept-Encoding: gzip", "Sec-Fetch-Site: "+site)
		if got := r.Header.Get("Content-Encoding") == "gzip"; got != want || r.StatusCode != http.StatusOK {
			t.Errorf("%s: got %d, compressed %t, want %t", site, r.StatusCode, got, want)
		}
	}
}

// What comes in goes the short way, and what is small stays as it is.
func TestNotCompressed(t *testing.T) {
	t.Parallel()
	w := newWire(t)
	event := `{"type":"cancelled","booking_id":"1"}`
	for _, c := range []struct{ method, path, body string }{
		{"POST", "/api/v1/events", event},
		{"POST", "/api/v1/events/batch", `{"events":[` + strings.Join(slices.Repeat([]string{event}, 100), ",") + `]}`},
		{"GET", "/api/v1/webhooks", ""},
		{"GET", "/healthz", ""},
		{"GET", "/webhooks/new", ""},
		{"GET", static.Path("favicon.svg"), ""},
	} {
		r := w.send(c.method, c.path, c.body, "Accept-Encoding: gzip")
		r.isPlain(t)
		if c.method == "GET" && len(r.body) >= 1024 || r.StatusCode >= 400 || r.Header.Get("Vary") != "" {
			t.Errorf("%s %s: got %d with %d bytes, Vary %q", c.method, c.path, r.StatusCode, len(r.body), r.Header.Get("Vary"))
		}
	}
}
