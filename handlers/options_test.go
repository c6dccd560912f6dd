package handlers_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"reflect"
	"strings"
	"testing"

	"bookhook/webhook"
)

// apiNames are the names of options that the API calls otherwise; "" for what it
// does not show.
var apiNames = map[string]string{
	"kind": "type", "all_events": "events", "rate": "rate_limit", "basic": "basic_auth", "omit_payload": "payload",
	"contact_email": "", // of Prioticket's API, which has it as webhook_email
}

// TestEveryOptionIsEverywhere holds each field of webhook.Config against the
// places that an option is written down in: the API reads and shows it, its
// description has it, and a step of the wizard has an input for it.
func TestEveryOptionIsEverywhere(t *testing.T) {
	t.Parallel()
	s := newWizard(t)
	_, err := s.store.SwitchPlatform(t.Context(), s.account.ID, "prioticket", true, change()) // which can leave out the payload
	s.check(err)
	b := s.signIn(anna)
	draft := b.begin()
	b.walk(draft, webhook.StepReview)
	wizard := map[string]string{} // step → its page
	for _, step := range webhook.Steps {
		wizard[string(step)] = b.get(draft + "/" + string(step)).text
	}
	hook := s.hook(nowhere)
	token := s.token(s.account.ID)
	call := func(method, body string) map[string]any {
		request := s.anonymous().request(method, "/api/v1/webhooks/"+hook.ID.String(), body)
		request.Header.Set("Authorization", "Bearer "+token)
		request.Header.Set("Content-Type", "application/json")
		var shown map[string]any
		s.check(json.Unmarshal([]byte(s.anonymous().do(request).text), &shown))
		return shown
	}
	shown := call(http.MethodGet, "")
	description, err := os.ReadFile("api/openapi.json")
	s.check(err)
	for _, field := range reflect.VisibleFields(reflect.TypeFor[webhook.Config]()) {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		api, renamed := apiNames[name]
		if !renamed {
			api = name
		}
		if api == "" {
			continue
		}
		if _, has := shown[api]; !has && shown["has_"+api] == nil {
			t.Errorf("%s: the API does not show %s", name, api)
		}
		if problem, _ := problems(call(http.MethodPatch, `{"`+api+`":{"x":1}}`))[api].(string); strings.Contains(problem, "no field") {
			t.Errorf("%s: the API does not read %s", name, api)
		}
		if !strings.Contains(string(description), `"`+api+`"`) {
			t.Errorf("%s: openapi.json has no %s", name, api)
		}
		step := field.Tag.Get("step")
		if page := wizard[step]; !strings.Contains(page, `name="`+name+`"`) && !strings.Contains(page, `name="`+name+`_`) {
			t.Errorf("%s: the step %q of the wizard has no input of this name", name, step)
		}
	}
}

// TestFormsChangeWhatTheyContain: a form changes the fields of its step that were
// posted, and no others.
func TestFormsChangeWhatTheyContain(t *testing.T) {
	t.Parallel()
	s := newWizard(t)
	b := s.signIn(anna)
	draft := b.begin()
	b.walk(draft, webhook.StepReview)
	before := only(t, must(t, s.store.Drafts, s.account.ID), nil)
	b.post(draft+"/type", url.Values{"kind": {"async"}}).is(http.StatusSeeOther)
	b.post(draft+"/name", url.Values{
		"name": {"Other"}, "kind": {"inline"}, "concurrency": {"99"}, "tours_mode": {"exclude"}, "contact_email": {"carla@example.com"},
	}).is(http.StatusSeeOther)
	before.Name = "Other"
	if after := only(t, must(t, s.store.Drafts, s.account.ID), nil); !reflect.DeepEqual(after.Config, before.Config) {
		t.Errorf("got  %+v\nwant %+v", after.Config, before.Config)
	}
	b.post(draft+"/type", url.Values{"ordered": {"0", "1"}, "concurrency": {"3"}}).is(http.StatusSeeOther)
	b.post(draft+"/type", url.Values{"ordered": {"0"}}).is(http.StatusSeeOther)
	before.Ordered, before.Concurrency = false, 3
	if after := only(t, must(t, s.store.Drafts, s.account.ID), nil); !reflect.DeepEqual(after.Config, before.Config) {
		t.Errorf("got  %+v\nwant %+v", after.Config, before.Config)
	}
}
