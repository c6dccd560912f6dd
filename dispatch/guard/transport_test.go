package guard

import (
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"bookhook/webhook"
)

// However many accounts come and go, no more connections are kept than the limit for
// all of them, and nothing is left of them when they have been idle.
func TestKeptConnectionsAreBounded(t *testing.T) {
	var open atomic.Int64
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		switch state {
		case http.StateNew:
			open.Add(1)
		case http.StateClosed:
			open.Add(-1)
		}
	}
	s.Start()
	defer s.Close()
	g, err := New("127.0.0.0/8")
	if err != nil {
		t.Fatal(err)
	}
	transport := NewTransport(TransportOptions{Guard: g, Connect: 5 * time.Second, MaxRead: 1 << 20})
	if got := transport.idle; got.most != maxIdle || got.timeout != idleTimeout {
		t.Errorf("got limits %d and %s", got.most, got.timeout)
	}
	const most = 10
	transport.idle.most, transport.idle.timeout = most, time.Second
	before := runtime.NumGoroutine()
	for account := range 200 {
		request, err := NewRequest(t.Context(), http.MethodPost, s.URL, []byte("{}"))
		if err != nil {
			t.Fatal(err)
		}
		response, _, err := transport.SendKept(request, webhook.AccountID(account+1))
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		waitUntil(t, func() bool { return open.Load() <= most })
	}
	if got := open.Load(); got < 1 || got > most {
		t.Errorf("got %d connections after 200 accounts, want at most %d", got, most)
	}
	waitUntil(t, func() bool { return open.Load() == 0 && runtime.NumGoroutine() <= before })
}

func waitUntil(t *testing.T, done func() bool) {
	t.Helper()
	for began := time.Now(); !done(); time.Sleep(time.Millisecond) {
		if time.Since(began) > 10*time.Second {
			t.Fatal("it did not happen within 10 seconds")
		}
	}
}
