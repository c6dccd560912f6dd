package bench

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"bookhook/db"
	"bookhook/webhook"
)

// TestDrained: fresh events count from the first delivery of the backlog to its last.
func TestDrained(t *testing.T) {
	l := newDeliveryLog()
	const ms = int64(time.Millisecond)
	backlog := []int64{300 * ms, 100 * ms, 200 * ms, 0, 500 * ms} // when each arrived; one never did
	for _, at := range backlog {
		e := l.at(l.issue())
		e.accepted.Store(1)
		e.arrived.Store(at)
		e.times.Store(1)
	}
	for number := len(backlog); number < 3*drained.accounts; number++ {
		e, accepted, took := l.at(l.issue()), 150*ms, 2*ms
		switch number {
		case drained.accounts: // of the first account
			took = 7 * ms
		case drained.accounts + 1:
			accepted, took = 99*ms, 1000*ms // before
		case drained.accounts + 2:
			accepted, took = 501*ms, 1000*ms // afterwards
		}
		e.planned.Store(accepted - 3*ms)
		e.accepted.Store(accepted)
		e.arrived.Store(accepted + took)
		e.times.Store(1)
	}
	d := l.drained(len(backlog))
	if d.seconds != 0.4 || d.rate != 10 {
		t.Errorf("got %g/s in %g s, want 4 in 0.4 s", d.rate, d.seconds)
	}
	if d.accept.Count != d.own.Count+d.neighbour.Count || d.accept.P50 != 3 {
		t.Errorf("got %+v, want 3 ms to accept", d.accept)
	}
	if d.own.Count != 2 || d.own.Max != 7 || d.neighbour.Count != 3*drained.accounts-len(backlog)-4 || d.neighbour.Max != 2 {
		t.Errorf("got %+v and %+v", d.own, d.neighbour)
	}
}

func TestDrainLines(t *testing.T) {
	r := runner{report: newReport(Options{})}
	r.reportDrain(drain{rate: 99, seconds: 20, own: Percentiles{Count: 5, P99: 21}, accept: Percentiles{Count: 5, P99: 30}}, 2000, 100)
	wantLines(t, r.report,
		"drain beside fresh events: waiting when its receiver is well again 2000", "drained 99/s",
		"drained, share of that 99.0 % at least 100.0 % 120.0 % MISS",
		"fresh events of other accounts: accepted → delivered, p99 – at most 20.00 ms 5.00 ms not measured",
		"of another webhook of the account 21.00 ms at most 20.00 ms 5.00 ms MISS", "accept, p99 of both 30.00 ms",
	)
}

func wantLines(t *testing.T, r *Report, lines ...string) {
	t.Helper()
	var table bytes.Buffer
	if err := r.WriteTable(&table); err != nil {
		t.Fatal(err)
	}
	for _, want := range lines {
		if !contains(strings.Split(table.String(), "\n"), want) {
			t.Errorf("%q is missing in:\n%s", want, &table)
		}
	}
}

// TestFillBacklog finds so many deliveries due for the one webhook, and their events as
// the first ones of the log.
func TestFillBacklog(t *testing.T) {
	const rows = 2*webhook.MaxBatch + 3
	r := newReceiver(t)
	path := filepath.Join(t.TempDir(), "backlog.db")
	sample, err := createSample(t.Context(), path, nil, drained, func(int) string { return r.url })
	if err != nil {
		t.Fatal(err)
	}
	store, err := db.Open(t.Context(), path, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	log, w := r.begin(), sample.webhooks[0][drainedPlace]
	if err := (&runner{receiver: r}).fillBacklog(t.Context(), store, w, log, rows); err != nil {
		t.Fatal(err)
	}
	due, err := store.Due(t.Context(), webhook.AllShards)
	if err != nil || len(due) != 1 || due[w.ID].At.IsZero() {
		t.Errorf("got %v, %v, want deliveries of one webhook due", due, err)
	}
	now := time.Now()
	jobs, _, err := store.Claim(t.Context(), webhook.Claim{Webhook: w.ID, N: 2 * rows, Now: now, Lease: now.Add(time.Hour)})
	if err != nil || len(jobs) != rows || log.issue() != rows {
		t.Fatalf("got %d deliveries, %v, want %d", len(jobs), err, rows)
	}
	for _, c := range []struct{ away, arrives bool }{{true, false}, {false, true}} {
		r.isAway.Store(c.away)
		for _, job := range jobs {
			body := append([]byte(`{"event":`), job.Event.Data...)
			response, err := http.Post(job.Webhook.URL, "application/json", bytes.NewReader(body)) //nolint:noctx // a test
			if err != nil {
				t.Fatal(err)
			}
			response.Body.Close()
		}
		for number := range rows {
			if e := log.at(number); e.arrived.Load() != 0 != c.arrives || e.accepted.Load() == 0 {
				t.Errorf("away %t: %d arrived at %d", c.away, number, e.arrived.Load())
			}
		}
	}
}

// TestLoadEnds: it sends numbers behind those of the backlog, at its rate from now on,
// and ends with what it waits for or with its time.
func TestLoadEnds(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer server.Close()
	address, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name  string
		time  time.Duration
		early bool
	}{{"enough", time.Hour, true}, {"time", 20 * time.Millisecond, false}} {
		const backlog, rate = 1000, 500
		log := newDeliveryLog()
		for range backlog {
			log.issue()
		}
		accepted := func() bool { return log.at(backlog+1).accepted.Load() != 0 }
		l := &load{log: log, urls: []*url.URL{address}, tokens: []string{"x"}, perAccount: 1, connections: 2, rate: rate, warm: time.Millisecond, time: c.time}
		l.enough = func(ctx context.Context, got *deliveryLog) {
			for enough := false; !enough && sleep(ctx, time.Millisecond); {
				enough = c.early && got == log && accepted()
			}
		}
		samples := 0
		w, err := l.run(t.Context(), func() { samples++ })
		if err != nil || samples != 2 || !accepted() || log.refused.Load() != 0 {
			t.Errorf("%s: got %v, %d samples, %d refused", c.name, err, samples, log.refused.Load())
		}
		if whole := int64(c.time); (w.to-w.from < whole) != c.early || w.to > log.now() {
			t.Errorf("%s: got a window of %v", c.name, time.Duration(w.to-w.from))
		}
		if planned := log.at(backlog+1).planned.Load() - log.at(backlog).planned.Load(); planned != int64(time.Second)/rate {
			t.Errorf("%s: got %v between the first events", c.name, time.Duration(planned))
		}
	}
}
