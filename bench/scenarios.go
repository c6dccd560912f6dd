package bench

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"time"

	"bookhook/webhook"
)

// The shapes and rates of the scenarios.
const (
	idleTime       = 2 * time.Second
	disturbedRate  = 500 // events/s; far from what the machine can do
	oneInTen       = 10
	fillTime       = 15 * time.Second // until the hostile account has all places that it can get
	minP99         = 0.01             // ms; below it, a comparison is one of clocks
	limitPart      = 3                // each limit is measured twice, for this part of the time
	leastTime      = time.Second / 2  // of a measurement, so that something is answered in the shortest run on a busy machine
	commonRequests = webhook.DefaultConcurrency
)

// neighbours is the shape in which healthy receivers share Bookhook with bad ones.
var neighbours = shape{accounts: 60, perAccount: 1, concurrency: commonRequests}

// twoAccounts is the shape in which one account shares Bookhook with a hostile one,
// which has all webhooks and all requests in flight that an account may have.
var twoAccounts = shape{accounts: 2, perAccount: webhook.DefaultLimit, concurrency: webhook.MaxConcurrency}

func (r *runner) all(ctx context.Context) error {
	steps := []func(context.Context) error{r.idle, r.saturation, r.overload, r.paced, r.fairness, r.backlog, r.drain, r.retention}
	if r.Full {
		steps = append(steps, r.fullTable, r.disturbed)
	}
	for _, step := range steps {
		if err := step(ctx); err != nil {
			return err
		}
	}
	r.report.checkNone("lost, in all measurements", func(m *Measurement) int { return m.Lost })
	r.report.checkNone("duplicated, in all measurements", func(m *Measurement) int { return m.Duplicated })
	r.report.checkNone("webhooks with a delivery that was not recorded", func(m *Measurement) int { return m.Unrecorded })
	return nil
}

// idle measures a Bookhook that has just started and has nothing to do.
func (r *runner) idle(ctx context.Context) error {
	fmt.Fprintln(r.Progress, "idle")
	path := filepath.Join(r.temp, "idle.db")
	process, err := startServer(ctx, r.serve(path, forEver))
	if err != nil {
		return err
	}
	sleep(ctx, min(idleTime, r.Time))
	var resident *float64
	if u, err := readUsage(process.cmd.Process.Pid); err == nil {
		resident = new(megabytes(u.resident))
	}
	r.report.checkAtMost("resident memory, idle", "MB", resident, 30, 20)
	return errors.Join(context.Cause(ctx), process.stop(), removeDatabase(path))
}

// saturation measures the highest rate beside the two limits.
func (r *runner) saturation(ctx context.Context) error {
	p := phase{name: "saturation", shape: oneWebhook(r.Connections), time: r.Time}
	bare, err := r.measure(ctx, p.part(Bare))
	if err != nil {
		return err
	}
	stored, limit, err := r.besideLimit(ctx, p)
	if err != nil {
		return err
	}
	bareAgain, err := r.measure(ctx, p.part(Bare))
	if err != nil {
		return err
	}
	most := (bare.DeliveredPerSecond + bareAgain.DeliveredPerSecond) / 2
	t := r.report
	t.add("accepted", "/s", &stored.AcceptedPerSecond)
	t.add("delivered", "/s", &stored.DeliveredPerSecond)
	t.add("limit: HTTP ingest → POST, nothing stored", "/s", &limit.rate)
	t.add("  its two measurements differ by", "%", limit.spread)
	t.checkShare("delivered, share of that limit", stored.DeliveredPerSecond, limit.rate, 75, 80)
	t.add("  by processor time alone", "%", limit.byProcessor(stored))
	t.add("limit: bare POST to the receiver", "/s", &most)
	t.add("delivered, share of that limit", "%", ratio(100*stored.DeliveredPerSecond, most))
	t.add("accepted → delivered, p50", "ms", &stored.Delivery.P50)
	t.add("accepted → delivered, p99", "ms", &stored.Delivery.P99)
	t.add("accepted → delivered, p99.9", "ms", &stored.Delivery.P999)
	t.check(Line{What: "processor time of a delivery", Unit: "µs", Measured: stored.ServerCPU, Limit: new(160.0), Aim: new(140.0), AtMost: true})
	t.add("  with nothing stored", "µs", limit.last.ServerCPU)
	t.add("  load and receiver beside it", "µs", stored.OwnCPU)
	t.add("database for a delivery", "bytes", stored.DatabaseBytes)
	t.checkAtMost("resident memory, at saturation (peak)", "MB", stored.Peak, 150, 100)
	return nil
}

// part returns the phase for a limit: shorter, on a database of its own.
func (p phase) part(way Way) phase {
	p.way, p.path, p.time = way, "", max(p.time/limitPart, leastTime)
	return p
}

// ceiling is what the same path reaches with nothing stored.
type ceiling struct {
	rate   float64  // delivered/s, the mean of two measurements
	spread *float64 // how far apart they are, in percent of it
	last   *Measurement
}

// byProcessor returns the share of the limit that processor time alone would
// allow. It says more than the rates if other programs use the machine; nil where
// that time cannot be measured.
func (c ceiling) byProcessor(stored *Measurement) *float64 {
	if c.last.ServerCPU == nil || stored.ServerCPU == nil || c.last.OwnCPU == nil || stored.OwnCPU == nil {
		return nil
	}
	return ratio(100*(*c.last.ServerCPU+*c.last.OwnCPU), *stored.ServerCPU+*stored.OwnCPU)
}

// besideLimit measures a phase between two measurements of its limit.
func (r *runner) besideLimit(ctx context.Context, p phase) (stored *Measurement, limit ceiling, err error) {
	before, err := r.measure(ctx, p.part(Unstoring))
	if err != nil {
		return nil, limit, err
	}
	p.way = Stored
	if stored, err = r.measure(ctx, p); err != nil {
		return nil, limit, err
	}
	after, err := r.measure(ctx, p.part(Unstoring))
	if err != nil {
		return nil, limit, err
	}
	a, b := before.DeliveredPerSecond, after.DeliveredPerSecond
	return stored, ceiling{rate: (a + b) / 2, spread: ratio(200*math.Abs(a-b), a+b), last: after}, nil
}

// paced measures everyday rates: 100 and 1,000 events a second.
func (r *runner) paced(ctx context.Context) error {
	p := phase{name: "100/s", way: Stored, shape: oneWebhook(r.Connections), rate: 100, time: r.Time}
	slow, err := r.measure(ctx, p)
	if err != nil {
		return err
	}
	r.report.checkAtMost("100/s: accepted → delivered, p50", "ms", &slow.Delivery.P50, 2, 0.1)
	r.report.checkAtMost("100/s: accepted → delivered, p99", "ms", &slow.Delivery.P99, 10, 1)
	p.name, p.rate = "1,000/s", 1000
	fast, err := r.measure(ctx, p)
	if err != nil {
		return err
	}
	r.report.add("1,000/s: accepted → delivered, p99", "ms", &fast.Delivery.P99)
	r.report.add("1,000/s: accept, p50", "ms", &fast.Accept.P50)
	r.report.checkAtMost("1,000/s: accept, p99", "ms", &fast.Accept.P99, 20, 5)
	return nil
}

// many is the shape of the full table.
func (r *runner) many() shape {
	return shape{accounts: r.Accounts, perAccount: webhook.DefaultLimit, concurrency: commonRequests}
}

// fullTable measures saturation again, with many deliveries in the table and many
// webhooks.
func (r *runner) fullTable(ctx context.Context) error {
	dir := r.temp
	if r.Dir != "" {
		dir = r.Dir
	}
	many := r.many()
	path := filepath.Join(dir, fmt.Sprintf("bench-%d-%d.db", r.Deliveries, r.Accounts))
	began := time.Now()
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		fmt.Fprintf(r.Progress, "filling the table with %d deliveries\n", r.Deliveries)
		if err := prefill(ctx, path, many, r.receiver.url, r.Deliveries, r.Progress); err != nil {
			return fmt.Errorf("fill the table: %w", err)
		}
		r.report.add("full table: filling it", "s", new(time.Since(began).Seconds()))
	} else if err != nil {
		return err
	}
	p := phase{name: "full table", shape: many, path: path, time: r.Time}
	stored, limit, err := r.besideLimit(ctx, p)
	if err != nil {
		return err
	}
	t := r.report
	t.add("full table: delivered", "/s", &stored.DeliveredPerSecond)
	t.add("full table: limit with nothing stored", "/s", &limit.rate)
	t.add("  its two measurements differ by", "%", limit.spread)
	t.checkShare("full table: delivered, share of that limit", stored.DeliveredPerSecond, limit.rate, 60, 70)
	t.add("  by processor time alone", "%", limit.byProcessor(stored))
	t.add("full table: accepted → delivered, p99", "ms", &stored.Delivery.P99)
	t.checkAtMost("full table: resident memory (peak)", "MB", stored.Peak, 150, 100)
	return nil
}

// healthy reports whether the receiver of an account is always healthy.
func healthy(account int) bool { return account%oneInTen != oneInTen-1 }

// shortest is for how long at least a few events a second are measured: also a slow
// machine answers some of them in that time.
const shortest = 500 * time.Millisecond

// fairness compares the latency of an account with and without a hostile one beside
// it, whose receivers take all the time that they are given.
func (r *runner) fairness(ctx context.Context) error {
	first := func(account int) bool { return account == 0 }
	alone := phase{name: "two accounts", way: Stored, shape: twoAccounts, rate: disturbedRate, time: max(r.Time/2, shortest), wanted: first}
	beside := alone
	beside.name, beside.warm = "two accounts, one hostile", min(fillTime, 2*r.Time)
	beside.target = func(account int) string {
		if first(account) {
			return r.receiver.url
		}
		return r.receiver.stuck
	}
	undisturbed, during, err := r.beside(ctx, alone, beside)
	if err != nil {
		return err
	}
	t := r.report
	t.add("an account: accepted → delivered, p99", "ms", &undisturbed.P99)
	t.add("  beside one with slow receivers everywhere", "ms", &during.P99)
	r.checkMultiple(undisturbed, during)
	return nil
}

// beside measures a phase before and after another one, and returns the latencies of
// both.
func (r *runner) beside(ctx context.Context, alone, other phase) (undisturbed, during Percentiles, err error) {
	before, err := r.measure(ctx, alone)
	if err != nil {
		return undisturbed, during, err
	}
	m, err := r.measure(ctx, other)
	if err != nil {
		return undisturbed, during, err
	}
	after, err := r.measure(ctx, alone)
	if err != nil {
		return undisturbed, during, err
	}
	return percentiles(slices.Concat(before.latencies, after.latencies)), m.Delivery, nil
}

func (r *runner) checkMultiple(undisturbed, during Percentiles) {
	times := during.P99 / max(undisturbed.P99, minP99)
	r.report.check(Line{What: "  as a multiple of the undisturbed one", Unit: "×", Measured: &times, Limit: new(2.0), AtMost: true})
}

// disturbed compares the latency of healthy receivers with and without dead and
// slow ones beside them.
func (r *runner) disturbed(ctx context.Context) error {
	allHealthy := phase{name: "all receivers healthy", way: Stored, shape: neighbours, rate: disturbedRate, time: r.Time / 2, wanted: healthy}
	bad := []string{r.receiver.refused, r.receiver.silent, r.receiver.slow}
	someBad := allHealthy
	someBad.name, someBad.time = "one receiver in ten dead or slow", r.Time
	someBad.target = func(account int) string {
		if healthy(account) {
			return r.receiver.url
		}
		return bad[account/oneInTen%len(bad)]
	}
	undisturbed, during, err := r.beside(ctx, allHealthy, someBad)
	if err != nil {
		return err
	}
	t := r.report
	t.add("all healthy: accepted → delivered, p99", "ms", &undisturbed.P99)
	t.add("one in ten dead or slow: p99 of the healthy", "ms", &during.P99)
	r.checkMultiple(undisturbed, during)
	return nil
}
