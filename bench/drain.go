package bench

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"bookhook/db"
	"bookhook/webhook"
)

// The backlog of a receiver that was away, what else goes on while it is drained, and
// what is required.
const (
	drainRows      = 100_000
	drainPerSecond = drainRows / 10   // at most so many for each second of the other measurements
	drainFull      = 5                // times as many with a full table
	awayTime       = time.Second      // of the receiver, once Bookhook runs
	probePause     = 10 * time.Second // until it is asked again at the latest, and some time more
	freshRate      = 200              // events/s for other webhooks
	freshDelay     = 20               // ms from accepted to delivered, p99
	aimedFresh     = 5
	leastDrained   = 100 // percent of what the same webhook gets under load
)

// drained is the shape in which one webhook of the first account, its second, has a
// backlog; the first ones of all accounts get fresh events.
var drained = shape{accounts: 10, perAccount: 2, concurrency: commonRequests}

const drainedPlace = 1 // of the webhook with the backlog, and of its channel

// drain measures how fast a backlog is delivered, beside a webhook of the same shape
// under as much load as it takes, and how long fresh events of others take meanwhile.
func (r *runner) drain(ctx context.Context) error {
	load := phase{name: "as many as one webhook takes", way: Stored, shape: shape{accounts: 1, perAccount: 1, concurrency: drained.concurrency}, time: max(r.Time/limitPart, leastTime)}
	before, err := r.measure(ctx, load)
	if err != nil {
		return err
	}
	rows := min(drainRows, int(drainPerSecond*r.Time.Seconds()))
	if r.Full {
		rows *= drainFull
	}
	usual := time.Duration(float64(rows) / max(before.DeliveredPerSecond, 1) * float64(time.Second))
	_, err = r.measure(ctx, phase{
		name: "drain beside fresh events", way: Stored, shape: drained, sent: drainedPlace, rate: freshRate, warm: awayTime, time: 3*usual + probePause,
		fill: func(ctx context.Context, store *db.Store, sample *sampleAccounts, log *deliveryLog) error {
			return r.fillBacklog(ctx, store, sample.webhooks[0][drainedPlace], log, rows)
		},
		enough: func(ctx context.Context, log *deliveryLog) {
			r.receiver.isAway.Store(false)
			_ = log.drain(ctx, func(number int) bool { return number < rows }) // an error is that of ctx
		},
	})
	if err != nil {
		return err
	}
	log := r.receiver.log.Load()
	after, err := r.measure(ctx, load)
	if err != nil {
		return err
	}
	r.reportDrain(log.drained(rows), rows, (before.DeliveredPerSecond+after.DeliveredPerSecond)/2)
	return nil
}

// drain is what became of a backlog.
type drain struct {
	rate      float64     // delivered/s from the first to the last
	seconds   float64     // from the first to the last
	own       Percentiles // accepted → delivered meanwhile, of other webhooks of the account
	neighbour Percentiles // of other accounts
	accept    Percentiles // of both
}

// drained evaluates a log of which the first rows are the backlog.
func (l *deliveryLog) drained(rows int) (d drain) {
	var w window
	backlog := 0
	for number := range rows {
		at := l.at(number).arrived.Load()
		if at == 0 {
			continue
		}
		if backlog++; backlog == 1 || at < w.from {
			w.from = at
		}
		w.to = max(w.to, at)
	}
	d.seconds = w.seconds()
	if rate := ratio(float64(backlog), d.seconds); rate != nil {
		d.rate = *rate
	}
	fresh := func(first bool) count {
		return l.count(w, func(number int) bool { return number >= rows && (number%drained.accounts == 0) == first })
	}
	own, neighbour := fresh(true), fresh(false)
	d.own, d.neighbour = percentiles(own.delivery), percentiles(neighbour.delivery)
	d.accept = percentiles(slices.Concat(own.accept, neighbour.accept))
	return d
}

func (r *runner) reportDrain(d drain, rows int, sustained float64) {
	t := r.report
	t.add("drain beside fresh events: waiting when its receiver is well again", "", new(float64(rows)))
	t.add("  until all was delivered", "s", &d.seconds)
	t.add("  drained", "/s", &d.rate)
	t.add("  as many as one webhook takes: delivered", "/s", &sustained)
	t.checkShare("  drained, share of that", d.rate, sustained, leastDrained, 120)
	t.checkAtMost("  fresh events of other accounts: accepted → delivered, p99", "ms", d.neighbour.measured(), freshDelay, aimedFresh)
	t.checkAtMost("  of another webhook of the account", "ms", d.own.measured(), freshDelay, aimedFresh)
	t.add("  accept, p99 of both", "ms", d.accept.measured())
}

// measured returns the p99; nil if there was nothing to measure.
func (p Percentiles) measured() *float64 {
	if p.Count == 0 {
		return nil
	}
	return &p.P99
}

// fillBacklog stores so many events for a webhook, whose receiver is away. They are
// the first ones of the log.
func (r *runner) fillBacklog(ctx context.Context, store *db.Store, w *webhook.Webhook, log *deliveryLog, rows int) error {
	r.receiver.isAway.Store(true)
	w.URL = r.receiver.away
	if _, err := store.UpdateWebhook(ctx, webhook.Update{Webhook: w}, change()); err != nil {
		return err
	}
	for range rows {
		log.at(log.issue()).accepted.Store(log.now())
	}
	return insertBacklog(ctx, store, w.Account, log.tag, rows)
}

// insertBacklog stores events with batches as large as the API takes, so many at a
// time that they share their commits.
func insertBacklog(ctx context.Context, store *db.Store, account webhook.AccountID, tag string, rows int) error {
	var batches sync.WaitGroup
	errs := make([]error, prefillBatches)
	for i := range errs {
		batches.Go(func() {
			for first := i * webhook.MaxBatch; first < rows && errs[i] == nil; first += prefillBatches * webhook.MaxBatch {
				events := make([]webhook.Event, min(webhook.MaxBatch, rows-first))
				for j := range events {
					events[j] = storedEvent(tag, first+j, drainedPlace)
				}
				_, errs[i] = insertEvents(ctx, store, account, events, time.Now(), false)
			}
		})
	}
	batches.Wait()
	return errors.Join(errs...)
}
