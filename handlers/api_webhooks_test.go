package handlers_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"
)

func TestRefusedWebhooks(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	ok := `"name":"A","url":"https://example.com/","events":["cancelled"]`
	const asks = `"name":"A","url":"https://example.com/","type":"inline"`
	tests := []struct{ name, body, field, message string }{
		{"nothing", `{}`, "events", "at least one event"},
		{"no name", `{}`, "name", "Enter a name."},
		{"no URL", `{}`, "url", "Enter the URL to call"},
		{"ftp", `{"url":"ftp://example.com"}`, "url", "not ftp://"},
		{"URL a number", `{"url":5}`, "url", "text in quotes"},
		{"unknown event", `{"events":["cancelled","canceled"]}`, "events", "canceled"},
		{"event null", `{"events":[null]}`, "events[0]", "an id"},
		{"star beside others", `{"events":["*","cancelled"]}`, "events", "alone"},
		{"no type of webhook", `{` + ok + `,"type":"both"}`, "type", "async or inline"},
		{"inline and told", `{` + ok + `,"type":"inline"}`, "events", "only after the booking is accepted"},
		{"inline and all events", `{` + asks + `,"events":["*"]}`, "events", "one by one"},
		{"inline and standard", `{` + asks + `,"format":"standard"}`, "format", "native format only"},
		{"inline and concurrency", `{` + asks + `,"concurrency":8}`, "concurrency", "called at once"},
		{"inline and ordered", `{` + asks + `,"ordered":false}`, "ordered", "called at once"},
		{"inline and a rate", `{` + asks + `,"rate_limit":{"requests":1,"per":"second"}}`, "rate_limit", "called at once"},
		{"no time", `{` + asks + `,"time_limit":0}`, "time_limit", "from 1 to 25"},
		{"too much time", `{` + asks + `,"time_limit":26}`, "time_limit", "from 1 to 25"},
		{"half a second", `{` + asks + `,"time_limit":0.5}`, "time_limit", "whole number"},
		{"time of another type", `{` + ok + `,"time_limit":10}`, "time_limit", "Only a synchronous webhook"},
		{"format", `{` + ok + `,"format":"xml"}`, "format", "native or standard"},
		{"concurrency 0", `{` + ok + `,"concurrency":0}`, "concurrency", "1 to 256"},
		{"concurrency 8.5", `{` + ok + `,"concurrency":8.5}`, "concurrency", "whole number"},
		{"concurrency a text", `{` + ok + `,"concurrency":"8"}`, "concurrency", "whole number"},
		{"ordered a number", `{` + ok + `,"ordered":1}`, "ordered", "true or false"},
		{"rate a number", `{` + ok + `,"rate_limit":60}`, "rate_limit", "an object"},
		{"rate of nothing", `{` + ok + `,"rate_limit":{}}`, "rate_limit", "Send requests and per"},
		{"rate without a period", `{` + ok + `,"rate_limit":{"requests":60}}`, "rate_limit", "second or minute"},
		{"rate without a number", `{` + ok + `,"rate_limit":{"per":"minute"}}`, "rate_limit", "1 to 1000"},
		{"rate per hour", `{` + ok + `,"rate_limit":{"requests":60,"per":"hour"}}`, "rate_limit", "second or minute"},
		{"rate of 1001", `{` + ok + `,"rate_limit":{"requests":1001,"per":"second"}}`, "rate_limit", "1 to 1000"},
		{"rate of 1.5", `{` + ok + `,"rate_limit":{"requests":1.5,"per":"second"}}`, "rate_limit.requests", "whole number"},
		{"unknown in a rate", `{` + ok + `,"rate_limit":{"requests":1,"per":"second","burst":5}}`, "rate_limit.burst", "no field"},
		{"what is read only", `{` + ok + `,"waiting":{"count":0,"oldest_at":null}}`, "waiting", "no field"},
		{"enabled a text", `{` + ok + `,"enabled":"yes"}`, "enabled", "true or false"},
		{"channels a list", `{` + ok + `,"channels":["1"]}`, "channels", "an object"},
		{"no mode", `{` + ok + `,"channels":{"ids":["1"]}}`, "channels", "all, include"},
		{"exclude channels", `{` + ok + `,"channels":{"mode":"exclude","ids":["1"]}}`, "channels", "all, include"},
		{"all with ids", `{` + ok + `,"tours":{"mode":"all","ids":["1"]}}`, "tours.ids", "takes no ids"},
		{"include none", `{` + ok + `,"tours":{"mode":"include"}}`, "tours", "at least one tour"},
		{"unknown tour", `{` + ok + `,"tours":{"mode":"exclude","ids":[15]}}`, "tours", "no tour with the id 15"},
		{"an id a fraction", `{` + ok + `,"tours":{"mode":"exclude","ids":[1.5]}}`, "tours.ids[0]", "whole number"},
		{"unknown in a filter", `{` + ok + `,"tours":{"mode":"all","id":[]}}`, "tours.id", "no field"},
		{"its own secret", `{` + ok + `,"secret":"whsec_x"}`, "secret", "no field"},
	}
	for _, tt := range tests {
		got := a.call(t, 422, "POST", "/api/v1/webhooks", tt.body)
		if said, _ := problems(got)[tt.field].(string); !strings.Contains(said, tt.message) {
			t.Errorf("%s: got %v, want %s to say %q", tt.name, got, tt.field, tt.message)
		}
	}
	if hooks := a.ids(t, "/api/v1/webhooks", 50); len(hooks) != 0 {
		t.Errorf("%d were made", len(hooks))
	}
}

func TestChangeWebhook(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.call(t, 200, "PUT", "/api/v1/tours", `{"items":[{"id":15,"name":"Night walk 🌙"}]}`)
	made := a.call(t, 201, "POST", "/api/v1/webhooks", `{"name":" Accounting 🎟 ","url":"`+a.receiver.URL+`/?a=1&b=<2>","events":["new_confirmed_web","cancelled","cancelled"],"enabled":null}`)
	path := "/api/v1/webhooks/" + made["id"].(string)
	if secret := made["secret"].(string); !strings.HasPrefix(secret, "whsec_") {
		t.Errorf("got the secret %q", secret)
	}
	if made["name"] != "Accounting 🎟" || made["format"] != "native" || made["enabled"] != true || made["concurrency"] != 8.0 || len(made["events"].([]any)) != 2 {
		t.Errorf("got %v", made)
	}
	if text := string(a.raw(t, 200, a.request("GET", path, ""))); strings.Contains(text, "secret") || !strings.Contains(text, "/?a=1&b=<2>") {
		t.Errorf("got %s, want no secret and a URL that can be read", text)
	}
	a.call(t, 422, "PATCH", path, `{"url":"https://example.com/#part","enabled":false,"speed":1}`)
	a.call(t, 422, "PATCH", path, `{"enabled":1}`)
	a.call(t, 422, "PATCH", path, `{"events":[]}`)
	a.call(t, 200, "PATCH", path, `{}`)
	changed := a.call(t, 200, "PATCH", path, `{"tours":{"mode":"include","ids":["15",15]},"concurrency":2,"enabled":false,"events":["*"],"name":null}`)
	if changed["enabled"] != false || changed["off_reason"] != "user" || changed["concurrency"] != 2.0 || changed["name"] != "Accounting 🎟" ||
		changed["events"].([]any)[0] != "*" || len(changed["tours"].(map[string]any)["ids"].([]any)) != 1 {
		t.Errorf("got %v", changed)
	}
	if off := a.call(t, 202, "POST", path+"/test", ""); off["test"] != true { // a passed one is a reason to switch it on
		t.Errorf("got %v, want a test of a webhook that is off", off)
	}
	a.finish(t, 1)
	a.call(t, 422, "POST", path+"/test", `{"to":"x"}`)
	if on := a.call(t, 200, "PATCH", path, `{"enabled":true}`); on["enabled"] != true || on["off_reason"] != "" || on["concurrency"] != 2.0 {
		t.Errorf("got %v", on)
	}
	sent := a.call(t, 202, "POST", path+"/test", "")
	a.finish(t, 1)
	event := a.call(t, 200, "GET", "/api/v1/events/"+sent["event_id"].(string), "")
	if sent["test"] != true || event["test"] != true || event["booking_id"] != "TEST-1" || event["tour_ids"].([]any)[0] != "15" {
		t.Errorf("got %v of %v, want a test that fits the webhook", sent, event)
	}
	a.call(t, 200, "PATCH", path, `{"enabled":false}`)
	if refused := a.call(t, 409, "POST", "/api/v1/deliveries/"+sent["id"].(string)+"/replay", ""); refused["type"] != "webhook-off" {
		t.Errorf("got %v, want the reason", refused)
	}
	a.call(t, 204, "DELETE", path, "")
	a.call(t, 404, "GET", path, "")
	deleted := a.call(t, 422, "POST", "/api/v1/deliveries/"+sent["id"].(string)+"/replay", "")
	if said, _ := problems(deleted)["webhook"].(string); !strings.Contains(said, "deleted") {
		t.Errorf("got %v, want it to say that the webhook is deleted", deleted)
	}
}

// TestLimitHolds tries fifty at once with nine used: one wins.
func TestLimitHolds(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	for range 9 {
		a.hook(t, "Taken", `,"enabled":false`)
	}
	base := listen(t, a.app)
	a.bases[a.app] = base
	statuses := make([]int, 50)
	var tries sync.WaitGroup
	for i := range statuses {
		tries.Go(func() {
			r := a.request("POST", base+"/api/v1/webhooks", `{"name":"Me","url":"https://example.com","events":["*"]}`)
			r.RequestURI = ""
			response, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Error(err)
				return
			}
			response.Body.Close()
			statuses[i] = response.StatusCode
		})
	}
	tries.Wait()
	won := 0
	for _, status := range statuses {
		if status == 201 {
			won++
		} else if status != 409 {
			t.Errorf("got %d, want 409", status)
		}
	}
	if won != 1 {
		t.Errorf("%d won, want one", won)
	}
}
