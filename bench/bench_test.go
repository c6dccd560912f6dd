package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"bookhook/db"
	"bookhook/db/dbtest"
	"bookhook/dispatch"
	"bookhook/dispatch/guard"
	"bookhook/platforms"
	"bookhook/platforms/all"
	"bookhook/webhook"
)

func TestPercentile(t *testing.T) {
	for _, c := range []struct {
		n    int // durations of 1 to n ms
		part float64
		want float64
	}{
		{0, 0.5, 0},
		{1, 0.5, 1},
		{1, 0.999, 1},
		{2, 0.5, 1},
		{3, 0.5, 2},
		{100, 0.99, 99},
		{101, 0.99, 100},
		{1000, 0.999, 999},
		{1000, 1, 1000},
	} {
		var all []time.Duration
		for i := c.n; i > 0; i-- {
			all = append(all, time.Duration(i)*time.Millisecond)
		}
		percentiles(all) // sorts
		if got := percentile(all, c.part); got != c.want {
			t.Errorf("%g of %d: got %g, want %g", c.part, c.n, got, c.want)
		}
	}
}

func TestTemplate(t *testing.T) {
	l := newDeliveryLog()
	f := newTemplate(l.tag)
	f.write(f.text, 1234567890, 7)
	var event struct {
		ID        string          `json:"id"`
		ChannelID string          `json:"channel_id"`
		BookingID string          `json:"booking_id"`
		Data      json.RawMessage `json:"data"`
	}
	if err := json.Unmarshal(f.text, &event); err != nil || len(f.text) != eventSize {
		t.Fatalf("got %d bytes, %v, want %d of JSON: %s", len(f.text), err, eventSize, f.text)
	}
	if event.ID != "bench-"+l.tag+"-1234567890" || event.ChannelID != channelID(7) || event.BookingID != "1234567890" {
		t.Errorf("got %+v", event)
	}
	if got := f.text[f.data : len(f.text)-1]; !bytes.Equal(got, event.Data) {
		t.Errorf("got data %s, want %s", got, event.Data)
	}
	body := platforms.StandardBody(webhook.Event{Data: event.Data}, 1, nil)
	if got, ok := readMark(body, []byte(l.tag)); got != 1234567890 || !ok {
		t.Errorf("got %d, %t, want the number of the event in what is delivered", got, ok)
	}
	at := bytes.Index(body, []byte(marker))
	for _, other := range []string{
		"", "{}", string(body[:at+len(marker)]), string(body[:at+len(marker)+tagLength+digits]),
		strings.Replace(string(body), marker+l.tag, marker+"earlier0", 1), strings.ReplaceAll(string(body), "1234567890", "12345x7890"),
	} {
		if got, ok := readMark([]byte(other), []byte(l.tag)); ok {
			t.Errorf("got %d in %q, want none", got, other)
		}
	}
}

func TestDeliveryLog(t *testing.T) {
	l := newDeliveryLog()
	w := window{from: 100, to: 200}
	for _, e := range []struct{ planned, accepted, arrived, times int64 }{
		{90, 95, 96, 1},      // before the window
		{90, 110, 130, 1},    // 20 to be accepted, 20 to be delivered
		{120, 150, 140, 1},   // delivered before the answer was read
		{150, 160, 210, 1},   // waiting when the window ended
		{150, 160, 0, 0},     // lost
		{150, 160, 170, 3},   // twice too often
		{150, 0, 180, 1},     // not accepted, and delivered nevertheless
		{150, 0, 0, 0},       // refused
		{0, 0, 0, 0},         // never sent
		{170, 180, 190, 1},   // 10 to be accepted, in the last quarter
		{190, 210, 220, 1},   // after the window
		{150, 160, 170, 100}, // not wanted
	} {
		entry := l.at(l.issue())
		entry.planned.Store(e.planned)
		entry.accepted.Store(e.accepted)
		entry.arrived.Store(e.arrived)
		entry.times.Store(int32(e.times))
	}
	c := l.count(w, func(number int) bool { return number != 11 })
	if c.accepted != 6 || c.delivered != 5 || c.waiting != 2 || c.all != 8 || c.lost != 1 || c.duplicated != 2 {
		t.Errorf("got %+v", c)
	}
	accept, delivery := percentiles(c.accept), percentiles(c.delivery)
	if accept.Count != 6 || accept.Max != 30e-6 || delivery.Count != 5 || delivery.P50 != 10e-6 || delivery.Max != 50e-6 {
		t.Errorf("got %+v and %+v", accept, delivery)
	}
}

func TestQuarters(t *testing.T) {
	l := newDeliveryLog()
	for accepted := int64(99); accepted <= 200; accepted++ {
		entry := l.at(l.issue())
		entry.planned.Store(accepted - accepted/10)
		entry.accepted.Store(accepted)
	}
	c := l.count(window{from: 100, to: 200}, func(int) bool { return true })
	first, last := percentiles(c.early), percentiles(c.late)
	if first.Count != 25 || first.Max != 12e-6 || last.Count != 25 || last.P50 != 18e-6 || last.Max != 19e-6 {
		t.Errorf("got %+v and %+v", first, last)
	}
}

// TestRefused sends to servers that do not accept; only the first two ask to send
// the event again.
func TestRefused(t *testing.T) {
	l := newDeliveryLog()
	for i, c := range []struct {
		status      int
		kind, again string
	}{
		{http.StatusServiceUnavailable, "application/problem+json", "5"},
		{http.StatusTooManyRequests, "application/problem+json", "5"},
		{http.StatusServiceUnavailable, "application/problem+json", ""},
		{http.StatusServiceUnavailable, "text/html", "5"},
		{http.StatusInternalServerError, "application/problem+json", "5"},
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", c.kind)
			w.Header().Set("Retry-After", c.again)
			w.WriteHeader(c.status)
		}))
		request := httptest.NewRequestWithContext(t.Context(), http.MethodPost, server.URL, http.NoBody)
		request.RequestURI = ""
		err := post(http.DefaultTransport.(*http.Transport), request, []byte("{}"))
		server.Close()
		if err == nil {
			t.Fatalf("%+v: got no error", c)
		}
		l.refuse(err)
		if refused, busy := l.refused.Load(), l.busy.Load(); refused != int64(i+1) || busy != int64(min(i+1, 2)) {
			t.Errorf("%+v: got %d refused, %d of them asked to retry", c, refused, busy)
		}
	}
}

// newReceiver starts a receiver that ends with the test.
func newReceiver(t *testing.T) *receiver {
	t.Helper()
	r, err := startReceiver(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

// TestOverloadedReceiver finds it late before it recovers, and healthy afterwards.
func TestOverloadedReceiver(t *testing.T) {
	r := newReceiver(t)
	l := r.begin()
	f := newTemplate(l.tag)
	for _, late := range []bool{true, false} {
		number := l.issue()
		f.write(f.text, number, 0)
		request := httptest.NewRequestWithContext(t.Context(), http.MethodPost, r.overloaded, http.NoBody)
		request.RequestURI, request.ContentLength = "", eventSize
		began := time.Now()
		if err := post(http.DefaultTransport.(*http.Transport), request, f.text); err != nil || l.at(number).times.Load() != 1 {
			t.Errorf("got %v, %d times, want it there once", err, l.at(number).times.Load())
		}
		if took := time.Since(began); late && took < overloadedTime {
			t.Errorf("got it after %v, want at least %v", took, overloadedTime)
		}
		if late {
			r.recover()
		}
	}
}

// TestBacklogLines checks figures of which the last quarter is bad.
func TestBacklogLines(t *testing.T) {
	r := runner{report: newReport(Options{})}
	r.reportBacklog(&Measurement{
		Refused: 3, Busy: 2, ResidentBefore: new(40.0), Resident: new(50.0), Waiting: 100, DrainSeconds: 4,
		AcceptFirst: Percentiles{Count: 9, P99: 11}, AcceptLast: Percentiles{Count: 9, P99: 23},
	}, waiting{Count: 100, OldestAt: new(time.Unix(100, 0)), asked: time.Unix(160, 0)})
	var table bytes.Buffer
	if err := r.report.WriteTable(&table); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"refused, asked to retry 2", "refused otherwise 1 at most 0 MISS", "as a multiple 1.25 × at most 1.30 × PASS",
		"accept, p99 in the last quarter 23.00 ms at most 22.00 ms MISS", "the oldest, as the API says, since 60 s", "drained 25/s",
		"lost 0 at most 0 PASS",
	} {
		if !contains(strings.Split(table.String(), "\n"), want) {
			t.Errorf("%q is missing in:\n%s", want, &table)
		}
	}
}

func TestDeliveryLogGrows(t *testing.T) {
	l := newDeliveryLog()
	f := newTemplate(l.tag)
	last := 0
	for range chunkSize + 1 {
		last = l.issue()
	}
	for _, number := range []int{0, last, last, last + 1} { // the last one was never issued
		f.write(f.text, number, 0)
		l.arrive(f.text)
	}
	if l.arrivals.Load() != 3 || l.at(0).times.Load() != 1 || l.at(last).times.Load() != 2 || l.at(last).arrived.Load() == 0 {
		t.Errorf("got %d arrivals, %d and %d times", l.arrivals.Load(), l.at(0).times.Load(), l.at(last).times.Load())
	}
}

func TestParseUsage(t *testing.T) {
	stat := "42 (a) b (c)) S 1 42 42 0 -1 4194560 5000 0 7 0 250 50 1 1 20 0 9 0 100 1000 200"
	status := "Name:\ta\nVmHWM:\t   20480 kB\nVmRSS:\t   10240 kB\nThreads:\t9\n"
	got, err := parseUsage([]byte(stat), []byte(status))
	if want := (usage{cpu: 3 * time.Second, resident: 10 << 20, peak: 20 << 20, parent: 1, ended: 20 * time.Millisecond}); err != nil || got != want {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
	for _, c := range [][2]string{{"", status}, {"42 (a) S 1", status}, {strings.Replace(stat, "250", "x", 1), status}, {strings.Replace(stat, "1 1 20", "x 1 20", 1), status}, {strings.Replace(stat, "S 1", "S x", 1), status}, {stat, ""}, {stat, "VmRSS:\tx kB"}} {
		if got, err := parseUsage([]byte(c[0]), []byte(c[1])); err == nil {
			t.Errorf("%q: got %+v, want an error", c, got)
		}
	}
	if runtime.GOOS == "linux" {
		if own, err := readUsage(os.Getpid()); err != nil || own.resident <= 0 || own.peak < own.resident/2 {
			t.Errorf("got %+v, %v, want what this process uses", own, err)
		}
	}
}

// TestReadFamily: children count, those that have ended too.
func TestReadFamily(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux has /proc")
	}
	const busy = "i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done"
	cmd := exec.Command("sh", "-c", "("+busy+"); ("+busy+"; echo; read line); true")
	input, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	output, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(output, make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	parent, err := readUsage(cmd.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	family, err := readFamily(cmd.Process.Pid)
	if living := family.cpu - parent.cpu - parent.ended; err != nil || parent.ended <= 0 || living <= 0 || family.resident <= 0 {
		t.Errorf("got %+v, %v, want more than %+v has used alone", family, err, parent)
	}
	if err := errors.Join(input.Close(), cmd.Wait()); err != nil {
		t.Error(err)
	}
}

func TestReport(t *testing.T) {
	r := newReport(Options{Version: "1.2", Time: 30 * time.Second, Connections: 64})
	r.add("plain", "/s", new(1234.5))
	r.checkShare("share", 13, 20, 60, 80)
	r.checkShare("good share", 16, 20, 60, 80)
	r.checkAtMost("memory", "MB", nil, 30, 20)
	if r.Missed() {
		t.Errorf("got a miss in %+v", r.Lines)
	}
	r.checkAtMost("latency", "ms", new(2.5), 2, 0.1)
	r.Measurements = []*Measurement{{Lost: 1}, {Lost: 2}}
	r.checkNone("lost", func(m *Measurement) int { return m.Lost })
	r.checkNone("duplicated", func(m *Measurement) int { return m.Duplicated })
	for i, want := range []Verdict{"", Pass, Reached, Unknown, Miss, Miss, Pass} {
		if got := r.Lines[i].Verdict; got != want {
			t.Errorf("%s: got %q, want %q", r.Lines[i].What, got, want)
		}
	}
	if !r.Missed() {
		t.Errorf("got no miss in %+v", r.Lines)
	}
	var table, text bytes.Buffer
	if err := errors.Join(r.WriteTable(&table), r.WriteJSON(&text)); err != nil {
		t.Fatal(err)
	}
	rows := strings.Split(table.String(), "\n")
	for _, want := range []string{
		"plain 1234/s", "share 65.0 % at least 60.0 % 80.0 % PASS", "memory – at most 30 MB 20 MB not measured",
		"latency 2.50 ms at most 2.00 ms 0.10 ms MISS", "lost 3 at most 0 MISS",
	} {
		if !contains(rows, want) {
			t.Errorf("%q is missing in:\n%s", want, &table)
		}
	}
	var again Report
	if err := json.Unmarshal(text.Bytes(), &again); err != nil || len(again.Lines) != len(r.Lines) || again.Lines[3].Measured != nil {
		t.Errorf("got %+v, %v", again, err)
	}
}

// contains looks for a row, whatever the width of its columns.
func contains(rows []string, want string) bool {
	for _, row := range rows {
		if strings.Join(strings.Fields(row), " ") == want {
			return true
		}
	}
	return false
}

// testStore has one account with one webhook that takes one request at a time.
func testStore(t *testing.T, target string) (*db.Store, *sampleAccounts) {
	t.Helper()
	store := dbtest.New(t)
	sample, err := createSampleIn(t.Context(), store, shape{accounts: 1, perAccount: 1, concurrency: 1}, func(int) string { return target })
	if err != nil {
		t.Fatal(err)
	}
	return store, sample
}

// dispatching runs a dispatcher that stores nothing and has at most about
// capacity deliveries queued.
func dispatching(t *testing.T, store *db.Store, capacity int) *dispatch.Dispatcher {
	t.Helper()
	unstored, err := NewUnstored(store)
	if err != nil {
		t.Fatal(err)
	}
	unstored.capacity = capacity
	allowed, err := guard.New("127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	d := dispatch.New(dispatch.Options{Store: unstored, Lookups: store, Shards: store, Guard: allowed, Platforms: all.Platforms()})
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- d.Run(ctx) }()
	<-d.Ready()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return d
}

// TestUnstoredLosesNothing sends more at once than the dispatcher has room for.
func TestUnstoredLosesNothing(t *testing.T) {
	const senders, each = 20, 10
	arrived := make(chan string, senders*each+1)
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		arrived <- r.Header.Get("Webhook-Id")
	}))
	defer receiver.Close()
	store, sample := testStore(t, receiver.URL)
	d := dispatching(t, store, 50)
	var group sync.WaitGroup
	var accepted atomic.Int64
	for range senders {
		group.Go(func() {
			for range each {
				events := []webhook.Event{{Platform: webhook.DefaultPlatform, Type: eventType, ChannelID: channelID(0)}, {Platform: webhook.DefaultPlatform, Type: eventType, ChannelID: "other"}}
				got, err := d.Ingest(t.Context(), sample.accounts[0], events)
				if err != nil || len(got) != 2 || got[0].Decisions[0].Reason != webhook.Matched || got[1].Decisions[0].Reason != webhook.ReasonChannel {
					t.Errorf("got %+v, %v", got, err)
					return
				}
				accepted.Add(1)
			}
		})
	}
	group.Wait()
	seen := map[string]bool{}
	for range accepted.Load() {
		select {
		case id := <-arrived:
			if seen[id] {
				t.Errorf("%s arrived twice", id)
			}
			seen[id] = true
		case <-time.After(patience):
			t.Fatalf("got %d of %d", len(seen), accepted.Load())
		}
	}
}

func TestUnstoredStopsWaiting(t *testing.T) {
	release := make(chan struct{})
	receiver := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	defer receiver.Close()
	defer close(release)
	store, sample := testStore(t, receiver.URL)
	d := dispatching(t, store, 5)
	ctx, cancel := context.WithCancel(t.Context())
	events := make([]webhook.Event, 10) // more than a lane holds and may be queued, all for the one webhook
	for i := range events {
		events[i] = webhook.Event{Platform: webhook.DefaultPlatform, Type: eventType, ChannelID: channelID(0)}
	}
	if _, err := d.Ingest(ctx, sample.accounts[0], events); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error)
	go func() {
		_, err := d.Ingest(ctx, sample.accounts[0], events)
		ended <- err
	}()
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want that the caller left", err)
	}
}

func TestPrefill(t *testing.T) {
	const deliveries = 3*webhook.MaxBatch + 7
	path := filepath.Join(t.TempDir(), "full.db")
	s := shape{accounts: 2, perAccount: 3, concurrency: commonRequests}
	if err := prefill(t.Context(), path, s, "http://127.0.0.1:1/", deliveries, io.Discard); err != nil {
		t.Fatal(err)
	}
	sample, err := createSample(t.Context(), path, nil, s, func(int) string { return "http://127.0.0.1:2/" })
	if err != nil {
		t.Fatal(err)
	}
	if n, err := sample.unrecorded(t.Context(), path, func(int) bool { return true }); n != 0 || err != nil {
		t.Errorf("got %d, %v, want nothing that is still to be sent", n, err)
	}
	store, err := db.Create(t.Context(), path, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	total := 0
	for _, account := range sample.accounts {
		n, err := store.CountDeliveries(t.Context(), account, webhook.DeliveryFilter{})
		if err != nil {
			t.Fatal(err)
		}
		total += n.N
		hooks, err := store.Webhooks(t.Context(), account)
		if err != nil || len(hooks) != s.perAccount || hooks[0].URL != "http://127.0.0.1:2/" {
			t.Errorf("got %+v, %v, want the webhooks that were there, with the new URL", hooks, err)
		}
	}
	if total != deliveries {
		t.Errorf("got %d deliveries, want %d", total, deliveries)
	}
	if left, err := filepath.Glob(path + ".part*"); len(left) > 0 || err != nil {
		t.Errorf("got %v, %v, want the file complete", left, err)
	}
}
