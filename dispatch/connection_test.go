package dispatch_test

import (
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"bookhook/dispatch"
	"bookhook/webhook"
)

func TestConnectionIsUsedAgain(t *testing.T) {
	t.Parallel()
	peers := make(chan string, 10)
	server := receiver(t, func(w http.ResponseWriter, r *http.Request) {
		peers <- r.RemoteAddr
		_, _ = io.WriteString(w, strings.Repeat("x", 100<<10))
	})
	r := start(t, dispatch.Options{})
	r.hook(server.URL)
	first := ""
	for range 3 {
		r.ingest(1)
		r.next()
		peer := receive(t, peers)
		if first != "" && peer != first {
			t.Errorf("got a new connection from %s, want that from %s again", peer, first)
		}
		first = peer
	}
}

// A receiver may close a kept connection at any time; that is not its failure.
func TestClosedConnectionCostsNoAttempt(t *testing.T) {
	t.Parallel()
	const fine = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
	r := start(t, dispatch.Options{})
	r.hook("http://" + raw(t, func(c net.Conn) {
		_, _ = io.WriteString(c, fine)
		_, _ = c.Read(make([]byte, 4096)) // the second request
		c.Close()
	}))
	for range 2 {
		id := r.ingest(1)[0]
		if got := r.next(); got.State != webhook.Delivered || got.Delivery != id || got.Attempt.Number != 1 {
			t.Errorf("got %s, %s, want delivered at the first attempt", got.State, got.Attempt.Error)
		}
	}
}
