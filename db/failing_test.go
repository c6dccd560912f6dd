package db

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"bookhook/webhook"
)

func openTemp(tb testing.TB) *Store {
	tb.Helper()
	s, err := Create(tb.Context(), filepath.Join(tb.TempDir(), "bookhook.db"))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { s.Close() })
	return s
}

func want(tb testing.TB, what string, got, want any) {
	tb.Helper()
	if got != want {
		tb.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func wantErr(tb testing.TB, what string, got, want error) {
	tb.Helper()
	if !errors.Is(got, want) {
		tb.Errorf("%s: got error %v, want %v", what, got, want)
	}
}

// errUndone is the error of a write that is undone.
var errUndone = errors.New("this one was undone")

// undoing is an engine that runs each write and then undoes it, as it does with
// the rest of a group when the commit fails.
type undoing struct{ engine }

func (e undoing) Write(ctx context.Context, do func(engineTx) error) error {
	return e.engine.Write(ctx, func(tx engineTx) error {
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
	ctx, now := t.Context(), time.Now()
	a, err := s.AddAccount(ctx, webhook.Account{Name: "A", TimeZone: "UTC", WebhookLimit: 10}, "x")
	wantErr(t, "account", err, nil)
	all := webhook.NewFilter(webhook.All, nil)
	hook := &webhook.Webhook{Account: a.ID, Kind: webhook.Async, Events: []string{webhook.AllEventsKey}, Channels: all, Tours: all, Enabled: true}
	w, err := s.CreateWebhook(ctx, hook, nil, changedAt(now))
	wantErr(t, "webhook", err, nil)
	event := webhook.Event{Platform: webhook.DefaultPlatform, Type: "cancelled"}
	_, err = s.Ingest(ctx, a.ID, []webhook.Event{event}, now, now, func(*webhook.Webhook) bool { return false })
	wantErr(t, "ingest", err, nil)
	var jobs []webhook.Job
	undo(t, s, func() (err error) {
		jobs, _, err = s.Claim(ctx, w.ID, 1, now, now.Add(time.Minute))
		return err
	})
	want(t, "claimed", len(jobs), 0)
	jobs, _, err = s.Claim(ctx, w.ID, 1, now, now.Add(time.Minute))
	wantErr(t, "claim again", err, nil)
	want(t, "claimed", len(jobs), 1)
}

// TestUnavailable: an error of the database as a whole says so.
func TestUnavailable(t *testing.T) {
	s := openTemp(t)
	for code, text := range unavailableTexts {
		down, ok := errors.AsType[webhook.Unavailable](unavailable(coded{s.engine, code}, errUndone))
		want(t, code, ok && down.What == text && errors.Is(down, errUndone), true)
	}
	wantErr(t, "close", s.Close(), nil)
	for what, err := range map[string]error{"ping": s.Ping(t.Context()), "a write": s.write(t.Context(), func(transaction) error { return nil })} {
		if down, ok := errors.AsType[webhook.Unavailable](err); !ok || !strings.Contains(down.What, "stopping") {
			t.Errorf("%s of a closed database: got error %v, want one that is unavailable", what, err)
		}
	}
	var invalid error = webhook.Invalid{"a": "b"}
	for _, err := range []error{webhook.ErrNotFound, webhook.ErrBusy, context.Canceled, invalid} {
		if _, ok := errors.AsType[webhook.Unavailable](unavailable(s.engine, err)); ok {
			t.Errorf("%v counts as unavailable", err)
		}
	}
}

// coded is a querier of which every error has this code.
type coded struct {
	querier
	code string
}

func (c coded) Unavailable(error) string { return c.code }

// TestPingReads: asking whether the database is well writes nothing.
func TestPingReads(t *testing.T) {
	s := openTemp(t)
	s.engine = readOnly{s.engine}
	wantErr(t, "ping", s.Ping(t.Context()), nil)
}

// readOnly is an engine that does not write.
type readOnly struct{ engine }

func (readOnly) Write(context.Context, func(engineTx) error) error {
	return errors.New("nothing is to be written")
}

// TestUndoneConfig: what Ingest read of a change that was undone later in the
// same group must not be remembered.
func TestUndoneConfig(t *testing.T) {
	s := openTemp(t)
	ctx := t.Context()
	a, err := s.AddAccount(ctx, webhook.Account{Name: "A", TimeZone: "UTC", WebhookLimit: 10}, "x")
	wantErr(t, "account", err, nil)
	undo(t, s, func() error {
		return s.write(ctx, func(tx transaction) error {
			if _, err := tx.Exec(ctx, `UPDATE accounts SET name = 'B', revision = $1`, s.newID()); err != nil {
				return err
			}
			c, err := s.config(ctx, tx, a.ID)
			if err == nil {
				want(t, "name in the transaction", c.account.Name, "B")
			}
			return err
		})
	})
	err = s.write(ctx, func(tx transaction) error {
		c, err := s.config(ctx, tx, a.ID)
		if err == nil {
			want(t, "name after it was undone", c.account.Name, "A")
		}
		return err
	})
	wantErr(t, "write", err, nil)
}

// TestIngestIsBounded: what waits for the writer is refused before it takes the
// memory that there is, and nothing is kept of what was refused.
func TestIngestIsBounded(t *testing.T) {
	s := openTemp(t)
	a, err := s.AddAccount(t.Context(), webhook.Account{Name: "A", TimeZone: "UTC"}, "x")
	wantErr(t, "account", err, nil)
	const free = maxArriving - 2*(arrivalBytes+5)
	ingest := func() error {
		events := []webhook.Event{{Data: []byte("12345")}, {Data: []byte("67890")}}
		_, err := s.Ingest(t.Context(), a.ID, events, time.Now(), time.Now(), func(*webhook.Webhook) bool { return false })
		return err
	}
	for _, tt := range []struct {
		waiting int64
		want    error
	}{{free + 1, webhook.ErrBusy}, {free, nil}} {
		s.arriving.Store(tt.waiting)
		wantErr(t, fmt.Sprint("ingest while ", tt.waiting, " bytes wait"), ingest(), tt.want)
		want(t, "bytes that wait then", s.arriving.Load(), tt.waiting)
	}
	page, err := s.Events(t.Context(), a.ID, webhook.EventFilter{Limit: 10})
	wantErr(t, "events", err, nil)
	want(t, "events", len(page.Rows), 2)
}
