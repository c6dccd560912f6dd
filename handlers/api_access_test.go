package handlers_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"bookhook/auth"
	"bookhook/webhook"
)

func TestTokens(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	for name, value := range map[string]string{
		"none": "", "wrong": "Bearer bh_wrong", "no scheme": a.token, "basic": "Basic " + a.token, "cut": "Bearer " + a.token[:20], "empty": "Bearer ",
		"longer": "Bearer " + a.token + "x",
	} {
		response, text := a.live(t, a.app, a.request("GET", "/api/v1/account", "", header("Authorization", value)))
		if response.StatusCode != 401 || response.Header.Get("WWW-Authenticate") != "Bearer" || !strings.Contains(string(text), `"type":"unauthorized"`) {
			t.Errorf("%s: got %d %q %s, want 401", name, response.StatusCode, response.Header.Get("WWW-Authenticate"), text)
		}
	}
	a.call(t, 200, "GET", "/api/v1/account", "", header("Authorization", "bearer "+a.token))
	tokens, err := a.store.Tokens(t.Context(), a.account.ID)
	if err != nil || len(tokens) != 1 || time.Since(tokens[0].UsedAt) > time.Minute {
		t.Fatalf("got %v, %v, want one token, used now", tokens, err)
	}
	text, hash := auth.NewToken()
	unused, err := a.store.AddToken(t.Context(), webhook.Token{Account: a.account.ID, Name: "Unused", CreatedAt: time.Now()}, hash, change())
	if err != nil {
		t.Fatal(err)
	}
	if err := a.store.RevokeToken(t.Context(), a.account.ID, unused.ID, change()); err != nil {
		t.Fatal(err)
	}
	a.call(t, 401, "GET", "/api/v1/account", "", header("Authorization", "Bearer "+text))
}

func TestNewToken(t *testing.T) {
	t.Parallel()
	text, hash := auth.NewToken()
	other, otherHash := auth.NewToken()
	if !strings.HasPrefix(text, "bh_") || len(text) != 46 || len(hash) != 32 || text == other || string(hash) == string(otherHash) {
		t.Errorf("got %s and %s", text, other)
	}
}

// TestForeignIDs wants everything of another account not to exist.
func TestForeignIDs(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	hook := a.hook(t, "Mine", "")
	event := a.call(t, 202, "POST", "/api/v1/events", `{"type":"cancelled","booking_id":"1"}`)
	delivery := event["deliveries"].([]any)[0].(map[string]any)["id"].(string)
	a.finish(t, 1)
	for _, call := range [][3]string{
		{"GET", "/api/v1/events/" + event["id"].(string), ""},
		{"GET", "/api/v1/deliveries/" + delivery, ""},
		{"POST", "/api/v1/events/" + event["id"].(string) + "/send", `{"webhook_id":"` + hook + `"}`},
		{"POST", "/api/v1/deliveries/" + delivery + "/replay", ""},
		{"GET", "/api/v1/webhooks/" + hook, ""},
		{"GET", "/api/v1/webhooks/" + hook + "/stats", ""},
		{"PATCH", "/api/v1/webhooks/" + hook, `{"enabled":false}`},
		{"PATCH", "/api/v1/webhooks/" + hook, `{"name":"Theirs"}`},
		{"POST", "/api/v1/webhooks/" + hook + "/test", ""},
		{"DELETE", "/api/v1/webhooks/" + hook, ""},
	} {
		a.call(t, 404, call[0], call[1], call[2], as(a.other))
		a.call(t, 404, call[0], strings.NewReplacer(hook, "whk_x", delivery, delivery+"0", event["id"].(string), hook).Replace(call[1]), call[2])
	}
	for _, list := range []string{"webhooks", "events", "deliveries", "deliveries?webhook_id=" + hook, "deliveries?event_id=" + event["id"].(string)} {
		if items := a.call(t, 200, "GET", "/api/v1/"+list, "", as(a.other))["items"].([]any); len(items) != 0 {
			t.Errorf("%s: another account sees %v", list, items)
		}
	}
	if shown := a.call(t, 200, "GET", "/api/v1/webhooks/"+hook, ""); shown["name"] != "Mine" || shown["enabled"] != true {
		t.Errorf("another account changed it: %v", shown)
	}
}

func TestNoSuchAddress(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	for _, path := range []string{"/api", "/api/v2/events", "/api/v1/nothing", "/api/v1/webhooks/a/b"} {
		response, text := a.live(t, a.app, a.request(http.MethodGet, path, ""))
		if response.StatusCode != 404 || response.Header.Get("Content-Type") != "application/problem+json" && path != "/api" {
			t.Errorf("%s: got %d %s, want 404 as a problem", path, response.StatusCode, text)
		}
	}
}

// TestActor wants changes by the API in the account's list of changes.
func TestActor(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	hook := a.hook(t, "Accounting", "")
	a.call(t, 200, "PATCH", "/api/v1/webhooks/"+hook, `{"enabled":false}`)
	a.call(t, 200, "PUT", "/api/v1/tours", `{"items":[]}`)
	entries, err := a.store.Audit(t.Context(), a.account.ID, 0, 3)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"tours.saved", "webhook.off", "webhook.created"} {
		if entries[i].By != "API token till" || entries[i].Action != want {
			t.Errorf("got %+v, want %s by the token", entries[i], want)
		}
	}
	if entries[0].Account != a.account.ID || entries[0].ID == 0 {
		t.Errorf("got %+v", entries[0])
	}
}
