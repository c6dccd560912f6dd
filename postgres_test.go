package main

import (
	"bytes"
	"context"
	"database/sql"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"bookhook/db"
	"bookhook/db/postgres/pgtest"
)

// as returns a URL of a database for another user.
func as(t *testing.T, database, user, password string) string {
	t.Helper()
	u, err := url.Parse(database)
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.UserPassword(user, password)
	return u.String()
}

// askPasswords makes the server ask all but the superuser for their passwords.
func askPasswords(t *testing.T) {
	t.Helper()
	server := pgtest.URL(t)
	var file string
	pool, err := sql.Open("pgx", server)
	if err == nil {
		err = pool.QueryRowContext(t.Context(), `SELECT current_setting('hba_file')`).Scan(&file)
		pool.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	pgtest.Exec(t, server, `COPY (SELECT unnest(ARRAY['host all postgres all trust', 'host all all all scram-sha-256'])) TO '`+file+`'`)
	pgtest.Exec(t, server, `SELECT pg_reload_conf()`)
}

// TestPostgresRefused: whatever is wrong with a database is said in one sentence, without
// the password, and nothing in it is changed.
func TestPostgresRefused(t *testing.T) {
	askPasswords(t)
	server := pgtest.URL(t)
	pgtest.Exec(t, server, `CREATE USER app PASSWORD 's3cret'`)
	pgtest.Exec(t, server, `CREATE USER stranger PASSWORD 's3cret'`)
	empty := as(t, pgtest.Database(t, "template1"), "app", "s3cret")
	foreign := pgtest.Database(t, "template1")
	pgtest.Exec(t, foreign, `CREATE TABLE invoices (id INT)`)
	pgtest.Exec(t, server, `CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0`)
	older := pgtest.Database(t, "template1") // a server that says that it is an older one
	pgtest.Exec(t, older, `CREATE FUNCTION current_setting(name TEXT) RETURNS TEXT LANGUAGE sql AS
		$$ SELECT CASE name WHEN 'server_version_num' THEN '140019' ELSE pg_catalog.current_setting(name) END $$`)
	newer := pgtest.Database(t, "template1")
	createOn(t, newer)
	pgtest.Exec(t, newer, `INSERT INTO bookhook_version (version_id, is_applied) VALUES (999, true)`)
	pgtest.Exec(t, newer, `GRANT USAGE ON SCHEMA public TO stranger`)
	pgtest.Exec(t, newer, `GRANT SELECT ON settings, bookhook_version TO stranger`)
	for name, tt := range map[string]struct{ url, want string }{
		"port":                {"postgres://app:s3cret@127.0.0.1:x/app", "the URL of the database cannot be read"},
		"slash in password":   {"postgres://app:s3cret/x@127.0.0.1/app", "the URL of the database cannot be read"},
		"port and slash":      {"postgres://s3cret:12/s3cret@127.0.0.1/app", "the URL of the database cannot be read"},
		"port and query":      {"postgres://s3cret:7?s3cret@127.0.0.1/app", "the URL of the database cannot be read"},
		"port and fragment":   {"postgres://s3cret:7#s3cret@127.0.0.1/app", "the URL of the database cannot be read"},
		"parameter":           {empty + "?sslmode=maybe", "cannot be used; sslmode is invalid"},
		"nothing listens":     {"postgres://app:s3cret@127.0.0.1:1/app", "the server cannot be reached at 127.0.0.1:1: connect: connection refused"},
		"no such host":        {"postgres://app:s3cret@nowhere.invalid/app", "the server nowhere.invalid cannot be found"},
		"wrong password":      {as(t, empty, "app", "s3cret2"), "the server refuses the user app: wrong password"},
		"no such user":        {as(t, empty, "nobody", "s3cret"), "the server refuses the user nobody: wrong password"},
		"no such database":    {as(t, pgtest.In(t, "nothing"), "app", "s3cret"), "there is no database nothing on the server"},
		"no rights":           {empty, "the user app may not create tables in its schema public"},
		"no schema":           {empty + "?search_path=none", "its user may use no schema of it"},
		"read only":           {pgtest.Database(t, "template1") + "?default_transaction_read_only=on", "set to read only"},
		"too old":             {older + "?search_path=public,pg_catalog", "the server is PostgreSQL 14; Bookhook needs 15 or newer"},
		"another program":     {foreign, "it has tables of another program"},
		"encoding":            {pgtest.In(t, "latin"), "its encoding is LATIN1"},
		"a newer Bookhook":    {newer, "it was written by a newer Bookhook (version 999"},
		"somebody else's":     {as(t, newer, "stranger", "s3cret"), "the user stranger may not read or change all tables"},
		"encryption required": {empty + "?sslmode=require", "the server cannot be reached"},
	} {
		t.Run(name, func(t *testing.T) {
			code, out, said := do(t, "", "serve", "--listen", "127.0.0.1:0", "--database", tt.url)
			if code != 1 || out != "" || !strings.HasPrefix(said, "bookhook: ") || strings.Count(said, "\n") != 1 || !strings.Contains(said, tt.want) {
				t.Errorf("got exit %d, %q and %q, want 1, nothing and one line with %q", code, out, said, tt.want)
			}
			if strings.Contains(said, "s3cret") {
				t.Errorf("the password is shown: %s", said)
			}
		})
	}
	if got := tablesOf(t, foreign); got != "invoices" {
		t.Errorf("tables: got %s, want invoices alone", got)
	}
}

// createOn creates Bookhook's tables in a database.
func createOn(t *testing.T, database string) {
	t.Helper()
	store, err := db.Create(t.Context(), database, nil)
	if err == nil {
		err = store.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
}

func tablesOf(t *testing.T, database string) (names string) {
	t.Helper()
	pool, err := sql.Open("pgx", database)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	if err := pool.QueryRowContext(t.Context(), `SELECT string_agg(tablename, ' ') FROM pg_tables WHERE schemaname = 'public'`).Scan(&names); err != nil {
		t.Fatal(err)
	}
	return names
}

// TestPostgresCommands: commands work on a database of PostgreSQL.
func TestPostgresCommands(t *testing.T) {
	database := pgtest.Database(t, "template1")
	at := []string{"--database", database}
	with := func(args ...string) []string { return append(args, at...) }
	refused(t, "there is no database postgres://postgres@127.0.0.1:", 1, "", with("account", "list")...)
	srv := launch(t, with("serve", "--listen", "127.0.0.1:0")...)
	if got := srv.printed(`^using the database (.*)$`); got != database {
		t.Errorf("got the database %q named, want %s", got, database)
	}
	launch(t, with("serve", "--listen", "127.0.0.1:0")...).stop() // several may serve it
	srv.stop()
	unlock, err := db.Lock(t.Context(), database)
	if err != nil {
		t.Fatal(err)
	}
	refused(t, "is in use by another Bookhook", 1, "", with("serve", "--listen", "127.0.0.1:0")...)
	if err := unlock(); err != nil {
		t.Fatal(err)
	}
	must(t, "", with("account", "add", "Harbour", "--number", "7")...)
	if got := must(t, "", with("account", "list")...); !strings.Contains(got, "Harbour") {
		t.Errorf("accounts: got %q", got)
	}
}

// TestMoveCommand: a company moves to PostgreSQL and back with what is waiting, which is
// delivered from there; nothing is lost, and nothing happens to the database before it.
func TestMoveCommand(t *testing.T) {
	var up atomic.Bool
	got := make(chan string, 10)
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !up.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		got <- r.Header.Get("webhook-id")
	}))
	t.Cleanup(receiver.Close)
	file, server := filepath.Join(t.TempDir(), "bookhook.db"), pgtest.Database(t, "template1")
	on := func(at string) []string {
		return []string{"--listen", "127.0.0.1:0", "--allow-private-targets", "all", "--database", at}
	}
	srv := launch(t, on(file)...)
	must(t, "", "account", "add", "Night Tours", "--number", "4069", "--database", file)
	token := must(t, "", "token", "add", "till", "--account", "4069", "--database", file)
	if status := post(srv.url+"/api/v1/webhooks", token, `{"name":"Here","url":"`+receiver.URL+`","type":"async","format":"standard","events":["new_confirmed_web"]}`); status != http.StatusCreated {
		t.Fatalf("got %d", status)
	}
	sendEvent(srv.url, token, "1")
	refused(t, "in use by another Bookhook; stop that one first", 1, "", "move", "--to", server, "--database", file)
	srv.stop()

	refused(t, "is of the same kind as "+file, 2, "", "move", "--to", file+"2", "--database", file)
	refused(t, "there is no database "+file+"x", 1, "", "move", "--to", server, "--database", file+"x")
	code, out, said := do(t, "", "move", "--to", server, "--database", file)
	if code != 0 || out != "" || !strings.Contains(said, server+" has everything that "+file+" has") || !strings.Contains(said, "1 accounts, 1 webhooks, 1 events, 1 deliveries") {
		t.Fatalf("got exit %d, %q and %q", code, out, said)
	}
	refused(t, "it has tables of Bookhook already", 1, "", "move", "--to", server, "--database", file)
	back := filepath.Join(t.TempDir(), "back.db")
	must(t, "", "move", "--to", back, "--database", server)
	up.Store(true)
	var first string
	for _, at := range []string{server, back} {
		srv = launch(t, on(at)...)
		select {
		case id := <-got:
			if !strings.HasPrefix(id, "dlv_") || first != "" && id != first {
				t.Errorf("got %s delivered from %s, and %s before", id, at, first)
			}
			first = id
		case <-time.After(patience):
			t.Fatalf("what was waiting is not delivered from %s", at)
		}
		if !knownEvents(t, srv.url, token)["1"] {
			t.Errorf("%s does not know the event", at)
		}
		if !sendEvent(srv.url, token, "2") {
			t.Error("it takes no event")
		}
		<-got
		srv.stop()
	}
}

// TestMoveInterrupted: it says how to go on.
func TestMoveInterrupted(t *testing.T) {
	file, server := newDatabase(t), pgtest.Database(t, "template1")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var said bytes.Buffer
	if code := run(ctx, []string{"move", "--to", server, "--database", file}, variables{}.get, streams{strings.NewReader(""), io.Discard, &said}); code != 1 {
		t.Errorf("got exit %d, want 1", code)
	}
	if got := said.String(); got != "bookhook: interrupted; run the same command again to go on from here\n" {
		t.Errorf("got %q", got)
	}
	must(t, "", "move", "--to", server, "--database", file)
}

// TestBackupOfPostgres: a backup while events come in has what was accepted before; it is
// restored into an empty database only, of either kind.
func TestBackupOfPostgres(t *testing.T) {
	database, copied := pgtest.Database(t, "template1"), filepath.Join(t.TempDir(), "copy.db")
	srv := launch(t, "--listen", "127.0.0.1:0", "--database", database)
	must(t, "", "account", "add", "Night Tours", "--number", "4069", "--database", database)
	token := must(t, "", "token", "add", "till", "--account", "4069", "--database", database)
	ctx, cancel := context.WithCancel(t.Context())
	accepted := make(chan string, 100_000)
	var sending sync.WaitGroup
	sending.Go(func() {
		for n := 0; ctx.Err() == nil; n++ {
			if id := strconv.Itoa(n); sendEvent(srv.url, token, id) {
				accepted <- id
			}
		}
	})
	var before []string
	for len(before) < 50 {
		before = append(before, <-accepted)
	}
	must(t, "", "backup", copied, "--database", database)
	cancel()
	sending.Wait()
	refused(t, copied+" exists already", 1, "", "backup", copied, "--database", database)
	refused(t, "in use by another Bookhook; stop that one first", 1, "", "restore", copied, "--database", database)
	srv.stop()
	refused(t, "it has tables of Bookhook already; name an empty database", 1, "", "restore", copied, "--database", database)
	if last, err := open(t, database).LastBackup(t.Context()); err != nil || time.Since(last) > time.Minute {
		t.Errorf("got the last backup at %s, %v", last, err)
	}
	for _, elsewhere := range []string{pgtest.Database(t, "template1"), filepath.Join(t.TempDir(), "bookhook.db")} {
		must(t, "", "restore", copied, "--database", elsewhere)
		again := launch(t, "--listen", "127.0.0.1:0", "--database", elsewhere)
		known := knownEvents(t, again.url, token)
		for _, id := range before {
			if !known[id] {
				t.Fatalf("%s was accepted before the backup began, and is not in %s", id, elsewhere)
			}
		}
		if !sendEvent(again.url, token, "after") {
			t.Error("the restored Bookhook takes no event")
		}
		again.stop()
	}
}

// TestDoctorOfPostgres: it says what is wrong with the server; the one of the tests flushes
// nothing.
func TestDoctorOfPostgres(t *testing.T) {
	database := pgtest.Database(t, "template1")
	code, out, _ := do(t, "", "doctor", "--database", database)
	if code != 1 || !strings.Contains(out, "wrong  database: "+database+": it has no tables of Bookhook") {
		t.Errorf("empty: got exit %d, %s", code, out)
	}
	createOn(t, database)
	code, out, _ = do(t, "", "doctor", "--database", database)
	for _, want := range []string{
		"ok     database: PostgreSQL ", "wrong  durability: fsync is off on the server", "ok     server: a write is on its disk after", "ok     clock: the server's differs by",
		"ok     connections: ", "ok     secrets: ", "ok     DNS: no webhook is on", "ok     disk: it is the server's",
	} {
		if code != 1 || !strings.Contains(out, want) {
			t.Errorf("got exit %d, %s, want %q", code, out, want)
		}
	}
	if strings.Contains(out, "rights") || strings.Contains(out, "collation") || strings.Contains(out, "PgBouncer") {
		t.Errorf("got %s", out)
	}
	pgtest.Exec(t, database, `DO $$ BEGIN EXECUTE 'ALTER DATABASE ' || current_database() || ' CONNECTION LIMIT 5'; END $$`)
	pgtest.Exec(t, database, `ALTER TABLE events ALTER COLUMN type TYPE TEXT COLLATE "POSIX"`)
	_, out, _ = do(t, "", "doctor", "--database", database)
	for _, want := range []string{"wrong  connections: ", "wrong  collation: 1 columns"} {
		if !strings.Contains(out, want) {
			t.Errorf("got %s, want %q", out, want)
		}
	}
	if code, out, _ := do(t, "", "doctor", "--database", "postgres://app@127.0.0.1:1/app"); code != 1 || !strings.Contains(out, "wrong  database: postgres://app@127.0.0.1:1/app: the server cannot be reached") {
		t.Errorf("nothing listens: got exit %d, %s", code, out)
	}
}
