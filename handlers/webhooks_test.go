package handlers_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"bookhook/webhook"
)

func TestWebhooksList(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.signIn(anna)
	b.get("/webhooks").is(http.StatusOK).has("0 of 10 webhooks used", "No webhooks yet", "Create your first webhook")
	r := newReceiver(t, http.StatusOK)
	w := s.hook(r.URL)
	s.hook("https://example.com/off", func(w *webhook.Webhook) { w.Name, w.Enabled = "E-mail tool", false })
	s.ingest(webhook.Event{BookingID: "1234"})
	s.settled()
	b.get("/webhooks").has("2 of 10 webhooks used", "Accounting", `href="/webhooks/`+w.ID.String()+`"`, "Delivered", "E-mail tool", "none yet")
	s.signIn(staff).get("/webhooks").is(http.StatusOK).has("Accounting").lacks("Create new booking webhook")
}

func TestWebhookTest(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	r := newReceiver(t, http.StatusOK)
	w := s.hook(r.URL+"/hook", func(w *webhook.Webhook) { w.SelectEvents([]string{"new_confirmed_web"}) })
	for _, email := range []string{anna, staff} {
		b := s.signIn(email)
		sent := b.post("/webhooks/"+w.ID.String()+"/test", nil).is(http.StatusSeeOther)
		s.settled()
		if got := arrived(t, r.got).URL.Query().Get("event"); got != "new_confirmed_web" {
			t.Errorf("got %s", got)
		}
		b.get(sent.location).is(http.StatusOK).has("Accounting answered 200 OK after", "Accounting accepted this test", "200")
	}
	off := s.hook(r.URL, func(w *webhook.Webhook) { w.Enabled = false })
	s.signIn(staff).follow("/webhooks/"+off.ID.String()+"/test", nil).has("Accounting answered 200 OK after")
	arrived(t, r.got) // a passed one is a reason to switch it on
	chosen := s.hook(r.URL, func(w *webhook.Webhook) { w.SelectEvents([]string{"new_confirmed_web", "cancelled"}) })
	b := s.signIn(staff)
	b.get("/webhooks/" + chosen.ID.String()).has("Send a test")
	b.follow("/webhooks/"+chosen.ID.String()+"/test", url.Values{"type": {"cancelled"}}).has("Accounting answered 200 OK after")
	if got := arrived(t, r.got).URL.Query().Get("event"); got != "cancelled" {
		t.Errorf("got a test of %s, want that of the chosen event", got)
	}
	b.follow("/webhooks/"+chosen.ID.String()+"/test", url.Values{"type": {"new_confirmed_staff"}}).has("does not receive that event")
}

func TestWebhookSwitch(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.signIn(anna)
	r := newReceiver(t, http.StatusOK)
	w := s.hook(r.URL)
	path := "/webhooks/" + w.ID.String()
	off, on := url.Values{"enabled": {"0"}}, url.Values{"enabled": {"1"}}
	s.leave(webhook.Event{BookingID: "waiting"})
	b.follow(path+"/switch", off).has("The webhook is off", "Switch on", "1 waiting delivery is sent")
	b.follow(path+"/switch", off).has("is off already")
	for range 3 {
		s.ingest(webhook.Event{BookingID: "skipped"})
	}
	b.get(path).has("3 so far")
	p := b.follow(path+"/switch", on)
	p.has("3 events were skipped while it was off, since ", "To send them, use “What it missed” on the overview.", "1 waiting delivery is sent now")
	s.settled()
	if got := arrived(t, r.got).URL.Query().Get("booking_id"); got != "waiting" || len(r.got) != 0 {
		t.Errorf("got %s and %d more", got, len(r.got))
	}
	b.follow(path+"/switch", on).has("is on already")
	b.post(path+"/switch", nil).is(http.StatusUnprocessableEntity)
}

func TestWebhookRotate(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.signIn(anna)
	r := newReceiver(t, http.StatusOK)
	w := s.hook(r.URL)
	signing := "/webhooks/" + w.ID.String() + "/signing"
	b.get(signing).lacks("stops working at once")
	p := b.follow("/webhooks/"+w.ID.String()+"/rotate", nil)
	now, err := s.store.Webhook(t.Context(), s.account.ID, w.ID)
	s.check(err)
	if now.Secret == w.Secret {
		t.Fatal("the secret is the same")
	}
	p.has(now.Secret, "New signing secret", "signed with the old").lacks(w.Secret)
	b.get(signing).lacks(now.Secret).has("The previous one is valid until")
	b.post("/webhooks/"+w.ID.String()+"/rotate", nil).is(http.StatusConflict).has("The secret was replaced after you opened the page, so no other one was created.", "not stored yet")
	if same, err := s.store.Webhook(t.Context(), s.account.ID, w.ID); err != nil || same.Secret != now.Secret {
		t.Errorf("a double press replaced the secret twice: %v", err)
	}
	s.signIn(berta).get(signing).lacks(now.Secret)
	b.get(signing).has("The previous secret stops working at once, not at")
	s.ingest(webhook.Event{})
	s.settled()
	if got := arrived(t, r.got).Header.Get("Webhook-Signature"); strings.Count(got, "v1,") != 2 {
		t.Errorf("got %q, want two signatures", got)
	}
}

// TestSecretStored: somebody says that the receiver has the secret that was shown, and the
// overview reminds until then.
func TestSecretStored(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.signIn(anna)
	path := "/webhooks/" + s.hook("https://example.com/hook").ID.String()
	const reminder = "Does the receiver have the signing secret?"
	b.get(path).lacks(reminder) // a program has it
	b.get(path+"/signing").lacks("I have stored it", "Stored by")

	first := b.follow(path+"/rotate", nil).has("I have stored it").find(`name="shown" value="([^"]+)"`)
	b.get(path).has(reminder, `href="`+path+`/signing"`)
	s.signIn(staff).get(path).lacks(reminder)
	s.signIn(staff).get(path+"/signing").is(http.StatusOK).has("Verify a request").lacks("I have stored it", "Create a new secret")
	s.signIn(berta).post(path+"/rotate", url.Values{"shown": {first}}).is(http.StatusSeeOther)
	b.follow(path+"/stored", url.Values{"shown": {first}}).has("There is another signing secret by now.", "not stored yet")
	second := b.get(path + "/signing").has("If it is lost, create a new one.").find(`name="shown" value="([^"]+)"`)
	b.post(path+"/stored", url.Values{"shown": {second}}).is(http.StatusSeeOther)
	b.get(path+"/signing").has("Stored. Send a test", "Stored by "+anna+" on ").lacks("I have stored it")
	b.get(path).lacks(reminder)
	b.get("/settings/activity").has("Stored the signing secret of the webhook “Accounting”")
	b.post(path+"/stored", url.Values{"shown": {"no number"}}).is(http.StatusBadRequest)
}

// TestWebhookTabs: each part of a webhook's page has an address of its own, and what is
// done on one leads back to it.
func TestWebhookTabs(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.signIn(anna)
	w := s.hook("https://example.com/hook?key=1")
	path := "/webhooks/" + w.ID.String()
	for tab, want := range map[string]string{
		"": "None waiting", "/deliveries": "Waiting for the first delivery", "/settings": "Delete webhook", "/signing": "Create a new secret",
	} {
		p := b.get(path+tab).is(http.StatusOK).has(want, `href="`+path+tab+`" aria-current="page"`, "Never used")
		if n := strings.Count(p.text, ">https://example.com/hook?key=1<"); n != 1 {
			t.Errorf("%s%s: the URL is %d times on the page, want once", path, tab, n)
		}
		s.signIn(others).get(path + tab).is(http.StatusNotFound)
	}
	if got := b.post(path+"/switch", url.Values{"enabled": {"0"}, "tab": {"/settings"}}).location; got != path+"/settings" {
		t.Errorf("switched off: led to %s", got)
	}
	for _, elsewhere := range []string{"", "/nothing", "//evil.example"} {
		if got := b.post(path+"/switch", url.Values{"enabled": {"1"}, "tab": {elsewhere}}).location; got != path {
			t.Errorf("switched on from the tab %q: led to %s", elsewhere, got)
		}
	}
}

// TestWebhookDeliveries: the log of one webhook has its filters, pages and no other webhook.
func TestWebhookDeliveries(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.signIn(anna)
	w := s.hook("https://example.com/hook")
	s.hook("https://example.com/other", func(w *webhook.Webhook) { w.Name = "Printer" })
	var events []webhook.Event
	for range 51 {
		events = append(events, webhook.Event{BookingID: "many"})
	}
	s.leave(append(events, webhook.Event{BookingID: "newest"})...)
	list := "/webhooks/" + w.ID.String() + "/deliveries"
	p := b.get(list).is(http.StatusOK).has("52 deliveries", "newest", `action="`+list+`"`, `name="webhook_id" value="`+w.ID.String()+`"`).
		lacks("Printer", `<select id="f-webhook_id"`, "Save view")
	older := p.find(`href="(` + list + `\?before=[^"]*)" rel="next"`)
	b.get(older).is(http.StatusOK).has("many", `href="`+list+`"`).lacks("newest")
	b.get(list+"?booking_id=newest&state=pending").is(http.StatusOK).has("1 delivery", "Clear", `href="/deliveries/dlv_`).lacks("many")
	b.get(list+"?booking_id=nowhere").has("No delivery matches", "Clear filters")
	b.get(list + "?state=nonsense").is(http.StatusUnprocessableEntity)
	if got := b.get(list + "?state=&booking_id=newest").is(http.StatusSeeOther).location; got != list+"?booking_id=newest" {
		t.Errorf("led to %s", got)
	}
}

func TestWebhookDelete(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.signIn(anna)
	w := s.hook("https://example.com/hook")
	path := "/webhooks/" + w.ID.String()
	s.leave(webhook.Event{BookingID: "1"}, webhook.Event{BookingID: "2"})
	draft := b.post(path+"/edit", nil).is(http.StatusSeeOther).location
	b.follow(path+"/delete", nil).has("“Accounting” was deleted. The log of what was sent stays.", "2 waiting deliveries were cancelled.")
	b.get(path).is(http.StatusNotFound)
	b.post(path+"/delete", nil).is(http.StatusNotFound)
	b.get(draft).is(http.StatusNotFound)
	p := b.get("/deliveries?webhook_id="+w.ID.String()).is(http.StatusOK).has("2 deliveries", "Accounting (deleted)", "Cancelled")
	b.get(p.find(`href="(/deliveries/dlv_[^"]*)"`)).is(http.StatusOK).has("its webhook was deleted")
}
