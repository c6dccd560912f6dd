// Package pgtest runs a PostgreSQL server for tests: one of its own for each process,
// in a folder of its own, with nothing but what the tests put there. It ends with the
// process, however that ends.
package pgtest

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver
)

// Superuser may do everything; it has no password.
const Superuser = "postgres"

// server starts the server of all tests once. It ends with the process.
var server = sync.OnceValues(start)

var errMissing = errors.New("PostgreSQL is missing; on Debian: apt-get install postgresql") //nolint:staticcheck,revive // a name

// Wanted reports whether tests that any kind of database can run are to run on
// PostgreSQL: BOOKHOOK_TEST_DATABASE=postgres is in the environment.
func Wanted() bool { return os.Getenv("BOOKHOOK_TEST_DATABASE") == "postgres" }

// SkipIfWanted skips what is about SQLite alone; the reason says what of it.
func SkipIfWanted(tb testing.TB, reason string) {
	tb.Helper()
	if Wanted() {
		tb.Skip("not on PostgreSQL: " + reason)
	}
}

// URL returns the address of the server's database postgres, for the Superuser. Where
// PostgreSQL is missing, the test is skipped unless it is Wanted.
func URL(tb testing.TB) string {
	tb.Helper()
	s, err := server()
	if errors.Is(err, errMissing) && !Wanted() {
		tb.Skip(err)
	}
	if err != nil {
		tb.Fatal(err)
	}
	return s.URL
}

// free are databases that tests have left empty, by their templates: making one takes
// longer than most tests.
var free = struct {
	sync.Mutex
	names map[string][]string
}{names: map[string][]string{}}

// Database returns the URL of a database that is a copy of another one; template1 is an
// empty one. It is the test's until that ends.
func Database(tb testing.TB, template string) string {
	tb.Helper()
	free.Lock()
	defer free.Unlock()
	name := ""
	if all := free.names[template]; len(all) > 0 {
		name, free.names[template] = all[len(all)-1], all[:len(all)-1]
	} else {
		name = "t" + strings.ToLower(rand.Text())
		Exec(tb, URL(tb), `CREATE DATABASE `+name+` TEMPLATE `+template)
	}
	tb.Cleanup(func() {
		if template == "template1" {
			Exec(tb, URL(tb), `DROP DATABASE `+name+` WITH (FORCE)`)
			return
		}
		Exec(tb, In(tb, name), empty)
		free.Lock()
		defer free.Unlock()
		free.names[template] = append(free.names[template], name)
	})
	return In(tb, name)
}

// empty deletes all rows but those that the migrations insert. TRUNCATE would take half a
// second.
const empty = `DO $$ DECLARE name text; BEGIN
	PERFORM pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid();
	SET LOCAL session_replication_role = replica; -- in any order
	FOR name IN SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
			AND relname NOT IN ('bookhook_version', 'last_writer') LOOP
		EXECUTE 'DELETE FROM ' || name;
	END LOOP;
END $$`

// In returns the URL of a database by its name.
func In(tb testing.TB, name string) string {
	tb.Helper()
	return strings.TrimSuffix(URL(tb), "postgres") + name
}

// Exec runs a statement as the Superuser.
func Exec(tb testing.TB, url, statement string, args ...any) {
	tb.Helper()
	err := use(url, func(pool *sql.DB) error {
		_, err := pool.ExecContext(context.WithoutCancel(tb.Context()), statement, args...)
		return err
	})
	if err != nil {
		tb.Fatalf("%s: %v", statement, err)
	}
}

// use opens the database of a URL for a while.
func use(url string, do func(*sql.DB) error) error {
	pool, err := sql.Open("pgx", url)
	if err != nil {
		return err
	}
	return errors.Join(do(pool), pool.Close())
}

func start() (*Server, error) {
	dir, err := os.MkdirTemp("", "bookhook-postgres")
	if err != nil {
		return nil, err
	}
	s, err := newServer(dir, "max_connections=400")
	if err == nil {
		err = s.initialise()
	}
	if err == nil {
		err = s.start()
	}
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return s, nil
}

func freePort() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	_, port, err := net.SplitHostPort(listener.Addr().String())
	return port, errors.Join(err, listener.Close())
}

// findPrograms returns the folder of initdb and postgres. Debian does not have it in
// PATH.
func findPrograms() (string, error) {
	if path, err := exec.LookPath("initdb"); err == nil {
		path, err = filepath.EvalSymlinks(path)
		return filepath.Dir(path), err
	}
	all, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil || len(all) == 0 {
		return "", errMissing
	}
	version := func(path string) int {
		n, _ := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(path)))) // 0 for another name
		return n
	}
	return filepath.Dir(slices.MaxFunc(all, func(a, b string) int { return version(a) - version(b) })), nil
}
