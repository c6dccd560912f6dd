package accept

import (
	"container/list"
	"net"
	"sync/atomic"
	"time"
)

// Limits of reading what a client still sends after the response.
const (
	lingerPause = 500 * time.Millisecond // without another byte: the client has sent everything
	lingerTime  = 20 * time.Second
)

// Conn is a connection of a [Listener].
type Conn struct {
	net.Conn
	listener *Listener
	peer     string // the address under which it is counted; "" for a proxy
	waiting  atomic.Bool
	linger   atomic.Bool

	// Of the listener, under its lock.
	place *list.Element // nil after it was removed
	idle  bool
	since time.Time // when it became idle, or busy
}

// SetIdle says whether the connection waits for a request to begin.
func (c *Conn) SetIdle(idle bool) {
	c.listener.mu.Lock()
	defer c.listener.mu.Unlock()
	if c.place == nil || c.idle == idle {
		return
	}
	c.listener.idle.Remove(c.place)
	c.listener.busy.Remove(c.place)
	c.idle, c.since = idle, time.Now()
	if idle {
		c.place = c.listener.idle.PushBack(c)
	} else {
		c.place = c.listener.busy.PushBack(c)
	}
}

// SetLinger says whether Close reads what the client still sends, for up to 20
// seconds and until it pauses for half a second.
func (c *Conn) SetLinger(linger bool) { c.linger.Store(linger) }

// Read reads from the client.
func (c *Conn) Read(p []byte) (int, error) {
	c.waiting.Store(true)
	defer c.waiting.Store(false)
	return c.Conn.Read(p)
}

// Write writes to the client.
func (c *Conn) Write(p []byte) (int, error) {
	c.waiting.Store(true)
	defer c.waiting.Store(false)
	return c.Conn.Write(p)
}

// Close closes the connection, and gives its place to another.
func (c *Conn) Close() error {
	if c.linger.Load() {
		c.SetIdle(true)
		c.drain()
	}
	return c.abort()
}

// abort closes the connection at once.
func (c *Conn) abort() error {
	c.listener.mu.Lock()
	c.listener.remove(c)
	c.listener.mu.Unlock()
	return c.Conn.Close()
}

// drain ends the response, and reads the rest of the request.
func (c *Conn) drain() {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); !ok || half.CloseWrite() != nil {
		return
	}
	rest := make([]byte, 1<<10)
	for now, end := time.Now(), time.Now().Add(lingerTime); now.Before(end); now = time.Now() {
		if c.Conn.SetReadDeadline(now.Add(lingerPause)) != nil {
			return
		}
		if _, err := c.Conn.Read(rest); err != nil {
			return
		}
	}
}
