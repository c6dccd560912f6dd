package guard

import (
	"net/http"
	"sync"
	"time"
)

// Wire is what was observed of a request on the wire.
type Wire struct {
	RemoteAddr string // of the connection; "" if there was none

	conn   *conn // nil if there was none
	reused bool  // it had been used before
	closed bool  // the peer closed it
	begun  bool  // bytes of a response had arrived before an error
	wrote  bool  // bytes of the request had been written before it

	mu       sync.Mutex
	header   http.Header
	complete bool // all headers were written
}

func (w *Wire) wroteHeader(key string, values []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.header == nil {
		w.header = make(http.Header, 16)
	}
	w.header[key] = values
}

func (w *Wire) wroteHeaders() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.complete = true
}

// failed records how far the exchange got.
func (w *Wire) failed(err error) {
	w.closed, w.begun, w.wrote = closed(err), w.conn.read, w.conn.meter.wrote.Load() > 0
}

// Header returns the headers of the request as they were written; nil unless all were.
func (w *Wire) Header() http.Header {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.complete {
		return nil
	}
	return w.header
}

// CertificateEnds returns when the peer's certificate expires; zero without TLS.
func (w *Wire) CertificateEnds() time.Time {
	if w.conn == nil {
		return time.Time{}
	}
	return w.conn.certificateEnds
}

// Begun reports, after an error, whether bytes of a response arrived.
func (w *Wire) Begun() bool { return w.begun }

// unsent reports, after an error, whether the request was meant for a connection
// that had been used before, and nothing of it was written.
func (w *Wire) unsent() bool { return w.reused && !w.wrote }

// KeptClosed reports, after an error, whether the peer closed a connection that
// had been used before, when the request was written at least in part and nothing
// of a response had arrived: whether it received the request is not known.
func (w *Wire) KeptClosed() bool { return w.reused && w.wrote && !w.begun && w.closed }
