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
	"bookhook/webhook"
)

func ofTours(mode webhook.Mode, ids ...string) func(*webhook.Webhook) {
	return func(w *webhook.Webhook) { w.Tours = webhook.NewFilter(mode, ids) }
}

// anywhere is a receiver that takes everything.
func anywhere(t *testing.T) string {
	t.Helper()
	return outside(t, answer(http.StatusOK)).URL
}

func TestLookupComesBeforeTheMatch(t *testing.T) {
	a := newAPI(t, tours("12", "15"))
	bodies := make(chan string, 10)
	to := receiver(t, func(_ http.ResponseWriter, r *http.Request) { bodies <- bodyOf(t, r) }).URL
	r := newRig(t).run(withAPI(dispatch.Options{}))
	r.connect(a.settings(), 0)
	r.hook(to, ofTours(webhook.Include, "15"))
	r.hook(to, ofTours(webhook.Include, "16"))
	r.hook(to, ofTours(webhook.Exclude, "12", "15"))
	accepted := r.takeIn(r.account.ID, toAsk("77"))[0]
	if !accepted.Event.Lookup || len(accepted.Decisions) > 0 {
		t.Errorf("got %+v, want it to wait", accepted)
	}
	first := r.next()
	if got, want := reasons(r.event(accepted.Event.ID)), "told tour_not_included tour_excluded"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got := receive(t, a.asked); got != "/bookings/77" || len(a.asked) > 0 {
		t.Errorf("got %s asked and %d more, want one question", got, len(a.asked))
	}
	if body := receive(t, bodies); !strings.Contains(body, `"tour_ids":["12","15"]`) || !strings.Contains(body, `"data":{"of":"77","tours":["12","15"]`) {
		t.Errorf("got %s, want the tours and the data of the answer", body)
	}
	if first.Attempt.Number != 1 || first.State != webhook.Delivered {
		t.Errorf("got %+v, want it delivered at once", first)
	}
}

// TestLookupIsTriedAgain: a broken connection, an error, a wrong answer, then the
// right one.
func TestLookupIsTriedAgain(t *testing.T) {
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
	to := anywhere(t)
	bubble(t, func(t *testing.T) {
		r := newRig(t).run(withAPI(dispatch.Options{}))
		r.connect(a.settings(), 0)
		r.hook(to, ofTours(webhook.Include, "12"))
		e := r.takeIn(r.account.ID, toAsk("1"))[0].Event
		began := time.Now()
		got := <-r.store.finished
		if after := got.Attempt.StartedAt.Sub(began).Round(time.Second); after != 42*time.Second || got.State != webhook.Delivered {
			t.Errorf("got %s after %s, want delivered after 42 s", got.State, after)
		}
		if row := r.event(e.ID); row.Note != "" || fmt.Sprint(row.TourIDs) != "[12]" {
			t.Errorf("got %+v, want tour 12 and no note", row)
		}
		r.stop()
	})
}

// TestLookupIsGivenUp: then the event counts as one without tours, and says so.
func TestLookupIsGivenUp(t *testing.T) {
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
	to := anywhere(t)
	for name, tt := range map[string]struct {
		settings  webhook.Settings
		questions chan string
		why       string
	}{
		"down":      {down.settings(), down.asked, "it answered 503."},
		"wrong key": {strange.settings(), strange.asked, "it refused the key. Compare it with the one in TourCMS."},
		"moved":     {moved.settings(), moved.asked, "a redirect, which Bookhook does not follow."},
		"huge":      {huge.settings(), huge.asked, "its answer is larger than 4 MiB."},
		"a mistake": {trouble.settings(), trouble.asked, "there is a mistake in Bookhook, which its log has."},
		"private":   {private, nil, "Bookhook does not call 10.0.0.1, which is a private address;"},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				r := newRig(t).run(withAPI(dispatch.Options{}))
				r.connect(tt.settings, 0)
				r.hook(to, ofTours(webhook.Include, "12"))
				r.hook(to, ofTours(webhook.Exclude, "12"))
				e := r.takeIn(r.account.ID, toAsk("1"))[0].Event
				<-r.store.finished
				row := r.event(e.ID)
				want := "TourCMS could not be asked for the tours of this booking: "
				if after := row.Decisions[1].Delivery.Time().Sub(e.ID.Time()).Round(time.Second); after != 42*time.Second {
					t.Errorf("got the match after %s, want 42 s", after)
				}
				if reasons(row) != "no_tour told" || !strings.HasPrefix(row.Note, want) || !strings.HasSuffix(row.Note, ". It was matched as a booking without tours.") || !strings.Contains(row.Note, tt.why) {
					t.Errorf("got %s with the note %q", reasons(row), row.Note)
				}
				if tt.questions != nil && len(tt.questions) != 4 {
					t.Errorf("got %d questions, want 4", len(tt.questions))
				}
				r.stop()
			})
		})
	}
}

// TestOneQuestionForAMoment: what comes in together is asked about once, what
// comes later may tell of another change.
func TestOneQuestionForAMoment(t *testing.T) {
	a := newAPI(t, tours("12"))
	to := anywhere(t)
	bubble(t, func(t *testing.T) {
		r := newRig(t).run(withAPI(dispatch.Options{}))
		r.connect(a.settings(), 0)
		r.hook(to)
		takes := func(n, questions int) {
			t.Helper()
			for range n {
				r.takeIn(r.account.ID, toAsk("1"))
				<-r.store.finished
			}
			if got := len(a.asked); got != questions {
				t.Errorf("got %d questions, want %d", got, questions)
			}
		}
		takes(3, 1)
		time.Sleep(4 * time.Second)
		takes(1, 1)
		time.Sleep(2 * time.Second)
		takes(1, 2)
		time.Sleep(2 * time.Minute)
		takes(2, 3)
		r.takeIn(r.account.ID, toAsk("2"))
		<-r.store.finished
		takes(1, 4)
		r.stop()
	})
}

// TestManyEventsOfABooking: more than are matched at once, one question.
func TestManyEventsOfABooking(t *testing.T) {
	a := newAPI(t, tours("12"))
	r := newRig(t)
	r.connect(a.settings(), 0)
	r.hook(anywhere(t), ofTours(webhook.Include, "12"))
	r.Dispatcher = dispatch.New(dispatch.Options{Store: r.store}) // does not run
	for range 100 {
		r.takeIn(r.account.ID, toAsk("1"))
	}
	r.run(withAPI(dispatch.Options{}))
	for range 100 {
		r.next()
	}
	if got := len(a.asked); got != 1 {
		t.Errorf("got %d questions, want 1", got)
	}
}

// TestBigEventsOfABooking: few are in memory at once.
func TestBigEventsOfABooking(t *testing.T) {
	const n = 20
	a := newAPI(t, tours("12"))
	r := newRig(t)
	r.connect(a.settings(), 0)
	r.hook(anywhere(t))
	r.Dispatcher = dispatch.New(dispatch.Options{Store: r.store}) // does not run
	r.takeIn(r.account.ID, toAsk("1"))
	for range n {
		e := toAsk("1")
		e.Lookup, e.Data = false, []byte(`"`+strings.Repeat("x", 1<<20)+`"`)
		r.takeIn(r.account.ID, e)
	}
	r.run(withAPI(dispatch.Options{}))
	for left := n + 1; left > 0; {
		matched := receive(t, r.store.matched)
		if matched > 5 {
			t.Errorf("got %d events of 1 MiB matched at once", matched)
		}
		left -= matched
	}
	r.mustWaitForNothing()
}

// TestLookupsKeepTheOrderOfABooking: the platform and the receiver fail at
// random, and events that need no question come between.
func TestLookupsKeepTheOrderOfABooking(t *testing.T) {
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
	f := &fickle{TB: t, flying: map[string]int{}, latest: map[string]webhook.ID{}, delivered: map[string][]webhook.ID{}}
	to := outside(t, f.ServeHTTP).URL
	bubble(t, func(t *testing.T) {
		r := newRig(t).run(withAPI(dispatch.Options{Schedule: quick}))
		r.connect(a.settings(), 0)
		w := r.hook(to, ordered, concurrency(16))
		var mu sync.Mutex
		accepted := map[string][]webhook.ID{}
		var work sync.WaitGroup
		for range writers {
			work.Go(func() {
				for range batches {
					booking := strconv.Itoa(rand.IntN(bookings))
					second := toAsk(booking)
					second.Lookup = rand.IntN(2) == 0
					mu.Lock() // so that the order is known
					for _, got := range r.takeIn(r.account.ID, toAsk(booking), second) {
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
			last := webhook.ID(0)
			for _, id := range events {
				if d := r.event(id).Decisions[0].Delivery; d > last {
					last = d
				} else {
					t.Errorf("booking %s: delivery %d after %d", booking, d, last)
				}
			}
		}
		r.mustBeIdle(w)
		r.mustWaitForNothing()
		r.stop()
	})
}

func (r *rig) mustWaitForNothing() {
	r.Helper()
	if rows, err := r.store.Lookups(context.Background(), 0, 10); err != nil || len(rows) > 0 {
		r.Errorf("got %v, %v, want nothing that waits for a lookup", rows, err)
	}
}

// TestLookupsAfterACrash: the process ends while the platform is asked.
func TestLookupsAfterACrash(t *testing.T) {
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
	r.hook(anywhere(t), ofTours(webhook.Include, "12"))
	first := r.takeIn(r.account.ID, toAsk("1"), toAsk("1"))
	receive(t, a.asked)
	r.close()
	receive(t, hold)
	r.open()
	r.run(withAPI(dispatch.Options{}))
	ids := map[webhook.ID]bool{r.next().Delivery: true, r.next().Delivery: true}
	for _, f := range first {
		row := r.event(f.Event.ID)
		if !ids[row.Decisions[0].Delivery] || row.Note != "" {
			t.Errorf("got %+v, want it delivered", row)
		}
	}
	r.stop()
	if len(r.store.finished) > 0 || n.Load() != 2 {
		t.Errorf("got %d more deliveries and %d questions, want none and 2", len(r.store.finished), n.Load())
	}
	r.mustWaitForNothing()
}

// TestASlowPlatformDelaysNobodyElse: one account has a hundred bookings with a
// platform that does not answer.
func TestASlowPlatformDelaysNobodyElse(t *testing.T) {
	g := newGate(t)
	a := newAPI(t, tours("12"))
	r := newRig(t)
	other, err := r.store.AddAccount(t.Context(), webhook.Account{Number: 2, Name: "Slow", TimeZone: "UTC", WebhookLimit: 10}, "test")
	if err != nil {
		t.Fatal(err)
	}
	r.connect(webhook.Settings{"api": g.URL, "key": "k"}, other.ID)
	r.connect(a.settings(), 0)
	r.hook(anywhere(t))
	r.run(withAPI(dispatch.Options{}))
	for i := range 100 {
		r.takeIn(other.ID, toAsk(strconv.Itoa(i)))
	}
	receive(t, g.arrived)
	for i := range 50 {
		r.takeIn(r.account.ID, toAsk(strconv.Itoa(i)))
	}
	for range 50 {
		r.next()
	}
	if most := g.most.Load(); most > 4 {
		t.Errorf("got %d questions at once, want at most 4 of one account", most)
	}
	r.stop() // at once, although questions are under way
}

// TestASilentPlatformIsWaitedForSoLong: each question takes all its time, and
// many bookings wait behind each other, but not for ever.
func TestASilentPlatformIsWaitedForSoLong(t *testing.T) {
	const bookings = 300
	to := anywhere(t)
	var questions atomic.Int32
	o := withAPI(dispatch.Options{})
	o.Platforms[0].Lookup.Request = func(webhook.Settings, webhook.Event, time.Time) (webhook.Request, error) {
		questions.Add(1)
		time.Sleep(10 * time.Second) // of the false clock
		return webhook.Request{Method: http.MethodGet, URL: "http://10.0.0.1"}, nil
	}
	bubble(t, func(t *testing.T) {
		r := newRig(t)
		r.hook(to)
		r.connect(webhook.Settings{"key": "k"}, 0)
		r.run(o)
		for i := range bookings {
			r.takeIn(r.account.ID, toAsk(strconv.Itoa(i)))
		}
		began := time.Now()
		for range bookings {
			<-r.store.finished
		}
		if took := time.Since(began); took < 80*time.Second || took > 150*time.Second {
			t.Errorf("got the last after %s", took)
		}
		if n := questions.Load(); n > 20 {
			t.Errorf("got %d questions, want one at a time", n)
		}
		r.mustWaitForNothing()
		r.stop()
	})
}

// TestAPlatformThatRefusesAtOnceIsLeftAlone: however much waits.
func TestAPlatformThatRefusesAtOnceIsLeftAlone(t *testing.T) {
	a := newAPI(t, answer(http.StatusServiceUnavailable))
	to := anywhere(t)
	bubble(t, func(t *testing.T) {
		r := newRig(t).run(withAPI(dispatch.Options{}))
		r.connect(a.settings(), 0)
		r.hook(to)
		for i := range 200 {
			r.takeIn(r.account.ID, toAsk(strconv.Itoa(i)))
		}
		time.Sleep(20 * time.Second)
		if n := len(a.asked); n < 50 || n > 150 { // the clock of the API is not the bubble's
			t.Errorf("got %d questions in 20 s, want some 5 a second", n)
		}
		for range 200 {
			<-r.store.finished
		}
		r.mustWaitForNothing()
		r.stop()
	})
}

// TestManySlowPlatformsDelayNobodyElse: of forty accounts half have a platform
// that does not answer, half one that takes its time, and each has more to ask
// than it gets answers.
func TestManySlowPlatformsDelayNobodyElse(t *testing.T) {
	a := newAPI(t, tours("12"))
	to := anywhere(t)
	o := withAPI(dispatch.Options{})
	request := o.Platforms[0].Lookup.Request
	o.Platforms[0].Lookup.Request = func(s webhook.Settings, e webhook.Event, now time.Time) (webhook.Request, error) {
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
			other, err := r.store.AddAccount(t.Context(), webhook.Account{Number: int64(i + 1), Name: "Slow", TimeZone: "UTC", WebhookLimit: 10}, "test")
			if err != nil {
				t.Fatal(err)
			}
			settings := webhook.Settings{"api": "http://10.0.0.1", "key": apiKey, "delay": "yes"}
			if i%2 == 0 {
				settings["api"] = a.URL
			}
			r.connect(settings, other.ID)
			for n := range 50 {
				r.takeIn(other.ID, toAsk(strconv.Itoa(n)))
			}
		}
		time.Sleep(3 * time.Minute)
		for i := range 20 {
			began := time.Now()
			r.takeIn(r.account.ID, toAsk(strconv.Itoa(i)))
			<-r.store.finished
			if took := time.Since(began); took > time.Second {
				t.Errorf("got it delivered after %s, want it asked about at once", took)
			}
			time.Sleep(time.Second)
		}
		r.stop()
	})
}

// TestAMatchThatCannotBeStored: is stored later, by the answer that is there.
func TestAMatchThatCannotBeStored(t *testing.T) {
	a := newAPI(t, tours("12"))
	to := anywhere(t)
	bubble(t, func(t *testing.T) {
		r := newRig(t).run(withAPI(dispatch.Options{}))
		r.connect(a.settings(), 0)
		r.hook(to, ofTours(webhook.Include, "12"))
		r.store.failures.Store(3)
		r.takeIn(r.account.ID, toAsk("1"))
		if got := <-r.store.finished; got.State != webhook.Delivered || len(a.asked) != 1 {
			t.Errorf("got %s by %d questions, want delivered by one", got.State, len(a.asked))
		}
		r.stop()
	})
}

// TestNoAnswerInTime: a platform that keeps the connection is not waited for.
func TestNoAnswerInTime(t *testing.T) {
	g := newGate(t)
	r := start(t, withAPI(dispatch.Options{Timeout: 50 * time.Millisecond}))
	r.connect(webhook.Settings{"api": g.URL, "key": "k"}, 0)
	r.takeIn(r.account.ID, toAsk("1"))
	receive(t, g.arrived)
	receive(t, g.arrived) // once more
	r.stop()
	if !strings.Contains(r.log.String(), "gave no complete answer within") || strings.Contains(r.log.String(), "Test ") {
		t.Errorf("got the log\n%s", r.log)
	}
}

// TestNothingIsAsked: of a platform that was switched off, or whose settings are
// gone, since the event came in.
func TestNothingIsAsked(t *testing.T) {
	for name, tt := range map[string]struct {
		change       func(r *rig) error
		reason, note string
	}{
		"off": {func(r *rig) error {
			_, err := r.store.SwitchPlatform(r.Context(), r.account.ID, "tourcms", false, "test", time.Now())
			return err
		}, "platform_off", ""},
		"no settings": {func(r *rig) error {
			return r.store.SaveSettings(r.Context(), r.account.ID, "tourcms", webhook.Settings{}, "test", time.Now())
		}, "told", "TourCMS could not be asked for the tours of this booking: the settings that it takes are not there any more. It was matched as a booking without tours."},
	} {
		t.Run(name, func(t *testing.T) {
			a := newAPI(t, tours("12"))
			r := newRig(t)
			r.connect(a.settings(), 0)
			r.hook(anywhere(t))
			r.Dispatcher = dispatch.New(dispatch.Options{Store: r.store}) // does not run
			e := r.takeIn(r.account.ID, toAsk("1"))[0].Event
			if err := tt.change(r); err != nil {
				t.Fatal(err)
			}
			r.run(withAPI(dispatch.Options{}))
			receive(t, r.store.matched)
			if row := r.event(e.ID); reasons(row) != tt.reason || row.Note != tt.note {
				t.Errorf("got %s with the note %q", reasons(row), row.Note)
			}
			if got := len(a.asked); got != 0 {
				t.Errorf("got %d questions, want none", got)
			}
		})
	}
}

// TestAQuestionThatCannotBeWritten: is not tried again, and keeps nobody waiting.
func TestAQuestionThatCannotBeWritten(t *testing.T) {
	a := newAPI(t, tours("12"))
	r := start(t, withAPI(dispatch.Options{}))
	r.connect(a.settings(), 0)
	r.hook(anywhere(t))
	strange := toAsk("1")
	strange.ChannelID = "strange"
	got := r.takeIn(r.account.ID, strange, toAsk("1"))
	r.next()
	r.next()
	const want = "TourCMS could not be asked for the tours of this booking: no key is stored for the channel “strange”. It was matched as a booking without tours."
	if first, second := r.event(got[0].Event.ID), r.event(got[1].Event.ID); first.Note != want || second.Note != "" || len(a.asked) != 1 {
		t.Errorf("got the notes %q and %q, and %d questions", first.Note, second.Note, len(a.asked))
	}
}
