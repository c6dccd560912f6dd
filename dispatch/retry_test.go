package dispatch_test

import (
	"net/http"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"bookhook/dispatch"
	"bookhook/webhook"
)

// quick is a schedule of three attempts.
var quick = []time.Duration{0, time.Millisecond, time.Millisecond}

func TestRetriedUntilDelivered(t *testing.T) {
	t.Parallel()
	var attempts atomic.Int32
	server := receiver(t, func(w http.ResponseWriter, r *http.Request) {
		n := attempts.Add(1)
		if got := r.Header.Get("Bookhook-Attempt"); got != strconv.Itoa(int(n)) {
			t.Errorf("got attempt %s, want %d", got, n)
		}
		if n < 3 {
			w.WriteHeader(http.StatusInternalServerError)
		}
	})
	r := start(t, dispatch.Options{Schedule: quick})
	r.hook(server.URL)
	id := r.ingest(1)[0]
	for _, want := range []webhook.State{webhook.Pending, webhook.Pending, webhook.Delivered} {
		if got := r.next().State; got != want {
			t.Fatalf("got %s, want %s", got, want)
		}
	}
	if got := len(r.attempts(id)); got != 3 {
		t.Errorf("got %d attempts in the log, want 3", got)
	}
}

func TestGivenUpAndReplayed(t *testing.T) {
	t.Parallel()
	var healthy atomic.Bool
	server := receiver(t, func(w http.ResponseWriter, _ *http.Request) {
		if !healthy.Load() {
			w.WriteHeader(http.StatusBadGateway)
		}
	})
	r := start(t, dispatch.Options{Schedule: quick})
	r.hook(server.URL)
	id := r.ingest(1)[0]
	for range quick {
		r.next()
	}
	if got := r.delivery(id).State; got != webhook.Failed {
		t.Fatalf("got %s, want failed", got)
	}
	if _, err := r.Replay(t.Context(), r.account.ID, id, byTest()); err != nil {
		t.Fatal(err)
	}
	if got := r.next(); got.State != webhook.Pending || got.Attempt.Number != 4 {
		t.Errorf("got %s after attempt %d, want the schedule to begin again", got.State, got.Attempt.Number)
	}
	healthy.Store(true)
	for r.next().State != webhook.Delivered {
	}
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		status   int
		value    string
		min, max time.Duration
	}{
		{503, "100", 100 * time.Second, 110 * time.Second},
		{429, "100", 100 * time.Second, 110 * time.Second},
		{429, "", time.Minute, 66 * time.Second},
		{503, time.Now().Add(time.Hour).UTC().Format(http.TimeFormat), 59 * time.Minute, 66 * time.Minute},
		{503, "1", 5 * time.Second, 5500 * time.Millisecond},
		{500, "100", 5 * time.Second, 5500 * time.Millisecond},
		{503, "soon", 5 * time.Second, 5500 * time.Millisecond},
	} {
		t.Run(strconv.Itoa(tt.status)+" "+tt.value, func(t *testing.T) {
			r := start(t, dispatch.Options{})
			r.hook(receiver(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Retry-After", tt.value)
				w.WriteHeader(tt.status)
			}).URL)
			before := time.Now()
			r.ingest(1)
			got := r.next().NextAt
			if got.Before(before.Add(tt.min)) || got.After(time.Now().Add(tt.max)) {
				t.Errorf("next try after %s, want %s to %s", got.Sub(before), tt.min, tt.max)
			}
		})
	}
}

func TestTestIsOneTry(t *testing.T) {
	t.Parallel()
	requests := make(chan *http.Request, 1)
	server := receiver(t, func(w http.ResponseWriter, r *http.Request) {
		requests <- r
		w.WriteHeader(http.StatusInternalServerError)
	})
	r := start(t, dispatch.Options{})
	w := r.hook(server.URL, func(w *webhook.Webhook) { w.Events = []string{"redeem_voucher"} })
	d, err := r.Test(t.Context(), r.account.ID, w.ID, events(1)[0])
	if err != nil {
		t.Fatal(err)
	}
	if got := receive(t, requests).Header.Get("Bookhook-Test"); got != "true" {
		t.Errorf("got bookhook-test %q, want true", got)
	}
	if got := r.next(); got.State != webhook.Failed || got.Delivery != d.ID || !got.Test {
		t.Errorf("got %+v, want the test failed at once", got)
	}
}
