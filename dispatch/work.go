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

// maxIdleWorkers is how many goroutines wait for their next job. Each keeps the stack
// that its last job needed; a new one would first have to grow it.
const maxIdleWorkers = 256

// laneJob is a job with its lane.
type laneJob struct {
	lane *lane
	job  *webhook.Job
}

// start runs a job in an idle worker, or in a new one; the mutex of the lanes is held.
func (d *Dispatcher) start(l *lane, job *webhook.Job) {
	next := laneJob{l, job}
	select {
	case d.idle <- next:
	default:
		d.work.Go(func() { d.runJobs(next) })
	}
}

// runJobs is a worker: it runs a job, and then those that start gives it while it is
// idle.
func (d *Dispatcher) runJobs(next laneJob) {
	for more := true; more; next, more = d.nextJob() {
		d.run(next.lane, next.job)
	}
}

// nextJob waits for the next job of an idle worker. There is none if enough others
// wait already, or if jobs no longer start.
func (d *Dispatcher) nextJob() (next laneJob, more bool) {
	defer d.idleWorkers.Add(-1)
	if d.idleWorkers.Add(1) > maxIdleWorkers {
		return next, false
	}
	next, more = <-d.idle
	return next, more
}

// run sends a job and records the result, or releases it.
func (d *Dispatcher) run(l *lane, job *webhook.Job) {
	defer d.lanes.jobDone(l, job)
	a, ok := d.attempt(l, job)
	if !ok {
		d.lanes.requestDone(l)
		return
	}
	recovered, queued := d.updateCircuit(l, job, a)
	result := d.resultOf(job, a)
	d.logAttempt(job, result)
	done, _ := d.record(job, result)
	d.releaseJobs(d.recording, queued)
	if recovered || done.Recovered && job.Urgent {
		d.retryNow(job)
	}
}

// attempt makes an attempt, and another one on a new connection if a kept one turned
// out to be closed. It reports false if there is no result: the job was released, or
// is no longer this one's.
func (d *Dispatcher) attempt(l *lane, job *webhook.Job) (a attemptResult, ok bool) {
	version := d.lanes.version(l)
	for fresh := false; ; fresh = true {
		if d.waitedTooLong(job) || !d.lanes.leased() {
			d.release(d.recording, job)
			return a, false
		}
		a = d.sender.send(d.sending, job, fresh)
		switch {
		case a.cutOff, a.noPlace:
			d.release(d.recording, job)
			return a, false
		case !a.keptClosed:
			return a, true
		case !d.claimAgain(job, a):
			return a, false
		case !d.lanes.requestRepeated(l, version): // it is to be sent as the webhook is now
			d.release(d.recording, job)
			return a, false
		}
	}
}

// claimAgain records an attempt whose kept connection was closed, and claims the
// next one with it, which is made at once on a new connection. That the receiver
// closed a connection it had kept says nothing about its health, and the retry
// schedule does not count it. It reports false if the delivery is no longer this
// job's, or the attempt could not be recorded.
func (d *Dispatcher) claimAgain(job *webhook.Job, a attemptResult) bool {
	r := webhook.Result{
		Delivery: job.Delivery.ID, Event: job.Delivery.Event, Account: job.Account.ID, Webhook: job.Webhook.ID, Attempt: a.Attempt, Data: job.Event.Data,
		State: webhook.Pending, NextAt: d.clock().Add(d.lease), Again: true,
	}
	d.logAttempt(job, r)
	done, ok := d.record(job, r)
	if !ok || !done.Again {
		return false
	}
	job.Delivery.Attempts++
	job.Delivery.Base++
	job.Delivery.Completed, job.Delivery.NextAt = a.Number, r.NextAt
	return true
}

// waitedTooLong reports whether too little of the job's lease is left for an
// attempt.
func (d *Dispatcher) waitedTooLong(job *webhook.Job) bool {
	return job.Delivery.NextAt.Sub(d.clock()) < d.sender.limits.timeout+finishTime
}

// updateCircuit frees the place in flight and updates the circuit; a failed
// test, or a failure of Bookhook itself, says nothing about the receiver, and one
// that refuses the content shows that it works.
//
// Only the success of a probe, or of what a person asked for meanwhile, means that all deliveries may succeed now. The success
// of an attempt that was in flight when the circuit opened closes it, too, but
// shows only that the receiver fails now and then: waiting retries keep their
// times, or their attempts would be used up at once. So it is with one that was failing
// and not paused, since it refused what deliveries said: they follow the success of what a
// person asked for.
func (d *Dispatcher) updateCircuit(l *lane, job *webhook.Job, a attemptResult) (recovered bool, queued []*webhook.Job) {
	failed := a.Failure != ""
	if failed && (job.Delivery.Test || a.Failure == webhook.FailInternal) {
		d.lanes.requestDone(l)
		return false, nil
	}
	signal := attemptSignal{failed: failed && !refusesContent(a.Attempt), startedAt: a.StartedAt, retryAfter: a.retryAfter, urgent: job.Urgent}
	before, after, queued := d.lanes.attemptDone(l, signal)
	switch {
	case before.Open() && !after.Open():
		d.log.Info("receiver recovered, circuit closed", "webhook", job.Webhook.ID.String(), "account", job.Account.Number)
		return !failed && before.isProbe(a.StartedAt, job.Urgent), nil
	case after.Open() && !before.Open():
		d.log.Warn("receiver keeps failing, circuit opened", "webhook", job.Webhook.ID.String(), "account", job.Account.Number)
	}
	return false, queued
}

// retryNow makes all waiting retries of a recovered receiver due. If that fails,
// each is sent at its own time.
func (d *Dispatcher) retryNow(job *webhook.Job) {
	if !d.lanes.mayRetryNow(job.Account.ID, job.Webhook.ID, job.Urgent) {
		return
	}
	now := d.clock()
	if !d.storeFailed("retry now", d.store.RetryNow(d.recording, job.Webhook.ID, now)) {
		d.lanes.due(job.Account.ID, job.Webhook.ID, now)
	}
}

// resultOf decides what becomes of the delivery.
func (d *Dispatcher) resultOf(job *webhook.Job, a attemptResult) webhook.Result {
	r := webhook.Result{
		Delivery: job.Delivery.ID, Event: job.Delivery.Event, Account: job.Account.ID, Webhook: job.Webhook.ID, Replay: job.Delivery.Replay, Attempt: a.Attempt, Data: job.Event.Data,
		State: webhook.Failed, Test: job.Delivery.Test, Own: job.Event.Platform == webhook.OwnPlatform, Inline: job.Delivery.Inline, Warnings: a.warnings(job.Webhook, d.clock()),
	}
	if !r.Inline {
		r.Circuit = func() webhook.Circuit { return d.lanes.circuit(r.Webhook) }
	}
	switch {
	case a.Failure == "":
		r.State = webhook.Delivered
	case a.Failure == webhook.FailGone:
		r.Gone = true
	case a.Failure == webhook.FailLoop: // it would come back again
	case r.Once():
	default:
		if next, ok := d.nextAttempt(job, a); ok {
			r.State, r.NextAt = webhook.Pending, next
		}
	}
	return r
}

// nextAttempt says when to make the next attempt after one that failed.
func (d *Dispatcher) nextAttempt(job *webhook.Job, a attemptResult) (time.Time, bool) {
	o := a.Outcome()
	jitter := rand.Float64() //nolint:gosec // no secret
	if scheduled := job.Delivery.Scheduled; !scheduled.IsZero() {
		return webhook.NextAfterExtra(scheduled, o, a.retryAfter, d.clock(), jitter), true
	}
	return webhook.NextAttempt(d.schedule, a.Number-job.Delivery.Base, o, a.retryAfter, d.clock(), jitter)
}

// maxRecordRetries is how often recording is retried if the result itself may be
// the cause of the failure; after other failures it is retried until the
// dispatcher stops.
const maxRecordRetries = 10

// Bounds of the pause before recording is retried; it doubles each time.
const (
	firstRecordPause = 100 * time.Millisecond
	maxRecordPause   = time.Second // a result that is not recorded yet may be lost with this process
)

// record stores the result, and reports what that changed and whether it could.
func (d *Dispatcher) record(job *webhook.Job, r webhook.Result) (done webhook.Finished, ok bool) {
	finish := func() (err error) {
		done, err = d.store.Finish(d.recording, r, d.clock())
		return err
	}
	err := finish()
	if d.storeFailed("finish", err) {
		d.lanes.addUnrecorded(job.Account.ID, job.Webhook.ID, 1)
		defer d.lanes.addUnrecorded(job.Account.ID, job.Webhook.ID, -1)
		err = d.retry(d.recording, "finish", err, finish)
	}
	if err != nil {
		d.logUnrecorded(job, r, err)
		return done, false
	}
	d.afterRecord(job, r, done)
	return done, true
}

// retry repeats an operation of the store that failed with err, until it works or ctx
// ends, and returns the last error.
func (d *Dispatcher) retry(ctx context.Context, operation string, err error, do func() error) error {
	for pause, retries := firstRecordPause, 1; err != nil; pause, retries = min(2*pause, maxRecordPause), retries+1 {
		if errors.Is(err, webhook.ErrNotHeld) || retries > maxRecordRetries && !isTemporary(err) {
			return err
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return err
		}
		err = do()
		d.storeFailed(operation, err)
	}
	return nil
}

func (d *Dispatcher) logUnrecorded(job *webhook.Job, r webhook.Result, err error) {
	if errors.Is(err, webhook.ErrNotHeld) {
		d.log.Warn("result dropped, since another replica has taken over the account", "delivery", job.Delivery.ID.String(), "number", r.Attempt.Number)
		return
	}
	message := "result cannot be recorded"
	if d.recording.Err() != nil {
		message = "result lost at shutdown"
	}
	d.log.Error(message+"; the delivery will be sent again, an inline call counts as refused",
		"delivery", job.Delivery.ID.String(), "number", r.Attempt.Number, "error", err)
}

// isTemporary reports whether the same operation may succeed later.
func isTemporary(err error) bool {
	_, unavailable := errors.AsType[webhook.Unavailable](err)
	return unavailable || errors.Is(err, webhook.ErrBusy) || errors.Is(err, context.Canceled)
}

// afterRecord schedules what became due with the result.
func (d *Dispatcher) afterRecord(job *webhook.Job, r webhook.Result, done webhook.Finished) {
	if done.Off != "" {
		d.log.Warn("webhook switched off", "webhook", job.Webhook.ID.String(), "account", job.Account.Number, "reason", done.Off)
		return
	}
	if r.State == webhook.Pending && !done.Again {
		d.lanes.due(job.Account.ID, job.Webhook.ID, r.NextAt)
	}
	if done.Released {
		d.lanes.due(job.Account.ID, job.Webhook.ID, d.clock())
	}
}

// releaseJobs releases jobs that were taken out of the lanes, several at a time so that
// they share commits.
func (d *Dispatcher) releaseJobs(ctx context.Context, jobs []*webhook.Job) {
	var releases sync.WaitGroup
	places := make(chan struct{}, 16)
	for _, job := range jobs {
		places <- struct{}{}
		releases.Go(func() {
			d.release(ctx, job)
			d.lanes.end(job.Account.ID)
			<-places
		})
	}
	releases.Wait()
}

// releaseUnknown releases jobs of which nobody knows whether they are claimed: else they
// would wait until their claims end.
func (d *Dispatcher) releaseUnknown(jobs []webhook.Job) {
	claimed := make([]*webhook.Job, len(jobs))
	for i := range jobs {
		claimed[i] = &jobs[i]
	}
	d.releaseJobs(d.recording, d.lanes.toRelease(claimed))
}

// release undoes the claim of a job, so that it is sent by another one. While the
// store fails it tries again: else nobody would send the delivery until its claim
// expires, and the log would then show an attempt that was never made. At shutdown
// it does not, since claims are recovered at the next start.
func (d *Dispatcher) release(ctx context.Context, job *webhook.Job) {
	var due time.Time
	undo := func() error {
		due = d.clock()
		return d.store.Release(ctx, job.Delivery.ID, job.Delivery.Attempts, job.Delivery.NextAt, due)
	}
	err := undo()
	if d.storeFailed("release", err) && d.alive.Load() {
		err = d.retry(ctx, "release", err, undo)
	}
	switch {
	case err != nil:
		d.lanes.due(job.Account.ID, job.Webhook.ID, job.Delivery.NextAt)
	case job.Urgent:
		d.lanes.urgent(job.Account.ID, job.Webhook.ID)
	default:
		d.lanes.due(job.Account.ID, job.Webhook.ID, due)
	}
}

// logAttempt logs an attempt: neither URL nor header nor payload, which may be
// secret.
func (d *Dispatcher) logAttempt(job *webhook.Job, r webhook.Result) {
	if !d.log.Enabled(context.Background(), slog.LevelInfo) {
		return
	}
	d.log.LogAttrs(context.Background(), slog.LevelInfo, "attempt",
		slog.String("delivery", job.Delivery.ID.String()),
		slog.String("event", job.Event.ID.String()),
		slog.String("webhook", job.Webhook.ID.String()),
		slog.Int64("account", job.Account.Number),
		slog.Int("number", r.Attempt.Number),
		slog.Int("status", r.Attempt.Status),
		slog.String("reason", string(r.Attempt.Failure)),
		slog.Int64("ms", r.Attempt.Duration.Milliseconds()),
		slog.String("state", string(r.State)),
	)
}
