package dispatch_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"io"
	"net"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"bookhook/dispatch"
	"bookhook/webhook"
)

// rawTLS is a server that does what it likes after the handshake, in which it
// takes one of the protocols; and the pool that trusts it.
func rawTLS(t *testing.T, serve func(net.Conn), protocols ...string) (string, *x509.CertPool) {
	t.Helper()
	c := certificate(t, time.Now().Add(-time.Hour), time.Now().Add(time.Hour))
	leaf, err := x509.ParseCertificate(c.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	l, err := tls.Listen("tcp4", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{c}, NextProtos: protocols})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for conn, err := l.Accept(); err == nil; conn, err = l.Accept() {
			t.Cleanup(func() { conn.Close() })
			go func() {
				if heard(conn, protocols[0] == "h2") {
					serve(conn)
				}
			}()
		}
	}()
	return "https://" + l.Addr().String(), pool
}

// heard waits for the beginning of a request; in HTTP/2 for its headers, behind
// the preface and the settings.
func heard(conn net.Conn, frames bool) bool {
	if !frames {
		_, err := conn.Read(make([]byte, 4096))
		return err == nil
	}
	_, err := io.CopyN(io.Discard, conn, 24)
	for head := make([]byte, 9); err == nil && head[3] != headersFrame; {
		if _, err = io.ReadFull(conn, head); err == nil {
			_, err = io.CopyN(io.Discard, conn, int64(binary.BigEndian.Uint32(head)>>8))
		}
	}
	return err == nil
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
			url, pool := rawTLS(t, tt.serve, "http/1.1")
			r := newTarget(t, dispatch.Options{RootCAs: pool})
			a := r.try(url)
			check(t, a, tt.failure, tt.words)
			if a.Status != tt.status {
				t.Errorf("got status %d, want %d", a.Status, tt.status)
			}
		})
	}
}

// The kinds of HTTP/2 frames, and the flags that end a stream and its headers.
const (
	dataFrame, headersFrame, resetFrame, settingsFrame, pingFrame, goAwayFrame, continuationFrame = 0, 1, 3, 4, 6, 7, 9

	endStream, endHeaders = 1, 4
)

func frame(kind, flags byte, stream uint32, payload string) string {
	head := binary.BigEndian.AppendUint32(nil, uint32(len(payload))<<8|uint32(kind))
	return string(binary.BigEndian.AppendUint32(append(head, flags), stream)) + payload
}

func TestBrokenHTTP2(t *testing.T) {
	const network, late = webhook.FailNetwork, webhook.FailTimeout
	code := func(n uint32) string { return string(binary.BigEndian.AppendUint32(nil, n)) }
	settings, answered := frame(settingsFrame, 0, 0, ""), frame(headersFrame, endHeaders, 1, "\x88") // :status 200
	goAway := frame(goAwayFrame, 0, 0, code(1)+code(11)+"calm down\x1b")
	kilobyte, header := strings.Repeat("x", 1024), "\x00\x03x-a\x0a0123456789"
	for _, tt := range []hostileCase{
		{"silent", func(net.Conn) {}, 0, late, "no complete answer"},
		{"HTTP/1.1", say(ok200 + "Content-Length: 0\r\n\r\n"), 0, network, "looked like an HTTP/1.1 header"},
		{"closed", shut, 0, network, "closed the connection without an answer"},
		{"closed after the headers", say(settings+answered, shut), 200, "", "closed the connection"},
		{"no answer", say(settings), 0, late, "no complete answer"},
		{"reset stream", say(settings + frame(resetFrame, 0, 1, code(2))), 0, network, "INTERNAL_ERROR"},
		{"refused stream", endless(settings + frame(resetFrame, 0, 1, code(7))), 0, late, ""},
		{"reset stream in the body", say(settings + answered + frame(resetFrame, 0, 1, code(2))), 200, "", "cannot be read (stream error"},
		{"go away", say(settings+goAway, shut), 0, network, "ENHANCE_YOUR_CALM"},
		{"frame on no stream", say(settings + frame(dataFrame, 0, 0, "x")), 0, network, "PROTOCOL_ERROR"},
		{"too large a frame", say(settings + "\xff\xff\xff\x00\x00\x00\x00\x00\x01"), 0, network, ""},
		{"bad compression", say(settings + frame(headersFrame, endHeaders, 1, "\xff\xff\xff\xff\xff")), 0, network, ""},
		{"no status", say(settings + frame(headersFrame, endHeaders, 1, header)), 0, network, ""},
		{"endless headers", say(settings+frame(headersFrame, 0, 1, "\x88"), endless(frame(continuationFrame, 0, 1, strings.Repeat(header, 50)))), 0, network, ""},
		{"endless empty headers", say(settings+frame(headersFrame, 0, 1, "\x88"), endless(frame(continuationFrame, 0, 1, ""))), 0, late, ""},
		{"endless 103", say(settings, endless(frame(headersFrame, endHeaders, 1, "\x48\x03103"+header))), 0, network, ""},
		{"endless body", say(settings+answered, endless(frame(dataFrame, 0, 1, kilobyte))), 200, "", ""},
		{"endless empty body", say(settings+answered, endless(frame(dataFrame, 0, 1, ""))), 200, "", "was not complete within"},
		{"endless settings", endless(settings), 0, late, ""},
		{"endless pings", say(settings, endless(frame(pingFrame, 0, 0, "12345678"))), 0, late, ""},
		{"shorter than announced", say(settings + frame(headersFrame, endHeaders, 1, "\x88\x5c\x0210") + frame(dataFrame, endStream, 1, "abc")), 200, "", "before the body of its answer was complete"},
		{"complete", say(settings + answered + frame(dataFrame, endStream, 1, "abc")), 200, "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			url, pool := rawTLS(t, tt.serve, "h2")
			r := newTarget(t, dispatch.Options{RootCAs: pool})
			r.frames = true
			a := r.try(url)
			check(t, a, tt.failure, tt.words)
			if a.Status != tt.status {
				t.Errorf("got status %d, want %d", a.Status, tt.status)
			}
		})
	}
}
