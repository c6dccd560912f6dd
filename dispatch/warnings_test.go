package dispatch_test

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"bookhook/dispatch"
	"bookhook/webhook"
)

// warned makes one attempt and returns what is then stored about the receiver.
func (r *rig) warned(w *webhook.Webhook) webhook.Warnings {
	r.Helper()
	r.ingest(1)
	r.next()
	stored, err := r.store.Webhook(r.Context(), r.account.ID, w.ID)
	if err != nil {
		r.Fatal(err)
	}
	return stored.Warnings
}

// TestCertificateEndsSoon: deliveries notice it, and that it was renewed.
func TestCertificateEndsSoon(t *testing.T) {
	t.Parallel()
	ends := time.Now().Add(12 * 24 * time.Hour).UTC().Truncate(time.Second)
	soon := certificate(t, time.Now().Add(-time.Hour), ends, "localhost")
	later := certificate(t, time.Now().Add(-time.Hour), ends.Add(365*24*time.Hour), "localhost")
	pool := x509.NewCertPool()
	for _, c := range [][]byte{soon.Certificate[0], later.Certificate[0]} {
		leaf, err := x509.ParseCertificate(c)
		if err != nil {
			t.Fatal(err)
		}
		pool.AddCert(leaf)
	}
	var renewed atomic.Bool
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	server.TLS = &tls.Config{GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
		if renewed.Load() {
			return &later, nil
		}
		return &soon, nil
	}}
	server.StartTLS()
	t.Cleanup(server.Close)
	r := start(t, dispatch.Options{RootCAs: pool})
	w := r.hook("https://localhost" + server.URL[strings.LastIndex(server.URL, ":"):])
	for range 2 { // the second is on the kept connection
		if got := r.warned(w); !got.CertificateEnds.Equal(ends) {
			t.Errorf("certificate ends: got %v, want %v", got.CertificateEnds, ends)
		}
	}
	renewed.Store(true)
	server.CloseClientConnections()
	if got := r.warned(w); !got.CertificateEnds.IsZero() {
		t.Errorf("after the renewal: got %v, want none", got.CertificateEnds)
	}
}

// TestMovedForGood: a permanent redirect says where to.
func TestMovedForGood(t *testing.T) {
	t.Parallel()
	var back atomic.Bool
	server := receiver(t, func(w http.ResponseWriter, r *http.Request) {
		if !back.Load() {
			http.Redirect(w, r, "https://new.example/hook", http.StatusPermanentRedirect)
		}
	})
	r := start(t, dispatch.Options{})
	w := r.hook(server.URL)
	if got := r.warned(w); got.MovedTo != "https://new.example/hook" {
		t.Errorf("moved: got %q", got.MovedTo)
	}
	back.Store(true)
	if got := r.warned(w); got.MovedTo != "" {
		t.Errorf("it answers again: got %q, want none", got.MovedTo)
	}
}

// TestSlowAnswer: more than half of the time limit is noticed.
func TestSlowAnswer(t *testing.T) {
	t.Parallel()
	server := receiver(t, func(http.ResponseWriter, *http.Request) { time.Sleep(1100 * time.Millisecond) })
	r := start(t, dispatch.Options{Timeout: 2 * time.Second})
	w := r.hook(server.URL)
	if got := r.warned(w); !got.IsSlow(time.Now()) || got.Slow < time.Second {
		t.Errorf("got %+v, want a slow answer", got)
	}
}
