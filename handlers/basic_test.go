package handlers_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"bookhook/webhook"
)

// pagesOf are the pages that show something of a webhook, and of its draft.
func (s *site) pagesOf(w *webhook.Webhook, draft string) []string {
	paths := []string{"/webhooks", "/webhooks/" + w.ID.String(), "/deliveries", "/events", "/settings/activity"}
	if draft != "" {
		paths = append(paths, draft+"/type", draft+"/name", draft+"/review")
	}
	list, err := s.store.Deliveries(s.Context(), w.Account, webhook.DeliveryFilter{Limit: 10})
	s.check(err)
	for _, d := range list.Rows {
		paths = append(paths, "/deliveries/"+d.ID.String())
	}
	return paths
}

// TestBasicInTheWizard types a value, keeps it, and takes it away; nothing shows
// it.
func TestBasicInTheWizard(t *testing.T) {
	t.Parallel()
	s := newWizard(t)
	r := newReceiver(t, 200)
	b := s.signIn(anna)
	const secret, encoded = "guide:river boat", "Z3VpZGU6cml2ZXIgYm9hdA=="
	shows := func(p page) page {
		t.Helper()
		return p.lacks(secret, encoded)
	}
	name := func(draft string, want int, basic string, more ...string) page {
		t.Helper()
		form := url.Values{"name": {"Basic"}, "url": {r.URL}, "format": {"native"}, "basic": {basic}}
		for _, field := range more {
			form.Set(field, "1")
		}
		return shows(b.post(draft+"/name", form).is(want))
	}
	draft := b.begin()
	b.post(draft+"/type", steps()[webhook.StepType]).is(http.StatusSeeOther)
	b.get(draft + "/name").lacks("basic_off")
	name(draft, 422, "schlüssel").has("Use letters without accents").lacks("schlüssel")
	name(draft, 422, "a\x00b").has("no control characters")
	name(draft, 303, secret)
	shows(b.get(draft+"/name")).has("basic_off", "keep the stored one", "authorization: Basic ••••")
	name(draft, 303, "") // keeps it
	for _, step := range []webhook.Step{webhook.StepEvents, webhook.StepChannels, webhook.StepTours} {
		b.post(draft+"/"+string(step), steps()[step]).is(http.StatusSeeOther)
	}
	shows(b.get(draft+"/review")).has("With Basic authentication", "authorization: Basic ••••")
	shows(b.post(draft+"/test", nil).is(http.StatusOK)).has("The test arrived", "Basic ••••")
	if got := arrived(t, r.got).Header.Get("Authorization"); got != "Basic "+encoded {
		t.Errorf("the test had %q", got)
	}
	b.finish(draft).is(http.StatusSeeOther)
	w := only(t, must(t, s.store.Webhooks, s.account.ID), nil)
	b.post("/webhooks/"+w.ID.String()+"/test", nil).is(http.StatusSeeOther)
	if got := arrived(t, r.got).Header.Get("Authorization"); got != "Basic "+encoded {
		t.Errorf("the delivery had %q", got)
	}
	s.settled()

	draft = strings.TrimSuffix(b.post("/webhooks/"+w.ID.String()+"/edit", nil).location, "/review")
	for _, path := range s.pagesOf(w, draft) {
		shows(b.get(path))
	}
	name(draft, 303, "dG9rZW4=", "basic_off") // a new one is meant
	b.finish(draft).is(http.StatusSeeOther)
	if w = only(t, must(t, s.store.Webhooks, s.account.ID), nil); w.Basic != "dG9rZW4=" {
		t.Errorf("got %q, want the new one", w.Basic)
	}
	draft = strings.TrimSuffix(b.post("/webhooks/"+w.ID.String()+"/edit", nil).location, "/review")
	name(draft, 303, "", "basic_off")
	b.finish(draft).is(http.StatusSeeOther)
	if w = only(t, must(t, s.store.Webhooks, s.account.ID), nil); w.Basic != "" {
		t.Errorf("got %q, want none", w.Basic)
	}
	b.get("/webhooks/" + w.ID.String() + "/settings").lacks("With Basic authentication")
}

// TestOmitPayloadInTheWizard: the choice is there for who uses Prioticket.
func TestOmitPayloadInTheWizard(t *testing.T) {
	t.Parallel()
	s := newWizard(t)
	b := s.signIn(anna)
	draft := b.begin()
	b.post(draft+"/type", steps()[webhook.StepType]).is(http.StatusSeeOther)
	b.get(draft + "/name").is(http.StatusOK).lacks("Leave out the payload")
	_, err := s.store.SwitchPlatform(t.Context(), s.account.ID, "prioticket", true, change())
	s.check(err)
	b.get(draft + "/name").is(http.StatusOK).has("Leave out the payload")
	form := steps()[webhook.StepName]
	form.Set("omit_payload", "1")
	b.post(draft+"/name", form).is(http.StatusSeeOther)
	for _, step := range []webhook.Step{webhook.StepEvents, webhook.StepChannels, webhook.StepTours} {
		b.post(draft+"/"+string(step), steps()[step]).is(http.StatusSeeOther)
	}
	b.get(draft + "/review").is(http.StatusOK).has("Without payload")
	b.finish(draft).is(http.StatusSeeOther)
	if w := only(t, must(t, s.store.Webhooks, s.account.ID), nil); !w.OmitPayload {
		t.Errorf("got %+v, want it without payload", w)
	}
}

func TestBasicInTheAPI(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	id := a.hook(t, "Basic", `,"basic_auth":"guide:river boat","payload":false`)
	kept := func() *webhook.Webhook {
		t.Helper()
		return only(t, must(t, a.store.Webhooks, a.account.ID), nil)
	}
	change := func(want int, body string) map[string]any {
		t.Helper()
		shown := a.call(t, want, "PATCH", "/api/v1/webhooks/"+id, body)
		if text, err := json.Marshal(shown); err != nil || strings.Contains(string(text), "Z3VpZGU6") || strings.Contains(string(text), "guide") {
			t.Errorf("got %s, %v", text, err)
		}
		return shown
	}
	if w := kept(); w.Basic != "Z3VpZGU6cml2ZXIgYm9hdA==" || !w.OmitPayload {
		t.Errorf("got %+v", w)
	}
	if shown := change(200, `{"name":"Other"}`); shown["has_basic_auth"] != true || shown["payload"] != false || kept().Basic == "" {
		t.Errorf("got %v", shown)
	}
	for value, want := range map[string]int{`7`: 422, `"schlüssel"`: 422, `"a\r\nb"`: 422, `"` + strings.Repeat("x", webhook.MaxBasic+1) + `"`: 422, `"dG9rZW4="`: 200} {
		if shown := change(want, `{"basic_auth":`+value+`}`); want == 422 && problems(shown)["basic_auth"] == nil {
			t.Errorf("%.20s: got %v", value, shown)
		}
	}
	if w := kept(); w.Basic != "dG9rZW4=" {
		t.Errorf("got %q", w.Basic)
	}
	change(422, `{"payload":"no"}`)
	for _, none := range []string{`null`, `""`} {
		change(200, `{"basic_auth":"dG9rZW4="}`)
		if shown := change(200, `{"basic_auth":`+none+`,"payload":true}`); shown["has_basic_auth"] != false || shown["payload"] != true || kept().Basic != "" {
			t.Errorf("%s: got %v", none, shown)
		}
	}
}
