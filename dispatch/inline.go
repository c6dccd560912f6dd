package dispatch

import (
	"context"
	"errors"
	"fmt"
	"time"

	"bookhook/dispatch/guard"
	"bookhook/platforms"
	"bookhook/webhook"
)

// inlineLease is for how long an inline call counts as in flight.
const inlineLease = webhook.MaxTimeLimit*time.Second + 2*finishTime

// inlinePause is how often the answer to a call that another replica makes is looked for.
const inlinePause = 100 * time.Millisecond

// CallInline calls the inline webhook of the account that matches the event,
// once, and returns its answer when the call and its result are on disk. If none
// matches, the event is accepted. An event with a known external id gets the
// answer to the first call; if that is still running, here or at another replica,
// CallInline waits for it.
// Circuit, order and rate do not apply.
//
// It returns the errors of the store's InsertInline, and webhook.ErrBusy also if
// the dispatcher does not run or too many calls are running. If ctx ends before
// the result is on disk, it returns the error of ctx: the call continues, and
// another one with the same external id gets its answer.
func (d *Dispatcher) CallInline(ctx context.Context, account webhook.AccountID, e webhook.Event) (webhook.InlineCall, error) {
	release, err := d.acquireInline(ctx, account, e.ExternalID)
	if err != nil {
		return webhook.InlineCall{}, err
	}
	now := d.clock()
	call, err := d.store.InsertInline(ctx, account, e, now, now.Add(inlineLease))
	if err != nil {
		release()
		return webhook.InlineCall{}, err
	}
	if !call.Called() || call.Duplicate {
		defer release()
		return d.storedAnswer(ctx, call)
	}
	called := make(chan inlineResult, 1)
	go func() {
		defer release()
		called <- d.callInline(&call.Job)
	}()
	select {
	case got := <-called:
		if got.err != nil {
			return webhook.InlineCall{}, got.err
		}
		call.Attempt, call.InlineAnswer = got.Attempt, got.InlineAnswer
		return call, nil
	case <-ctx.Done():
		return webhook.InlineCall{}, ctx.Err()
	}
}

// storedAnswer returns the answer without making a call: no webhook matches, or
// the call was made before.
func (d *Dispatcher) storedAnswer(ctx context.Context, call webhook.InlineCall) (webhook.InlineCall, error) {
	if !call.Called() {
		call.InlineAnswer = webhook.InlineAnswer{Accepted: true}
		return call, nil
	}
	for {
		attempts, err := d.store.Attempts(ctx, call.Event.Account, call.Job.Delivery.ID, 0)
		if err != nil {
			return webhook.InlineCall{}, err
		}
		if len(attempts) > 0 {
			call.Attempt, call.InlineAnswer = attempts[0], webhook.AnswerOf(attempts[0])
			return call, nil
		}
		if !d.runsElsewhere(call.Job.Delivery) {
			call.InlineAnswer = webhook.CutOffAnswer
			return call, nil
		}
		select {
		case <-time.After(inlinePause):
		case <-ctx.Done():
			return webhook.InlineCall{}, ctx.Err()
		}
	}
}

// runsElsewhere reports whether another replica may be making the inline call of a
// delivery.
func (d *Dispatcher) runsElsewhere(delivery webhook.Delivery) bool {
	_, alone := d.lanes.held()
	return !alone && delivery.State == webhook.Pending && d.clock().Before(delivery.NextAt)
}

// testInline calls one inline webhook with a test event; the result goes into
// the log.
func (d *Dispatcher) testInline(ctx context.Context, account webhook.AccountID, id webhook.WebhookID, e webhook.Event) (webhook.Delivery, error) {
	release, err := d.acquireInline(ctx, account, "")
	if err != nil {
		return webhook.Delivery{}, err
	}
	now := d.clock()
	job, err := d.store.TestInline(ctx, account, id, e, now, now.Add(inlineLease))
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

// acquireInline takes a place for an inline call, and makes the dispatcher wait
// for the call when it stops.
func (d *Dispatcher) acquireInline(ctx context.Context, account webhook.AccountID, externalID string) (release func(), err error) {
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
	webhook.InlineAnswer
	err error
}

// callInline makes an inline call and records it. A call that is cut off at
// shutdown stays in the table, and is marked as failed at the next start.
func (d *Dispatcher) callInline(job *webhook.Job) inlineResult {
	a := d.requestInline(d.sending, job)
	if a.cutOff {
		return inlineResult{InlineAnswer: webhook.CutOffAnswer}
	}
	result := d.resultOf(job, a)
	d.logAttempt(job, result)
	if _, ok := d.record(job, result); !ok {
		return inlineResult{err: webhook.ErrBusy}
	}
	return inlineResult{Attempt: a.Attempt, InlineAnswer: webhook.AnswerOf(a.Attempt)}
}

// requestInline makes the one request of an inline call, within the webhook's
// time limit. It is on a new connection: a kept one may turn out to be closed, and
// the request is never repeated.
func (d *Dispatcher) requestInline(ctx context.Context, job *webhook.Job) attemptResult {
	limits := d.sender.limits
	if job.Webhook.TimeLimit > 0 {
		limits.timeout = time.Duration(job.Webhook.TimeLimit) * time.Second
	}
	limits.connect = min(limits.connect, limits.timeout)
	limits.inline, limits.fresh = true, true
	a := d.sender.attempt(ctx, job, limits, func() (platforms.Request, error) { return d.writeInline(ctx, job) })
	if a.Failure != "" {
		return a
	}
	if _, _, problem := webhook.ReadInlineBody(a.Attempt); !problem.IsZero() {
		a.fail(guard.InlineBodyError{Receiver: job.Webhook.Name, Problem: problem})
	}
	return a
}

func (d *Dispatcher) writeInline(ctx context.Context, job *webhook.Job) (platforms.Request, error) {
	connection, err := d.lookupStore.Connection(ctx, job.Account.ID, job.Event.Platform)
	if err != nil && !errors.Is(err, webhook.ErrNotFound) {
		return platforms.Request{}, fmt.Errorf("read the key: %w", err)
	}
	return d.sender.platforms.InlineCall(job.Webhook, job.Account, job.Event, connection.Settings)
}
