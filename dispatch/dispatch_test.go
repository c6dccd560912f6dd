package dispatch_test

import (
	"net/http"
	"runtime/pprof"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"bookhook/dispatch"
	"bookhook/webhook"
)

// Many receivers that fail now and then, many writers, webhooks that change:
// everything arrives, and what is delivered once is not sent again.
func TestEverythingArrives(t *testing.T) {
	const hooks, writers, batches, batch = 5, 3, 4, 10
	var calls atomic.Int64
	var mu sync.Mutex
	arrived := map[string]int{}
	server := receiver(t, func(w http.ResponseWriter, r *http.Request) {
		if calls.Add(1)%5 == 0 {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		mu.Lock()
		arrived[r.Header.Get("Webhook-Id")]++
		mu.Unlock()
	})
	long := make([]time.Duration, 30)
	for i := range long {
		long[i] = time.Duration(i) * time.Millisecond
	}
	r := start(t, dispatch.Options{Schedule: long, MaxInFlight: 10})
	var all []*webhook.Webhook
	for i := range hooks {
		all = append(all, r.hook(server.URL, concurrency(1+i*2)))
	}
	var work sync.WaitGroup
	for range writers {
		work.Go(func() {
			for i := range batches {
				if _, err := r.Ingest(t.Context(), r.account.ID, events(batch)); err != nil {
					t.Error(err)
				}
				r.touch(all[i%hooks])
			}
		})
	}
	for left := hooks * writers * batches * batch; left > 0; {
		switch got := r.next(); got.State {
		case webhook.Delivered:
			left--
		case webhook.Failed:
			t.Fatalf("got failed after %d attempts", got.Attempt.Number)
		}
	}
	work.Wait()
	r.stop()
	var stacks strings.Builder
	if err := pprof.Lookup("goroutine").WriteTo(&stacks, 1); err != nil || strings.Contains(stacks.String(), "dispatch.(*Dispatcher)") {
		t.Errorf("%v; goroutines are left:\n%s", err, &stacks)
	}
	if got, want := len(arrived), hooks*writers*batches*batch; got != want {
		t.Errorf("got %d deliveries, want %d", got, want)
	}
	for id, n := range arrived {
		if n != 1 {
			t.Errorf("%s arrived %d times", id, n)
		}
	}
}
