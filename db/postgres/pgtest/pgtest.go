// Package pgtest runs a PostgreSQL server for tests: one of its own for each process,
// in a folder of its own, with nothing but what the tests put there. It ends with the
// process, however that ends.
package pgtest

import (
	"bytes"
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver
)

// Superuser may do everything; it has no password.
const Superuser = "postgres"

// run initialises a cluster and runs the server until the standard input ends, which is
// when the process that started it has ended. Nothing is flushed: these databases need
// not survive the machine.
const run = `trap '' INT TERM
"$1/initdb" -D "$2/data" -U postgres -A trust -E UTF8 --locale=C --no-sync >"$2/log" 2>&1 &&
"$1/postgres" -D "$2/data" -p "$3" -c listen_addresses=127.0.0.1 -c unix_socket_directories="$2" -c fsync=off -c max_connections=400 -c jit=off >>"$2/log" 2>&1 &
server=$!
cat >/dev/null
kill -QUIT "$(head -n 1 "$2/data/postmaster.pid")" "$server" 2>/dev/null
wait
rm -rf "$2"`

// server starts the server once. Whoever stops the process closes its input.
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
	url, err := server()
	if errors.Is(err, errMissing) && !Wanted() {
		tb.Skip(err)
	}
	if err != nil {
		tb.Fatal(err)
	}
	return url
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
	pool, err := sql.Open("pgx", url)
	if err == nil {
		_, err = pool.ExecContext(context.WithoutCancel(tb.Context()), statement, args...)
		err = errors.Join(err, pool.Close())
	}
	if err != nil {
		tb.Fatalf("%s: %v", statement, err)
	}
}

func start() (url string, err error) {
	programs, err := findPrograms()
	if err != nil {
		return "", err
	}
	dir, err := os.MkdirTemp("", "bookhook-postgres")
	if err != nil {
		return "", err
	}
	port, err := freePort()
	if err != nil {
		return "", err
	}
	command := exec.Command("/bin/sh", "-c", run, "sh", programs, dir, port) //nolint:gosec // our script
	if err := setOwner(command, dir); err != nil {
		return "", err
	}
	command.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C"}
	command.Dir = dir
	if _, err := command.StdinPipe(); err != nil { // never closed by us
		return "", err
	}
	if err := command.Start(); err != nil {
		return "", err
	}
	go command.Wait() //nolint:errcheck // it ends after us
	url = "postgres://" + Superuser + "@127.0.0.1:" + port + "/postgres"
	return url, await(url, dir)
}

// await waits until the server answers.
func await(url, dir string) error {
	pool, err := sql.Open("pgx", url)
	if err != nil {
		return err
	}
	defer pool.Close() //nolint:errcheck // it only asked
	for range 1200 {
		if err = pool.PingContext(context.Background()); err == nil {
			return nil
		}
		time.Sleep(50 * time.Millisecond)
	}
	log, _ := os.ReadFile(filepath.Join(dir, "log"))
	return fmt.Errorf("PostgreSQL does not start: %w\n%s", err, bytes.TrimSpace(log))
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
		return filepath.Dir(path), nil
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
