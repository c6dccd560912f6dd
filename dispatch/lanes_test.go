package dispatch

import (
	"math/rand/v2"
	"testing"
	"time"

	"bookhook/webhook"
)

// flight is a job that was started.
type flight struct {
	lane *lane
	job  *webhook.Job
}

// book is lanes whose jobs a test ends by hand.
type book struct {
	*lanes
	flights []flight
}

func newBook(limit int) *book {
	b := &book{}
	b.lanes = newLanes(limit, func(l *lane, job *webhook.Job) { b.flights = append(b.flights, flight{l, job}) })
	b.admit(nil)
	return b
}

// end ends the i-th job in flight.
func (b *book) end(i int) {
	f := b.flights[i]
	b.flights = append(b.flights[:i], b.flights[i+1:]...)
	b.landed(f.lane)
	b.done(f.job)
}

func jobs(w *webhook.Webhook, n int) []webhook.Job {
	list := make([]webhook.Job, n)
	for i := range list {
		list[i] = webhook.Job{Webhook: w, Event: webhook.Event{Data: make([]byte, 100)}}
	}
	return list
}

// ingest takes places for n events and lets the first of them become jobs.
func (b *book) ingest(w *webhook.Webhook, n, become int) (taken int) {
	r := &reservation{lanes: b.lanes}
	for range n {
		if r.take(w) {
			taken++
		}
	}
	a := webhook.Accepted{Jobs: jobs(w, min(taken, become))}
	if taken < n {
		a.Waiting = []webhook.ID{w.ID}
	}
	r.settle([]webhook.Accepted{a}, time.Now())
	return taken
}

func (b *book) mustBeEmpty(t *testing.T) {
	t.Helper()
	if len(b.byID) != 0 || b.held != 0 || b.bytes != 0 || b.flying != 0 || b.working != 0 || b.claims != 0 || len(b.ready) != 0 || len(b.due.lanes) != 0 {
		t.Errorf("something is left: %d lanes, held %d, %d bytes, flying %d, working %d, claims %d, ready %d, due %d",
			len(b.byID), b.held, b.bytes, b.flying, b.working, b.claims, len(b.ready), len(b.due.lanes))
	}
}

func TestLaneIsBounded(t *testing.T) {
	b := newBook(1000)
	w := &webhook.Webhook{ID: 1, Concurrency: 4}
	if got := b.ingest(w, 100, 100); got != 12 {
		t.Errorf("got %d places, want 12", got)
	}
	if got := len(b.flights); got != 4 {
		t.Errorf("got %d in flight, want 4", got)
	}
	if got := b.ingest(w, 1, 1); got != 0 {
		t.Error("got a place while older ones wait in the table")
	}
	if claims, _ := b.turn(time.Now()); len(claims) != 0 {
		t.Error("got a claim for a full lane")
	}
	for range 4 {
		b.end(0)
	}
	claims, _ := b.turn(time.Now())
	if len(claims) != 1 || claims[0].n != 4 {
		t.Fatalf("got %+v, want a claim of 4", claims)
	}
	b.claimed(claims[0], nil, time.Time{}, time.Now())
	for len(b.flights) > 0 {
		b.end(0)
	}
	b.mustBeEmpty(t)
}

func TestTurnsAreTaken(t *testing.T) {
	b := newBook(2)
	first, second := &webhook.Webhook{ID: 1, Concurrency: 2}, &webhook.Webhook{ID: 2, Concurrency: 2}
	b.ingest(first, 4, 4)
	b.ingest(second, 4, 4)
	var order []webhook.ID
	for len(b.flights) > 0 {
		order = append(order, b.flights[0].lane.id)
		b.end(0)
	}
	// Two of the first were in flight when the second came.
	want := []webhook.ID{1, 1, 2, 1, 2, 1, 2, 2}
	for i := range want {
		if i >= len(order) || order[i] != want[i] {
			t.Fatalf("got %v, want %v", order, want)
		}
	}
	b.mustBeEmpty(t)
}

func TestMemoryIsBoundedByBytes(t *testing.T) {
	b := newBook(1000)
	w := &webhook.Webhook{ID: 1, Concurrency: 200}
	big := make([]byte, maxBytes/10+1)
	r := &reservation{lanes: b.lanes}
	list := jobs(w, 10)
	for i := range list {
		list[i].Event.Data = big
		r.take(w)
	}
	r.settle([]webhook.Accepted{{Jobs: list}}, time.Now())
	b.mark(2, time.Now())
	if claims, _ := b.turn(time.Now()); len(claims) != 0 || b.ingest(&webhook.Webhook{ID: 3, Concurrency: 1}, 1, 1) != 0 {
		t.Fatal("got more than memory allows")
	}
	<-b.wake
	b.end(0)
	select {
	case <-b.wake:
	default:
		t.Error("the loop sleeps although there is memory again")
	}
	if claims, _ := b.turn(time.Now()); len(claims) != 2 {
		t.Errorf("got %d claims, want 2", len(claims))
	}
}

func TestStaleJobsAreGivenBack(t *testing.T) {
	b := newBook(100)
	w := &webhook.Webhook{ID: 1, Concurrency: 1}
	r := &reservation{lanes: b.lanes}
	r.take(w)
	b.reread(w.ID)
	if got := len(r.settle([]webhook.Accepted{{Jobs: jobs(w, 1)}}, time.Now())); got != 1 {
		t.Errorf("got %d stale jobs of an ingest, want 1", got)
	}
	if r.take(w) {
		t.Error("got a place after the end")
	}
	b.mark(w.ID, time.Now())
	claims, _ := b.turn(time.Now())
	b.reread(w.ID)
	if got := len(b.claimed(claims[0], jobs(w, 1), time.Time{}, time.Now())); got != 1 {
		t.Errorf("got %d stale jobs of a claim, want 1", got)
	}
	b.ingest(w, 3, 3)
	if got := len(b.reread(w.ID)); got != 2 {
		t.Errorf("got %d queued jobs, want 2", got)
	}
	b.end(0)
	b.mustBeEmpty(t)
}

func TestStoreThatContradictsItselfIsAskedLater(t *testing.T) {
	b := newBook(100)
	now := time.Now()
	b.mark(1, now)
	claims, _ := b.turn(now)
	b.claimed(claims[0], nil, now, now) // due, but nothing there
	if claims, next := b.turn(now); len(claims) != 0 || !next.Equal(now.Add(storePause)) {
		t.Errorf("got %d claims, next at %s, want none before %s", len(claims), next, now.Add(storePause))
	}
}

// Whatever happens in whatever order, the bounds hold and the books balance.
func TestBooksBalance(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		b := newBook(5)
		var claims []claim
		for range 200 {
			w := &webhook.Webhook{ID: webhook.ID(random.IntN(6)), Concurrency: 1 + random.IntN(4)}
			switch random.IntN(6) {
			case 0:
				b.ingest(w, random.IntN(6), random.IntN(6))
			case 1:
				more, _ := b.turn(time.Now())
				claims = append(claims, more...)
			case 2:
				b.mark(w.ID, time.Now())
			case 3:
				b.reread(w.ID)
			case 4:
				if len(b.flights) > 0 {
					b.end(random.IntN(len(b.flights)))
				}
			case 5:
				if len(claims) > 0 {
					b.claimed(claims[0], jobs(&webhook.Webhook{ID: claims[0].lane.id, Concurrency: w.Concurrency}, random.IntN(claims[0].n+1)), time.Time{}, time.Now())
					claims = claims[1:]
				}
			}
			if len(b.flights) > 5 || b.flying != len(b.flights) || b.claims != len(claims) || b.claims > maxClaims {
				t.Fatalf("flying %d (%d), claims %d (%d)", b.flying, len(b.flights), b.claims, len(claims))
			}
		}
		for len(b.flights)+len(claims)+len(b.due.lanes) > 0 {
			more, _ := b.turn(time.Now())
			for _, c := range append(claims, more...) {
				b.claimed(c, nil, time.Time{}, time.Now())
			}
			claims = nil
			for len(b.flights) > 0 {
				b.end(0)
			}
		}
		b.mustBeEmpty(t)
	}
}

func TestPanicIsAnOutcome(t *testing.T) {
	d := New(Options{})
	a := d.sender.send(t.Context(), &webhook.Job{Delivery: webhook.Delivery{Attempts: 1}}) // without a webhook
	if a.Failure != webhook.FailInternal || a.Error == "" || a.Number != 1 || a.cut {
		t.Errorf("got %+v, want an internal failure", a)
	}
}

// TestUnsavedHoldsClaims: while an answer is not recorded its delivery looks
// due at the end of its lease, and a claim would send it again. The store fails
// after the request has landed, when its lane may be forgotten.
func TestUnsavedHoldsClaims(t *testing.T) {
	b := newBook(10)
	w := &webhook.Webhook{ID: 1, Concurrency: 2}
	b.ingest(w, 1, 1)
	b.end(0)
	b.mustBeEmpty(t)
	b.unsaved(w.ID, 1)
	b.mark(w.ID, time.Now())
	if claims, _ := b.turn(time.Now()); len(claims) != 0 {
		t.Error("got a claim while an answer is not recorded")
	}
	b.ingest(&webhook.Webhook{ID: 1, Concurrency: 2}, 1, 1)
	b.unsaved(w.ID, -1)
	if len(b.byID) != 1 {
		t.Errorf("got %d lanes, want the one that has something to do", len(b.byID))
	}
	claims, _ := b.turn(time.Now())
	if len(claims) != 1 {
		t.Fatalf("got %d claims, want 1", len(claims))
	}
	b.claimed(claims[0], nil, time.Time{}, time.Now())
	for len(b.flights) > 0 {
		b.end(0)
	}
	b.mustBeEmpty(t)
}
