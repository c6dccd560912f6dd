package db

import (
	"context"
	"errors"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"modernc.org/sqlite"

	"bookhook/webhook"
)

func openTemp(tb testing.TB) *Store {
	tb.Helper()
	return openPath(tb, filepath.Join(tb.TempDir(), "bookhook.db"))
}

func openPath(tb testing.TB, path string) *Store {
	tb.Helper()
	s, err := Open(tb.Context(), path)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { s.Close() })
	return s
}

// put is a write that leaves a trace.
func put(key string) func(querier) error {
	return func(q querier) error {
		_, err := q.exec(context.Background(), `INSERT INTO settings (key, value) VALUES ($1, $2)`, key, []byte(key))
		return err
	}
}

func traces(tb testing.TB, s *Store) string {
	tb.Helper()
	scan := func(r scanner) (key string, err error) { return key, r.Scan(&key) }
	keys, err := list(tb.Context(), s, scan, `SELECT key FROM settings ORDER BY key`)
	if err != nil {
		tb.Fatal(err)
	}
	return strings.Join(keys, " ")
}

// group makes the writer run these writes in one group, and returns them when
// all were answered.
func group(tb testing.TB, s *Store, dos ...func(querier) error) []error {
	tb.Helper()
	release := hold(tb, s)
	writes := make([]*write, len(dos))
	for i, do := range dos {
		writes[i] = enqueue(tb, s, tb.Context(), do)
	}
	release()
	errs := make([]error, len(writes))
	for i, wr := range writes {
		<-wr.end
		errs[i] = wr.err
	}
	return errs
}

func enqueue(tb testing.TB, s *Store, ctx context.Context, do func(querier) error) *write { //nolint:revive // tb is first everywhere
	tb.Helper()
	wr := &write{ctx: ctx, do: do, end: make(chan struct{})}
	if err := s.writer.enqueue(wr); err != nil {
		tb.Fatal(err)
	}
	return wr
}

// hold keeps the writer busy until release is called.
func hold(tb testing.TB, s *Store) (release func()) {
	tb.Helper()
	busy, free := make(chan struct{}), make(chan struct{})
	wr := enqueue(tb, s, tb.Context(), func(querier) error {
		close(busy)
		<-free
		return nil
	})
	<-busy
	return func() {
		close(free)
		<-wr.end
	}
}

// commits counts the transactions that were committed from now on.
func commits(tb testing.TB, s *Store) *atomic.Int64 {
	tb.Helper()
	n := &atomic.Int64{}
	err := s.writer.conn.Raw(func(conn any) error {
		conn.(sqlite.HookRegisterer).RegisterCommitHook(func() int32 {
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
	dos := make([]func(querier) error, 2*maxGroup)
	for i := range dos {
		dos[i] = put(strconv.Itoa(i))
	}
	for i, err := range group(t, s, dos...) {
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
		wg.Go(func() { wantErr(t, strconv.Itoa(i), s.write(t.Context(), put(strconv.Itoa(i))), nil) })
	}
	wg.Wait()
	want(t, "rows", len(strings.Fields(traces(t, s))), 2000)
	if n.Load() > 1000 {
		t.Errorf("got %d commits of 2,000 writes, want groups", n.Load())
	}
	t.Logf("%d commits of 2,000 writes", n.Load())
}

// left is a write that leaves a trace and then fails.
func left(key string, with error) func(querier) error {
	return func(q querier) error {
		if err := put(key)(q); err != nil {
			return err
		}
		return with
	}
}

func TestWriteErrors(t *testing.T) {
	s := openTemp(t)
	errs := group(t, s,
		put("a"),
		left("b", webhook.ErrConflict),
		func(q querier) error { _ = put("c")(q); panic("out of order") },
		put("a"), // a unique conflict
		put("e"),
	)
	wantErr(t, "first", errs[0], nil)
	wantErr(t, "one that failed", errs[1], webhook.ErrConflict)
	if errs[2] == nil || !strings.Contains(errs[2].Error(), "out of order") {
		t.Errorf("one that panicked: got error %v, want what it said", errs[2])
	}
	want(t, "one that met another", isUnique(errs[3]), true)
	wantErr(t, "last", errs[4], nil)
	want(t, "rows", traces(t, s), "a e")
}

// TestRuns: a group is run once, unless a write failed that had changed
// something or may have undone something; then twice, never more.
func TestRuns(t *testing.T) {
	tests := []struct {
		name string
		do   func(querier) error
		runs int
		rows string // of the group
		all  bool   // everybody gets the error
	}{
		{"nothing fails", put("x"), 1, "a x z", false},
		{"failed before a change", func(querier) error { return webhook.ErrConflict }, 1, "a z", false},
		{"found nothing", func(q querier) error {
			return q.row(context.Background(), `SELECT 1 FROM settings WHERE key = 'none'`).Scan(new(int))
		}, 1, "a z", false},
		{"changed no row, then failed", func(q querier) error {
			_, _ = q.exec(context.Background(), `DELETE FROM settings WHERE key = 'none'`)
			return webhook.ErrConflict
		}, 1, "a z", false},
		{"failed after a change", left("x", webhook.ErrConflict), 2, "a z", false},
		{"failed after a change by RETURNING", func(q querier) error {
			_ = q.row(context.Background(), `INSERT INTO settings (key, value) VALUES ('x', x'') RETURNING 1`).Scan(new(int))
			return webhook.ErrConflict
		}, 2, "a z", false},
		{"panicked after a change", func(q querier) error { _ = put("x")(q); panic("oh") }, 2, "a z", false},
		{"panicked before a change", func(querier) error { panic("oh") }, 1, "a z", false},
		{"a constraint", put("a"), 2, "a z", false},
		{"a constraint that is no error of the write", func(q querier) error { _ = put("a")(q); return nil }, 1, "a z", false},
		{"not read", func(q querier) error {
			return q.row(context.Background(), `SELECT json('{')`).Scan(new(string))
		}, 2, "a z", false},
		{"SQLite undid all", func(q querier) error {
			_, err := q.exec(context.Background(), `INSERT OR ROLLBACK INTO settings (key, value) VALUES ('a', x'')`)
			return err
		}, 2, "", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := openTemp(t)
			runs := [3]int{}
			counted := func(i int, do func(querier) error) func(querier) error {
				return func(q querier) error { runs[i]++; return do(q) }
			}
			errs := group(t, s, counted(0, put("a")), counted(1, tt.do), counted(2, put("z")))
			want(t, "error of the first", errs[0] != nil, tt.all)
			want(t, "error of the last", errs[2] != nil, tt.all)
			want(t, "runs of the first", runs[0], tt.runs)
			want(t, "runs of the second", runs[1], tt.runs)
			want(t, "rows", traces(t, s), tt.rows)
			wantErr(t, "a write after that", s.write(t.Context(), put("later")), nil)
		})
	}
}

// cancelled is a context that is over.
func cancelled(tb testing.TB) context.Context {
	ctx, cancel := context.WithCancel(tb.Context())
	cancel()
	return ctx
}

func TestWriteCancelled(t *testing.T) {
	s := openTemp(t)
	wantErr(t, "cancelled before", s.write(cancelled(t), put("a")), context.Canceled)
	release := hold(t, s)
	ctx, cancel := context.WithCancel(t.Context())
	waits, next := enqueue(t, s, ctx, put("b")), enqueue(t, s, t.Context(), put("c"))
	cancel()
	release()
	<-waits.end
	<-next.end
	wantErr(t, "cancelled while it waited", waits.err, context.Canceled)
	wantErr(t, "the one behind it", next.err, nil)
	ctx, cancel = context.WithCancel(t.Context())
	err := s.write(ctx, func(q querier) error {
		cancel() // too late: it is being written
		return put("d")(q)
	})
	wantErr(t, "cancelled while it was written", err, nil)
	want(t, "rows", traces(t, s), "c d")
}

// TestBusy needs no database: nobody takes anything from this queue.
func TestBusy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &writer{waiting: make(chan *write, 1), done: make(chan struct{})}
		wantErr(t, "first", w.enqueue(&write{ctx: t.Context()}), nil)
		wantErr(t, "queue full", w.enqueue(&write{ctx: t.Context()}), webhook.ErrBusy)
		wantErr(t, "caller gone", w.enqueue(&write{ctx: cancelled(t)}), context.Canceled)
		go func() { <-w.waiting }()
		wantErr(t, "a place in time", w.enqueue(&write{ctx: t.Context()}), nil)
		close(w.done)
		wantErr(t, "closed", w.enqueue(&write{ctx: t.Context()}), errClosed)
	})
}

func TestCloseWithWaitingWrites(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bookhook.db")
	s := openPath(t, path)
	release := hold(t, s)
	writes := []*write{}
	for i := range 10 {
		writes = append(writes, enqueue(t, s, t.Context(), put(strconv.Itoa(i))))
	}
	closed := make(chan error)
	go func() { closed <- s.Close() }()
	<-s.writer.quit
	release()
	wantErr(t, "close", <-closed, nil)
	for _, wr := range writes {
		<-wr.end
		wantErr(t, "a write that waited", wr.err, nil)
	}
	wantErr(t, "a write after that", s.write(t.Context(), put("x")), errClosed)
	wantErr(t, "ping", s.Ping(t.Context()), errClosed)
	if _, err := s.HasUsers(t.Context()); err == nil {
		t.Error("a closed database was read")
	}
	wantErr(t, "close again", s.Close(), nil)
	want(t, "rows", traces(t, openPath(t, path)), "0 1 2 3 4 5 6 7 8 9")
}
