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
	p.has("3 events were skipped while it was off; they are not sent later", "1 waiting delivery is sent now")
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
	b.get("/webhooks/" + w.ID.String()).lacks("stops working at once")
	p := b.follow("/webhooks/"+w.ID.String()+"/rotate", nil)
	now, err := s.store.Webhook(t.Context(), s.account.ID, w.ID)
	s.check(err)
	if now.Secret == w.Secret {
		t.Fatal("the secret is the same")
	}
	p.has(now.Secret, "New signing secret", "signed with the old").lacks(w.Secret)
	b.get("/webhooks/" + w.ID.String()).lacks(now.Secret).has("The previous one is valid until")
	s.signIn(berta).get("/webhooks/" + w.ID.String()).lacks(now.Secret)
	b.get("/webhooks/" + w.ID.String()).has("The previous secret stops working at once, not at")
	s.ingest(webhook.Event{})
	s.settled()
	if got := arrived(t, r.got).Header.Get("Webhook-Signature"); strings.Count(got, "v1,") != 2 {
		t.Errorf("got %q, want two signatures", got)
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
