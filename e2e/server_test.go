package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// server is one running bookhook. URL is its address without a slash at the end; it stays the same over restarts.
type server struct {
	URL      string
	Database string // path of the SQLite file, or URL; empty when started by startCommand

	t      testing.TB
	args   []string
	files  int // how many it may open; 0: as many as we
	cmd    *exec.Cmd
	log    *serverLog // of the running process, or of the last one
	exited chan struct{}
}

var (
	listening = regexp.MustCompile(`listening on (http://\S+)`)
	setupLink = regexp.MustCompile(`https?://\S+/setup\S*`)
)

// startServer runs "bookhook serve" with the given flags on a new database and a free port of 127.0.0.1, and returns
// when it is ready. A test that delivers to a receiver on this machine needs "--allow-private-targets", "all".
// When the test ends the server is stopped, and must stop in order.
func startServer(t testing.TB, args ...string) *server {
	t.Helper()
	return startServerIn(t, t.TempDir(), args...)
}

// startServerIn is startServer with the database in this folder, or the one of this URL.
func startServerIn(t testing.TB, folder string, args ...string) *server {
	t.Helper()
	database := folder
	if !strings.Contains(folder, "://") {
		database = filepath.Join(folder, "bookhook.db")
	}
	s := startCommand(t, append([]string{"serve", "--database", database, "--listen", "127.0.0.1:0"}, args...)...)
	s.Database = database
	return s
}

// startCommand runs bookhook with exactly these arguments (for "demo") and returns when it listens.
func startCommand(t testing.TB, args ...string) *server {
	t.Helper()
	s := &server{t: t, args: args}
	s.start()
	t.Cleanup(func() {
		s.stop()
		if t.Failed() {
			t.Logf("log of %s:\n%s", s.URL, s.log)
		}
	})
	return s
}

func (s *server) start() {
	s.t.Helper()
	s.launch()
	s.URL = strings.TrimSuffix(s.waitLog(listening)[1], "/")
}

// launch starts the process and does not wait until it listens.
func (s *server) launch() {
	s.t.Helper()
	s.log, s.exited = newServerLog(), make(chan struct{})
	s.cmd = exec.Command(binary, s.args...)
	if s.files > 0 {
		s.cmd = exec.Command("sh", append([]string{"-c", `ulimit -n "$0" && exec "$@"`, strconv.Itoa(s.files), binary}, s.args...)...)
	}
	s.cmd.Env = environ()
	s.cmd.Stdout, s.cmd.Stderr = s.log, s.log
	must(s.t, s.cmd.Start())
	go func(cmd *exec.Cmd, log *serverLog, exited chan struct{}) {
		_ = cmd.Wait() // how it ended is read from cmd.ProcessState
		log.close()
		close(exited)
	}(s.cmd, s.log, s.exited)
}

// environ is ours without BOOKHOOK_ settings, which would make the tests depend on who runs them.
func environ() []string {
	var env []string
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "BOOKHOOK_") {
			env = append(env, v)
		}
	}
	return env
}

// setupLink is the one-time link that is printed on a new database.
func (s *server) setupLink() string {
	s.t.Helper()
	return s.waitLog(setupLink)[0]
}

// waitLog waits until the running process has printed a line that the pattern matches, and returns its groups.
func (s *server) waitLog(pattern *regexp.Regexp) []string {
	s.t.Helper()
	groups, err := s.log.wait(pattern)
	if err != nil {
		s.t.Fatalf("bookhook %s: %v; it printed:\n%s", strings.Join(s.args, " "), err, s.log)
	}
	return groups
}

// kill9 ends the process as a power cut would: no handler runs.
func (s *server) kill9() {
	s.t.Helper()
	must(s.t, s.cmd.Process.Kill())
	<-s.exited
}

// stop asks the process to end (SIGTERM) and waits for it. One that takes too long or does not exit with 0 fails the
// test. Stopping a stopped server does nothing.
func (s *server) stop() {
	s.t.Helper()
	select {
	case <-s.exited:
		return
	default:
	}
	must(s.t, s.cmd.Process.Signal(syscall.SIGTERM))
	select {
	case <-s.exited:
	case <-time.After(patience):
		s.kill9()
		s.t.Errorf("bookhook did not stop within %s of SIGTERM", patience)
		return
	}
	if code := s.cmd.ProcessState.ExitCode(); code != 0 {
		s.t.Errorf("exit code after SIGTERM: got %d, want 0", code)
	}
}

// restart starts the stopped server again: same database, same flags, same port, so that open pages stay valid.
func (s *server) restart() {
	s.t.Helper()
	s.stop()
	s.keepPort()
	s.start()
}

// keepPort makes the next start listen where this one did.
func (s *server) keepPort() {
	for i, arg := range s.args {
		if arg == "127.0.0.1:0" {
			s.args[i] = strings.TrimPrefix(s.URL, "http://")
		}
	}
}

// secretKeyFile is the flag of the server that its other commands need, too.
const secretKeyFile = "--secret-key-file"

// run runs another command of bookhook on the server's database, e.g. run("", "token", "add", "--account", "1", "till")
// with the given standard input, and returns what it printed to standard output.
func (s *server) run(stdin string, args ...string) string {
	s.t.Helper()
	args = append(args, "--database", s.Database)
	if i := slices.Index(s.args, secretKeyFile); i >= 0 {
		args = append(args, s.args[i:i+2]...)
	}
	cmd := exec.CommandContext(s.t.Context(), binary, args...)
	cmd.Env = environ()
	cmd.Stdin = strings.NewReader(stdin)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		s.t.Fatalf("bookhook %s: %v\n%s%s", strings.Join(args, " "), err, out, &stderr)
	}
	return string(out)
}

// serverLog is what a process prints: written by it, waited on by tests.
type serverLog struct {
	mu      sync.Mutex
	text    strings.Builder
	ended   bool
	changed chan struct{} // closed and replaced when there is more
}

func newServerLog() *serverLog { return &serverLog{changed: make(chan struct{})} }

// Write implements io.Writer.
func (l *serverLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text.Write(p)
	close(l.changed)
	l.changed = make(chan struct{})
	return len(p), nil
}

func (l *serverLog) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ended = true
	close(l.changed)
	l.changed = make(chan struct{})
}

// String is everything printed so far.
func (l *serverLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func (l *serverLog) wait(pattern *regexp.Regexp) ([]string, error) {
	timeout := time.After(patience)
	for {
		l.mu.Lock()
		text, ended, changed := l.text.String(), l.ended, l.changed
		l.mu.Unlock()
		for line := range strings.Lines(text) {
			groups := pattern.FindStringSubmatch(line)
			if groups != nil && strings.HasSuffix(line, "\n") { // not a line that is only half there
				return groups, nil
			}
		}
		if ended {
			return nil, fmt.Errorf("it ended before a line matched %q", pattern)
		}
		select {
		case <-changed:
		case <-timeout:
			return nil, fmt.Errorf("no line matched %q within %s", pattern, patience)
		}
	}
}
