package guard

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"bookhook/webhook"
)

// TestConnections: however many receivers are called at once, no more connections
// are open than allowed, and idle ones make room.
func TestConnections(t *testing.T) {
	t.Parallel()
	const limit, receivers = 3, 12
	var mu sync.Mutex
	open, fewer := map[net.Conn]bool{}, make(chan struct{}, 1000)
	var servers []*httptest.Server
	for range receivers {
		s := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
		s.Config.ConnState = func(c net.Conn, state http.ConnState) {
			mu.Lock()
			defer mu.Unlock()
			if open[c] = true; state == http.StateClosed {
				delete(open, c)
				fewer <- struct{}{}
			}
		}
		s.Start()
		t.Cleanup(s.Close)
		servers = append(servers, s)
	}
	allowed, err := New("127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	var transport *Transport
	connections := NewConnections(limit, func() { transport.CloseIdleConnections() })
	transport = NewTransport(TransportOptions{Guard: allowed, Connect: 10 * time.Second, MaxRead: 1 << 20, Connections: connections})
	t.Cleanup(transport.CloseIdleConnections)
	for range 3 {
		for i, s := range servers { // each leaves an idle connection
			response, _, err := transport.SendKept(httptest.NewRequest(http.MethodGet, s.URL, nil), webhook.AccountID(i))
			if err != nil {
				t.Fatal(err)
			}
			response.Body.Close()
			if response, err = transport.RoundTrip(httptest.NewRequest(http.MethodGet, s.URL, nil)); err != nil {
				t.Fatal(err)
			}
			response.Body.Close()
		}
	}
	for { // receivers learn of the end a little later
		mu.Lock()
		n := len(open)
		mu.Unlock()
		if n <= limit {
			return
		}
		select {
		case <-fewer:
		case <-time.After(20 * time.Second):
			t.Fatalf("got %d connections at once, want at most %d", n, limit)
		}
	}
}

// TestNoPlace: an error says why who waits too long gets none, and a failed dial keeps no place.
func TestNoPlace(t *testing.T) {
	t.Parallel()
	c := NewConnections(1, func() {})
	refused := errors.New("refused")
	fail := func(context.Context) (net.Conn, error) { return nil, refused }
	for range 2 {
		if _, err := c.dial(t.Context(), time.Minute, fail); !errors.Is(err, refused) {
			t.Fatalf("got %v, want it refused", err)
		}
	}
	here, there := net.Pipe()
	defer there.Close()
	conn, err := c.dial(t.Context(), time.Minute, func(context.Context) (net.Conn, error) { return here, nil })
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.dial(t.Context(), time.Millisecond, fail); !errors.Is(err, ErrNoPlace) {
		t.Errorf("got %v, want no place", err)
	}
	conn.Close()
	conn.Close() // leaves one place only
	if _, err := c.dial(t.Context(), time.Minute, fail); !errors.Is(err, refused) {
		t.Errorf("got %v, want a place", err)
	}
}
