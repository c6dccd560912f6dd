package handlers_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"bookhook/webhook"
)

// TestPrioVersions speaks each version from the token to the removal; every answer is
// held against the models of that version.
func TestPrioVersions(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	for _, version := range []string{"3.5", "3.6", "3.7", "3.8"} {
		r := a.reseller(t, a.account.ID)
		r.base = "/v" + version + "/distributor"
		r.token = r.call(200, "POST", grantPath, ask, basic(r.id, r.secret))["access_token"].(string)
		yes, no := any(true), any(false)
		if version == "3.5" {
			yes, no = "true", "false"
		}
		const good = `"webhook_events":["ORDER_CREATE"],"webhook_url":"https://example.com"`
		for sent, want := range map[string]any{
			``: yes, `,"webhook_payload":true`: yes, `,"webhook_payload":"true"`: yes, `,"webhook_payload":"True"`: yes,
			`,"webhook_payload":null`: yes, `,"webhook_payload":""`: yes,
			`,"webhook_payload":false`: no, `,"webhook_payload":"false"`: no, `,"webhook_payload":"\u0046ALSE"`: no,
		} {
			shown := r.create(good + sent)
			if shown["webhook_payload"] != want || shown["webhook_version"] != version+".0" {
				t.Errorf("%s %s: got %v, want %#v", version, sent, shown, want)
			}
			if data := r.list(""); !reflect.DeepEqual(data["items"], []any{shown}) {
				t.Errorf("%s: the list shows %v, want %v", version, data["items"], shown)
			}
			r.call(204, "DELETE", "/webhooks/"+shown["webhook_id"].(string), "")
		}
		r.call(204, "POST", "/notifications", `{"data":{"notification":{"notification_event":"AVAILABILITY_CHANGE","notification_item_id":"1"}}}`)
		r.refused(404, "NOT_FOUND", "", "DELETE", "/webhooks/x", "")
		for code, request := range map[string]*http.Request{
			`"NOT_FOUND"`: a.request("GET", r.base+"/nothing", ""), `"METHOD_NOT_ALLOWED"`: a.request("PUT", r.base+"/webhooks", "{}"),
		} {
			if _, text := a.live(t, a.app, request); !strings.Contains(string(text), code) {
				t.Errorf("%s %s: got %s, want %s", request.Method, request.URL, text, code)
			}
		}
		r.refused(401, "UNAUTHORIZED", "POST /v"+version+"/distributor/oauth2/token", "GET", "/webhooks", "", as("x"))
		r.refused(401, "invalid_client", "", "POST", grantPath, ask, basic("x", "y"))
	}
}

func TestPrioOtherVersions(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	r := a.reseller(t, a.account.ID)
	for _, base := range []string{"/v3.4/distributor", "/v3.9/distributor", "/v3.80/distributor", "/v4/distributor", "/v3/distributor", "/v3.8.0/distributor"} {
		for _, path := range []string{"", "/", "/webhooks", "/webhooks/x", "/nothing"} {
			for _, method := range []string{"GET", "POST", "DELETE"} {
				response, text := a.live(t, a.app, a.request(method, base+path, "", as(r.token)))
				if response.StatusCode != 404 || !strings.Contains(string(text), "3.5, 3.6, 3.7, 3.8") {
					t.Errorf("%s %s: got %d %s, want 404 and the versions", method, base+path, response.StatusCode, text)
				}
			}
		}
	}
	if response, text := a.live(t, a.app, a.request("POST", "/v3.4/distributor"+grantPath, ask, basic(r.id, r.secret))); response.StatusCode != 404 {
		t.Errorf("got %d %s, want 404", response.StatusCode, text)
	}
	for _, path := range []string{"/v3.8/distribution", "/v3.8", "/version/distributor", "/vx/distributor/webhooks"} { // a page like any other
		response, _ := a.live(t, a.app, a.request("GET", path, ""))
		if kind := response.Header.Get("Content-Type"); !strings.HasPrefix(kind, "text/html") {
			t.Errorf("%s: got %s, want a page", path, kind)
		}
	}
}

// TestPrioHabits sends what generated clients send besides what they were asked for.
func TestPrioHabits(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	r := a.reseller(t, a.account.ID)
	const good = `"webhook_events":["ORDER_CREATE","ORDER_CREATE"],"webhook_url":"https://example.com"`
	for what, body := range map[string]string{
		"read-only members": `{"api_version":"3.5.0","data":{"kind":"webhook","webhook":{"webhook_id":"x","webhook_status":"DISABLED","webhook_version":"1",` + good +
			`,"webhook_created":"never","webhook_created_name":"me","webhook_created_email":"me@example.com"}}}`,
		"nulls": `{"api_version":null,"data":{"webhook":{` + good +
			`,"webhook_id":null,"webhook_status":null,"webhook_email":null,"webhook_auth":null,"webhook_payload":null,"webhook_created":null}}}`,
		"empty texts": `{"data":{"webhook":{` + good + `,"webhook_email":"","webhook_auth":"","webhook_payload":"","webhook_notes":""}}}`,
		"more":        `{"data":{"webhook":{` + good + `,"webhook_notes":["x"],"webhook_events_all":true}},"more":1}`,
	} {
		made := r.call(201, "POST", "/webhooks/?key=an-api-key", body, header("Content-Type", "application/json; charset=utf-8"), header("Accept", "application/json"),
			header("App-Name", "Shop"), header("App-Version", "1"), header("App-Machine-ID", "x"), header("User-Agent", "OpenAPI-Generator/1.0.0/PHP"))
		shown := made["data"].(map[string]any)["webhook"].(map[string]any)
		if shown["webhook_status"] != "ENABLED" || shown["webhook_version"] != "3.8.0" || shown["webhook_created_name"] != "portal" || len(shown["webhook_events"].([]any)) != 1 {
			t.Errorf("%s: got %v", what, shown)
		}
		list := r.call(200, "GET", "/webhooks/?items_per_page=5&start_index=1&page=1&key=x", "", header("Content-Type", "application/json"))["data"].(map[string]any)
		if got := ids(list); len(got) != 1 {
			t.Errorf("%s: got %v, want one", what, got)
		}
		r.call(204, "DELETE", "/webhooks/"+shown["webhook_id"].(string)+"/", "{}")
	}
	large := a.request("POST", prio+"/webhooks", `{"data":"`+strings.Repeat("x", 5<<20)+`"}`, as(r.token))
	large.ContentLength = -1 // in chunks
	if response, text := a.live(t, a.app, large); response.StatusCode != 413 {
		t.Errorf("got %d %s, want 413", response.StatusCode, text)
	}
	token := a.request("POST", prio+grantPath, `{"scope":"`+strings.Repeat("x", 5<<20)+`"}`, basic(r.id, r.secret))
	token.ContentLength = -1
	if response, text := a.live(t, a.app, token); response.StatusCode != 413 {
		t.Errorf("got %d %s, want 413", response.StatusCode, text)
	}
}

// Only who selects PAYMENT_UPDATE, which Prioticket does not document, gets to see it.
func TestPrioShowsAssumedKeyOnlyWhenSelected(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	r := a.reseller(t, a.account.ID)
	w, err := a.store.CreateWebhook(t.Context(), &webhook.Webhook{Account: a.account.ID, Enabled: true, Config: webhook.NewConfig([]string{"prioticket:PAYMENT_UPDATE"})}, nil, change())
	if err != nil {
		t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(t.Context(), "GET", a.bases[a.app]+prio+"/webhooks", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+r.token)
	answer, err := http.DefaultClient.Do(request) // not held against the models, which lack the key
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var list struct {
		Data struct {
			Items []struct {
				ID     string   `json:"webhook_id"`
				Events []string `json:"webhook_events"`
			}
		}
	}
	if err := json.NewDecoder(answer.Body).Decode(&list); err != nil {
		t.Fatal(err)
	}
	if got := list.Data.Items; len(got) != 1 || got[0].ID != uuidOf(w.ID) || !reflect.DeepEqual(got[0].Events, []string{"PAYMENT_UPDATE"}) {
		t.Errorf("got %v", got)
	}
}

// TestPrioCreators: who created a webhook is always said, with an address.
func TestPrioCreators(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	r := a.reseller(t, a.account.ID)
	add := func(by string) {
		t.Helper()
		who := change()
		who.By = by
		config := webhook.NewConfig([]string{"prioticket:ORDER_CREATE"})
		config.URL = "https://example.com"
		if _, err := a.store.CreateWebhook(t.Context(), &webhook.Webhook{Account: a.account.ID, Config: config, Enabled: true}, nil, who); err != nil {
			t.Fatal(err)
		}
	}
	add("anna@example.com") // who may have left since
	add(webhook.ByCommandLine)
	add("") // before this was recorded
	a.hook(t, "API", "")
	r.create(`"webhook_events":["ORDER_CREATE"],"webhook_url":"https://example.com"`)
	wants := func(contact string) {
		t.Helper()
		want := []string{
			"anna@example.com anna@example.com", "command line " + contact, "Harbour Walks " + contact, "API token till " + contact, "portal " + contact,
		}
		var got []string
		for _, item := range r.list("")["items"].([]any) {
			shown := item.(map[string]any)
			got = append(got, fmt.Sprint(shown["webhook_created_name"], " ", shown["webhook_created_email"]))
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	wants(fmt.Sprintf("account-%d@bookhook.invalid", a.account.Number))
	user := func(email string, role webhook.Role) {
		t.Helper()
		if _, err := a.store.AddUser(t.Context(), webhook.User{Account: a.account.ID, Email: email, PasswordHash: "x", Role: role}, change()); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := a.store.AddUser(t.Context(), webhook.User{Email: "admin@example.com", PasswordHash: "x", Role: webhook.RoleAdmin}, change()); err != nil {
		t.Fatal(err)
	}
	wants(fmt.Sprintf("account-%d@bookhook.invalid", a.account.Number)) // the admin is not of the account
	user("staff@example.com", webhook.RoleStaff)
	wants("staff@example.com")
	user("ops@example.com", webhook.RoleOperator)
	user("other@example.com", webhook.RoleOperator)
	wants("ops@example.com")
}

// What receivers get is a notification of the vendor's model.
func TestPrioNotificationModel(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	got := make(chan []byte, 100)
	a.answer = func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got <- body
	}
	r := a.reseller(t, a.account.ID)
	r.create(`"webhook_events":["ORDER_CREATE","AVAILABILITY_CHANGE"],"webhook_url":"` + a.receiver.URL + `"`)
	r.call(204, "POST", "/notifications", `{"data":{"notification":{"notification_event":"AVAILABILITY_CHANGE","notification_item_id":"7"}}}`)
	for _, more := range []string{``, `,"booking_id":"PR-1"`, `,"booking_id":"PR-2","data":{"order_reference":"PR-2"}`} {
		a.call(t, 202, "POST", "/api/v1/events", `{"platform":"prioticket","type":"ORDER_CREATE"`+more+`}`)
	}
	a.finish(t, 4)
	for range 4 {
		text := arrived(t, got)
		var body struct {
			Version string `json:"api_version"`
			Data    struct {
				Notification json.RawMessage `json:"notification"`
			} `json:"data"`
		}
		if err := json.Unmarshal(text, &body); err != nil || body.Version != "3.8.0" || !strings.Contains(string(text), `"notification_status":"DELIVERY_PENDING"`) {
			t.Errorf("got %s, %v", text, err)
			continue
		}
		if err := asModel(t, "WebhookNotification", body.Data.Notification); err != nil {
			t.Errorf("got %s: %v", text, err)
		}
	}
}
