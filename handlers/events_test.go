package handlers_test

import (
	"fmt"
	"net/http"
	"testing"

	"bookhook/webhook"
)

func TestEventsEmpty(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.signIn(anna).get("/events").is(http.StatusOK).has("No events yet", "Create an API token")
	s.signIn(staff).get("/events").is(http.StatusOK).lacks("Create an API token")
}

func TestEventsList(t *testing.T) {
	t.Parallel()
	s := newWizard(t)
	b := s.signIn(staff)
	s.hook(nowhere)
	s.hook(nowhere, func(w *webhook.Webhook) { w.SelectEvents([]string{"token_failure"}) })
	s.leave(webhook.Event{BookingID: "1234", ChannelID: "3930"}, webhook.Event{BookingID: "77", ChannelID: "none", Type: "token_failure"})
	b.get("/events").has("2 events", "1234", "Website", "Waiting", "none", "2 waiting")
	b.get("/events?type=cancelled").has("1 event", "1234").lacks("2 waiting")
	b.get("/events?booking_id=+77").has("1 event", "2 waiting")
	b.get("/events?booking_id=B-404").is(http.StatusOK).has("No event matches")
}

func TestEventsPages(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.signIn(staff)
	for i := range 60 {
		s.leave(webhook.Event{BookingID: fmt.Sprintf("B-%03d", i)})
	}
	p := b.get("/events?type=cancelled").has("60 events", "B-059", "B-010").lacks("B-009")
	b.get(p.find(`href="([^"]*before=[^"]*)"`)).is(http.StatusOK).has("60 events", "B-009", "B-000", "Newest").lacks("B-010", "Older")
}

// The page of an event answers why a booking was not sent.
func TestEventReasons(t *testing.T) {
	t.Parallel()
	s := newWizard(t)
	b := s.signIn(staff)
	r := newReceiver(t, http.StatusTeapot)
	hook := func(name string, change func(*webhook.Webhook)) {
		s.hook(r.URL, func(w *webhook.Webhook) { w.Name = name }, change)
	}
	hook("Told", func(*webhook.Webhook) {})
	hook("Off", func(w *webhook.Webhook) { w.Enabled = false })
	hook("Event", func(w *webhook.Webhook) { w.SelectEvents([]string{"redeem_voucher"}) })
	hook("Channel", func(w *webhook.Webhook) { w.Channels = webhook.NewFilter(webhook.Include, []string{"3931"}) })
	hook("Tour", func(w *webhook.Webhook) { w.Tours = webhook.NewFilter(webhook.Include, []string{"15"}) })
	hook("Tours", func(w *webhook.Webhook) { w.Tours = webhook.NewFilter(webhook.Exclude, []string{"12"}) })
	gone := s.hook(r.URL, func(w *webhook.Webhook) { w.Name = "Gone"; w.SelectEvents([]string{"redeem_voucher"}) })
	a := s.ingest(webhook.Event{BookingID: "1234", ChannelID: "3930", TourIDs: []string{"12"}, Data: []byte(`{"guest":"🦭"}`), ExternalID: "tc-1"})
	s.settled()
	_, err := s.store.DeleteWebhook(t.Context(), s.account.ID, gone.ID, webhook.Change{By: "test", At: a.Event.ReceivedAt})
	s.check(err)
	b.get("/events/"+a.Event.ID.String()).is(http.StatusOK).has(
		"Booking cancelled, booking 1234", "Website 3930", "Kayak 12", "tc-1", "🦭",
		"Told Failed View delivery", deliveryOf(a),
		"Off The webhook was off when the event was received.",
		"Event This type of event is not selected in the webhook.",
		"Channel The channel of the booking is not selected in the webhook.",
		"Tour None of the booking’s tours is selected in the webhook.",
		"Tours All of the booking’s tours are excluded in the webhook.",
		"Gone (deleted) This type of event is not selected")
	bare := s.leave(webhook.Event{})[0]
	b.get("/events/"+bare.Event.ID.String()).has(
		"Channel The event names no channel, and the webhook is limited to selected channels.",
		"Tour The event names no tour, and the webhook is limited to selected tours.",
		"This event has no data")
}

func TestEventBeforeWebhooks(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	a := s.leave(webhook.Event{BookingID: "1234"})[0]
	s.signIn(staff).get("/events/" + a.Event.ID.String()).is(http.StatusOK).has("The account had no webhook when this event was received")
}

func TestEventsFilterNamesWhatItCannotRead(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.signIn(anna)
	s.leave(webhook.Event{BookingID: "B-1"})
	b.get("/events?type=nonsense").is(http.StatusUnprocessableEntity).has("There is no such event; choose one from the list.", "B-1")
	b.get("/events?type=cancelled&booking_id=B-1").is(http.StatusOK).has("B-1")
}
