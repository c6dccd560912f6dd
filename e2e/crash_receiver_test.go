package e2e

import (
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"
)

// manner is how a receiver treats one request.
type manner struct {
	status     int // 0: it breaks the connection instead of answering
	retryAfter string
	pause      time.Duration // before that
	reset      bool          // it breaks with a reset, not in order
}

// sight is one request as a receiver saw it.
type sight struct {
	number int // of the attempt, as the request says
	status int // that was answered; 0: none
}

// sink is a receiver that keeps of each delivery what it saw. It writes that down before it answers: whatever Bookhook
// heard, the sink knows of.
type sink struct {
	hook target

	mu     sync.Mutex
	manner func() manner
	saw    map[string][]sight // by webhook-id, which is the delivery's
}

// newSink makes a receiver and a webhook for it.
func newSink(t testing.TB, op *shop, name string, m func() manner) *sink {
	t.Helper()
	s := &sink{manner: m, saw: map[string][]sight{}}
	srv := httptest.NewServer(http.HandlerFunc(s.receive))
	t.Cleanup(func() {
		srv.CloseClientConnections()
		srv.Close()
	})
	s.hook = op.webhook(name, srv.URL, map[string]any{"concurrency": 32})
	return s
}

func (s *sink) receive(w http.ResponseWriter, r *http.Request) {
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		return // cut off while it was sent
	}
	s.mu.Lock()
	m := s.manner()
	s.mu.Unlock()
	if m.pause > 0 {
		select {
		case <-time.After(m.pause):
		case <-r.Context().Done(): // the sender is gone
			m = manner{}
		}
	}
	number, _ := strconv.Atoi(r.Header.Get("bookhook-attempt"))
	id := r.Header.Get("webhook-id")
	s.mu.Lock()
	s.saw[id] = append(s.saw[id], sight{number, m.status})
	s.mu.Unlock()
	if m.status == 0 {
		hangUp(w, m.reset)
		return
	}
	if m.retryAfter != "" {
		w.Header().Set("Retry-After", m.retryAfter)
	}
	w.WriteHeader(m.status)
}

func hangUp(w http.ResponseWriter, reset bool) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		return // gone already
	}
	if tcp, ok := conn.(*net.TCPConn); ok && reset {
		_ = tcp.SetLinger(0) // else it closes in order, which will do
	}
	conn.Close()
}

// behaves sets the manner from now on.
func (s *sink) behaves(m func() manner) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.manner = m
}

// sights are what it saw of a delivery so far.
func (s *sink) sights(delivery string) []sight {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.saw[delivery])
}

// Manners of receivers.
func well() manner { return manner{status: http.StatusOK} }
func away() manner { return manner{reset: true} }

// wild does at random what receivers do that are in trouble.
func wild() manner {
	all := []manner{
		{status: http.StatusOK},
		{status: http.StatusNoContent, pause: time.Duration(rand.IntN(300)) * time.Millisecond},
		{status: http.StatusInternalServerError},
		{status: http.StatusServiceUnavailable, retryAfter: "0"},
		{status: http.StatusServiceUnavailable, retryAfter: "1"},
		{status: http.StatusInternalServerError, pause: time.Duration(rand.IntN(300)) * time.Millisecond},
		{reset: true},
		{},
	}
	return all[rand.IntN(len(all))]
}
