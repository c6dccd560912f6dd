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
	maxIdle           = 4096
)

// TransportOptions configure [NewTransport].
type TransportOptions struct {
	Guard   *Guard
	Connect time.Duration  // for name resolution and connection, and again for the TLS handshake
	Timeout time.Duration  // of one request in all; an HTTP/2 connection is checked after so long without a frame
	RootCAs *x509.CertPool // nil: those of the system

	Connections *Connections // nil: any number
}

// NewTransport returns a transport that calls only what the guard allows. It
// uses no proxy, follows no redirects and decompresses nothing. Its errors
// distinguish a failed TLS handshake from a failed connection.
func NewTransport(o TransportOptions) *http.Transport {
	dialer := limitedDialer{&net.Dialer{Timeout: o.Connect, Control: o.Guard.Control}, o.Connections}
	return &http.Transport{
		DialContext:            dialer.DialContext,
		DialTLSContext:         tlsDialer{dialer, o}.dial,
		DisableCompression:     true,
		ForceAttemptHTTP2:      true,
		HTTP2:                  &http.HTTP2Config{SendPingTimeout: o.Timeout, PingTimeout: o.Connect}, // finds dead connections
		MaxIdleConns:           maxIdle,
		MaxIdleConnsPerHost:    webhook.MaxConcurrency,
		IdleConnTimeout:        idleTimeout,
		MaxResponseHeaderBytes: maxResponseHeader,
	}
}

// handshakeError is a failed TLS handshake, in contrast to a failed connection.
type handshakeError struct{ error }

// Unwrap returns the cause.
func (e handshakeError) Unwrap() error { return e.error }

// limitedDialer dials connections that are limited.
type limitedDialer struct {
	*net.Dialer
	limit *Connections
}

// DialContext dials when there is a place.
func (d limitedDialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	return d.limit.dial(ctx, d.Timeout, func(ctx context.Context) (net.Conn, error) { return d.Dialer.DialContext(ctx, network, address) })
}

// tlsDialer dials TLS connections.
type tlsDialer struct {
	limitedDialer
	options TransportOptions
}

func (d tlsDialer) dial(ctx context.Context, network, address string) (net.Conn, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	raw, err := d.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, d.options.Connect)
	defer cancel()
	conn := tls.Client(raw, &tls.Config{
		ServerName: host, RootCAs: d.options.RootCAs, NextProtos: []string{"h2", "http/1.1"}, MinVersion: tls.VersionTLS12,
	})
	if err := conn.HandshakeContext(ctx); err != nil {
		raw.Close()
		return nil, handshakeError{err}
	}
	return conn, nil
}
