package handlers_test

import (
	"net/http"
	"net/url"
	"testing"

	"bookhook/webhook"
)

// TestSendSkipped: what a webhook's filters left out is sent from the page of the event,
// by staff, and the page says what came of it.
func TestSendSkipped(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	r := newReceiver(t, 200)
	w := s.hook(r.URL, func(w *webhook.Webhook) { w.SelectEvents([]string{"new_confirmed_web"}) })
	e := s.ingest(webhook.Event{Platform: "tourcms", Type: "cancelled", BookingID: "1234", Data: []byte(`{}`)}).Event.ID
	b := s.signIn(staff)
	path := "/events/" + e.String()
	b.get(path).has("Not sent", "Send to this webhook").lacks("already has a later event")
	form := url.Values{"webhook_id": {w.ID.String()}}
	b.follow(path+"/send", form).has("Accounting answered 200 OK after", "Accounting accepted this event of booking 1234")
	arrived(t, r.got)
	b.get(path).has("Not sent at first:", "View delivery").lacks("Send to this webhook")
	later := s.hook(r.URL)
	s.hook(r.URL, func(w *webhook.Webhook) { w.Name = "Alarms"; w.SelectEvents([]string{"bookhook:webhook.failing"}) }) // not for bookings
	for _, page := range []string{path, "/bookings/1234"} {
		b.get(page).has("The webhook did not exist when", path+"/send", later.ID.String()).lacks("Alarms")
	}
	if _, err := s.store.SetEnabled(t.Context(), s.account.ID, later.ID, false, change()); err != nil {
		t.Fatal(err)
	}
	b.get(path).has("first ask an operator to switch the webhook on").lacks("Send to this webhook")
	b.follow(path+"/send", url.Values{"webhook_id": {later.ID.String()}}).has("It was not sent: the webhook is off")
	b.post(path+"/send", url.Values{"webhook_id": {"x"}}).is(http.StatusNotFound)
	if len(r.got) != 0 {
		t.Error("something else was sent")
	}
}
