package dispatch

import (
	"cmp"
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"net/http"
	"time"

	"bookhook/platforms"
	"bookhook/webhook"
)

// Bounds of an answer and of the connections kept open.
const (
	maxResponseHeader = 64 << 10  // bytes
	maxDrain          = 256 << 10 // bytes read beyond what is kept, so that the connection can be used again
	idleTime          = 90 * time.Second
	maxIdle           = 4096
)

// sender makes requests through a transport of its own: no proxy, no
// redirects, no decompression, and the guard before every connection.
type sender struct {
	transport *http.Transport
	platforms platforms.Registry
	log       *slog.Logger
	agent     string
	timeout   time.Duration // of one attempt in all
	hurry     string        // what to do about an answer that takes longer
	connect   time.Duration // of the connection, and again of the TLS handshake
}

func newSender(o Options) *sender {
	connect := cmp.Or(o.Connect, 5*time.Second)
	dialer := &net.Dialer{Timeout: connect, Control: o.Guard.Control}
	return &sender{
		platforms: o.Platforms, log: o.Log, agent: "bookhook/" + cmp.Or(o.Version, "dev"), timeout: o.Timeout, connect: connect,
		hurry: "Answer at once and do the work afterwards.",
		transport: &http.Transport{
			DialContext:            dialer.DialContext,
			DialTLSContext:         secure{dialer, connect, o}.dial,
			DisableCompression:     true,
			ForceAttemptHTTP2:      true,
			HTTP2:                  &http.HTTP2Config{SendPingTimeout: o.Timeout, PingTimeout: connect}, // finds dead connections
			MaxIdleConns:           maxIdle,
			MaxIdleConnsPerHost:    webhook.MaxConcurrency,
			IdleConnTimeout:        idleTime,
			MaxResponseHeaderBytes: maxResponseHeader,
		},
	}
}

// handshakeError is how the TLS handshake failed; it tells that failure from
// one of the connection itself.
type handshakeError struct{ error }

// Unwrap returns the cause.
func (e handshakeError) Unwrap() error { return e.error }

// secure dials TLS connections.
type secure struct {
	dialer  *net.Dialer
	limit   time.Duration // of the handshake
	options Options
}

func (s secure) dial(ctx context.Context, network, address string) (net.Conn, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	raw, err := s.dialer.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, s.limit)
	defer cancel()
	conn := tls.Client(raw, &tls.Config{
		ServerName: host, RootCAs: s.options.RootCAs, NextProtos: []string{"h2", "http/1.1"}, MinVersion: tls.VersionTLS12,
	})
	if err := conn.HandshakeContext(ctx); err != nil {
		raw.Close()
		return nil, handshakeError{err}
	}
	return conn, nil
}
