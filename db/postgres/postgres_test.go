package postgres

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"strings"
	"testing"

	"bookhook/db/group"
	"bookhook/db/postgres/pgtest"
	"bookhook/webhook"
)

func openTemp(tb testing.TB) (*DB, string) {
	tb.Helper()
	url := pgtest.Database(tb, "template1")
	return openURL(tb, url), url
}

func openURL(tb testing.TB, url string) *DB {
	tb.Helper()
	d, err := Create(context.WithoutCancel(tb.Context()), url)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { d.Close() })
	return d
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

// wantUnavailable checks that an error is one of the database as a whole.
func wantUnavailable(tb testing.TB, what string, got error, code string) {
	tb.Helper()
	if got == nil || unavailable(got).Code != code {
		tb.Errorf("%s: got error %v with %q, want %s", what, got, unavailable(got).Code, code)
	}
}

// put is a write that leaves a trace.
func put(key string) func(group.Tx) error {
	return func(tx group.Tx) error {
		_, err := tx.Exec(context.Background(), `INSERT INTO settings (key, value) VALUES ($1, $2)`, key, []byte(key))
		return err
	}
}

func traces(tb testing.TB, d *DB) string {
	tb.Helper()
	var keys []string
	rows, err := d.Query(tb.Context(), `SELECT key FROM settings ORDER BY key`)
	if err != nil {
		tb.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var key string
		if err := rows.Scan(&key); err != nil {
			tb.Fatal(err)
		}
		keys = append(keys, key)
	}
	wantErr(tb, "read", rows.Err(), nil)
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

// inGroup makes the writer run these writes in one group, and returns what each returned.
func inGroup(tb testing.TB, d *DB, dos ...func(group.Tx) error) []error {
	tb.Helper()
	return inGroupAs(tb, d, func(int) any { return nil }, dos...)
}

// alongside is inGroup for writes that run alongside each other.
func alongside(tb testing.TB, d *DB, dos ...func(group.Tx) error) []error {
	tb.Helper()
	return inGroupAs(tb, d, func(i int) any { return i }, dos...)
}

// ways are the ways to run a group.
var ways = map[string]func(testing.TB, *DB, ...func(group.Tx) error) []error{"alone": inGroup, "alongside": alongside}

func inGroupAs(tb testing.TB, d *DB, key func(i int) any, dos ...func(group.Tx) error) []error {
	tb.Helper()
	busy, free := make(chan struct{}), make(chan struct{})
	enqueue := func(key any, do func(group.Tx) error) func() error {
		wait, err := d.writer.Enqueue(tb.Context(), group.Turn{Alongside: key}, do)
		if err != nil {
			tb.Fatal(err)
		}
		return wait
	}
	first := enqueue(nil, func(group.Tx) error { close(busy); <-free; return nil })
	<-busy
	var waits []func() error
	for i, do := range dos {
		waits = append(waits, enqueue(key(i), do))
	}
	close(free)
	wantErr(tb, "what kept the writer busy", first(), nil)
	errs := make([]error, len(dos))
	for i, wait := range waits {
		errs[i] = wait()
	}
	return errs
}

// TestRuns: a group is run once, unless a write failed that had changed something, or
// whose error makes PostgreSQL refuse the rest; then twice, and its other writes are kept.
func TestRuns(t *testing.T) {
	ctx := context.Background()
	for _, tt := range []struct {
		name  string
		do    func(group.Tx) error
		runs  int
		rows  string // of the group
		fails bool
	}{
		{"nothing fails", put("x"), 1, "a x z", false},
		{"failed before a change", func(group.Tx) error { return webhook.ErrConflict }, 1, "a z", true},
		{"failed after a change", func(tx group.Tx) error { return errors.Join(put("x")(tx), webhook.ErrConflict) }, 2, "a z", true},
		{"failed after a change by RETURNING", func(tx group.Tx) error {
			return errors.Join(scanOne(tx, new(int), `INSERT INTO settings (key, value) VALUES ('x', '') RETURNING 1`), webhook.ErrConflict)
		}, 2, "a z", true},
		{"panicked after a change", func(tx group.Tx) error { _ = put("x")(tx); panic("oh") }, 2, "a z", true},
		{"a constraint", put("a"), 2, "a z", true},
		{"a constraint that the write took no notice of", func(tx group.Tx) error { _ = put("a")(tx); return nil }, 2, "a z", true},
		{"a row that cannot be read", func(tx group.Tx) error {
			return scanOne(tx, new(int), `SELECT 1 / (2 - i) FROM generate_series(1, 3) i`)
		}, 2, "a z", true},
		{"one that nobody read", func(tx group.Tx) error {
			_ = scanOne(tx, new(int), `SELECT 1 / (2 - i) FROM generate_series(1, 3) i`)
			return nil
		}, 2, "a z", true},
		{"the connection was lost", func(tx group.Tx) error {
			return scanOne(tx, new(bool), `SELECT pg_terminate_backend(pg_backend_pid())`)
		}, 0, "", true},
	} {
		for way, run := range ways {
			t.Run(tt.name+"/"+way, func(t *testing.T) {
				d, _ := openTemp(t)
				runs := [3]int{}
				counted := func(i int, do func(group.Tx) error) func(group.Tx) error {
					return func(tx group.Tx) error { runs[i]++; return do(tx) }
				}
				errs := run(t, d, counted(0, put("a")), counted(1, tt.do), counted(2, put("z")))
				if tt.runs > 0 {
					want(t, "error of the first", errs[0], nil)
					want(t, "error of the last", errs[2], nil)
					want(t, "runs of the first", runs[0], tt.runs)
				} else {
					wantUnavailable(t, "first", errs[0], unreachable)
					wantUnavailable(t, "last", errs[2], unreachable)
				}
				want(t, "the second failed", errs[1] != nil, tt.fails)
				want(t, "rows", traces(t, d), tt.rows)
				wantErr(t, "a write after that", d.Write(ctx, group.Turn{}, put("later")), nil)
			})
		}
	}
}

// TestTooSlow: a write that the server stopped because it took too long is not run again
// with its group.
func TestTooSlow(t *testing.T) {
	for way, run := range ways {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			d, _ := openTemp(t)
			runs := 0
			errs := run(t, d, put("a"), func(tx group.Tx) error {
				runs++
				_, err := tx.Exec(t.Context(), `SELECT pg_sleep(3600)`)
				return err
			}, put("z"))
			wantErr(t, "the first", errs[0], nil)
			wantUnavailable(t, "the slow one", errs[1], "database.locked")
			wantErr(t, "the last", errs[2], nil)
			want(t, "runs", runs, 1)
			want(t, "rows", traces(t, d), "a z")
		})
	}
}

// change writes that what others may keep has changed.
func change(d *DB, tx group.Tx) error {
	_, err := tx.Exec(context.Background(), d.Announce(nil, true)[0].Query)
	return err
}

// TestRound: within a round nobody else changed what may be kept, nor did a version that does
// not say so write. That is so for any number of processes.
func TestRound(t *testing.T) {
	one, url := openTemp(t)
	two := openURL(t, url)
	round := func(d *DB) (round uint64) {
		wantErr(t, "write", d.Write(t.Context(), group.Turn{}, func(tx group.Tx) error {
			round = tx.Round()
			return nil
		}), nil)
		return round
	}
	invalidate := func(d *DB) {
		wantErr(t, "write", d.Write(t.Context(), group.Turn{}, func(tx group.Tx) error {
			return change(d, tx)
		}), nil)
	}
	first, other := round(one), round(two)
	want(t, "the first of all", first > 0 && other > 0, true)
	want(t, "another one wrote", round(one), first)
	invalidate(one)
	second := round(two)
	want(t, "another one changed what may be kept", second > other, true)
	first = round(one)
	want(t, "again", round(two), second)
	pgtest.Exec(t, url, `UPDATE last_writer SET process = 1`)
	third := round(one)
	want(t, "an older version wrote", third > first, true)
	want(t, "and for the others", round(two) > second, true)
	want(t, "again", round(one), third)
	wantErr(t, "fails", one.Write(t.Context(), group.Turn{}, func(tx group.Tx) error {
		return errors.Join(put("a")(tx), webhook.ErrConflict)
	}), webhook.ErrConflict)
	want(t, "something was undone", round(one) > third, true)
}

// TestSettings: whatever the server's settings, a commit is on disk, and nobody keeps the
// lock for long.
func TestSettings(t *testing.T) {
	url := pgtest.Database(t, "template1")
	name := url[strings.LastIndex(url, "/")+1:]
	pgtest.Exec(t, pgtest.URL(t), `ALTER DATABASE `+name+` SET synchronous_commit = off`)
	d := openURL(t, url)
	var got string
	wantErr(t, "write", d.Write(t.Context(), group.Turn{}, func(tx group.Tx) error {
		return scanOne(tx, &got, `SELECT concat_ws(' ', current_setting('synchronous_commit'), current_setting('lock_timeout'),
			current_setting('statement_timeout'), current_setting('idle_in_transaction_session_timeout'))`)
	}), nil)
	want(t, "settings", got, "on 10s 10s 5s")
	wantErr(t, "read", scanOne(d, &got, `SELECT current_setting('synchronous_commit')`), nil)
	want(t, "outside of a group", got, "off")
}

// TestIsolation: whatever the server's isolation level, a group sees what was committed
// while it waited.
func TestIsolation(t *testing.T) {
	for _, level := range []string{"repeatable read", "serializable"} {
		url := pgtest.Database(t, "template1")
		name := url[strings.LastIndex(url, "/")+1:]
		pgtest.Exec(t, pgtest.URL(t), `ALTER DATABASE `+name+` SET default_transaction_isolation = '`+level+`'`)
		one, two := openURL(t, url), openURL(t, url)
		var before, after uint64
		wantErr(t, "write", two.Write(t.Context(), group.Turn{}, func(tx group.Tx) error { before = tx.Round(); return nil }), nil)
		holds, waited := make(chan struct{}), make(chan error)
		var rows int
		go func() {
			<-holds
			waited <- two.Write(context.Background(), group.Turn{}, func(tx group.Tx) error {
				after = tx.Round()
				return scanOne(tx, &rows, `SELECT count(*) FROM settings`)
			})
		}()
		wantErr(t, "write", one.Write(t.Context(), group.Turn{}, func(tx group.Tx) error {
			close(holds)
			waiting := false
			for !waiting {
				if err := scanOne(one, &waiting, `SELECT EXISTS (SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))`); err != nil {
					return err
				}
			}
			return errors.Join(change(one, tx), put("a")(tx))
		}), nil)
		wantErr(t, "the one that waited", <-waited, nil)
		want(t, level+": rows", rows, 1)
		want(t, level+": another round", after > before, true)
	}
}

// TestFrozen: a process that stops in a group keeps the others waiting for some seconds
// only, and nothing of its group is kept.
func TestFrozen(t *testing.T) {
	one, url := openTemp(t)
	two := openURL(t, url)
	holds, wakes := make(chan struct{}), make(chan struct{})
	frozen := make(chan error)
	go func() {
		first := true
		frozen <- one.Write(context.Background(), group.Turn{}, func(tx group.Tx) error {
			err := put("a")(tx)
			if first {
				first = false
				close(holds)
				<-wakes
			}
			return err
		})
	}()
	<-holds
	wantErr(t, "the other one", two.Write(t.Context(), group.Turn{}, put("b")), nil)
	want(t, "rows", traces(t, two), "b")
	close(wakes)
	if err := <-frozen; err == nil { // it ran again on a new connection
		want(t, "rows", traces(t, two), "a b")
	} else {
		wantUnavailable(t, "the frozen one", err, unreachable)
	}
}

func TestText(t *testing.T) {
	d, _ := openTemp(t)
	for _, text := range []string{"plain ✓", "", "a\x00b", "\xff\xfe", "\xed\xa0\x80", "half \xe2\x82"} {
		var got string
		wantErr(t, text, scanOne(d, &got, `SELECT CAST($1 AS TEXT)`, text), nil)
		if clean := CleanText(text); got != clean || slices.Contains([]byte(got), 0) {
			t.Errorf("%q: got %q, want %q", text, got, clean)
		}
	}
	want(t, "clean text", CleanText("plain ✓"), "plain ✓")
}

// TestWithoutPreparing: PgBouncer may give each transaction another connection.
func TestWithoutPreparing(t *testing.T) {
	_, url := openTemp(t)
	d := openURL(t, url+"?default_query_exec_mode=exec")
	for _, err := range append(inGroup(t, d, put("a")), alongside(t, d, put("b"), sameValues(t))...) {
		wantErr(t, "write", err, nil)
	}
	want(t, "a unique index", d.IsUnique(d.Write(t.Context(), group.Turn{}, put("a"))), true)
	want(t, "rows", traces(t, d), "a b")
	var got string
	wantErr(t, "a text compared with JSON", scanOne(d, &got, `SELECT CAST($1 AS JSON) ->> 'name'`, `{"name": "b"}`), nil)
	want(t, "name", got, "b")
	wantErr(t, "prepared", scanOne(d, &got, `SELECT count(*)::text FROM pg_prepared_statements`), nil)
	want(t, "prepared statements", got, "0")
	wantErr(t, "purge", d.Purge(t.Context()), nil)
}

// TestCallerLeaves: what nobody waits for any more is not taken for a server that is away.
func TestCallerLeaves(t *testing.T) {
	d, _ := openTemp(t)
	ctx, leave := context.WithCancel(t.Context())
	leave()
	_, err := d.Query(ctx, `SELECT pg_sleep(60)`) //nolint:rowserrcheck,sqlclosecheck // there are none
	wantErr(t, "read", err, context.Canceled)
	want(t, "code", unavailable(err).Code, "")
	wantErr(t, "write", d.Write(ctx, group.Turn{}, put("a")), context.Canceled)
	wantErr(t, "ping", d.Ping(t.Context()), nil)
}

func TestClosed(t *testing.T) {
	d, _ := openTemp(t)
	wantErr(t, "close", d.Close(), nil)
	wantErr(t, "write", d.Write(t.Context(), group.Turn{}, put("a")), group.ErrClosed)
	wantErr(t, "read", scanOne(d, new(int), `SELECT 1`), group.ErrClosed)
	wantErr(t, "ping", d.Ping(t.Context()), group.ErrClosed)
	want(t, "code", unavailable(group.ErrClosed).Code, "database.stopping")
}
