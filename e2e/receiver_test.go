package e2e

import (
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"
)

// request is one request as it came in.
type request struct {
	Method string
	URL    string // as in the request line: path and query, byte for byte
	Header http.Header
	Body   []byte
}

// inbox is a receiver: the server behind a webhook's URL. It records every request and answers 200 until told
// otherwise.
type inbox struct {
	URL string

	requests chan request
	ended    chan struct{} // closed when the test ends

	mu     sync.Mutex
	answer http.HandlerFunc
}

// receiver starts a receiver that lives until the test ends.
func receiver(t testing.TB) *inbox {
	t.Helper()
	in := &inbox{requests: make(chan request, 10_000), ended: make(chan struct{})}
	in.answers(http.StatusOK)
	srv := httptest.NewServer(http.HandlerFunc(in.receive))
	in.URL = srv.URL
	t.Cleanup(func() {
		close(in.ended) // lets go of answers that hang, or Close would wait for them
		srv.CloseClientConnections()
		srv.Close()
	})
	return in
}

func (in *inbox) receive(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // cut off while it was sent: the receiver never had it
	}
	in.mu.Lock()
	answer := in.answer
	in.mu.Unlock()
	in.requests <- request{r.Method, r.RequestURI, r.Header, body} // before the answer, so that a test can act between
	answer(w, r)
}

// answerWith sets what answers from now on. The request's body has been read already.
func (in *inbox) answerWith(answer http.HandlerFunc) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.answer = answer
}

// answers answers with these statuses in turn; the last one stays.
func (in *inbox) answers(statuses ...int) {
	var mu sync.Mutex
	in.answerWith(func(w http.ResponseWriter, _ *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		w.WriteHeader(statuses[0])
		if len(statuses) > 1 {
			statuses = statuses[1:]
		}
	})
}

// hangs takes requests and does not answer them, until the sender gives up or the test ends.
func (in *inbox) hangs() {
	in.answerWith(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-r.Context().Done():
		case <-in.ended:
		}
	})
}

// next waits for the next request that has not been taken yet.
func (in *inbox) next(t testing.TB) request {
	t.Helper()
	select {
	case r := <-in.requests:
		return r
	case <-time.After(patience):
		t.Fatalf("the receiver got no request within %s", patience)
		panic("unreachable")
	}
}

// waiting is how many requests have come and were not taken with next.
func (in *inbox) waiting() int { return len(in.requests) }
