package guard

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"bookhook/webhook"
)

// Bounds of a response and of the connections that are kept open.
const (
	maxResponseHeader = 64 << 10 // bytes
	idleTimeout       = 90 * time.Second
	maxIdle           = 4096 // of all accounts; some 20 KB each
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
//
// It supports HTTP/1.1 alone: every server does, and on a connection with one
// request at a time it is known which bytes were asked for. In HTTP/2 a receiver
// may send frames at any time, and each costs us work.
type Transport struct {
	kept, fresh *http.Transport
}

// NewTransport returns a transport. Its errors distinguish a failed TLS handshake
// from a failed connection.
func NewTransport(o TransportOptions) *Transport {
	d := dialer{net.Dialer{Timeout: o.Connect, Control: o.Guard.Control}, o}
	fresh := &http.Transport{
		DialContext:            d.dial,
		DialTLSContext:         d.dialTLS,
		DisableCompression:     true,
		DisableKeepAlives:      true,
		MaxResponseHeaderBytes: maxResponseHeader,
	}
	kept := fresh.Clone()
	kept.DialContext, kept.DialTLSContext = withoutAccount(d.dial), withoutAccount(d.dialTLS)
	kept.DisableKeepAlives, kept.IdleConnTimeout = false, idleTimeout
	kept.MaxIdleConns, kept.MaxIdleConnsPerHost = maxIdle, webhook.MaxConcurrency
	return &Transport{kept: kept, fresh: fresh}
}

// CloseIdleConnections closes the connections that are kept and not in use.
func (t *Transport) CloseIdleConnections() { t.kept.CloseIdleConnections() }

// RoundTrip makes a request on a new connection, which is closed afterwards.
func (t *Transport) RoundTrip(request *http.Request) (*http.Response, error) {
	response, _, err := t.Send(request)
	return response, err
}

// Send is RoundTrip that also returns what was observed of the request.
func (t *Transport) Send(request *http.Request) (*http.Response, *Wire, error) {
	return send(t.fresh, request)
}

// SendKept makes a request on a connection that is kept of the account, if there is
// one, and keeps the connection afterwards. If that connection turns out to be
// closed, or at fault, before anything of the request was written, the request is
// sent on a new one.
func (t *Transport) SendKept(request *http.Request, account webhook.AccountID) (*http.Response, *Wire, error) {
	once := *request
	once.URL = ofAccount(request, account)
	once.GetBody = nil                                             // so that net/http cannot repeat it
	if once.Method == http.MethodGet && once.Body == http.NoBody { // which it would repeat, so this one has an empty body
		once.Body, once.TransferEncoding = io.NopCloser(bytes.NewReader(nil)), []string{"identity"}
	}
	response, wire, err := send(t.kept, &once)
	if err == nil || !wire.unsent() {
		return response, wire, err
	}
	again := *request
	if request.GetBody != nil {
		if again.Body, err = request.GetBody(); err != nil {
			return nil, wire, err
		}
	}
	return send(t.fresh, &again)
}

// ofAccount returns the URL with the account in front of the host: net/http keeps
// connections by the host of the URL, and those of an account are its own.
func ofAccount(request *http.Request, account webhook.AccountID) *url.URL {
	u := *request.URL
	u.Host = joinHost(strconv.FormatInt(int64(account), 10)+"."+u.Hostname(), u.Port())
	return &u
}

type dialFunc func(ctx context.Context, network, address string) (net.Conn, error)

// withoutAccount dials the address that [ofAccount] put the account in front of.
func withoutAccount(dial dialFunc) dialFunc {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		host, port, err := net.SplitHostPort(address)
		if err != nil {
			return nil, err
		}
		_, host, _ = strings.Cut(host, ".")
		return dial(ctx, network, net.JoinHostPort(host, port))
	}
}

// handshakeError is a failed TLS handshake, in contrast to a failed connection.
type handshakeError struct{ error }

// Unwrap returns the cause.
func (e handshakeError) Unwrap() error { return e.error }

type dialer struct {
	net.Dialer
	options TransportOptions
}

// connect dials when there is a place for another connection.
func (d *dialer) connect(ctx context.Context, network, address string) (net.Conn, error) {
	return d.options.Connections.dial(ctx, d.options.Connect, func(ctx context.Context) (net.Conn, error) {
		return d.DialContext(ctx, network, address)
	})
}

func (d *dialer) dial(ctx context.Context, network, address string) (net.Conn, error) {
	raw, err := d.connect(ctx, network, address)
	if err != nil {
		return nil, err
	}
	m := newMeter(raw, d.options.MaxRead)
	return newConn(m, m), nil
}

func (d *dialer) dialTLS(ctx context.Context, network, address string) (net.Conn, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	raw, err := d.connect(ctx, network, address)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, d.options.Connect)
	defer cancel()
	m := newMeter(raw, d.options.MaxRead)
	secured := tls.Client(m, &tls.Config{
		ServerName: host, RootCAs: d.options.RootCAs, NextProtos: []string{"http/1.1"}, MinVersion: tls.VersionTLS12,
	})
	if err := secured.HandshakeContext(ctx); err != nil {
		raw.Close()
		return nil, handshakeError{err}
	}
	return newConn(secured, m), nil
}
