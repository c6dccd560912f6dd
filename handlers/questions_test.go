package handlers_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"bookhook/webhook"
)

// confirms are the forms of a page that say that they were confirmed.
func (p page) confirms() int { return strings.Count(p.text, `name="confirmed"`) }

// nothingArrives ends the test if a receiver got something.
func nothingArrives(t *testing.T, r *receiver) {
	t.Helper()
	if n := len(r.got); n != 0 {
		t.Errorf("the receiver got %d requests, want none", n)
	}
}

// TestOlderEventIsConfirmed: an event of which the webhook already got a later one of its
// booking is sent again only once a person has confirmed it, also from a page, or with a
// key, that did not ask.
func TestOlderEventIsConfirmed(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.signIn(staff)
	r := newReceiver(t, http.StatusServiceUnavailable)
	w := s.hook(r.URL)
	older := deliveryOf(s.ingest(webhook.Event{BookingID: "1234"}))
	s.settled()
	if p := b.get(older).lacks("already has a later event"); p.confirms() != 0 {
		t.Error("it asks before there is a later event")
	}
	r.status.Store(http.StatusOK)
	newer := deliveryOf(s.ingest(webhook.Event{BookingID: "1234"}))
	s.settled()
	arrived(t, r.got)
	arrived(t, r.got)
	if p := b.get(older).has("Accounting already has a later event of booking 1234", "Replay the older event"); p.confirms() != 1 {
		t.Error("the page does not ask")
	}
	list := older + "/replay?webhook_id=" + w.ID.String()
	asked := b.post(list, nil).is(http.StatusSeeOther)
	if want := older + "?webhook_id=" + w.ID.String(); asked.location != want {
		t.Errorf("got %s, want %s", asked.location, want)
	}
	b.get(asked.location).has("Not sent yet: Accounting already has a later event of this booking. Confirm to send it anyway.", "Replay the older event")
	nothingArrives(t, r)
	b.follow(list, url.Values{"confirmed": {"1"}}).has("Accounting answered 200 OK after")
	arrived(t, r.got)
	b.follow(newer+"/replay", nil).has("Accounting answered 200 OK after")
	arrived(t, r.got)
}

// TestOlderSkippedEventIsConfirmed: the same for an event that the webhook never got.
func TestOlderSkippedEventIsConfirmed(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.signIn(staff)
	r := newReceiver(t, http.StatusOK)
	w := s.hook(r.URL, func(w *webhook.Webhook) { w.AllEvents, w.Events = false, []string{"cancelled"} })
	skipped := "/events/" + s.ingest(webhook.Event{BookingID: "1234", Type: "token_failure"}).Event.ID.String()
	s.ingest(webhook.Event{BookingID: "1234"})
	s.settled()
	arrived(t, r.got)
	if p := b.get(skipped).has("Accounting already has a later event of booking 1234", "Send the older event"); p.confirms() != 1 {
		t.Error("the page does not ask")
	}
	to := url.Values{"webhook_id": {w.ID.String()}}
	b.follow(skipped+"/send", to).has("Not sent yet: Accounting already has a later event of this booking.", "Send the older event")
	nothingArrives(t, r)
	to.Set("confirmed", "1")
	b.follow(skipped+"/send", to).has("Accounting answered 200 OK after", "Accounting accepted this event of booking 1234")
	arrived(t, r.got)
}

// TestHeldDeliveryIsConfirmed: one that waits for an earlier event of its booking is sent
// before that only once a person has confirmed it.
func TestHeldDeliveryIsConfirmed(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.signIn(staff)
	s.hook(nowhere, func(w *webhook.Webhook) { w.Ordered = true })
	held := deliveryOf(s.leave(webhook.Event{BookingID: "1234"}, webhook.Event{BookingID: "1234"})[1])
	if p := b.get(held).has("Send out of order"); p.confirms() != 1 {
		t.Error("the page does not ask")
	}
	b.follow(held+"/replay", nil).has("Not sent yet: it waits for an earlier event of its booking. Confirm to send it out of order.", "Waiting for an earlier event")
	b.follow(held+"/replay", url.Values{"confirmed": {"1"}}).lacks("Not sent yet", "Waiting for an earlier event")
}
