package dispatch

import (
	"context"
	"errors"
	"fmt"
	"time"

	"bookhook/dispatch/guard"
	"bookhook/webhook"
)

// inlineLease is for how long an inline call counts as in flight.
const inlineLease = webhook.MaxTimeLimit*time.Second + 2*finishTime

// CallInline calls the inline webhook of the account that matches the event,
// once, and returns its verdict when the call and its result are on disk. If
// none matches, the event is accepted. An event with a known external id gets
// the first verdict; while that call is under way, it is waited for. Circuit,
// order and rate do not apply.
//
// Its errors are those of the store's Ask; it returns webhook.ErrBusy also if
// the dispatcher does not run, or very many calls are under way. If ctx ends
// before the result is on disk it returns the error of ctx: the call goes on,
// and another one with the same external id gets its verdict.
func (d *Dispatcher) CallInline(ctx context.Context, account webhook.ID, e webhook.Event) (webhook.Answer, error) {
	release, err := d.acquireInline(ctx, account, e.ExternalID)
	if err != nil {
		return webhook.Answer{}, err
	}
	now := d.clock()
	a, err := d.store.Ask(ctx, account, e, now, now.Add(inlineLease))
	if err != nil {
		release()
		return webhook.Answer{}, err
	}
	if !a.Asked() || a.Duplicate {
		release()
		return d.storedVerdict(ctx, a)
	}
	called := make(chan inlineResult, 1)
	go func() {
		defer release()
		called <- d.callInline(&a.Job)
	}()
	select {
	case got := <-called:
		if got.err != nil {
			return webhook.Answer{}, got.err
		}
		a.Attempt, a.Verdict = got.Attempt, got.Verdict
		return a, nil
	case <-ctx.Done():
		return webhook.Answer{}, ctx.Err()
	}
}

// storedVerdict completes an answer without a call: no webhook matches, or the
// call was made before.
func (d *Dispatcher) storedVerdict(ctx context.Context, a webhook.Answer) (webhook.Answer, error) {
	if !a.Asked() {
		a.Verdict = webhook.Verdict{Accepted: true}
		return a, nil
	}
	attempts, err := d.store.Attempts(ctx, a.Event.Account, a.Job.Delivery.ID)
	if err != nil {
		return webhook.Answer{}, err
	}
	if a.Verdict = webhook.CutOffVerdict; len(attempts) > 0 {
		a.Attempt, a.Verdict = attempts[0], webhook.VerdictOf(attempts[0])
	}
	return a, nil
}

// testInline calls one inline webhook with a test event; the result goes into
// the log.
func (d *Dispatcher) testInline(ctx context.Context, account, webhookID webhook.ID, e webhook.Event) (webhook.Delivery, error) {
	release, err := d.acquireInline(ctx, account, "")
	if err != nil {
		return webhook.Delivery{}, err
	}
	now := d.clock()
	job, err := d.store.TestInline(ctx, account, webhookID, e, now, now.Add(inlineLease))
	if err != nil {
		release()
		return webhook.Delivery{}, err
	}
	go func() {
		defer release()
		d.callInline(&job)
	}()
	return job.Delivery, nil
}

// acquireInline takes a place for an inline call, and one for its goroutine
// among those that a stop waits for.
func (d *Dispatcher) acquireInline(ctx context.Context, account webhook.ID, externalID string) (release func(), err error) {
	free, err := d.inlineCalls.acquire(ctx, inlineCallID{account, externalID})
	if err != nil {
		return nil, err
	}
	if !d.lanes.whileOpen(func() { d.work.Add(1) }) {
		free()
		return nil, webhook.ErrBusy
	}
	return func() {
		free()
		d.work.Done()
	}, nil
}

// inlineResult is the result of an inline call; err says that it could not be
// recorded.
type inlineResult struct {
	webhook.Attempt
	webhook.Verdict
	err error
}

// callInline makes an inline call and records it. One that a stop cuts off
// stays in the table, and is failed by the next start.
func (d *Dispatcher) callInline(job *webhook.Job) inlineResult {
	a := d.requestInline(d.sending, job)
	if a.cutOff {
		return inlineResult{Verdict: webhook.CutOffVerdict}
	}
	result := d.resultOf(job, a)
	d.logAttempt(job, result)
	if !d.record(job, result) {
		return inlineResult{err: webhook.ErrBusy}
	}
	return inlineResult{Attempt: a.Attempt, Verdict: webhook.VerdictOf(a.Attempt)}
}

// requestInline makes the one request of an inline call, within the webhook's
// time limit.
func (d *Dispatcher) requestInline(ctx context.Context, job *webhook.Job) attemptResult {
	limits := d.sender.limits
	if job.Webhook.TimeLimit > 0 {
		limits.timeout = time.Duration(job.Webhook.TimeLimit) * time.Second
	}
	limits.connect = min(limits.connect, limits.timeout)
	limits.inline = true
	a := d.sender.attempt(ctx, job, limits, func() (webhook.Request, error) { return d.writeInline(ctx, job) })
	if a.Failure != "" {
		return a
	}
	if _, _, problem := webhook.ReadAnswer(a.Attempt); problem != "" {
		a.fail(job.Webhook.Name, guard.InlineBodyError{Problem: problem})
	}
	return a
}

func (d *Dispatcher) writeInline(ctx context.Context, job *webhook.Job) (webhook.Request, error) {
	connection, err := d.store.Connection(ctx, job.Account.ID, job.Event.Platform)
	if err != nil && !errors.Is(err, webhook.ErrNotFound) {
		return webhook.Request{}, fmt.Errorf("read the key: %w", err)
	}
	return d.sender.platforms.Question(job.Webhook, job.Account, job.Event, connection.Settings)
}
