package harbour_test

import (
	"bytes"
	"errors"
	"os"
	"reflect"
	"testing"
	"time"

	"bookhook/platforms"
	"bookhook/platforms/harbour"
	"bookhook/webhook"
)

func golden(t testing.TB, name string) []byte {
	t.Helper()
	text, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// booked is the notification in testdata as it is stored.
func booked(t testing.TB) webhook.Event {
	t.Helper()
	r, err := harbour.Read(platforms.Inbound{Method: "POST", Body: golden(t, "booked.json")})
	if err != nil {
		t.Fatal(err)
	}
	r.Event.Platform, r.Event.Inbound = "harbour", true
	return r.Event
}

func TestRead(t *testing.T) {
	body := golden(t, "booked.json")
	r, err := harbour.Read(platforms.Inbound{Method: "POST", ContentType: "application/json", Body: body})
	want := platforms.Reading{Identity: "n-1", Event: webhook.Event{
		Type: "berth.booked", ChannelID: "3930", BookingID: "B-17", TourIDs: []string{"12"},
		OccurredAt: time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC), Data: body,
	}}
	if err != nil || !reflect.DeepEqual(r, want) {
		t.Errorf("got %+v, %v, want %+v", r, err, want)
	}
}

func TestRejected(t *testing.T) {
	set := webhook.Settings{"key": "secret"}
	for _, tt := range []struct {
		in     platforms.Inbound
		status int
	}{
		{platforms.Inbound{Body: []byte(`{"event":"berth.painted"}`)}, 422},
		{platforms.Inbound{Body: []byte(`{}`)}, 422},
		{platforms.Inbound{Body: []byte(`[]`)}, 400},
		{platforms.Inbound{Body: []byte(`{"event":"berth.booked","booking":{"ref":"1","ref":"2"}}`)}, 400},
		{platforms.Inbound{Body: []byte(`{"event":"pier.closed"}`), ContentType: "text/plain"}, 415},
		{platforms.Inbound{Body: []byte(`{"event":"pier.closed"}`), Settings: set}, 401},
		{platforms.Inbound{Body: []byte(`{"event":"pier.closed"}`), Settings: set, Authorization: "Harbour other"}, 401},
		{platforms.Inbound{Body: []byte(`{"event":"pier.closed"}`), Settings: set, Authorization: "Harbour secret"}, 0},
	} {
		_, err := harbour.Read(tt.in)
		if why, _ := errors.AsType[platforms.Rejected](err); why.Status != tt.status {
			t.Errorf("%s: got %v, want %d", tt.in.Body, err, tt.status)
		}
	}
}

func TestNative(t *testing.T) {
	hook := &webhook.Webhook{Config: webhook.Config{URL: "https://example.com/in?a=1"}}
	got := harbour.Native(hook, webhook.Account{}, booked(t))
	if got.Method != "POST" || got.URL != hook.URL || !bytes.Equal(got.Body, golden(t, "booked.json")) {
		t.Errorf("got %s %s %s, want what came, byte for byte", got.Method, got.URL, got.Body)
	}
	sent := webhook.Event{Type: "berth.booked", BookingID: "B-17", OccurredAt: time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)}
	want := `{"id":"` + sent.ID.String() + `","event":"berth.booked","at":"2026-11-21T09:00:00Z","booking":{"ref":"B-17"}}`
	if got := harbour.Native(hook, webhook.Account{}, sent); string(got.Body) != want {
		t.Errorf("got %s, want %s", got.Body, want)
	}
}

func TestStandard(t *testing.T) {
	e := booked(t)
	want := bytes.TrimSpace(golden(t, "booked.standard.json"))
	want = bytes.Replace(want, []byte("evt_X"), []byte(e.ID.String()), 1)
	want = bytes.Replace(want, []byte("DATA"), e.Data, 1)
	if got := platforms.StandardBody(e, 4069, harbour.Booking(e)); !bytes.Equal(got, want) {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	e.Type = "pier.closed"
	if got := harbour.Booking(e); got != nil {
		t.Errorf("got %+v of a pier, want nothing", got)
	}
}

// A sample is read as what it is a sample of.
func TestSample(t *testing.T) {
	for _, kind := range harbour.Events() {
		e := harbour.Sample(kind.Key, "B-17", time.Now())
		r, err := harbour.Read(platforms.Inbound{Method: "POST", Body: e.Data})
		if err != nil || r.Event.Type != kind.Key || !r.Event.OccurredAt.Equal(e.OccurredAt) {
			t.Errorf("%s: got %+v, %v", kind.Key, r, err)
		}
	}
}

// Whatever comes: it is refused with words, or leaves as it came.
func FuzzRead(f *testing.F) {
	f.Add(golden(f, "booked.json"))
	f.Add([]byte(`{"event":"pier.closed","booking":{"boats":[{},1],"price":1e9}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		r, err := harbour.Read(platforms.Inbound{Method: "POST", Body: body})
		if why, ok := errors.AsType[platforms.Rejected](err); err != nil && (!ok || why.Status < 400 || why.Why.IsZero()) {
			t.Fatalf("got %v, want a Rejected with words", err)
		}
		if err != nil {
			return
		}
		r.Event.Inbound = true
		harbour.Booking(r.Event)
		if got := harbour.Native(&webhook.Webhook{}, webhook.Account{}, r.Event); !bytes.Equal(got.Body, body) {
			t.Errorf("got %q, want %q", got.Body, body)
		}
	})
}
