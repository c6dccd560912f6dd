package guard_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"bookhook/dispatch/guard"
)

// A connection is used again only if nothing of the response can be left on it.
func TestWhichConnectionsAreKept(t *testing.T) {
	t.Parallel()
	const head = "HTTP/1.1 200 OK\r\n"
	for name, c := range map[string]struct {
		answer string
		close  bool // the receiver closes after it
		body   string
		kept   bool
	}{
		"empty":             {answer: head + "Content-Length: 0\r\n\r\n", kept: true},
		"no content":        {answer: "HTTP/1.1 204 No Content\r\n\r\n", kept: true},
		"length":            {answer: head + "Content-Length: 2\r\n\r\nok", body: "ok", kept: true},
		"chunks":            {answer: head + "Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", body: "ok", kept: true},
		"trailer":           {answer: head + "Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-A: 1\r\n\r\n", body: "ok", kept: true},
		"early hints":       {answer: "HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n" + head + "Content-Length: 2\r\n\r\nok", body: "ok", kept: true},
		"asked to close":    {answer: head + "Connection: close\r\nContent-Length: 2\r\n\r\nok", body: "ok"},
		"HTTP/1.0":          {answer: "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", body: "ok"},
		"until it closes":   {answer: head + "\r\nok", close: true, body: "ok"},
		"a byte more":       {answer: head + "Content-Length: 2\r\n\r\nokx", body: "ok"},
		"an answer more":    {answer: strings.Repeat(head+"Content-Length: 0\r\n\r\n", 2)},
		"another protocol":  {answer: "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n"},
		"closed afterwards": {answer: head + "Content-Length: 2\r\n\r\nok", close: true, body: "ok"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var connections atomic.Int64
			url := listen(t, func(conn net.Conn) {
				connections.Add(1)
				in := bufio.NewReader(conn)
				for {
					if _, err := http.ReadRequest(in); err != nil {
						return
					}
					if _, _ = io.WriteString(conn, c.answer); c.close {
						return
					}
				}
			})
			transport, want := newTransport(t), int64(1)
			for range 3 {
				request, err := guard.NewRequest(t.Context(), http.MethodGet, url, nil)
				if err != nil {
					t.Fatal(err)
				}
				response, wire, err := transport.SendKept(request, 1)
				if err != nil && wire.KeptClosed() { // it was closed a moment later
					continue
				}
				if err != nil {
					t.Fatal(err)
				}
				got, err := io.ReadAll(response.Body)
				if err != nil || string(got) != c.body {
					t.Errorf("got %q, %v, want %q", got, err, c.body)
				}
				response.Body.Close()
			}
			if !c.kept {
				want = 3
			}
			if got := connections.Load(); got != want && (c.kept || got < 2) {
				t.Errorf("got %d connections, want %d", got, want)
			}
		})
	}
}

// A body that is not read to its end closes the connection.
func TestUnreadBodyClosesTheConnection(t *testing.T) {
	t.Parallel()
	ended := make(chan struct{})
	url := listen(t, func(conn net.Conn) {
		_, _ = http.ReadRequest(bufio.NewReader(conn))
		_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n01234")
		_, _ = io.Copy(io.Discard, conn)
		close(ended)
	})
	request, err := guard.NewRequest(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, _, err := newTransport(t).SendKept(request, 1)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if _, err := response.Body.Read(make([]byte, 1)); !errors.Is(err, http.ErrBodyReadAfterClose) {
		t.Errorf("got %v after Close, want that it is closed", err)
	}
	select {
	case <-ended:
	case <-time.After(10 * time.Second):
		t.Error("got the connection still open after 10 seconds")
	}
}

// A receiver may answer before it has read the body, and never read it.
func TestAnswerBeforeTheBodyIsRead(t *testing.T) {
	t.Parallel()
	var connections atomic.Int64
	url := listen(t, func(conn net.Conn) {
		connections.Add(1)
		_, _ = bufio.NewReader(conn).ReadString('\n')
		_, _ = io.WriteString(conn, "HTTP/1.1 413 Content Too Large\r\nContent-Length: 2\r\n\r\nno")
		<-t.Context().Done()
	})
	transport := newTransport(t)
	for range 2 {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		request, err := guard.NewRequest(ctx, http.MethodPost, url, make([]byte, 32<<20))
		if err != nil {
			t.Fatal(err)
		}
		response, _, err := transport.SendKept(request, 1)
		if err != nil {
			t.Fatal(err)
		}
		if body, err := io.ReadAll(response.Body); response.StatusCode != http.StatusRequestEntityTooLarge || string(body) != "no" || err != nil {
			t.Errorf("got %d, %q, %v", response.StatusCode, body, err)
		}
	}
	if got := connections.Load(); got != 2 {
		t.Errorf("got %d connections, want 2: the rest of a body is on the first", got)
	}
}

// The end of the context ends a request, whatever it is doing.
func TestContextEndsARequest(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]string{"no answer": "", "half a line": "HTTP/1.1 2", "half a body": "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			written := make(chan struct{})
			url := listen(t, func(conn net.Conn) {
				_, _ = http.ReadRequest(bufio.NewReader(conn))
				_, _ = io.WriteString(conn, answer)
				close(written)
				_, _ = io.Copy(io.Discard, conn)
			})
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			request, err := guard.NewRequest(ctx, http.MethodGet, url, nil)
			if err != nil {
				t.Fatal(err)
			}
			go func() {
				<-written
				cancel()
			}()
			response, _, err := newTransport(t).SendKept(request, 1)
			if err == nil {
				_, err = io.ReadAll(response.Body)
				response.Body.Close()
			}
			if !errors.Is(err, context.Canceled) {
				t.Errorf("got %v, want that it was cancelled", err)
			}
		})
	}
}

// A header with control characters is not sent.
func TestControlCharactersInHeaders(t *testing.T) {
	t.Parallel()
	url := listen(t, func(conn net.Conn) { _, _ = io.WriteString(conn, accepted) })
	for _, value := range []string{"a\x00b", "a\x7fb", "a\r\nX-B: c"} {
		request, err := guard.NewRequest(t.Context(), http.MethodGet, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("X-A", value)
		if response, wire, err := newTransport(t).SendKept(request, 1); err == nil || wire.Header() != nil {
			t.Errorf("%q: got %v, %v, want it refused", value, response, wire.Header())
		}
	}
}
