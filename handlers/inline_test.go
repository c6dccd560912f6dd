package handlers_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"bookhook/webhook"
)

const gate = `"name":"Gate","type":"inline","events":["new_temporary_web","temporary_booking_deleted"]`

// ask sends a question and returns what it was answered.
func (a *apiSite) ask(t testing.TB, body string) map[string]any {
	t.Helper()
	return a.call(t, http.StatusOK, "POST", "/api/v1/inline", body)
}

func TestAPIAsk(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	requests := make(chan string, 10)
	answers := map[string]func(http.ResponseWriter){
		"yes": func(w http.ResponseWriter) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, `{"text":"held & <kept>","tickets":[{"value":"00123","n":1.50}]}`)
		},
		"no":   func(w http.ResponseWriter) { http.Error(w, "sold out", http.StatusConflict) },
		"page": func(w http.ResponseWriter) { _, _ = io.WriteString(w, "<p>Welcome") },
	}
	a.answer = func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		requests <- r.Method + " " + r.URL.RawQuery + " " + string(body)
		answers[r.URL.Query().Get("booking_id")](w)
	}
	a.call(t, 200, "PUT", "/api/v1/channels", `{"items":[{"id":"3930","name":"Website"},{"id":"7","name":"Viator"}]}`)
	asked := a.call(t, 201, "POST", "/api/v1/webhooks", `{`+gate+`,"url":"`+a.receiver.URL+`/ask","channels":{"mode":"include","ids":["3930"]}}`)
	other := a.call(t, 201, "POST", "/api/v1/webhooks", `{`+gate+`,"url":"`+a.receiver.URL+`/other","channels":{"mode":"include","ids":["7"]},"time_limit":3}`)
	if asked["time_limit"] != 10.0 || other["time_limit"] != 3.0 || asked["format"] != "native" || asked["type"] != "inline" {
		t.Errorf("got %v and %v", asked, other)
	}

	const document = `<?xml version="1.0" encoding="UTF-8"?>\n<response><booking><booking_id>yes</booking_id><note>Bœuf &amp; co</note></booking></response>`
	yes := a.raw(t, 200, a.request("POST", "/api/v1/inline", `{"id":"q-1","type":"new_temporary_web","channel_id":3930,"tour_ids":[12],"booking_id":"yes","xml":"`+strings.ReplaceAll(document, `"`, `\"`)+`"}`))
	if got := arrived(t, requests); !strings.HasPrefix(got, "POST event=new_temporary_web&account_id=") || !strings.Contains(got, "<note>Bœuf &amp; co</note></booking><signed>") {
		t.Errorf("the receiver got %s", got)
	}
	var verdict struct {
		ID, Reason, Error, Text string
		Accepted                bool
		Status                  int
		WebhookID               string `json:"webhook_id"`
		DeliveryID              string `json:"delivery_id"`
		Tickets                 json.RawMessage
		Skipped                 []map[string]string
	}
	if err := json.Unmarshal(yes, &verdict); err != nil {
		t.Fatal(err)
	}
	if !verdict.Accepted || verdict.Status != 200 || verdict.Text != "held & <kept>" || string(verdict.Tickets) != `[{"value":"00123","n":1.50}]` ||
		verdict.WebhookID != asked["id"] || len(verdict.Skipped) != 1 || verdict.Skipped[0]["webhook_id"] != other["id"] || verdict.Skipped[0]["reason"] != "channel_not_selected" {
		t.Errorf("got %s", yes)
	}
	logged := a.call(t, 200, "GET", "/api/v1/deliveries/"+verdict.DeliveryID, "")
	if attempts := logged["attempts"].([]any); logged["state"] != "delivered" || len(attempts) != 1 || attempts[0].(map[string]any)["method"] != "POST" {
		t.Errorf("got %v, want it in the log", logged)
	}
	if event := a.call(t, 200, "GET", "/api/v1/events/"+verdict.ID, ""); event["external_id"] != "inline:q-1" || event["data"].(map[string]any)["xml"] == "" {
		t.Errorf("got %v", event)
	}
	a.call(t, 422, "POST", "/api/v1/deliveries/"+verdict.DeliveryID+"/replay", "")

	for booking, want := range map[string]string{"no": "status", "page": "answer"} {
		got := a.ask(t, `{"type":"new_temporary_web","channel_id":"3930","booking_id":"`+booking+`"}`)
		if got["accepted"] != false || got["reason"] != want || got["error"] == "" || got["tickets"] != nil {
			t.Errorf("%s: got %v, want a refusal", booking, got)
		}
		<-requests
	}
	if len(requests) != 0 {
		t.Errorf("%d questions too many", len(requests))
	}
}

// The same id gives the first verdict; telling of the event afterwards under the
// same id is another thing.
func TestAPIAskTwice(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.call(t, 201, "POST", "/api/v1/webhooks", `{`+gate+`,"url":"`+a.receiver.URL+`"}`)
	told := a.hook(t, "Told", "")
	const question = `{"id":"q-1","type":"new_temporary_web","booking_id":"1"}`
	first := a.raw(t, 200, a.request("POST", "/api/v1/inline", question))
	again := a.raw(t, 200, a.request("POST", "/api/v1/inline", `{"type":"new_temporary_web","booking_id":"1"}`, header("Idempotency-Key", "q-1")))
	if string(first) != string(again) {
		t.Errorf("got %s, and again %s", first, again)
	}
	conflict := a.call(t, 409, "POST", "/api/v1/inline", `{"id":"q-1","type":"new_temporary_web","booking_id":"2"}`)
	if detail := conflict["detail"].(string); !strings.Contains(detail, `"q-1"`) {
		t.Errorf("got %q, want the id as it was sent", detail)
	}
	after := a.call(t, 202, "POST", "/api/v1/events", question)
	if deliveries := after["deliveries"].([]any); len(deliveries) != 1 || deliveries[0].(map[string]any)["webhook_id"] != told {
		t.Errorf("got %v, want it told to the other webhook", after)
	}
}

// Ids of Bookhook's own cannot be taken from it, by any way to send an event.
func TestAPIOwnIDs(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	for _, id := range []string{"in:prioticket:n-1 ORDER_CREATE", "inline:q-1"} {
		event := `{"id":"` + id + `","type":"new_temporary_web","booking_id":"1"}`
		for _, path := range []string{"/api/v1/events", "/api/v1/inline"} {
			a.call(t, 422, "POST", path, event)
			a.call(t, 422, "POST", path, `{"type":"new_temporary_web","booking_id":"1"}`, header("Idempotency-Key", id))
		}
		a.call(t, 422, "POST", "/api/v1/events/batch", `{"events":[`+event+`]}`)
	}
	a.call(t, 202, "POST", "/api/v1/events", `{"id":"in-1","type":"new_temporary_web","booking_id":"1"}`)
}

func TestAPIAskNobody(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	got := a.ask(t, `{"type":"new_temporary_web","booking_id":"1"}`)
	if got["accepted"] != true || got["webhook_id"] != nil || got["delivery_id"] != nil || len(got["skipped"].([]any)) != 0 {
		t.Errorf("got %v, want that nobody objects", got)
	}
	a.call(t, 201, "POST", "/api/v1/webhooks", `{`+gate+`,"url":"`+a.receiver.URL+`","enabled":false}`)
	got = a.ask(t, `{"type":"new_temporary_web","booking_id":"1"}`)
	if skipped := got["skipped"].([]any); got["accepted"] != true || skipped[0].(map[string]any)["reason"] != "webhook_disabled" {
		t.Errorf("got %v, want the reason", got)
	}
}

func TestRefusedQuestions(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	const ok = `"type":"new_temporary_web","booking_id":"1"`
	for _, tt := range []struct{ name, body, field, message string }{
		{"nothing", `{}`, "type", "Say what happened"},
		{"no booking", `{"type":"new_temporary_web"}`, "booking_id", "which booking"},
		{"told only", `{"type":"cancelled","booking_id":"1"}`, "type", "There are no inline calls for “cancelled”. Known: new_confirmed_staff,"},
		{"unknown", `{"type":"renamed","booking_id":"1"}`, "type", "has no event"},
		{"another platform", `{"platform":"wink","type":"booking.create","booking_id":"1"}`, "type", ""},
		{"data", `{` + ok + `,"data":{}}`, "data", "under xml"},
		{"unknown field", `{` + ok + `,"colour":1}`, "colour", "no field"},
		{"xml an object", `{` + ok + `,"xml":{}}`, "xml", "text in quotes"},
		{"no document", `{` + ok + `,"xml":"  "}`, "xml", "there is no XML"},
		{"text", `{` + ok + `,"xml":"hello"}`, "xml", "outside of its root"},
		{"half", `{` + ok + `,"xml":"<response><booking>"}`, "xml", "cannot be read"},
		{"two", `{` + ok + `,"xml":"<a/><b/>"}`, "xml", "more than one root element"},
		{"doctype", `{` + ok + `,"xml":"<!DOCTYPE r [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><r>&x;</r>"}`, "xml", "DOCTYPE"},
		{"entity", `{` + ok + `,"xml":"<r>&x;</r>"}`, "xml", "cannot be read"},
		{"signed", `{` + ok + `,"xml":"<r><signed/></r>"}`, "xml", "Bookhook signs"},
		{"Latin 1", `{` + ok + `,"xml":"<?xml version='1.0' encoding='ISO-8859-1'?><r/>"}`, "xml", "ISO-8859-1"},
		{"deep", `{` + ok + `,"xml":"` + strings.Repeat("<a>", 101) + strings.Repeat("</a>", 101) + `"}`, "xml", "deeper than 100 levels"},
		{"long", `{` + ok + `,"xml":"<r>` + strings.Repeat("x", webhook.MaxData) + `</r>"}`, "xml", "at most 1024 KiB"},
	} {
		got := a.call(t, 422, "POST", "/api/v1/inline", tt.body)
		if said, _ := problems(got)[tt.field].(string); said == "" || !strings.Contains(said, tt.message) {
			t.Errorf("%s: got %v, want %s to say %q", tt.name, got, tt.field, tt.message)
		}
	}
	if events := a.ids(t, "/api/v1/events", 50); len(events) != 0 {
		t.Errorf("%d were stored", len(events))
	}
}

func TestAPIInlineWebhooks(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.call(t, 200, "PUT", "/api/v1/channels", `{"items":[{"id":"3930","name":"Website"},{"id":"7","name":"Viator"}]}`)
	for range webhook.DefaultLimit { // inline ones are beside the limit
		a.hook(t, "Told", `,"enabled":false`)
	}
	made := a.call(t, 201, "POST", "/api/v1/webhooks", `{`+gate+`,"url":"`+a.receiver.URL+`","channels":{"mode":"include","ids":["3930"]}}`)
	path := "/api/v1/webhooks/" + made["id"].(string)
	clash := a.call(t, 422, "POST", "/api/v1/webhooks", `{`+gate+`,"url":"https://example.com/"}`)
	if said, _ := problems(clash)["channels"].(string); !strings.Contains(said, "“Gate”") || !strings.Contains(said, "Website (3930)") {
		t.Errorf("got %v, want the webhook and the channel", clash)
	}
	a.call(t, 201, "POST", "/api/v1/webhooks", `{`+gate+`,"url":"https://example.com/","channels":{"mode":"include","ids":["7"]}}`)
	clash = a.call(t, 422, "PATCH", path, `{"channels":{"mode":"include","ids":["3930","7"]}}`)
	if said, _ := problems(clash)["channels"].(string); !strings.Contains(said, "Viator (7)") {
		t.Errorf("got %v, want the channel", clash)
	}
	if changed := a.call(t, 200, "PATCH", path, `{"time_limit":25,"type":"inline","name":"Door"}`); changed["time_limit"] != 25.0 || changed["name"] != "Door" {
		t.Errorf("got %v", changed)
	}
	a.call(t, 422, "PATCH", path, `{"concurrency":2}`)
	other := a.call(t, 422, "PATCH", path, `{"type":"async"}`)
	if said, _ := problems(other)["type"].(string); !strings.Contains(said, "cannot be changed") {
		t.Errorf("got %v, want that the type stays", other)
	}
	sent := a.call(t, 202, "POST", path+"/test", "")
	a.finish(t, 1)
	if shown := a.call(t, 200, "GET", "/api/v1/deliveries/"+sent["id"].(string), ""); shown["state"] != "delivered" || shown["test"] != true {
		t.Errorf("got %v, want a test that was accepted", shown)
	}
}
