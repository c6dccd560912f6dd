package dispatch_test

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"regexp"
	"runtime"
	"strconv"
	"sync"
	"testing"
	"time"

	"bookhook/dispatch"
	"bookhook/webhook"
)

func ordered(w *webhook.Webhook) { w.Ordered = true }

// ofBooking is an event that says in its data of which booking it is.
func ofBooking(booking string) webhook.Event {
	e := events(1)[0]
	e.BookingID, e.Data = booking, fmt.Appendf(nil, `{"of":%q}`, booking)
	return e
}

var booking = regexp.MustCompile(`"of":"(\w+)"`)

// readBooking is the booking and the sequence of a request.
func readBooking(r *http.Request) (of string, sequence webhook.EventID) {
	body, _ := io.ReadAll(r.Body)
	n, _ := strconv.ParseInt(r.Header.Get("Bookhook-Sequence"), 10, 64)
	if found := booking.FindSubmatch(body); found != nil {
		of = string(found[1])
	}
	return of, webhook.EventID(n)
}

// flakyReceiver is a receiver that fails at random, and watches the order.
type flakyReceiver struct {
	testing.TB
	mu        sync.Mutex
	inFlight  map[string]int
	latest    map[string]webhook.EventID // that was called
	delivered map[string][]webhook.EventID
}

func (f *flakyReceiver) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	of, sequence := readBooking(r)
	f.mu.Lock()
	if f.inFlight[of]++; f.inFlight[of] > 1 {
		f.Errorf("booking %s has %d requests at once", of, f.inFlight[of])
	}
	if sequence < f.latest[of] {
		f.Errorf("booking %s: got %d after %d", of, sequence, f.latest[of])
	}
	f.latest[of] = sequence
	f.mu.Unlock()
	dice := rand.IntN(100)
	if dice%3 == 0 { // slow
		for range 500 {
			runtime.Gosched()
		}
	}
	f.mu.Lock()
	f.inFlight[of]--
	if dice >= 33 {
		f.delivered[of] = append(f.delivered[of], sequence)
	}
	f.mu.Unlock()
	switch {
	case dice < 8:
		panic(http.ErrAbortHandler) // breaks the connection
	case dice < 33:
		w.WriteHeader(http.StatusInternalServerError)
	}
}

func TestOrderOfABooking(t *testing.T) {
	t.Parallel()
	const writers, batches, batch, bookings = 4, 10, 10, 20
	f := &flakyReceiver{TB: t, inFlight: map[string]int{}, latest: map[string]webhook.EventID{}, delivered: map[string][]webhook.EventID{}}
	r := start(t, dispatch.Options{Schedule: quick})
	w := r.hook(receiver(t, f.ServeHTTP).URL, ordered, concurrency(16))
	var work sync.WaitGroup
	for range writers {
		work.Go(func() {
			for range batches {
				list := make([]webhook.Event, batch)
				for i := range list {
					list[i] = ofBooking(strconv.Itoa(rand.IntN(bookings)))
				}
				if _, err := r.Ingest(t.Context(), r.account.ID, list); err != nil {
					t.Error(err)
				}
				if rand.IntN(4) == 0 {
					r.touch(w) // nothing of it, but all is read again
				}
			}
		})
	}
	ended := map[webhook.State]int{}
	for left := writers * batches * batch; left > 0; {
		if got := r.next(); got.State != webhook.Pending {
			ended[got.State]++
			left--
		}
	}
	work.Wait()
	r.stop()
	for of, sequences := range f.delivered {
		for i := 1; i < len(sequences); i++ {
			if sequences[i] <= sequences[i-1] {
				t.Errorf("booking %s: delivered %d after %d", of, sequences[i], sequences[i-1])
			}
		}
	}
	r.mustBeIdle(w)
	t.Logf("%v", ended)
}

// mustBeIdle checks that nothing waits for the webhook, or is held.
func (r *rig) mustBeIdle(w *webhook.Webhook) {
	r.Helper()
	if b, err := r.store.Backlog(r.Context(), r.account.ID, w.ID); err != nil || b.Waiting > 0 {
		r.Errorf("got %+v, %v, want nothing left", b, err)
	}
	due, err := r.store.Due(r.Context(), webhook.AllShards)
	if err != nil {
		r.Fatal(err)
	}
	for _, d := range due { // a circuit may be left
		if !d.At.IsZero() || !d.Bulk.IsZero() {
			r.Errorf("got %v due, want nothing", d)
		}
	}
}

// TestOneBookingDoesNotBlockAnother: one fails and waits for days; all others
// are delivered by the one request at a time that is left.
func TestOneBookingDoesNotBlockAnother(t *testing.T) {
	t.Parallel()
	server := receiver(t, func(w http.ResponseWriter, r *http.Request) {
		if of, _ := readBooking(r); of == "bad" {
			w.WriteHeader(http.StatusInternalServerError)
		}
	})
	r := start(t, dispatch.Options{Schedule: []time.Duration{0, 1000 * time.Hour}})
	r.hook(server.URL, ordered, concurrency(1))
	var list []webhook.Event
	for i := range 50 {
		list = append(list, ofBooking("bad"), ofBooking(strconv.Itoa(i%10)))
	}
	accepted, err := r.Ingest(t.Context(), r.account.ID, list)
	if err != nil {
		t.Fatal(err)
	}
	bad := accepted[0].Decisions[0].Delivery
	for range 51 {
		if got := r.next(); (got.State == webhook.Pending) != (got.Delivery == bad) {
			t.Errorf("got %s of %d, want all delivered but %d", got.State, got.Delivery, bad)
		}
	}
	if d := r.delivery(accepted[2].Decisions[0].Delivery); !d.Held {
		t.Errorf("got %+v, want the next of the booking held", d)
	}
	// The next of a booking that is given up goes out at once.
	if err := r.store.Cancel(t.Context(), r.account.ID, bad, webhook.Change{By: "me", At: time.Now()}); err != nil {
		t.Fatal(err)
	}
	if got := r.next(); got.Delivery != accepted[2].Decisions[0].Delivery {
		t.Errorf("got %d, want the second of the booking", got.Delivery)
	}
}

// TestOrderSwitchedOffReleases: more is held than one claim takes, while the
// first is on its way.
func TestOrderSwitchedOffReleases(t *testing.T) {
	t.Parallel()
	g := newGate(t)
	r := start(t, dispatch.Options{})
	w := r.hook(g.URL, ordered)
	list := make([]webhook.Event, 100)
	for i := range list {
		list[i] = ofBooking("one")
	}
	if _, err := r.Ingest(t.Context(), r.account.ID, list); err != nil {
		t.Fatal(err)
	}
	receive(t, g.arrived)
	w.Ordered = false
	r.save(w)
	for range webhook.DefaultConcurrency - 1 {
		receive(t, g.arrived)
	}
	g.open()
	for range list {
		if got := r.next(); got.State != webhook.Delivered {
			t.Errorf("got %s, want delivered", got.State)
		}
	}
	r.mustBeIdle(w)
}

// TestSequenceOfWhatIsSentLater: an event that a webhook got long after a later one of
// its booking is the older one.
func TestSequenceOfWhatIsSentLater(t *testing.T) {
	t.Parallel()
	got := make(chan webhook.EventID, 2)
	r := start(t, dispatch.Options{})
	w := r.hook(receiver(t, func(_ http.ResponseWriter, q *http.Request) {
		_, sequence := readBooking(q)
		got <- sequence
	}).URL, ordered)
	must(r.store.SetEnabled(t.Context(), w.Account, w.ID, false, byTest()))(t)
	skipped, err := r.Ingest(t.Context(), r.account.ID, []webhook.Event{ofBooking("one")})
	if err != nil {
		t.Fatal(err)
	}
	must(r.store.SetEnabled(t.Context(), w.Account, w.ID, true, byTest()))(t)
	if _, err := r.Ingest(t.Context(), r.account.ID, []webhook.Event{ofBooking("one")}); err != nil {
		t.Fatal(err)
	}
	later := receive(t, got)
	r.next()
	if _, err := r.Send(t.Context(), r.account.ID, skipped[0].Event.ID, w.ID, byTest()); err != nil {
		t.Fatal(err)
	}
	if older := receive(t, got); older >= later || older != skipped[0].Event.ID {
		t.Errorf("got %d for the older event, want its id %d, which is below %d", older, skipped[0].Event.ID, later)
	}
}
