package dispatch_test

import (
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"bookhook/dispatch"
	"bookhook/messages"
	"bookhook/platforms"
	"bookhook/webhook"
)

// TestLookupsAfterACrash: the process ends while a request is under way.
func TestLookupsAfterACrash(t *testing.T) {
	t.Parallel()
	var n atomic.Int32
	hold := make(chan struct{})
	a := newAPI(t, func(w http.ResponseWriter, r *http.Request) {
		if n.Add(1) == 1 {
			<-r.Context().Done()
			close(hold)
			return
		}
		tours("12")(w, r)
	})
	r := newRig(t).run(withAPI(dispatch.Options{}))
	r.connect(a.settings(), 0)
	r.hook(acceptingURL(t), ofTours(webhook.Include, "12"))
	first := r.ingestEvents(r.account.ID, needsLookup("1"), needsLookup("1"))
	receive(t, a.requests)
	r.close()
	receive(t, hold)
	r.open()
	r.run(withAPI(dispatch.Options{}))
	ids := map[webhook.DeliveryID]bool{r.next().Delivery: true, r.next().Delivery: true}
	for _, f := range first {
		row := r.event(f.Event.ID)
		if !ids[row.Decisions[0].Delivery] || messages.Text(row.Note) != "" {
			t.Errorf("got %+v, want it delivered", row)
		}
	}
	r.stop()
	if len(r.store.finished) > 0 || n.Load() != 2 {
		t.Errorf("got %d more deliveries and %d requests, want none and 2", len(r.store.finished), n.Load())
	}
	r.mustHaveNoLookups()
}

// TestSlowPlatformDelaysNobodyElse: one account has a hundred bookings with a
// platform that does not answer.
func TestSlowPlatformDelaysNobodyElse(t *testing.T) {
	t.Parallel()
	g := newGate(t)
	a := newAPI(t, tours("12"))
	r := newRig(t)
	other, err := r.store.AddAccount(t.Context(), webhook.Account{Number: 2, Name: "Slow", TimeZone: "UTC", WebhookLimit: 10}, byTest())
	if err != nil {
		t.Fatal(err)
	}
	r.connect(webhook.Settings{"api": g.URL, "key": "k"}, other.ID)
	r.connect(a.settings(), 0)
	r.hook(acceptingURL(t))
	r.run(withAPI(dispatch.Options{}))
	for i := range 100 {
		r.ingestEvents(other.ID, needsLookup(strconv.Itoa(i)))
	}
	receive(t, g.arrived)
	for i := range 50 {
		r.ingestEvents(r.account.ID, needsLookup(strconv.Itoa(i)))
	}
	for range 50 {
		r.next()
	}
	if most := g.most.Load(); most > 4 {
		t.Errorf("got %d requests at once, want at most 4 of one account", most)
	}
	r.stop() // at once, although requests are under way
}

// TestFailingPlatformIsWaitedForBounded: each request takes all its time, and
// many bookings wait behind each other, but not for ever.
func TestFailingPlatformIsWaitedForBounded(t *testing.T) {
	t.Parallel()
	const bookings = 300
	to := acceptingURL(t)
	var requests atomic.Int32
	o := withAPI(dispatch.Options{})
	o.Platforms[0].Lookup.Request = func(webhook.Settings, webhook.Event, time.Time) (platforms.Request, error) {
		requests.Add(1)
		time.Sleep(10 * time.Second) // of the false clock
		return platforms.Request{Method: http.MethodGet, URL: "http://10.0.0.1"}, nil
	}
	bubble(t, func(t *testing.T) {
		r := newRig(t)
		r.hook(to)
		r.connect(webhook.Settings{"key": "k"}, 0)
		r.run(o)
		for i := range bookings {
			r.ingestEvents(r.account.ID, needsLookup(strconv.Itoa(i)))
		}
		began := time.Now()
		for range bookings {
			<-r.store.finished
		}
		if took := time.Since(began); took < 80*time.Second || took > 150*time.Second {
			t.Errorf("got the last after %s", took)
		}
		if n := requests.Load(); n > 20 {
			t.Errorf("got %d requests, want one at a time", n)
		}
		r.mustHaveNoLookups()
		r.stop()
	})
}

// TestRefusingPlatformIsPaused: however much waits.
func TestRefusingPlatformIsPaused(t *testing.T) {
	t.Parallel()
	a := newAPI(t, answer(http.StatusServiceUnavailable))
	to := acceptingURL(t)
	bubble(t, func(t *testing.T) {
		r := newRig(t).run(withAPI(dispatch.Options{}))
		r.connect(a.settings(), 0)
		r.hook(to)
		for i := range 200 {
			r.ingestEvents(r.account.ID, needsLookup(strconv.Itoa(i)))
		}
		time.Sleep(20 * time.Second)
		if n := len(a.requests); n < 50 || n > 150 { // the clock of the API is not the bubble's
			t.Errorf("got %d requests in 20 s, want some 5 a second", n)
		}
		for range 200 {
			<-r.store.finished
		}
		r.mustHaveNoLookups()
		r.stop()
	})
}

// TestManySlowPlatformsDelayNobodyElse: of forty accounts half have a platform
// that does not answer, half one that takes its time, and each has more to ask
// than it gets answers.
func TestManySlowPlatformsDelayNobodyElse(t *testing.T) {
	t.Parallel()
	a := newAPI(t, tours("12"))
	to := acceptingURL(t)
	o := withAPI(dispatch.Options{})
	request := o.Platforms[0].Lookup.Request
	o.Platforms[0].Lookup.Request = func(s webhook.Settings, e webhook.Event, now time.Time) (platforms.Request, error) {
		if s["delay"] != "" {
			time.Sleep(9 * time.Second) // of the false clock
		}
		return request(s, e, now)
	}
	bubble(t, func(t *testing.T) {
		r := newRig(t)
		r.hook(to)
		r.connect(a.settings(), 0)
		r.run(o)
		for i := range 40 {
			other, err := r.store.AddAccount(t.Context(), webhook.Account{Number: int64(i + 1), Name: "Slow", TimeZone: "UTC", WebhookLimit: 10}, byTest())
			if err != nil {
				t.Fatal(err)
			}
			settings := webhook.Settings{"api": "http://10.0.0.1", "key": apiKey, "delay": "yes"}
			if i%2 == 0 {
				settings["api"] = a.URL
			}
			r.connect(settings, other.ID)
			for n := range 50 {
				r.ingestEvents(other.ID, needsLookup(strconv.Itoa(n)))
			}
		}
		time.Sleep(3 * time.Minute)
		for i := range 20 {
			began := time.Now()
			r.ingestEvents(r.account.ID, needsLookup(strconv.Itoa(i)))
			<-r.store.finished
			if took := time.Since(began); took > time.Second {
				t.Errorf("got it delivered after %s, want its lookup at once", took)
			}
			time.Sleep(time.Second)
		}
		r.stop()
	})
}

// TestMatchIsStoredLater: is the response is there, and used later.
func TestMatchIsStoredLater(t *testing.T) {
	t.Parallel()
	a := newAPI(t, tours("12"))
	to := acceptingURL(t)
	bubble(t, func(t *testing.T) {
		r := newRig(t).run(withAPI(dispatch.Options{}))
		r.connect(a.settings(), 0)
		r.hook(to, ofTours(webhook.Include, "12"))
		r.store.failures.Store(3)
		r.ingestEvents(r.account.ID, needsLookup("1"))
		if got := <-r.store.finished; got.State != webhook.Delivered || len(a.requests) != 1 {
			t.Errorf("got %s by %d requests, want delivered by one", got.State, len(a.requests))
		}
		r.stop()
	})
}

// TestLookupTimesOut: a platform that keeps the connection is not waited for.
func TestLookupTimesOut(t *testing.T) {
	t.Parallel()
	g := newGate(t)
	r := start(t, withAPI(dispatch.Options{Timeout: 50 * time.Millisecond}))
	r.connect(webhook.Settings{"api": g.URL, "key": "k"}, 0)
	r.ingestEvents(r.account.ID, needsLookup("1"))
	receive(t, g.arrived)
	receive(t, g.arrived) // once more
	r.stop()
	if !strings.Contains(r.log.String(), "lookup.timeout") || strings.Contains(r.log.String(), "Test ") {
		t.Errorf("got the log\n%s", r.log)
	}
}

// TestLookupIsNotNeededAnyMore: of a platform that was switched off, or whose settings are
// gone, since the event came in.
func TestLookupIsNotNeededAnyMore(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		change       func(r *rig) error
		reason, note string
	}{
		"off": {func(r *rig) error {
			_, err := r.store.SwitchPlatform(r.Context(), r.account.ID, "tourcms", false, byTest())
			return err
		}, "platform_off", ""},
		"no settings": {func(r *rig) error {
			return r.store.SaveSettings(r.Context(), r.account.ID, "tourcms", webhook.Settings{}, byTest())
		}, "matched", "TourCMS could not be asked for the tours of this booking: the settings needed for it were removed. It was matched as a booking without tours."},
	} {
		t.Run(name, func(t *testing.T) {
			a := newAPI(t, tours("12"))
			r := newRig(t)
			r.connect(a.settings(), 0)
			r.hook(acceptingURL(t))
			r.Dispatcher = dispatch.New(withAPI(dispatch.Options{Store: r.store, Lookups: r.store, Shards: r.store})) // does not run
			e := r.ingestEvents(r.account.ID, needsLookup("1"))[0].Event
			if err := tt.change(r); err != nil {
				t.Fatal(err)
			}
			r.run(withAPI(dispatch.Options{}))
			receive(t, r.store.matched)
			if row := r.event(e.ID); reasons(row) != tt.reason || messages.Text(row.Note) != tt.note {
				t.Errorf("got %s with the note %q", reasons(row), messages.Text(row.Note))
			}
			if got := len(a.requests); got != 0 {
				t.Errorf("got %d requests, want none", got)
			}
		})
	}
}

// TestLookupRequestCannotBeWritten: is not repeated, and keeps nobody waiting.
func TestLookupRequestCannotBeWritten(t *testing.T) {
	t.Parallel()
	a := newAPI(t, tours("12"))
	r := start(t, withAPI(dispatch.Options{}))
	r.connect(a.settings(), 0)
	r.hook(acceptingURL(t))
	strange := needsLookup("1")
	strange.ChannelID = "strange"
	got := r.ingestEvents(r.account.ID, strange, needsLookup("1"))
	r.next()
	r.next()
	const want = "TourCMS could not be asked for the tours of this booking: no key is stored for the channel “strange”. It was matched as a booking without tours."
	if first, second := r.event(got[0].Event.ID), r.event(got[1].Event.ID); messages.Text(first.Note) != want || messages.Text(second.Note) != "" || len(a.requests) != 1 {
		t.Errorf("got the notes %q and %q, and %d requests", messages.Text(first.Note), messages.Text(second.Note), len(a.requests))
	}
}
