package bench

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Bounds of a server process.
const (
	startTime = 5 * time.Minute // with 5 million deliveries in a cold file
	stopTime  = 30 * time.Second
	maxStderr = 2 << 10 // bytes that are kept of its standard error
)

// server is a Bookhook in a process of its own.
type server struct {
	url    string
	cmd    *exec.Cmd
	stderr *stderrHead
	exited chan struct{} // closed when the process has exited
	err    error         // of the process; read after exited
}

// servers are those of one measurement: one, or the replicas.
type servers []*server

// targets are where they take events.
func (s servers) targets() []string {
	urls := make([]string, len(s))
	for i := range s {
		urls[i] = s[i].url + "/api/v1/events"
	}
	return urls
}

// watch returns a context that ends when one of them exits.
func (s servers) watch(ctx context.Context) (context.Context, context.CancelFunc) {
	var releases []context.CancelFunc
	for _, one := range s {
		var release context.CancelFunc
		ctx, release = one.watch(ctx)
		releases = append(releases, release)
	}
	return ctx, func() {
		for _, release := range slices.Backward(releases) {
			release()
		}
	}
}

// stop stops all of them.
func (s servers) stop() (err error) {
	for _, one := range s {
		err = errors.Join(err, one.stop())
	}
	return err
}

// startServer starts the command and returns when it listens. ctx bounds the start
// only.
func startServer(ctx context.Context, cmd *exec.Cmd) (*server, error) {
	s := &server{cmd: cmd, stderr: &stderrHead{}, exited: make(chan struct{})}
	cmd.Stderr = s.stderr
	output, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start Bookhook: %w", err)
	}
	listening := make(chan string, 1)
	go func() {
		for lines := bufio.NewScanner(output); lines.Scan(); {
			if url, ok := strings.CutPrefix(lines.Text(), "listening on "); ok {
				listening <- url
				break
			}
		}
		_, _ = io.Copy(io.Discard, output) // to its end, so that Wait may follow
		s.err = cmd.Wait()
		close(s.exited)
	}()
	select {
	case s.url = <-listening:
		return s, nil
	case <-s.exited:
		return nil, s.exitError()
	case <-time.After(startTime):
		err = errors.New("Bookhook does not start to listen") //nolint:staticcheck,revive // a name
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	return nil, errors.Join(err, s.stop())
}

// exitError describes an exit that was not asked for.
func (s *server) exitError() error {
	return fmt.Errorf("the Bookhook under load exited: %s: %w", s.stderr, s.err)
}

// watch returns a context that ends when the server exits.
func (s *server) watch(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	go func() {
		select {
		case <-s.exited:
			cancel(s.exitError())
		case <-ctx.Done():
		}
	}()
	return ctx, func() { cancel(nil) }
}

// stop stops the server, and kills it if it does not exit within stopTime.
func (s *server) stop() error {
	select {
	case <-s.exited:
		return nil // watch has reported it
	default:
	}
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err == nil {
		select {
		case <-s.exited:
			if s.err != nil {
				return s.exitError()
			}
			return nil
		case <-time.After(stopTime):
		}
	}
	_ = s.cmd.Process.Kill() // fails if it has exited
	<-s.exited
	return nil
}

// stderrHead keeps the first maxStderr bytes that are written to it: the cause of
// a failure comes before its consequences.
type stderrHead struct {
	mu   sync.Mutex
	text []byte
}

// Write never fails.
func (w *stderrHead) Write(text []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.text = append(w.text, text[:min(len(text), maxStderr-len(w.text))]...)
	return len(text), nil
}

// String returns what was kept.
func (w *stderrHead) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return strings.TrimSpace(string(w.text))
}
