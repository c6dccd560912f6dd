package metrics

import (
	"context"
	"time"

	"bookhook/dispatch"
	"bookhook/webhook"
)

// Deliveries is the store of a dispatcher, with what is stored counted.
type Deliveries struct {
	dispatch.Store
	Metrics *Metrics
}

// Insert counts new events and their deliveries.
func (d Deliveries) Insert(ctx context.Context, p *webhook.Plan) ([]webhook.Accepted, error) {
	accepted, err := d.Store.Insert(ctx, p)
	for i := range accepted {
		if a := &accepted[i]; !a.Duplicate && !a.Event.Test {
			d.Metrics.event(a.Event, a.Decisions)
		}
	}
	return accepted, err
}

// InsertInline counts new questions.
func (d Deliveries) InsertInline(ctx context.Context, account webhook.AccountID, e webhook.Event, now, lease time.Time) (webhook.InlineCall, error) {
	call, err := d.Store.InsertInline(ctx, account, e, now, lease)
	if err == nil && !call.Duplicate {
		d.Metrics.event(call.Event, call.Decisions)
	}
	return call, err
}

// Finish counts attempts, and what became of their deliveries.
func (d Deliveries) Finish(ctx context.Context, r webhook.Result, now time.Time) (webhook.Finished, error) {
	finished, err := d.Store.Finish(ctx, r, now)
	if err == nil && !r.Test {
		d.Metrics.result(r)
	}
	return finished, err
}

func (m *Metrics) event(e webhook.Event, decisions []webhook.Decision) {
	m.events.WithLabelValues(e.Platform).Inc()
	m.created.Add(float64(webhook.CountMatched(decisions)))
}

func (m *Metrics) result(r webhook.Result) {
	outcome := succeeded
	if r.Attempt.Failure != "" {
		outcome = string(r.Attempt.Failure)
	}
	m.attempts.WithLabelValues(outcome).Inc()
	if r.Attempt.Status > 0 {
		m.durations.Observe(r.Attempt.Duration.Seconds())
	}
	switch r.State {
	case webhook.Delivered, webhook.Failed:
		m.deliveries.WithLabelValues(string(r.State)).Inc()
	}
	if r.State == webhook.Delivered && r.Attempt.Number == 1 {
		m.latency.Observe(r.Attempt.StartedAt.Add(r.Attempt.Duration).Sub(r.Delivery.Time()).Seconds())
	}
}
