package dispatch

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"bookhook/webhook"
)

// start runs a job in a goroutine of its own; the mutex of the lanes is held.
func (d *Dispatcher) start(l *lane, job *webhook.Job) {
	d.work.Go(func() { d.run(l, job) })
}

// run takes a job to its end: sent and recorded, or given back.
func (d *Dispatcher) run(l *lane, job *webhook.Job) {
	defer d.lanes.done(job)
	if time.Until(job.Delivery.NextAt) < d.sender.timeout+finishTime { // it waited too long in its lane
		d.lanes.landed(l)
		d.release(d.storing, job)
		return
	}
	a := d.sender.send(d.sending, job)
	if a.cut {
		d.lanes.landed(l)
		d.release(d.storing, job)
		return
	}
	recovered, queued := d.judge(l, job, a)
	result := d.outcome(job, a)
	d.note(job, result)
	d.record(job, result)
	d.giveBack(d.storing, queued)
	if recovered {
		d.hasten(job)
	}
}

// judge frees the place of the request and tells the circuit what it says about
// the receiver: nothing when a test failed, or Bookhook itself. Only a probe
// tells that the receiver has recovered. A success that was on its way when the
// circuit opened closes it too, but is of a receiver that fails now and then:
// what it refused waits for its own time, or its tries would be used up at once.
func (d *Dispatcher) judge(l *lane, job *webhook.Job, a answer) (recovered bool, queued []*webhook.Job) {
	failed := a.Failure != ""
	if failed && (job.Delivery.Test || a.Failure == webhook.FailInternal) {
		d.lanes.landed(l)
		return false, nil
	}
	before, after, queued := d.lanes.answered(l, verdict{failed: failed, began: a.StartedAt, retryAfter: a.retryAfter}, time.Now())
	switch {
	case before.Open() && !after.Open():
		d.log.Info("the receiver answers again", "webhook", job.Webhook.Ref(), "account", job.Account.Number)
		return !a.StartedAt.Before(before.ProbeAt), nil
	case after.Open() && !before.Open():
		d.log.Warn("the receiver fails again and again, from now on it gets probes", "webhook", job.Webhook.Ref(), "account", job.Account.Number)
	}
	return false, queued
}

// hasten makes due what waits for its next try at a receiver that answers
// again. When that fails, each is tried at its own time.
func (d *Dispatcher) hasten(job *webhook.Job) {
	now := time.Now()
	if d.lanes.mayHasten(job.Webhook.ID, now) && !d.failed("hasten", d.store.Hasten(d.storing, job.Webhook.ID, now)) {
		d.lanes.mark(job.Webhook.ID, now)
	}
}

// outcome decides what becomes of the delivery.
func (d *Dispatcher) outcome(job *webhook.Job, a answer) webhook.Result {
	r := webhook.Result{
		Delivery: job.Delivery.ID, Webhook: job.Webhook.ID, Attempt: a.Attempt, Data: job.Event.Data,
		State: webhook.Failed, Test: job.Delivery.Test || job.Delivery.Asked,
	}
	switch {
	case a.Failure == "":
		r.State = webhook.Delivered
	case a.Failure == webhook.FailGone:
		r.Gone = true
	case r.Test: // somebody waits for the answer; there is no second try
	default:
		o := webhook.Outcome{Status: a.Status, Failure: a.Failure}
		try := a.Number - job.Delivery.Base
		jitter := rand.Float64() //nolint:gosec // no secret
		if next, ok := webhook.NextTry(d.schedule, try, o, a.retryAfter, time.Now(), jitter); ok {
			r.State, r.NextAt = webhook.Pending, next
		}
	}
	return r
}

// record writes the result down, however often that takes while running, and says
// whether it could.
func (d *Dispatcher) record(job *webhook.Job, r webhook.Result) bool {
	done, err := d.store.Finish(d.storing, r, time.Now())
	if d.failed("finish", err) {
		d.lanes.unsaved(job.Webhook.ID, 1)
		defer d.lanes.unsaved(job.Webhook.ID, -1)
	}
	for pause, tries := 100*time.Millisecond, 1; err != nil; pause, tries = min(2*pause, 5*time.Second), tries+1 {
		if tries > hopeless && !passing(err) {
			d.log.Error("outcome cannot be recorded; "+unrecorded, "delivery", job.Delivery.Ref(), "number", r.Attempt.Number, "error", err)
			return false
		}
		select {
		case <-time.After(pause):
		case <-d.storing.Done():
			d.log.Error("outcome lost at shutdown; "+unrecorded, "delivery", job.Delivery.Ref(), "number", r.Attempt.Number)
			return false
		}
		done, err = d.store.Finish(d.storing, r, time.Now())
		d.failed("finish", err)
	}
	d.recorded(job, r, done)
	return true
}

// unrecorded says what becomes of a delivery without its outcome.
const unrecorded = "the delivery will be sent again, a question counts as refused"

// hopeless is how often recording may fail for a reason that lies in the result
// itself.
const hopeless = 10

// passing says that the same may succeed later.
func passing(err error) bool {
	_, unavailable := errors.AsType[webhook.Unavailable](err)
	return unavailable || errors.Is(err, webhook.ErrBusy) || errors.Is(err, context.Canceled)
}

func (d *Dispatcher) recorded(job *webhook.Job, r webhook.Result, done webhook.Finished) {
	if done.Off != "" {
		d.log.Warn("webhook switched off", "webhook", job.Webhook.Ref(), "account", job.Account.Number, "reason", done.Off)
		d.Changed(job.Webhook.ID)
		return
	}
	if r.State == webhook.Pending {
		d.lanes.mark(job.Webhook.ID, r.NextAt)
	}
	if done.Freed {
		d.lanes.mark(job.Webhook.ID, time.Now())
	}
}

// giveBack releases jobs, a few at a time so that they share their commits.
func (d *Dispatcher) giveBack(ctx context.Context, jobs []*webhook.Job) {
	var releases sync.WaitGroup
	places := make(chan struct{}, 16)
	for _, job := range jobs {
		places <- struct{}{}
		releases.Go(func() {
			d.release(ctx, job)
			<-places
		})
	}
	releases.Wait()
}

// release gives a claimed job back to the table, uncharged; when that fails,
// the end of its lease does it.
func (d *Dispatcher) release(ctx context.Context, job *webhook.Job) {
	due := time.Now()
	if d.failed("release", d.store.Release(ctx, job.Delivery.ID, job.Delivery.Attempts, due)) {
		due = job.Delivery.NextAt
	}
	d.lanes.mark(job.Webhook.ID, due)
}

// note logs an attempt: no URL, no header and no payload, which may be secret.
func (d *Dispatcher) note(job *webhook.Job, r webhook.Result) {
	d.log.LogAttrs(context.Background(), slog.LevelInfo, "attempt",
		slog.String("delivery", job.Delivery.Ref()),
		slog.String("event", job.Event.Ref()),
		slog.String("webhook", job.Webhook.Ref()),
		slog.Int64("account", job.Account.Number),
		slog.Int("number", r.Attempt.Number),
		slog.Int("status", r.Attempt.Status),
		slog.String("reason", string(r.Attempt.Failure)),
		slog.Int64("ms", r.Attempt.Duration.Milliseconds()),
		slog.String("state", string(r.State)),
	)
}
