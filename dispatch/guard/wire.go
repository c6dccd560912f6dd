package guard

import (
	"maps"
	"net/http"
	"net/http/httptrace"
	"sync"
)

// Wire is what was observed of a request on the wire.
type Wire struct {
	RemoteAddr string // of the connection; "" if there was none

	conn   *conn // nil if there was none
	mu     sync.Mutex
	header http.Header
}

// send makes a request and observes it. net/http calls the first function of the
// trace in this goroutine, before it writes the request.
func send(transport *http.Transport, request *http.Request) (*http.Response, *Wire, error) {
	w := &Wire{}
	trace := &httptrace.ClientTrace{
		GotConn: func(info httptrace.GotConnInfo) {
			w.RemoteAddr = info.Conn.RemoteAddr().String()
			w.conn = info.Conn.(*conn) //nolint:errcheck // our dialer makes no others
			w.conn.begin(info.Reused)
		},
		WroteHeaderField: w.wroteHeader,
	}
	response, err := transport.RoundTrip(request.WithContext(httptrace.WithClientTrace(request.Context(), trace)))
	return response, w, err
}

func (w *Wire) wroteHeader(key string, values []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.header == nil {
		w.header = http.Header{}
	}
	w.header[key] = values
}

// Header returns the headers of the request as they were written; nil if none was.
func (w *Wire) Header() http.Header {
	w.mu.Lock()
	defer w.mu.Unlock()
	return maps.Clone(w.header)
}

// Begun reports, after an error, whether bytes of a response arrived.
func (w *Wire) Begun() bool {
	if w.conn == nil {
		return false
	}
	w.conn.mu.Lock()
	defer w.conn.mu.Unlock()
	return w.conn.answered
}

// unsent reports, after an error, whether the request was meant for a connection
// that had been used before, and nothing of it was written.
func (w *Wire) unsent() bool {
	if w.conn == nil {
		return false
	}
	w.conn.mu.Lock()
	defer w.conn.mu.Unlock()
	return w.conn.reused && (!w.conn.asked || w.conn.meter.wrote.Load() == 0)
}

// KeptClosed reports, after an error, whether the peer closed a connection that
// had been used before, when the request was written at least in part and nothing
// of a response had arrived: whether it received the request is not known.
func (w *Wire) KeptClosed() bool {
	if w.conn == nil || w.unsent() {
		return false
	}
	w.conn.mu.Lock()
	defer w.conn.mu.Unlock()
	return w.conn.reused && !w.conn.answered && closed(w.conn.err)
}
