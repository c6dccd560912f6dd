package handlers_test

import (
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// post is a request with these fields.
func post(fields string) string { return "POST /login HTTP/1.1\r\nHost: h\r\n" + fields + "\r\n" }

// chunked is a request with this body.
func chunked(body string) string { return post("Transfer-Encoding: chunked\r\n") + body }

// lenient are requests that some servers take, and good ones.
var lenient = []struct {
	name, text string
	want       string // the statuses of it and, if the connection stays open, of a request after it
}{
	{"length and coding", post("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n") + "0\r\n\r\n", "400"},
	{"coding and length", post("Transfer-Encoding: chunked\r\nContent-Length: 3\r\n") + "0\r\n\r\n", "400"},
	{"two lengths", post("Content-Length: 3\r\nContent-Length: 3\r\n") + "a=b", "400"},
	{"a list of lengths", post("Content-Length: 3, 3\r\n") + "a=b", "400"},
	{"a length with a sign", post("Content-Length: +3\r\n") + "a=b", "400"},
	{"a length below zero", post("Content-Length: -3\r\n") + "a=b", "400"},
	{"a length in hex", post("Content-Length: 0x3\r\n") + "a=b", "400"},
	{"no length", post("Content-Length:\r\n") + "a=b", "400"},
	{"a length beyond numbers", post("Content-Length: 99999999999999999999\r\n") + "a=b", "400"},
	{"two hosts", post("Host: h\r\n"), "400"},
	{"a list of hosts", "GET /login HTTP/1.1\r\nHost: a,b\r\n\r\n", "400"},
	{"no host", "GET /login HTTP/1.1\r\n\r\n", "400"},
	{"an empty host", "GET /login HTTP/1.1\r\nHost:\r\n\r\n", "400"},
	{"a host with a user", "GET /login HTTP/1.1\r\nHost: a@h\r\n\r\n", "400"},
	{"a host with a path", "GET /login HTTP/1.1\r\nHost: h/x\r\n\r\n", "400"},
	{"a host with markup", "GET /login HTTP/1.1\r\nHost: a<b>\r\n\r\n", "400"},
	{"a host with a space", "GET /login HTTP/1.1\r\nHost: h h\r\n\r\n", "400"},
	{"no coding", post("Transfer-Encoding: identity\r\n"), "400"},
	{"another coding", post("Transfer-Encoding: gzip, chunked\r\n") + "0\r\n\r\n", "400"},
	{"an unknown coding", post("Transfer-Encoding: xchunked\r\n") + "0\r\n\r\n", "400"},
	{"an empty coding", post("Transfer-Encoding:\r\n") + "0\r\n\r\n", "400"},
	{"two codings", post("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n") + "0\r\n\r\n", "400"},
	{"a coding before HTTP/1.1", "POST /login HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "400"},
	{"NUL in a field", post("X: a\x00b\r\n"), "400"},
	{"a control character in a field", post("X: a\x01b\r\n"), "400"},
	{"DEL in a field", post("X: a\x7fb\r\n"), "400"},
	{"CR in a field", post("X: a\rb\r\n"), "400"},
	{"a control character in a name", post("X\x01: a\r\n"), "400"},
	{"a space before the colon", post("X : a\r\n"), "400"},
	{"a space in a name", post("X Y: a\r\n"), "400"},
	{"a separator in a name", post("X(Y: a\r\n"), "400"},
	{"no name", post(": a\r\n"), "400"},
	{"no colon", post("nothing\r\n"), "400"},
	{"a folded field", post("X: a\r\n b\r\n"), "400"},
	{"a folded first field", "GET /login HTTP/1.1\r\n Host: h\r\n\r\n", "400"},
	{"LF alone", post("X: a\nY: b\r\n"), "400"},
	{"LF alone everywhere", "GET /login HTTP/1.1\nHost: h\n\n", "400"},
	{"a control character in the address", "GET /login?\x01 HTTP/1.1\r\nHost: h\r\n\r\n", "400"},
	{"a space in the address", "GET /log in HTTP/1.1\r\nHost: h\r\n\r\n", "400"},
	{"an address without a slash", "GET login HTTP/1.1\r\nHost: h\r\n\r\n", "400"},
	{"a control character in an address of a platform", "POST /in/tourcms/x?a=\t HTTP/1.1\r\nHost: h\r\n\r\n", "400"},
	{"no version", "GET /login\r\n\r\n", "400"},
	{"a version to come", "GET /login HTTP/1.2\r\nHost: h\r\n\r\n", "505"},
	{"HTTP/2 without its preface", "GET /login HTTP/2.0\r\nHost: h\r\n\r\n", "505"},
	{"no method of HTTP", "BREW /login HTTP/1.1\r\nHost: h\r\n\r\n", "400"},
	{"no method of HTTP, with a body", "BREW /login HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\na=b", "400"},
	{"a method in small letters", "get /login HTTP/1.1\r\nHost: h\r\n\r\n", "400"},
	{"the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "400"},
	{"a chunk in hex with a prefix", chunked("0x3\r\na=b\r\n0\r\n\r\n"), "400"},
	{"a chunk below zero", chunked("-1\r\na=b\r\n0\r\n\r\n"), "400"},
	{"a chunk without a size", chunked("\r\na=b\r\n0\r\n\r\n"), "400"},
	{"a chunk of a size beyond numbers", chunked("fffffffffffffffff\r\na=b\r\n0\r\n\r\n"), "400"},
	{"a chunk after LF alone", chunked("3\na=b\r\n0\r\n\r\n"), "400"},
	{"a chunk before LF alone", chunked("3\r\na=b\n0\r\n\r\n"), "400"},
	{"a chunk without an end", chunked("3\r\na=b0\r\n\r\n"), "400"},
	{"LF in the extension of a chunk", chunked("3;a\nb\r\na=b\r\n0\r\n\r\n"), "400"},
	{"a length behind the chunks", chunked("3\r\na=b\r\n0\r\nContent-Length: 3\r\n\r\n"), "400"},

	{"a good form", post("Content-Length: 3\r\n") + "a=b", "422 200"},
	{"a good form in chunks", chunked("1\r\na\r\n2;x=y\r\n=b\r\n0\r\nX: y\r\n\r\n"), "422 200"},
	{"HTTP/1.0 without a host", "GET /login HTTP/1.0\r\n\r\n", "200"},
	{"a host with a port", "GET /login HTTP/1.1\r\nHost: [2001:db8::1]:8080\r\n\r\n", "200 200"},
	{"a body that nobody wants", "GET /healthz HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\na=b", "200 200"},
}

// TestLenientHTTP: what servers on the way may read differently is refused, and
// nothing after it on the connection is read as a request.
func TestLenientHTTP(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for _, c := range lenient {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := statuses(t, s.url, c.text+"GET /healthz HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// statuses sends a text and returns the statuses of all responses until the server
// closes the connection.
func statuses(t testing.TB, url, text string) string {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, text); err != nil {
		t.Fatal(err)
	}
	if err := conn.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(conn)
	if err != nil {
		t.Errorf("the connection was not closed in order: %v", err)
	}
	var all []string
	for part := range strings.SplitSeq(string(answer), "HTTP/1.1 ") {
		if len(part) >= 3 {
			all = append(all, part[:3])
		}
	}
	return strings.Join(all, " ")
}

// A method that HTTP does not have is refused like what cannot be read, in the form of
// the API, whose description has it.
func TestUnknownMethods(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	for _, path := range []string{"/login", "/api/v1/events", prio + "/webhooks", "/in/tourcms/x"} {
		response, text := a.live(t, a.app, a.request("BREW", path, `{"a":1}`))
		if response.StatusCode != http.StatusBadRequest || response.Header.Get("Content-Type") != "application/problem+json" || !response.Close ||
			!strings.Contains(string(text), `"Bad Request"`) {
			t.Errorf("%s: got %d %v %s", path, response.StatusCode, response.Header, text)
		}
	}
}
