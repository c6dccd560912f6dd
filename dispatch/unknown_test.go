package dispatch_test

import (
	"context"
	"errors"
	"net/http"
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
	if _, err := s.testStore.Insert(ctx, p); err != nil {
		return nil, err
	}
	s.dispatcher().Touched([]webhook.Touched{{What: webhook.TouchUnknown}})
	return nil, webhook.Unavailable{Cause: errors.New("no answer")}
}

// TestUnknownInsert: what was stored without an answer is sent. What was claimed with it
// waits until the claim ends.
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
	for range 20 - 3 {
		r.next()
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
	for range 20 - 3 - 1 {
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
