package dispatch_test

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

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

// closing is a receiver that closes a connection when it has read the second request
// on it. It counts the requests that it read, by the attempt number in each.
type closing struct {
	requests chan *http.Request
	status   int // of its answers
	end      func(net.Conn)
}

func (c *closing) serve(conn net.Conn) {
	in := bufio.NewReader(conn)
	for n := 1; ; n++ {
		request, err := http.ReadRequest(in)
		if err != nil {
			return
		}
		_, _ = io.Copy(io.Discard, request.Body)
		c.requests <- request
		if n == 2 {
			c.end(conn)
			return
		}
		_, _ = fmt.Fprintf(conn, "HTTP/1.1 %d X\r\nContent-Length: 0\r\n\r\n", c.status)
	}
}

// server is a raw server that gets its connections before anything is read.
func server(t *testing.T, serve func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for conn, err := l.Accept(); err == nil; conn, err = l.Accept() {
			t.Cleanup(func() { conn.Close() })
			go serve(conn)
		}
	}()
	return l.Addr().String()
}

// A receiver may close a kept connection at any time. Whether it got the request is
// not known, so that is an attempt of its own; but no failure of the receiver, and
// the next one follows at once on a new connection.
func TestClosedConnectionIsAnAttemptOfItsOwn(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(net.Conn){"closed": func(c net.Conn) { c.Close() }, "reset": reset, "half closed": shut} {
		for _, format := range []webhook.Format{webhook.Standard, webhook.Native} { // a POST, and a GET
			t.Run(name+" "+string(format), func(t *testing.T) {
				t.Parallel()
				c := &closing{requests: make(chan *http.Request, 100), status: 200, end: end}
				r := start(t, dispatch.Options{})
				w := r.hook("http://"+server(t, c.serve), func(w *webhook.Webhook) { w.Format = format })
				r.ingest(1)
				r.next()
				receive(t, c.requests)
				for range 3 {
					r.mustBeSentTwice(t, c)
				}
				stored, err := r.store.Webhook(t.Context(), r.account.ID, w.ID)
				if err != nil || !stored.Health.FailingSince.IsZero() || r.circuit(w).Failures != 0 {
					t.Errorf("got %+v and circuit %+v, want a healthy webhook", stored.Health, r.circuit(w))
				}
			})
		}
	}
}

// mustBeSentTwice delivers an event to a receiver that closes the connection and
// accepts the second attempt.
func (r *rig) mustBeSentTwice(t *testing.T, c *closing) {
	t.Helper()
	began := time.Now()
	id := r.ingest(1)[0]
	if got := r.next(); got.State != webhook.Pending || !got.Again {
		t.Fatalf("got %s, want an attempt that is followed by another", got.State)
	}
	if got := r.next(); got.State != webhook.Delivered || got.Attempt.Number != 2 || time.Since(began) > 4*time.Second {
		t.Fatalf("got %s at attempt %d after %s, want delivered at once", got.State, got.Attempt.Number, time.Since(began))
	}
	d, attempts := r.delivery(id), r.attempts(id)
	if len(attempts) != 2 || d.Attempts != 2 || d.Completed != 2 || d.Base != 1 {
		t.Fatalf("got %+v and %d attempts, want two, of which the schedule counts one", d, len(attempts))
	}
	first := attempts[0]
	if first.Failure != webhook.FailNetwork || first.Error.Code != "attempt.kept_closed" || first.Status != 0 || first.RemoteAddr == "" {
		t.Errorf("got %+v, want that the kept connection was closed", first)
	}
	for _, a := range attempts {
		seen := receive(t, c.requests)
		if got := seen.Header.Get("Bookhook-Attempt"); got != strconv.Itoa(a.Number) || a.RequestHeaders.Get("Bookhook-Attempt") != got {
			t.Errorf("the receiver got attempt %s, the log shows %s, want %d", got, a.RequestHeaders.Get("Bookhook-Attempt"), a.Number)
		}
		if fresh := seen.Header.Get("Connection") == "close"; fresh != (a.Number == 2) {
			t.Errorf("attempt %d: connection %q", a.Number, seen.Header.Get("Connection"))
		}
	}
	r.keepAgain(t, c)
}

// keepAgain makes a delivery after which there is a kept connection again.
func (r *rig) keepAgain(t *testing.T, c *closing) {
	t.Helper()
	r.ingest(1)
	if got := r.next(); got.State != webhook.Delivered {
		t.Fatalf("got %s, want delivered", got.State)
	}
	receive(t, c.requests)
}

// Whatever a receiver does with kept connections, each request that it read is in
// the log, under its own number.
func TestEveryRequestIsInTheLog(t *testing.T) {
	t.Parallel()
	for _, format := range []webhook.Format{webhook.Standard, webhook.Native} {
		t.Run(string(format), func(t *testing.T) {
			t.Parallel()
			const n = 300
			c := &closing{requests: make(chan *http.Request, 10*n), status: 200, end: func(c net.Conn) { c.Close() }}
			r := start(t, dispatch.Options{})
			r.hook("http://"+server(t, c.serve), concurrency(32), func(w *webhook.Webhook) { w.Format = format })
			ids := r.ingest(n)
			for delivered := 0; delivered < n; {
				if r.next().State == webhook.Delivered {
					delivered++
				}
			}
			r.stop()
			logged, seen := map[string]int{}, map[string]int{}
			for _, id := range ids {
				for _, a := range r.attempts(id) {
					logged[fmt.Sprint(id, " ", a.Number)]++
				}
			}
			for range len(c.requests) {
				request := <-c.requests
				seen[request.Header.Get("Webhook-Id")+" "+request.Header.Get("Bookhook-Attempt")]++
			}
			if len(logged) == n {
				t.Error("no kept connection was closed: the test shows nothing")
			}
			if !maps.Equal(logged, seen) {
				t.Errorf("the receiver got %d requests, the log shows %d, want the same ones", len(seen), len(logged))
			}
		})
	}
}

// The retry schedule goes on as if the attempt whose connection was closed had not
// been made.
func TestClosedConnectionTakesNoPlaceInTheSchedule(t *testing.T) {
	t.Parallel()
	c := &closing{requests: make(chan *http.Request, 100), status: 503, end: func(c net.Conn) { c.Close() }}
	r := start(t, dispatch.Options{})
	r.hook("http://" + server(t, c.serve))
	r.ingest(1)
	r.next() // it leaves a kept connection
	id := r.ingest(1)[0]
	for again := range 2 {
		got := r.next()
		for got.Delivery != id {
			got = r.next()
		}
		if got.Again != (again == 0) {
			t.Fatalf("got %+v as result %d", got, again)
		}
	}
	d := r.delivery(id)
	if pause := time.Until(d.NextAt); d.Attempts != 2 || d.Base != 1 || pause < 3*time.Second || pause > 6*time.Second {
		t.Errorf("got %+v, next in %s, want the pause after a first attempt", d, pause)
	}
}

// An inline call is one request, always on a new connection.
func TestInlineCallIsNeverRepeated(t *testing.T) {
	t.Parallel()
	var connections, requests atomic.Int32
	address := server(t, func(c net.Conn) {
		connections.Add(1)
		in := bufio.NewReader(c)
		for {
			request, err := http.ReadRequest(in)
			if err != nil {
				return
			}
			_, _ = io.Copy(io.Discard, request.Body)
			if requests.Add(1) > 1 {
				c.Close()
				return
			}
			_, _ = io.WriteString(c, ok200+"Content-Length: 0\r\n\r\n")
		}
	})
	r := start(t, dispatch.Options{})
	r.hook("http://"+address, inline)
	for n := int32(1); n <= 4; n++ {
		r.callInline(temporary(strconv.Itoa(int(n))))
		r.next()
		if connections.Load() != n || requests.Load() != n {
			t.Errorf("got %d connections and %d requests after %d calls", connections.Load(), requests.Load(), n)
		}
	}
}
