package traces

import (
	"context"
	"time"

	"bookhook/dispatch"
	"bookhook/webhook"
)

// Deliveries is the store of a dispatcher, with a span for each event and attempt that
// is stored.
type Deliveries struct {
	dispatch.Store
	Tracer *Tracer
}

// Insert makes the spans of new events.
func (d Deliveries) Insert(ctx context.Context, p *webhook.Plan) ([]webhook.Accepted, error) {
	accepted, err := d.Store.Insert(ctx, p)
	for i := range accepted {
		if !accepted[i].Duplicate {
			d.Tracer.accepted(ctx, &accepted[i])
		}
	}
	return accepted, err
}

// InsertInline makes the span of a new question.
func (d Deliveries) InsertInline(ctx context.Context, account webhook.AccountID, e webhook.Event, now, lease time.Time) (webhook.InlineCall, error) {
	call, err := d.Store.InsertInline(ctx, account, e, now, lease)
	if err == nil && !call.Duplicate {
		d.Tracer.accepted(ctx, &webhook.Accepted{Event: call.Event, Decisions: call.Decisions})
	}
	return call, err
}

// Finish makes the span of an attempt.
func (d Deliveries) Finish(ctx context.Context, r webhook.Result, now time.Time) (webhook.Finished, error) {
	finished, err := d.Store.Finish(ctx, r, now)
	if err == nil {
		d.Tracer.attempt(ctx, r)
	}
	return finished, err
}
