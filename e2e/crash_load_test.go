package e2e

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"sync"
	"time"
)

// load posts events as booking systems do and keeps what it was told about them. What got no clear answer is sent
// again, and so is now and then what was accepted: neither may make a second event. Now and then another event comes
// with the id of one that was accepted, and must be refused.
type load struct {
	*crash
	refusal func(reply) // checks an answer that refuses; it need not be safe for concurrent use

	mu      sync.Mutex
	parcels []*parcel
	events  int
	taken   int      // events accepted, for the first time
	refused int      // requests
	unclear int      // requests without an answer
	known   []string // deliveries, for being read and replayed
}

// parcel is an event, or a batch of them, that is posted in one request, once or more often.
type parcel struct {
	events []map[string]any
	once   bool // whatever becomes of it, it is not sent again
	tries  int
	told   []accepted // what was answered first; nil until then
	span              // of what was answered
}

// span is when something was accepted: after the first call, and before the first answer.
type span struct{ called, answered int64 }

func newLoad(c *crash) *load {
	l := &load{crash: c}
	l.refusal = func(r reply) { c.op.t.Errorf("got %d %s, want a success", r.Status, r.Body) }
	return l
}

// while has all of the load on, over some connections, until do has returned.
func (c *crash) while(do func()) {
	stop := make(chan struct{})
	var senders sync.WaitGroup
	for _, one := range []func(*http.Client){
		c.load.one, c.load.one, c.load.one, c.load.one, c.load.one, c.post.one, c.post.one, c.asker.one, c.asker.one, c.replayer.one, c.replayer.one,
	} {
		senders.Go(func() { c.repeat(one, stop) })
	}
	defer senders.Wait() // also when do ends the test
	defer close(stop)
	do()
}

// bursts is mostly no pause.
func bursts(d *dice) time.Duration {
	if d.n(3) > 0 {
		return 0
	}
	return d.millis(0, 160)
}

// repeat does one thing after the other until stop is closed.
func (c *crash) repeat(one func(*http.Client), stop <-chan struct{}) {
	client := &http.Client{Transport: &http.Transport{}, Timeout: patience}
	defer client.CloseIdleConnections()
	for {
		select {
		case <-stop:
			return
		case <-time.After(c.pace(c.dice)):
		}
		one(client)
	}
}

// one posts a parcel.
func (l *load) one(client *http.Client) {
	p := l.pick()
	l.send(client, p)
	l.mu.Lock()
	told := p.told
	l.mu.Unlock()
	switch {
	case told == nil:
	case l.dice.n(8) == 0:
		l.another(client, p)
	case l.dice.n(3) == 0:
		l.look(client, p, told)
	}
}

// another posts another event with the id of one that was accepted.
func (l *load) another(client *http.Client, p *parcel) {
	call := l.history.now()
	other := maps.Clone(p.events[0])
	other["data"] = "other"
	r, err := l.op.try(client, "POST", "/events", other)
	answer, id := eventAnswer{}, other["id"].(string)
	if err == nil {
		answer.status = r.Status
	}
	if err == nil && r.Status < http.StatusBadRequest {
		l.op.t.Errorf("another event with the id of %s: got %d %s, want 409", id, r.Status, r.Body)
	}
	l.history.add(l.history.events, id, eventCall{body: "other"}, answer, call)
}

// look reads an event that was accepted.
func (l *load) look(client *http.Client, p *parcel, told []accepted) {
	n := l.dice.n(len(told))
	call := l.history.now()
	r, err := l.op.try(client, "GET", "/events/"+told[n].ID, nil)
	if err != nil || r.Status >= http.StatusInternalServerError {
		return
	}
	var now accepted
	if err := json.Unmarshal(r.Body, &now); err != nil {
		l.op.t.Errorf("read %s: %v", r.Body, err)
	}
	l.history.add(l.history.events, p.id(n), eventCall{read: true}, eventAnswer{r.Status, now.result()}, call)
}

func (p *parcel) id(n int) string { return p.events[n]["id"].(string) }

// result is the whole answer about an accepted event.
func (a accepted) result() string { return fmt.Sprint(a) }

// pick takes a parcel that was sent before, or makes one.
func (l *load) pick() *parcel {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.parcels) > 0 && l.dice.n(6) == 0 {
		recent := l.parcels[max(0, len(l.parcels)-100):]
		for _, p := range recent {
			if p.told == nil && !p.once {
				return p
			}
		}
		if p := recent[l.dice.n(len(recent))]; !p.once {
			return p
		}
	}
	p := &parcel{once: l.dice.n(4) == 0}
	for range max(1, l.dice.n(10)-4) { // mostly one, at most five
		p.events = append(p.events, l.event())
	}
	l.parcels = append(l.parcels, p)
	return p
}

// event makes one with an id of its own. Some have a booking in common.
func (l *load) event() map[string]any {
	l.events++
	booking := fmt.Sprint("booking-", l.events)
	if l.dice.n(12) == 0 {
		booking = fmt.Sprint("shared-", l.events/250, "-", l.dice.n(5)) // the history of a booking has an end
	}
	return map[string]any{
		"id": fmt.Sprint("event-", l.events), "type": "cancelled", "booking_id": booking,
		"data": map[string]any{"note": fmt.Sprintf("%0*d", l.dice.n(2000), 0)},
	}
}

func (l *load) send(client *http.Client, p *parcel) {
	path, body := "/events", any(p.events[0])
	if len(p.events) > 1 {
		path, body = "/events/batch", map[string]any{"events": p.events}
	}
	call := l.history.now()
	l.mu.Lock()
	p.tries++
	if p.called == 0 {
		p.called = call
	}
	l.mu.Unlock()
	r, err := l.op.try(client, "POST", path, body)
	if err == nil && (r.Status == http.StatusOK || r.Status == http.StatusAccepted) {
		l.bell.ring(anAnswer)
		l.note(p, r, call)
		return
	}
	for i := range p.events {
		answer, returned := eventAnswer{}, int64(never)
		if lost := l.shared && r.Status == http.StatusServiceUnavailable; err == nil && !lost { // a server may have it all the same
			answer.status, returned = r.Status, l.history.now()
		}
		l.history.add(l.history.events, p.id(i), eventCall{body: p.id(i)}, answer, call, returned)
	}
	l.failed(r, err)
}

// failed counts a request that got no answer, or one that refuses.
func (l *load) failed(r reply, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err != nil {
		l.unclear++
		return
	}
	l.refused++
	l.refusal(r)
}

// note compares what was told about a parcel with what was told before.
func (l *load) note(p *parcel, r reply, call int64) {
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
	told, statuses := []accepted{answer.accepted}, []int{r.Status}
	if len(p.events) > 1 {
		told, statuses = nil, nil
		for _, item := range answer.Items {
			told = append(told, item.accepted)
			statuses = append(statuses, map[string]int{"accepted": http.StatusAccepted, "duplicate": http.StatusOK}[item.Status])
		}
	}
	if len(told) != len(p.events) {
		l.op.t.Errorf("%d events were posted, the answer tells of %d: %s", len(p.events), len(told), r.Body)
		return
	}
	for i := range told {
		l.history.add(l.history.events, p.id(i), eventCall{body: p.id(i)}, eventAnswer{statuses[i], told[i].result()}, call)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case p.told != nil && !reflect.DeepEqual(told, p.told):
		l.op.t.Errorf("event %s posted again: got %s, want %+v", p.id(0), r.Body, p.told)
	case p.tries == 1 && slices.Contains(statuses, http.StatusOK):
		l.op.t.Errorf("event %s posted for the first time: got a duplicate: %s", p.id(0), r.Body)
	case p.told == nil:
		p.told, p.answered = told, l.history.now()
		l.taken += len(told)
		for _, a := range told {
			for _, d := range a.Deliveries {
				l.known = append(l.known, d.ID)
			}
		}
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
