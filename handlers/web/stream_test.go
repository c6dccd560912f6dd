package web

import (
	"bufio"
	"errors"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"
)

// TestStream: texts are sent at once, and something every 20 seconds; it ends when
// it is ended, and when the server stops.
func TestStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		texts, ended, stopping := make(chan string, 1), make(chan struct{}), make(chan struct{})
		here, there := net.Pipe()
		defer here.Close()
		defer there.Close()
		body := func() *streamReader {
			return &streamReader{Stream: Stream{Texts: texts, Ended: ended}, ctx: t.Context(), stopping: stopping, conn: here}
		}
		lines := bufio.NewReader(body())
		texts <- "a"
		begun := time.Now()
		for _, want := range []struct {
			line  string
			after time.Duration
		}{{"data: a\n", 0}, {"\n", 0}, {":\n", streamBeat}, {"\n", streamBeat}, {":\n", 2 * streamBeat}} {
			got, err := lines.ReadString('\n')
			if err != nil || got != want.line || time.Since(begun) != want.after {
				t.Errorf("got %q after %v (%v), want %q after %v", got, time.Since(begun), err, want.line, want.after)
			}
		}
		time.AfterFunc(time.Second, func() { close(stopping) })
		if _, err := body().Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
			t.Errorf("at a stop: got %v", err)
		}
		stopping = nil
		time.AfterFunc(time.Second, func() { close(ended) })
		if _, err := body().Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
			t.Errorf("at its end: got %v", err)
		}
	})
}

// TestStreamOfOneWhoLeft: a client that closes its connection is noticed at once.
func TestStreamOfOneWhoLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		here, there := net.Pipe()
		defer here.Close()
		gone := make(chan struct{})
		go awaitEnd(here, func() { close(gone) })
		synctest.Wait()
		select {
		case <-gone:
			t.Fatal("it is said to have left")
		default:
		}
		_ = there.Close()
		<-gone // or the test is deadlocked
	})
}
