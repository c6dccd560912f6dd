package db

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"bookhook/webhook"
)

// pages limits the database to what it has now and n pages, as a full disk
// would; -1 ends that.
func pages(tb testing.TB, s *Store, n int) {
	tb.Helper()
	err := s.write(tb.Context(), func(q querier) error {
		var now int
		if err := q.row(tb.Context(), `PRAGMA page_count`).Scan(&now); err != nil {
			return err
		}
		limit := now + n
		if n < 0 {
			limit = 1 << 30
		}
		var set int
		return q.row(tb.Context(), fmt.Sprintf(`PRAGMA max_page_count = %d`, limit)).Scan(&set)
	})
	if err != nil {
		tb.Fatal(err)
	}
}

func big(key string) func(querier) error {
	return func(q querier) error {
		_, err := q.exec(context.Background(), `INSERT INTO settings (key, value) VALUES ($1, $2)`, key, bytes.Repeat([]byte("x"), 1<<20))
		return err
	}
}

// TestDiskFull: SQLite undoes the whole transaction, so nobody may be told
// that a write of the group is kept, nor that it met another one of them.
func TestDiskFull(t *testing.T) {
	s := openTemp(t)
	pages(t, s, 4)
	met := func(q querier) error {
		if isUnique(put("a")(q)) {
			return webhook.ErrConflict
		}
		return nil
	}
	for i, err := range group(t, s, put("a"), met, big("b"), put("c")) {
		wantFull(t, fmt.Sprint("write ", i), err)
	}
	want(t, "rows", traces(t, s), "")
	wantErr(t, "a small write after that", s.write(t.Context(), put("d")), nil)
	wantFull(t, "a big one alone", s.write(t.Context(), big("e")))
	pages(t, s, -1)
	wantErr(t, "a big one with room again", s.write(t.Context(), big("f")), nil)
	want(t, "rows", traces(t, s), "d f")
	wantErr(t, "ping", s.Ping(t.Context()), nil)
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
	w, err := s.CreateWebhook(ctx, hook, nil, "x", now)
	wantErr(t, "webhook", err, nil)
	event := webhook.Event{Platform: webhook.DefaultPlatform, Type: "cancelled"}
	_, err = s.Ingest(ctx, a.ID, []webhook.Event{event}, now, now, func(*webhook.Webhook) bool { return false })
	wantErr(t, "ingest", err, nil)
	pages(t, s, 8)
	release := hold(t, s)
	claimed := make(chan error)
	var jobs []webhook.Job
	go func() {
		var err error
		jobs, _, err = s.Claim(ctx, w.ID, 1, now, now.Add(time.Minute))
		claimed <- err
	}()
	for len(s.writer.waiting) == 0 {
		runtime.Gosched()
	}
	enqueue(t, s, ctx, big("x"))
	release()
	wantFull(t, "claim", <-claimed)
	want(t, "claimed", len(jobs), 0)
	jobs, _, err = s.Claim(ctx, w.ID, 1, now, now.Add(time.Minute))
	wantErr(t, "claim again", err, nil)
	want(t, "claimed", len(jobs), 1)
}

// TestUnavailable: an error of the database as a whole says so.
func TestUnavailable(t *testing.T) {
	s := openTemp(t)
	says := func(what string, err error, want string) {
		t.Helper()
		if down, ok := errors.AsType[webhook.Unavailable](err); !ok || !strings.Contains(down.What, want) {
			t.Errorf("%s: got error %v (%q), want one that is unavailable, with %q", what, err, down.What, want)
		}
	}
	pages(t, s, 8)
	for _, err := range group(t, s, put("a"), big("b")) {
		says("a full disk", unavailable(err), "full")
	}
	says("a full disk, by the store", s.write(t.Context(), big("c")), "full")
	wantErr(t, "close", s.Close(), nil)
	says("closed", s.write(t.Context(), put("d")), "stopping")
	var invalid error = webhook.Invalid{"a": "b"}
	for _, err := range []error{webhook.ErrNotFound, webhook.ErrBusy, context.Canceled, invalid} {
		if _, ok := errors.AsType[webhook.Unavailable](unavailable(err)); ok {
			t.Errorf("%v counts as unavailable", err)
		}
	}
}

// TestCommitFails: everything went well, but the commit.
func TestCommitFails(t *testing.T) {
	s := openTemp(t)
	orphan := func(q querier) error {
		if _, err := q.exec(context.Background(), `PRAGMA defer_foreign_keys = ON`); err != nil {
			return err
		}
		_, err := q.exec(context.Background(), `INSERT INTO users (id, account_id, email, password_hash, role, created_at) VALUES (1, 4711, '', '', '', 0)`)
		return err
	}
	for i, err := range group(t, s, put("a"), orphan, put("b")) {
		if err == nil {
			t.Errorf("write %d: got no error, want that of the commit", i)
		}
	}
	want(t, "rows", traces(t, s), "")
	wantErr(t, "a write after that", s.write(t.Context(), put("c")), nil)
	want(t, "rows", traces(t, s), "c")
}

// TestUndoneConfig: what Ingest read of a change that was undone later in the
// same group must not be remembered.
func TestUndoneConfig(t *testing.T) {
	s := openTemp(t)
	ctx := t.Context()
	a, err := s.AddAccount(ctx, webhook.Account{Name: "A", TimeZone: "UTC", WebhookLimit: 10}, "x")
	wantErr(t, "account", err, nil)
	pages(t, s, 8)
	rename := func(q querier) error {
		_, err := q.exec(ctx, `UPDATE accounts SET name = 'B', revision = $1`, s.newID())
		return err
	}
	read := func(q querier) error {
		c, err := s.config(ctx, q, a.ID)
		if err == nil {
			want(t, "name in the transaction", c.account.Name, "B")
		}
		return err
	}
	for _, err := range group(t, s, rename, read, big("x")) {
		wantFull(t, "write", err)
	}
	err = s.write(ctx, func(q querier) error {
		c, err := s.config(ctx, q, a.ID)
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
