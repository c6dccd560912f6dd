package wink_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"bookhook/platforms"
	"bookhook/platforms/all"
	"bookhook/platforms/wink"
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

// The older list had 67 keys, of which 24 are retired; 62 came since.
func TestEvents(t *testing.T) {
	seen := map[string]bool{}
	retired, estonian := 0, 0
	for i, e := range wink.Events() {
		if seen[e.Key] {
			t.Errorf("%s is there twice", e.Key)
		}
		seen[e.Key] = true
		if e.NameET != "" {
			estonian++
		}
		if e.Retired {
			retired++
		}
		if e.Retired && i >= 67 {
			t.Errorf("%s is retired, though it is of the newer list", e.Key)
		}
	}
	if len(seen) != 129 || retired != 24 || estonian != 129 {
		t.Errorf("got %d keys, %d of them retired, %d with an Estonian name", len(seen), retired, estonian)
	}
	for key, present := range map[string]bool{
		"channel-manager.update": true, "channel-manager.update.rate": true, "payee.create": true, "payee.create.failure": true,
		"account.url-name.update": true, "managing_entity.url_name.updated": true, "booking.create": true, "booking.contract.created": true,
		"booking.created": false, "payment.completed": false, "channel-manager": false,
	} {
		if seen[key] != present {
			t.Errorf("%s: got %t, want %t", key, seen[key], present)
		}
	}
}

// The headings of the Estonian catalogue, in its order; what came later has none.
func TestEstonianHeadings(t *testing.T) {
	var groups, subgroups []string
	for _, e := range wink.Events() {
		if e.GroupET != "" && !slices.Contains(groups, e.GroupET) {
			groups = append(groups, e.GroupET)
		}
		if e.SubgroupET != "" && !slices.Contains(subgroups, e.SubgroupET) {
			subgroups = append(subgroups, e.SubgroupET)
		}
	}
	if want := []string{
		"Konto sündmused", "Saaja sündmused", "Broneeringu lepingu sündmused", "Maksete sündmused", "Broneeringu sündmused",
		"Kanalihalduri sündmused", "Pearaamatu sündmused", "Halduse üksuse sündmused",
	}; !slices.Equal(groups, want) {
		t.Errorf("got the groups %q, want %q", groups, want)
	}
	if want := []string{
		"Konto ülesanded", "Konto hankija", "Tellimus", "Staatus ja haldus", "Halduri elutsükkel", "Üksuse info",
	}; !slices.Equal(subgroups, want) {
		t.Errorf("got the subgroups %q, want %q", subgroups, want)
	}
}

// Each key is read as itself and as no other, in each place where we look.
func TestKeys(t *testing.T) {
	for _, e := range wink.Events() {
		for _, member := range []string{"type", "eventType", "event_type", "event", "eventName", "event_name", "name", "key"} {
			got, err := wink.Read(platforms.Inbound{Body: []byte(`{"` + member + `":"` + e.Key + `"}`)})
			if err != nil || got.Event.Type != e.Key || got.Identity != "" || got.Event.BookingID != "" {
				t.Errorf("%s in %s: got %+v, %v", e.Key, member, got, err)
			}
		}
	}
}

func TestReading(t *testing.T) {
	for _, tt := range []struct{ body, key, identity, booking string }{
		{`{"key":"booking.create","type":"booking.cancelled"}`, "booking.cancelled", "", ""},
		{`{"type":"WINK","event":{"type":"booking.create"},"name":"booking.cancelled"}`, "booking.cancelled", "", ""},
		{`{"type":"booking.create","id":"1"}`, "booking.create", "", ""},
		{`{"type":"booking.create","event_id":"e-1","booking_id":"b-1"}`, "booking.create", "e-1 booking.create", "b-1"},
		{`{"type":"booking.create","eventId":7,"bookingId":1.0}`, "booking.create", "7 booking.create", "1.0"},
		{`{"type":"booking.create","eventId":"` + strings.Repeat("x", 101) + `"}`, "booking.create", "", ""},
		{`{"type":"booking.create","bookingIdentifier":"","entityIdentifier":"b-2"}`, "booking.create", "", "b-2"},
		{`{"type":"property.created","bookingIdentifier":"b-1","entityIdentifier":"p-1"}`, "property.created", "", ""},
	} {
		got, err := wink.Read(platforms.Inbound{Body: []byte(tt.body)})
		if err != nil || got.Event.Type != tt.key || got.Identity != tt.identity || got.Event.BookingID != tt.booking {
			t.Errorf("%s: got %+v, %v", tt.body, got, err)
		}
	}
}

func TestRejected(t *testing.T) {
	for _, tt := range []struct {
		name, contentType, body string
		status                  int
		problem                 string
	}{
		{"text", "text/plain", "{}", 415, "application/json"},
		{"empty", "", "", 400, "empty"},
		{"no key", "", `{"data":{"type":"booking.create"}}`, 422, "eventType"},
		{"not in the catalogue", "", `{"event":"booking.created"}`, 422, `event is “booking.created”`},
		{"a part of a key", "", `{"type":"channel-manager"}`, 422, `“channel-manager”`},
		{"longer than a key", "", `{"type":"channel-manager.update.rates"}`, 422, "channel-manager.update.rates"},
		{"another case", "", `{"type":"Booking.Create"}`, 422, "Booking.Create"},
		{"a member of another case", "", `{"Type":"booking.create"}`, 422, ""},
		{"a key twice", "", `{"type":"booking.create","type":"booking.cancelled"}`, 400, "twice"},
		{"a long id", "", `{"type":"booking.create","bookingId":"` + strings.Repeat("x", 101) + `"}`, 400, "booking"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := wink.Read(platforms.Inbound{ContentType: tt.contentType, Body: []byte(tt.body)})
			wantRejected(t, err, tt.status, tt.problem)
		})
	}
}

func TestNative(t *testing.T) {
	for _, tt := range []struct {
		name  string
		event webhook.Event
	}{
		{"names-its-event", webhook.Event{Type: "booking.create", BookingID: "b-1", Data: []byte(`{ "event": "booking.create", "total": 1.50 }`)}},
		{"names-another-event", webhook.Event{Type: "booking.create", BookingID: "b-1", Data: []byte(`{ "type": "booking.cancelled" }`)}},
		{"booking", webhook.Event{Type: "booking.cancelled", BookingID: `<"é&>`, Data: []byte(`{ "total": 1.50 }`)}},
		{"property", webhook.Event{Type: "property.created", BookingID: "b-1", Data: []byte(`[1]`)}},
		{"without-data", webhook.Event{Type: "booking.create"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := wink.Native(&webhook.Webhook{Config: webhook.Config{URL: "https://example.com/in"}}, webhook.Account{Number: 4069}, tt.event)
			golden(t, "testdata/native/"+tt.name+".json", got.Body)
			if got.Method != "POST" || got.URL != "https://example.com/in" || got.Only200 || !bytes.Equal(got.Signed, got.Body) ||
				got.Header.Get("Content-Type") != "application/json" {
				t.Errorf("got %+v, want a POST of signed JSON", got)
			}
			read, err := wink.Read(platforms.Inbound{Body: got.Body})
			if err != nil || read.Event.Type != tt.event.Type || !bytes.Contains(got.Body, tt.event.Data) {
				t.Errorf("it reads as %+v, %v", read, err)
			}
		})
	}
}

func TestBooking(t *testing.T) {
	actions := map[string]platforms.Action{
		"booking.create": "made", "booking.contract.created": "made", "booking.cancelled": "cancelled", "booking.contract.cancelled": "cancelled",
		"booking.refund.partial": "refunded", "booking.refund.full": "refunded",
		"booking.contract.refund.partial": "refunded", "booking.contract.refund.full": "refunded",
	}
	for _, kind := range wink.Events() {
		b := wink.Booking(webhook.Event{Type: kind.Key, BookingID: "b-1", ChannelID: "3930", TourIDs: []string{"12"}})
		if want := actions[kind.Key]; want == "" && b != nil || want != "" && (b == nil || b.Action != want || b.Reference != "b-1" || b.Channel.ID != "3930" || b.Tours[0].ID != "12") {
			t.Errorf("%s: got %+v, want %q", kind.Key, b, want)
		}
	}
	named := wink.Booking(webhook.Event{Type: "booking.create", Data: []byte(`{"type":"booking.create","bookingId":"b-2"}`)})
	unnamed := wink.Booking(webhook.Event{Type: "booking.create", Data: []byte(`{"bookingId":"b-2"}`)})
	if named.Reference != "b-2" || unnamed.Reference != "" {
		t.Errorf("got %+v and %+v", named, unnamed)
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
		got, err := wink.Read(platforms.Inbound{ContentType: contentType, Body: bytes.Clone(body)})
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
			if booking, err := json.Marshal(wink.Booking(e)); err != nil {
				t.Errorf("got %s, %v", booking, err)
			}
			for _, bare := range []bool{true, false} {
				out := wink.Native(&webhook.Webhook{Config: webhook.Config{OmitPayload: bare}}, webhook.Account{}, e)
				if !json.Valid(out.Body) {
					t.Errorf("got %q, want JSON", out.Body)
				}
			}
		}
	})
}
