package handlers_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
)

// listen serves the application on a port of its own and returns its address.
func listen(t testing.TB, app *fiber.App) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error)
	go func() { ended <- app.Listener(accepting(l)) }()
	t.Cleanup(func() {
		if err := app.Shutdown(); err != nil {
			t.Error(err)
		}
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return "http://" + l.Addr().String()
}

// live sends a request over a real connection.
func (a *apiSite) live(t testing.TB, app *fiber.App, r *http.Request) (*http.Response, []byte) {
	t.Helper()
	base, ok := a.bases[app]
	if !ok {
		base = listen(a.t, app)
		a.bases[app] = base
	}
	sent, err := http.NewRequestWithContext(t.Context(), r.Method, base+r.URL.RequestURI(), r.Body)
	if err != nil {
		t.Fatal(err)
	}
	sent.Header, sent.ContentLength, sent.Host = r.Header, r.ContentLength, r.Host
	response, err := http.DefaultClient.Do(sent)
	if err != nil {
		t.Fatalf("%s %s: the client gets no answer: %v", r.Method, r.URL, err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatalf("%s %s: the client gets half an answer: %v", r.Method, r.URL, err)
	}
	holdToVendor(t, r, response, text)
	return response, text
}

// TestTooLarge sends 5 MB, and wants that a client which writes them all, and
// reads only then, gets the answer.
func TestTooLarge(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	body := `{"type":"cancelled","data":"` + strings.Repeat("x", 5<<20) + `"}`
	for _, length := range []int64{int64(len(body)), -1} { // -1: in chunks
		r := a.request("POST", "/api/v1/events", body)
		r.ContentLength = length
		response, text := a.live(t, a.app, r)
		if response.StatusCode != http.StatusRequestEntityTooLarge || !bytes.Contains(text, []byte("4 MiB")) ||
			response.Header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("length %d: got %d %s, want 413 and the limit", length, response.StatusCode, text)
		}
	}
	conn, err := net.Dial("tcp", strings.TrimPrefix(a.bases[a.app], "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	r := a.request("POST", "/api/v1/events", body)
	if err := r.Write(conn); err != nil {
		t.Fatalf("the client cannot send it all: %v", err)
	}
	answer, err := io.ReadAll(conn)
	if err != nil || !bytes.HasPrefix(answer, []byte("HTTP/1.1 413")) {
		t.Fatalf("got %.100s, %v, want 413", answer, err)
	}
}

// TestSlowRequests wants the documented answer where a request does not arrive.
func TestSlowRequests(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	portal := a.reseller(t, a.account.ID)
	app := a.with(t)
	app.Server().ReadTimeout = 50 * time.Millisecond
	address := strings.TrimPrefix(listen(t, app), "http://")
	for path, item := range a.doc.Paths.Map() {
		for method := range item.Operations() {
			r := a.request(method, path, "")
			if strings.HasPrefix(path, prio) {
				r = a.request(method, path, "", as(portal.token))
			}
			conn, err := net.Dial("tcp", address)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			part := "\r\n{"
			if path == "/api/openapi.json" || path == prio+"/webhooks" && method == http.MethodGet { // which read no body
				part = "Accept: "
			}
			if _, err := fmt.Fprintf(conn, "%s %s HTTP/1.1\r\nHost: localhost\r\nAuthorization: %s\r\nContent-Length: 2\r\n%s",
				method, path, r.Header.Get("Authorization"), part); err != nil {
				t.Fatal(err)
			}
			response, err := http.ReadResponse(bufio.NewReader(conn), r)
			if err != nil {
				t.Fatalf("%s %s: %v", method, path, err)
			}
			text, err := io.ReadAll(response.Body)
			if err != nil || response.StatusCode != http.StatusRequestTimeout || !bytes.Contains(text, []byte("30 seconds")) {
				t.Errorf("%s %s: got %d %s, %v, want 408", method, path, response.StatusCode, text, err)
			}
			a.hold(t, r, response, text)
			holdToVendor(t, r, response, text)
		}
	}
}
