package handlers_test

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"bookhook/webhook"
)

const hookURL = "https://hooks.example.com/bookings"

// steps are the forms of a wizard that ends well, in their order.
func steps() map[webhook.Step]url.Values {
	return map[webhook.Step]url.Values{
		webhook.StepType:     {"kind": {"async"}, "concurrency": {"8"}, "ordered": {"1"}},
		webhook.StepName:     {"name": {"Büro 🦭"}, "url": {"https://hooks.example.com/bookings?key=a%20b"}, "format": {"native"}},
		webhook.StepEvents:   {"all_events": {"0"}, "events": {"new_confirmed_web", "cancelled"}},
		webhook.StepChannels: {"channels_mode": {"include"}, "channels": {"3930"}},
		webhook.StepTours:    {"tours_mode": {"exclude"}, "tours": {"15"}, "tours_paste": {"12\r\n"}},
	}
}

// newWizard is a site with channels and tours.
func newWizard(t testing.TB) *site {
	s := newSite(t)
	s.putItems(webhook.Channels, webhook.Item{ID: "3930", Name: "Website"}, webhook.Item{ID: "3931", Name: "Viator"})
	s.putItems(webhook.Tours, webhook.Item{ID: "12", Name: "Kayak"}, webhook.Item{ID: "15", Name: "Night Walk"})
	return s
}

// begin begins a draft and returns its address without the step.
func (b *browser) begin() string {
	b.Helper()
	location := b.post("/webhooks/new", nil).is(http.StatusSeeOther).location
	draft, found := strings.CutSuffix(location, "/type")
	if !found {
		b.Fatalf("a draft begins at %s", location)
	}
	return draft
}

// walk goes through the steps up to the given one, which is left to the test.
func (b *browser) walk(draft string, to webhook.Step) {
	b.Helper()
	for _, step := range webhook.Steps[:slices.Index(webhook.Steps, to)] {
		p := b.post(draft+"/"+string(step), steps()[step]).is(http.StatusSeeOther)
		if want := draft + "/" + string(step.Next()); p.location != want {
			b.Fatalf("after %s: got %s, want %s", step, p.location, want)
		}
	}
}

func TestWizardForwards(t *testing.T) {
	t.Parallel()
	s := newWizard(t)
	b := s.signIn(anna)
	draft := b.begin()
	b.get(draft+"/type").is(http.StatusOK).has("Asynchronous (post-booking) webhook", "Step 1 of 6")
	b.walk(draft, webhook.StepReview)
	b.get(draft+"/review").is(http.StatusOK).has(
		"When a booking is confirmed (web/API) or is cancelled, on the Website channel, for any tour except Kayak and Night Walk",
		"webhook 1 of 10")
	p := b.finish(draft).is(http.StatusSeeOther)

	w := only(t, must(t, s.store.Webhooks, s.account.ID), nil)
	if p.location != "/webhooks/"+w.ID.String()+"/signing" {
		t.Errorf("got %s", p.location)
	}
	if w.Name != "Büro 🦭" || w.URL != "https://hooks.example.com/bookings?key=a%20b" || w.Format != webhook.Native || !w.Enabled || w.Concurrency != 8 ||
		!slices.Equal(w.Events, []string{"cancelled", "new_confirmed_web"}) ||
		w.Channels.Mode != webhook.Include || !slices.Equal(w.Channels.IDs, []string{"3930"}) ||
		w.Tours.Mode != webhook.Exclude || !slices.Equal(w.Tours.IDs, []string{"12", "15"}) {
		t.Errorf("got %+v", w)
	}
	b.get(p.location).is(http.StatusOK).has(w.Secret, "is on and receives new events", "I have stored it")
	b.get(p.location).is(http.StatusOK).lacks(w.Secret, "receives new events from now on")
	b.get("/webhooks/"+w.ID.String()).is(http.StatusOK).has("Waiting for the first delivery", "Does the receiver have the signing secret?").lacks(w.Secret)
	b.get(draft + "/review").is(http.StatusNotFound).has("This draft no longer exists")
	b.post(draft+"/review", nil).is(http.StatusNotFound)
}

// must calls a list method of the store.
func must[T any](t testing.TB, list func(ctx context.Context, account webhook.AccountID) ([]T, error), account webhook.AccountID) []T {
	t.Helper()
	items, err := list(t.Context(), account)
	if err != nil {
		t.Fatal(err)
	}
	return items
}

func TestWizardStepsInOrder(t *testing.T) {
	t.Parallel()
	s := newWizard(t)
	b := s.signIn(anna)
	draft := b.begin()
	b.get(draft + "/nowhere").is(http.StatusNotFound)
	b.post(draft+"/nowhere", nil).is(http.StatusNotFound)
	for _, step := range webhook.Steps[1:] {
		if p := b.get(draft + "/" + string(step)).is(http.StatusSeeOther); p.location != draft+"/type" {
			t.Errorf("%s: got %s", step, p.location)
		}
		if step == webhook.StepReview { // whoever looked at it finds it changed
			b.post(draft+"/review", nil).is(http.StatusConflict).has("Enter a name.", "No webhook was created yet")
			continue
		}
		if p := b.post(draft+"/"+string(step), steps()[step]).is(http.StatusSeeOther); p.location != draft+"/type" {
			t.Errorf("post %s: got %s", step, p.location)
		}
	}
	b.walk(draft, webhook.StepEvents)
	if p := b.get(draft + "/review").is(http.StatusSeeOther); p.location != draft+"/events" {
		t.Errorf("got %s", p.location)
	}
}

func TestWizardBack(t *testing.T) {
	t.Parallel()
	s := newWizard(t)
	b := s.signIn(anna)
	draft := b.begin()
	b.walk(draft, webhook.StepChannels)
	b.get(draft+"/name").is(http.StatusOK).has(`value="Büro 🦭"`, `value="https://hooks.example.com/bookings?key=a%20b"`)
	if got := b.post(draft+"/name", steps()[webhook.StepName]).location; got != draft+"/events" {
		t.Errorf("from a step in the middle: got %s, want the next one", got)
	}
	b.walk(draft, webhook.StepReview)
	changed := steps()[webhook.StepTours]
	changed.Set("tours_mode", "all")
	if got := b.post(draft+"/tours", changed).location; got != draft+"/review" {
		t.Errorf("with all steps done: got %s, want the review", got)
	}
	b.get(draft + "/review").has("for any tour,")
	b.get(draft+"/tours").has("Kayak", "Night Walk")
}

func TestWizardInvalid(t *testing.T) {
	t.Parallel()
	s := newWizard(t)
	b := s.signIn(anna)
	draft := b.begin()
	b.walk(draft, webhook.StepReview)
	long := "https://example.com/" + strings.Repeat("a", 3000)
	for _, c := range []struct {
		step    webhook.Step
		field   string
		value   string
		problem string
	}{
		{webhook.StepType, "kind", "inline", "from 1 to 25"},
		{webhook.StepType, "kind", "", "Choose the type"},
		{webhook.StepType, "concurrency", "many", "from 1 to 256"},
		{webhook.StepType, "concurrency", "257", "from 1 to 256"},
		{webhook.StepType, "concurrency", "99999999999999999999", "from 1 to 256"},
		{webhook.StepName, "name", "", "Enter a name."},
		{webhook.StepName, "name", strings.Repeat("🦭", 101), "at most 100"},
		{webhook.StepName, "url", "", "Enter the URL to call"},
		{webhook.StepName, "url", "ftp://example.com/🦭", "http:// URLs only"},
		{webhook.StepName, "url", "https:///bookings", "names no host"},
		{webhook.StepName, "url", "https://anna:secret@example.com/", "Remove the user name"},
		{webhook.StepName, "url", "https://example.com:0/", "from 1 to 65535"},
		{webhook.StepName, "url", long, "more than 2000 characters"},
		{webhook.StepName, "url", "https://example.com/?a=1#top", "from # on"},
		{webhook.StepName, "url", "https://10.0.0.1/hook", "a private address"},
		{webhook.StepName, "url", "https://[::1]/hook", "a loopback address"},
		{webhook.StepName, "format", "xml", "Choose the format"},
		{webhook.StepEvents, "events", "", "Choose at least one event"},
		{webhook.StepEvents, "events", "renamed", "There is no event renamed"},
		{webhook.StepChannels, "channels", "nine", "no channel with the id nine"},
		{webhook.StepChannels, "channels_mode", "exclude", "Choose one of: all, include"},
		{webhook.StepTours, "tours_paste", "12, 99;77\n🦭", "no tour with the id 77, 99, 🦭"},
		{webhook.StepTours, "tours_mode", "some", "Choose one of"},
	} {
		form := maps.Clone(steps()[c.step])
		form[c.field] = []string{c.value}
		if c.value == "inline" {
			form.Set("time_limit", "")
		}
		shown := b.post(draft+"/"+string(c.step), form).is(http.StatusUnprocessableEntity).has(c.problem)
		again := b.get(draft + "/" + string(c.step)).is(http.StatusOK)
		switch c.field {
		case "name", "url", "tours_paste":
			shown.has(c.value)
		case "concurrency":
			shown.has(`value="` + c.value + `"`)
		}
		if c.field == "name" || c.field == "url" {
			again.has(c.value)
		}
		if got := b.get(draft + "/review"); got.location != draft+"/"+string(c.step) {
			t.Errorf("%s %s=%s: the review is at %q", c.step, c.field, c.value, got.location)
		}
		if got := b.post(draft+"/"+string(c.step), steps()[c.step]).location; got != draft+"/review" {
			t.Errorf("%s corrected: got %s", c.step, got)
		}
	}
	if all := must(t, s.store.Webhooks, s.account.ID); len(all) != 0 {
		t.Errorf("got %d webhooks", len(all))
	}
}

func TestWizardNothingChosen(t *testing.T) {
	t.Parallel()
	s := newWizard(t)
	b := s.signIn(anna)
	draft := b.begin()
	b.walk(draft, webhook.StepReview)
	for step, form := range map[webhook.Step]url.Values{
		webhook.StepEvents:   {"events": {""}},
		webhook.StepChannels: {"channels_mode": {"include"}},
		webhook.StepTours:    {"tours_mode": {"exclude"}},
	} {
		b.post(draft+"/"+string(step), form).is(http.StatusUnprocessableEntity).has("Choose at least one")
		b.post(draft+"/"+string(step), steps()[step]).is(http.StatusSeeOther)
	}
}

func TestWizardTakesInternationalHosts(t *testing.T) {
	t.Parallel()
	s := newWizard(t)
	b := s.signIn(anna)
	draft := b.begin()
	b.walk(draft, webhook.StepName)
	form := steps()[webhook.StepName]
	form.Set("url", " https://bücher.example/straße?a=ü ")
	b.post(draft+"/name", form).is(http.StatusSeeOther)
	b.get(draft + "/name").has(`value="https://bücher.example/straße?a=ü"`)
}

// Ids that are in no list come back as pasted when the step is opened again.
func TestWizardKeepsPastedIDs(t *testing.T) {
	t.Parallel()
	s := newWizard(t)
	b := s.signIn(anna)
	draft := b.begin()
	b.walk(draft, webhook.StepTours)
	p := b.post(draft+"/tours", url.Values{"tours_mode": {"include"}, "tours_paste": {"12 98\n99"}}).is(http.StatusUnprocessableEntity)
	if got := p.find(`(?s)<textarea[^>]*>([^<]*)</textarea>`); got != "12 98\n99" {
		t.Errorf("got %q", got)
	}
	p = b.get(draft + "/tours")
	if got := p.find(`(?s)<textarea[^>]*>([^<]*)</textarea>`); got != "98\n99" {
		t.Errorf("on the next visit: got %q", got)
	}
	p.find(`(value="12" checked)`)
}

func TestWizardReviewNamesOtherSteps(t *testing.T) {
	t.Parallel()
	s := newWizard(t)
	b := s.signIn(anna)
	draft := b.begin()
	b.walk(draft, webhook.StepReview)
	d := only(t, must(t, s.store.Drafts, s.account.ID), nil)
	d.URL, d.Tours.IDs = "https://192.168.0.1/", []string{"404"}
	_, err := s.store.SaveDraft(t.Context(), d, time.Now())
	s.check(err)
	b.finish(draft).is(http.StatusUnprocessableEntity).has(
		`href="`+draft+`/name#f-url"`, "a private address", `href="`+draft+`/tours#f-tours"`, "no tour with the id 404")
}

func TestWizardResume(t *testing.T) {
	t.Parallel()
	s := newWizard(t)
	b := s.signIn(anna)
	draft := b.begin()
	b.get("/webhooks").lacks("Drafts")
	b.walk(draft, webhook.StepEvents)
	s.run([]time.Duration{0}) // a second program on the same database, as after a restart
	b = s.signIn(berta)
	b.get("/webhooks").has("Drafts", "Büro 🦭", `href="`+draft+`/events"`)
	for _, step := range webhook.Steps[2:5] {
		b.post(draft+"/"+string(step), steps()[step]).is(http.StatusSeeOther)
	}
	b.finished(draft).has("Büro 🦭", "Copy it now")
}

func TestWizardBeginsOnce(t *testing.T) {
	t.Parallel()
	s := newWizard(t)
	b := s.signIn(anna)
	draft := b.begin()
	for range 3 {
		if got := b.get("/webhooks/new").is(http.StatusSeeOther).location; got != draft+"/type" {
			t.Errorf("got %s, want the untouched draft", got)
		}
	}
	b.walk(draft, webhook.StepName)
	if again := b.begin(); again == draft {
		t.Error("a draft that was touched was taken for a new one")
	}
	if got := len(must(t, s.store.Drafts, s.account.ID)); got != 2 {
		t.Errorf("got %d drafts, want 2", got)
	}
}

func TestWizardThrowAway(t *testing.T) {
	t.Parallel()
	s := newWizard(t)
	b := s.signIn(anna)
	draft := b.begin()
	b.follow(draft+"/delete", nil).has("The draft was discarded")
	b.post(draft+"/delete", nil).is(http.StatusNotFound)
	w := s.hook(hookURL)
	edit := b.post("/webhooks/"+w.ID.String()+"/edit", nil).is(http.StatusSeeOther).location
	b.follow(strings.TrimSuffix(edit, "review")+"delete", nil).has("The webhook is unchanged", w.Name)
}

func TestWizardTwoTabs(t *testing.T) {
	t.Parallel()
	s := newWizard(t)
	one, two := s.signIn(anna), s.signIn(anna)
	draft := one.begin()
	one.walk(draft, webhook.StepChannels)
	two.walk(draft, webhook.StepReview)
	form := steps()[webhook.StepName]
	form.Set("name", "From the first tab")
	one.post(draft+"/name", form).is(http.StatusSeeOther)
	two.get(draft+"/review").has("From the first tab", "Website channel")
	two.finish(draft).is(http.StatusSeeOther)
	one.post(draft+"/events", steps()[webhook.StepEvents]).is(http.StatusNotFound).has("its webhook is in the list")
}

func TestWizardEdit(t *testing.T) {
	t.Parallel()
	s := newWizard(t)
	b := s.signIn(anna)
	w := s.hook(hookURL, func(w *webhook.Webhook) { w.URL = "https://hooks.example.com/old" })
	review := b.post("/webhooks/"+w.ID.String()+"/edit", nil).is(http.StatusSeeOther).location
	if again := b.post("/webhooks/"+w.ID.String()+"/edit", nil).location; again != review {
		t.Errorf("an untouched edit was not taken up again: %s, %s", review, again)
	}
	draft := strings.TrimSuffix(review, "/review")
	b.get("/webhooks").lacks("Drafts")
	b.get(draft+"/name").has("Edit Accounting", `value="https://hooks.example.com/old"`)
	if got := b.post(draft+"/name", steps()[webhook.StepName]).location; got != review {
		t.Errorf("got %s, want the review", got)
	}
	b.get("/webhooks").has("Changes to a webhook")
	b.get(review).has("Save changes", "anything happens to a booking")
	b.finished(draft).has("Your changes are saved", "Büro 🦭").lacks("Copy it now", w.Secret)
	got, err := s.store.Webhook(t.Context(), s.account.ID, w.ID)
	s.check(err)
	if got.Name != "Büro 🦭" || got.Secret != w.Secret || !got.AllEvents || !got.CreatedAt.Equal(w.CreatedAt) {
		t.Errorf("got %+v", got)
	}
	if drafts := must(t, s.store.Drafts, s.account.ID); len(drafts) != 0 {
		t.Errorf("got %d drafts", len(drafts))
	}
}

func TestWizardConflict(t *testing.T) {
	t.Parallel()
	s := newWizard(t)
	a, b := s.signIn(anna), s.signIn(berta)
	w := s.hook(hookURL, func(w *webhook.Webhook) { w.URL = "https://hooks.example.com/old" })
	edit := func(b *browser, name string) string {
		draft := strings.TrimSuffix(b.post("/webhooks/"+w.ID.String()+"/edit", nil).location, "/review")
		form := steps()[webhook.StepName]
		form.Set("name", name)
		b.post(draft+"/name", form).is(http.StatusSeeOther)
		return draft
	}
	slow, fast := edit(a, "Slow"), edit(b, "Fast")
	b.finish(fast).is(http.StatusSeeOther)
	a.finish(slow).is(http.StatusConflict).has(berta+" changed this webhook", "Start again from there", `href="/webhooks/`+w.ID.String()+`"`, "Slow")
	a.get(slow + "/review").is(http.StatusOK).has("Slow")
	again := edit(a, "Slow again")
	a.finished(again).has("Slow again")
}

func TestWizardAtTheLimit(t *testing.T) {
	t.Parallel()
	s := newWizard(t)
	b := s.signIn(anna)
	draft := b.begin()
	b.walk(draft, webhook.StepReview)
	var last *webhook.Webhook
	for i := range 10 {
		last = s.hook(fmt.Sprintf("https://example.com/%d", i), func(w *webhook.Webhook) { w.Enabled = i > 3 })
	}
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		b.do(b.request(method, "/webhooks/new", "")).is(http.StatusConflict).has("10 of 10", "Webhooks that are off count").lacks("Create new booking webhook")
	}
	b.finish(draft).is(http.StatusConflict).has("There is a problem", "may have 10 asynchronous webhooks", "All 10 webhooks of your account are used", "Büro 🦭")
	if got := len(must(t, s.store.Drafts, s.account.ID)); got != 1 {
		t.Errorf("got %d drafts, want the one that could not be finished", got)
	}
	b.follow("/webhooks/"+last.ID.String()+"/delete", nil)
	b.finished(draft).has("Büro 🦭")
}

func TestWizardFiftyAtOnce(t *testing.T) {
	t.Parallel()
	s := newWizard(t)
	b := s.signIn(anna)
	for i := range 9 {
		s.hook(fmt.Sprintf("https://example.com/%d", i))
	}
	var drafts []string
	for range 50 {
		draft := b.begin()
		b.walk(draft, webhook.StepReview)
		drafts = append(drafts, draft)
	}
	statuses := make(chan int, len(drafts))
	var posts sync.WaitGroup
	for _, draft := range drafts {
		posts.Go(func() { statuses <- b.finish(draft).status })
	}
	posts.Wait()
	close(statuses)
	count := map[int]int{}
	for status := range statuses {
		count[status]++
	}
	if count[http.StatusSeeOther] != 1 || count[http.StatusConflict] != 49 {
		t.Errorf("got %v, want one to win", count)
	}
	if got := len(must(t, s.store.Webhooks, s.account.ID)); got != 10 {
		t.Errorf("got %d webhooks", got)
	}
}

// What the examples show is what a receiver gets.
func TestWizardExamples(t *testing.T) {
	t.Parallel()
	s := newWizard(t)
	b := s.signIn(anna)
	draft := b.begin()
	b.walk(draft, webhook.StepName)
	query := "event=new_confirmed_staff&account_id=4069&account_name=River%20Tours%20%26%20S%C3%B6hne&channel_id=3931&booking_id=1234"
	b.get(draft+"/name").has("GET https://example.com/bookings?"+query, "POST https://example.com/bookings", "user-agent: bookhook/1.2.3",
		"webhook-signature: v1,<signature>", "content-type: application/json", `"tour_ids":["12"],"booking_id":"1234"`)
	b.walk(draft, webhook.StepReview)
	b.get(draft + "/review").has("GET https://hooks.example.com/bookings?key=a%20b&event=new_confirmed_web&account_id=4069&account_name=River%20Tours%20%26%20S%C3%B6hne&channel_id=3930&booking_id=1234").
		lacks("content-type: application/json")
}

// Each platform that is on calls in its own way.
func TestWizardExamplesOfPlatforms(t *testing.T) {
	t.Parallel()
	s := newWizard(t)
	for _, platform := range []string{"ltd", "prioticket"} {
		if _, err := s.store.SwitchPlatform(t.Context(), s.account.ID, platform, true, change()); err != nil {
			t.Fatal(err)
		}
	}
	b := s.signIn(anna)
	draft := b.begin()
	b.walk(draft, webhook.StepName)
	b.get(draft+"/name").has("Native call, TourCMS GET https://example.com/bookings?event=",
		"Native call, Prioticket POST https://example.com/bookings", `"notification_event":"ORDER_CREATE"`,
		"Native call, London Theatre Direct POST https://example.com/bookings", `"MessageType":`, "Signed JSON POST").lacks("Native call, Wink")
	b.walk(draft, webhook.StepReview)
	b.post(draft+"/events", url.Values{"events": {"prioticket:ORDER_CREATE", "cancelled"}}).is(http.StatusSeeOther)
	b.get(draft + "/review").has("When a booking is cancelled, or “Order created” (Prioticket) happens, on the Website channel")
}

// inlineSteps are the forms of a synchronous webhook.
func inlineSteps() map[webhook.Step]url.Values {
	forms := steps()
	forms[webhook.StepType] = url.Values{"kind": {"inline"}, "time_limit": {"12"}, "concurrency": {"8"}}
	forms[webhook.StepName].Del("format")
	forms[webhook.StepEvents] = url.Values{"events": {"new_temporary_web"}}
	return forms
}

func TestWizardInline(t *testing.T) {
	t.Parallel()
	s := newWizard(t)
	b := s.signIn(anna)
	draft := b.begin()
	b.walk(draft, webhook.StepReview)
	forms := inlineSteps()
	if got := b.post(draft+"/type", forms[webhook.StepType]).is(http.StatusSeeOther); got.location != draft+"/name" {
		t.Errorf("another type: got %s, want the next step", got.location)
	}
	b.get(draft+"/events").is(http.StatusOK).has("only after the booking is accepted", "Before which events should this webhook be asked?").lacks("All events")
	if got := b.get(draft + "/review"); got.location != draft+"/events" {
		t.Errorf("got %s, want the events that the other type does not have", got.location)
	}
	b.get(draft+"/name").has("POST https://hooks.example.com/bookings?key=a%20b&event=", "<signed>", "x-request-id: <a new UUID").lacks(`name="format"`)
	for _, step := range []webhook.Step{webhook.StepName, webhook.StepEvents} {
		b.post(draft+"/"+string(step), forms[step]).is(http.StatusSeeOther)
	}
	b.get(draft+"/review").is(http.StatusOK).has("Before a booking ", "Before a booking is started (web/API) on the Website channel, ", ", ask ", "12 seconds", " is a refusal.",
		"Synchronous (inline) webhook", "It does not count towards the limit of 10 webhooks")
	b.finish(draft).is(http.StatusSeeOther)
	w := only(t, must(t, s.store.Webhooks, s.account.ID), nil)
	if w.Kind != webhook.Inline || w.TimeLimit != 12 || w.Format != webhook.Native || w.Concurrency != webhook.DefaultConcurrency {
		t.Errorf("got %+v", w)
	}
	b.get("/webhooks").has("Synchronous, 12 seconds", "0 of 10")
	b.get("/webhooks/"+w.ID.String()+"/settings").has("Temporary booking started (web/API)", "Has 12 seconds").lacks("requests at once")
	b.get("/webhooks/"+w.ID.String()).has("Synchronous", "Has 12 seconds").lacks("None waiting", "requests at once")
	edit := b.post("/webhooks/"+w.ID.String()+"/edit", nil).is(http.StatusSeeOther).location
	edit = strings.TrimSuffix(edit, "/review")
	b.get(edit + "/type").has("The type of a webhook cannot be changed").find(`(value="async" disabled)`)
	b.post(edit+"/type", steps()[webhook.StepType])
	b.get(edit + "/review")
	b.finish(edit).is(http.StatusUnprocessableEntity).has("The type of a webhook cannot be changed")
}

func TestWizardOneInlineForAChannel(t *testing.T) {
	t.Parallel()
	s := newWizard(t)
	b := s.signIn(anna)
	s.hook("https://example.com/", func(w *webhook.Webhook) {
		w.Name, w.Kind, w.TimeLimit, w.Enabled = "Gatekeeper", webhook.Inline, 10, false
		w.SelectEvents([]string{"new_temporary_web"})
		w.Channels = webhook.NewFilter(webhook.Include, []string{"3930"})
	})
	draft := b.begin()
	forms := inlineSteps()
	for _, step := range []webhook.Step{webhook.StepType, webhook.StepName, webhook.StepEvents} {
		b.post(draft+"/"+string(step), forms[step]).is(http.StatusSeeOther)
	}
	for _, form := range []url.Values{{"channels_mode": {"all"}}, {"channels_mode": {"include"}, "channels": {"3930"}}} {
		b.post(draft+"/channels", form).is(http.StatusUnprocessableEntity).has("The webhook “Gatekeeper” is for the channel ", "(3930), and a channel has one")
	}
	b.post(draft+"/channels", forms[webhook.StepChannels]).is(http.StatusUnprocessableEntity)
	d := only(t, must(t, s.store.Drafts, s.account.ID), nil) // as if the other one had come meanwhile
	d.Pass(webhook.StepChannels)
	d.Pass(webhook.StepTours)
	_, err := s.store.SaveDraft(t.Context(), d, time.Now())
	s.check(err)
	b.get(draft+"/review").is(http.StatusOK).has("“Gatekeeper”", `href="`+draft+`/channels#f-channels"`)
	b.finish(draft).is(http.StatusUnprocessableEntity).has("“Gatekeeper”")
}

// With all webhooks in use there is room for a synchronous one.
func TestInlineBesideTheLimit(t *testing.T) {
	t.Parallel()
	s := newWizard(t)
	b := s.signIn(anna)
	for range webhook.DefaultLimit {
		s.hook("https://example.com/")
	}
	b.get("/webhooks").has("Create synchronous webhook", "synchronous ones do not.").lacks("Create new booking webhook")
	b.post("/webhooks/new", nil).is(http.StatusConflict)
	draft := strings.TrimSuffix(b.post("/webhooks/new", url.Values{"kind": {"inline"}}).is(http.StatusSeeOther).location, "/type")
	forms := inlineSteps()
	for _, step := range webhook.Steps[:5] {
		b.post(draft+"/"+string(step), forms[step]).is(http.StatusSeeOther)
	}
	b.finish(draft).is(http.StatusSeeOther)
	if all := must(t, s.store.Webhooks, s.account.ID); len(all) != webhook.DefaultLimit+1 {
		t.Errorf("got %d webhooks", len(all))
	}
}
