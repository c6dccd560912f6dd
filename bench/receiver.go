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

// How long the slow and the overloaded receiver take to answer.
const (
	slowLeast      = 2 * time.Second
	slowMost       = 5 * time.Second
	overloadedTime = 100 * time.Millisecond
	stuckTime      = 14 * time.Second // Bookhook waits for 15
)

// receiver is where deliveries go: a healthy server on loopback, and some that
// misbehave.
type receiver struct {
	url        string // answers at once
	slow       string // answers after seconds
	stuck      string // answers right before the time limit
	overloaded string // answers after overloadedTime, until recover
	away       string // fails while isAway
	silent     string // accepts connections and never answers
	refused    string // nothing listens there

	isAway         atomic.Bool
	log            atomic.Pointer[deliveryLog] // of the present measurement
	server         *http.Server
	silentListener net.Listener
	mu             sync.Mutex
	heldConns      []net.Conn    // of the silent one
	recovered      chan struct{} // closed by recover
	serving        sync.WaitGroup
}

func startReceiver(ctx context.Context) (*receiver, error) {
	listen := func() (net.Listener, error) { return new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0") }
	healthy, err := listen()
	if err != nil {
		return nil, err
	}
	silentListener, err := listen()
	if err != nil {
		return nil, errors.Join(err, healthy.Close())
	}
	closed, err := listen()
	if err != nil {
		return nil, errors.Join(err, healthy.Close(), silentListener.Close())
	}
	if err := closed.Close(); err != nil {
		return nil, errors.Join(err, healthy.Close(), silentListener.Close())
	}
	r := &receiver{
		url: "http://" + healthy.Addr().String() + "/", slow: "http://" + healthy.Addr().String() + "/slow",
		stuck:      "http://" + healthy.Addr().String() + "/stuck",
		away:       "http://" + healthy.Addr().String() + "/away",
		overloaded: "http://" + healthy.Addr().String() + "/overloaded", recovered: make(chan struct{}),
		silent: "http://" + silentListener.Addr().String() + "/", refused: "http://" + closed.Addr().String() + "/", silentListener: silentListener,
	}
	r.begin()
	mux := http.NewServeMux()
	mux.HandleFunc("/", r.receive)
	mux.HandleFunc("/slow", r.receiveAfter(func() time.Duration { return slowLeast + rand.N(slowMost-slowLeast) }))
	mux.HandleFunc("/stuck", r.receiveAfter(func() time.Duration { return stuckTime }))
	mux.HandleFunc("/overloaded", r.receiveOverloaded)
	mux.HandleFunc("/away", r.receiveUnlessAway)
	r.server = &http.Server{Handler: mux, ReadHeaderTimeout: time.Minute}
	r.serving.Go(func() { _ = r.server.Serve(healthy) }) // ends with close
	r.serving.Go(r.holdConnections)
	return r, nil
}

func (r *receiver) close() error {
	err := errors.Join(r.server.Close(), r.silentListener.Close())
	r.serving.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, conn := range r.heldConns {
		conn.Close()
	}
	return err
}

// begin starts the log of the next measurement.
func (r *receiver) begin() *deliveryLog {
	l := newDeliveryLog()
	r.log.Store(l)
	return l
}

var buffers = sync.Pool{New: func() any { return new([2 * eventSize]byte) }}

func (r *receiver) receive(_ http.ResponseWriter, request *http.Request) {
	buffer := buffers.Get().(*[2 * eventSize]byte) //nolint:errcheck,forcetypeassert // nothing else is put there
	defer buffers.Put(buffer)
	n, err := io.ReadFull(request.Body, buffer[:])
	if errors.Is(err, io.ErrUnexpectedEOF) { // the whole body, as nearly always
		r.log.Load().arrive(buffer[:n])
	}
}

// receiveAfter receives each request after a time of its own.
func (r *receiver) receiveAfter(wait func() time.Duration) http.HandlerFunc {
	return func(w http.ResponseWriter, request *http.Request) {
		select {
		case <-time.After(wait()):
			r.receive(w, request)
		case <-request.Context().Done():
		}
	}
}

func (r *receiver) receiveOverloaded(w http.ResponseWriter, request *http.Request) {
	select {
	case <-r.recovered:
	case <-time.After(overloadedTime):
	case <-request.Context().Done():
		return
	}
	r.receive(w, request)
}

func (r *receiver) receiveUnlessAway(w http.ResponseWriter, request *http.Request) {
	if r.isAway.Load() {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	r.receive(w, request)
}

// recover makes the overloaded receiver a healthy one. It may be called once.
func (r *receiver) recover() { close(r.recovered) }

func (r *receiver) holdConnections() {
	for {
		conn, err := r.silentListener.Accept()
		if err != nil {
			return
		}
		r.mu.Lock()
		r.heldConns = append(r.heldConns, conn)
		r.mu.Unlock()
	}
}
