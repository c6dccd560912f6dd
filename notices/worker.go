package notices

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"bookhook/mail"
	"bookhook/platforms"
	"bookhook/webhook"
)

// Store is what the worker needs of the database; *db.Store is all of it.
type Store struct {
	OutboxStore
	IncidentStore
	FallbackStore
}

// OutboxStore is what the worker needs of the outbox, and of people.
type OutboxStore interface {
	ClaimMail(ctx context.Context, now, lease time.Time) (webhook.Mail, error)
	FinishMail(ctx context.Context, m webhook.Mail) error
	DropMail(ctx context.Context, m webhook.Mail) error
	NextMail(ctx context.Context) (time.Time, error)
	Account(ctx context.Context, id webhook.AccountID) (webhook.Account, error)
	SetInvitationToken(ctx context.Context, mail webhook.MailID, hash []byte, expires time.Time) (webhook.Invitation, error)
	UserByEmail(ctx context.Context, email string) (webhook.User, error)
	StartReset(ctx context.Context, m webhook.Mail, hash []byte, expires time.Time) (webhook.User, error)
}

// Sender sends a message; *mail.Sender is one. Its errors are mail.Failure.
type Sender interface {
	Send(ctx context.Context, m mail.Message) error
	Server() string // HOST:PORT
	From() string   // the address
}

// Options are what a worker needs; all are required.
type Options struct {
	Store   Store
	Sender  Sender
	BaseURL string // as people reach Bookhook, without a slash at the end
	StopKey []byte // of the links that end messages; see auth.UnsubscribeToken
	Names   platforms.Registry
	Log     *slog.Logger
}

// Worker sends what is in the outbox.
type Worker struct {
	Options
	wake      chan struct{}
	writeTime time.Duration // that writing one message may take
}

// New returns a worker, which does nothing until Run.
func New(o Options) *Worker { return &Worker{o, make(chan struct{}, 1), writeTime} }

// Wake makes the worker look for messages that are due; call it when some were
// queued. It never blocks.
func (w *Worker) Wake() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

const (
	lease     = 2 * time.Minute // longer than mail.Timeout and writeTime
	writeTime = time.Minute     // that writing one message may take; the others wait for it
	pollEvery = 30 * time.Second
	least     = time.Second     // between two looks when nobody wakes the worker
	grace     = 5 * time.Second // for the message under way at the end
)

// pauses are those after each failed attempt but the last: a day in all.
var pauses = []time.Duration{
	time.Minute, 5 * time.Minute, 15 * time.Minute, 30 * time.Minute,
	time.Hour, 2 * time.Hour, 4 * time.Hour, 8 * time.Hour, 8 * time.Hour,
}

// Run sends messages until ctx ends, and then finishes the one under way, for 5
// seconds at most.
func (w *Worker) Run(ctx context.Context) {
	sending, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(grace, cancel) })()
	for ctx.Err() == nil {
		err := w.sendNext(sending, time.Now())
		switch {
		case err == nil:
		case errors.Is(err, webhook.ErrNotFound):
			w.sleep(ctx)
		case ctx.Err() == nil:
			w.Log.Error("no message could be taken from the outbox or written", "error", err)
			w.sleep(ctx)
		}
	}
}

// sleep waits until it is woken, or the next message is due, or other processes may
// have queued one.
func (w *Worker) sleep(ctx context.Context) {
	wait := pollEvery
	if next, err := w.Store.NextMail(ctx); err == nil {
		wait = max(min(wait, time.Until(next)), least)
	}
	select {
	case <-ctx.Done():
	case <-w.wake:
	case <-time.After(wait):
	}
}

// sendNext sends the message that has been due the longest. It returns
// webhook.ErrNotFound if none is due.
func (w *Worker) sendNext(ctx context.Context, now time.Time) error {
	m, err := w.Store.ClaimMail(ctx, now, now.Add(lease))
	if err != nil {
		return err
	}
	message, err := w.writeInTime(ctx, m, now)
	if errors.Is(err, webhook.ErrNotFound) {
		w.Log.Info("message dropped: what it was about is gone", "mail", m.ID, "kind", m.Kind)
		return w.Store.DropMail(ctx, m)
	}
	if _, failed := errors.AsType[mail.Failure](err); err != nil && !failed {
		return err
	}
	if err == nil {
		err = w.Sender.Send(ctx, message)
	}
	if ctx.Err() != nil { // it may have been sent; after the lease it is sent again
		return ctx.Err()
	}
	return w.finish(ctx, m, err, now)
}

// writeInTime is write, and returns mail.Failure for a message that takes too long, so
// that it waits for its next attempt and the others are sent.
func (w *Worker) writeInTime(ctx context.Context, m webhook.Mail, now time.Time) (mail.Message, error) {
	writing, cancel := context.WithTimeout(ctx, w.writeTime)
	defer cancel()
	message, err := w.write(writing, m, now)
	if err != nil && writing.Err() != nil && ctx.Err() == nil {
		return message, mail.Failure{Message: webhook.NewMessage("mail.internal"), Temporary: true, Cause: err}
	}
	return message, err
}

// finish records the result of an attempt that began at now.
func (w *Worker) finish(ctx context.Context, m webhook.Mail, result error, now time.Time) error {
	log := w.Log.With("mail", m.ID, "account", m.Account, "kind", m.Kind, "attempt", m.Attempts)
	failure, failed := errors.AsType[mail.Failure](result)
	switch {
	case !failed:
		m.State, m.NextAt, m.Problem, m.FinishedAt = webhook.MailSent, time.Time{}, webhook.Message{}, now
		log.Info("message sent")
	case failure.Temporary && m.Attempts <= len(pauses):
		m.NextAt, m.Problem = now.Add(pauses[m.Attempts-1]), failure.Message
		log.Warn("message not sent yet", "error", failure, "next_attempt", m.NextAt)
	default:
		m.State, m.NextAt, m.Problem, m.FinishedAt = webhook.MailFailed, time.Time{}, failure.Message, now
		log.Error("message not sent", "error", failure)
	}
	return w.Store.FinishMail(ctx, m)
}
