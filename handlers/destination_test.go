package handlers_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"bookhook/webhook"
)

const storedForAnother = "The stored value was given for another scheme, host or port. Enter it again for this URL, or remove it."

// stranger is a server that was never given a secret; it passes on the
// Authorization header of all requests to it, those of URL checks included.
func stranger(t testing.TB) (address string, authorizations chan string) {
	t.Helper()
	authorizations = make(chan string, 100)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		authorizations <- r.Header.Get("Authorization")
	}))
	t.Cleanup(server.Close)
	return server.URL, authorizations
}

// basicDraft posts the name step of a draft.
func (b *browser) basicDraft(draft, address string, more ...string) page {
	b.Helper()
	form := url.Values{"name": {"Basic"}, "url": {address}, "format": {"native"}, "basic": {""}}
	for i := 0; i < len(more); i += 2 {
		form.Set(more[i], more[i+1])
	}
	return b.post(draft+"/name", form)
}

// version is what the review of a draft posts.
func (s *site) version(draft string) string {
	s.Helper()
	for _, d := range must(s, s.store.Drafts, s.account.ID) {
		if strings.HasSuffix(draft, d.ID.String()) {
			return d.Version()
		}
	}
	s.Fatalf("there is no draft %s", draft)
	return ""
}

func TestBasicStaysWithItsDestinationInTheWizard(t *testing.T) {
	t.Parallel()
	s := newWizard(t)
	r := newReceiver(t, 200)
	other, got := stranger(t)
	b := s.signIn(anna)
	const encoded = "Z3VpZGU6cml2ZXIgYm9hdA=="
	newDraft := b.begin()
	b.post(newDraft+"/type", steps()[webhook.StepType]).is(http.StatusSeeOther)
	b.basicDraft(newDraft, r.URL, "basic", encoded).is(http.StatusSeeOther)
	for _, step := range []webhook.Step{webhook.StepEvents, webhook.StepChannels, webhook.StepTours} {
		b.post(newDraft+"/"+string(step), steps()[step]).is(http.StatusSeeOther)
	}
	w := s.hook(r.URL, func(w *webhook.Webhook) { w.Basic, w.AllEvents, w.Events = encoded, false, []string{"cancelled"} })
	for _, draft := range []string{newDraft, strings.TrimSuffix(b.post("/webhooks/"+w.ID.String()+"/edit", nil).location, "/review")} {
		b.basicDraft(draft, r.URL+"/other").is(http.StatusSeeOther)
		b.post(draft+"/test", nil).is(http.StatusOK).has("The test arrived")
		if sent := arrived(t, r.got); sent.Header.Get("Authorization") != "Basic "+encoded || sent.URL.Path != "/other" {
			t.Errorf("another path got %v", sent.Request)
		}
		for range 2 { // what was refused once is not kept for the next time
			b.basicDraft(draft, other).is(http.StatusUnprocessableEntity).has(storedForAnother, "Stop sending Basic authentication").lacks("keep the stored one", encoded)
			b.post(draft+"/test", nil).is(http.StatusUnprocessableEntity).has(storedForAnother)
			if p := b.post(draft+"/review", url.Values{"version": {s.version(draft)}}).is(http.StatusSeeOther); p.location != draft+"/name" {
				t.Errorf("saving it leads to %s, want the step of the refusal", p.location)
			}
		}
		b.post(draft+"/check-url", url.Values{"url": {other}}).is(http.StatusOK)
		if sent := arrived(t, got); sent != "" {
			t.Errorf("the check of the URL sent %q", sent)
		}
		b.basicDraft(draft, "http://", "basic", "bmV3").is(http.StatusUnprocessableEntity).has("names no host", "Basic authentication is not shown again: enter it once more.")
		b.basicDraft(draft, other).is(http.StatusUnprocessableEntity).has(storedForAnother)
		if len(got) > 0 {
			t.Fatalf("a refused test sent %q", <-got)
		}
		b.basicDraft(draft, other, "basic", "bmV3").is(http.StatusSeeOther) // given again
		b.post(draft+"/test", nil).is(http.StatusOK).has("The test arrived")
		if sent := arrived(t, got); sent != "Basic bmV3" {
			t.Errorf("got %q, want the value given for this server", sent)
		}
		b.basicDraft(draft, r.URL, "basic_off", "1").is(http.StatusSeeOther) // removed
		b.basicDraft(draft, other).is(http.StatusSeeOther)
		b.post(draft+"/test", nil).is(http.StatusOK).has("The test arrived")
		if sent := arrived(t, got); sent != "" {
			t.Errorf("got %q, want none", sent)
		}
		b.finish(draft).is(http.StatusSeeOther)
	}
	for _, w := range must(t, s.store.Webhooks, s.account.ID) {
		if w.URL != other || w.Basic != "" {
			t.Errorf("got %+v", w)
		}
	}
}

func TestBasicStaysWithItsDestinationInTheAPI(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	other, got := stranger(t)
	path := "/api/v1/webhooks/" + a.hook(t, "Basic", `,"basic_auth":"dG9rZW4="`)
	secure := "https" + strings.TrimPrefix(a.receiver.URL, "http")
	capitals := strings.Replace(a.receiver.URL, "http", "HTTP", 1)
	for _, tt := range []struct {
		want   int
		change string
	}{
		{422, `"url":"` + other + `"`},
		{422, `"url":"` + secure + `"`},
		{422, `"url":"` + other + `","name":"Other","enabled":false`},
		{200, `"url":"` + a.receiver.URL + `/other?path=1"`},
		{200, `"url":"` + capitals + `"`},
		{200, `"url":"` + other + `","basic_auth":"bmV3"`},
		{422, `"url":"` + a.receiver.URL + `"`}, // to where it was: its value is another by now
		{200, `"basic_auth":null,"url":"` + a.receiver.URL + `"`},
		{200, `"url":"` + other + `"`}, // without a value
		{200, `"basic_auth":"dG9rZW4="`},
		{422, `"url":"` + a.receiver.URL + `"`},
		{200, `"url":"` + a.receiver.URL + `","basic_auth":""`},
	} {
		before := only(t, must(t, a.store.Webhooks, a.account.ID), nil)
		shown := a.call(t, tt.want, "PATCH", path, `{`+tt.change+`}`)
		if tt.want == 200 {
			continue
		}
		if wrong := problems(shown); len(wrong) != 1 || wrong["basic_auth"] != storedForAnother {
			t.Errorf("%s: got %v", tt.change, wrong)
		}
		if w := only(t, must(t, a.store.Webhooks, a.account.ID), nil); w.URL != before.URL || w.Basic != before.Basic || w.Enabled != before.Enabled {
			t.Errorf("%s: was stored", tt.change)
		}
	}
	if len(got) > 0 {
		t.Errorf("the other server got %q", <-got)
	}
}

func TestAPIKeyStaysWithItsDestination(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.signIn(anna)
	const refused = "API key was stored for another scheme, host or port. Enter it again for this address, or remove it."
	save := func(want int, key, address string, more ...string) page {
		t.Helper()
		return b.post(platformsPage+"/tourcms/settings", url.Values{"api_key": {key}, "api_url": {address}, "remove": more}).is(want)
	}
	stored := func(key, address string) {
		t.Helper()
		if got := s.connection("tourcms").Settings; got["api_key"] != key || got["api_url"] != address {
			t.Errorf("stored %v, want %s for %q", got, key, address)
		}
	}
	save(303, "S3CR3T", "")
	save(303, "", "HTTPS://API.tourcms.com:443/v2") // the default in another spelling
	stored("S3CR3T", "HTTPS://API.tourcms.com:443/v2")
	for _, address := range []string{"http://api.tourcms.com", "https://api.tourcms.com:8443", "https://evil.example"} {
		save(422, "", address).has(refused, address).lacks("S3CR3T")
		save(422, "", address, "marketplace_id") // something else is removed
	}
	save(422, "", "evil.example").has("Begin the URL with https://").lacks(refused)
	stored("S3CR3T", "HTTPS://API.tourcms.com:443/v2")
	save(303, "OTHER", "https://other.example")
	stored("OTHER", "https://other.example")
	save(422, "", "").has(refused) // back to the default
	save(303, "", "", "api_key")
	stored("", "")
	save(303, "", "https://evil.example")
	save(303, "S3CR3T", "https://evil.example")
	save(422, "", "https://api.tourcms.com").has(refused)
}
