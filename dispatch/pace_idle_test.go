package dispatch

import (
	"testing"
	"testing/synctest"
	"time"

	"bookhook/webhook"
)

// TestIdleLaneThatHangs: a lane that was fast, had nothing more to do, and whose
// receiver then no longer answers is slow after a moment, as one that stopped while
// it was busy is: its events go to the table at once.
func TestIdleLaneThatHangs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newTestLanes(2048)
		w := &webhook.Webhook{ID: 1, Account: 1, Config: webhook.Config{Concurrency: 8}}
		b.ingest(w, 2, 2)
		for range 100 {
			time.Sleep(time.Millisecond)
			b.attempted(0, false, time.Now())
			b.ingest(w, 1, 1)
		}
		b.mu.Lock()
		b.byID[w.ID].due(time.Now().Add(10 * time.Hour)) // one delivery waits for its retry, so the lane stays
		b.mu.Unlock()
		for len(b.started) > 0 { // all is sent, the lane is idle
			b.attempted(0, false, time.Now())
		}
		time.Sleep(time.Hour)
		b.ingest(w, 2000, 2000) // and now the receiver hangs
		for range 5 {
			time.Sleep(2 * time.Second)
			if got := b.waits(t.Context(), w); got != 0 {
				t.Errorf("got an event that waited for %s for a lane that hangs, want it not to", got)
			}
		}
	})
}
