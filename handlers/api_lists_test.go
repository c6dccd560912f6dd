package handlers_test

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"bookhook/webhook"
)

// ids walks a list to its end and returns the ids in their order.
func (a *apiSite) ids(t testing.TB, path string, limit int) (ids []string) {
	t.Helper()
	cursor, joint, pages := "", "?", 0
	if strings.Contains(path, "?") {
		joint = "&"
	}
	for {
		page := a.call(t, 200, "GET", fmt.Sprintf("%s%slimit=%d&cursor=%s", path, joint, limit, url.QueryEscape(cursor)), "")
		for _, item := range page["items"].([]any) {
			ids = append(ids, item.(map[string]any)["id"].(string))
		}
		if cursor = page["next_cursor"].(string); cursor == "" {
			return ids
		}
		if pages++; pages > 1000 {
			t.Fatal("the list has no end")
		}
	}
}

func TestPaging(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	for n := range 5 {
		a.hook(t, fmt.Sprint("Hook ", n), `,"enabled":false`)
	}
	var items []string
	for n := range 7 {
		items = append(items, fmt.Sprintf(`{"id":"%d/🎟&+","name":"Tour %d"}`, n, 9-n))
	}
	a.call(t, 200, "PUT", "/api/v1/tours", `{"items":[`+strings.Join(items, ",")+`]}`)
	hook := a.hook(t, "On", "")
	for n := range 6 {
		a.call(t, 202, "POST", "/api/v1/events", fmt.Sprintf(`{"type":"cancelled","booking_id":%d}`, n))
	}
	a.finish(t, 6)
	for path, want := range map[string]int{"/api/v1/webhooks": 6, "/api/v1/tours": 7, "/api/v1/channels": 0, "/api/v1/events": 6, "/api/v1/deliveries": 6} {
		all := a.ids(t, path, 200)
		if len(all) != want {
			t.Errorf("%s: got %d, want %d", path, len(all), want)
		}
		for limit := 1; limit <= 7; limit++ {
			if got := a.ids(t, path, limit); !slices.Equal(got, all) {
				t.Errorf("%s by %d: got %v, want %v", path, limit, got, all)
			}
		}
		newestFirst := path == "/api/v1/events" || path == "/api/v1/deliveries"
		if sorted := slices.IsSorted(all); len(all) > 1 && sorted == newestFirst {
			t.Errorf("%s: wrong order %v", path, all)
		}
	}
	if got := a.call(t, 200, "GET", "/api/v1/deliveries?state=delivered&booking_id=3&type=cancelled&webhook_id="+hook, "")["items"].([]any); len(got) != 1 {
		t.Errorf("got %v, want one", got)
	}
	if got := a.call(t, 200, "GET", "/api/v1/deliveries?state=failed&limit=&until=", "")["items"].([]any); len(got) != 0 {
		t.Errorf("got %v, want none", got)
	}
	if got := a.call(t, 200, "GET", "/api/v1/events?until=2025-06-01T00:00:00Z", "")["items"].([]any); len(got) != 0 {
		t.Errorf("got %v, want none", got)
	}
}

func TestRefusedQueries(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	tests := []struct{ query, field, message string }{
		{"deliveries?limit=0", "limit", "1 to 200"},
		{"deliveries?limit=201", "limit", "1 to 200"},
		{"tours?limit=ten", "limit", "1 to 200"},
		{"deliveries?cursor=evt_0000000000000", "cursor", "next_cursor"},
		{"webhooks?cursor=nonsense", "cursor", "next_cursor"},
		{"deliveries?state=done", "state", "pending, delivered, failed, cancelled"},
		{"deliveries?webhook_id=12", "webhook_id", "whk_"},
		{"deliveries?event_id=whk_0000000000000", "event_id", "evt_"},
		{"deliveries?event_id=evt_0000000000000", "event_id", "evt_"}, // zero is not “any”
		{"deliveries?webhook_id=whk_0000000000000", "webhook_id", "whk_"},
		{"deliveries?cursor=dlv_0000000000000", "cursor", "next_cursor"},
		{"deliveries?booking_id=" + strings.Repeat("x", 101), "booking_id", "100"},
		{"deliveries?booking_id=%ff", "booking_id", "UTF-8"},
		{"events?type=canceled", "type", "“canceled”"},
		{"events?since=yesterday", "since", "RFC 3339"},
		{"events?until=2026-11-21T09:00:00+01:00", "until", "%2B"},
		{"events?state=failed", "state", "Known: booking_id, type, channel_id, tour_id, sent, since, until, limit, cursor"},
		{"events?sent=no", "sent", "true, false"},
		{"events.csv?limit=5", "limit", "Known: booking_id, type, channel_id, tour_id, sent, since, until"},
		{"deliveries.csv?cursor=", "cursor", "no such parameter"},
		{"deliveries?State=failed", "State", "no such parameter"},
		{"deliveries?state=failed&state=pending", "state", "once"},
		{"channels?offset=5", "offset", "Known: limit, cursor"},
	}
	for _, tt := range tests {
		got := a.call(t, 422, "GET", "/api/v1/"+tt.query, "")
		if said, _ := problems(got)[tt.field].(string); !strings.Contains(said, tt.message) {
			t.Errorf("%s: got %v, want %s to say %q", tt.query, got, tt.field, tt.message)
		}
	}
}

func TestPutItems(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	tests := []struct{ name, body, field, message string }{
		{"no list", `{}`, "items", "Send the list"},
		{"null", `{"items":null}`, "items", "Send the list"},
		{"no name", `{"items":[{"id":"1","name":"A"},{"id":"2"}]}`, "items[1].name", "Enter a name."},
		{"no id", `{"items":[{"name":"A"}]}`, "items[0].id", "Enter the id"},
		{"a space in the id", `{"items":[{"id":"1 2","name":"A"}]}`, "items[0].id", "no spaces"},
		{"a fraction", `{"items":[{"id":1.5,"name":"A"}]}`, "items[0].id", "whole number"},
		{"an id twice", `{"items":[{"id":1,"name":"A"},{"id":"1","name":"B"}]}`, "items[1].id", "twice"},
		{"an unknown field", `{"items":[{"id":1,"name":"A","colour":"red"}]}`, "items[0].colour", "no field"},
		{"10,001", `{"items":[1` + strings.Repeat(",1", 10_000) + `]}`, "items", "at most 10000 channels; these are 10001"},
	}
	for _, tt := range tests {
		got := a.call(t, 422, "PUT", "/api/v1/channels", tt.body)
		if said, _ := problems(got)[tt.field].(string); !strings.Contains(said, tt.message) {
			t.Errorf("%s: got %v, want %s to say %q", tt.name, got, tt.field, tt.message)
		}
	}
	var many []string
	for n := range 9_999 {
		many = append(many, fmt.Sprintf(`{"id":%d,"name":"Café ☕ %d"}`, n, n))
	}
	got := a.call(t, 200, "PUT", "/api/v1/channels/", `{"items":[`+strings.Join(many, ",")+`]}`)
	if got["added"] != 9_999.0 || got["changed"] != 0.0 {
		t.Errorf("got %v, want 9,999 added", got)
	}
	got = a.call(t, 200, "PUT", "/api/v1/channels", `{"items":[{"id":"7","name":"Seven"},{"id":"new","name":"New"}]}`)
	if got["added"] != 1.0 || got["changed"] != 1.0 {
		t.Errorf("got %v, want one each", got)
	}
	if tours := a.ids(t, "/api/v1/tours", 50); len(tours) != 0 {
		t.Errorf("channels are among the tours: %v", tours)
	}
}

// A search that stopped has a next page although it found too little.
func TestSearchStops(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.hook(t, "On", "")
	a.call(t, 202, "POST", "/api/v1/events", `{"type":"cancelled","booking_id":"1"}`)
	a.finish(t, 1)
	for range 3 { // stored without the dispatcher, so that they wait
		events := slices.Repeat([]webhook.Event{{Platform: webhook.DefaultPlatform}}, webhook.MaxBatch)
		if _, err := insert(t.Context(), a.store, a.account.ID, events); err != nil {
			t.Fatal(err)
		}
	}
	page := a.call(t, 200, "GET", "/api/v1/deliveries?state=delivered", "")
	if items := page["items"].([]any); len(items) != 0 || page["next_cursor"] == "" {
		t.Errorf("got %v, want an empty page and where to go on", page)
	}
	if got := a.ids(t, "/api/v1/deliveries?state=delivered", 5); len(got) != 1 {
		t.Errorf("got %v, want the one that was delivered", got)
	}
}
