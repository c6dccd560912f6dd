package transfer_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	_ "modernc.org/sqlite" // the driver; pgtest has the other one

	"bookhook/db"
	"bookhook/db/postgres/pgtest"
	"bookhook/db/transfer"
)

func newFile(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "bookhook.db")
	store, err := db.Create(t.Context(), path, nil)
	if err == nil {
		err = store.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// open opens a database past its store.
func open(t *testing.T, at string) *sql.DB {
	t.Helper()
	driver, dsn := "sqlite", "file:"+at+"?_foreign_keys=on"
	if db.OnServer(at) {
		driver, dsn = "pgx", at
	}
	pool, err := sql.Open(driver, dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { pool.Close() })
	return pool
}

func exec(t *testing.T, at, query string, args ...any) {
	t.Helper()
	if _, err := open(t, at).ExecContext(t.Context(), query, args...); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

func scan[T any](t *testing.T, at, query string, args ...any) (value T) {
	t.Helper()
	if err := open(t, at).QueryRowContext(t.Context(), query, args...).Scan(&value); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return value
}

func names(t *testing.T, at, query string, args ...any) (all []string) {
	t.Helper()
	rows, err := open(t, at).QueryContext(t.Context(), query, args...)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			t.Fatal(err)
		}
		all = append(all, name)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

func move(t *testing.T, from, to string) db.Copied {
	t.Helper()
	done, err := db.Move(t.Context(), from, to, func(db.Progress) {})
	if err != nil {
		t.Fatal(err)
	}
	return done
}

func wantErr(t *testing.T, err error, want string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got error %v, want %q", err, want)
	}
}

const tablesOfFile = `SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'`

// TestEveryTableIsInAList: what is new is copied or left on purpose, and what others refer
// to is copied before them.
func TestEveryTableIsInAList(t *testing.T) {
	file, server := newFile(t), pgtest.Database(t, "template1")
	move(t, file, server)
	known := append(slices.Clone(transfer.Copied), transfer.Left...)
	for _, name := range append(names(t, file, tablesOfFile), names(t, server, `SELECT tablename FROM pg_tables WHERE schemaname = 'public'`)...) {
		if !slices.Contains(known, name) {
			t.Errorf("the table %s is neither copied nor left", name)
		}
	}
	for i, name := range transfer.Copied {
		for _, parent := range names(t, file, `SELECT "table" FROM pragma_foreign_key_list($1)`, name) {
			if !slices.Contains(transfer.Copied[:i], parent) {
				t.Errorf("%s is copied before %s, to which it refers", name, parent)
			}
		}
	}
}

// perTable is how many rows fill adds to each table.
const perTable = 4

// fill adds rows to all tables, in which whatever is possible is NULL or empty once.
// Numbers are those of the rows, so that every reference has its row.
func fill(t *testing.T, file string) {
	t.Helper()
	for _, table := range transfer.Copied {
		pool := open(t, file)
		columns := names(t, file, `SELECT name || ' ' || type || ' ' || ("notnull" = 0 AND pk = 0) FROM pragma_table_info($1)`, table)
		for n := range perTable {
			values := make([]any, len(columns))
			for i, column := range columns {
				name, kind, _ := strings.Cut(column, " ")
				switch kind {
				case "INTEGER 0":
					values[i] = n + 1
				case "TEXT 0":
					values[i] = fmt.Sprintf("%q", fmt.Sprintf("%s %d é 🎟", name, n)) // JSON, as some have to be
				case "BLOB 0":
					values[i] = []byte{0, 255, byte(n), 10}
				case "TEXT 1":
					values[i] = []any{nil, "", "x", "é"}[n]
				case "BLOB 1":
					values[i] = []any{nil, []byte{}, []byte{0}, make([]byte, size(name))}[n]
				case "INTEGER 1":
					values[i] = []any{nil, 3, -1 << 62, 1}[n]
					if name == "user_id" || name == "account_id" || name == "webhook_id" {
						values[i] = []any{nil, 1, 2, 3}[n]
					}
				default:
					t.Fatalf("column %s of %s", column, table)
				}
			}
			places := strings.TrimSuffix(strings.Repeat("?, ", len(columns)), ", ")
			if _, err := pool.ExecContext(t.Context(), `INSERT INTO `+table+` VALUES (`+places+`)`, values...); err != nil {
				t.Fatalf("%s: %v", table, err)
			}
		}
	}
}

// size is how large a blob may be: others have an index.
func size(column string) int {
	if column == "data" || strings.HasSuffix(column, "body") {
		return 300_000
	}
	return 3
}

// contents returns all rows of a file as text.
func contents(t *testing.T, file string) map[string][]string {
	t.Helper()
	all := map[string][]string{}
	for _, table := range transfer.Copied {
		columns := names(t, file, `SELECT 'quote(' || name || ')' FROM pragma_table_info($1) ORDER BY name`, table)
		all[table] = names(t, file, `SELECT `+strings.Join(columns, ` || ',' || `)+` FROM `+table+` ORDER BY 1`)
	}
	return all
}

// TestThereAndBack: a database that goes to PostgreSQL and back is the same, whatever is
// in it, and stays as it was where it was.
func TestThereAndBack(t *testing.T) {
	file, server := newFile(t), pgtest.Database(t, "template1")
	fill(t, file)
	before := contents(t, file)
	there := move(t, file, server)
	back := filepath.Join(t.TempDir(), "back.db")
	again := move(t, server, back)
	if there.Replaced != 0 {
		t.Errorf("got %d texts replaced", there.Replaced)
	}
	for _, path := range []string{file, back} {
		after := contents(t, path)
		for table, rows := range before {
			if !slices.Equal(after[table], rows) || len(rows) != perTable {
				t.Errorf("%s in %s: got\n%.2000v, want\n%.2000v", table, filepath.Base(path), after[table], rows)
			}
		}
	}
	for _, table := range transfer.Copied {
		if there.Rows[table] != perTable || again.Rows[table] != perTable {
			t.Errorf("%s: got %d rows there and %d back, want %d", table, there.Rows[table], again.Rows[table], perTable)
		}
	}
	if _, err := db.Check(t.Context(), back); err != nil {
		t.Error(err)
	}
	if left := names(t, server, `SELECT tablename FROM pg_tables WHERE tablename = $1`, transfer.Marks); len(left) > 0 {
		t.Error("the target is still marked as incomplete")
	}
}

// manyEvents fills several batches.
const manyEvents = 15_000

func fillEvents(t *testing.T, file string) {
	t.Helper()
	exec(t, file, `INSERT INTO accounts (id, number, name, time_zone, webhook_limit, created_at) VALUES (1, 1, 'A', 'UTC', 10, 1)`)
	exec(t, file, `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1)
		INSERT INTO events (id, account_id, external_id, platform, type, channel_id, booking_id, tour_ids, occurred_at, received_at, test, inbound, digest, decisions, data)
		SELECT i, 1, 'e' || i, 'tourcms', 'cancelled', '', 'b' || i, '[]', i, i, 0, 0, x'00', '[]', randomblob(2000) FROM n`, manyEvents)
}

// interrupt moves until so many events were read, and wants the copy to be incomplete.
func interrupt(t *testing.T, from, to string) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	_, err := db.Move(ctx, from, to, func(p db.Progress) {
		if p.Table == "events" && p.Rows == 10_000 { // the first batch is stored
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("got error %v, want that of the context", err)
	}
	if n := scan[int](t, to, `SELECT count(*) FROM events`); n == 0 || n == manyEvents {
		t.Fatalf("got %d events after the interruption, want some of %d", n, manyEvents)
	}
	_, err = db.Open(t.Context(), to, nil)
	wantErr(t, err, "it is incomplete: copying "+db.Name(from)+" into it was interrupted; run the same command again")
	_, err = db.Create(t.Context(), to, nil)
	wantErr(t, err, "it is incomplete")
	_, err = db.CheckKey(t.Context(), to, nil)
	wantErr(t, err, "it is incomplete")
}

// directions runs a test with a full database and a place for its copy, both ways.
func directions(t *testing.T, fill func(*testing.T, string), do func(t *testing.T, from, to string)) {
	t.Run("to PostgreSQL", func(t *testing.T) {
		file, server := newFile(t), pgtest.Database(t, "template1")
		fill(t, file)
		do(t, file, server)
	})
	t.Run("to SQLite", func(t *testing.T) {
		file, server := newFile(t), pgtest.Database(t, "template1")
		fill(t, file)
		move(t, file, server)
		do(t, server, filepath.Join(t.TempDir(), "back.db"))
	})
}

// TestInterrupted: a copy that was interrupted goes on, unless what is copied has changed,
// and what it has is not copied again.
func TestInterrupted(t *testing.T) {
	directions(t, fillEvents, func(t *testing.T, from, to string) {
		interrupt(t, from, to)
		has := scan[int](t, to, `SELECT count(*) FROM events`)
		when := func() string { return "" }
		if db.OnServer(to) { // it knows which transaction added a row
			when = func() string {
				return scan[string](t, to, `SELECT string_agg(DISTINCT xmin::text, ' ') FROM events WHERE id <= $1`, has)
			}
		}
		before := when()
		exec(t, from, `UPDATE events SET note = 'changed' WHERE id = 5`)
		_, err := db.Move(t.Context(), from, to, func(db.Progress) {})
		wantErr(t, err, "what is copied has changed since that was interrupted")
		_, err = db.Open(t.Context(), to, nil)
		wantErr(t, err, "it is incomplete")

		exec(t, from, `UPDATE events SET note = '' WHERE id = 5`)
		if done := move(t, from, to); done.Rows["events"] != manyEvents {
			t.Errorf("got %d events, want %d", done.Rows["events"], manyEvents)
		}
		if after := when(); after != before {
			t.Errorf("the first %d events are of the transactions %s, want %s", has, after, before)
		}
		if n := scan[int](t, to, `SELECT count(*) FROM events`); n != manyEvents {
			t.Errorf("got %d events, want %d", n, manyEvents)
		}
	})
}

// TestVerification: a copy in which a single value differs, or a row is missing or too many,
// is never finished.
func TestVerification(t *testing.T) {
	for name, damage := range map[string]string{
		"a value":    `UPDATE events SET note = 'x' WHERE id = 2`,
		"a row less": `DELETE FROM count_log WHERE id = 4`,
		"a row more": `INSERT INTO channels (account_id, id, name) VALUES (1, 'c', 'C')`,
	} {
		t.Run(name, func(t *testing.T) {
			directions(t, fill, func(t *testing.T, from, to string) {
				_, err := db.Move(t.Context(), from, to, func(p db.Progress) {
					if p.Verifying && p.Table == transfer.Copied[0] {
						exec(t, to, damage)
					}
				})
				wantErr(t, err, "was not copied faithfully")
				_, err = db.Open(t.Context(), to, nil)
				wantErr(t, err, "it is incomplete")
			})
		})
	}
}

// TestSourceIsLocked: nobody can change a database while it is being moved.
func TestSourceIsLocked(t *testing.T) {
	directions(t, fill, func(t *testing.T, from, to string) {
		_, err := db.Move(t.Context(), from, to, func(p db.Progress) {
			if p.Table != "events" || p.Verifying {
				return
			}
			_, err := db.Lock(t.Context(), from)
			wantErr(t, err, "is in use by another Bookhook")
			ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			defer cancel()
			if _, err := open(t, from).ExecContext(ctx, `UPDATE accounts SET name = 'B'`); err == nil {
				t.Error("the source was changed")
			}
		})
		if err != nil {
			t.Error(err)
		}
	})
}

// TestTextsThatCannotBeStored are replaced as the store itself does, and counted; keys are
// not replaced.
func TestTextsThatCannotBeStored(t *testing.T) {
	file, server := newFile(t), pgtest.Database(t, "template1")
	exec(t, file, `INSERT INTO accounts (id, number, name, time_zone, webhook_limit, created_at) VALUES (1, 1, 'a' || char(0), 'UTC', 10, 1), (2, 2, CAST(x'62FF' AS TEXT), 'UTC', 10, 1)`)
	if done := move(t, file, server); done.Replaced != 2 {
		t.Errorf("got %d texts replaced, want 2", done.Replaced)
	}
	if got := names(t, server, `SELECT name FROM accounts ORDER BY id`); !slices.Equal(got, []string{"a\uFFFD", "b\uFFFD"}) {
		t.Errorf("got %q", got)
	}
	exec(t, file, `INSERT INTO channels (account_id, id, name) VALUES (1, 'c' || char(0), 'C')`)
	_, err := db.Move(t.Context(), file, pgtest.Database(t, "template1"), func(db.Progress) {})
	wantErr(t, err, `copy the table channels: the id "c\x00" has characters that cannot be stored there`)
}

// TestRefusedDatabases: what cannot be copied, or copied into, stays as it is.
func TestRefusedDatabases(t *testing.T) {
	full, empty := newFile(t), func() string { return pgtest.Database(t, "template1") }
	fillEvents(t, full)
	older, newer, foreignFile := newFile(t), newFile(t), filepath.Join(t.TempDir(), "other.db")
	exec(t, older, `DELETE FROM goose_db_version WHERE version_id = (SELECT max(version_id) FROM goose_db_version)`)
	exec(t, newer, `INSERT INTO goose_db_version (version_id, is_applied) VALUES (999, 1)`)
	exec(t, foreignFile, `CREATE TABLE invoices (id INTEGER)`)
	foreign, used, newerServer, begun := empty(), empty(), empty(), empty()
	exec(t, foreign, `CREATE TABLE invoices (id INT)`)
	move(t, newFile(t), used)
	move(t, newFile(t), newerServer)
	exec(t, newerServer, `INSERT INTO bookhook_version (version_id, is_applied) VALUES (999, true)`)
	interrupt(t, full, begun)
	file := func() string { return filepath.Join(t.TempDir(), "new.db") }
	for name, tt := range map[string]struct{ from, to, want string }{
		"an older schema":              {older, empty(), "its schema is that of an older Bookhook"},
		"a newer schema":               {newer, empty(), "it was written by a newer Bookhook (version 999"},
		"another program's file":       {foreignFile, empty(), "it is the database of another program"},
		"into another program's":       {full, foreign, "it has tables of another program"},
		"into one in use":              {full, used, "it has tables of Bookhook already; name an empty database"},
		"into what is of another file": {newFile(t), begun, "copying " + full + " into it was interrupted, so "},
		"into a file that is there":    {used, full, "exists already; give the name of a new file"},
		"into a foreign file":          {used, foreignFile, "exists already"},
		"another program's":            {foreign, file(), "it has tables of another program"},
		"a newer server":               {newerServer, file(), "it was written by a newer Bookhook (version 999"},
		"an empty server":              {empty(), file(), "it has no tables of Bookhook"},
		"what is incomplete":           {begun, file(), "it is incomplete"},
	} {
		t.Run(name, func(t *testing.T) {
			tables := func() []string {
				if db.OnServer(tt.to) {
					return names(t, tt.to, `SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1`)
				}
				found, _ := filepath.Glob(tt.to)
				return found
			}
			before := tables()
			_, err := db.Move(t.Context(), tt.from, tt.to, func(db.Progress) {})
			wantErr(t, err, tt.want)
			if err != nil && strings.Contains(err.Error(), "\n") {
				t.Errorf("got %q, want one line", err)
			}
			if after := tables(); !slices.Equal(after, before) {
				t.Errorf("got %v, want %v", after, before)
			}
		})
	}
}
