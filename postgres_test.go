package main

import (
	"database/sql"
	"net/url"
	"strings"
	"testing"

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

// TestPostgresCommands: commands work on a database of PostgreSQL, or say what does there
// what they do.
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
	for _, args := range [][]string{{"backup", "copy.db"}, {"restore", "copy.db"}, {"doctor"}} {
		refused(t, "bookhook "+args[0]+" is not there for PostgreSQL yet; ", 1, "", with(args...)...)
	}
}
