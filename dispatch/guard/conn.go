package guard

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync"
	"time"

	"golang.org/x/net/http/httpguts"
)

const (
	bufferSize    = 4 << 10
	writtenAtOnce = 8 << 10 // bytes of a body that are written before the response is read: a socket takes them although the peer does not read
)

var errHeaderTooLong = fmt.Errorf("the headers of the response exceeded %d bytes", maxResponseHeader)

// writers are buffers for requests.
var writers = sync.Pool{New: func() any { return bufio.NewWriterSize(nil, bufferSize) }}

// conn is a connection, above TLS, with one request at a time.
type conn struct {
	net.Conn
	meter  *meter
	in     *bufio.Reader
	header int   // bytes that the headers may still have
	read   bool  // bytes arrived for the request
	used   bool  // there was a request before this one
	failed error // of reading, but for its end

	certificateEnds time.Time // of the peer; zero without TLS
}

func newConn(above net.Conn, m *meter) *conn {
	c := &conn{Conn: above, meter: m}
	c.in = bufio.NewReaderSize(c, bufferSize)
	return c
}

// Read reads bytes of a response.
func (c *conn) Read(p []byte) (int, error) {
	if c.header <= 0 {
		c.failed = errHeaderTooLong
		return 0, c.failed
	}
	n, err := c.Conn.Read(p[:min(len(p), c.header)])
	c.header -= n
	c.read = c.read || n > 0
	if err != io.EOF { //nolint:errorlint // a connection returns it unwrapped
		c.failed = err
	}
	return n, err
}

// Close closes the connection without a word: TLS would first write an alert, for
// which a peer that does not read could let it wait.
func (c *conn) Close() error { return c.meter.Close() }

// silent reports whether nothing has arrived since the last response ended, and the
// connection is open: what arrived was not asked for. It never waits.
func (c *conn) silent() bool {
	c.meter.noWait = true
	defer func() { c.meter.noWait = false }()
	n, err := c.Conn.Read(make([]byte, 1))
	return n == 0 && errors.Is(err, errNothing) && !c.meter.unasked // TLS may have taken it for itself
}

// exchange sends a request and reads the response, whose body the caller closes. Then
// it calls keep with the connection if that can be used again, and else closes it; a
// nil keep never keeps it.
func (c *conn) exchange(request *http.Request, keep func(*conn)) (*http.Response, *Wire, error) {
	x := &exchange{conn: c, wire: &Wire{RemoteAddr: c.RemoteAddr().String(), conn: c, reused: c.used}, ctx: request.Context(), keep: keep}
	kept := false
	defer func() {
		if !kept { // after a panic, too
			_ = c.Close()
		}
	}()
	c.used, c.read = true, false
	c.meter.begin()
	if err := cmp.Or(x.ctx.Err(), checkHeader(request.Header)); err != nil {
		x.wire.failed(err)
		return nil, x.wire, err
	}
	deadline, _ := x.ctx.Deadline()
	_ = c.SetDeadline(deadline)
	x.stop = context.AfterFunc(x.ctx, func() { _ = c.SetDeadline(time.Unix(1, 0)) })
	response, err := x.run(request)
	if err != nil {
		err = x.fail(err)
		return nil, x.wire, err
	}
	if response.Close || request.Close || response.StatusCode == http.StatusSwitchingProtocols {
		x.keep = nil
	}
	kept = true
	if response.Body == http.NoBody {
		x.end(true)
	} else {
		response.Body = &body{from: response.Body, exchange: x}
	}
	return response, x.wire, nil
}

// checkHeader refuses control characters, which net/http would send.
func checkHeader(header http.Header) error {
	for name, values := range header {
		for _, value := range values {
			if !httpguts.ValidHeaderFieldValue(value) {
				return fmt.Errorf("control characters in the header %q", name)
			}
		}
	}
	return nil
}

// exchange is a request and its response on a connection.
type exchange struct {
	*conn
	wire    *Wire
	ctx     context.Context
	stop    func() bool // ends the watch for the end of ctx; false if that came first
	keep    func(*conn)
	writing chan error // the result of writing; nil if that is over
}

// run writes the request and reads the headers of the response.
func (x *exchange) run(request *http.Request) (*http.Response, error) {
	trace := &httptrace.ClientTrace{WroteHeaderField: x.wire.wroteHeader, WroteHeaders: x.wire.wroteHeaders}
	request = request.WithContext(httptrace.WithClientTrace(x.ctx, trace))
	if request.ContentLength >= 0 && request.ContentLength <= writtenAtOnce {
		if err := x.write(request); err != nil {
			return nil, err
		}
	} else { // the peer may answer before it has read it all, or instead
		x.writing = make(chan error, 1)
		go func() { x.writing <- x.write(request) }()
	}
	for x.header = maxResponseHeader; ; {
		response, err := http.ReadResponse(x.in, request)
		if err != nil {
			return nil, err
		}
		if status := response.StatusCode; status/100 != 1 || status == http.StatusSwitchingProtocols {
			x.header = math.MaxInt // what the body may have is up to the meter
			return response, nil
		}
	}
}

func (x *exchange) write(request *http.Request) error {
	w := writers.Get().(*bufio.Writer) //nolint:errcheck,forcetypeassert // nothing else is there
	defer func() {
		w.Reset(nil)
		writers.Put(w)
	}()
	w.Reset(x.Conn)
	if err := request.Write(w); err != nil {
		return err
	}
	return w.Flush()
}

// fail ends the exchange with an error, and returns its cause: why the context ended,
// why nothing more could be read, or why the request could not be written.
func (x *exchange) fail(err error) error {
	ended := x.ctx.Err()
	if x.failed != nil { // http.ReadResponse may complain about what was read before
		err = x.failed
	}
	if _, failed := x.written(); failed != nil {
		err = failed
	}
	x.end(false)
	if ended != nil {
		err = ended
	}
	x.wire.failed(err)
	return err
}

// written reports whether the request has been written, and why it could not be.
func (x *exchange) written() (over bool, err error) {
	select {
	case err = <-x.writing:
		x.writing = nil
	default:
	}
	return x.writing == nil, err
}

// end is called when the response has been read, or nothing more is read of it.
func (x *exchange) end(complete bool) {
	over, err := x.written()
	if !over { // the peer answered before it had read the request
		defer func() { <-x.writing }() //nolint:errcheck // the connection is closed
	}
	complete = complete && over && err == nil
	if running := x.stop(); running && complete && x.keep != nil && x.in.Buffered() == 0 {
		_ = x.SetDeadline(time.Time{})
		x.keep(x.conn)
		return
	}
	_ = x.Close()
}

// body is the body of a response. Its end, or Close, ends the exchange.
type body struct {
	from     io.Reader
	exchange *exchange
	err      error // after the end
}

// Read reads the body.
func (b *body) Read(p []byte) (int, error) {
	if b.err != nil {
		return 0, b.err
	}
	n, err := b.from.Read(p)
	switch {
	case err == io.EOF: //nolint:errorlint // a reader returns it unwrapped
		b.err = err
		b.exchange.end(true)
	case err != nil:
		b.err = b.exchange.fail(err)
	}
	return n, b.err
}

// Close ends the exchange. What was not read of the body is not read any more.
func (b *body) Close() error {
	if b.err == nil {
		b.err = http.ErrBodyReadAfterClose
		b.exchange.end(false)
	}
	return nil
}
