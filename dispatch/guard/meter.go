package guard

import (
	"errors"
	"net"
	"sync/atomic"
	"syscall"
)

// Errors of a connection on which the peer sends what it should not.
var (
	errTooMuch = errors.New("more data than an answer may have")
	errUnasked = errors.New("data that no request asked for")
)

// meter is a connection below TLS. It counts what is written, and closes when
// more is read for one request than it may: data, records of TLS or anything else.
type meter struct {
	net.Conn
	raw     syscall.RawConn // nil if there is none
	max     int64
	left    int64        // to be read
	noWait  bool         // Read returns errNothing instead of waiting, and nothing is written
	unasked bool         // something was read in that state
	wrote   atomic.Int64 // since the request began
}

func newMeter(c net.Conn, limit int64) *meter {
	m := &meter{Conn: c, max: limit, left: limit}
	if s, ok := c.(syscall.Conn); ok {
		m.raw, _ = s.SyscallConn()
	}
	return m
}

func (m *meter) begin() {
	m.left = m.max
	m.wrote.Store(0)
}

// Read reads, up to the limit.
func (m *meter) Read(p []byte) (n int, err error) {
	if m.noWait {
		n, err = readNow(m.raw, p)
		m.unasked = m.unasked || n > 0
		return n, err
	}
	n, err = m.Conn.Read(p)
	if m.left -= int64(n); m.left < 0 {
		m.Close()
		return n, errTooMuch
	}
	return n, err
}

// Write writes and counts.
func (m *meter) Write(p []byte) (int, error) {
	if m.noWait { // TLS would answer a peer that nobody asked
		return 0, errUnasked
	}
	n, err := m.Conn.Write(p)
	m.wrote.Add(int64(n))
	return n, err
}

// errNothing says that nothing has arrived. It is temporary, so that a TLS
// connection can be used after it.
var errNothing net.Error = nothingError{}

type nothingError struct{}

// Error implements error.
func (nothingError) Error() string { return "nothing has arrived" }

// Timeout implements net.Error.
func (nothingError) Timeout() bool { return true }

// Temporary implements net.Error.
func (nothingError) Temporary() bool { return true }
