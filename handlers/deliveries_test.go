package handlers_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"bookhook/webhook"
)

// nowhere is never called in these tests: what is left stays in the table.
const nowhere = "https://hooks.example.com/bookings"

func TestDeliveriesEmpty(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.signIn(staff)
	b.get("/deliveries").is(http.StatusOK).has("No deliveries yet")
	b.get("/deliveries?booking_id=12").is(http.StatusOK).has("No delivery matches")
}

func TestDeliveriesFilter(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.signIn(staff)
	up, down := newReceiver(t, http.StatusOK), newReceiver(t, http.StatusInternalServerError)
	one := s.hook(up.URL, func(w *webhook.Webhook) { w.SelectEvents([]string{"cancelled"}) })
	s.hook(down.URL, func(w *webhook.Webhook) { w.Name = "E-mail tool"; w.SelectEvents([]string{"token_failure"}) })
	s.ingest(webhook.Event{BookingID: "A 1🦭"})
	s.settled()
	s.ingest(webhook.Event{BookingID: "B-2", Type: "token_failure"})
	s.settled()
	today := time.Now().UTC().Format(time.DateOnly)
	for query, want := range map[string]string{
		"":                                           "AB",
		"state=delivered":                            "A",
		"state=failed":                               "B",
		"state=pending":                              "",
		"webhook_id=" + one.ID.String():              "A",
		"type=token_failure":                         "B",
		"type=redeem_voucher":                        "",
		"booking_id=A+1%F0%9F%A6%AD":                 "A",
		"booking_id=+B-2+":                           "B",
		"booking_id=b-2":                             "",
		"since=" + today + "&until=" + today:         "AB",
		"since=2025-01-01&until=2025-12-31":          "",
		"state=failed&type=cancelled":                "",
		"state=failed&booking_id=B-2&since=" + today: "B",
	} {
		rows := cut(b.get("/deliveries?"+query).is(http.StatusOK).words, "Attempts")
		for booking, sign := range map[string]string{"A 1🦭": "A", "B-2": "B"} {
			if got, want := strings.Contains(rows, booking), strings.Contains(want, sign); got != want {
				t.Errorf("%s: booking %s is shown: %v, want %v", query, booking, got, want)
			}
		}
	}
}

// cut is what follows the mark, "" when there is no mark.
func cut(text, mark string) string {
	_, rest, _ := strings.Cut(text, mark)
	return rest
}

func TestDeliveriesFilterKeepsWhatWasTyped(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.signIn(staff)
	s.hook(nowhere)
	s.leave(webhook.Event{BookingID: "1234"})
	foreign := webhook.WebhookID(99).String()
	for query, problem := range map[string]string{
		"state=lost":                              "There is no such status",
		"webhook_id=" + foreign:                   "There is no such webhook",
		"webhook_id=x":                            "There is no such webhook",
		"type=renamed":                            "There is no such event",
		"since=yesterday":                         "Write the day as",
		"until=2026-02-30":                        "Write the day as",
		"since=2026-11-22&until=2026-11-21":       "This is before the time in From",
		"booking_id=" + strings.Repeat("1", 101):  "Use at most 100 characters",
		"booking_id=%00":                          "no control characters",
		"state=lost&since=yesterday&until=+x+y+z": "There is no such status",
	} {
		p := b.get("/deliveries?"+query).is(http.StatusUnprocessableEntity).has(problem, "1234", "1 delivery")
		if value := cut(query, "since="); strings.HasPrefix(query, "since=y") {
			p.has(`value="` + value + `"`)
		}
	}
}

// Days are those of the account, not those of UTC.
func TestDeliveriesFilterInTheAccountsTimeZone(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.account.TimeZone = "Pacific/Kiritimati" // fourteen hours ahead
	if time.Now().UTC().Hour() < 10 {
		s.account.TimeZone = "Pacific/Honolulu" // ten hours behind
	}
	s.check(s.store.UpdateAccount(t.Context(), s.account, change()))
	s.hook(nowhere)
	s.leave(webhook.Event{BookingID: "1234"})
	b := s.signIn(staff)
	there, utc := time.Now().In(s.account.Location()).Format(time.DateOnly), time.Now().UTC().Format(time.DateOnly)
	b.get("/deliveries?since=" + there + "&until=" + there).has("1 delivery")
	b.get("/deliveries?since=" + utc + "&until=" + utc).has("No delivery matches")
}

func TestDeliveriesPages(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.signIn(staff)
	s.hook(nowhere)
	for i := range 120 {
		s.leave(webhook.Event{BookingID: fmt.Sprintf("B-%03d", i)})
	}
	path, seen := "/deliveries?type=cancelled", 120
	for page := 0; path != ""; page++ {
		p := b.get(path).is(http.StatusOK).has("120 deliveries")
		rows := strings.Count(p.text, `class="whole"`)
		if want := []int{50, 50, 20}[page]; rows != want {
			t.Fatalf("page %d has %d rows, want %d", page, rows, want)
		}
		for range rows {
			seen--
			p.has(fmt.Sprintf("B-%03d", seen))
		}
		path = ""
		if page < 2 {
			path = p.find(`href="([^"]*before=[^"]*)"`)
			if !strings.Contains(path, "type=cancelled") {
				t.Errorf("the filter is not in %s", path)
			}
		}
		if first := !strings.Contains(p.text, ">Newest</a>"); first != (page == 0) {
			t.Errorf("page %d says it is the first: %v", page, first)
		}
	}
}

func TestDeliveriesManyAreCounted(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.signIn(staff)
	s.hook(nowhere)
	batch := make([]webhook.Event, webhook.MaxBatch)
	for range webhook.CountCap / webhook.MaxBatch {
		s.leave(batch...)
	}
	b.get("/deliveries").has("10,000 deliveries").lacks("more than")
	s.leave(webhook.Event{})
	b.get("/deliveries").has("more than 10,000 deliveries")
	b.get("/events").has("more than 10,000 events")
	p := b.get("/events?type=token_failure").is(http.StatusOK).has("Nothing found so far", "Searched back to").lacks("No event matches")
	for strings.Contains(p.text, "Search further back") {
		p = b.get(p.find(`href="([^"]*before=[^"]*)"`)).is(http.StatusOK)
	}
	p.has("No older event matches")
}

// A rare delivery is found by going on with the search, which needs no script.
func TestDeliveriesSearch(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.signIn(staff)
	r := newReceiver(t, http.StatusOK)
	s.hook(r.URL)
	s.ingest(webhook.Event{BookingID: "rare 1"})
	s.ingest(webhook.Event{BookingID: "rare 2"})
	s.settled()
	for range 3 {
		s.leave(make([]webhook.Event, webhook.MaxBatch)...)
	}
	p := b.get("/deliveries?state=delivered").is(http.StatusOK).has("Nothing found so far", "Searched back to", "Search further back").lacks("rare")
	next := p.find(`href="([^"]*before=[^"]*)"`)
	if !strings.Contains(next, "state=delivered") {
		t.Errorf("the filter is not in %s", next)
	}
	for p = b.get(next).is(http.StatusOK); strings.Contains(p.text, "Search further back"); {
		p.has("Nothing found so far")
		p = b.get(p.find(`href="([^"]*before=[^"]*)"`)).is(http.StatusOK)
	}
	p.has("rare 1", "rare 2", "Newest").lacks("Search further back", "Searched back")
	b.get("/deliveries?state=cancelled").has("No delivery matches")
}

// deliveryOf is the one delivery of an event.
func deliveryOf(a webhook.Accepted) string {
	return "/deliveries/" + a.Decisions[0].Delivery.String()
}

func TestDeliveryReplay(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.signIn(staff)
	r := newReceiver(t, http.StatusServiceUnavailable)
	s.hook(r.URL + "/hook")
	path := deliveryOf(s.ingest(webhook.Event{BookingID: "1234"}))
	s.settled()
	b.get(path).is(http.StatusOK).has("Booking cancelled, booking 1234", "Bookhook gave up after 1 attempt", "503 Service Unavailable", "booking_id=1234", "Replay").
		lacks("Stop retrying")
	r.status.Store(http.StatusOK)
	sent := b.post(path+"/replay", nil).is(http.StatusSeeOther)
	s.settled()
	b.get(sent.location).has("Accounting answered 200 OK after", "Accounting accepted this event of booking 1234", "on attempt 2")
	first, second := arrived(t, r.got), arrived(t, r.got)
	if id := first.Header.Get("Webhook-Id"); id != second.Header.Get("Webhook-Id") || "/deliveries/"+id != path {
		t.Errorf("the webhook-id changed: %q, %q", id, second.Header.Get("Webhook-Id"))
	}
}

func TestDeliveryReplayInFlight(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.signIn(anna)
	r := newReceiver(t, http.StatusOK)
	r.hold = make(chan struct{})
	s.hook(r.URL)
	path := deliveryOf(s.ingest(webhook.Event{BookingID: "1234"}))
	arrived(t, r.got)
	b.get(path).has("Sending").lacks(path + "/replay") // which could only be refused
	b.follow(path+"/replay", nil).has("It is being sent right now. Wait for the answer")
	b.follow(path+"/cancel", nil).has("The one that is in flight may still arrive")
	close(r.hold)
	s.settled()
}

func TestDeliveryReplayWithoutWebhook(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.signIn(anna)
	w := s.hook(nowhere)
	path := deliveryOf(s.leave(webhook.Event{BookingID: "1234"})[0])
	b.follow("/webhooks/"+w.ID.String()+"/switch", url.Values{"enabled": {"0"}})
	b.follow(path+"/replay", nil).has("It was not sent: the webhook is off. Switch it on, then replay the delivery.", "Switch it on to send this delivery.").lacks("Retry now")
	for _, list := range []string{"/deliveries", "/webhooks/" + w.ID.String()} {
		b.get(list).has("webhook is off").lacks("try is due")
	}
	b.follow("/webhooks/"+w.ID.String()+"/delete", nil)
	b.follow(path+"/replay", nil).has("The webhook of this delivery was deleted")
}

func TestDeliveryCancel(t *testing.T) {
	t.Parallel()
	s := newSite(t, time.Hour)
	b := s.signIn(anna)
	r := newReceiver(t, http.StatusInternalServerError)
	s.hook(r.URL)
	path := deliveryOf(s.ingest(webhook.Event{BookingID: "1234"}))
	s.settled()
	b.get(path).has("Waiting", "Next attempt at", "it is the last one")
	b.follow(path+"/cancel", nil).has("Bookhook makes no further attempt. You can replay it later.", "Cancelled")
	b.follow(path+"/cancel", nil).has("Nothing was stopped")
	r.status.Store(http.StatusOK)
	b.post(path+"/replay", nil).is(http.StatusSeeOther)
	s.settled()
	b.get(path).has("Delivered")
}
