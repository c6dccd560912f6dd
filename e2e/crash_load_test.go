package e2e

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"reflect"
	"sync"
	"time"
)

// load posts events as booking systems do and keeps what it was told about them. What got no clear answer is sent
// again, and so is now and then what was accepted: neither may make a second event.
type load struct {
	op      *shop
	refusal func(reply) // checks an answer that is neither 200 nor 202; it need not be safe for concurrent use

	mu      sync.Mutex
	parcels []*parcel
	events  int
	taken   int // events accepted, for the first time
	refused int // requests
	unclear int // requests without an answer
}

// parcel is an event, or a batch of them, that is posted in one request, once or more often.
type parcel struct {
	events []map[string]any
	once   bool // whatever becomes of it, it is not sent again
	tries  int
	told   []accepted // what was answered first; nil until then
}

func newLoad(op *shop) *load {
	l := &load{op: op}
	l.refusal = func(r reply) { op.t.Errorf("got %d %s, want 200 or 202", r.Status, r.Body) }
	return l
}

// while posts over some connections until do has returned.
func (l *load) while(do func()) {
	stop := make(chan struct{})
	var senders sync.WaitGroup
	for range 5 {
		senders.Go(func() { l.send(stop) })
	}
	defer senders.Wait() // also when do ends the test
	defer close(stop)
	do()
}

// send posts until stop is closed, in bursts.
func (l *load) send(stop <-chan struct{}) {
	client := &http.Client{Transport: &http.Transport{}, Timeout: patience}
	defer client.CloseIdleConnections()
	for {
		pause := time.Duration(0)
		if rand.IntN(3) == 0 {
			pause = time.Duration(rand.IntN(160)) * time.Millisecond
		}
		select {
		case <-stop:
			return
		case <-time.After(pause):
		}
		l.post(client, l.pick())
	}
}

// pick takes a parcel that was sent before, or makes one.
func (l *load) pick() *parcel {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.parcels) > 0 && rand.IntN(6) == 0 {
		recent := l.parcels[max(0, len(l.parcels)-100):]
		for _, p := range recent {
			if p.told == nil && !p.once {
				return p
			}
		}
		if p := recent[rand.IntN(len(recent))]; !p.once {
			return p
		}
	}
	p := &parcel{once: rand.IntN(4) == 0}
	for range max(1, rand.IntN(10)-4) { // mostly one, at most five
		p.events = append(p.events, l.event())
	}
	l.parcels = append(l.parcels, p)
	return p
}

// event makes one with an id of its own. Some have a booking in common.
func (l *load) event() map[string]any {
	l.events++
	booking := fmt.Sprint("booking-", l.events)
	if rand.IntN(12) == 0 {
		booking = fmt.Sprint("shared-", rand.IntN(5))
	}
	return map[string]any{
		"id": fmt.Sprint("event-", l.events), "type": "cancelled", "booking_id": booking,
		"data": map[string]any{"note": fmt.Sprintf("%0*d", rand.IntN(2000), 0)},
	}
}

func (l *load) post(client *http.Client, p *parcel) {
	path, body := "/events", any(p.events[0])
	if len(p.events) > 1 {
		path, body = "/events/batch", map[string]any{"events": p.events}
	}
	l.mu.Lock()
	p.tries++
	l.mu.Unlock()
	r, err := l.op.try(client, "POST", path, body)
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case err != nil:
		l.unclear++
	case r.Status == http.StatusOK || r.Status == http.StatusAccepted:
		l.note(p, r)
	default:
		l.refused++
		l.refusal(r)
	}
}

// note compares what was told about a parcel with what was told before.
func (l *load) note(p *parcel, r reply) {
	var answer struct {
		accepted
		Items []struct {
			accepted
			Status string
		}
	}
	if err := json.Unmarshal(r.Body, &answer); err != nil {
		l.op.t.Errorf("read %s: %v", r.Body, err)
		return
	}
	told, fresh := []accepted{answer.accepted}, r.Status == http.StatusAccepted
	if len(p.events) > 1 {
		told = nil
		for _, item := range answer.Items {
			told = append(told, item.accepted)
			fresh = item.Status == "accepted"
		}
	}
	switch {
	case len(told) != len(p.events):
		l.op.t.Errorf("%d events were posted, the answer tells of %d: %s", len(p.events), len(told), r.Body)
	case p.told != nil && !reflect.DeepEqual(told, p.told):
		l.op.t.Errorf("event %s posted again: got %s, want %+v", p.events[0]["id"], r.Body, p.told)
	case p.tries == 1 && !fresh:
		l.op.t.Errorf("event %s posted for the first time: got a duplicate: %s", p.events[0]["id"], r.Body)
	case p.told == nil:
		p.told = told
		l.taken += len(told)
	}
}

// counts are how many events were accepted and how many requests refused so far.
func (l *load) counts() (taken, refused int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.taken, l.refused
}

// awaitTaken waits until n more events were accepted.
func (l *load) awaitTaken(n int) {
	l.op.t.Helper()
	before, _ := l.counts()
	eventually(l.op.t, fmt.Sprint(n, " more events are accepted"), func() bool {
		taken, _ := l.counts()
		return taken >= before+n
	})
}

// awaitRefused waits until n more requests were refused.
func (l *load) awaitRefused(n int) {
	l.op.t.Helper()
	_, before := l.counts()
	eventually(l.op.t, fmt.Sprint(n, " more requests are refused"), func() bool {
		_, refused := l.counts()
		return refused >= before+n
	})
}
