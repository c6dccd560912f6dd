package handlers_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"bookhook/webhook"
)

func ordered(w *webhook.Webhook) { w.Ordered = true }

// A delivery that is held says for what it waits, wherever it is shown, and can
// be sent out of order.
func TestHeldDeliveryOnPages(t *testing.T) {
	t.Parallel()
	s := newSite(t, time.Hour)
	b := s.signIn(staff)
	r := newReceiver(t, http.StatusServiceUnavailable)
	w := s.hook(r.URL, ordered)
	first := deliveryOf(s.ingest(webhook.Event{BookingID: "1234", Type: "new_confirmed_web"}))
	s.settled()
	accepted := s.ingest(webhook.Event{BookingID: "1234"})
	second := deliveryOf(accepted)
	b.get(second).is(http.StatusOK).has("Waiting for an earlier event of booking 1234.", `href="`+first+`"`, "Send now", "will receive this event before an earlier one").lacks("Retry now")
	b.get(first).lacks("Waiting for an earlier event", "Send now").has("Retry now")
	b.get("/events/"+accepted.Event.ID.String()).has("Waiting for an earlier event of booking 1234", `href="`+first+`"`)
	for _, list := range []string{"/deliveries", "/webhooks/" + w.ID.String()} {
		b.get(list).has("for an earlier event", "Waiting next in 1 h")
	}
	b.get("/webhooks/"+w.ID.String()).has("2 deliveries waiting, the oldest for", `href="/webhooks/`+w.ID.String()+`/deliveries?state=pending"`)
	b.get("/webhooks").has("2 waiting, the oldest for")

	r.status.Store(http.StatusOK)
	b.follow(second+"/replay", url.Values{"confirmed": {"1"}}).has("Accounting answered 200 OK after")
	s.settled()
	b.get(second).has("Accounting accepted this event of booking 1234")
	b.get(first).has("Waiting")
	b.follow(first+"/replay", nil)
	s.settled()
	b.get("/webhooks/" + w.ID.String()).has("None waiting")
	b.get("/webhooks").lacks("the oldest for")
}

// What stops the earlier one lets the later one go.
func TestHeldDeliveryGoesWhenTheEarlierIsStopped(t *testing.T) {
	t.Parallel()
	s := newSite(t, time.Hour)
	b := s.signIn(anna)
	r := newReceiver(t, http.StatusServiceUnavailable)
	s.hook(r.URL, ordered)
	first := deliveryOf(s.ingest(webhook.Event{BookingID: "1234"}))
	s.settled()
	second, third := deliveryOf(s.ingest(webhook.Event{BookingID: "1234"})), deliveryOf(s.ingest(webhook.Event{BookingID: "1234"}))
	b.get(third).has("Waiting for an earlier event", `href="`+first+`"`)
	b.follow(third+"/cancel", nil).has("This delivery was stopped").lacks("Waiting for an earlier event")
	b.follow(third+"/replay", nil).has("It is sent as soon as the earlier events of its booking are", "Waiting for an earlier event").lacks("answered")
	r.status.Store(http.StatusOK)
	b.follow(first+"/cancel", nil)
	s.settled()
	s.settled()
	b.get(third).has("Accounting accepted this event of booking 1234")
	b.get(second).has("Accounting accepted this event of booking 1234")
}

// While the circuit is open, the pages say so and what happens.
func TestOpenCircuitOnPages(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	r := newReceiver(t, http.StatusInternalServerError)
	w := s.hook(r.URL)
	failed := deliveryOf(s.ingest(webhook.Event{BookingID: "1"}))
	attempt := s.settled()
	waits := deliveryOf(s.leave(webhook.Event{BookingID: "2"})[0])
	attempt.Attempt.Number++
	openCircuit(t, s.store, attempt, webhook.Circuit{Failures: 12, ProbeAt: time.Now().Add(time.Minute)})
	b := s.signIn(staff)
	b.get("/webhooks/"+w.ID.String()).is(http.StatusOK).has(
		"Paused after 12 failures in a row. Next attempt at", "none is lost. As soon as Accounting accepts one, the others follow.", `href="`+failed+`"`, "1 delivery waiting for")
	b.get("/webhooks").has("after 12 failures in a row", "1 waiting for")
	b.get("/deliveries").has("webhook is paused")
	b.get(waits).has("after 12 failures in a row.")
	b = s.signIn(anna)
	b.follow("/webhooks/"+w.ID.String()+"/switch", url.Values{"enabled": {"0"}}).lacks("after 12 failures in a row")
	b.get("/webhooks").lacks("after 12 failures in a row")
	b.get(waits).has("Switch it on to send this delivery.").lacks("after 12 failures in a row")
}

// In a long list nothing is counted.
func TestManyWebhooksAreNotCounted(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.check(s.store.SetLimit(t.Context(), s.account.ID, 30, change()))
	for range 20 {
		s.hook(nowhere)
	}
	s.leave(webhook.Event{BookingID: "1"})
	b := s.signIn(staff)
	b.get("/webhooks").has("1 waiting for")
	s.hook(nowhere)
	b.get("/webhooks").lacks("1 waiting for")
}

func TestWizardOrderAndRate(t *testing.T) {
	t.Parallel()
	s := newWizard(t)
	b := s.signIn(anna)
	draft := b.begin()
	b.get(draft + "/type").has("Keep the order of each booking").has(`name="ordered" value="1" checked`)
	form := func(ordered, requests, per string) url.Values {
		v := url.Values{"kind": {"async"}, "ordered": {"0"}, "concurrency": {"8"}, "rate_requests": {requests}, "rate_per": {per}}
		if ordered != "" {
			v.Add("ordered", ordered)
		}
		return v
	}
	for _, wrong := range []url.Values{
		form("", "0", "minute"), form("", "-1", "minute"), form("", "1001", "minute"), form("", "many", "minute"), form("", "1.5", ""),
	} {
		p := b.post(draft+"/type", wrong).is(http.StatusUnprocessableEntity).has("Enter a number from 1 to 1000, or leave it out for no limit.", `value="`+wrong.Get("rate_requests")+`"`)
		p.lacks(`name="ordered" value="1" checked`)
	}
	b.post(draft+"/type", form("1", "5", "hour")).is(http.StatusUnprocessableEntity).has("second or minute", `value="5"`, `name="ordered" value="1" checked`)
	b.post(draft+"/type", form("", "5", "second")).is(http.StatusSeeOther)
	b.get(draft+"/type").has(`value="5"`, `value="second" selected`)
	for _, step := range webhook.Steps[1:5] {
		b.post(draft+"/"+string(step), steps()[step]).is(http.StatusSeeOther)
	}
	b.get(draft + "/review").has("Up to 8 requests at once, at most 5 per second; events of one booking in any order")
	path := b.finish(draft).is(http.StatusSeeOther).location
	w := only(t, must(t, s.store.Webhooks, s.account.ID), nil)
	if want := (webhook.Rate{Requests: 5, Per: webhook.Second}); w.Ordered || w.Rate != want {
		t.Errorf("got ordered %v and rate %v", w.Ordered, w.Rate)
	}
	b.get(path).has("bookhook-sequence")
	path = strings.TrimSuffix(path, "/signing")
	b.get(path).has("Up to 8 requests at once, at most 5 per second", "None waiting")
	b.get(path + "/settings").has("Up to 8 requests at once, at most 5 per second; events of one booking in any order")

	edit := strings.TrimSuffix(b.post(path+"/edit", nil).is(http.StatusSeeOther).location, "/review")
	b.post(edit+"/type", form("1", "", "minute")).is(http.StatusSeeOther)
	b.finish(edit).is(http.StatusSeeOther)
	w = only(t, must(t, s.store.Webhooks, s.account.ID), nil)
	if !w.Ordered || w.Rate != (webhook.Rate{}) {
		t.Errorf("got ordered %v and rate %v, want the order kept and no limit", w.Ordered, w.Rate)
	}
	b.get(path + "/settings").has("Up to 8 requests at once; events of one booking in order")
}
