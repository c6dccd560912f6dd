package handlers_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"bookhook/webhook"
)

// TestBooking: the page of a booking says whether it arrived, and shows its events with
// what changed, decisions, deliveries and attempts with the receiver's own words.
func TestBooking(t *testing.T) {
	t.Parallel()
	s := newWizard(t)
	b := s.signIn(staff)
	up := newReceiver(t, http.StatusOK)
	s.hook(up.URL, func(w *webhook.Webhook) { w.Name = "Accounting" })
	down := newReceiver(t, http.StatusTeapot)
	s.hook(down.URL, func(w *webhook.Webhook) { w.Name = "CRM"; w.SelectEvents([]string{"cancelled"}) })
	const reference = `B 1/2 #é?%`
	page := "/bookings/" + url.PathEscape(reference)
	made := webhook.Event{Type: "new_provisional_web", BookingID: reference, ChannelID: "3930", Data: []byte(`{"status":"PROVISIONAL","guest":{"name":"<Ada>"}}`)}
	s.ingest(made)
	s.settled()
	b.get(page).is(http.StatusOK).has("Booking "+reference, "Arrived everywhere", "Accounting received the event that was sent to it.",
		"CRM not sent: this type of event", "Website", "200 OK").lacks("Nothing else changed")
	changed := made
	changed.Type, changed.Data = "cancelled", []byte(`{"guest":{"name":"<Zoë>"},"status":"CANCELLED"}`)
	e := s.ingest(changed)
	s.settled()
	s.settled()
	p := b.get(page).is(http.StatusOK).has("Did not arrive everywhere", "CRM did not receive the event. View delivery to CRM", "Accounting received both events",
		"status CANCELLED , was PROVISIONAL", "guest name <Zoë> , was <Ada>", "Failed", "418 I'm a teapot", "Not sent This type of event")
	for _, link := range []string{"/events/" + e.Event.ID.String(), "/deliveries/" + e.Decisions[1].Delivery.String()} {
		if !strings.Contains(p.text, `href="`+link) {
			t.Errorf("there is no link to %s", link)
		}
	}
	for _, from := range []string{"/events/" + e.Event.ID.String(), "/deliveries/" + e.Decisions[0].Delivery.String()} {
		if got := b.get(from); !strings.Contains(got.text, `href="`+page+`"`) {
			t.Errorf("%s does not link to the booking", from)
		}
	}
	b.get("/bookings/B").is(http.StatusNotFound).has("No event of this booking", "booking system")
	b.get("/bookings/%FF").is(http.StatusNotFound)
	s.signIn(others).get(page).is(http.StatusNotFound)
}

// TestBookingPages: a long story is read page by page.
func TestBookingPages(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.signIn(staff)
	for i := range 25 {
		s.leave(webhook.Event{BookingID: "B-1", Data: fmt.Appendf(nil, `{"seats":"n%02d"}`, i)})
	}
	p := b.get("/bookings/B-1").has("seats n24 , was n23", "seats n05 , was n04", "of the events on this page").lacks("n04 , was n03")
	b.get(p.find(`href="([^"]*before=[^"]*)"`)).is(http.StatusOK).has("seats n04 , was n03", "seats n01 , was n00", "Newest").lacks("n05 , was n04", "Older")
}

// TestSearch: each kind is found, one hit leads straight there, and exact ones come
// first.
func TestSearch(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.signIn(staff)
	w := s.hook(nowhere, func(w *webhook.Webhook) { w.Name = "Night desk" })
	s.hook(nowhere, func(w *webhook.Webhook) { w.Name = "Nightly export" })
	var events []webhook.Event
	for _, reference := range []string{"123", "12", "AB-7", "ab-8", "#9", "x/1 y"} {
		events = append(events, webhook.Event{BookingID: reference})
	}
	for i := range 25 {
		events = append(events, webhook.Event{BookingID: fmt.Sprintf("M-%03d", i)})
	}
	events = append(events, webhook.Event{BookingID: "50", ExternalID: "tc-50"}, webhook.Event{BookingID: "60", Platform: "wink", Inbound: true, ExternalID: "in:wink:ev-60"})
	accepted := s.leave(events...)
	delivery, event := accepted[0].Decisions[0].Delivery.String(), accepted[0].Event.ID.String()
	last := accepted[len(accepted)-2:]
	replay := s.replay(accepted[0])
	for typed, want := range map[string]string{
		"123": "/bookings/123", " # 123 ": "/bookings/123", "#9": "/bookings/%239", "x/1": "/bookings/x%2F1%20y", "AB-7": "/bookings/AB-7", "ab-7": "/bookings/AB-7", "AB-8": "/bookings/ab-8",
		delivery: "/deliveries/" + delivery, strings.ToUpper(" " + event): "/events/" + event, w.ID.String(): "/webhooks/" + w.ID.String(),
		replay:       "/replays/" + replay,
		"night desk": "/webhooks/" + w.ID.String(), "DESK": "/webhooks/" + w.ID.String(),
		"tc-50": "/events/" + last[0].Event.ID.String(), "ev-60": "/events/" + last[1].Event.ID.String(),
	} {
		p := b.get("/search?q=" + url.QueryEscape(typed)).is(http.StatusSeeOther)
		if p.location != want {
			t.Errorf("%q: got %s, want %s", typed, p.location, want)
		}
	}
	p := b.get("/search?q=12").is(http.StatusOK).has("2 results, exact ones first", "Booking 12 Booking cancelled · sent to 2 of 2 webhooks")
	if exact, begins := strings.Index(p.text, `"/bookings/12"`), strings.Index(p.text, `"/bookings/123"`); exact < 0 || begins < exact {
		t.Error("the exact hit is not the first")
	}
	b.get("/search?q=night").is(http.StatusOK).has("2 results", "Night desk", "Nightly export")
	b.get("/search?q=m-").is(http.StatusOK).has("more than 20 results", "M-000", "M-019", "These are the first 20").lacks("M-020")
	b.get("/search?q=404").is(http.StatusOK).has("Nothing found", "“404”", "check your booking system")
	b.get("/search?q=whk_0000000000001").is(http.StatusOK).has("Nothing found")
	b.get("/search?q=" + strings.Repeat("x", 5000)).is(http.StatusOK).has("Nothing found")
	b.get("/search?q=%00%FF").is(http.StatusOK)
	b.get("/search").is(http.StatusOK).has("What are you looking for?")
	theirs := s.signIn(others)
	for _, typed := range []string{"123", delivery, event, replay, w.ID.String(), "night", "tc-50"} {
		theirs.get("/search?q=" + typed).is(http.StatusOK).has("Nothing found")
	}
}

// replay starts a bulk replay of an event's first delivery, and returns its id.
func (s *site) replay(a webhook.Accepted) string {
	s.Helper()
	r, err := s.store.PlanReplay(s.Context(), s.account.ID, webhook.ReplayRequest{}, change())
	s.check(err)
	s.check(s.store.AddReplayItems(s.Context(), s.account.ID, r.ID, []webhook.ReplayItem{{Delivery: a.Decisions[0].Delivery, Event: a.Event.ID, Webhook: a.Decisions[0].Webhook}}))
	_, err = s.store.StartReplay(s.Context(), s.account.ID, r.ID, change())
	s.check(err)
	return r.ID.String()
}
