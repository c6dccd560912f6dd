package accept

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"time"
)

// failing is a listener whose first calls of Accept fail.
type failing struct {
	net.Listener
	errors []error
}

func (f *failing) Accept() (net.Conn, error) {
	if len(f.errors) > 0 {
		err := f.errors[0]
		f.errors = f.errors[1:]
		return nil, &net.OpError{Op: "accept", Net: "tcp", Err: err}
	}
	return f.Listener.Accept()
}

func listening(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// dial connects to the listener, from another address if one is given.
func dial(t *testing.T, l net.Listener, from string) net.Conn {
	t.Helper()
	dialer := net.Dialer{}
	if from != "" {
		dialer.LocalAddr = &net.TCPAddr{IP: net.ParseIP(from)}
	}
	conn, err := dialer.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return conn
}

func accepted(t *testing.T, l *Listener) *Conn {
	t.Helper()
	conn, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn.(*Conn)
}

// isClosed wants that the other end has closed the connection.
func isClosed(t *testing.T, conn net.Conn, what string) {
	t.Helper()
	if _, err := conn.Read(make([]byte, 1)); err == nil || errors.Is(err, syscall.EAGAIN) || isTimeout(err) {
		t.Errorf("%s: got %v, want it closed", what, err)
	}
}

// isOpen wants that it has not.
func isOpen(t *testing.T, server *Conn, client net.Conn, what string) {
	t.Helper()
	if _, err := server.Conn.Write([]byte("x")); err != nil {
		t.Errorf("%s: got %v, want it open", what, err)
		return
	}
	if _, err := io.ReadFull(client, make([]byte, 1)); err != nil {
		t.Errorf("%s: got %v, want it open", what, err)
	}
}

func isTimeout(err error) bool {
	timeout, ok := errors.AsType[net.Error](err)
	return ok && timeout.Timeout()
}

func TestPassingErrors(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	inner := listening(t)
	l := Wrap(&failing{inner, []error{
		syscall.EMFILE, syscall.ENFILE, syscall.ECONNABORTED, syscall.ENOBUFS, syscall.ENOMEM, syscall.EPROTO, syscall.ENETDOWN, syscall.EPERM,
	}}, Options{Max: 10, Log: slog.New(slog.NewTextHandler(&log, nil))})
	client := dial(t, inner, "")
	isOpen(t, accepted(t, l), client, "after errors")
	if n := strings.Count(log.String(), "cannot be accepted"); n != 1 {
		t.Errorf("got %d warnings, want one:\n%s", n, &log)
	}
	inner.Close()
	if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("got %v, want it closed", err)
	}
}

// TestShortageClosesIdle: when no file is left, the connection that has been idle the
// longest gives its own.
func TestShortageClosesIdle(t *testing.T) {
	t.Parallel()
	inner := &failing{Listener: listening(t)}
	l := Wrap(inner, Options{Max: 10, Log: slog.New(slog.DiscardHandler)})
	first, second := dial(t, inner, ""), dial(t, inner, "")
	a, b := accepted(t, l), accepted(t, l)
	a.SetIdle(false)
	a.SetIdle(true) // b has been idle for longer
	inner.errors = []error{syscall.EMFILE}
	third := dial(t, inner, "")
	isOpen(t, accepted(t, l), third, "the new one")
	isClosed(t, second, "the longest idle one")
	isOpen(t, a, first, "the other")
	if b.place != nil {
		t.Error("the closed one still has a place")
	}
}

func TestLimitInAll(t *testing.T) {
	t.Parallel()
	inner := listening(t)
	l := Wrap(inner, Options{Max: 3, PerAddress: 100, Log: slog.New(slog.DiscardHandler)})
	var clients []net.Conn
	var servers []*Conn
	open := func() {
		clients = append(clients, dial(t, inner, ""))
		servers = append(servers, accepted(t, l))
	}
	for range 3 {
		open()
	}
	servers[0].SetIdle(false) // has a request
	open()
	isClosed(t, clients[1], "the longest idle one")
	isOpen(t, servers[0], clients[0], "the busy one")
	for _, s := range servers[2:] {
		s.SetIdle(false)
	}
	reading := make(chan struct{})
	go func() { // of a request that does not arrive
		defer close(reading)
		_, _ = servers[2].Read(make([]byte, 1))
	}()
	for !servers[2].waiting.Load() {
		time.Sleep(time.Millisecond)
	}
	open()
	isClosed(t, clients[2], "the one that waits for its client")
	<-reading
	servers[4].SetIdle(false)
	refused := dial(t, inner, "")
	go l.Accept() //nolint:errcheck // it refuses, and waits for more until the test ends
	if answer, err := io.ReadAll(refused); err != nil || !strings.HasPrefix(string(answer), "HTTP/1.1 503 ") || !strings.Contains(string(answer), "Retry-After: ") {
		t.Errorf("with none that can be closed: got %q, %v, want 503", answer, err)
	}
	for _, i := range []int{0, 3, 4} {
		isOpen(t, servers[i], clients[i], "a busy one")
	}
}

func TestLimitPerAddress(t *testing.T) {
	t.Parallel()
	inner := listening(t)
	l := Wrap(inner, Options{Max: 100, PerAddress: 2, Proxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.9/32")}, Log: slog.New(slog.DiscardHandler)})
	other := dial(t, inner, "127.0.0.2")
	otherServer := accepted(t, l)
	var clients []net.Conn
	var servers []*Conn
	for range 3 {
		clients = append(clients, dial(t, inner, "127.0.0.3"))
		servers = append(servers, accepted(t, l))
	}
	isClosed(t, clients[0], "the longest idle one of the address")
	isOpen(t, otherServer, other, "one of another address")
	servers[1].SetIdle(false)
	servers[2].SetIdle(false)
	for range 5 {
		proxy := dial(t, inner, "127.0.0.9")
		isOpen(t, accepted(t, l), proxy, "one of a proxy")
	}
	refused := dial(t, inner, "127.0.0.3")
	go l.Accept() //nolint:errcheck // as above
	if answer, err := io.ReadAll(refused); err != nil || !strings.HasPrefix(string(answer), "HTTP/1.1 429 ") {
		t.Errorf("one too many: got %q, %v, want 429", answer, err)
	}
	for _, s := range servers[1:] {
		s.Close()
	}
	if n := l.idle.Len() + l.busy.Len(); n != 6 || len(l.peers) != 2 {
		t.Errorf("got %d connections of %d addresses counted, want 6 of 2", n, len(l.peers))
	}
}

// TestLinger: a client that sends everything before it reads gets the response.
func TestLinger(t *testing.T) {
	t.Parallel()
	inner := listening(t)
	l := Wrap(inner, Options{Max: 10, Log: slog.New(slog.DiscardHandler)})
	client := dial(t, inner, "")
	server := accepted(t, l)
	server.SetLinger(true)
	closed := make(chan error, 1)
	go func() {
		_, _ = server.Write([]byte("refused"))
		closed <- server.Close()
	}()
	if _, err := client.Write(make([]byte, 8<<20)); err != nil {
		t.Errorf("the client cannot send it all: %v", err)
	}
	if answer, err := io.ReadAll(client); err != nil || string(answer) != "refused" {
		t.Errorf("got %q, %v, want the response", answer, err)
	}
	client.Close()
	if err := <-closed; err != nil {
		t.Error(err)
	}
}

func TestShare(t *testing.T) {
	t.Parallel()
	for files, want := range map[int][2]int{64: {8, 8}, 256: {96, 72}, 1024: {480, 360}, 20_000: {9968, 7476}, MaxFiles: {10_000, 41_604}} {
		inbound, outbound := Share(files)
		if inbound != want[0] || outbound != want[1] {
			t.Errorf("%d: got %d and %d, want %v", files, inbound, outbound, want)
		}
	}
}
