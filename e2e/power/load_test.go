package power

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// shop is an account with receivers, as the recording begins.
type shop struct {
	t       testing.TB
	folder  string
	token   string
	rng     *rand.Rand // of the test; use pick
	mu      sync.Mutex
	counter int
	events  []map[string]any // posted, for being posted again
	known   []string         // deliveries
	refusal func(status int, body []byte)
	quiet   bool // its events are of a kind that no webhook wants
}

func (s *shop) refuse(status int, body []byte) {
	s.t.Errorf("got %d %s, want 200 to 202", status, body)
}

// newShop makes a database with an account and its webhooks, without recording it, and leaves it closed.
func newShop(t testing.TB, seed uint64) *shop {
	t.Helper()
	s := &shop{t: t, folder: t.TempDir(), rng: rand.New(rand.NewPCG(seed, 2))}
	s.refusal = s.refuse
	database := filepath.Join(s.folder, "bookhook.db")
	plain := startPlain(t, database)
	s.command(database, "account", "add", "Tallinn & Tartu Tours", "--number", "4069")
	s.token = s.command(database, "token", "add", "--account", "4069", "Booking system")
	s.receivers(plain.url)
	plain.stop(t)
	return s
}

func (s *shop) hook(name, url string) map[string]any {
	return map[string]any{"name": name, "url": url, "type": "async", "format": "standard", "events": []string{"cancelled"}, "concurrency": 16}
}

func (s *shop) command(database string, args ...string) string {
	s.t.Helper()
	cmd := exec.CommandContext(s.t.Context(), honestBinary, append(args, "--database", database)...)
	cmd.Env = environ()
	out, err := cmd.Output()
	if err != nil {
		s.t.Fatalf("bookhook %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

// Manners of receivers: the status that they answer, 0 to break the connection.
func (s *shop) well() int { return http.StatusOK }
func (s *shop) away() int { return []int{0, 0, http.StatusOK}[s.pick(3)] }
func (s *shop) wild() int {
	return []int{http.StatusOK, http.StatusNoContent, http.StatusServiceUnavailable, http.StatusInternalServerError, 0}[s.pick(5)]
}

// newSink starts a receiver that answers as told.
func newSink(t testing.TB, manner func() int) (url string) {
	sink := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { receive(w, r, manner()) }))
	sink.Config.ErrorLog = log.New(io.Discard, "", 0)
	t.Cleanup(func() {
		sink.CloseClientConnections()
		sink.Close()
	})
	return sink.URL
}

func receive(w http.ResponseWriter, r *http.Request, status int) {
	_, _ = io.Copy(io.Discard, r.Body)
	if status == 0 {
		panic(http.ErrAbortHandler) // breaks the connection
	}
	if status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "0") // again at once
	}
	w.WriteHeader(status)
}

// pick is a random number below n.
func (s *shop) pick(n int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.rng.IntN(n)
}

// load has some clients call the API until it has made about n calls, or the process is gone.
func (s *shop) load(url string, n int) {
	var clients sync.WaitGroup
	for range 4 {
		clients.Go(func() {
			for range n / 4 {
				if !s.one(url) {
					return
				}
			}
		})
	}
	clients.Wait()
}

// again posts what was posted last once more, as clients do that got no answer.
func (s *shop) again(url string) {
	s.mu.Lock()
	last := slices.Clone(s.events[max(0, len(s.events)-8):])
	s.mu.Unlock()
	for _, e := range last {
		s.call(url, "POST", "/events", e)
	}
}

// one makes a call; false: there was no answer.
func (s *shop) one(url string) bool {
	var status int
	var body []byte
	switch s.pick(12) {
	case 0:
		status, body = s.call(url, "POST", "/events/batch", map[string]any{"events": []any{s.event(), s.event(), s.event()}})
	case 1:
		status, body = s.call(url, "POST", "/events", s.old())
	case 2:
		status, body = s.call(url, "POST", "/deliveries/"+s.delivery()+"/replay", nil)
		if status == http.StatusConflict || status == http.StatusNotFound {
			return true // it is on its way
		}
	case 3:
		status, body = s.call(url, "GET", "/deliveries/"+s.delivery(), nil)
	default:
		status, body = s.call(url, "POST", "/events", s.event())
	}
	switch {
	case status == 0:
		return false
	case status > http.StatusAccepted && status != http.StatusNotFound:
		s.refusal(status, body)
	}
	var answer accepted
	if json.Unmarshal(body, &answer) == nil {
		s.mu.Lock()
		for _, d := range answer.Deliveries {
			s.known = append(s.known, d.ID)
		}
		s.mu.Unlock()
	}
	return true
}

// event makes a new one. Some have a booking in common.
func (s *shop) event() map[string]any {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counter++
	booking := fmt.Sprint("booking-", s.counter)
	if s.rng.IntN(8) == 0 {
		booking = fmt.Sprint("shared-", s.rng.IntN(4))
	}
	kind := "cancelled"
	if s.quiet {
		kind = "new_confirmed_web"
	}
	e := map[string]any{
		"id": fmt.Sprint("event-", s.counter), "type": kind, "booking_id": booking,
		"data": map[string]any{"note": strings.Repeat("x", s.rng.IntN(6000))},
	}
	s.events = append(s.events, e)
	return e
}

// old is an event that was posted before, mostly a recent one.
func (s *shop) old() map[string]any {
	if s.pick(2) == 0 {
		s.event()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.events) == 0 {
		return map[string]any{"id": "event-0", "type": "cancelled", "booking_id": "booking-0"}
	}
	return s.events[len(s.events)-1-s.rng.IntN(min(len(s.events), 10))]
}

func (s *shop) delivery() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.known) == 0 {
		return "dlv_0"
	}
	return s.known[s.rng.IntN(len(s.known))]
}

var caller = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 8, DisableCompression: true}, Timeout: patience}

// call calls the API; status 0: there was no answer.
func (s *shop) call(url, method, path string, body any) (status int, answer []byte) {
	var text []byte
	if body != nil {
		text, _ = json.Marshal(body) // maps of texts
	}
	request, err := http.NewRequest(method, url+"/api/v1"+path, bytes.NewReader(text))
	if err != nil {
		s.t.Error(err)
		return 0, nil
	}
	request.Header.Set("Authorization", "Bearer "+s.token)
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := caller.Do(request)
	if err != nil {
		return 0, nil
	}
	defer response.Body.Close()
	if answer, err = io.ReadAll(response.Body); err != nil {
		return 0, nil
	}
	return response.StatusCode, answer
}

const patience = 30 * time.Second

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
