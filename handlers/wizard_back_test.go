package handlers_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"bookhook/webhook"
)

// going is the form of a step, posted by a button that goes to another step.
func going(form url.Values, to webhook.Step) url.Values {
	form.Set("go", string(to))
	return form
}

func TestWizardBackSaves(t *testing.T) {
	t.Parallel()
	s := newWizard(t)
	b := s.signIn(anna)
	draft := b.begin()
	b.walk(draft, webhook.StepName)
	b.post(draft+"/name", going(url.Values{"name": {""}, "url": {""}, "format": {"standard"}}, webhook.StepType)).is(http.StatusSeeOther)
	b.get(draft+"/name").is(http.StatusOK).lacks("There is a problem", "Enter a name.") // nothing was typed
	form := steps()[webhook.StepName]
	form.Set("url", "ftp://example.com")
	if got := b.post(draft+"/name", going(form, webhook.StepType)).is(http.StatusSeeOther).location; got != draft+"/type" {
		t.Errorf("back from a step with a problem: got %s", got)
	}
	b.get(draft+"/name").is(http.StatusOK).has(`value="ftp://example.com"`, `value="Büro 🦭"`, "http:// URLs only")
	if got := b.post(draft+"/type", steps()[webhook.StepType]).location; got != draft+"/name" {
		t.Errorf("forward again: got %s", got)
	}
	b.walk(draft, webhook.StepTours)
	b.post(draft+"/tours", going(steps()[webhook.StepTours], webhook.StepEvents))
	if got := b.get(draft + "/review").location; got != draft+"/tours" {
		t.Errorf("the review before the tours were passed: got %s", got)
	}
	b.walk(draft, webhook.StepReview)
	form = steps()[webhook.StepTours]
	form.Set("tours_mode", "all")
	if got := b.post(draft+"/tours", going(form, webhook.StepEvents)).location; got != draft+"/events" {
		t.Errorf("over the step bar: got %s", got)
	}
	none := url.Values{"all_events": {"0"}, "events": {""}}
	b.post(draft+"/events", going(none, webhook.StepTours)).is(http.StatusUnprocessableEntity).has("Choose at least one event")
	if got := b.post(draft+"/events", going(steps()[webhook.StepEvents], webhook.StepReview)).location; got != draft+"/review" {
		t.Errorf("forward over the step bar: got %s", got)
	}
	b.get(draft+"/review").has("for any tour,", `href="`+draft+`/tours"`)
	b.post(draft+"/name", going(steps()[webhook.StepName], "nowhere")).is(http.StatusSeeOther)
}

// shown is the version of the step on the page.
func (b *browser) shown(address string) string {
	b.Helper()
	return b.get(address).is(http.StatusOK).find(`name="version" value="(\d+)"`)
}

func named(name, version string) url.Values {
	form := steps()[webhook.StepName]
	form.Set("name", name)
	form.Set("version", version)
	return form
}

func TestWizardTabWouldOverwrite(t *testing.T) {
	t.Parallel()
	s := newWizard(t)
	one, two := s.signIn(anna), s.signIn(berta)
	draft := one.begin()
	one.walk(draft, webhook.StepReview)
	seen := one.shown(draft + "/name")
	two.post(draft+"/name", named("Books", two.shown(draft+"/name"))).is(http.StatusSeeOther)

	secret := named("Ledger", seen)
	secret.Set("basic", "till:secret")
	one.post(draft+"/name", secret).is(http.StatusConflict).has(berta+" changed this step", "Ledger", "Books", "Use what I typed here", "again").lacks("secret")
	p := one.post(draft+"/name", named("Ledger", seen)).is(http.StatusConflict).has(`value="Ledger"`, "Use the other", `href="`+draft+`/name"`)
	two.get(draft + "/name").has(`value="Books"`).lacks("Ledger")
	one.post(draft+"/name", going(named("Ledger", seen), webhook.StepType)).is(http.StatusConflict) // Back, too

	now := p.find(`name="version" value="(\d+)"`)
	two.post(draft+"/name", named("Books 2", now)).is(http.StatusSeeOther)
	one.post(draft+"/name", named("Ledger", now)).is(http.StatusConflict).has("Books 2") // changed once more
	one.post(draft+"/name", named("Ledger", one.shown(draft+"/name"))).is(http.StatusSeeOther)
	one.get(draft + "/review").has("Ledger")
	one.post(draft+"/name", named("Books 3", "0")).is(http.StatusConflict).has("You changed this step in another tab")
}

// A tab that overwrites nothing is not asked about.
func TestWizardTabsBesideEachOther(t *testing.T) {
	t.Parallel()
	s := newWizard(t)
	one, two := s.signIn(anna), s.signIn(anna)
	draft := one.begin()
	one.walk(draft, webhook.StepReview)
	events, name := one.shown(draft+"/events"), one.shown(draft+"/name")
	two.post(draft+"/name", named("Books", name)).is(http.StatusSeeOther)
	form := steps()[webhook.StepEvents]
	form.Set("version", events)
	one.post(draft+"/events", form).is(http.StatusSeeOther)
	one.post(draft+"/name", named("Books", name)).is(http.StatusSeeOther) // the same was typed in both
	d := only(t, must(t, s.store.Drafts, s.account.ID), nil)
	if version := one.version(draft); d.Version() != version || d.Name != "Books" {
		t.Errorf("got %+v", d)
	}
}

func TestWizardLookingChangesNothing(t *testing.T) {
	t.Parallel()
	s := newWizard(t)
	b := s.signIn(anna)
	w := s.hook(hookURL)
	draft := strings.TrimSuffix(b.post("/webhooks/"+w.ID.String()+"/edit", nil).location, "/review")
	before := b.version(draft)
	form := url.Values{"name": {w.Name}, "url": {w.URL}, "format": {string(w.Format)}, "version": {"0"}}
	b.post(draft+"/name", going(form, webhook.StepType)).is(http.StatusSeeOther)
	if after := b.version(draft); after != before {
		t.Errorf("the draft was saved: %s, %s", before, after)
	}
	b.get("/webhooks").lacks("Changes to a webhook")
}

func TestReviewSaysWhatWasChanged(t *testing.T) {
	t.Parallel()
	s := newWizard(t)
	one, two := s.signIn(anna), s.signIn(berta)
	draft := one.begin()
	one.walk(draft, webhook.StepReview)
	seen := url.Values{"version": {one.version(draft)}}
	two.post(draft+"/name", named("Books", two.shown(draft+"/name"))).is(http.StatusSeeOther)
	one.post(draft+"/review", seen).is(http.StatusConflict).has(berta + " changed “Name and URL”.")
}

func TestEditedWebhookWasChanged(t *testing.T) {
	t.Parallel()
	s := newWizard(t)
	b := s.signIn(anna)
	w := s.hook(hookURL)
	draft := strings.TrimSuffix(b.post("/webhooks/"+w.ID.String()+"/edit", nil).location, "/review")
	b.post(draft+"/tours", steps()[webhook.StepTours]).is(http.StatusSeeOther)
	change := func(name string) {
		t.Helper()
		now, err := s.store.Webhook(t.Context(), s.account.ID, w.ID)
		s.check(err)
		now.Name = name
		_, err = s.store.UpdateWebhook(t.Context(), webhook.Update{Webhook: now}, webhook.Change{By: "API token till", At: time.Now()})
		s.check(err)
	}
	change("By the API")
	over := func(p page) url.Values {
		return url.Values{"version": {b.version(draft)}, "over": {p.find(`name="over" value="(\d+)"`)}}
	}
	told := b.get(draft+"/review").is(http.StatusOK).has("API token till changed this webhook", "By the API", "Kayak and Night Walk", "All tours", "Save this draft over it")
	first := over(told)
	b.finish(draft).is(http.StatusConflict).has("By the API")
	change("By the API, again")
	second := over(b.post(draft+"/review", first).is(http.StatusConflict).has("By the API, again"))
	b.post(draft+"/review", second).is(http.StatusSeeOther)
	got, err := s.store.Webhook(t.Context(), s.account.ID, w.ID)
	s.check(err)
	if got.Name != w.Name || got.Tours.Mode != webhook.Exclude {
		t.Errorf("got %+v", got.Config)
	}
}

func TestWizardRecommends(t *testing.T) {
	t.Parallel()
	s := newWizard(t)
	b := s.signIn(anna)
	draft := b.begin()
	b.walk(draft, webhook.StepName)
	p := b.get(draft+"/name").has("Signed JSON Recommended", "if your receiver was written for TourCMS webhooks")
	p.find(`(value="standard" checked)`)
	p.find(`(<details class="more">\s*<summary>View the request)`) // closed
}

// What is recommended to a synchronous webhook is what it can be asked about, also if
// the events were passed before its type was chosen.
func TestInlineRecommendsWhatItCanBeAsked(t *testing.T) {
	t.Parallel()
	s := newWizard(t)
	b := s.signIn(anna)
	draft := b.begin()
	b.walk(draft, webhook.StepEvents)
	b.post(draft+"/events", url.Values{"all_events": {"0"}, "events": {"cancelled", "new_confirmed_web", "new_confirmed_staff"}}).is(http.StatusSeeOther)
	b.post(draft+"/type", inlineSteps()[webhook.StepType]).is(http.StatusSeeOther)
	p := b.get(draft+"/events").is(http.StatusOK).lacks("There is a problem", "Booking cancelled")
	p.find(`(value="new_confirmed_staff" checked)`)
	p.find(`(value="new_confirmed_web" checked)`)
	b.post(draft+"/events", url.Values{"events": {"", "new_confirmed_web", "new_confirmed_staff"}}).is(http.StatusSeeOther)
	b.post(draft+"/type", steps()[webhook.StepType]).is(http.StatusSeeOther) // and back
	b.get(draft + "/events").find(`(value="cancelled" checked)`)
}
