package dispatch_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"bookhook/dispatch"
	"bookhook/platforms"
	"bookhook/platforms/all"
	"bookhook/webhook"
)

const (
	tourcmsKey     = "KEY-OF-3930"
	tourcmsBooking = `<?xml version="1.0"?><response><error>OK</error><booking><booking_id>1234</booking_id><channel_id>3930</channel_id>` +
		`<components><component><product_id>12</product_id></component><component><product_id>15</product_id></component></components></booking></response>`
	tourList = `<?xml version="1.0"?><response><error>OK</error><tour><tour_id>12</tour_id><tour_name>Old Town &amp; Harbour</tour_name></tour></response>`
)

var tourcmsAuthorization = regexp.MustCompile(`^TourCMS (\d+):(\d+):(\S+)$`)

// tourcmsSigned checks a request as the vendor's page says: the signature is the
// percent-encoded base64 of HMAC-SHA256 over
// channel/marketplace/VERB/unixtime and the path with its query; the time is that
// of the header, and no more than a quarter of an hour away.
func tourcmsSigned(r *http.Request) bool {
	parts := tourcmsAuthorization.FindStringSubmatch(r.Header.Get("Authorization"))
	at, err := http.ParseTime(r.Header.Get("X-Tourcms-Date"))
	if parts == nil || err != nil || time.Since(at).Abs() > 15*time.Minute {
		return false
	}
	mac := hmac.New(sha256.New, []byte(tourcmsKey))
	fmt.Fprintf(mac, "%s/%s/%s/%d%s", parts[1], parts[2], r.Method, at.Unix(), r.RequestURI)
	sent, err := url.PathUnescape(parts[3])
	return err == nil && sent == base64.StdEncoding.EncodeToString(mac.Sum(nil)) && parts[1] == "3930"
}

// fakeTourCMS answers requests, if the signature is right.
func fakeTourCMS(t *testing.T) *httptest.Server {
	t.Helper()
	answers := map[string]string{"/c/booking/show.xml?booking_id=1234": tourcmsBooking, "/c/tours/list.xml": tourList}
	return receiver(t, func(w http.ResponseWriter, r *http.Request) {
		switch answer, known := answers[r.RequestURI]; {
		case !tourcmsSigned(r):
			w.WriteHeader(http.StatusUnauthorized)
			fmt.Fprint(w, `<response><error>FAIL_AUTH</error></response>`)
		case known:
			fmt.Fprint(w, answer)
		default:
			t.Errorf("got an unexpected request: %s", r.RequestURI)
		}
	})
}

// TestTourCMS: what came in without tours is sent to those who want them, as it
// came and as signed JSON.
func TestTourCMS(t *testing.T) {
	t.Parallel()
	const query = "event=new_confirmed_web&account_id=4069&account_name=Test%20Operator&channel_id=3930&booking_id=1234&more=1"
	p, _ := all.Platforms().Get("tourcms")
	settings := webhook.Settings{"api_url": fakeTourCMS(t).URL, "api_key": "3930=" + tourcmsKey}
	r := start(t, dispatch.Options{})
	r.connect(settings, 0)
	queries, bodies := make(chan string, 2), make(chan string, 2)
	r.hook(receiver(t, func(_ http.ResponseWriter, r *http.Request) { queries <- r.URL.RawQuery }).URL+"?a=1", native, ofTours(webhook.Include, "15"))
	r.hook(receiver(t, func(_ http.ResponseWriter, r *http.Request) { bodies <- bodyOf(t, r) }).URL, ofTours(webhook.Exclude, "12"))
	r.hook("http://10.0.0.1", ofTours(webhook.Exclude, "12", "15"))
	reading, err := p.Read(platforms.Inbound{Method: http.MethodGet, Query: query, Settings: settings})
	if err != nil {
		t.Fatal(err)
	}
	e := reading.Event
	if e.Lookup = p.Lookup.Wanted(settings, e); !e.Lookup {
		t.Fatal("no lookup is wanted")
	}
	id := r.ingestEvents(r.account.ID, e)[0].Event.ID
	r.next()
	r.next()
	if got := reasons(r.event(id)); got != "matched matched tour_excluded" {
		t.Errorf("got %s", got)
	}
	if got := receive(t, queries); got != "a=1&"+query {
		t.Errorf("got %s, want the query as it came", got)
	}
	body := receive(t, bodies)
	for _, want := range []string{`"tour_ids":["12","15"]`, `"query":{"event":"new_confirmed_web"`, `"more":"1"`, `"show_booking":"<?xml`} {
		if !strings.Contains(body, want) {
			t.Errorf("%s is not in %s", want, body)
		}
	}
	items, err := r.Items(t.Context(), "tourcms", settings, webhook.Tours)
	if err != nil || len(items) != 1 || items[0] != (webhook.Item{ID: "12", Name: "Old Town & Harbour"}) {
		t.Errorf("got %v, %v", items, err)
	}
	settings["api_key"] = "3930=WRONG"
	if _, err := r.Items(t.Context(), "tourcms", settings, webhook.Tours); err == nil || !strings.Contains(err.Error(), "FAIL_AUTH") {
		t.Errorf("got %v of a wrong key", err)
	}
}
