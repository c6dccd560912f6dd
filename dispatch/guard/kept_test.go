package guard_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/textproto"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"bookhook/dispatch/guard"
	"bookhook/webhook"
)

const (
	accepted = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
	refused  = "HTTP/1.1 422 No\r\nContent-Length: 2\r\n\r\nno"
)

// listen serves each connection with a function.
func listen(t *testing.T, serve func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for conn, err := l.Accept(); err == nil; conn, err = l.Accept() {
			t.Cleanup(func() { conn.Close() })
			go func() {
				defer conn.Close()
				serve(conn)
			}()
		}
	}()
	return "http://" + l.Addr().String()
}

func newTransport(t *testing.T) *guard.Transport {
	t.Helper()
	transport := guard.NewTransport(guard.TransportOptions{Guard: mustGuard(t, "127.0.0.0/8"), Connect: 5 * time.Second, MaxRead: 1 << 20})
	t.Cleanup(transport.CloseIdleConnections)
	return transport
}

// get makes a request on a kept connection and returns the status.
func get(t *testing.T, transport *guard.Transport, url string, account webhook.AccountID) (int, error) {
	t.Helper()
	request, err := guard.NewRequest(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, _, err := transport.SendKept(request, account)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	_, err = io.Copy(io.Discard, response.Body)
	return response.StatusCode, err
}

// A second answer in the packet of the first is never that of the next request.
func TestSecondAnswerIsDropped(t *testing.T) {
	var connections atomic.Int64
	url := listen(t, func(c net.Conn) {
		connections.Add(1)
		in := bufio.NewReader(c)
		for {
			request, err := http.ReadRequest(in)
			if err != nil {
				return
			}
			answer := refused
			if request.URL.Path == "/accept" {
				answer = accepted + accepted
			}
			_, _ = io.WriteString(c, answer)
		}
	})
	transport := newTransport(t)
	var wrong, failed atomic.Int64
	var senders sync.WaitGroup
	for range 32 {
		senders.Go(func() {
			for range 200 {
				if status, err := get(t, transport, url+"/accept", 1); err != nil || status != http.StatusOK {
					failed.Add(1)
				}
				status, err := get(t, transport, url+"/refuse", 1)
				if err != nil {
					failed.Add(1)
				} else if status != http.StatusUnprocessableEntity {
					wrong.Add(1)
				}
			}
		})
	}
	senders.Wait()
	if wrong.Load() > 0 || failed.Load() > 0 {
		t.Errorf("got %d wrong answers and %d failures of 12,800 requests on %d connections", wrong.Load(), failed.Load(), connections.Load())
	}
}

// A GET has neither a body nor a header that announces one.
func TestGetHasNoBody(t *testing.T) {
	t.Parallel()
	heads := make(chan string, 2)
	url := listen(t, func(c net.Conn) {
		in := textproto.NewReader(bufio.NewReader(c))
		for {
			line, err := in.ReadLine()
			header, _ := in.ReadMIMEHeader()
			if err != nil {
				return
			}
			delete(header, "Host")
			heads <- fmt.Sprint(line, header)
			_, _ = io.WriteString(c, accepted)
		}
	})
	transport := newTransport(t)
	for range 2 {
		if _, err := get(t, transport, url+"/in?a=1", 1); err != nil {
			t.Fatal(err)
		}
		if got, want := <-heads, "GET /in?a=1 HTTP/1.1map[User-Agent:[Go-http-client/1.1]]"; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}
