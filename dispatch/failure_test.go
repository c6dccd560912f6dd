package dispatch_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"bookhook/dispatch"
	"bookhook/dispatch/guard"
	"bookhook/messages"
	"bookhook/webhook"
)

// neverAnswers is an address where connections are taken and never answered.
func neverAnswers(t *testing.T) string {
	t.Helper()
	return raw(t, func(net.Conn) {})
}

// raw is a server that does what it likes once a request has begun to arrive.
func raw(t *testing.T, serve func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { conn.Close() })
			go func() {
				if _, err := conn.Read(make([]byte, 4096)); err == nil {
					serve(conn)
				}
			}()
		}
	}()
	return l.Addr().String()
}

// unused is an address where nothing listens.
func unused(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// secure is a TLS server and the pool that trusts it.
func secure(t *testing.T, change func(*httptest.Server)) (string, *x509.CertPool) {
	t.Helper()
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	change(s)
	s.StartTLS()
	t.Cleanup(s.Close)
	pool := x509.NewCertPool()
	pool.AddCert(s.Certificate())
	return s.URL, pool
}

// certificate is one for 127.0.0.1 and the names, signed by itself.
func certificate(t *testing.T, from, until time.Time, names ...string) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, NotBefore: from, NotAfter: until,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback}, DNSNames: names, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// one makes one attempt at a URL and returns it.
func one(t *testing.T, url string, o dispatch.Options) webhook.Attempt {
	t.Helper()
	r := start(t, o)
	r.hook(url)
	r.ingest(1)
	got := r.next()
	if got.State == webhook.Failed {
		t.Errorf("%s: got failed, want another try", url)
	}
	return got.Attempt
}

func check(t *testing.T, a webhook.Attempt, failure webhook.Failure, words ...string) {
	t.Helper()
	if a.Failure != failure {
		t.Errorf("got %q (%s), want %q", a.Failure, a.Error, failure)
	}
	for _, w := range words {
		if !strings.Contains(messages.Text(a.Error), w) {
			t.Errorf("got %q, want it to say %q", messages.Text(a.Error), w)
		}
	}
}

func TestNetworkFailures(t *testing.T) {
	t.Parallel()
	t.Run("refused", func(t *testing.T) {
		address := unused(t)
		a := one(t, "http://"+address, dispatch.Options{})
		check(t, a, webhook.FailRefused, address)
		if a.RemoteAddr != address {
			t.Errorf("got address %q, want %s", a.RemoteAddr, address)
		}
	})
	t.Run("blocked", func(t *testing.T) {
		a := one(t, "http://127.0.0.1:1", dispatch.Options{Guard: &guard.Guard{}})
		check(t, a, webhook.FailBlocked, "127.0.0.1", "ask the person who runs this Bookhook to allow it")
	})
	t.Run("blocked by its name", func(t *testing.T) {
		check(t, one(t, "http://localhost:1", dispatch.Options{Guard: &guard.Guard{}}), webhook.FailBlocked, "loopback")
	})
	t.Run("dns", func(t *testing.T) {
		a := one(t, "http://no-such-host.invalid", dispatch.Options{Connect: 2 * time.Second})
		check(t, a, webhook.FailDNS, "no-such-host.invalid")
	})
	t.Run("internationalised name", func(t *testing.T) {
		a := one(t, "http://bücher.invalid:8080/", dispatch.Options{Connect: 2 * time.Second})
		check(t, a, webhook.FailDNS)
		if got := a.RequestHeaders.Get("Host"); got != "xn--bcher-kva.invalid:8080" {
			t.Errorf("got host %q, want it as it is sent", got)
		}
	})
	t.Run("timeout", func(t *testing.T) {
		a := one(t, "http://"+neverAnswers(t), dispatch.Options{Timeout: 50 * time.Millisecond})
		check(t, a, webhook.FailTimeout, "no complete answer within 50ms")
	})
	t.Run("timeout in the body", func(t *testing.T) {
		address := raw(t, func(c net.Conn) { _, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc") })
		a := one(t, "http://"+address, dispatch.Options{Timeout: 200 * time.Millisecond})
		check(t, a, "", "was not complete within 200ms")
		if a.Status != 200 || string(a.ResponseBody) != "abc" {
			t.Errorf("got %d, %q, want what there was", a.Status, a.ResponseBody)
		}
	})
	t.Run("closed", func(t *testing.T) {
		check(t, one(t, "http://"+raw(t, func(c net.Conn) { c.Close() }), dispatch.Options{}), webhook.FailNetwork)
	})
	t.Run("closed in the body", func(t *testing.T) {
		address := raw(t, func(c net.Conn) {
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")
			_ = c.(*net.TCPConn).CloseWrite()
		})
		check(t, one(t, "http://"+address, dispatch.Options{}), "", "before the body of its answer was complete")
	})
	t.Run("not HTTP", func(t *testing.T) {
		address := raw(t, func(c net.Conn) { _, _ = io.WriteString(c, "SSH-2.0-OpenSSH_9.2\r\n") })
		check(t, one(t, "http://"+address, dispatch.Options{}), webhook.FailNetwork, "malformed")
	})
	t.Run("headers without end", func(t *testing.T) {
		address := raw(t, func(c net.Conn) {
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\n"+strings.Repeat("X-Header: 1234567890\r\n", 10_000)+"\r\n")
		})
		check(t, one(t, "http://"+address, dispatch.Options{}), webhook.FailNetwork)
	})
	t.Run("not a URL", func(t *testing.T) {
		check(t, one(t, "ftp://127.0.0.1/", dispatch.Options{}), webhook.FailInternal)
		check(t, one(t, "http://127.0.0.1:x/", dispatch.Options{}), webhook.FailInternal)
	})
}

func TestTLS(t *testing.T) {
	t.Parallel()
	plain := func(*httptest.Server) {}
	with := func(c tls.Certificate) func(*httptest.Server) {
		return func(s *httptest.Server) { s.TLS = &tls.Config{Certificates: []tls.Certificate{c}} }
	}
	t.Run("trusted", func(t *testing.T) {
		url, pool := secure(t, plain)
		check(t, one(t, url, dispatch.Options{RootCAs: pool}), "")
	})
	t.Run("HTTP/2 and 1.1", func(t *testing.T) {
		protocols := make(chan string, 1)
		url, pool := secure(t, func(s *httptest.Server) {
			s.EnableHTTP2 = true
			s.Config.Handler = http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { protocols <- r.Proto })
		})
		check(t, one(t, url, dispatch.Options{RootCAs: pool}), "")
		if got := receive(t, protocols); got != "HTTP/1.1" {
			t.Errorf("got %s, want HTTP/1.1", got)
		}
	})
	t.Run("unknown authority", func(t *testing.T) {
		url, _ := secure(t, plain)
		check(t, one(t, url, dispatch.Options{RootCAs: x509.NewCertPool()}), webhook.FailTLS, "self-signed")
	})
	t.Run("wrong name", func(t *testing.T) {
		url, pool := secure(t, plain) // for example.com and 127.0.0.1
		url = strings.Replace(url, "127.0.0.1", "localhost", 1)
		a := one(t, url, dispatch.Options{RootCAs: pool, Guard: mustGuard(t, "127.0.0.0/8,::1")})
		check(t, a, webhook.FailTLS, "localhost", "it is for example.com")
	})
	t.Run("expired", func(t *testing.T) {
		url, pool := secure(t, with(certificate(t, time.Unix(0, 0), time.Date(2026, 1, 2, 3, 4, 0, 0, time.UTC))))
		check(t, one(t, url, dispatch.Options{RootCAs: pool}), webhook.FailTLS, "expired on 2 January 2026")
	})
	t.Run("not yet valid", func(t *testing.T) {
		url, pool := secure(t, with(certificate(t, time.Now().Add(time.Hour), time.Now().Add(2*time.Hour))))
		check(t, one(t, url, dispatch.Options{RootCAs: pool}), webhook.FailTLS, "not valid yet")
	})
	t.Run("old protocol", func(t *testing.T) {
		url, pool := secure(t, func(s *httptest.Server) {
			s.TLS = &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}
		})
		check(t, one(t, url, dispatch.Options{RootCAs: pool}), webhook.FailTLS, "TLS 1.2")
	})
	t.Run("no TLS at all", func(t *testing.T) {
		url := strings.Replace(receiver(t, answer(200)).URL, "http:", "https:", 1)
		check(t, one(t, url, dispatch.Options{}), webhook.FailTLS, "does not support TLS")
	})
	t.Run("closed in the handshake", func(t *testing.T) {
		check(t, one(t, "https://"+raw(t, func(c net.Conn) { c.Close() }), dispatch.Options{}), webhook.FailTLS, "handshake")
	})
	t.Run("timeout in the handshake", func(t *testing.T) {
		a := one(t, "https://"+neverAnswers(t), dispatch.Options{Connect: 50 * time.Millisecond})
		check(t, a, webhook.FailTimeout, "handshake within 50ms")
	})
}

func TestProbe(t *testing.T) {
	t.Parallel()
	methods := make(chan string, 1)
	r := start(t, dispatch.Options{Connect: 2 * time.Second})
	for _, tt := range []struct {
		url   string
		level webhook.ProbeLevel
		words string
	}{
		{receiver(t, func(w http.ResponseWriter, r *http.Request) { methods <- r.Method }).URL, webhook.ProbeOK, "answers"},
		{receiver(t, answer(404)).URL, webhook.ProbeOK, "answers"},
		{receiver(t, answer(405)).URL, webhook.ProbeOK, "answers"},
		{receiver(t, answer(500)).URL, webhook.ProbeWarn, "500"},
		{receiver(t, answer(410)).URL, webhook.ProbeWarn, "410"},
		{receiver(t, answer(301)).URL, webhook.ProbeWarn, "redirect"},
		{"http://" + unused(t), webhook.ProbeWarn, "refused"},
		{"http://10.0.0.5/", webhook.ProbeBad, "10.0.0.5"},
		{"http://0xa.1/", webhook.ProbeBad, "10.0.0.1"},
		{"http://no-such-host.invalid/", webhook.ProbeBad, "no-such-host.invalid"},
		{"https://" + raw(t, func(c net.Conn) { c.Close() }), webhook.ProbeBad, "TLS"},
		{"ftp://example.com/", webhook.ProbeBad, "https://"},
		{"https://ab--ü.test/", webhook.ProbeBad, "“ab--ü.test” is not a host name"},
		{"", webhook.ProbeBad, "Enter"},
	} {
		got := r.Probe(t.Context(), tt.url)
		if got.Level != tt.level || !strings.Contains(messages.Text(got.Message), tt.words) {
			t.Errorf("%s: got %+v, want %s and %q", tt.url, got, tt.level, tt.words)
		}
	}
	if got := receive(t, methods); got != http.MethodHead {
		t.Errorf("got %s, want HEAD", got)
	}
}
