package platforms_test

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"bookhook/platforms"
	"bookhook/platforms/all"
	"bookhook/webhook"
)

// said is what a golden file holds of what was read.
type said struct {
	Type       string             `json:"type"`
	Identity   string             `json:"identity,omitempty"`
	ChannelID  string             `json:"channel_id,omitempty"`
	BookingID  string             `json:"booking_id,omitempty"`
	TourIDs    []string           `json:"tour_ids,omitempty"`
	OccurredAt time.Time          `json:"occurred_at,omitzero"`
	Booking    *platforms.Booking `json:"booking,omitempty"`
}

// sendJSON are the platforms that send JSON, by their folders.
var sendJSON = []string{"prioticket", "ltd", "wink"}

// Each body of a platform's testdata/read is read as the file of the same name in
// testdata/said has it, and leaves again byte for byte.
func TestRead(t *testing.T) {
	for _, key := range sendJSON {
		p, _ := all.Platforms().Get(key)
		names, err := filepath.Glob(key + "/testdata/read/*.json")
		if err != nil || len(names) == 0 {
			t.Fatalf("%s: got %v, %v, want golden files", key, names, err)
		}
		for _, name := range names {
			t.Run(key+"/"+filepath.Base(name), func(t *testing.T) {
				text, err := json.MarshalIndent(readAndSend(t, p, []byte(read(t, name))), "", "  ")
				want := read(t, filepath.Join(key, "testdata/said", filepath.Base(name)))
				if err != nil || string(text)+"\n" != want {
					t.Errorf("%v\ngot  %s\nwant %s", err, text, want)
				}
			})
		}
	}
}

// readAndSend reads a body, and checks that it leaves as it came.
func readAndSend(t *testing.T, p platforms.Platform, body []byte) said {
	t.Helper()
	in := platforms.Inbound{Method: "POST", ContentType: "application/json; charset=utf-8", Body: bytes.Clone(body)}
	got, err := p.Read(in)
	if err != nil {
		t.Fatal(err)
	}
	clear(in.Body) // a server uses its buffer again
	e := got.Event
	e.Platform, e.Inbound = p.Key, true
	if !bytes.Equal(e.Data, body) || e.Wire != nil || got.Within != 0 {
		t.Errorf("got data %s, wire %s, within %v", e.Data, e.Wire, got.Within)
	}
	out := p.Native(&webhook.Webhook{Config: webhook.Config{URL: "https://example.com/in"}}, webhook.Account{Number: 4069}, e)
	if !bytes.Equal(out.Body, body) || out.Method != "POST" || out.URL != "https://example.com/in" {
		t.Errorf("got %s %s %s, want what came in", out.Method, out.URL, out.Body)
	}
	return said{e.Type, got.Identity, e.ChannelID, e.BookingID, e.TourIDs, e.OccurredAt, p.Booking(e)}
}

// A sample of each event is what the platform could send: it reads as itself.
func TestSample(t *testing.T) {
	now := time.Date(2026, 11, 21, 9, 0, 0, 123456789, time.FixedZone("", 3600))
	for _, key := range sendJSON {
		p, _ := all.Platforms().Get(key)
		for _, kind := range p.Events {
			e := p.Sample(kind.Key, `TEST-1 "<é>"`, now)
			read, err := p.Read(platforms.Inbound{ContentType: "application/json", Body: e.Data})
			if err != nil {
				t.Errorf("%s: %v", kind.Key, err)
				continue
			}
			if e.Platform != key || e.Type != kind.Key || !e.Inbound || read.Event.Type != kind.Key ||
				e.BookingID != read.Event.BookingID || !slices.Equal(e.TourIDs, read.Event.TourIDs) {
				t.Errorf("%s: got %+v, which reads as %+v", kind.Key, e, read.Event)
			}
			if e.OccurredAt.Sub(now).Abs() > time.Second {
				t.Errorf("%s: got %v, want it at %v", kind.Key, e.OccurredAt, now)
			}
			if !strings.Contains(string(e.Data), `TEST-1 \"<é>\"`) {
				t.Errorf("%s: got %s, want the id in it", kind.Key, e.Data)
			}
		}
		if e := p.Sample("nothing", "TEST-1", now); e.Platform != key || e.Type != "nothing" || !json.Valid(e.Data) {
			t.Errorf("got %+v", e)
		}
	}
}
