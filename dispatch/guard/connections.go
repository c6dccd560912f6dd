package guard

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"syscall"
	"time"
)

// Connections limits how many connections are open at once, for any number of
// transports. When it is full, those that are idle are closed, and a new one waits
// for a place. It is safe for concurrent use.
type Connections struct {
	places chan struct{}
	full   func()
}

// NewConnections returns a limit of connections. full closes those that are idle.
func NewConnections(limit int, full func()) *Connections {
	return &Connections{make(chan struct{}, limit), full}
}

// ErrNoPlace says that Bookhook itself had too many connections open to make
// another one.
var ErrNoPlace = errors.New("too many connections are open")

// dial dials when there is a place, for which it waits as long as a connection may
// take; then the error is ErrNoPlace, unless ctx ended.
func (c *Connections) dial(ctx context.Context, wait time.Duration, dial func(context.Context) (net.Conn, error)) (net.Conn, error) {
	if c == nil {
		return dial(ctx)
	}
	select {
	case c.places <- struct{}{}:
	default:
		c.full()
		timer := time.NewTimer(wait)
		defer timer.Stop()
		select {
		case c.places <- struct{}{}:
		case <-timer.C:
			return nil, ErrNoPlace
		case <-ctx.Done():
			return nil, fmt.Errorf("wait until fewer connections are open: %w", ctx.Err())
		}
	}
	conn, err := dial(ctx)
	if err != nil {
		<-c.places
		return nil, err
	}
	return &limitedConn{Conn: conn, leave: sync.OnceFunc(func() { <-c.places })}, nil
}

// limitedConn is a connection that has a place until it is closed.
type limitedConn struct {
	net.Conn
	leave func()
}

// SyscallConn implements syscall.Conn.
func (c *limitedConn) SyscallConn() (syscall.RawConn, error) {
	inner, ok := c.Conn.(syscall.Conn)
	if !ok {
		return nil, errors.ErrUnsupported
	}
	return inner.SyscallConn()
}

// Close closes the connection and leaves its place to another.
func (c *limitedConn) Close() error {
	defer c.leave()
	return c.Conn.Close()
}
