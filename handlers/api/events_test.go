package api

import (
	"encoding/json"
	"reflect"
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

// FuzzReadConfig wants that a webhook reads as itself: what the API shows of one that it
// took, sent back, is the same webhook.
func FuzzReadConfig(f *testing.F) {
	for _, seed := range []string{
		`{"name":"a","url":"https://example.com/","type":"async","format":"standard","events":["*"],"channels":{"mode":"all"},"tours":{"mode":"include","ids":["12",15]},"concurrency":8}`,
		`{"name":" é ","url":"https://example.com/?é","format":"native","events":["cancelled","cancelled"],"ordered":true,"rate_limit":{"requests":1e1,"per":"minute"},"payload":false,"basic_auth":"u:p"}`,
		`{"name":"i","url":"https://example.com/","type":"inline","format":"native","events":["cancelled"],"time_limit":5,"channels":{"mode":"include","ids":[1.0]}}`,
		`{"rate_limit":null,"channels":{"mode":"all","ids":["1"]},"events":[],"time_limit":1,"type":"x"}`,
	} {
		f.Add([]byte(seed))
	}
	anything := func(string) bool { return true }
	known := webhook.Known{Event: reading.Platforms.KnownKey, Inline: reading.Platforms.Inline, Channel: anything, Tour: anything, Guard: func(string) webhook.Message { return webhook.Message{} }}
	read := func(body []byte) (*webhook.Webhook, error) {
		o, err := web.ParseObject(body)
		if err != nil {
			return nil, err
		}
		d := webhook.NewDraft(nil)
		readConfig(o, &d)
		if err := o.End(); err != nil {
			return nil, err
		}
		return d.Webhook(known)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		w, err := read(body)
		if err != nil {
			return // TestOpenAPIProperty wants words for it
		}
		shown := map[string]any{}
		if err := json.Unmarshal(platforms.EncodeJSON(showHook(w)), &shown); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"id", "enabled", "has_basic_auth", "created_at", "updated_at", "failing_since", "off_reason"} {
			delete(shown, name) // not for the client to say
		}
		if w.Kind == webhook.Inline {
			delete(shown, "concurrency")
			delete(shown, "ordered")
		}
		again, err := read(platforms.EncodeJSON(shown))
		if err != nil {
			t.Fatalf("%s is shown as %v, and not taken: %v", body, shown, err)
		}
		if again.Basic = w.Basic; !reflect.DeepEqual(again.Config, w.Config) {
			t.Errorf("%s: %+v is read as %+v", body, w.Config, again.Config)
		}
	})
}
