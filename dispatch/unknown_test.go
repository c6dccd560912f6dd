package dispatch_test

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"bookhook/db"
	"bookhook/db/postgres/pgtest"
	"bookhook/dispatch"
	"bookhook/webhook"
)

// unanswered is a store whose next Insert is stored, but nobody learns of it.
type unanswered struct {
	*testStore
	dispatcher func() *dispatch.Dispatcher
}

func (s unanswered) Insert(ctx context.Context, p *webhook.Plan) ([]webhook.Accepted, error) {
	accepted, err := s.testStore.Insert(ctx, p)
	if err != nil {
		return nil, err
	}
	s.dispatcher().Touched([]webhook.Touched{{What: webhook.TouchUnknown}})
	return accepted, webhook.Unavailable{Cause: errors.New("no answer")}
}

// TestUnknownInsert: what was stored without an answer is sent, what was claimed with it
// included, and the log has no attempt that was not made.
func TestUnknownInsert(t *testing.T) {
	t.Parallel()
	s := receiver(t, answer(http.StatusOK))
	r := newRig(t)
	var d *dispatch.Dispatcher
	r.wrap = func(s *testStore) dispatch.Store {
		return unanswered{s, func() *dispatch.Dispatcher { return d }}
	}
	r.run(dispatch.Options{})
	d = r.Dispatcher
	r.hook(s.URL, concurrency(1))
	if _, err := r.Ingest(t.Context(), r.account.ID, events(20)); err == nil {
		t.Error("got no error, want that of the store")
	}
	for range 20 {
		if got := r.next(); got.Attempt.Number != 1 {
			t.Errorf("got attempt %d, want the first", got.Attempt.Number)
		}
	}
}

// unclaimed is a store whose first Claim is stored, but nobody learns of it.
type unclaimed struct {
	*testStore
	done *atomic.Bool
}

func (s unclaimed) Claim(ctx context.Context, c webhook.Claim) ([]webhook.Job, webhook.Due, error) {
	jobs, due, err := s.testStore.Claim(ctx, c)
	if err == nil && len(jobs) > 0 && s.done.CompareAndSwap(false, true) {
		err = webhook.Unavailable{Cause: errors.New("no answer")}
	}
	return jobs, due, err
}

// TestUnknownClaim: what was claimed without an answer is sent, too.
func TestUnknownClaim(t *testing.T) {
	t.Parallel()
	s := receiver(t, answer(http.StatusOK))
	r := newRig(t)
	var done atomic.Bool
	r.wrap = func(s *testStore) dispatch.Store { return unclaimed{s, &done} }
	r.run(dispatch.Options{})
	r.hook(s.URL, concurrency(1))
	r.ingest(20) // there is room for three of them; the others are claimed
	for range 20 {
		if got := r.next(); got.Attempt.Number != 1 {
			t.Errorf("got attempt %d, want the first", got.Attempt.Number)
		}
	}
	if !done.Load() {
		t.Error("no claim was left without an answer")
	}
}

// TestUnknownCommit: the same of a real server, whose answer to a COMMIT is lost.
func TestUnknownCommit(t *testing.T) {
	t.Parallel()
	s := receiver(t, answer(http.StatusOK))
	proxy := pgtest.NewProxy(t, pgtest.Database(t, "template1"))
	store, err := db.Create(t.Context(), proxy.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	store.Close()
	r := newRigAt(t, proxy.URL).run(dispatch.Options{})
	w := r.hook(s.URL, concurrency(1))
	refused := func(what string, err error) {
		t.Helper()
		if _, unavailable := errors.AsType[webhook.Unavailable](err); !unavailable {
			t.Errorf("%s: got error %v, want webhook.Unavailable", what, err)
		}
	}
	time.Sleep(300 * time.Millisecond) // until what follows a new webhook was committed, too
	proxy.Cut.Store(true)
	_, err = r.Ingest(t.Context(), r.account.ID, events(20))
	refused("ingest", err)
	done := r.next()
	for range 20 - 1 {
		r.next()
	}
	proxy.Cut.Store(true)
	_, err = r.Test(t.Context(), r.account.ID, w.ID, events(1)[0])
	refused("test", err)
	r.next()
	proxy.Cut.Store(true)
	_, err = r.Replay(t.Context(), r.account.ID, done.Delivery, byTest())
	refused("replay", err)
	if got := r.next(); got.Delivery != done.Delivery {
		t.Errorf("replay: got a result of %s, want one of %s", got.Delivery, done.Delivery)
	}
}
