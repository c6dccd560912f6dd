package prioticket_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"bookhook/platforms"
	"bookhook/platforms/all"
	"bookhook/platforms/prioticket"
	"bookhook/webhook"
)

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	if want, err := os.ReadFile(name); err != nil || string(got)+"\n" != string(want) {
		t.Errorf("%s: %v\ngot  %s\nwant %s", name, err, got, want)
	}
}

// wantRejected checks status and reason of an error of Read.
func wantRejected(t *testing.T, err error, status int, problem string) {
	t.Helper()
	rejected, ok := errors.AsType[platforms.Rejected](err)
	if !ok || rejected.Status != status || !strings.Contains(all.Platforms().Text(rejected.Why), problem) {
		t.Errorf("got %v, want status %d and %q", err, status, problem)
	}
}

// vendorKeys are the keys of the enumeration in the clients generated from
// Prioticket's own description of version 3.5.
var vendorKeys = []string{
	"PRODUCT_CREATE", "PRODUCT_UPDATE", "PRODUCT_DELETE", "PRODUCT_ASSIGN", "PRODUCT_UNASSIGN", "ORDER_CREATE", "ORDER_UPDATE", "ORDER_CANCEL",
	"PAYMENT_CREATE", "PAYMENT_REFUND", "VOUCHER_RELEASE", "VOUCHER_REVOKE", "REDEMPTION", "CREDIT_REACHED", "CREDIT_RESET",
	"CATEGORY_CHANGE", "LOCATION_CHANGE", "AVAILABILITY_CHANGE",
}

func TestEvents(t *testing.T) {
	var documented, assumed []string
	for _, e := range prioticket.Events() {
		if e.Assumed == "" {
			documented = append(documented, e.Key)
		} else {
			assumed = append(assumed, e.Key)
		}
	}
	slices.Sort(documented)
	if want := slices.Sorted(slices.Values(vendorKeys)); !slices.Equal(documented, want) || !slices.Equal(assumed, []string{"PAYMENT_UPDATE"}) {
		t.Errorf("got %v and, assumed, %v; want %v and PAYMENT_UPDATE", documented, assumed, want)
	}
}

func TestRejected(t *testing.T) {
	long := strings.Repeat("x", webhook.MaxRefLength+1)
	for _, tt := range []struct {
		name, contentType, body string
		status                  int
		problem                 string
	}{
		{"a form", "application/x-www-form-urlencoded", "a=b", 415, "application/json"},
		{"empty", "application/json", "", 400, "empty"},
		{"no notification", "", `{"data":{"order":{"notification_event":"ORDER_CREATE"}}}`, 400, "notification_event"},
		{"another case", "", `{"Notification_Event":"ORDER_CREATE"}`, 400, "notification_event"},
		{"not a text", "", `{"notification_event":["ORDER_CREATE"]}`, 400, "notification_event"},
		{"unknown", "", `{"notification_event":"ORDER_MADE"}`, 422, `“ORDER_MADE”`},
		{"not the whole key", "", `{"notification_event":"ORDER"}`, 422, `“ORDER”`},
		{"lower case", "", `{"notification_event":"order_create"}`, 422, `“order_create”`},
		{"an event twice", "", `{"data":{"notification":{"notification_event":"ORDER_CREATE","notification_event":"ORDER_CANCEL"}}}`, 400, "twice"},
		{"data twice", "", `{"data":{"notification":{},"notification":{}}}`, 400, "twice"},
		{"a long reference", "", `{"notification_event":"ORDER_CREATE","notification_item_id":"` + long + `"}`, 400, "booking"},
		{"a long product", "", `{"notification_event":"PRODUCT_CREATE","notification_item_id":"` + long + `"}`, 400, "tour"},
		{"control characters", "", `{"notification_event":"ORDER_CREATE","notification_item_id":"a\u0000"}`, 400, "booking"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := prioticket.Read(platforms.Inbound{ContentType: tt.contentType, Body: []byte(tt.body)})
			wantRejected(t, err, tt.status, tt.problem)
		})
	}
}

func TestBasic(t *testing.T) {
	const plain = "operator:secret:1"
	encoded := base64.StdEncoding.EncodeToString([]byte(plain))
	for _, tt := range []struct {
		set, header string
		ok          bool
	}{
		{"", "", true},
		{"", "Basic whatever", true},
		{"c2VjcmV0", "Basic c2VjcmV0", true},
		{"c2VjcmV0", "basic  c2VjcmV0 ", true},
		{plain, "Basic " + plain, true},
		{plain, "Basic " + encoded, true},
		{"secret", "Basic " + base64.StdEncoding.EncodeToString([]byte("secret")), false}, // no colon, so it is no pair
		{encoded, "Basic " + plain, false},
		{plain, "", false},
		{plain, "Basic", false},
		{plain, plain, false},
		{plain, "Bearer " + plain, false},
		{plain, "Basic operator:secret", false},
		{plain, "Basic " + plain + "x", false},
	} {
		_, err := prioticket.Read(platforms.Inbound{
			Authorization: tt.header, Settings: webhook.Settings{"basic": tt.set}, Body: []byte(`{"notification_event":"ORDER_CREATE"}`),
		})
		if tt.ok && err != nil {
			t.Errorf("%q, set to %q: %v", tt.header, tt.set, err)
		}
		if !tt.ok {
			wantRejected(t, err, 401, "Basic")
			if strings.Contains(err.Error(), "secret") {
				t.Errorf("got %v, which tells the secret", err)
			}
		}
	}
}

func TestSettings(t *testing.T) {
	basic := prioticket.Platform().Settings[0]
	if basic.Key != "basic" || !basic.Secret {
		t.Errorf("got %+v", basic)
	}
	for value, fits := range map[string]bool{
		"c2VjcmV0": true, "operator:a secret": true, "Basic c2VjcmV0": false, "basic x": false, "é": false, "a\nb": false, " a": false,
	} {
		if problem := basic.Check(value); problem.IsZero() != fits {
			t.Errorf("%q: got %q", value, problem)
		}
	}
}

func TestNative(t *testing.T) {
	at := time.Date(2026, 11, 21, 10, 0, 0, 500_000_000, time.FixedZone("", 3600))
	order := webhook.Event{ID: 1, Type: "ORDER_CREATE", BookingID: "1000000000001", OccurredAt: at, Data: []byte(`{ "order_reference": "1000000000001", "total": 108.10 }`)}
	with := func(change func(*webhook.Event)) webhook.Event {
		e := order
		change(&e)
		return e
	}
	inbound := func(body string) webhook.Event {
		return webhook.Event{Type: "ORDER_CREATE", Inbound: true, Data: []byte(body)}
	}
	for _, tt := range []struct {
		name  string
		bare  bool
		event webhook.Event
	}{
		{"order", false, order},
		{"order-bare", true, order},
		{"order-without-data", false, with(func(e *webhook.Event) { e.Data = nil; e.OccurredAt = time.Time{}; e.ReceivedAt = at })},
		{"product", false, with(func(e *webhook.Event) { e.Type = "PRODUCT_DELETE"; e.TourIDs = []string{"12", "15"} })},
		{"payment", false, with(func(e *webhook.Event) { e.Type = "PAYMENT_REFUND"; e.Data = []byte(`{"payment_id":"PAY-1"}`) })},
		{"payment-of-order", false, with(func(e *webhook.Event) { e.Type = "PAYMENT_CREATE"; e.Data = []byte(`["cash"]`) })},
		{"without-item", false, with(func(e *webhook.Event) { e.BookingID = ""; e.Data = nil })},
		{"availability", false, with(func(e *webhook.Event) {
			e.Type, e.BookingID, e.TourIDs, e.Data = "AVAILABILITY_CHANGE", "", []string{"12"}, []byte(`{"availability_id":"202611210900"}`)
		})},
		{"credit", false, with(func(e *webhook.Event) { e.Type = "CREDIT_RESET"; e.BookingID = ""; e.Data = []byte(`{"credit_id":7}`) })},
		{"product-assign", false, with(func(e *webhook.Event) { e.Type = "PRODUCT_ASSIGN"; e.TourIDs = []string{"12"}; e.Data = nil })},
		{"voucher", false, with(func(e *webhook.Event) { e.Type = "VOUCHER_RELEASE" })},
		{"redemption", false, with(func(e *webhook.Event) { e.Type = "REDEMPTION"; e.BookingID = `<"é&>` })},
		{"inbound-bare", true, inbound(`{"kind":"x", "api_version": "3.9", "data": {"order":{}, "notification": {"notification_event": "ORDER_CREATE", "more": 1.0}}}`)},
		{"inbound-bare-at-the-top", true, inbound(`{"order":{},"notification": {"notification_event":"ORDER_CREATE"}}`)},
		{"inbound-bare-under-data", true, inbound(`{"data":{"order":{},"notification_event":"ORDER_CREATE","notification_item_id": 1.0}}`)},
		{"inbound-bare-open", true, inbound(`{"order":{},"notification_event":"ORDER_CREATE","notification_item_id":"1"}`)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := &webhook.Webhook{Config: webhook.Config{URL: "https://example.com/in", OmitPayload: tt.bare, Basic: "c2VjcmV0"}}
			got := prioticket.Native(w, webhook.Account{Number: 4069}, tt.event)
			golden(t, "testdata/native/"+tt.name+".json", got.Body)
			if got.Method != "POST" || got.URL != w.URL || got.Only200 || !bytes.Equal(got.Signed, got.Body) ||
				len(got.Header) != 1 || got.Header.Get("Content-Type") != "application/json" {
				t.Errorf("got %+v, want a POST of signed JSON; the dispatcher adds the Basic value", got)
			}
			read, err := prioticket.Read(platforms.Inbound{Body: got.Body})
			if err != nil || read.Event.Type != tt.event.Type {
				t.Errorf("it reads as %+v, %v", read, err)
			}
		})
	}
}

func TestBooking(t *testing.T) {
	for _, tt := range []struct {
		event webhook.Event
		want  string
	}{
		{webhook.Event{Type: "ORDER_UPDATE", BookingID: "1", ChannelID: "3930", TourIDs: []string{"12"}}, `{"action":"changed","reference":"1","channel":{"id":"3930"},"tours":[{"id":"12"}]}`},
		{webhook.Event{Type: "ORDER_CANCEL", BookingID: "1"}, `{"action":"cancelled","reference":"1"}`},
		{webhook.Event{Type: "VOUCHER_RELEASE"}, `{"action":"voucher_released"}`},
		{webhook.Event{Type: "PAYMENT_UPDATE", BookingID: "1"}, `null`},
		{webhook.Event{Type: "PRODUCT_CREATE", TourIDs: []string{"12"}}, `null`},
		{webhook.Event{Type: "AVAILABILITY_CHANGE", TourIDs: []string{"12"}}, `null`},
		{webhook.Event{Type: "CREDIT_REACHED", BookingID: "1"}, `null`},
		{webhook.Event{Type: "PRODUCT_UPDATE", TourIDs: []string{"12"}}, `null`},
		{webhook.Event{Type: "PRODUCT_DELETE", TourIDs: []string{"12"}}, `null`},
	} {
		if got, err := json.Marshal(prioticket.Booking(tt.event)); err != nil || string(got) != tt.want {
			t.Errorf("%s: got %s, %v, want %s", tt.event.Type, got, err, tt.want)
		}
	}
}

// Whatever comes: no panic, ids that can be kept, and not a byte changed.
func FuzzRead(f *testing.F) {
	names, err := filepath.Glob("testdata/read/*.json")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range names {
		body, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add("application/json", body)
	}
	f.Fuzz(func(t *testing.T, contentType string, body []byte) {
		got, err := prioticket.Read(platforms.Inbound{ContentType: contentType, Body: bytes.Clone(body)})
		if err != nil {
			if rejected, ok := errors.AsType[platforms.Rejected](err); !ok || rejected.Why.IsZero() {
				t.Errorf("got %#v, want a Rejected", err)
			}
			return
		}
		e := got.Event
		if !bytes.Equal(e.Data, body) {
			t.Errorf("got %q, want %q", e.Data, body)
		}
		for _, id := range append([]string{e.ChannelID, e.BookingID}, e.TourIDs...) {
			if problem := webhook.CheckRef(id); !problem.IsZero() {
				t.Errorf("%q: %s", id, problem)
			}
		}
		if len(e.TourIDs) > webhook.MaxTours || len(got.Identity) > 2*4*webhook.MaxRefLength {
			t.Errorf("got %d tours, identity %q", len(e.TourIDs), got.Identity)
		}
		for _, e.Inbound = range []bool{true, false} {
			if booking, err := json.Marshal(prioticket.Booking(e)); err != nil {
				t.Errorf("got %s, %v", booking, err)
			}
			for _, bare := range []bool{true, false} {
				out := prioticket.Native(&webhook.Webhook{Config: webhook.Config{OmitPayload: bare}}, webhook.Account{}, e)
				if !json.Valid(out.Body) {
					t.Errorf("got %q, want JSON", out.Body)
				}
			}
		}
	})
}
