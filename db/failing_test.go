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

// errUndone is the error of a write that is undone.
var errUndone = errors.New("this one was undone")

// undoing is an engine that runs each write and then undoes it, as it does with
// the rest of a group when the commit fails.
type undoing struct{ engine }

func (e undoing) Write(ctx context.Context, turn group.Turn, do func(engineTx) error) error {
	return e.engine.Write(ctx, turn, func(tx engineTx) error {
		if err := do(tx); err != nil {
			return err
		}
		return errUndone
	})
}

// undo calls a method of which all writes are undone after they ran.
func undo(tb testing.TB, s *Store, method func() error) {
	tb.Helper()
	kept := s.engine
	s.engine = undoing{kept}
	wantErr(tb, "a write that was undone", method(), errUndone)
	s.engine = kept
}

// TestClaimUndone: what was claimed in a transaction that failed is not claimed,
// and must not be sent.
func TestClaimUndone(t *testing.T) {
	s := openTemp(t)
	ctx := t.Context()
	a := anAccount(t, s)
	w, err := s.CreateWebhook(ctx, aHook(a.ID, false), nil, changedAt(now))
	wantErr(t, "webhook", err, nil)
	_, err = s.Insert(ctx, planFor(t, s, a.ID, webhook.Event{Platform: webhook.DefaultPlatform, Type: "cancelled"}))
	wantErr(t, "insert", err, nil)
	var jobs []webhook.Job
	undo(t, s, func() (err error) {
		jobs, _, err = s.Claim(ctx, webhook.Claim{Webhook: w.ID, N: 1, Now: now, Lease: now.Add(time.Minute)})
		return err
	})
	want(t, "claimed", len(jobs), 0)
	jobs, _, err = s.Claim(ctx, webhook.Claim{Webhook: w.ID, N: 1, Now: now, Lease: now.Add(time.Minute)})
	wantErr(t, "claim again", err, nil)
	want(t, "claimed", len(jobs), 1)
}

// TestNothingTouched: a change that was undone is not reported.
func TestNothingTouched(t *testing.T) {
	s := openTemp(t)
	a := anAccount(t, s)
	w, err := s.CreateWebhook(t.Context(), aHook(a.ID, false), nil, changedAt(now))
	wantErr(t, "create", err, nil)
	var touched []webhook.Touched
	s.Watch(func(all []webhook.Touched) { touched = append(touched, all...) })
	rotate := func() error {
		return s.RotateSecret(t.Context(), a.ID, w.ID, w.SecretShownAt, "whsec_two", changedAt(now))
	}
	undo(t, s, rotate)
	want(t, "touched by what was undone", len(touched), 0)
	twice(t, s, rotate)
	want(t, "touched by what ran twice", len(touched), 1)
}

// TestUnavailable: an error of the database as a whole says so.
func TestUnavailable(t *testing.T) {
	s := openTemp(t)
	full := webhook.NewMessage("database.full")
	down, ok := errors.AsType[webhook.Unavailable](unavailable(coded{s.engine, full}, errUndone))
	want(t, "a full disk", ok && down.Message.Code == full.Code && errors.Is(down, errUndone), true)
	wantErr(t, "close", s.Close(), nil)
	for what, err := range map[string]error{"ping": s.Ping(t.Context()), "a write": s.write(t.Context(), func(transaction) error { return nil })} {
		if down, ok := errors.AsType[webhook.Unavailable](err); !ok || down.Message.Code != "database.stopping" {
			t.Errorf("%s of a closed database: got error %v, want one that is unavailable", what, err)
		}
	}
	var invalid error = webhook.Invalid{"a": full}
	for _, err := range []error{webhook.ErrNotFound, webhook.ErrBusy, context.Canceled, invalid} {
		if _, ok := errors.AsType[webhook.Unavailable](unavailable(s.engine, err)); ok {
			t.Errorf("%v counts as unavailable", err)
		}
	}
}

// coded is a querier of which every error has this message.
type coded struct {
	querier
	message webhook.Message
}

func (c coded) Unavailable(error) webhook.Message { return c.message }

// TestPingReads: asking whether the database is well writes nothing.
func TestPingReads(t *testing.T) {
	s := openTemp(t)
	s.engine = readOnly{s.engine}
	wantErr(t, "ping", s.Ping(t.Context()), nil)
}

// readOnly is an engine that does not write.
type readOnly struct{ engine }

func (readOnly) Write(context.Context, group.Turn, func(engineTx) error) error {
	return errors.New("nothing is to be written")
}

// TestUndoneSubscriptions: what was read of a change that was undone later in the
// same group must not be remembered.
func TestUndoneSubscriptions(t *testing.T) {
	s := openTemp(t)
	ctx := t.Context()
	a := anAccount(t, s)
	undo(t, s, func() error {
		return s.write(ctx, func(tx transaction) error {
			if _, err := tx.Exec(ctx, `UPDATE accounts SET name = 'B', revision = $1`, s.nextID()); err != nil {
				return err
			}
			known, err := s.current(ctx, tx, a.ID)
			if err == nil {
				want(t, "name in the transaction", known.Account.Name, "B")
			}
			return err
		})
	})
	err := s.write(ctx, func(tx transaction) error {
		known, err := s.current(ctx, tx, a.ID)
		if err == nil {
			want(t, "name after it was undone", known.Account.Name, "A")
		}
		return err
	})
	wantErr(t, "write", err, nil)
}

// TestStalePlan: a plan of webhooks that have changed is not stored, and the next
// one is made of those that there are.
func TestStalePlan(t *testing.T) {
	s := openTemp(t)
	ctx := t.Context()
	a := anAccount(t, s)
	event := webhook.Event{Platform: webhook.DefaultPlatform, Type: "cancelled"}
	old := planFor(t, s, a.ID, event)
	other, err := s.CreateWebhook(ctx, aHook(a.ID, false), nil, changedAt(now))
	wantErr(t, "webhook", err, nil)
	for _, store := range []func(context.Context, *webhook.Plan) ([]webhook.Accepted, error){s.Insert, s.CompleteLookups} {
		s.subscriptions.put(old.Subscriptions) // as if it had been read at the same time
		_, err = store(ctx, old)
		wantErr(t, "an old plan", err, webhook.ErrStale)
		fresh := planFor(t, s, a.ID, event)
		want(t, "webhooks of a new one", len(fresh.Subscriptions.Webhooks), 1)
		_, err = store(ctx, fresh)
		wantErr(t, "a new plan", err, nil)
	}
	want(t, "the webhook", s.subscriptions.get(a.ID).Webhook(other.ID) != nil, true)
	page, err := s.Events(ctx, a.ID, webhook.EventFilter{Limit: 9})
	wantErr(t, "events", err, nil)
	want(t, "events", len(page.Rows), 1)
}

// TestIngestIsBounded: what waits for the writer is refused before it takes the
// memory that there is, and nothing is kept of what was refused.
func TestIngestIsBounded(t *testing.T) {
	s := openTemp(t)
	a := anAccount(t, s)
	const free = maxArriving - 2*(arrivalBytes+5)
	ingest := func() error {
		_, err := s.Insert(t.Context(), planFor(t, s, a.ID, webhook.Event{Data: []byte("12345")}, webhook.Event{Data: []byte("67890")}))
		return err
	}
	for _, tt := range []struct {
		waiting, own int
		want         error
	}{{free + 1, 0, webhook.ErrBusy}, {free, 0, nil}, {maxArriving / 2, maxArriving / 2, webhook.ErrBusy}, {maxArriving/2 - 1, maxArriving/2 - 1, nil}} {
		s.arriving.total, s.arriving.byAccount[a.ID] = tt.waiting, tt.own
		wantErr(t, fmt.Sprint("insert while ", tt.waiting, " bytes wait, ", tt.own, " of the account"), ingest(), tt.want)
		want(t, "bytes that wait then", s.arriving.total, tt.waiting)
		want(t, "of the account", s.arriving.byAccount[a.ID], tt.own)
	}
	page, err := s.Events(t.Context(), a.ID, webhook.EventFilter{Limit: 10})
	wantErr(t, "events", err, nil)
	want(t, "events", len(page.Rows), 4)
}
