package dispatch_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"bookhook/dispatch"
	"bookhook/messages"
	"bookhook/webhook"
)

func ofTours(mode webhook.Mode, ids ...string) func(*webhook.Webhook) {
	return func(w *webhook.Webhook) { w.Tours = webhook.NewFilter(mode, ids) }
}

// acceptingURL is a receiver that takes everything.
func acceptingURL(t *testing.T) string {
	t.Helper()
	return outside(t, answer(http.StatusOK)).URL
}

func TestLookupComesBeforeTheMatch(t *testing.T) {
	t.Parallel()
	a := newAPI(t, tours("12", "15"))
	bodies := make(chan string, 10)
	to := receiver(t, func(_ http.ResponseWriter, r *http.Request) { bodies <- bodyOf(t, r) }).URL
	r := newRig(t).run(withAPI(dispatch.Options{}))
	r.connect(a.settings(), 0)
	r.hook(to, ofTours(webhook.Include, "15"))
	r.hook(to, ofTours(webhook.Include, "16"))
	r.hook(to, ofTours(webhook.Exclude, "12", "15"))
	accepted := r.ingestEvents(r.account.ID, needsLookup("77"))[0]
	if !accepted.Event.Lookup || len(accepted.Decisions) > 0 {
		t.Errorf("got %+v, want it to wait", accepted)
	}
	first := r.next()
	if got, want := reasons(r.event(accepted.Event.ID)), "matched tour_not_included tour_excluded"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got := receive(t, a.requests); got != "/bookings/77" || len(a.requests) > 0 {
		t.Errorf("got %s and %d more, want one request", got, len(a.requests))
	}
	if body := receive(t, bodies); !strings.Contains(body, `"tour_ids":["12","15"]`) || !strings.Contains(body, `"data":{"of":"77","tours":["12","15"]`) {
		t.Errorf("got %s, want the tours and the data of the answer", body)
	}
	if first.Attempt.Number != 1 || first.State != webhook.Delivered {
		t.Errorf("got %+v, want it delivered at once", first)
	}
}

// TestLookupIsRetried: a broken connection, an error, a wrong answer, then the
// right one.
func TestLookupIsRetried(t *testing.T) {
	t.Parallel()
	var n atomic.Int32
	a := newAPI(t, func(w http.ResponseWriter, r *http.Request) {
		switch n.Add(1) {
		case 1:
			panic(http.ErrAbortHandler)
		case 2:
			w.WriteHeader(http.StatusInternalServerError)
		case 3:
			_, _ = w.Write([]byte("no JSON"))
		default:
			tours("12")(w, r)
		}
	})
	to := acceptingURL(t)
	bubble(t, func(t *testing.T) {
		r := newRig(t).run(withAPI(dispatch.Options{}))
		r.connect(a.settings(), 0)
		r.hook(to, ofTours(webhook.Include, "12"))
		e := r.ingestEvents(r.account.ID, needsLookup("1"))[0].Event
		began := time.Now()
		got := <-r.store.finished
		if after := got.Attempt.StartedAt.Sub(began).Round(time.Second); after != 42*time.Second || got.State != webhook.Delivered {
			t.Errorf("got %s after %s, want delivered after 42 s", got.State, after)
		}
		if row := r.event(e.ID); messages.Text(row.Note) != "" || fmt.Sprint(row.TourIDs) != "[12]" {
			t.Errorf("got %+v, want tour 12 and no note", row)
		}
		r.stop()
	})
}

// TestLookupIsGivenUp: then the event counts as one without tours, and says so.
func TestLookupIsGivenUp(t *testing.T) {
	t.Parallel()
	down := newAPI(t, answer(http.StatusServiceUnavailable))
	strange := newAPI(t, tours("12"))
	strange.key = "another key"
	moved := newAPI(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, strange.URL, http.StatusFound)
	})
	huge := newAPI(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write(make([]byte, 4<<20+1))
	})
	trouble := newAPI(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("trouble")) })
	private := webhook.Settings{"api": "http://10.0.0.1", "key": "k"}
	to := acceptingURL(t)
	for name, tt := range map[string]struct {
		settings webhook.Settings
		requests chan string
		why      string
	}{
		"down":      {down.settings(), down.requests, "it answered 503."},
		"wrong key": {strange.settings(), strange.requests, "it refused the key. Compare it with the one in TourCMS."},
		"moved":     {moved.settings(), moved.requests, "a redirect, which Bookhook does not follow."},
		"huge":      {huge.settings(), huge.requests, "its answer is larger than 4 MiB."},
		"a mistake": {trouble.settings(), trouble.requests, "there is a bug in Bookhook, which its log describes."},
		"private":   {private, nil, "Bookhook does not call 10.0.0.1, which is a private address;"},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				r := newRig(t).run(withAPI(dispatch.Options{}))
				r.connect(tt.settings, 0)
				r.hook(to, ofTours(webhook.Include, "12"))
				r.hook(to, ofTours(webhook.Exclude, "12"))
				e := r.ingestEvents(r.account.ID, needsLookup("1"))[0].Event
				<-r.store.finished
				row := r.event(e.ID)
				want := "TourCMS could not be asked for the tours of this booking: "
				if after := row.Decisions[1].Delivery.Time().Sub(e.ID.Time()).Round(time.Second); after != 42*time.Second {
					t.Errorf("got the match after %s, want 42 s", after)
				}
				if reasons(row) != "no_tour matched" || !strings.HasPrefix(messages.Text(row.Note), want) || !strings.HasSuffix(messages.Text(row.Note), ". It was matched as a booking without tours.") || !strings.Contains(messages.Text(row.Note), tt.why) {
					t.Errorf("got %s with the note %q", reasons(row), messages.Text(row.Note))
				}
				if tt.requests != nil && len(tt.requests) != 4 {
					t.Errorf("got %d requests, want 4", len(tt.requests))
				}
				r.stop()
			})
		})
	}
}

// TestOneRequestWithinTheWindow: what comes in together is requested once, what
// comes later may tell of another change.
func TestOneRequestWithinTheWindow(t *testing.T) {
	t.Parallel()
	a := newAPI(t, tours("12"))
	to := acceptingURL(t)
	bubble(t, func(t *testing.T) {
		r := newRig(t).run(withAPI(dispatch.Options{}))
		r.connect(a.settings(), 0)
		r.hook(to)
		takes := func(n, requests int) {
			t.Helper()
			for range n {
				r.ingestEvents(r.account.ID, needsLookup("1"))
				<-r.store.finished
			}
			if got := len(a.requests); got != requests {
				t.Errorf("got %d requests, want %d", got, requests)
			}
		}
		takes(3, 1)
		time.Sleep(4 * time.Second)
		takes(1, 1)
		time.Sleep(2 * time.Second)
		takes(1, 2)
		time.Sleep(2 * time.Minute)
		takes(2, 3)
		r.ingestEvents(r.account.ID, needsLookup("2"))
		<-r.store.finished
		takes(1, 4)
		r.stop()
	})
}

// TestManyEventsOfABooking: more than are matched at once, one request.
func TestManyEventsOfABooking(t *testing.T) {
	t.Parallel()
	a := newAPI(t, tours("12"))
	r := newRig(t)
	r.connect(a.settings(), 0)
	r.hook(acceptingURL(t), ofTours(webhook.Include, "12"))
	r.Dispatcher = dispatch.New(withAPI(dispatch.Options{Store: r.store, Lookups: r.store, Shards: r.store})) // does not run
	for range 100 {
		r.ingestEvents(r.account.ID, needsLookup("1"))
	}
	r.run(withAPI(dispatch.Options{}))
	for range 100 {
		r.next()
	}
	if got := len(a.requests); got != 1 {
		t.Errorf("got %d requests, want 1", got)
	}
}

// TestBigEventsOfABooking: few are in memory at once.
func TestBigEventsOfABooking(t *testing.T) {
	t.Parallel()
	const n = 20
	a := newAPI(t, tours("12"))
	r := newRig(t)
	r.connect(a.settings(), 0)
	r.hook(acceptingURL(t))
	r.Dispatcher = dispatch.New(withAPI(dispatch.Options{Store: r.store, Lookups: r.store, Shards: r.store})) // does not run
	r.ingestEvents(r.account.ID, needsLookup("1"))
	for range n {
		e := needsLookup("1")
		e.Lookup, e.Data = false, []byte(`"`+strings.Repeat("x", 1<<20)+`"`)
		r.ingestEvents(r.account.ID, e)
	}
	r.run(withAPI(dispatch.Options{}))
	for left := n + 1; left > 0; {
		matched := receive(t, r.store.matched)
		if matched > 5 {
			t.Errorf("got %d events of 1 MiB matched at once", matched)
		}
		left -= matched
	}
	r.mustHaveNoLookups()
}

// TestLookupsKeepTheOrderOfABooking: the platform and the receiver fail at
// random, and events that need no lookup come between.
func TestLookupsKeepTheOrderOfABooking(t *testing.T) {
	t.Parallel()
	const writers, batches, bookings = 4, 15, 10
	a := newAPI(t, func(w http.ResponseWriter, r *http.Request) {
		switch dice := rand.IntN(100); {
		case dice < 10:
			panic(http.ErrAbortHandler)
		case dice < 40:
			w.WriteHeader(http.StatusBadGateway)
		default:
			tours("12")(w, r)
		}
	})
	f := &flakyReceiver{TB: t, inFlight: map[string]int{}, latest: map[string]webhook.EventID{}, delivered: map[string][]webhook.EventID{}}
	to := outside(t, f.ServeHTTP).URL
	bubble(t, func(t *testing.T) {
		r := newRig(t).run(withAPI(dispatch.Options{Schedule: quick}))
		r.connect(a.settings(), 0)
		w := r.hook(to, ordered, concurrency(16))
		var mu sync.Mutex
		accepted := map[string][]webhook.EventID{}
		var work sync.WaitGroup
		for range writers {
			work.Go(func() {
				for range batches {
					booking := strconv.Itoa(rand.IntN(bookings))
					second := needsLookup(booking)
					second.Lookup = rand.IntN(2) == 0
					mu.Lock() // so that the order is known
					for _, got := range r.ingestEvents(r.account.ID, needsLookup(booking), second) {
						accepted[booking] = append(accepted[booking], got.Event.ID)
					}
					mu.Unlock()
					time.Sleep(time.Duration(rand.IntN(4000)) * time.Millisecond)
				}
			})
		}
		for left := 2 * writers * batches; left > 0; {
			if got := <-r.store.finished; got.State != webhook.Pending {
				left--
			}
		}
		work.Wait()
		for booking, events := range accepted {
			last := webhook.DeliveryID(0)
			for _, id := range events {
				if d := r.event(id).Decisions[0].Delivery; d > last {
					last = d
				} else {
					t.Errorf("booking %s: delivery %d after %d", booking, d, last)
				}
			}
		}
		r.mustBeIdle(w)
		r.mustHaveNoLookups()
		r.stop()
	})
}

func (r *rig) mustHaveNoLookups() {
	r.Helper()
	if rows, err := r.store.Lookups(context.Background(), webhook.AllShards, 0, 10); err != nil || len(rows) > 0 {
		r.Errorf("got %v, %v, want nothing that waits for a lookup", rows, err)
	}
}
