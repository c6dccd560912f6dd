package handlers_test

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"bookhook/webhook"
)

// finish looks at the review and presses its button.
func (b *browser) finish(draft string) page {
	b.Helper()
	return b.post(draft+"/review", url.Values{"version": {b.version(draft)}})
}

// version is that of the draft on the current review.
func (b *browser) version(draft string) string {
	b.Helper()
	return b.get(draft + "/review").is(http.StatusOK).find(`name="version" value="(\d+)"`)
}

// finished finishes a draft and goes where that leads.
func (b *browser) finished(draft string) page {
	b.Helper()
	return b.get(b.finish(draft).is(http.StatusSeeOther).location).is(http.StatusOK)
}

// Two people who begin at the same moment do not write into one draft.
func TestDraftHasAnOwner(t *testing.T) {
	t.Parallel()
	s := newWizard(t)
	a, b := s.signIn(anna), s.signIn(berta)
	w := s.hook(hookURL)
	for _, path := range []string{"/webhooks/new", "/webhooks/" + w.ID.String() + "/edit"} {
		mine, theirs := a.post(path, nil).is(http.StatusSeeOther).location, b.post(path, nil).is(http.StatusSeeOther).location
		if mine == theirs {
			t.Errorf("%s: both got %s", path, mine)
		}
		if again := s.signIn(anna).post(path, nil).location; again != mine {
			t.Errorf("%s: got %s, want her own untouched draft %s", path, again, mine)
		}
	}
	b.get("/webhooks").lacks("Drafts")
	a.walk(a.begin(), webhook.StepEvents)
	b.get("/webhooks").has("Drafts", "started by "+anna)
}

// What is created is what was looked at.
func TestDraftChangedAfterReview(t *testing.T) {
	t.Parallel()
	s := newWizard(t)
	a, b := s.signIn(anna), s.signIn(berta)
	draft := a.begin()
	a.walk(draft, webhook.StepReview)
	seen := url.Values{"version": {a.version(draft)}}
	form := steps()[webhook.StepName]
	form.Set("name", "Somebody else’s")
	b.post(draft+"/name", form).is(http.StatusSeeOther)
	for _, old := range []url.Values{seen, nil} {
		a.post(draft+"/review", old).is(http.StatusConflict).has("This draft was changed after you opened it", "No webhook was created yet", "Somebody else’s")
	}
	form.Set("url", "ftp://example.com")
	b.post(draft+"/name", form).is(http.StatusUnprocessableEntity)
	a.post(draft+"/review", seen).is(http.StatusConflict).has("This draft was changed", "URLs only", draft+"/name#f-url")
	if all := must(t, s.store.Webhooks, s.account.ID); len(all) != 0 {
		t.Fatalf("got %+v", all)
	}
	b.post(draft+"/name", steps()[webhook.StepName]).is(http.StatusSeeOther)
	now := a.post(draft+"/review", seen).is(http.StatusConflict).find(`name="version" value="(\d+)"`)
	a.post(draft+"/review", url.Values{"version": {now}}).is(http.StatusSeeOther)
}

// Steps that are saved at the same moment are all kept.
func TestDraftStepsAtOnce(t *testing.T) {
	t.Parallel()
	s := newWizard(t)
	b := s.signIn(anna)
	draft := b.begin()
	b.walk(draft, webhook.StepReview)
	id, err := webhook.ParseID[webhook.DraftID](strings.TrimPrefix(draft, "/drafts/"))
	s.check(err)
	for _, round := range []string{"1", "2", "3", "4", "5"} {
		forms := steps()
		forms[webhook.StepType].Set("concurrency", round)
		forms[webhook.StepName].Set("name", "Round "+round)
		forms[webhook.StepEvents].Set("all_events", map[bool]string{true: "1", false: "0"}[round == "5"])
		forms[webhook.StepChannels].Set("channels", map[bool]string{true: "3931", false: "3930"}[round == "5"])
		forms[webhook.StepTours].Set("tours_mode", map[bool]string{true: "all", false: "include"}[round == "5"])
		var posts sync.WaitGroup
		for step, form := range forms {
			posts.Go(func() {
				if p := b.post(draft+"/"+string(step), form); p.status != http.StatusSeeOther {
					t.Errorf("%s: got %d", step, p.status)
				}
			})
		}
		posts.Wait()
		d, err := s.store.Draft(t.Context(), s.account.ID, id)
		s.check(err)
		if d.Concurrency != int(round[0]-'0') || d.Name != "Round "+round || d.AllEvents != (round == "5") ||
			(d.Channels.IDs[0] == "3931") != (round == "5") || (d.Tours.Mode == webhook.All) != (round == "5") {
			t.Fatalf("round %s: got %+v", round, d)
		}
	}
}

func TestDraftTestReloads(t *testing.T) {
	t.Parallel()
	s := newWizard(t)
	b := s.signIn(anna)
	draft := b.begin()
	if got := b.get(draft + "/test").is(http.StatusSeeOther).location; got != draft+"/review" {
		t.Errorf("got %s", got)
	}
}

// The test of an edited webhook is one that its receiver believes.
func TestDraftTestSigns(t *testing.T) {
	t.Parallel()
	s := newWizard(t)
	b := s.signIn(anna)
	r := newReceiver(t, http.StatusOK)
	w := s.hook(r.URL, func(w *webhook.Webhook) { w.Format = webhook.Native })
	b.post("/webhooks/"+w.ID.String()+"/rotate", nil).is(http.StatusSeeOther)
	w, err := s.store.Webhook(t.Context(), s.account.ID, w.ID)
	s.check(err)
	draft := strings.TrimSuffix(b.post("/webhooks/"+w.ID.String()+"/edit", nil).location, "/review")
	b.post(draft+"/test", nil).is(http.StatusOK).has("The test arrived", "signed with the secret of this webhook").lacks("made for this test only")
	got := arrived(t, r.got)
	seconds, err := strconv.ParseInt(got.Header.Get("Webhook-Timestamp"), 10, 64)
	s.check(err)
	want, err := webhook.Sign(w.Secrets(time.Now()), got.Header.Get("Webhook-Id"), time.Unix(seconds, 0), []byte(got.URL.RawQuery))
	s.check(err)
	if signature := got.Header.Get("Webhook-Signature"); signature != want {
		t.Errorf("got %q, want %q", signature, want)
	}
}

// What is typed within reason is kept and shown; beyond it a draft stays small.
func TestDraftStaysSmall(t *testing.T) {
	t.Parallel()
	s := newWizard(t)
	b := s.signIn(anna)
	draft := b.begin()
	b.walk(draft, webhook.StepReview)
	huge := strings.Repeat("x", 2_000_000)
	var many strings.Builder
	for i := range 200_000 {
		fmt.Fprintln(&many, i)
	}
	for _, c := range []struct {
		step           webhook.Step
		field, problem string
		value          string
	}{
		{webhook.StepType, "kind", "Choose the type", huge},
		{webhook.StepType, "concurrency", "from 1 to 256", strings.Repeat("1", 1_000_000)},
		{webhook.StepName, "name", "at most 100 characters", huge},
		{webhook.StepName, "url", "more than 2000 characters", "https://example.com/" + huge},
		{webhook.StepName, "format", "Choose the format", huge},
		{webhook.StepEvents, "events", "There is no event", huge},
		{webhook.StepChannels, "channels_mode", "Choose one of", huge},
		{webhook.StepTours, "tours_paste", "no tour with the id", huge},
		{webhook.StepTours, "tours_paste", "Choose at most 10000 tours", many.String()},
	} {
		form := maps.Clone(steps()[c.step])
		form.Set(c.field, c.value)
		b.post(draft+"/"+string(c.step), form).is(http.StatusUnprocessableEntity).has(c.problem)
		d := only(t, must(t, s.store.Drafts, s.account.ID), nil)
		if size := len(d.Kind) + len(d.Name) + len(d.URL) + len(d.Format) + len(d.Channels.Mode) + len(strings.Join(d.Events, "")); size > 3*4*4000 {
			t.Errorf("%s: the draft keeps %d bytes", c.field, size)
		}
		if len(d.Tours.IDs) > webhook.MaxFilterIDs+1 {
			t.Errorf("%s: the draft keeps %d ids", c.field, len(d.Tours.IDs))
		}
		if p := b.get("/webhooks"); len(p.text) > 100_000 {
			t.Errorf("%s: the list has %d bytes", c.field, len(p.text))
		}
		b.post(draft+"/"+string(c.step), steps()[c.step]).is(http.StatusSeeOther)
	}
	form := steps()[webhook.StepName]
	form.Set("name", strings.Repeat("🦭", 4000))
	b.post(draft+"/name", form).is(http.StatusUnprocessableEntity)
	b.get(draft + "/name").has(form.Get("name"))
}

// Nothing happens before a person comes: browsers fetch ahead, programs look.
func TestDraftIsNotBegunUnseen(t *testing.T) {
	t.Parallel()
	s := newWizard(t)
	b := s.signIn(anna)
	p := b.post("/webhooks/"+s.hook(hookURL).ID.String()+"/rotate", nil).is(http.StatusSeeOther)
	for _, ask := range []struct{ method, header, value string }{
		{http.MethodHead, "Accept", "*/*"},
		{http.MethodGet, "Purpose", "prefetch"},
		{http.MethodGet, "Sec-Purpose", "prefetch"},
		{http.MethodGet, "Sec-Purpose", "prefetch;prerender"},
	} {
		for _, path := range []string{"/webhooks/new", p.location} {
			request := b.request(ask.method, path, "")
			request.Header.Set(ask.header, ask.value)
			b.do(request).is(http.StatusTooEarly).lacks("Copy it now")
		}
	}
	if drafts := must(t, s.store.Drafts, s.account.ID); len(drafts) != 0 {
		t.Errorf("got %d drafts", len(drafts))
	}
	b.get(p.location).is(http.StatusOK).has("Copy it now", "There is a new secret")
	b.get(p.location).lacks("Copy it now")
}

// The Enter key does what the page is for: the first button of a form is what
// it presses, unless that belongs to another form.
func TestDraftEnterCreates(t *testing.T) {
	t.Parallel()
	s := newWizard(t)
	b := s.signIn(anna)
	w := s.hook(hookURL)
	review := b.post("/webhooks/"+w.ID.String()+"/edit", nil).location
	changed, err := s.store.Webhook(t.Context(), s.account.ID, w.ID)
	s.check(err)
	_, err = s.store.UpdateWebhook(t.Context(), webhook.Update{Webhook: changed}, webhook.Change{By: berta, At: time.Now()})
	s.check(err)
	p := b.finish(strings.TrimSuffix(review, "/review")).is(http.StatusConflict).has("Start again from there", "Send a test")
	form := p.find(`(?s)class="wizard"(.*?)</form>`)
	for _, button := range regexp.MustCompile(`<button[^>]*>`).FindAllString(form, -1) {
		if strings.Contains(button, "form=") {
			continue
		}
		if !strings.Contains(button, "primary") {
			t.Errorf("Enter presses %s", button)
		}
		return
	}
	t.Error("the form has no button")
}

func TestWizardTriesBeforeSaving(t *testing.T) {
	t.Parallel()
	s := newWizard(t)
	b := s.signIn(anna)
	r := newReceiver(t, http.StatusOK)
	draft := b.begin()
	b.walk(draft, webhook.StepReview)
	form := steps()[webhook.StepName]
	form.Set("url", r.URL+"/hook?key=1")
	b.post(draft+"/name", form).is(http.StatusSeeOther)
	b.post(draft+"/test", nil).is(http.StatusOK).has("The test arrived: Büro 🦭 answered 200 OK", r.URL+"/hook?key=1&event=new_confirmed_web", "Create webhook")
	if got := arrived(t, r.got).URL.Query(); got.Get("channel_id") != "3930" || got.Get("key") != "1" {
		t.Errorf("got %v", got)
	}
	r.status.Store(http.StatusNotFound)
	b.post(draft+"/test", nil).is(http.StatusOK).has("404")
	if len(must(t, s.store.Webhooks, s.account.ID)) != 0 {
		t.Error("a test made a webhook")
	}
	form.Set("url", "ftp://example.com")
	b.post(draft+"/name", form).is(http.StatusUnprocessableEntity)
	b.post(draft+"/test", nil).is(http.StatusUnprocessableEntity).has("URLs only", draft+"/name#f-url")
}

func TestWizardChecksURLs(t *testing.T) {
	t.Parallel()
	s := newWizard(t)
	b := s.signIn(anna)
	check := b.begin() + "/check-url"
	up, broken := newReceiver(t, http.StatusOK), newReceiver(t, http.StatusInternalServerError)
	for address, want := range map[string]string{
		up.URL + "/hook":     "The receiver answers",
		broken.URL:           "500",
		"":                   "Enter the URL to call",
		"ftp://example.com":  "URLs only",
		"https://10.0.0.1/":  "a private address",
		"http://127.0.0.1:1": "",
	} {
		p := b.post(check, url.Values{"url": {address}}).is(http.StatusOK).has(want, `class="status `)
		p.lacks("<html")
	}
	if len(up.got) != 0 {
		t.Error("the check sent a booking")
	}
}
