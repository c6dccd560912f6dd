package dispatch_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"bookhook/db/postgres/pgtest"
	"bookhook/dispatch"
	"bookhook/webhook"
)

// dying is a database of a process that is killed in one of its calls: before it
// was done, or after that and before the answer. From then on nothing is done.
type dying struct {
	*testStore
	left   atomic.Int32 // calls until then
	done   bool         // the last one is
	killed chan struct{}
}

var errKilled = errors.New("killed")

func (s *dying) call(do func() error) error {
	left := s.left.Add(-1)
	if left > 0 {
		return do()
	}
	if left == 0 {
		if s.done {
			_ = do()
		}
		close(s.killed)
	}
	return errKilled
}

func (s *dying) Insert(ctx context.Context, p *webhook.Plan) (a []webhook.Accepted, err error) {
	err = s.call(func() error { a, err = s.testStore.Insert(ctx, p); return err })
	return a, err
}

func (s *dying) CompleteLookups(ctx context.Context, p *webhook.Plan) (a []webhook.Accepted, err error) {
	err = s.call(func() error { a, err = s.testStore.CompleteLookups(ctx, p); return err })
	return a, err
}

func (s *dying) PendingEvent(ctx context.Context, account webhook.AccountID, event webhook.EventID) (e webhook.Event, err error) {
	err = s.call(func() error { e, err = s.testStore.PendingEvent(ctx, account, event); return err })
	return e, err
}

func (s *dying) InsertInline(ctx context.Context, account webhook.AccountID, e webhook.Event, now, lease time.Time) (c webhook.InlineCall, err error) {
	err = s.call(func() error { c, err = s.testStore.InsertInline(ctx, account, e, now, lease); return err })
	return c, err
}

func (s *dying) Claim(ctx context.Context, c webhook.Claim) (jobs []webhook.Job, due webhook.Due, err error) {
	err = s.call(func() error { jobs, due, err = s.testStore.Claim(ctx, c); return err })
	return jobs, due, err
}

func (s *dying) Finish(ctx context.Context, r webhook.Result, now time.Time) (f webhook.Finished, err error) {
	err = s.call(func() error { f, err = s.testStore.Finish(ctx, r, now); return err })
	return f, err
}

func (s *dying) Release(ctx context.Context, delivery webhook.DeliveryID, number int, lease, now time.Time) error {
	return s.call(func() error { return s.testStore.Release(ctx, delivery, number, lease, now) })
}

func newDying(r *rig, calls int, done bool) *dying {
	s := &dying{testStore: r.store, done: done, killed: make(chan struct{})}
	s.left.Store(int32(calls)) //nolint:gosec // some twenty
	return s
}

// run starts a dispatcher on it; kill waits until nothing of that is left.
func (s *dying) run(t testing.TB) (d *dispatch.Dispatcher, kill func()) {
	d = dispatch.New(withAPI(dispatch.Options{Store: s, Lookups: s, Shards: s, Guard: mustGuard(t, "127.0.0.0/8"), Grace: time.Millisecond}))
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- d.Run(ctx) }()
	<-d.Ready()
	return d, func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}

// lives reports whether n deliveries succeed before the process is killed.
func (s *dying) lives(n int) bool {
	for n > 0 {
		select {
		case <-s.killed:
			return false
		case r := <-s.finished:
			if r.State == webhook.Delivered {
				n--
			}
		}
	}
	return true
}

// TestKilledBetweenAnyTwoSteps: whatever was done last, what was sent in is
// delivered in its order after the next start, and no attempt is made twice.
func TestKilledBetweenAnyTwoSteps(t *testing.T) {
	a := newAPI(t, tours("12"))
	for _, done := range []bool{false, true} {
		for calls, lives := 1, false; !lives && !t.Failed(); calls++ {
			t.Run(fmt.Sprintf("%d %t", calls, done), func(t *testing.T) {
				o := &orderOfArrival{TB: t}
				to := outside(t, o.ServeHTTP).URL
				bubble(t, func(t *testing.T) { lives = liveTwice(t, a, to, o, calls, done) })
			})
		}
	}
}

// orderOfArrival is a receiver that notes which deliveries came first.
type orderOfArrival struct {
	testing.TB
	mu  sync.Mutex
	got []string
}

func (o *orderOfArrival) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if id := r.Header.Get("Webhook-Id"); !slices.Contains(o.got, id) {
		o.got = append(o.got, id)
	} else if r.Header.Get("Bookhook-Attempt") == "1" {
		o.Errorf("got the first attempt of %s twice", id)
	}
}

// liveTwice kills a process in one of its calls and starts another one; it
// reports whether there were not so many.
func liveTwice(t *testing.T, a *api, to string, o *orderOfArrival, calls int, done bool) (lives bool) {
	r := newRig(t)
	r.connect(a.settings(), 0)
	r.hook(to, ordered, ofTours(webhook.Include, "12"))
	sent := []webhook.Event{needsLookup("1"), needsLookup("1"), needsLookup("1")}
	for i := range sent {
		sent[i].ExternalID = strconv.Itoa(i)
	}
	sent[1].Lookup, sent[1].TourIDs = false, []string{"12"}
	s := newDying(r, calls, done)
	first, kill := s.run(t)
	for _, e := range sent {
		_, _ = first.Ingest(t.Context(), r.account.ID, []webhook.Event{e}) // sent again below, as without an answer
	}
	lives = s.lives(len(sent))
	kill()
	r.run(withAPI(dispatch.Options{}))
	var want []string
	for _, e := range sent {
		id := r.ingestEvents(r.account.ID, e)[0].Event.ID
		want = append(want, r.delivered(id).ID.String())
	}
	r.stop()
	o.mu.Lock()
	defer o.mu.Unlock()
	if !slices.Equal(o.got, want) {
		t.Errorf("got %v, want %v", o.got, want)
	}
	r.mustHaveNoLookups()
	return lives
}

// delivered waits until the one delivery of an event has succeeded.
func (r *rig) delivered(event webhook.EventID) webhook.Delivery {
	r.Helper()
	for {
		if e := r.event(event); !e.Lookup {
			if d := r.delivery(e.Decisions[0].Delivery); d.State == webhook.Delivered {
				return d
			}
		}
		<-r.store.finished
	}
}

// TestKilledDuringInlineCall: an inline call is made once, and its verdict is the one that
// was given; when nobody knows it, it is a refusal.
func TestKilledDuringInlineCall(t *testing.T) {
	for _, done := range []bool{false, true} {
		for calls, lives := 1, false; !lives && !t.Failed(); calls++ {
			t.Run(fmt.Sprintf("%d %t", calls, done), func(t *testing.T) {
				var called atomic.Int32
				to := outside(t, func(http.ResponseWriter, *http.Request) { called.Add(1) }).URL
				bubble(t, func(t *testing.T) { lives = callTwice(t, to, calls, done) })
				if n := called.Load(); n > 1 || n == 0 && calls == 1 && !done {
					t.Errorf("called %d times", n)
				}
			})
		}
	}
}

func callTwice(t *testing.T, to string, calls int, done bool) (lives bool) {
	r := newRig(t)
	r.hook(to, inline)
	s := newDying(r, calls, done)
	first, kill := s.run(t)
	answers := make(chan error, 1)
	var before webhook.InlineCall
	go func() {
		var err error
		before, err = first.CallInline(context.Background(), r.account.ID, temporary("q"))
		answers <- err
	}()
	select {
	case <-s.killed:
		kill()
	case err := <-answers:
		answers <- err
		kill()
	}
	err := <-answers
	if pgtest.Wanted() { // another process may be making the call until its time is over
		if err := r.store.CleanUp(t.Context(), false, time.Now().Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
	}
	r.run(dispatch.Options{})
	got := r.callInline(temporary("q"))
	if err == nil && (got.Accepted != before.Accepted || got.Reason != before.Reason) {
		t.Errorf("got %+v, want %+v as before", got.InlineAnswer, before.InlineAnswer)
	}
	if d := r.delivery(got.Job.Delivery.ID); d.State == webhook.Pending {
		t.Errorf("got %+v, want it ended", d)
	}
	r.stop()
	return err == nil
}
