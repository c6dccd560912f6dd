package dispatch_test

import (
	"errors"
	"net/http"
	"sync/atomic"
	"testing"

	"bookhook/dispatch"
	"bookhook/webhook"
)

// TestWhatIsNotStoredIsNotSent: the second event of a batch clashes with one that
// came before, so that the first is not stored either, although a place was taken
// for its delivery.
func TestWhatIsNotStoredIsNotSent(t *testing.T) {
	t.Parallel()
	var calls atomic.Int32
	s := receiver(t, func(http.ResponseWriter, *http.Request) { calls.Add(1) })
	r := start(t, dispatch.Options{})
	r.hook(s.URL)
	batch := events(2)
	batch[0].ExternalID, batch[1].ExternalID = "new", "known"
	r.ingestEvents(r.account.ID, batch[1])
	r.next()
	batch[1].Type = "new_confirmed_web"
	accepted, err := r.Ingest(t.Context(), r.account.ID, batch)
	if _, conflict := errors.AsType[webhook.IDConflict](err); !conflict || accepted != nil {
		t.Errorf("got %v, %v, want a conflict and nothing accepted", accepted, err)
	}
	r.stop() // lets what is on its way end
	if n := calls.Load(); n != 1 {
		t.Errorf("got %d requests, want only that of the event that is stored", n)
	}
}
