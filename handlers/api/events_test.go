package api

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"bookhook/handlers/web"
	"bookhook/platforms"
	"bookhook/platforms/all"
	"bookhook/webhook"
)

// reading is an API that reads events and does nothing else.
var reading = New(Options{Platforms: all.Platforms()})

// FuzzReadEvent wants that reading never panics, and that what is accepted
// keeps the limits and makes a body that is JSON.
func FuzzReadEvent(f *testing.F) {
	for _, seed := range []string{
		`{"id":"tc-1","platform":"tourcms","type":"cancelled","channel_id":3930,"tour_ids":[12,"15"],"booking_id":"1234","occurred_at":"2026-11-21T09:00:00.5+01:00","data":{"any":["json",null,1e9,"\ud800"]}}`,
		`{"type":"cancelled","data":null}`, `{"type":"cancelled","data":"é🎟<&>\u2028"}`, ` {"type":"cancelled" , "type":5}`,
		`{"type":"cancelled","id":00}`, `{"type":"cancelled","id":1e5}`, `{"type":"cancelled","tour_ids":[[],{},""]}`, `[]`, `null`, `{`, ``, "\xff", `{"":{}}`,
		`{"type":"cancelled","occurred_at":"9999-12-31T23:59:59-23:59"}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		o, err := web.ParseObject(body)
		if err != nil {
			return // package web has a fuzz test of what is refused
		}
		e := reading.readEvent(o)
		if o.End() != nil {
			return
		}
		if p, ok := reading.Platforms.Get(e.Platform); !ok {
			t.Errorf("platform %q", e.Platform)
		} else if _, ok := p.Event(e.Type); !ok {
			t.Errorf("type %q", e.Type)
		}
		if utf8.RuneCountInString(e.ExternalID) > webhook.MaxEventID || len(e.TourIDs) > webhook.MaxTours || len(e.Data) > webhook.MaxData {
			t.Errorf("too long: %+v", e)
		}
		for _, id := range append([]string{e.ChannelID, e.BookingID}, e.TourIDs...) {
			if problem := webhook.CheckRef(id); !problem.IsZero() {
				t.Errorf("%q: %s", id, problem)
			}
		}
		if e.Data != nil && !strings.Contains(string(body), string(e.Data)) {
			t.Errorf("data %q is not a part of %q", e.Data, body)
		}
		if text := platforms.StandardBody(e, 1, nil); !json.Valid(text) {
			t.Errorf("%s is not JSON", text)
		}
	})
}

func BenchmarkReadEvent(b *testing.B) {
	body := []byte(`{"id":"tc-1234-confirmed","platform":"tourcms","type":"new_confirmed_web","channel_id":"3930",` +
		`"tour_ids":["12","15"],"booking_id":"1234","occurred_at":"2026-11-21T09:00:00Z","data":{"any":"json"}}`)
	for b.Loop() {
		o, err := web.ParseObject(body)
		if err != nil {
			b.Fatal(err)
		}
		reading.readEvent(o)
		if err := o.End(); err != nil {
			b.Fatal(err)
		}
	}
}
