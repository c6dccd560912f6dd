package pgtest

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// watch runs the server until a line comes, which is the signal to end it with. When the
// standard input ends instead, so has the process that started it: the folder goes, too.
// Nothing is flushed: these databases need not survive the machine.
const watch = `trap '' INT TERM
programs="$1"; dir="$2"; shift 2
"$programs/postgres" -D "$dir/data" "$@" >>"$dir/log" 2>&1 &
server=$!
if read -r signal; then kill "-$signal" "$server"; wait; exit; fi
kill -QUIT "$server"
wait
rm -rf "$dir"`

// Server is a server of its own, which a test stops, starts and doubles as it likes.
type Server struct {
	URL string // of its database postgres

	programs, dir, port string
	settings            []string
	command             *exec.Cmd
	input               io.WriteCloser
}

// NewServer starts a server in an empty folder that other users can reach, with settings
// such as "max_connections=50". Without PostgreSQL the test is skipped, unless it is Wanted.
func NewServer(tb testing.TB, dir string, settings ...string) *Server {
	tb.Helper()
	s := prepare(tb, dir, settings)
	check(tb, errors.Join(s.initialise(), s.start()))
	return s
}

// Standby starts a second server in another empty folder, which has everything that this
// one has before this one says that it is stored.
func (s *Server) Standby(tb testing.TB, dir string) *Server {
	tb.Helper()
	b := prepare(tb, dir, s.settings)
	check(tb, b.program("pg_basebackup", "-D", dir+"/data", "-d", s.URL, "-R", "-c", "fast", "--no-sync"))
	check(tb, b.start())
	Exec(tb, s.URL, `ALTER SYSTEM SET synchronous_standby_names = '*'`)
	Exec(tb, s.URL, `SELECT pg_reload_conf()`)
	for deadline := time.Now().Add(time.Minute); Value(tb, s.URL, `SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'`) != "1"; {
		if time.Now().After(deadline) {
			tb.Fatalf("the standby does not follow:\n%s", b.Log())
		}
		time.Sleep(20 * time.Millisecond)
	}
	return b
}

// prepare returns a server that ends with the test.
func prepare(tb testing.TB, dir string, settings []string) *Server {
	tb.Helper()
	s, err := newServer(dir, settings...)
	if errors.Is(err, errMissing) && !Wanted() {
		tb.Skip(err)
	}
	check(tb, err)
	tb.Cleanup(func() { s.Stop(tb, "QUIT") })
	return s
}

func check(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

func newServer(dir string, settings ...string) (*Server, error) {
	programs, err := findPrograms()
	if err != nil {
		return nil, err
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	url := "postgres://" + Superuser + "@127.0.0.1:" + port + "/postgres"
	return &Server{URL: url, programs: programs, dir: dir, port: port, settings: settings}, nil
}

func (s *Server) initialise() error {
	return s.program("initdb", "-D", s.dir+"/data", "-U", Superuser, "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
}

// program runs one of PostgreSQL's programs to its end.
func (s *Server) program(name string, args ...string) error {
	command, err := s.owned(filepath.Join(s.programs, name), args...)
	if err != nil {
		return err
	}
	if out, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", name, err, bytes.TrimSpace(out))
	}
	return nil
}

// owned returns a command that runs as the owner of the folder.
func (s *Server) owned(path string, args ...string) (*exec.Cmd, error) {
	command := exec.Command(path, args...) //nolint:gosec // a program of PostgreSQL, or our script
	command.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C"}
	command.Dir = s.dir
	return command, setOwner(command, s.dir)
}

// start runs the server, and returns when it answers.
func (s *Server) start() error {
	args := []string{
		"-c", watch, "sh", s.programs, s.dir, "-p", s.port, "-c", "listen_addresses=127.0.0.1",
		"-c", "unix_socket_directories=" + s.dir, "-c", "fsync=off", "-c", "jit=off",
	}
	for _, setting := range s.settings {
		args = append(args, "-c", setting)
	}
	var err error
	if s.command, err = s.owned("/bin/sh", args...); err != nil {
		return err
	}
	if s.input, err = s.command.StdinPipe(); err != nil {
		return err
	}
	if err := s.command.Start(); err != nil {
		return err
	}
	return s.await()
}

// Ping asks whether the server answers.
func (s *Server) Ping() error {
	return use(s.URL, func(pool *sql.DB) error { return pool.PingContext(context.Background()) })
}

// await waits until the server answers.
func (s *Server) await() (err error) {
	for range 1200 {
		if err = s.Ping(); err == nil {
			return nil
		}
		time.Sleep(50 * time.Millisecond)
	}
	return fmt.Errorf("PostgreSQL does not start: %w\n%s", err, s.Log())
}

// Start starts the server again.
func (s *Server) Start(tb testing.TB) {
	tb.Helper()
	check(tb, s.start())
}

// Stop ends the server with a signal, such as "INT", and returns when it has ended.
func (s *Server) Stop(tb testing.TB, signal string) {
	tb.Helper()
	if s.command == nil {
		return
	}
	if _, err := io.WriteString(s.input, signal+"\n"); err != nil {
		tb.Errorf("stop PostgreSQL: %v", err)
	}
	_ = s.command.Wait() // the status is that of the server
	s.command = nil
}

// In returns the URL of a database of the server.
func (s *Server) In(name string) string { return strings.TrimSuffix(s.URL, "postgres") + name }

// Log returns what the server has printed.
func (s *Server) Log() string {
	text, _ := os.ReadFile(filepath.Join(s.dir, "log"))
	return string(bytes.TrimSpace(text))
}

// Value returns the one value of a query, as a text.
func Value(tb testing.TB, url, query string, args ...any) (value string) {
	tb.Helper()
	err := use(url, func(pool *sql.DB) error {
		return pool.QueryRowContext(context.WithoutCancel(tb.Context()), query, args...).Scan(&value)
	})
	if err != nil {
		tb.Fatalf("%s: %v", query, err)
	}
	return value
}
