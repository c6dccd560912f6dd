package sqlite

import (
	"bytes"
	"context"
	"fmt"
	"testing"
	"time"

	"bookhook/db/group"
	"bookhook/webhook"
)

// pages limits the database to what it has now and n pages, as a full disk
// would; -1 ends that.
func pages(tb testing.TB, s *DB, n int) {
	tb.Helper()
	err := s.Write(tb.Context(), group.Turn{}, func(tx Tx) error {
		var now int
		if err := scanOne(tx, &now, `PRAGMA page_count`); err != nil {
			return err
		}
		limit := now + n
		if n < 0 {
			limit = 1 << 30
		}
		var set int
		return scanOne(tx, &set, fmt.Sprintf(`PRAGMA max_page_count = %d`, limit))
	})
	if err != nil {
		tb.Fatal(err)
	}
}

func big(key string) func(Tx) error {
	return func(tx Tx) error {
		_, err := tx.Exec(context.Background(), `INSERT INTO settings (key, value) VALUES ($1, $2)`, key, bytes.Repeat([]byte("x"), 1<<20))
		return err
	}
}

// TestDiskFull: SQLite undoes the whole transaction, so nobody may be told
// that a write of the group is kept, nor that it met another one of them.
func TestDiskFull(t *testing.T) {
	s := openTemp(t)
	pages(t, s, 4)
	met := func(tx Tx) error {
		if s.IsUnique(put("a")(tx)) {
			return webhook.ErrConflict
		}
		return nil
	}
	for i, err := range inGroup(t, s, put("a"), met, big("b"), put("c")) {
		wantFull(t, fmt.Sprint("write ", i), err)
	}
	want(t, "rows", traces(t, s), "")
	wantErr(t, "a small write after that", s.Write(t.Context(), group.Turn{}, put("d")), nil)
	wantFull(t, "a big one alone", s.Write(t.Context(), group.Turn{}, big("e")))
	pages(t, s, -1)
	wantErr(t, "a big one with room again", s.Write(t.Context(), group.Turn{}, big("f")), nil)
	want(t, "rows", traces(t, s), "d f")
	wantErr(t, "ping", s.Ping(t.Context()), nil)
}

// TestCommitFails: everything went well, but the commit.
func TestCommitFails(t *testing.T) {
	s := openTemp(t)
	orphan := func(tx Tx) error {
		if _, err := tx.Exec(context.Background(), `PRAGMA defer_foreign_keys = ON`); err != nil {
			return err
		}
		_, err := tx.Exec(context.Background(), `INSERT INTO users (id, account_id, email, password_hash, role, created_at) VALUES (1, 4711, '', '', '', 0)`)
		return err
	}
	for i, err := range inGroup(t, s, put("a"), orphan, put("b")) {
		if err == nil {
			t.Errorf("write %d: got no error, want that of the commit", i)
		}
	}
	want(t, "rows", traces(t, s), "")
	wantErr(t, "a write after that", s.Write(t.Context(), group.Turn{}, put("c")), nil)
	want(t, "rows", traces(t, s), "c")
}

// TestUnavailable: an error of the database as a whole has its code.
func TestUnavailable(t *testing.T) {
	s := openTemp(t)
	pages(t, s, 8)
	for _, err := range inGroup(t, s, put("a"), big("b")) {
		want(t, "a full disk", s.Unavailable(err).Code, "database.full")
	}
	wantErr(t, "close", s.Close(), nil)
	want(t, "closed", s.Unavailable(s.Write(t.Context(), group.Turn{}, put("d"))).Code, "database.stopping")
	var invalid error = webhook.Invalid{"a": {}}
	for _, err := range []error{webhook.ErrNotFound, webhook.ErrBusy, context.Canceled, invalid} {
		want(t, err.Error(), s.Unavailable(err).Code, "")
	}
}

// TestPingAfterFailure: a database that could not be written is not well, until a
// write succeeds or for a while.
func TestPingAfterFailure(t *testing.T) {
	s := openTemp(t)
	wantErr(t, "ping", s.Ping(t.Context()), nil)
	pages(t, s, 4)
	wantFull(t, "write", s.Write(t.Context(), group.Turn{}, big("a")))
	wantFull(t, "ping", s.Ping(t.Context()))
	wantErr(t, "a write that changes nothing", s.Write(t.Context(), group.Turn{}, func(Tx) error { return nil }), nil)
	wantFull(t, "ping after that", s.Ping(t.Context()))
	wantErr(t, "a write that is refused", s.Write(t.Context(), group.Turn{}, func(Tx) error { return webhook.ErrConflict }), webhook.ErrConflict)
	wantFull(t, "ping after that", s.Ping(t.Context()))
	last := s.writer.LastFailure()
	s.writer.SetFailure(last, time.Now().Add(-group.FailureTTL))
	wantErr(t, "ping after a while", s.Ping(t.Context()), nil)
	s.writer.SetFailure(last, time.Now())
	wantErr(t, "a small write", s.Write(t.Context(), group.Turn{}, put("b")), nil)
	wantErr(t, "ping after a success", s.Ping(t.Context()), nil)
	wantErr(t, "a conflict", s.Write(t.Context(), group.Turn{}, func(Tx) error { return webhook.ErrConflict }), webhook.ErrConflict)
	wantErr(t, "ping after that", s.Ping(t.Context()), nil)
}
