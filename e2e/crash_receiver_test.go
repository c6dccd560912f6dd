package e2e

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"sync"
	"time"
)

// manner is how a receiver treats one request.
type manner struct {
	status     int // 0: it breaks the connection instead of answering
	retryAfter string
	pause      time.Duration // before that
	reset      bool          // it breaks with a reset, not in order
	loop       bool          // it says that the event came back, which ends the delivery
	body       string        // of JSON
}

// sight is one request as a receiver saw it.
type sight struct {
	number         int   // of the attempt, as the request says
	status         int   // that was answered; 0: none
	came, answered int64 // by the clock of the history
}

// sink is a receiver that keeps of each delivery what it saw. It writes that down before it answers: whatever Bookhook
// heard, the sink knows of.
type sink struct {
	hook target
	rung string // of the bell
	c    *crash

	mu     sync.Mutex
	manner func() manner
	saw    map[string][]sight // by webhook-id, which is the delivery's
}

// newSink makes a receiver and a webhook for it; with says what is different, in the words of the API.
func (c *crash) newSink(name string, m func() manner, with map[string]any) *sink {
	t := c.op.t
	t.Helper()
	s := &sink{c: c, rung: aDelivery, manner: m, saw: map[string][]sight{}}
	srv := httptest.NewServer(http.HandlerFunc(s.receive))
	t.Cleanup(func() {
		srv.CloseClientConnections()
		srv.Close()
	})
	s.hook = c.op.webhook(name, srv.URL, with)
	return s
}

func (s *sink) receive(w http.ResponseWriter, r *http.Request) {
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		return // cut off while it was sent
	}
	came := s.c.history.now()
	s.c.bell.ring(s.rung)
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
	seen := sight{number, m.status, came, s.c.history.now()}
	s.mu.Lock()
	s.saw[id] = append(s.saw[id], seen)
	s.mu.Unlock()
	s.c.history.taken(id, seen)
	m.answer(w)
}

func (m manner) answer(w http.ResponseWriter) {
	if m.status == 0 {
		hangUp(w, m.reset)
		return
	}
	if m.retryAfter != "" {
		w.Header().Set("Retry-After", m.retryAfter)
	}
	if m.loop {
		w.Header().Set("bookhook-loop", "true")
	}
	if m.body != "" {
		w.Header().Set("Content-Type", "application/json")
	}
	w.WriteHeader(m.status)
	_, _ = io.WriteString(w, m.body) // whether it arrives, the log says
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
func (d *dice) wild() manner {
	all := []manner{
		{status: http.StatusOK},
		{status: http.StatusNoContent, pause: d.millis(0, 300)},
		{status: http.StatusInternalServerError},
		{status: http.StatusServiceUnavailable, retryAfter: "0"},
		{status: http.StatusServiceUnavailable, retryAfter: "1"},
		{status: http.StatusInternalServerError, pause: d.millis(0, 300)},
		{status: http.StatusLoopDetected, loop: true},
		{reset: true},
		{},
	}
	return all[d.n(len(all))]
}

// gate answers questions as receivers do: yes, no, late, or not at all.
func (d *dice) gate() manner {
	all := []manner{
		{status: http.StatusOK},
		{status: http.StatusOK, body: `{"text":"Held for 15 minutes","tickets":[{"value":"00123"}]}`},
		{status: http.StatusOK, pause: d.millis(0, 300)},
		{status: http.StatusConflict, body: `{"text":"Sold out"}`},
		{status: http.StatusInternalServerError, pause: d.millis(0, 100)},
		{reset: true},
	}
	return all[d.n(len(all))]
}
