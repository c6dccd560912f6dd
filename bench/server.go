package bench

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Bounds of a server's life.
const (
	startTime = 5 * time.Minute // with 5 million deliveries in a cold file
	stopTime  = 30 * time.Second
	maxWords  = 2 << 10 // bytes of what it says
)

// server is a Bookhook in a process of its own.
type server struct {
	url   string
	cmd   *exec.Cmd
	words *words
	ended chan struct{} // closed when it ended, however
	err   error         // how it ended; read after ended
}

// startServer returns when it listens. ctx bounds the start only.
func startServer(ctx context.Context, cmd *exec.Cmd) (*server, error) {
	s := &server{cmd: cmd, words: &words{}, ended: make(chan struct{})}
	cmd.Stderr = s.words
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
		close(s.ended)
	}()
	select {
	case s.url = <-listening:
		return s, nil
	case <-s.ended:
		return nil, s.died()
	case <-time.After(startTime):
		err = errors.New("Bookhook does not begin to listen") //nolint:staticcheck,revive // a name
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	return nil, errors.Join(err, s.stop())
}

// died is the error of an end that nobody asked for.
func (s *server) died() error {
	return fmt.Errorf("the Bookhook under load ended: %s: %w", s.words, s.err)
}

// watch ends the returned context when the server does.
func (s *server) watch(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	go func() {
		select {
		case <-s.ended:
			cancel(s.died())
		case <-ctx.Done():
		}
	}()
	return ctx, func() { cancel(nil) }
}

// stop ends the server in order, or kills it when that does not work.
func (s *server) stop() error {
	select {
	case <-s.ended:
		return nil // it was reported by whoever watched
	default:
	}
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err == nil {
		select {
		case <-s.ended:
			if s.err != nil {
				return s.died()
			}
			return nil
		case <-time.After(stopTime):
		}
	}
	_ = s.cmd.Process.Kill() // fails when it ended by itself
	<-s.ended
	return nil
}

// words keeps the beginning of what was written to it: the cause comes before
// what follows from it.
type words struct {
	mu   sync.Mutex
	text []byte
}

// Write never fails.
func (w *words) Write(text []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.text = append(w.text, text[:min(len(text), maxWords-len(w.text))]...)
	return len(text), nil
}

// String is what was kept.
func (w *words) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return strings.TrimSpace(string(w.text))
}
