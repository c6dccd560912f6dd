package web

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
)

// wire is a connection over which everything has arrived already.
type wire struct {
	io.Reader
	io.Writer
}

func (wire) Close() error        { return nil }
func (wire) LocalAddr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 80} }

func (wire) RemoteAddr() net.Addr             { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1024} }
func (wire) SetDeadline(time.Time) error      { return nil }
func (wire) SetReadDeadline(time.Time) error  { return nil }
func (wire) SetWriteDeadline(time.Time) error { return nil }

// FuzzRequests wants that the server sees no request in the bytes of a connection that
// another server on the way does not see there: those that it takes are the first ones
// that net/http reads, with the same bodies.
func FuzzRequests(f *testing.F) {
	for _, text := range []string{
		"GET / HTTP/1.1\r\nHost: a\r\n\r\n", "POST /a?b=c HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabcGET /d HTTP/1.1\r\nHost: a\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\nGET /d HTTP/1.0\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /x HTTP/1.1\r\nHost: a\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", "GET / HTTP/1.1\nHost: a\n\n", "GET / HTTP/1.1\r\nHost: a\r\n b: c\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1;x=\"\r\na\r\n0\r\nb: c\r\n\r\n", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\na",
		"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length : 1\r\n\r\na", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\na", "GET http://b/c HTTP/1.1\r\nHost: a\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0x1\r\na\r\n0\r\n\r\n", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\na\n0\n\n",
	} {
		f.Add([]byte(text))
	}
	s, err := NewServer("", "", nil)
	if err != nil {
		f.Fatal(err)
	}
	var taken []string
	app := s.App(Hooks{
		Fail:     func(c *fiber.Ctx, err error) error { return SendProblem(c, AsProblem(err)) },
		Panicked: func(_ *fiber.Ctx, cause any) { panic(cause) },
	})
	app.Use(func(c *fiber.Ctx) error {
		if err := s.TakeBody(c, MaxForm); err != nil {
			return err
		}
		taken = append(taken, fmt.Sprintf("%s %s %q", c.Method(), c.Request().Header.RequestURI(), BodyOf(c)))
		return c.SendStatus(http.StatusNoContent)
	})
	app.Handler()
	f.Fuzz(func(t *testing.T, sent []byte) {
		taken = nil
		var answered bytes.Buffer
		_ = app.Server().ServeConn(wire{bytes.NewReader(sent), &answered}) // it says what ended the connection
		read := requestsIn(sent)
		if len(taken) > len(read) || !slices.Equal(taken, read[:len(taken)]) {
			t.Errorf("took %q, net/http reads %q", taken, read)
		}
		if first, _, _ := strings.Cut(answered.String(), "\r\n"); strings.HasPrefix(first, "HTTP/1.1 5") && !strings.HasPrefix(first, "HTTP/1.1 505") {
			t.Errorf("answered %s", first)
		}
	})
}

// requestsIn are the requests that net/http finds.
func requestsIn(sent []byte) (found []string) {
	for reader := bufio.NewReader(bytes.NewReader(sent)); ; {
		r, err := http.ReadRequest(reader)
		if err != nil {
			return found
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return found
		}
		found = append(found, fmt.Sprintf("%s %s %q", r.Method, r.RequestURI, body))
	}
}
