package web

import (
	"context"
	"io"
	"net"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"
)

// Bounds of streams.
const (
	streamBeat         = 20 * time.Second // after which something is sent, so that proxies keep the connection
	streamWriteTimeout = RequestTimeout
)

// Stream is a response of server-sent events, which has no end of its own.
type Stream struct {
	Texts <-chan string   // each is sent as an event; they have no line breaks
	Ended <-chan struct{} // closed when the stream is to end
	Close func()          // is called once when the response has ended, however it did
}

// SendStream sends a stream. It ends when the client goes away, which is noticed at
// once, takes nothing for half a minute, or when the server shuts down.
func SendStream(c *fiber.Ctx, s Stream) {
	conn := c.Context().Conn()
	c.Set(fiber.HeaderContentType, "text/event-stream")
	c.Set("X-Accel-Buffering", "no") // nginx would wait for more to send
	c.Context().Response.SetConnectionClose()
	ctx, cancel := context.WithCancel(context.WithoutCancel(c.UserContext()))
	go awaitEnd(conn, cancel)
	c.Context().Response.SetBodyStream(&streamReader{
		Stream: s, ctx: ctx, stopping: c.Context().Done(), conn: conn, ended: sync.OnceFunc(func() { cancel(); s.Close() }), rest: []byte("retry: 5000\n"),
	}, -1)
}

// awaitEnd calls gone when a client that waits for a response without an end closes its
// connection, or sends something else on it.
func awaitEnd(conn net.Conn, gone func()) {
	if conn.SetReadDeadline(time.Time{}) == nil {
		_, _ = conn.Read(make([]byte, 1)) // what matters is that it returns; the connection is closed after the response
	}
	gone()
}

// streamReader is the body of a stream. It is read by the goroutine that writes to the
// connection, and what one Read returns is sent at once.
type streamReader struct {
	Stream
	ctx      context.Context //nolint:containedctx // of the stream, which outlives the handler
	stopping <-chan struct{}
	conn     net.Conn
	ended    func()
	rest     []byte // to be sent
}

// Read implements io.Reader.
func (r *streamReader) Read(to []byte) (int, error) {
	if len(r.rest) == 0 {
		if err := r.wait(); err != nil {
			return 0, err
		}
	}
	n := copy(to, r.rest)
	r.rest = r.rest[n:]
	return n, r.conn.SetWriteDeadline(time.Now().Add(streamWriteTimeout))
}

// wait waits for something to send.
func (r *streamReader) wait() error {
	beat := time.NewTimer(streamBeat)
	defer beat.Stop()
	select {
	case text := <-r.Texts:
		r.rest = []byte("data: " + text + "\n\n")
	case <-beat.C:
		r.rest = []byte(":\n\n")
	case <-r.Ended:
		return io.EOF
	case <-r.stopping:
		return io.EOF
	case <-r.ctx.Done():
		return io.EOF
	}
	return nil
}

// Close implements io.Closer; it is called when the response ended, however it did.
func (r *streamReader) Close() error {
	r.ended()
	return nil
}
