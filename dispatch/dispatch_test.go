package dispatch_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"runtime/pprof"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"bookhook/dispatch"
	"bookhook/webhook"
)

// quick is a schedule of three tries.
var quick = []time.Duration{0, time.Millisecond, time.Millisecond}

func TestDelivered(t *testing.T) {
	type seen struct {
		*http.Request
		body []byte
	}
	requests := make(chan seen, 1)
	server := receiver(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		requests <- seen{r, body}
		w.Header().Set("X-Answer", "yes")
		_, _ = io.WriteString(w, "thanks")
	})
	r := start(t, dispatch.Options{})
	w := r.hook(server.URL + "/in?x=1")
	id := r.ingest(1)[0]
	got := receive(t, requests)
	r.next()

	if want := "/in?x=1"; got.Method != "POST" || got.RequestURI != want {
		t.Errorf("got %s %s, want POST %s", got.Method, got.RequestURI, want)
	}
	seconds, _ := strconv.ParseInt(got.Header.Get("Webhook-Timestamp"), 10, 64)
	signature, _ := webhook.Sign([]string{w.Secret}, got.Header.Get("Webhook-Id"), time.Unix(seconds, 0), got.body)
	for name, want := range map[string]string{
		"Content-Type": "application/json", "User-Agent": "bookhook/1.2.3", "Bookhook-Attempt": "1", "Bookhook-Test": "",
		"Webhook-Id": id.Text(webhook.DeliveryPrefix), "Webhook-Signature": signature, "Accept-Encoding": "",
	} {
		if value := got.Header.Get(name); value != want {
			t.Errorf("%s: got %q, want %q", name, value, want)
		}
	}

	d, a := r.delivery(id), r.attempts(id)[0]
	if d.State != webhook.Delivered || d.Attempts != 1 || d.Last.Status != 200 {
		t.Errorf("got %+v, want delivered by one attempt", d)
	}
	if a.Status != 200 || string(a.ResponseBody) != "thanks" || a.Error != "" || a.Duration <= 0 || a.RemoteAddr != server.Listener.Addr().String() {
		t.Errorf("got %+v, want what the server answered", a)
	}
	if a.ResponseHeaders.Get("X-Answer") != "yes" || string(a.RequestBody) != string(got.body) || a.URL != w.URL || a.Method != "POST" {
		t.Errorf("got %+v, want what was exchanged", a)
	}
	sent := got.Header.Clone()
	sent.Set("Host", got.Host)
	sent.Set("Content-Length", strconv.FormatInt(got.ContentLength, 10))
	if len(sent) != len(a.RequestHeaders) {
		t.Errorf("recorded %v, the server saw %v", a.RequestHeaders, sent)
	}
	for name := range sent {
		if a.RequestHeaders.Get(name) != sent.Get(name) {
			t.Errorf("%s: recorded %q, the server saw %q", name, a.RequestHeaders.Get(name), sent.Get(name))
		}
	}
}

func TestNativeIsSignedOverItsQuery(t *testing.T) {
	requests := make(chan *http.Request, 1)
	server := receiver(t, func(_ http.ResponseWriter, r *http.Request) { requests <- r })
	r := start(t, dispatch.Options{})
	w := r.hook(server.URL+"/in?key=a%20b", native)
	id := r.ingest(1)[0]
	got := receive(t, requests)
	if want := "/in?key=a%20b&event=cancelled&account_id=4069&account_name=Test%20Operator&channel_id=3930&booking_id=1000"; got.Method != "GET" || got.RequestURI != want {
		t.Errorf("got %s %s, want GET %s", got.Method, got.RequestURI, want)
	}
	seconds, _ := strconv.ParseInt(got.Header.Get("Webhook-Timestamp"), 10, 64)
	want, _ := webhook.Sign([]string{w.Secret}, id.Text(webhook.DeliveryPrefix), time.Unix(seconds, 0), []byte(got.URL.RawQuery))
	if signature := got.Header.Get("Webhook-Signature"); signature != want {
		t.Errorf("got signature %q, want %q", signature, want)
	}
	if r.next().State != webhook.Delivered {
		t.Error("not delivered")
	}
}

func TestStatuses(t *testing.T) {
	for _, tt := range []struct {
		status  int
		format  webhook.Format
		state   webhook.State
		failure webhook.Failure
		words   string
	}{
		{200, webhook.Native, webhook.Delivered, "", ""},
		{204, webhook.Native, webhook.Pending, webhook.FailStatus, "only 200 counts"},
		{204, webhook.Standard, webhook.Delivered, "", ""},
		{299, webhook.Standard, webhook.Delivered, "", ""},
		{400, webhook.Standard, webhook.Pending, webhook.FailStatus, "400 (Bad Request)"},
		{404, webhook.Standard, webhook.Pending, webhook.FailStatus, "path"},
		{405, webhook.Native, webhook.Pending, webhook.FailStatus, "GET"},
		{405, webhook.Standard, webhook.Pending, webhook.FailStatus, "POST"},
		{503, webhook.Standard, webhook.Pending, webhook.FailStatus, "503 (Service Unavailable)"},
		{599, webhook.Standard, webhook.Pending, webhook.FailStatus, "599"},
		{304, webhook.Standard, webhook.Pending, webhook.FailRedirect, "does not follow"},
		{410, webhook.Standard, webhook.Failed, webhook.FailGone, "switched off"},
	} {
		t.Run(strconv.Itoa(tt.status)+string(tt.format), func(t *testing.T) {
			r := start(t, dispatch.Options{})
			r.hook(receiver(t, answer(tt.status)).URL, func(w *webhook.Webhook) { w.Format = tt.format })
			r.ingest(1)
			got := r.next()
			if got.State != tt.state || got.Attempt.Failure != tt.failure || got.Attempt.Status != tt.status {
				t.Errorf("got %s, %q, %d, want %s, %q, %d", got.State, got.Attempt.Failure, got.Attempt.Status, tt.state, tt.failure, tt.status)
			}
			if !strings.Contains(got.Attempt.Error, tt.words) {
				t.Errorf("got %q, want it to say %q", got.Attempt.Error, tt.words)
			}
		})
	}
}

func TestRedirectIsNotFollowed(t *testing.T) {
	var followed atomic.Bool
	other := receiver(t, func(http.ResponseWriter, *http.Request) { followed.Store(true) })
	server := receiver(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, other.URL, http.StatusFound) })
	r := start(t, dispatch.Options{})
	r.hook(server.URL, native)
	r.ingest(1)
	if a := r.next().Attempt; a.Failure != webhook.FailRedirect || !strings.Contains(a.Error, other.URL) {
		t.Errorf("got %q, %q, want a redirect that names %s", a.Failure, a.Error, other.URL)
	}
	if followed.Load() {
		t.Error("the redirect was followed")
	}
}

func TestRetriedUntilDelivered(t *testing.T) {
	var tries atomic.Int32
	server := receiver(t, func(w http.ResponseWriter, r *http.Request) {
		n := tries.Add(1)
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
	if _, err := r.Replay(t.Context(), r.account.ID, id, "me"); err != nil {
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

func TestGoneSwitchesOffAndTheRestWaits(t *testing.T) {
	r := start(t, dispatch.Options{})
	w := r.hook(receiver(t, answer(http.StatusGone)).URL, concurrency(1))
	r.ingest(3)
	if got := r.next(); got.State != webhook.Failed || !got.Gone {
		t.Errorf("got %s, gone %t, want failed, gone", got.State, got.Gone)
	}
	for range 2 { // given back, or sent by a dispatcher that did not know yet
		select {
		case <-r.store.released:
		case <-r.store.finished:
		}
	}
	r.stop()
	after, err := r.store.Webhook(context.Background(), r.account.ID, w.ID)
	if err != nil || after.Enabled || after.OffReason != webhook.OffGone {
		t.Errorf("got %+v, %v, want a webhook that is off", after, err)
	}
}

func TestTestIsOneTry(t *testing.T) {
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

func TestBodyIsCut(t *testing.T) {
	for _, tt := range []struct {
		size, kept int
		truncated  bool
	}{
		{webhook.MaxStoredBody, webhook.MaxStoredBody, false},
		{webhook.MaxStoredBody + 1, webhook.MaxStoredBody, true},
		{4 << 20, webhook.MaxStoredBody, true},
	} {
		r := start(t, dispatch.Options{})
		r.hook(receiver(t, func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, strings.Repeat("x", tt.size))
		}).URL)
		r.ingest(1)
		got := r.next()
		if got.State != webhook.Delivered || len(got.Attempt.ResponseBody) != tt.kept || got.Attempt.Truncated != tt.truncated {
			t.Errorf("%d bytes: got %s, %d kept, truncated %t, want %d, %t", tt.size, got.State,
				len(got.Attempt.ResponseBody), got.Attempt.Truncated, tt.kept, tt.truncated)
		}
	}
}

func TestConnectionIsUsedAgain(t *testing.T) {
	peers := make(chan string, 10)
	server := receiver(t, func(w http.ResponseWriter, r *http.Request) {
		peers <- r.RemoteAddr
		_, _ = io.WriteString(w, strings.Repeat("x", 100<<10))
	})
	r := start(t, dispatch.Options{})
	r.hook(server.URL)
	first := ""
	for range 3 {
		r.ingest(1)
		r.next()
		peer := receive(t, peers)
		if first != "" && peer != first {
			t.Errorf("got a new connection from %s, want that from %s again", peer, first)
		}
		first = peer
	}
}

// A receiver may close a kept connection at any time; that is not its failure.
func TestClosedConnectionCostsNoAttempt(t *testing.T) {
	const fine = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
	r := start(t, dispatch.Options{})
	r.hook("http://" + raw(t, func(c net.Conn) {
		_, _ = io.WriteString(c, fine)
		_, _ = c.Read(make([]byte, 4096)) // the second request
		c.Close()
	}))
	for range 2 {
		id := r.ingest(1)[0]
		if got := r.next(); got.State != webhook.Delivered || got.Delivery != id || got.Attempt.Number != 1 {
			t.Errorf("got %s, %s, want delivered at the first attempt", got.State, got.Attempt.Error)
		}
	}
}

func TestSlowReceiverDoesNotDelayAnother(t *testing.T) {
	slow := newGate(t)
	r := start(t, dispatch.Options{})
	slowHook := r.hook(slow.URL)
	r.ingest(500) // far more than the lane holds
	fastHook := r.hook(receiver(t, answer(200)).URL)
	for range 20 {
		r.ingest(10)
		for range 10 {
			if got := r.next(); got.Webhook != fastHook.ID {
				t.Fatalf("got a result of %s, want only those of the fast one", got.Webhook.Text(webhook.WebhookPrefix))
			}
		}
	}
	slow.open()
	for range 700 {
		if got := r.next(); got.Webhook != slowHook.ID || got.State != webhook.Delivered {
			t.Fatalf("got %s, want all of the slow one delivered", got.State)
		}
	}
	if got := slow.most.Load(); got > webhook.DefaultConcurrency {
		t.Errorf("got %d requests at once, want %d at most", got, webhook.DefaultConcurrency)
	}
}

func TestConcurrency(t *testing.T) {
	for _, limit := range []int{1, 3, 64} {
		g := newGate(t)
		r := start(t, dispatch.Options{})
		r.hook(g.URL, concurrency(limit))
		r.ingest(100)
		for range limit {
			receive(t, g.arrived)
		}
		g.open()
		for range 100 {
			r.next()
		}
		if got := int(g.most.Load()); got != limit {
			t.Errorf("got %d requests at once, want %d", got, limit)
		}
	}
}

func TestGlobalCapIsShared(t *testing.T) {
	a, b := newGate(t), newGate(t)
	r := start(t, dispatch.Options{MaxInFlight: 2})
	r.hook(a.URL)
	r.hook(b.URL)
	r.ingest(20)
	receive(t, a.arrived)
	receive(t, b.arrived)
	a.open()
	b.open()
	for range 40 {
		r.next()
	}
	if got := a.most.Load() + b.most.Load(); got > 4 {
		t.Errorf("got %d requests at once, want 2 in all", got)
	}
}

func TestShutdownWaitsWithinTheGrace(t *testing.T) {
	g := newGate(t)
	r := start(t, dispatch.Options{})
	r.hook(g.URL, concurrency(2))
	ids := r.ingest(5)
	receive(t, g.arrived)
	receive(t, g.arrived)
	stopped := make(chan struct{})
	go func() {
		r.stop()
		close(stopped)
	}()
	released := map[webhook.ID]bool{}
	for range 3 { // those in the queue, at once
		released[receive(t, r.store.released)] = true
	}
	g.open()
	receive(t, stopped)
	for _, id := range ids {
		d := r.delivery(id)
		if released[id] && (d.State != webhook.Pending || d.Attempts != 0 || d.NextAt.After(time.Now())) {
			t.Errorf("got %+v, want a delivery that nobody touched", d)
		}
		if !released[id] && d.State != webhook.Delivered {
			t.Errorf("got %+v, want what was in flight delivered", d)
		}
	}
}

func TestShutdownChargesNothingForWhatItCutsOff(t *testing.T) {
	g := newGate(t)
	r := start(t, dispatch.Options{Grace: time.Millisecond})
	r.hook(g.URL)
	id := r.ingest(1)[0]
	receive(t, g.arrived)
	r.stop()
	if d := r.delivery(id); d.State != webhook.Pending || d.Attempts != 0 || d.NextAt.After(time.Now()) {
		t.Errorf("got %+v, want due and not charged", d)
	}
	if got := len(r.attempts(id)); got != 0 {
		t.Errorf("got %d attempts in the log, want none", got)
	}
}

func TestNothingIsTakenBeforeAndAfterRunning(t *testing.T) {
	r := newRig(t)
	r.hook(receiver(t, answer(200)).URL)
	r.Dispatcher = dispatch.New(dispatch.Options{Store: r.store})
	if r.Alive() {
		t.Error("alive before Run")
	}
	id := r.ingest(1)[0]
	if d := r.delivery(id); d.Attempts != 0 {
		t.Errorf("got %d attempts before Run, want 0", d.Attempts)
	}
	r.run(dispatch.Options{})
	if got := r.next(); got.Delivery != id || got.State != webhook.Delivered {
		t.Errorf("got %+v, want what waited delivered", got)
	}
	if !r.Alive() {
		t.Error("not alive while running")
	}
	r.stop()
	if d := r.delivery(r.ingest(1)[0]); r.Alive() || d.Attempts != 0 {
		t.Errorf("got alive %t, %d attempts after Run, want none of that", r.Alive(), d.Attempts)
	}
}

func TestClaimsOfADeadProcessHealAtStart(t *testing.T) {
	r := newRig(t)
	r.hook(receiver(t, answer(200)).URL)
	now := time.Now()
	take := func(*webhook.Webhook) bool { return true }
	accepted, err := r.store.Ingest(t.Context(), r.account.ID, events(1), now, now.Add(time.Hour), take)
	if err != nil {
		t.Fatal(err)
	}
	r.run(dispatch.Options{})
	got := r.next()
	if got.State != webhook.Delivered || got.Delivery != accepted[0].Jobs[0].Delivery.ID || got.Attempt.Number != 2 {
		t.Errorf("got %+v, want delivered by the second attempt", got)
	}
}

func TestChangedUsesTheNewURL(t *testing.T) {
	old, fresh := newGate(t), newGate(t)
	fresh.open()
	r := start(t, dispatch.Options{})
	w := r.hook(old.URL, concurrency(1))
	r.ingest(10)
	receive(t, old.arrived) // the others are queued, or in the table
	w.URL = fresh.URL
	if err := r.store.UpdateWebhook(t.Context(), w, time.Time{}, nil, "test", time.Now()); err != nil {
		t.Fatal(err)
	}
	r.Changed(w.ID)
	old.open()
	for range 10 {
		if got := r.next(); got.State != webhook.Delivered || got.Attempt.Number != 1 {
			t.Errorf("got %s by attempt %d, want delivered by the first", got.State, got.Attempt.Number)
		}
	}
	if got := len(fresh.arrived); got != 9 {
		t.Errorf("got %d requests at the new URL, want 9", got)
	}
}

func TestOffWaitsUntilOn(t *testing.T) {
	g := newGate(t)
	r := start(t, dispatch.Options{})
	w := r.hook(g.URL, concurrency(1))
	ids := r.ingest(3)
	receive(t, g.arrived)
	switchTo := func(on bool) {
		t.Helper()
		if _, err := r.store.SetEnabled(t.Context(), r.account.ID, w.ID, on, "test", time.Now()); err != nil {
			t.Fatal(err)
		}
		r.Changed(w.ID)
	}
	switchTo(false)
	g.open()
	r.next() // what was in flight
	for range 2 {
		receive(t, r.store.released)
	}
	if got := len(g.arrived); got != 0 {
		t.Errorf("got %d requests while off, want none", got)
	}
	switchTo(true)
	for range ids[1:] {
		if got := r.next().State; got != webhook.Delivered {
			t.Errorf("got %s, want delivered once on", got)
		}
	}
}

func TestOutcomeSurvivesAFailingStore(t *testing.T) {
	r := start(t, dispatch.Options{})
	r.hook(receiver(t, answer(200)).URL)
	r.store.failures.Store(2)
	id := r.ingest(1)[0]
	r.next()
	r.stop()
	if d := r.delivery(id); d.State != webhook.Delivered || d.Attempts != 1 {
		t.Errorf("got %+v, want delivered by one attempt", d)
	}
	if got := strings.Count(r.log.String(), "disk full"); got != 1 {
		t.Errorf("the failure was logged %d times, want once:\n%s", got, r.log)
	}
}

func TestDuplicatesGiveTheirPlacesBack(t *testing.T) {
	r := start(t, dispatch.Options{})
	r.hook(receiver(t, answer(200)).URL, concurrency(1))
	event := events(1)
	event[0].ExternalID = "same"
	for range 50 { // the lane holds three
		if _, err := r.Ingest(t.Context(), r.account.ID, event); err != nil {
			t.Fatal(err)
		}
	}
	conflict := events(3)
	conflict[2].ExternalID, conflict[2].Type = "same", "other"
	for range 50 { // two places are taken, then all is undone
		if _, err := r.Ingest(t.Context(), r.account.ID, conflict); err == nil {
			t.Fatal("got no conflict")
		}
	}
	r.next()
	d := r.delivery(r.ingest(1)[0])
	if d.Attempts != 1 {
		t.Errorf("got %+v, want the delivery taken at once", d)
	}
	r.next()
}

func TestLogHasNoSecrets(t *testing.T) {
	r := start(t, dispatch.Options{})
	w := r.hook(receiver(t, answer(302)).URL+"/in?token=geheim", native)
	id := r.ingest(1)[0]
	r.next()
	r.stop()
	text := r.log.String()
	for _, want := range []string{id.Text(webhook.DeliveryPrefix), w.Ref(), "number=1", "status=302", "reason=redirect", "account=4069"} {
		if !strings.Contains(text, want) {
			t.Errorf("the log does not say %q:\n%s", want, text)
		}
	}
	for _, never := range []string{"geheim", "127.0.0.1", "booking_id", "whsec", "v1,"} {
		if strings.Contains(text, never) {
			t.Errorf("the log says %q:\n%s", never, text)
		}
	}
}

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
				r.Changed(all[i%hooks].ID)
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
