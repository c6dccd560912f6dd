package dispatch_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"bookhook/dispatch"
	"bookhook/webhook"
)

// TestBasic wants the Basic value of a webhook in every request to it, whatever
// the format and the reason, and in none of what is kept of them.
func TestBasic(t *testing.T) {
	t.Parallel()
	const value = "a secret: =user pass="
	requests := make(chan http.Header, 1)
	server := receiver(t, func(_ http.ResponseWriter, r *http.Request) { requests <- r.Header })
	r := start(t, dispatch.Options{})
	check := func(what string, a func() webhook.Attempt) {
		t.Helper()
		sent := receive(t, requests)
		if got := sent["Authorization"]; len(got) != 1 || got[0] != "Basic "+value {
			t.Errorf("%s: sent %q", what, got)
		}
		kept := a()
		if got := kept.RequestHeaders.Get("Authorization"); got != webhook.HiddenBasic {
			t.Errorf("%s: kept %q, want %q", what, got, webhook.HiddenBasic)
		}
		if text, err := json.Marshal(kept); err != nil || strings.Contains(string(text), "secret") {
			t.Errorf("%s: kept %s, %v", what, text, err)
		}
	}
	recorded := func() webhook.Attempt { return r.attempts(r.next().Delivery)[0] }

	standard := r.hook(server.URL, func(w *webhook.Webhook) { w.Basic = value })
	r.ingest(1)
	check("standard", recorded)
	if _, err := r.Test(t.Context(), r.account.ID, standard.ID, events(1)[0]); err != nil {
		t.Fatal(err)
	}
	check("test", recorded)
	tried := make(chan webhook.Attempt, 1)
	go func() { tried <- r.TestUnsaved(t.Context(), standard, r.account, events(1)[0]) }()
	check("try", func() webhook.Attempt { return receive(t, tried) })
	if _, err := r.store.DeleteWebhook(t.Context(), r.account.ID, standard.ID, byTest()); err != nil {
		t.Fatal(err)
	}
	r.hook(server.URL+"/in?x=1", native, func(w *webhook.Webhook) { w.Basic = value })
	r.ingest(1)
	check("native", recorded)

	r.stop()
	if strings.Contains(r.log.String(), "secret") {
		t.Errorf("the log has it:\n%s", r.log)
	}
}

// Who has no Basic value gets no such header.
func TestNoBasic(t *testing.T) {
	t.Parallel()
	requests := make(chan http.Header, 1)
	server := receiver(t, func(_ http.ResponseWriter, r *http.Request) { requests <- r.Header })
	r := start(t, dispatch.Options{})
	r.hook(server.URL)
	id := r.ingest(1)[0]
	sent := receive(t, requests)
	r.next()
	if kept := r.attempts(id)[0].RequestHeaders; sent["Authorization"] != nil || kept["Authorization"] != nil {
		t.Errorf("sent %v, kept %v, want no Authorization", sent, kept)
	}
}
