package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	driver "modernc.org/sqlite"

	"bookhook/db/group"
	"bookhook/webhook"
)

func openTemp(tb testing.TB) *DB {
	tb.Helper()
	return openPath(tb, filepath.Join(tb.TempDir(), "bookhook.db"))
}

func openPath(tb testing.TB, path string) *DB {
	tb.Helper()
	s, err := Create(tb.Context(), path)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { s.Close() })
	return s
}

// put is a write that leaves a trace.
func put(key string) func(Tx) error {
	return func(tx Tx) error {
		_, err := tx.Exec(context.Background(), `INSERT INTO settings (key, value) VALUES ($1, $2)`, key, []byte(key))
		return err
	}
}

func traces(tb testing.TB, s *DB) string {
	tb.Helper()
	rows, err := s.Query(tb.Context(), `SELECT key FROM settings ORDER BY key`)
	if err != nil {
		tb.Fatal(err)
	}
	defer rows.Close()
	keys := []string{}
	for rows.Next() {
		var key string
		if err := rows.Scan(&key); err != nil {
			tb.Fatal(err)
		}
		keys = append(keys, key)
	}
	if err := rows.Err(); err != nil {
		tb.Fatal(err)
	}
	return strings.Join(keys, " ")
}

// scanOne reads the only row of a query.
func scanOne(q interface {
	Query(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}, to any, query string, args ...any,
) error {
	rows, err := q.Query(context.Background(), query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	if rows.Next() {
		err = rows.Scan(to)
	}
	return errors.Join(err, rows.Err())
}

// inGroup makes the writer run these writes in one group, and returns them when
// all were answered.
func inGroup(tb testing.TB, s *DB, dos ...func(Tx) error) []error {
	tb.Helper()
	release := hold(tb, s)
	writes := make([]func() error, len(dos))
	for i, do := range dos {
		writes[i] = enqueue(tb, s, tb.Context(), do)
	}
	release()
	errs := make([]error, len(writes))
	for i, wr := range writes {
		errs[i] = wr()
	}
	return errs
}

func enqueue(tb testing.TB, s *DB, ctx context.Context, do func(Tx) error) func() error { //nolint:revive // tb is first everywhere
	tb.Helper()
	wait, err := s.writer.Enqueue(ctx, group.Turn{}, do)
	if err != nil {
		tb.Fatal(err)
	}
	return wait
}

// hold keeps the writer busy until release is called.
func hold(tb testing.TB, s *DB) (release func()) {
	tb.Helper()
	busy, free := make(chan struct{}), make(chan struct{})
	wr := enqueue(tb, s, tb.Context(), func(Tx) error {
		close(busy)
		<-free
		return nil
	})
	<-busy
	return func() {
		close(free)
		_ = wr()
	}
}

// commits counts the transactions that were committed from now on.
func commits(tb testing.TB, s *DB) *atomic.Int64 {
	tb.Helper()
	n := &atomic.Int64{}
	err := s.writer.session.conn.Raw(func(conn any) error {
		conn.(driver.HookRegisterer).RegisterCommitHook(func() int32 {
			n.Add(1)
			return 0
		})
		return nil
	})
	if err != nil {
		tb.Fatal(err)
	}
	return n
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

// wantFull checks for the error of a full disk, by its words.
func wantFull(tb testing.TB, what string, got error) {
	tb.Helper()
	if got == nil || !strings.Contains(got.Error(), "full") {
		tb.Errorf("%s: got error %v, want one of a full disk", what, got)
	}
}

func TestGroupCommit(t *testing.T) {
	s := openTemp(t)
	n := commits(t, s)
	dos := make([]func(Tx) error, 2*group.Max)
	for i := range dos {
		dos[i] = put(strconv.Itoa(i))
	}
	for i, err := range inGroup(t, s, dos...) {
		wantErr(t, strconv.Itoa(i), err, nil)
	}
	want(t, "rows", len(strings.Fields(traces(t, s))), len(dos))
	want(t, "commits of 2,000 waiting writes and the one before them", n.Load(), int64(3))
}

func TestConcurrentWrites(t *testing.T) {
	s := openTemp(t)
	n := commits(t, s)
	var wg sync.WaitGroup
	for i := range 2000 {
		wg.Go(func() { wantErr(t, strconv.Itoa(i), s.Write(t.Context(), group.Turn{}, put(strconv.Itoa(i))), nil) })
	}
	wg.Wait()
	want(t, "rows", len(strings.Fields(traces(t, s))), 2000)
	if n.Load() > 1000 {
		t.Errorf("got %d commits of 2,000 writes, want groups", n.Load())
	}
	t.Logf("%d commits of 2,000 writes", n.Load())
}

// left is a write that leaves a trace and then fails.
func left(key string, with error) func(Tx) error {
	return func(tx Tx) error {
		if err := put(key)(tx); err != nil {
			return err
		}
		return with
	}
}

func TestWriteErrors(t *testing.T) {
	s := openTemp(t)
	errs := inGroup(t, s,
		put("a"),
		left("b", webhook.ErrConflict),
		func(tx Tx) error { _ = put("c")(tx); panic("out of order") },
		put("a"), // a unique conflict
		put("e"),
	)
	wantErr(t, "first", errs[0], nil)
	wantErr(t, "one that failed", errs[1], webhook.ErrConflict)
	if errs[2] == nil || !strings.Contains(errs[2].Error(), "out of order") {
		t.Errorf("one that panicked: got error %v, want what it said", errs[2])
	}
	want(t, "one that met another", s.IsUnique(errs[3]), true)
	wantErr(t, "last", errs[4], nil)
	want(t, "rows", traces(t, s), "a e")
}

// TestRuns: a group is run once, unless a write failed that had changed
// something or may have undone something; then twice, never more.
func TestRuns(t *testing.T) {
	tests := []struct {
		name string
		do   func(Tx) error
		runs int
		rows string // of the group
		all  bool   // everybody gets the error
	}{
		{"nothing fails", put("x"), 1, "a x z", false},
		{"failed before a change", func(Tx) error { return webhook.ErrConflict }, 1, "a z", false},
		{"found nothing", func(tx Tx) error {
			return errors.Join(webhook.ErrNotFound, scanOne(tx, new(int), `SELECT 1 FROM settings WHERE key = 'none'`))
		}, 1, "a z", false},
		{"changed no row, then failed", func(tx Tx) error {
			_, _ = tx.Exec(context.Background(), `DELETE FROM settings WHERE key = 'none'`)
			return webhook.ErrConflict
		}, 1, "a z", false},
		{"failed after a change", left("x", webhook.ErrConflict), 2, "a z", false},
		{"failed after a change by RETURNING", func(tx Tx) error {
			_ = scanOne(tx, new(int), `INSERT INTO settings (key, value) VALUES ('x', x'') RETURNING 1`)
			return webhook.ErrConflict
		}, 2, "a z", false},
		{"panicked after a change", func(tx Tx) error { _ = put("x")(tx); panic("oh") }, 2, "a z", false},
		{"panicked before a change", func(Tx) error { panic("oh") }, 1, "a z", false},
		{"a constraint", put("a"), 2, "a z", false},
		{"a constraint that is no error of the write", func(tx Tx) error { _ = put("a")(tx); return nil }, 1, "a z", false},
		{"not read", func(tx Tx) error {
			return scanOne(tx, new(string), `SELECT json('{')`)
		}, 2, "a z", false},
		{"SQLite undid all", func(tx Tx) error {
			_, err := tx.Exec(context.Background(), `INSERT OR ROLLBACK INTO settings (key, value) VALUES ('a', x'')`)
			return err
		}, 2, "", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := openTemp(t)
			runs := [3]int{}
			counted := func(i int, do func(Tx) error) func(Tx) error {
				return func(tx Tx) error { runs[i]++; return do(tx) }
			}
			errs := inGroup(t, s, counted(0, put("a")), counted(1, tt.do), counted(2, put("z")))
			want(t, "error of the first", errs[0] != nil, tt.all)
			want(t, "error of the last", errs[2] != nil, tt.all)
			want(t, "runs of the first", runs[0], tt.runs)
			want(t, "runs of the second", runs[1], tt.runs)
			want(t, "rows", traces(t, s), tt.rows)
			wantErr(t, "a write after that", s.Write(t.Context(), group.Turn{}, put("later")), nil)
		})
	}
}

// TestLater: in a group, writes that may go later come after the others.
func TestLater(t *testing.T) {
	s := openTemp(t)
	release := hold(t, s)
	var order []string
	add := func(name string) func(Tx) error {
		return func(Tx) error {
			order = append(order, name)
			return nil
		}
	}
	var writes []func() error
	for _, name := range []string{"new 1", "outcome 1", "new 2", "outcome 2"} {
		wait, err := s.writer.Enqueue(t.Context(), group.Turn{Later: strings.HasPrefix(name, "new")}, add(name))
		wantErr(t, name, err, nil)
		writes = append(writes, wait)
	}
	release()
	for _, wait := range writes {
		wantErr(t, "write", wait(), nil)
	}
	if want := []string{"outcome 1", "outcome 2", "new 1", "new 2"}; !slices.Equal(order, want) {
		t.Errorf("got %q, want %q", order, want)
	}
}
