package ltd_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"bookhook/platforms"
	"bookhook/platforms/all"
	"bookhook/platforms/ltd"
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

func TestEvents(t *testing.T) {
	var got []string
	for _, e := range ltd.Events() {
		got = append(got, e.Key)
	}
	if want := []string{"ScheduledEticketDelivery", "TransactionChanged"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestRejected(t *testing.T) {
	long := strings.Repeat("x", webhook.MaxRefLength+1)
	var shows []string
	for i := range webhook.MaxTours + 1 {
		shows = append(shows, `{"EventId":`+strconv.Itoa(i)+`}`)
	}
	transaction := func(payload string) string { return `{"MessageType":"TransactionChanged","Payload":` + payload + `}` }
	for _, tt := range []struct {
		name, contentType, body string
		status                  int
		problem                 string
	}{
		{"XML", "application/xml", "<a/>", 415, "application/json"},
		{"empty", "application/json", " ", 400, "empty"},
		{"no type", "", `{"Payload":{}}`, 400, "MessageType"},
		{"another case", "", `{"messageType":"TransactionChanged","Payload":{}}`, 400, "MessageType"},
		{"unknown", "", `{"MessageType":"BasketChanged","Payload":{}}`, 422, `“BasketChanged”`},
		{"lower case", "", `{"MessageType":"transactionchanged","Payload":{}}`, 422, "transactionchanged"},
		{"no payload", "", `{"MessageType":"TransactionChanged"}`, 400, "Payload"},
		{"payload as text", "", transaction(`"{}"`), 400, "Payload"},
		{"no payload but null", "", transaction(`null`), 400, "Payload"},
		{"a reference twice", "", transaction(`{"BookingReference":"1","BookingReference":"2"}`), 400, "BookingReference"},
		{"a show twice", "", transaction(`{"Orders":[{"EventId":1,"EventId":2}]}`), 400, "EventId"},
		{"a long reference", "", transaction(`{"BookingReference":"` + long + `"}`), 400, "booking"},
		{"a long affiliate", "", transaction(`{"AffiliateId":"` + long + `"}`), 400, "channel"},
		{"a long show", "", transaction(`{"Orders":[{"EventId":` + strings.Repeat("9", 101) + `}]}`), 400, "tour"},
		{"too many shows", "", transaction(`{"Orders":[` + strings.Join(shows, ",") + `]}`), 400, "501 tours"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := ltd.Read(platforms.Inbound{ContentType: tt.contentType, Body: []byte(tt.body)})
			wantRejected(t, err, tt.status, tt.problem)
		})
	}
}

func TestNative(t *testing.T) {
	at := time.Date(2026, 11, 21, 10, 0, 0, 145_000_000, time.FixedZone("", 3600))
	for _, tt := range []struct {
		name  string
		event webhook.Event
	}{
		{"transaction", webhook.Event{Type: "TransactionChanged", BookingID: "1", OccurredAt: at, Data: []byte(`{ "BookingReference": "LTD-1", "TotalAmount": 108.10, "Barcode": "00047" }`)}},
		{"etickets-at-a-whole-second", webhook.Event{Type: "ScheduledEticketDelivery", ReceivedAt: at.Truncate(time.Second), Data: []byte(`{"Tickets":[]}`)}},
		{"without-data", webhook.Event{Type: "TransactionChanged", BookingID: `<"é&>`, OccurredAt: at}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := ltd.Native(&webhook.Webhook{Config: webhook.Config{URL: "https://example.com/in"}}, webhook.Account{Number: 4069}, tt.event)
			golden(t, "testdata/native/"+tt.name+".json", got.Body)
			if got.Method != "POST" || got.URL != "https://example.com/in" || got.Only200 || !bytes.Equal(got.Signed, got.Body) ||
				got.Header.Get("Content-Type") != "application/json" {
				t.Errorf("got %+v, want a POST of signed JSON", got)
			}
			read, err := ltd.Read(platforms.Inbound{Body: got.Body})
			if err != nil || read.Event.Type != tt.event.Type || !bytes.Contains(got.Body, tt.event.Data) {
				t.Errorf("it reads as %+v, %v", read, err)
			}
		})
	}
}

// Events of the API have the payload only, and ids beside it.
func TestBooking(t *testing.T) {
	for _, tt := range []struct {
		name  string
		event webhook.Event
		want  string
	}{
		{
			"payload",
			webhook.Event{Type: "TransactionChanged", BookingID: "other", ChannelID: "3930", TourIDs: []string{"12"}, Data: []byte(`{"BookingReference":"1","AffiliateId":"a","TotalAmount":108.10,"Orders":[{"EventId":7,"OrderStatus":"Purchased"},{"EventId":7,"OrderStatus":"Purchased"}]}`)},
			`{"action":"changed","reference":"1","status":"Purchased","channel":{"id":"a"},"tours":[{"id":"7"}],"total":{"amount":108.10}}`,
		},
		{
			"ids beside it",
			webhook.Event{Type: "TransactionChanged", BookingID: "1", ChannelID: "3930", TourIDs: []string{"12", "15"}, Data: []byte(`{}`)},
			`{"action":"changed","reference":"1","channel":{"id":"3930"},"tours":[{"id":"12"},{"id":"15"}]}`,
		},
		{"statuses that differ", webhook.Event{Type: "TransactionChanged", Data: []byte(`{"Orders":[{"OrderStatus":"A"},{"OrderStatus":"B"},{"OrderStatus":"A"}]}`)}, `{"action":"changed"}`},
		{"one status missing", webhook.Event{Type: "TransactionChanged", Data: []byte(`{"Orders":[{"OrderStatus":"A"},{}]}`)}, `{"action":"changed"}`},
		{"total as text", webhook.Event{Type: "TransactionChanged", Data: []byte(`{"TotalAmount":"108","Customer":{"Address":{}},"PurchaseDateTime":null}`)}, `{"action":"changed"}`},
		{"not an object", webhook.Event{Type: "TransactionChanged", BookingID: "1", Data: []byte(`[1]`)}, `{"action":"changed","reference":"1"}`},
		{"no data", webhook.Event{Type: "ScheduledEticketDelivery"}, `{"action":"voucher_released"}`},
		{"unknown", webhook.Event{Type: "nothing", BookingID: "1"}, `null`},
	} {
		if got, err := json.Marshal(ltd.Booking(tt.event)); err != nil || string(got) != tt.want {
			t.Errorf("%s: got %s, %v, want %s", tt.name, got, err, tt.want)
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
		got, err := ltd.Read(platforms.Inbound{ContentType: contentType, Body: bytes.Clone(body)})
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
			if booking, err := json.Marshal(ltd.Booking(e)); err != nil {
				t.Errorf("got %s, %v", booking, err)
			}
			for _, bare := range []bool{true, false} {
				out := ltd.Native(&webhook.Webhook{Config: webhook.Config{OmitPayload: bare}}, webhook.Account{}, e)
				if !json.Valid(out.Body) {
					t.Errorf("got %q, want JSON", out.Body)
				}
			}
		}
	})
}
