package db

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"bookhook/db/group"
	"bookhook/webhook"
)

// twice makes a method run what it writes two times: first to be undone, as with
// the rest of its group, and then again.
func twice(tb testing.TB, s *Store, method func() error) {
	tb.Helper()
	kept := s.engine
	s.engine = rerunning{kept, nil}
	if err := method(); err != nil {
		tb.Error(err)
	}
	s.engine = kept
}

// rerunning is an engine that runs each write twice.
type rerunning struct {
	engine
	between func(engineTx) error // runs after the first time, which is undone, and before the second; nil for nothing
}

func (e rerunning) Write(ctx context.Context, turn group.Turn, do func(engineTx) error) error {
	runs := 0
	err := e.engine.Write(ctx, turn, func(tx engineTx) error {
		if runs++; runs == 2 && e.between != nil {
			if err := e.between(tx); err != nil {
				return err
			}
		}
		if err := do(tx); err != nil || runs > 1 {
			return err
		}
		if e.between != nil { // what changed nothing is not undone
			if err := e.between(tx); err != nil {
				return err
			}
		}
		return errUndone // then the engine runs it again
	})
	if runs != 2 {
		return errors.Join(fmt.Errorf("it ran %d times, want twice", runs), err)
	}
	return err
}

// TestRunTwice: what a method returns is of the run that was kept.
func TestRunTwice(t *testing.T) {
	ctx, s := t.Context(), openTemp(t)
	var a webhook.Account
	twice(t, s, func() (err error) {
		a, _, err = s.Setup(ctx, webhook.Account{Name: "A", WebhookLimit: 9}, webhook.User{Email: "a@example.com", Role: webhook.RoleAdmin}, changedAt(now))
		return err
	})
	var second webhook.Account
	twice(t, s, func() (err error) {
		second, err = s.AddAccount(ctx, webhook.Account{Name: "B"}, changedAt(now))
		return err
	})
	want(t, "number of the second account", second.Number, a.Number+1)
	kept, err := s.Account(ctx, second.ID)
	wantErr(t, "account", err, nil)
	want(t, "account", kept, second)

	var d webhook.Draft
	twice(t, s, func() (err error) {
		d, err = s.SaveDraft(ctx, webhook.Draft{Account: a.ID, Config: webhook.Config{Name: "first"}}, now)
		return err
	})
	read, err := s.Draft(ctx, a.ID, d.ID)
	wantErr(t, "draft", err, nil)
	want(t, "name of the draft", read.Name, "first")
	d.Name = "second"
	twice(t, s, func() (err error) {
		d, err = s.SaveDraft(ctx, d, now)
		return err
	})

	items := []webhook.Item{{ID: "1", Name: "one"}, {ID: "2", Name: "two"}}
	for _, known := range []int{0, 2} {
		var added, changed int
		twice(t, s, func() (err error) {
			added, changed, err = s.PutItems(ctx, a.ID, webhook.Tours, items, changedAt(now))
			return err
		})
		want(t, "added", added, 2-known)
		want(t, "changed", changed, known)
	}
}

// TestDeliveriesTwice: the same for a delivery's life.
func TestDeliveriesTwice(t *testing.T) {
	ctx, s := t.Context(), openTemp(t)
	a := anAccount(t, s)
	var w *webhook.Webhook
	twice(t, s, func() (err error) {
		w, err = s.CreateWebhook(ctx, aHook(a.ID, true), nil, changedAt(now))
		return err
	})
	events := []webhook.Event{{Platform: "tourcms", Type: "cancelled", BookingID: "1"}, {Platform: "tourcms", Type: "cancelled", BookingID: "1"}}
	var in []webhook.Accepted
	p := planFor(t, s, a.ID, events...)
	p.Events[1].Claim[0] = true
	twice(t, s, func() (err error) {
		in, err = s.Insert(ctx, p)
		return err
	})
	want(t, "jobs", len(in[0].Jobs)+len(in[1].Jobs), 0)
	want(t, "waiting", len(in[0].Waiting), 1)
	var jobs []webhook.Job
	twice(t, s, func() (err error) {
		jobs, _, err = s.Claim(ctx, webhook.Claim{Webhook: w.ID, N: 9, Now: now, Lease: now.Add(time.Minute)})
		return err
	})
	want(t, "claimed", len(jobs), 1)
	want(t, "attempts", jobs[0].Delivery.Attempts, 1)
	first := in[0].Decisions[0].Delivery
	var f webhook.Finished
	twice(t, s, func() (err error) {
		f, err = s.Finish(ctx, webhook.Result{Delivery: first, Webhook: w.ID, State: webhook.Failed, Attempt: webhook.Attempt{Number: 1, Failure: webhook.FailStatus}}, now)
		return err
	})
	want(t, "finished", f, webhook.Finished{Released: true})
	var again webhook.Delivery
	twice(t, s, func() (err error) {
		again, err = s.Replay(ctx, a.ID, first, changedAt(now))
		return err
	})
	want(t, "base of the replay", again.Base, 1)
	twice(t, s, func() error { return s.Cancel(ctx, a.ID, first, changedAt(now)) })
	var cancelled int64
	twice(t, s, func() (err error) {
		cancelled, err = s.DeleteWebhook(ctx, a.ID, w.ID, changedAt(now))
		return err
	})
	want(t, "cancelled with the webhook", cancelled, int64(1))
	var pruned int64
	twice(t, s, func() (err error) {
		pruned, _, err = s.Prune(ctx, now.Add(time.Hour), now.Add(time.Hour), 0, 1)
		return err
	})
	want(t, "pruned: a delivery, its attempt and event, and an audit entry", pruned, int64(4))
}

// TestSameIDTwice: an event that was a repetition the first time is stored with its own id
// if it is none the second time.
func TestSameIDTwice(t *testing.T) {
	ctx, s := t.Context(), openTemp(t)
	a := anAccount(t, s)
	first := webhook.Event{Platform: "tourcms", Type: "cancelled", BookingID: "1", ExternalID: "x"}
	again := first
	again.ExternalID, again.SameIDs = "x:1", []string{"x"}
	if _, err := s.Insert(ctx, planFor(t, s, a.ID, first)); err != nil {
		t.Fatal(err)
	}
	kept := s.engine
	s.engine = rerunning{kept, func(tx engineTx) error { // the first one was undone, too
		_, err := tx.Exec(ctx, `DELETE FROM events WHERE external_id = 'x'`)
		return err
	}}
	in, err := s.Insert(ctx, planFor(t, s, a.ID, again))
	s.engine = kept
	wantErr(t, "insert", err, nil)
	want(t, "repetition", in[0].Duplicate, false)
	in, err = s.Insert(ctx, planFor(t, s, a.ID, again))
	wantErr(t, "insert again", err, nil)
	want(t, "stored as x:1", in[0].Duplicate, true)
	last, err := s.Insert(ctx, planFor(t, s, a.ID, first))
	wantErr(t, "insert the first", err, nil)
	want(t, "stored as x", last[0].Duplicate, false)
}
