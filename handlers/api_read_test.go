package handlers

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"bookhook/platforms"
	"bookhook/webhook"
)

// reading is an app that reads events and does nothing else.
var reading = &app{Options: Options{Platforms: platforms.All()}}

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
		o, err := parseObject(body)
		if err != nil {
			if p := asProblem(err); p.Status != http.StatusBadRequest || !utf8.ValidString(p.Detail) {
				t.Fatalf("got %+v", p)
			}
			return
		}
		var members map[string]json.RawMessage
		if err := json.Unmarshal(body, &members); err != nil || len(members) != len(o.members) {
			t.Fatalf("%v: got %d members, want %d", err, len(o.members), len(members))
		}
		for name, want := range members {
			if got := o.members[name]; string(got) != string(want) {
				t.Fatalf("%q: got %s, want %s", name, got, want)
			}
		}
		e := reading.readEvent(o)
		if o.end() != nil {
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
			if problem := webhook.CheckRef(id); problem != "" {
				t.Errorf("%q: %s", id, problem)
			}
		}
		if e.Data != nil && !strings.Contains(string(body), string(e.Data)) {
			t.Errorf("data %q is not a part of %q", e.Data, body)
		}
		if text := e.StandardBody(1, nil); !json.Valid(text) {
			t.Errorf("%s is not JSON", text)
		}
	})
}

func BenchmarkReadEvent(b *testing.B) {
	body := []byte(`{"id":"tc-1234-confirmed","platform":"tourcms","type":"new_confirmed_web","channel_id":"3930",` +
		`"tour_ids":["12","15"],"booking_id":"1234","occurred_at":"2026-11-21T09:00:00Z","data":{"any":"json"}}`)
	for b.Loop() {
		o, err := parseObject(body)
		if err != nil {
			b.Fatal(err)
		}
		reading.readEvent(o)
		if err := o.end(); err != nil {
			b.Fatal(err)
		}
	}
}

func TestShowAttempts(t *testing.T) {
	now := time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)
	answered := webhook.Attempt{Number: 2, StartedAt: now, Status: 500, Failure: webhook.FailStatus, RequestHeaders: http.Header{"A": {"1", "2"}}}
	tests := []struct {
		name string
		d    webhook.Delivery
		want string
	}{
		{"the last is on its way", webhook.Delivery{State: webhook.Pending, Attempts: 3, Answered: 2, NextAt: now.Add(time.Minute)}, "cut_off status"},
		{"the last was cut off", webhook.Delivery{State: webhook.Pending, Attempts: 3, Answered: 2, NextAt: now}, "cut_off status cut_off"},
		{"cancelled on its way", webhook.Delivery{State: webhook.Cancelled, Attempts: 3, Answered: 2, NextAt: now.Add(time.Minute)}, "cut_off status"},
		{"finished", webhook.Delivery{State: webhook.Failed, Attempts: 2, Answered: 2}, "cut_off status"},
		{"none yet", webhook.Delivery{State: webhook.Pending}, ""},
	}
	for _, tt := range tests {
		var got []string
		for _, shown := range showAttempts(tt.d, []webhook.Attempt{answered}, now) {
			switch shown := shown.(type) {
			case attemptJSON:
				got = append(got, string(shown.Reason))
				if shown.RequestHeaders["A"] != "1, 2" {
					t.Errorf("got headers %v", shown.RequestHeaders)
				}
			case cutOffJSON:
				got = append(got, string(shown.Reason))
			}
		}
		if strings.Join(got, " ") != tt.want {
			t.Errorf("%s: got %v, want %s", tt.name, got, tt.want)
		}
	}
}

func TestTokenUse(t *testing.T) {
	now := time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)
	u := &tokens{}
	for _, c := range []struct {
		what string
		used time.Time
		now  time.Time
		want bool
	}{
		{"never used", time.Time{}, now, true},
		{"read before that was noted", time.Time{}, now.Add(time.Second), false},
		{"within the hour", now, now.Add(59 * time.Minute), false},
		{"after the hour", now, now.Add(time.Hour), true},
	} {
		if got := u.due(webhook.Token{ID: 1, UsedAt: c.used}, c.now); got != c.want {
			t.Errorf("%s: got %v, want %v", c.what, got, c.want)
		}
	}
}

func TestPosition(t *testing.T) {
	text := []byte("é\r\n{\"🎟\":\n}")
	for at, want := range map[int]string{-1: "line 1, column 1", 0: "line 1, column 1", 2: "line 1, column 2", 4: "line 2, column 1", 10: "line 2, column 4", 99: "line 3, column 2"} {
		if got := position(text, at); got != want {
			t.Errorf("%d: got %s, want %s", at, got, want)
		}
	}
}
