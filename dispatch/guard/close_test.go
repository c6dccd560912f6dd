package guard

import (
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// recorded is a listener whose connections say what came after TLS was over.
type recorded struct {
	net.Listener
	last chan []byte
}

func (r recorded) Accept() (net.Conn, error) {
	c, err := r.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &recordedConn{Conn: c, last: r.last}, nil
}

type recordedConn struct {
	net.Conn
	last chan []byte
	read []byte
}

func (c *recordedConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if c.read = append(c.read, p[:n]...); errors.Is(err, io.EOF) {
		c.last <- c.read
	}
	return n, err
}

// A connection with TLS is closed without the alert that says so: crypto/tls would
// wait five seconds for a peer that does not read, while others wait for the pool.
func TestCloseWritesNothing(t *testing.T) {
	t.Parallel()
	last := make(chan []byte, 10)
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	s.Listener = recorded{s.Listener, last}
	s.StartTLS()
	defer s.Close()
	pool := x509.NewCertPool()
	pool.AddCert(s.Certificate())
	allowed, err := New("127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	transport := NewTransport(TransportOptions{Guard: allowed, Connect: 5 * time.Second, MaxRead: 1 << 20, RootCAs: pool})
	request, err := NewRequest(t.Context(), http.MethodPost, s.URL, []byte("{}"))
	if err != nil {
		t.Fatal(err)
	}
	response, wire, err := transport.SendKept(request, 1)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	wrote := wire.conn.meter.wrote.Load()
	transport.CloseIdleConnections()
	select {
	case read := <-last:
		if tail := read[len(read)-int(wrote):]; tail[0] != 23 { // application data
			t.Errorf("got a record of type %d behind the request, want none", tail[0])
		}
	case <-time.After(10 * time.Second):
		t.Fatal("the connection was not closed within 10 seconds")
	}
}
