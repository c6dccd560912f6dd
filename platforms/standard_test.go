package platforms_test

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"bookhook/platforms"
	"bookhook/webhook"
)

var (
	occurred = time.Date(2026, 11, 21, 10, 0, 0, 120_000_000, time.FixedZone("CET", 3600))
	received = time.Date(2026, 11, 21, 9, 0, 5, 0, time.UTC)
)

// confirmed is an event in which every field is set.
func confirmed() webhook.Event {
	return webhook.Event{
		ID: 1, Account: 2, ExternalID: "tc-1234-confirmed", Platform: "tourcms", Type: "new_confirmed_web",
		ChannelID: "3930", BookingID: "1234", TourIDs: []string{"12", "15"},
		OccurredAt: occurred, ReceivedAt: received, Data: []byte(`{"any":"json"}`),
	}
}

func TestStandardBody(t *testing.T) {
	const full = `{"id":"evt_0000000000002","type":"new_confirmed_web","platform":"tourcms","account_id":"4069",` +
		`"channel_id":"3930","tour_ids":["12","15"],"booking_id":"1234","timestamp":"2026-11-21T09:00:00.12Z","data":`
	tests := []struct {
		name   string
		change func(*webhook.Event)
		want   string
	}{
		{"every field", func(*webhook.Event) {}, full + `{"any":"json"}}`},
		{"no data", func(e *webhook.Event) { e.Data = nil }, full + `null}`},
		{"a number as data", func(e *webhook.Event) { e.Data = []byte("0") }, full + `0}`},
		{
			"a test", func(e *webhook.Event) { e.Test = true },
			strings.Replace(full, `"data":`, `"test":true,"data":`, 1) + `{"any":"json"}}`,
		},
		{
			"as little as there can be",
			func(e *webhook.Event) {
				*e = webhook.Event{ID: 1, Platform: "tourcms", Type: "cancelled", ReceivedAt: received}
			},
			`{"id":"evt_0000000000002","type":"cancelled","platform":"tourcms","account_id":"4069",` +
				`"channel_id":"","tour_ids":[],"booking_id":"","timestamp":"2026-11-21T09:00:05Z","data":null}`,
		},
		{
			"signs that need care",
			func(e *webhook.Event) { e.BookingID, e.TourIDs = `"\`, []string{"🎟", "a,b"} },
			strings.NewReplacer(`"1234"`, `"\"\\"`, `["12","15"]`, `["🎟","a,b"]`).Replace(full) + `{"any":"json"}}`,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e := confirmed()
			tt.change(&e)
			got := platforms.StandardBody(e, 4069, nil)
			if string(got) != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
			if !json.Valid(got) {
				t.Errorf("not valid JSON: %s", got)
			}
		})
	}
}

func TestStandardBodyKeepsDataBytes(t *testing.T) {
	for _, data := range []string{
		"{ \"b\" :\t1,\r\n  \"a\" : [ ] }\n",
		"  \n[]",
		`{"n":12345678901234567890123,"f":1.10,"e":1E400,"z":-0}`,
		`{"a":1,"a":2}`,
		`"<&>\u0041\/ \u2028 ` + "\u2028" + ` 🎟"`,
		`"\ud800"`,
		`true`,
		strings.Repeat("[", 5000) + strings.Repeat("]", 5000),
	} {
		e := confirmed()
		e.Data = []byte(data)
		got := platforms.StandardBody(e, 4069, nil)
		if !bytes.HasSuffix(got, []byte(`"data":`+data+"}")) {
			t.Errorf("got %.400s, want it to end in %.200s as it came", got, data)
		}
		if !json.Valid(got) {
			t.Errorf("not valid JSON: %.400s", got)
		}
		if string(e.Data) != data {
			t.Errorf("the event's data became %.200s, want %.200s", e.Data, data)
		}
	}
}

// FuzzStandardBody: the body is what encoding/json would write.
func FuzzStandardBody(f *testing.F) {
	f.Add(int64(1), int64(4069), "tourcms", "cancelled", "3930", "12", "1234", int64(1795251600000), []byte(`{"any":"json"}`), false)
	f.Add(int64(0), int64(-1), "", "", "", "", "", int64(0), []byte(nil), true)
	f.Add(int64(1)<<62, int64(1)<<62, "\xff", `"`, "\\", "\u2028", "\x00", int64(-1), []byte(" [1e999, \"\\u0000\"]\n"), false)
	f.Add(int64(9), int64(9), "<", ">", "&", "🎟", "a", int64(253402300800000), []byte("0"), true)
	f.Fuzz(func(t *testing.T, id, account int64, platform, eventType, channel, tour, booking string, millis int64, data []byte, test bool) {
		if len(data) > 0 && !json.Valid(data) {
			t.Skip("data is checked before it gets here")
		}
		e := webhook.Event{
			ID: webhook.EventID(id), Platform: platform, Type: eventType, ChannelID: channel, TourIDs: []string{tour},
			BookingID: booking, OccurredAt: time.UnixMilli(millis), Data: data, Test: test,
		}
		var about *platforms.Booking
		if booking != "" {
			about = platforms.NewBooking(platforms.Made, e)
		}
		want := bytes.TrimSuffix(platforms.EncodeJSON(standardBody{
			e.ID.String(), eventType, platform, strconv.FormatInt(account, 10), channel,
			[]string{tour},
			booking, e.At().UTC().Format(time.RFC3339Nano), test, about, 0,
		}), []byte("0}"))
		if len(data) == 0 {
			data = []byte("null")
		}
		want = slices.Concat(want, data, []byte("}"))
		if got := platforms.StandardBody(e, account, about); !bytes.Equal(got, want) {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	})
}

// standardBody is the body of the standard format as encoding/json writes it, but for
// its data.
type standardBody struct {
	ID        string             `json:"id"`
	Type      string             `json:"type"`
	Platform  string             `json:"platform"`
	AccountID string             `json:"account_id"`
	ChannelID string             `json:"channel_id"`
	TourIDs   []string           `json:"tour_ids"`
	BookingID string             `json:"booking_id"`
	Timestamp string             `json:"timestamp"`
	Test      bool               `json:"test,omitempty"`
	Booking   *platforms.Booking `json:"booking,omitempty"`
	Data      int                `json:"data"`
}

func BenchmarkStandardBody(b *testing.B) {
	e := confirmed()
	e.Data = []byte(`{"booking":"` + strings.Repeat("x", 1<<10) + `"}`)
	b.ReportAllocs()
	for b.Loop() {
		if len(platforms.StandardBody(e, 4069, nil)) < len(e.Data) {
			b.Fatal("no data")
		}
	}
}
