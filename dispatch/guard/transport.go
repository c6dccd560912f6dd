package guard

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"time"

	"bookhook/webhook"
)

// Bounds of a response and of the connections that are kept open.
const (
	maxResponseHeader = 64 << 10 // bytes
	idleTimeout       = 90 * time.Second
	maxIdle           = 4096 // of all accounts; some 6 KB each, 19 KB with TLS
)

// TransportOptions configure [NewTransport].
type TransportOptions struct {
	Guard   *Guard
	Connect time.Duration  // for name resolution and connection, and again for the TLS handshake
	MaxRead int64          // bytes that one response may take on the wire, whatever they are; above it the connection is closed
	RootCAs *x509.CertPool // nil: those of the system

	Connections *Connections // nil: any number
}

// Transport makes requests to what the guard allows. It uses no proxy, follows no
// redirects, decompresses nothing and repeats nothing that may have been received.
// net/http writes the requests and reads the responses; the connections are
// Transport's own, because the goroutines that http.Transport has for each of them
// take a tenth of a delivery's processor time and half of its latency.
//
// It supports HTTP/1.1 alone: every server does, and on a connection with one
// request at a time it is known which bytes were asked for. In HTTP/2 a receiver
// may send frames at any time, and each costs us work.
type Transport struct {
	dialer dialer
	idle   *idleConns
}

// NewTransport returns a transport. Its errors distinguish a failed TLS handshake
// from a failed connection.
func NewTransport(o TransportOptions) *Transport {
	return &Transport{
		dialer: dialer{net.Dialer{Timeout: o.Connect, Control: o.Guard.Control}, o},
		idle:   newIdleConns(maxIdle, idleTimeout),
	}
}

// CloseIdleConnections closes the connections that are kept and not in use.
func (t *Transport) CloseIdleConnections() { t.idle.closeAll() }

// RoundTrip makes a request on a new connection, which is closed afterwards.
func (t *Transport) RoundTrip(request *http.Request) (*http.Response, error) {
	response, _, err := t.Send(request)
	return response, err
}

// Send is RoundTrip that also returns what was observed of the request.
func (t *Transport) Send(request *http.Request) (*http.Response, *Wire, error) {
	once := *request
	once.Close = true
	c, err := t.dialer.dial(&once)
	if err != nil {
		return nil, &Wire{}, err
	}
	return c.exchange(&once, nil)
}

// SendKept makes a request on a connection that is kept of the account, if there is
// one, and keeps the connection afterwards. If that connection turns out to be
// closed, or at fault, before anything of the request was written, the request is
// sent on another one.
func (t *Transport) SendKept(request *http.Request, account webhook.AccountID) (*http.Response, *Wire, error) {
	key := connKey{account, request.URL.Scheme, request.URL.Host}
	keep := func(c *conn) { t.idle.put(key, c) }
	for c := t.idle.take(key); c != nil; c = t.idle.take(key) {
		response, wire, err := c.exchange(request, keep)
		if err == nil || !wire.unsent() || request.Context().Err() != nil {
			return response, wire, err
		}
		if request.GetBody != nil {
			again := *request
			if again.Body, err = request.GetBody(); err != nil {
				return nil, wire, err
			}
			request = &again
		}
	}
	c, err := t.dialer.dial(request)
	if err != nil {
		return nil, &Wire{}, err
	}
	return c.exchange(request, keep)
}

// handshakeError is a failed TLS handshake, in contrast to a failed connection.
type handshakeError struct{ error }

// Unwrap returns the cause.
func (e handshakeError) Unwrap() error { return e.error }

type dialer struct {
	net.Dialer
	options TransportOptions
}

// dial connects to the server of a request, when there is a place for another
// connection.
func (d *dialer) dial(request *http.Request) (*conn, error) {
	ctx, host := request.Context(), request.URL.Hostname()
	raw, err := d.options.Connections.dial(ctx, d.options.Connect, func(ctx context.Context) (net.Conn, error) {
		return d.DialContext(ctx, "tcp", net.JoinHostPort(host, portOf(request.URL)))
	})
	if err != nil {
		return nil, err
	}
	m := newMeter(raw, d.options.MaxRead)
	if request.URL.Scheme != "https" {
		return newConn(m, m), nil
	}
	ctx, cancel := context.WithTimeout(ctx, d.options.Connect)
	defer cancel()
	above := tls.Client(m, &tls.Config{
		ServerName: host, RootCAs: d.options.RootCAs, NextProtos: []string{"http/1.1"}, MinVersion: tls.VersionTLS12,
	})
	if err := above.HandshakeContext(ctx); err != nil {
		raw.Close()
		return nil, handshakeError{err}
	}
	c := newConn(above, m)
	c.certificateEnds = above.ConnectionState().PeerCertificates[0].NotAfter
	return c, nil
}
