package webhook_test

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"

	"bookhook/webhook"
)

func TestDigestSame(t *testing.T) {
	tests := []struct {
		name   string
		change func(*webhook.Event)
	}{
		{"nothing changed", func(*webhook.Event) {}},
		{"white space in data before", func(e *webhook.Event) { e.Data = []byte("\n{\"any\":\"json\"}") }},
		{"white space in data", func(e *webhook.Event) { e.Data = []byte(" {\r\n\t\"any\" : \"json\" }\n") }},
		{"what Bookhook itself sets", func(e *webhook.Event) { e.ID, e.Account, e.ReceivedAt = 9, 9, received.Add(time.Hour) }},
		{"the same moment elsewhere", func(e *webhook.Event) { e.OccurredAt = e.OccurredAt.UTC() }},
	}
	base := confirmed()
	want := base.Digest()
	for _, tt := range tests {
		e := confirmed()
		tt.change(&e)
		if got := e.Digest(); got != want {
			t.Errorf("%s: got %x, want %x", tt.name, got, want)
		}
	}
}

// TestDigestDiffers compares every pair: no two of these are the same event.
func TestDigestDiffers(t *testing.T) {
	tests := []struct {
		name   string
		change func(*webhook.Event)
	}{
		{"as it is", func(*webhook.Event) {}},
		{"platform", func(e *webhook.Event) { e.Platform = "wink" }},
		{"type", func(e *webhook.Event) { e.Type = "cancelled" }},
		{"channel", func(e *webhook.Event) { e.ChannelID = "3931" }},
		{"no channel", func(e *webhook.Event) { e.ChannelID = "" }},
		{"channel and booking changed places", func(e *webhook.Event) { e.ChannelID, e.BookingID = e.BookingID, e.ChannelID }},
		{"channel and booking in one", func(e *webhook.Event) { e.ChannelID, e.BookingID = "39301234", "" }},
		{"booking holds the channel's end", func(e *webhook.Event) { e.ChannelID, e.BookingID = "393", "01234" }},
		{"booking looks like two parts", func(e *webhook.Event) { e.BookingID, e.TourIDs = "12342:122:15", nil }},
		{"tours changed places", func(e *webhook.Event) { e.TourIDs = []string{"15", "12"} }},
		{"tours in one", func(e *webhook.Event) { e.TourIDs = []string{"1215"} }},
		{"one tour", func(e *webhook.Event) { e.TourIDs = []string{"12"} }},
		{"a tour twice", func(e *webhook.Event) { e.TourIDs = []string{"12", "15", "15"} }},
		{"an empty tour", func(e *webhook.Event) { e.TourIDs = []string{"12", "15", ""} }},
		{"no tours", func(e *webhook.Event) { e.TourIDs = nil }},
		{"a nanosecond later", func(e *webhook.Event) { e.OccurredAt = occurred.Add(1) }},
		{"no time", func(e *webhook.Event) { e.OccurredAt = time.Time{} }},
		{"a tour that looks like the time", func(e *webhook.Event) {
			e.TourIDs, e.OccurredAt = []string{"12", "15", "@1795251600120000000"}, time.Time{}
		}},
		{"a tour that looks like the time in words", func(e *webhook.Event) {
			e.TourIDs, e.OccurredAt = []string{"12", "15", "2026-11-21T09:00:00.12Z"}, time.Time{}
		}},
		{"2⁶⁴ nanoseconds later", func(e *webhook.Event) { // where UnixNano comes round again
			e.OccurredAt = occurred.Add(1 << 62).Add(1 << 62).Add(1 << 62).Add(1 << 62)
		}},
		{"data", func(e *webhook.Event) { e.Data = []byte(`{"any":"jsom"}`) }},
		{"white space after an escaped quote", func(e *webhook.Event) { e.Data = []byte(`{"any":"js\" on"}`) }},
		{"none after an escaped quote", func(e *webhook.Event) { e.Data = []byte(`{"any":"js\"on"}`) }},
		{"white space outside of JSON", func(e *webhook.Event) { e.Data = []byte(`<a b/>`) }},
		{"none outside of JSON", func(e *webhook.Event) { e.Data = []byte(`<ab/>`) }},
		{"white space inside a text", func(e *webhook.Event) { e.Data = []byte(`{"any":"js on"}`) }},
		{"another spelling of a number", func(e *webhook.Event) { e.Data = []byte(`1.0`) }},
		{"a number", func(e *webhook.Event) { e.Data = []byte(`1`) }},
		{"a time in data", func(e *webhook.Event) { e.Data, e.OccurredAt = []byte(`"@1795251600120000000"`), time.Time{} }},
		{"null", func(e *webhook.Event) { e.Data = []byte(`null`) }},
		{"no data", func(e *webhook.Event) { e.Data = nil }},
		{"data that is not JSON", func(e *webhook.Event) { e.Data = []byte(`{"a":1`) }},
		{"other data that is not JSON", func(e *webhook.Event) { e.Data = []byte(`{"a":2`) }},
	}
	seen := map[any]string{}
	for _, tt := range tests {
		e := confirmed()
		tt.change(&e)
		digest := e.Digest()
		if other, ok := seen[digest]; ok {
			t.Errorf("%q has the digest of %q, want another", tt.name, other)
		}
		seen[digest] = tt.name
	}
}

// FuzzDigest: data that differ in white space alone have one digest.
func FuzzDigest(f *testing.F) {
	for _, seed := range []string{
		`{"a": "b c", "d" : [1, 2 ,{ } ]}`, "[\n\t\"\\\\\" , \"\\\"  \"\r\n]", `{ "x" : "\\\" " }`, `"no list "`, `{"broken`, `[ "é 🎟" ]`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var want bytes.Buffer
		if json.Compact(&want, data) != nil {
			webhook.Event{Data: data}.Digest() // whatever it is, it ends
			return
		}
		if got := (webhook.Event{Data: data}).Digest(); got != (webhook.Event{Data: want.Bytes()}).Digest() {
			t.Errorf("%q and %q have two digests", data, want.Bytes())
		}
	})
}
