package dispatch_test

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"slices"
	"sync"
	"testing"
	"time"

	"bookhook/dispatch"
	"bookhook/webhook"
)

// observed is what a receiver and a name server saw of a request.
type observed struct {
	host, sni, uri, remote string
	lookedUp               []string
}

// observer is a receiver over TLS at 127.0.0.1 and at ::1, for every name.
type observer struct {
	mu       sync.Mutex
	seen     observed
	port     string
	pool     *x509.CertPool
	requests int
}

func newObserver(t *testing.T, names ...string) *observer {
	t.Helper()
	o := &observer{pool: x509.NewCertPool()}
	c := certificate(t, time.Now().Add(-time.Hour), time.Now().Add(time.Hour), names...)
	leaf, err := x509.ParseCertificate(c.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	o.pool.AddCert(leaf)
	nameServer(t, func(name string) ([]netip.Addr, byte) {
		o.mu.Lock()
		defer o.mu.Unlock()
		o.seen.lookedUp = append(o.seen.lookedUp, name)
		return addrs("127.0.0.1"), 0
	})
	o.listen(t, c, "127.0.0.1:0")
	o.listen(t, c, "[::1]:"+o.port)
	return o
}

func (o *observer) listen(t *testing.T, c tls.Certificate, address string) {
	t.Helper()
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Skip("this machine has no such address: ", err)
	}
	_, o.port, _ = net.SplitHostPort(l.Addr().String())
	s := httptest.NewUnstartedServer(o)
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.Listener.Close()
	s.Listener, s.TLS = l, &tls.Config{Certificates: []tls.Certificate{c}}
	s.StartTLS()
	t.Cleanup(s.Close)
}

// ServeHTTP notes what arrived.
func (o *observer) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.requests++
	o.seen.host, o.seen.sni, o.seen.uri = r.Host, r.TLS.ServerName, r.RequestURI
	o.seen.remote = r.Context().Value(http.LocalAddrContextKey).(net.Addr).String()
}

// One form of a name is looked up, sent as Host and in the TLS handshake, and logged,
// however it was typed.
func TestOneNameOnTheWire(t *testing.T) {
	const books = "xn--bcher-kva.test"
	o := newObserver(t, books, "hooks.test", "my_hooks.test", "xn--jxalpdlp.test")
	r := newTarget(t, dispatch.Options{RootCAs: o.pool, Guard: mustGuard(t, "127.0.0.0/8,::1,fe80::/10"), Timeout: 10 * time.Second})
	for _, tt := range []struct{ typed, want string }{
		{"hooks.test", "hooks.test"},
		{"HOOKS.Test", "hooks.test"},
		{"hooks.test.", "hooks.test"},
		{"my_Hooks.test", "my_hooks.test"},
		{"bücher.test", books},
		{"BÜCHER.test", books},
		{"BU\u0308CHER.test.", books}, // the letter in two characters
		{"b%C3%BCcher.test", books},
		{"ｂüｃｈｅｒ。ｔｅｓｔ", books},
		{"XN--BCHER-KVA.test", books},
		{"ΔΟΚΙΜΉ.test", "xn--jxalpdlp.test"},
		{"127.0.0.1", "127.0.0.1"},
		{"１２７.０.０.１", "127.0.0.1"},
		{"127。0。0。1", "127.0.0.1"},
		{"[::1]", "[::1]"},
		{"[0:0::0:1]", "[::1]"},
	} {
		t.Run(tt.typed, func(t *testing.T) {
			o.mu.Lock()
			o.seen = observed{}
			o.mu.Unlock()
			a := r.try("https://" + tt.typed + ":" + o.port + "/in?a=%20b")
			check(t, a, "")
			o.mustHaveSeen(t, tt.want, a)
		})
	}
	for _, typed := range []string{"[fe80::1%25lo]", "a..b\u0301ü.test", "ü\u202e.test"} {
		t.Run(typed, func(t *testing.T) {
			before := o.requests
			check(t, r.try("https://"+typed+":"+o.port+"/"), webhook.FailDNS, "Check its spelling")
			if o.requests != before {
				t.Error("it was called")
			}
		})
	}
}

// mustHaveSeen compares what arrived with the name and with the log.
func (o *observer) mustHaveSeen(t *testing.T, want string, a webhook.Attempt) {
	t.Helper()
	o.mu.Lock()
	defer o.mu.Unlock()
	logged, err := url.Parse(a.URL)
	if err != nil {
		t.Fatal(err)
	}
	host, _, _ := net.SplitHostPort(want + ":" + o.port)
	name, lookedUp := host, []string{host}
	if net.ParseIP(host) != nil { // is looked up nowhere, and no name of a TLS server
		name, lookedUp = "", nil
	}
	if o.seen.host != want+":"+o.port || o.seen.sni != name || !slices.Equal(slices.Compact(o.seen.lookedUp), lookedUp) {
		t.Errorf("got %+v, want %s everywhere", o.seen, want)
	}
	if logged.Host != o.seen.host || a.RequestHeaders.Get("Host") != o.seen.host || logged.RequestURI() != o.seen.uri || a.RemoteAddr != o.seen.remote {
		t.Errorf("the log shows %s, Host %q at %s, the receiver saw %+v", a.URL, a.RequestHeaders.Get("Host"), a.RemoteAddr, o.seen)
	}
}
