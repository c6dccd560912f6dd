package handlers_test

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"bookhook/webhook"
)

// TestRefusedEvents sends what cannot be an event; each answer names what is
// wrong, and nothing is stored.
func TestRefusedEvents(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	long := strings.Repeat("x", 201)
	tests := []struct {
		name, body string
		status     int
		field      string // that the problem names, or the detail has
		message    string
	}{
		{"empty", " ", 400, "", "empty"},
		{"not JSON", "type=cancelled", 400, "", "line 1, column 2"},
		{"not JSON further down", "{\n  \"type\": \"é\", }", 400, "", "line 2, column 16"},
		{"cut off", `{"type":"cancelled"`, 400, "", "unexpected end"},
		{"something behind", `{"type":"cancelled"} x`, 400, "", "column 22"},
		{"two objects", `{"type":"cancelled"}{}`, 400, "", "column 21"},
		{"a list", `[]`, 400, "", "object"},
		{"a text", `"cancelled"`, 400, "", "object"},
		{"null", `null`, 400, "", "object"},
		{"invalid UTF-8", "{\"type\":\"\xff\"}", 400, "", "UTF-8 at line 1, column 10"},
		{"too deep", `{"type":"cancelled","data":` + strings.Repeat("[", 5000) + strings.Repeat("]", 5000) + `}`, 400, "", "100 deep"},
		{"brackets without end", strings.Repeat("[", 1<<20), 400, "", "100 deep"},
		{"no type", `{}`, 422, "type", "new_confirmed_web"},
		{"type null", `{"type":null}`, 422, "type", "Say what happened"},
		{"type a number", `{"type":5}`, 422, "type", "text in quotes"},
		{"unknown type", `{"type":"canceled"}`, 422, "type", "“canceled”. Known: new_confirmed_staff"},
		{"unknown type, emoji", `{"type":"🎟"}`, 422, "type", "🎟"},
		{"Bookhook's own", `{"type":"webhook.failing","platform":"bookhook"}`, 422, "platform", "Known: tourcms, prioticket, ltd, wink"},
		{"unknown platform", `{"type":"cancelled","platform":"bokun"}`, 422, "platform", "Known: tourcms, prioticket, ltd, wink"},
		{"unknown field", `{"type":"cancelled","booking":"1"}`, 422, "booking", "no field of this name"},
		{"other case", `{"Type":"cancelled"}`, 422, "Type", "no field of this name"},
		{"field twice", `{"type":"cancelled","type":"cancelled"}`, 422, "type", "twice"},
		{"id a fraction", `{"type":"cancelled","id":1.5}`, 422, "id", "whole number"},
		{"id of 101 digits", `{"type":"cancelled","booking_id":1e100}`, 422, "booking_id", "at most 100"},
		{"half of a character", `{"type":"cancelled","booking_id":"\ud83d"}`, 422, "booking_id", "half of a character"},
		{"id negative", `{"type":"cancelled","channel_id":-1}`, 422, "channel_id", "whole number"},
		{"id an object", `{"type":"cancelled","booking_id":{}}`, 422, "booking_id", "an id"},
		{"id too long", `{"type":"cancelled","id":"` + long + `"}`, 422, "id", "at most 200"},
		{"booking too long", `{"type":"cancelled","booking_id":"` + long + `"}`, 422, "booking_id", "at most 100"},
		{"booking with a control character", `{"type":"cancelled","booking_id":"a\u0000b"}`, 422, "booking_id", "control characters"},
		{"tours a text", `{"type":"cancelled","tour_ids":"12"}`, 422, "tour_ids", "a list"},
		{"an empty tour", `{"type":"cancelled","tour_ids":["12",""]}`, 422, "tour_ids[1]", "empty"},
		{"a tour null", `{"type":"cancelled","tour_ids":[null]}`, 422, "tour_ids[0]", "an id"},
		{"a tour true", `{"type":"cancelled","tour_ids":[1,2,true]}`, 422, "tour_ids[2]", "an id"},
		{"501 tours", `{"type":"cancelled","tour_ids":[1` + strings.Repeat(",1", 500) + `]}`, 422, "tour_ids", "at most 500 tours; these are 501"},
		{"a day", `{"type":"cancelled","occurred_at":"2026-11-21"}`, 422, "occurred_at", "RFC 3339"},
		{"no such day", `{"type":"cancelled","occurred_at":"2026-02-30T09:00:00Z"}`, 422, "occurred_at", "RFC 3339"},
		{"unix time", `{"type":"cancelled","occurred_at":1700000000}`, 422, "occurred_at", "text in quotes"},
		{"no time", `{"type":"cancelled","occurred_at":""}`, 422, "occurred_at", "RFC 3339"},
		{"year 9000", `{"type":"cancelled","occurred_at":"9000-01-01T00:00:00Z"}`, 422, "occurred_at", "before the year 9000"},
		{"long ago", `{"type":"cancelled","occurred_at":"0001-01-01T00:00:00Z"}`, 422, "occurred_at", "after 1970"},
		{"too much data", `{"type":"cancelled","data":"` + strings.Repeat("x", 1<<20) + `"}`, 422, "data", "1024 KiB"},
		{"a long name of a field", `{"type":"cancelled","` + strings.Repeat("é", 1000) + `":1}`, 422, strings.Repeat("é", 60) + "…", "no field"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := a.call(t, tt.status, "POST", "/api/v1/events", tt.body)
			said, _ := got["detail"].(string)
			if tt.field != "" {
				said, _ = problems(got)[tt.field].(string)
			}
			if !strings.Contains(said, tt.message) {
				t.Errorf("got %v, want %q to say %q", got, tt.field, tt.message)
			}
		})
	}
	if listed := a.call(t, 200, "GET", "/api/v1/events", "")["items"].([]any); len(listed) != 0 {
		t.Errorf("%d of them were stored", len(listed))
	}
}

func TestAllProblemsTogether(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	got := a.call(t, 422, "POST", "/api/v1/events", `{"typ":"cancelled","booking_id":1.5,"occurred_at":"now"}`)
	for _, field := range []string{"typ", "type", "booking_id", "occurred_at"} {
		if problems(got)[field] == nil {
			t.Errorf("%s is not named in %v", field, got)
		}
	}
}

func TestRefusedBatches(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	one := `{"type":"cancelled"}`
	tests := []struct{ name, body, field, message string }{
		{"none", `{"events":[]}`, "events", "at least one"},
		{"no list", `{"type":"cancelled"}`, "type", "no field"},
		{"501", `{"events":[` + one + strings.Repeat(","+one, 500) + `]}`, "events", "at most 500 events; these are 501"},
		{"one wrong", `{"events":[` + one + `,{"type":"cancelled","tour_ids":[1,2.5]}]}`, "events[1].tour_ids[1]", "whole number"},
		{"one no object", `{"events":[` + one + `,7]}`, "events[1]", "Must be an object"},
		{"one with an unknown field", `{"events":[` + one + `,{"type":"cancelled","x":1}]}`, "events[1].x", "no field"},
	}
	for _, tt := range tests {
		got := a.call(t, 422, "POST", "/api/v1/events/batch", tt.body)
		if said, _ := problems(got)[tt.field].(string); !strings.Contains(said, tt.message) {
			t.Errorf("%s: got %v, want %s to say %q", tt.name, got, tt.field, tt.message)
		}
	}
	many := a.call(t, 422, "POST", "/api/v1/events/batch", `{"events":[7`+strings.Repeat(",7", 499)+`]}`)
	if n := len(problems(many)); n < 100 || n > 101 {
		t.Errorf("500 wrong events: %d problems are named, want about 100", n)
	}
	a.call(t, 422, "POST", "/api/v1/events/batch", `{"events":[`+one+`]}`, header("Idempotency-Key", "k"))
	if listed := a.call(t, 200, "GET", "/api/v1/events", "")["items"].([]any); len(listed) != 0 {
		t.Errorf("%d events were stored", len(listed))
	}
}

func TestMediaTypes(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	body := `{"type":"cancelled"}`
	for kind, want := range map[string]int{
		"application/json": 202, "Application/JSON; charset=utf-8": 202,
		"": 415, "text/json": 415, "application/x-www-form-urlencoded": 415, "application/json;;": 415,
	} {
		response, text := a.live(t, a.app, a.request("POST", "/api/v1/events", body, header("Content-Type", kind)))
		if response.StatusCode != want {
			t.Errorf("%q: got %d %s, want %d", kind, response.StatusCode, text, want)
		}
	}
	a.call(t, 415, "POST", "/api/v1/events", body, header("Content-Encoding", "gzip"))
}

func TestIdempotency(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.hook(t, "All", "")
	key := header("Idempotency-Key", "key-1 🎟")
	first := a.raw(t, 202, a.request("POST", "/api/v1/events", `{"type":"cancelled"}`, key))
	for _, r := range []*http.Request{
		a.request("POST", "/api/v1/events", `{ "type" : "cancelled" }`, key),
		a.request("POST", "/api/v1/events", `{"type":"cancelled","id":"key-1 🎟"}`),
		a.request("POST", "/api/v1/events", `{"type":"cancelled","id":"key-1 🎟"}`, key),
	} {
		if again := a.raw(t, 200, r); !bytes.Equal(again, first) {
			t.Errorf("got %s, want %s", again, first)
		}
	}
	a.call(t, 409, "POST", "/api/v1/events", `{"type":"cancelled","booking_id":"1"}`, key)
	a.call(t, 202, "POST", "/api/v1/events", `{"type":"cancelled"}`, key, as(a.other))
	a.call(t, 422, "POST", "/api/v1/events", `{"type":"cancelled"}`, header("Idempotency-Key", strings.Repeat("x", 201)))
	a.call(t, 422, "POST", "/api/v1/events", `{"type":"cancelled","id":"another"}`, key) // two ids

	batch := a.call(t, 202, "POST", "/api/v1/events/batch",
		`{"events":[{"id":"twin","type":"cancelled"},{"id":"twin","type":"cancelled"},{"id":"key-1 🎟","type":"cancelled"}]}`)
	got := ""
	for _, item := range batch["items"].([]any) {
		got += item.(map[string]any)["status"].(string) + " "
	}
	if got != "accepted duplicate duplicate " {
		t.Errorf("got %s", got)
	}
	a.call(t, 409, "POST", "/api/v1/events/batch", `{"events":[{"id":"a","type":"cancelled"},{"id":"a","type":"token_success"}]}`)
	if n := len(a.call(t, 200, "GET", "/api/v1/events", "")["items"].([]any)); n != 2 {
		t.Errorf("%d events are stored, want 2", n)
	}
	a.finish(t, 2)
}

// TestEventKept wants numbers with all their digits and data to the byte.
func TestEventKept(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	data := "{ \"b\":1.0, \"a\" : [1e300, \"\\u00e9é<&>🎟\"],\n\t\"n\":12345678901234567890.10 }"
	made := a.call(t, 202, "POST", "/api/v1/events",
		`{"type":"cancelled","id":123456789012345678901234567890,"channel_id":"","booking_id":9007199254740993,"tour_ids":[1,"é 🎟"],"occurred_at":"2026-11-21T10:00:00.5+01:00","data":`+data+`}`)
	text := string(a.raw(t, 200, a.request("GET", "/api/v1/events/"+made["id"].(string), "")))
	for _, want := range []string{
		`"data":` + data + `}`, `"external_id":"123456789012345678901234567890"`, `"booking_id":"9007199254740993"`, `"tour_ids":["1","é 🎟"]`,
		`"channel_id":""`, `"occurred_at":"2026-11-21T09:00:00.5Z"`, `"test":false`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%s is not in %s", want, text)
		}
	}
	for body, want := range map[string]string{`{"type":"cancelled"}`: `"data":null}`, `{"type":"cancelled","data":null}`: `"data":null}`, `{"type":"cancelled","data":0}`: `"data":0}`} {
		made := a.call(t, 202, "POST", "/api/v1/events", body)
		if text := a.raw(t, 200, a.request("GET", "/api/v1/events/"+made["id"].(string), "")); !bytes.HasSuffix(text, []byte(want)) {
			t.Errorf("%s: got %s, want %s", body, text, want)
		}
	}
}

// TestSkipReasons wants every webhook that is not told in the answer.
func TestSkipReasons(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.call(t, 200, "PUT", "/api/v1/tours", `{"items":[{"id":"15","name":"Night walk"}]}`)
	a.hook(t, "Off", `,"enabled":false`)
	a.hook(t, "Excluding", `,"tours":{"mode":"exclude","ids":["15"]}`)
	a.hook(t, "Including", `,"tours":{"mode":"include","ids":["15"]}`)
	got := a.call(t, 202, "POST", "/api/v1/events", `{"type":"cancelled","tour_ids":[15]}`)
	reasons := []string{}
	for _, s := range got["skipped"].([]any) {
		reasons = append(reasons, s.(map[string]any)["reason"].(string))
	}
	if want := []string{string(webhook.ReasonDisabled), string(webhook.ReasonTourExcluded)}; fmt.Sprint(reasons) != fmt.Sprint(want) || len(got["deliveries"].([]any)) != 1 {
		t.Errorf("got %v, want %v skipped and one told", got, want)
	}
	a.finish(t, 1)
}
