package dispatch_test

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"bookhook/dispatch"
	"bookhook/webhook"
)

// rawTLS is a server that does what it likes after the handshake, and the pool that
// trusts it.
func rawTLS(t *testing.T, serve func(net.Conn)) (string, *x509.CertPool) {
	t.Helper()
	c := certificate(t, time.Now().Add(-time.Hour), time.Now().Add(time.Hour))
	leaf, err := x509.ParseCertificate(c.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	l, err := tls.Listen("tcp4", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{c}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for conn, err := l.Accept(); err == nil; conn, err = l.Accept() {
			t.Cleanup(func() { conn.Close() })
			go func() {
				if _, err := conn.Read(make([]byte, 4096)); err == nil { // the beginning of a request
					serve(conn)
				}
			}()
		}
	}()
	return "https://" + l.Addr().String(), pool
}

func TestBrokenHandshakes(t *testing.T) {
	const handshake = "closed the connection during the TLS handshake"
	newTarget(t, dispatch.Options{Connect: patience / 2}).all(t, "https", []hostileCase{
		{"closed", shut, 0, webhook.FailTLS, handshake},
		{"reset", reset, 0, webhook.FailTLS, handshake},
		{"closed in the answer", say("\x16\x03\x03\x00\x7a\x02", shut), 0, webhook.FailTLS, handshake},
		{"silent", func(net.Conn) {}, 0, webhook.FailTimeout, "TLS handshake within 150ms. Check"},
		{"slow", slow("\x16\x03\x03\x00\x7a\x02\x00\x00\x76\x03\x03"), 0, webhook.FailTimeout, "TLS handshake within 150ms"},
		{"alert", say("\x15\x03\x01\x00\x02\x02\x28", shut), 0, webhook.FailTLS, "refused the TLS handshake (handshake failure)"},
		{"HTTP", say("HTTP/1.1 400 Bad Request\r\n\r\n"), 0, webhook.FailTLS, "does not support TLS on this port"},
		{"SSH", say("SSH-2.0-OpenSSH_9.2\r\n"), 0, webhook.FailTLS, "does not support TLS on this port"},
		{"endless record", say("\x16\x03\x03\xff\xff", endless("x")), 0, webhook.FailTLS, "does not support TLS"},
		{"endless handshake message", say("\x16\x03\x03\x40\x00\x02\xff\xff\xff", endless("x")), 0, webhook.FailTLS, "No secure connection"},
		{"empty records", endless("\x16\x03\x03\x00\x00"), 0, webhook.FailTLS, "No secure connection"},
		{"warnings", endless("\x15\x03\x03\x00\x02\x01\x00"), 0, webhook.FailTLS, ""},
	})
}

func TestPlainHTTPOnATLSPort(t *testing.T) {
	url, _ := secure(t, func(*httptest.Server) {}) // Go's server answers in words, as nginx does
	r := newTarget(t, dispatch.Options{})
	r.hook.Format = webhook.Native // what Go's server has not read when it closes takes the answer with it
	a := r.try(strings.Replace(url, "https:", "http:", 1))
	check(t, a, webhook.FailStatus, "400 Bad Request")
	if !strings.Contains(string(a.ResponseBody), "HTTPS") {
		t.Errorf("got %q, want what the server says about it", a.ResponseBody)
	}
}

func TestBrokenAfterTheHandshake(t *testing.T) {
	cut := func(c net.Conn) { reset(c.(*tls.Conn).NetConn()) }
	for _, tt := range []hostileCase{
		{"closed", func(c net.Conn) { c.Close() }, 0, webhook.FailNetwork, "without an answer"},
		{"reset", cut, 0, webhook.FailNetwork, "without an answer"},
		{"closed in the headers", say(ok200+"X-A: 1\r\n", shut), 0, webhook.FailNetwork, "in the middle of the headers"},
		{"reset in the body", say(ok200+"Content-Length: 10\r\n\r\nabc", cut), 200, "", "before the body of its answer was complete"},
		// Without the alert that ends a TLS connection nobody knows whether this was all.
		{"body without length, cut", say("HTTP/1.0 200 OK\r\n\r\nabc", cut), 200, "", "closed the connection"},
		{"body without length, closed", say("HTTP/1.0 200 OK\r\n\r\nabc", shut), 200, "", ""},
		{"garbage in TLS", func(c net.Conn) { endless("x")(c.(*tls.Conn).NetConn()) }, 0, webhook.FailNetwork, "The exchange with"},
		{"no answer", func(net.Conn) {}, 0, webhook.FailTimeout, "no complete answer"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			url, pool := rawTLS(t, tt.serve)
			r := newTarget(t, dispatch.Options{RootCAs: pool})
			a := r.try(url)
			check(t, a, tt.failure, tt.words)
			if a.Status != tt.status {
				t.Errorf("got status %d, want %d", a.Status, tt.status)
			}
		})
	}
}
