package guard

import (
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"time"
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
	max   int64
	left  atomic.Int64 // to be read
	wrote atomic.Int64 // since the request began
}

func newMeter(raw net.Conn, limit int64) *meter {
	m := &meter{Conn: raw, max: limit}
	m.left.Store(limit)
	return m
}

func (m *meter) begin() {
	m.left.Store(m.max)
	m.wrote.Store(0)
}

// Read reads, up to the limit.
func (m *meter) Read(p []byte) (int, error) {
	n, err := m.Conn.Read(p)
	if m.left.Add(int64(-n)) < 0 {
		m.Close()
		return n, errTooMuch
	}
	return n, err
}

// Write writes and counts.
func (m *meter) Write(p []byte) (int, error) {
	n, err := m.Conn.Write(p)
	m.wrote.Add(int64(n))
	return n, err
}

// conn is a connection above TLS, as net/http uses it: one request at a time. It
// closes when bytes arrive that no request asked for.
//
// net/http has a goroutine for each connection that reads one response after the
// other. It closes a connection on which bytes arrive while no request is under
// way. But what arrives together with a response waits in its buffer, and if the
// next request is under way before it looks there, that is the response. Therefore
// [conn.begin] waits for it: it calls Read only when its buffer is empty.
type conn struct {
	net.Conn
	meter *meter

	mu       sync.Mutex
	changed  sync.Cond // of reading and closed
	reading  bool      // Read is waiting for bytes
	closed   bool
	reused   bool  // there was a request before this one
	asked    bool  // the request is being written, or was
	answered bool  // bytes arrived after that
	err      error // the first of reading and writing
}

func newConn(secured net.Conn, m *meter) *conn {
	c := &conn{Conn: secured, meter: m}
	c.changed.L = &c.mu
	return c
}

// begin prepares for a request: it waits until nothing of the response before is
// left, or the connection is closed. That takes net/http microseconds; should it take
// a second, the connection is closed.
func (c *conn) begin(reused bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.reading && !c.closed {
		defer time.AfterFunc(time.Second, func() { _ = c.Close() }).Stop()
	}
	for !c.reading && !c.closed {
		c.changed.Wait()
	}
	c.reused, c.asked, c.answered = reused, false, false
	c.meter.begin()
}

// Read reads bytes of a response.
func (c *conn) Read(p []byte) (int, error) {
	c.setReading(true)
	n, err := c.Conn.Read(p)
	unasked := c.read(n, err)
	if unasked {
		_ = c.Close()
		return 0, errUnasked
	}
	return n, err
}

func (c *conn) setReading(reading bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.reading = reading
	c.changed.Broadcast()
}

// read records the result of a Read, and reports whether no request asked for it.
func (c *conn) read(n int, err error) (unasked bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.reading = false
	if n > 0 && c.reused && !c.asked {
		unasked, err = true, errUnasked
	}
	c.answered = c.answered || n > 0
	c.failed(err)
	return unasked
}

// failed keeps the first error; the mutex is held.
func (c *conn) failed(err error) {
	if c.err == nil {
		c.err = err
	}
}

// Write writes bytes of a request, unless the connection is at fault before it.
func (c *conn) Write(p []byte) (int, error) {
	c.mu.Lock()
	if err := c.err; err != nil && !c.asked {
		c.mu.Unlock()
		return 0, err
	}
	c.asked = true
	c.mu.Unlock()
	n, err := c.Conn.Write(p)
	if err != nil {
		c.mu.Lock()
		c.failed(err)
		c.mu.Unlock()
	}
	return n, err
}

// Close closes the connection.
func (c *conn) Close() error {
	c.mu.Lock()
	c.closed = true
	c.changed.Broadcast()
	c.mu.Unlock()
	return c.Conn.Close()
}
