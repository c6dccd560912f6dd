package bench

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// How long the slow and the tired receiver take.
const (
	slowLeast = 2 * time.Second
	slowMost  = 5 * time.Second
	tiredTime = 100 * time.Millisecond
)

// receiver is where deliveries go: a good server on loopback, and some that are
// not.
type receiver struct {
	url     string // answers at once
	slow    string // answers after seconds
	tired   string // answers a little late, until wake
	silent  string // takes connections and never answers
	refused string // nothing listens there

	ledger  atomic.Pointer[ledger] // of the measurement that is on
	server  *http.Server
	dumb    net.Listener
	mu      sync.Mutex
	held    []net.Conn    // by the silent one
	awake   chan struct{} // closed by wake
	serving sync.WaitGroup
}

func startReceiver(ctx context.Context) (*receiver, error) {
	listen := func() (net.Listener, error) { return new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0") }
	good, err := listen()
	if err != nil {
		return nil, err
	}
	dumb, err := listen()
	if err != nil {
		return nil, errors.Join(err, good.Close())
	}
	closed, err := listen()
	if err != nil {
		return nil, errors.Join(err, good.Close(), dumb.Close())
	}
	if err := closed.Close(); err != nil {
		return nil, errors.Join(err, good.Close(), dumb.Close())
	}
	r := &receiver{
		url: "http://" + good.Addr().String() + "/", slow: "http://" + good.Addr().String() + "/slow",
		tired: "http://" + good.Addr().String() + "/tired", awake: make(chan struct{}),
		silent: "http://" + dumb.Addr().String() + "/", refused: "http://" + closed.Addr().String() + "/", dumb: dumb,
	}
	r.begin()
	mux := http.NewServeMux()
	mux.HandleFunc("/", r.receive)
	mux.HandleFunc("/slow", r.dawdle)
	mux.HandleFunc("/tired", r.yawn)
	r.server = &http.Server{Handler: mux, ReadHeaderTimeout: time.Minute}
	r.serving.Go(func() { _ = r.server.Serve(good) }) // ends with close
	r.serving.Go(r.hold)
	return r, nil
}

func (r *receiver) close() error {
	err := errors.Join(r.server.Close(), r.dumb.Close())
	r.serving.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, conn := range r.held {
		conn.Close()
	}
	return err
}

// begin opens the ledger of the next measurement.
func (r *receiver) begin() *ledger {
	l := newLedger()
	r.ledger.Store(l)
	return l
}

var buffers = sync.Pool{New: func() any { return new([2 * eventSize]byte) }}

func (r *receiver) receive(_ http.ResponseWriter, request *http.Request) {
	buffer := buffers.Get().(*[2 * eventSize]byte) //nolint:errcheck,forcetypeassert // nothing else is put there
	defer buffers.Put(buffer)
	n, err := io.ReadFull(request.Body, buffer[:])
	if errors.Is(err, io.ErrUnexpectedEOF) { // the whole body, as nearly always
		r.ledger.Load().arrive(buffer[:n])
	}
}

func (r *receiver) dawdle(w http.ResponseWriter, request *http.Request) {
	select {
	case <-time.After(slowLeast + rand.N(slowMost-slowLeast)):
		r.receive(w, request)
	case <-request.Context().Done():
	}
}

func (r *receiver) yawn(w http.ResponseWriter, request *http.Request) {
	select {
	case <-r.awake:
	case <-time.After(tiredTime):
	case <-request.Context().Done():
		return
	}
	r.receive(w, request)
}

// wake makes the tired receiver a good one, once and for all.
func (r *receiver) wake() { close(r.awake) }

func (r *receiver) hold() {
	for {
		conn, err := r.dumb.Accept()
		if err != nil {
			return
		}
		r.mu.Lock()
		r.held = append(r.held, conn)
		r.mu.Unlock()
	}
}
