package dispatch_test

import (
	"io"
	"net/http"
	"strconv"
	"testing"
	"time"

	"bookhook/dispatch"
	"bookhook/webhook"
)

func TestDelivered(t *testing.T) {
	t.Parallel()
	type seen struct {
		*http.Request
		body []byte
	}
	requests := make(chan seen, 1)
	server := receiver(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		requests <- seen{r, body}
		w.Header().Set("X-Answer", "yes")
		_, _ = io.WriteString(w, "thanks")
	})
	r := start(t, dispatch.Options{})
	w := r.hook(server.URL + "/in?x=1")
	id := r.ingest(1)[0]
	got := receive(t, requests)
	r.next()

	if want := "/in?x=1"; got.Method != "POST" || got.RequestURI != want {
		t.Errorf("got %s %s, want POST %s", got.Method, got.RequestURI, want)
	}
	seconds, _ := strconv.ParseInt(got.Header.Get("Webhook-Timestamp"), 10, 64)
	signature, _ := webhook.Sign([]string{w.Secret}, got.Header.Get("Webhook-Id"), time.Unix(seconds, 0), got.body)
	for name, want := range map[string]string{
		"Content-Type": "application/json", "User-Agent": "bookhook/1.2.3", "Bookhook-Attempt": "1", "Bookhook-Test": "",
		"Webhook-Id": id.String(), "Webhook-Signature": signature, "Accept": "*/*", "Accept-Encoding": "",
	} {
		if value := got.Header.Get(name); value != want {
			t.Errorf("%s: got %q, want %q", name, value, want)
		}
	}

	d, a := r.delivery(id), r.attempts(id)[0]
	if d.State != webhook.Delivered || d.Attempts != 1 || d.Last.Status != 200 {
		t.Errorf("got %+v, want delivered by one attempt", d)
	}
	if a.Status != 200 || string(a.ResponseBody) != "thanks" || !a.Error.IsZero() || a.Duration <= 0 || a.RemoteAddr != server.Listener.Addr().String() {
		t.Errorf("got %+v, want what the server answered", a)
	}
	if a.ResponseHeaders.Get("X-Answer") != "yes" || string(a.RequestBody) != string(got.body) || a.URL != w.URL || a.Method != "POST" {
		t.Errorf("got %+v, want what was exchanged", a)
	}
	sent := got.Header.Clone()
	sent.Set("Host", got.Host)
	sent.Set("Content-Length", strconv.FormatInt(got.ContentLength, 10))
	if len(sent) != len(a.RequestHeaders) {
		t.Errorf("recorded %v, the server saw %v", a.RequestHeaders, sent)
	}
	for name := range sent {
		if a.RequestHeaders.Get(name) != sent.Get(name) {
			t.Errorf("%s: recorded %q, the server saw %q", name, a.RequestHeaders.Get(name), sent.Get(name))
		}
	}
}

func TestNativeIsSignedOverItsQuery(t *testing.T) {
	t.Parallel()
	requests := make(chan *http.Request, 1)
	server := receiver(t, func(_ http.ResponseWriter, r *http.Request) { requests <- r })
	r := start(t, dispatch.Options{})
	w := r.hook(server.URL+"/in?key=a%20b", native)
	id := r.ingest(1)[0]
	got := receive(t, requests)
	if want := "/in?key=a%20b&event=cancelled&account_id=4069&account_name=Test%20Operator&channel_id=3930&booking_id=1000"; got.Method != "GET" || got.RequestURI != want {
		t.Errorf("got %s %s, want GET %s", got.Method, got.RequestURI, want)
	}
	seconds, _ := strconv.ParseInt(got.Header.Get("Webhook-Timestamp"), 10, 64)
	want, _ := webhook.Sign([]string{w.Secret}, id.String(), time.Unix(seconds, 0), []byte(got.URL.RawQuery))
	if signature := got.Header.Get("Webhook-Signature"); signature != want {
		t.Errorf("got signature %q, want %q", signature, want)
	}
	if r.next().State != webhook.Delivered {
		t.Error("not delivered")
	}
}
