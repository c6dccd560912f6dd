package dispatch

import (
	"context"
	"errors"
	"fmt"
	"time"

	"bookhook/webhook"
)

// askLease is for how long a question counts as on its way.
const askLease = webhook.MaxTimeLimit*time.Second + 2*finishTime

// Ask asks the inline webhook of the account that matches the event, once, and
// returns its verdict when the question and its answer are on disk. When no
// inline webhook matches, nobody objects: the event is accepted. An event with an
// external id that is known gets the first verdict; while that is on its way, it
// is waited for. Circuit, order and rate do not apply.
//
// Its errors are those of [Store.Ask]; webhook.ErrBusy also means that the
// dispatcher does not run, or that very many questions wait for their answer.
// When ctx ends before the answer is on disk the error is its own: the question
// goes on, and the same external id gets its verdict.
func (d *Dispatcher) Ask(ctx context.Context, account webhook.ID, e webhook.Event) (webhook.Answer, error) {
	end, err := d.beginQuestion(ctx, account, e.ExternalID)
	if err != nil {
		return webhook.Answer{}, err
	}
	now := time.Now()
	a, err := d.store.Ask(ctx, account, e, now, now.Add(askLease))
	if err != nil || !a.Asked() || a.Duplicate {
		end()
		return d.settled(ctx, a, err)
	}
	asked := make(chan answered, 1)
	go func() {
		defer end()
		asked <- d.question(&a.Job)
	}()
	select {
	case got := <-asked:
		a.Attempt, a.Verdict = got.Attempt, got.Verdict
		return a, got.err
	case <-ctx.Done():
		return webhook.Answer{}, ctx.Err()
	}
}

// settled is the answer to what needs no question: nobody is to be asked, or
// somebody was.
func (d *Dispatcher) settled(ctx context.Context, a webhook.Answer, err error) (webhook.Answer, error) {
	if err != nil {
		return webhook.Answer{}, err
	}
	if !a.Asked() {
		a.Verdict = webhook.Verdict{Accepted: true}
		return a, nil
	}
	attempts, err := d.store.Attempts(ctx, a.Event.Account, a.Job.Delivery.ID)
	if a.Verdict = webhook.CutOffVerdict; len(attempts) > 0 {
		a.Attempt, a.Verdict = attempts[0], webhook.VerdictOf(attempts[0])
	}
	return a, err
}

// testInline asks one inline webhook about a test event; the answer goes into the
// log.
func (d *Dispatcher) testInline(ctx context.Context, account, webhookID webhook.ID, e webhook.Event) (webhook.Delivery, error) {
	end, err := d.beginQuestion(ctx, account, "")
	if err != nil {
		return webhook.Delivery{}, err
	}
	now := time.Now()
	job, err := d.store.TestInline(ctx, account, webhookID, e, now, now.Add(askLease))
	if err != nil {
		end()
		return webhook.Delivery{}, err
	}
	go func() {
		defer end()
		d.question(&job)
	}()
	return job.Delivery, nil
}

// beginQuestion makes room for a question, and for its goroutine among those
// that a stop waits for.
func (d *Dispatcher) beginQuestion(ctx context.Context, account webhook.ID, externalID string) (end func(), err error) {
	leave, err := d.questions.begin(ctx, questionID{account, externalID})
	if err != nil {
		return nil, err
	}
	if !d.lanes.whileOpen(func() { d.work.Add(1) }) {
		leave()
		return nil, webhook.ErrBusy
	}
	return func() {
		leave()
		d.work.Done()
	}, nil
}

// answered is what came of a question; err says that it could not be recorded.
type answered struct {
	webhook.Attempt
	webhook.Verdict
	err error
}

// question asks, and records the answer. One that we broke off ourselves stays
// in the table; the next start ends it.
func (d *Dispatcher) question(job *webhook.Job) answered {
	a := d.ask(d.sending, job)
	if a.cut {
		return answered{Verdict: webhook.CutOffVerdict}
	}
	result := d.outcome(job, a)
	d.note(job, result)
	if !d.record(job, result) {
		return answered{err: webhook.ErrBusy}
	}
	return answered{Attempt: a.Attempt, Verdict: webhook.VerdictOf(a.Attempt)}
}

// ask makes the one request of a question, within the webhook's time limit.
func (d *Dispatcher) ask(ctx context.Context, job *webhook.Job) answer {
	s := *d.sender
	if job.Webhook.TimeLimit > 0 {
		s.timeout = time.Duration(job.Webhook.TimeLimit) * time.Second
	}
	s.connect = min(s.connect, s.timeout)
	s.hurry = "Answer sooner, or give the webhook a longer time limit."
	a := s.attempt(ctx, job, func() (webhook.Request, error) { return d.writeQuestion(ctx, job) })
	switch _, _, problem := webhook.ReadAnswer(a.Attempt); {
	case a.Failure == webhook.FailGone: // whoever is asked may say so without being asked no more
		a.Failure, a.Error = webhook.FailStatus, "Your server answered "+statusText(a.Status)+"."
	case a.Failure == "" && problem != "":
		a.Failure = webhook.FailAnswer
		a.Error = "Your server answered 200, but its body is no answer: " + problem + ". " +
			"Answer with an empty body, or with a JSON object and the content type application/json."
	}
	return a
}

func (d *Dispatcher) writeQuestion(ctx context.Context, job *webhook.Job) (webhook.Request, error) {
	connection, err := d.store.Connection(ctx, job.Account.ID, job.Event.Platform)
	if err != nil && !errors.Is(err, webhook.ErrNotFound) {
		return webhook.Request{}, fmt.Errorf("read the key: %w", err)
	}
	return d.sender.platforms.Question(job.Webhook, job.Account, job.Event, connection.Settings)
}
