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

// What the receiver itself said is in the list, if it is short and readable.
func TestDeliveriesSay(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.signIn(staff)
	r := newReceiver(t, http.StatusUnprocessableEntity)
	w := s.hook(r.URL)
	for _, said := range []string{"<h1>Nginx</h1>", `{"error":{"message":"Tour 12 is unknown here"}}`} {
		r.says.Store(said)
		s.ingest(webhook.Event{BookingID: "1234"})
		s.settled()
	}
	for _, path := range []string{"/deliveries", "/webhooks/" + w.ID.String()} {
		b.get(path).has("Failed Tour 12 is unknown here", "Failed 422 Unprocessable Entity").lacks("Nginx")
	}
}

// A row names its booking platform only where the account has several.
func TestRowsNameThePlatform(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.signIn(staff)
	w := s.hook(nowhere)
	s.connect("tourcms")
	s.leave(webhook.Event{BookingID: "1234"})
	lists := []string{"/deliveries", "/events", "/webhooks/" + w.ID.String() + "/deliveries"}
	const named = `<span class="quiet">TourCMS</span>`
	for _, path := range lists {
		b.get(path).has("1234", "Booking cancelled").lacks(named)
	}
	s.connect("wink")
	for _, path := range lists {
		b.get(path).has("1234", named)
	}
}

// The way through the deliveries of a filter, and back.
func TestDeliveryNeighbours(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.signIn(anna)
	s.hook(nowhere)
	for i := range 4 {
		s.leave(webhook.Event{BookingID: fmt.Sprint("B-", i)}, webhook.Event{BookingID: "between", Type: "token_failure"})
	}
	p := b.get("/deliveries?type=cancelled&booking_id=")
	p = b.get(p.location)
	p = b.get(p.find(`class="whole" href="(/deliveries/dlv_\w+\?type=cancelled)"`)).has("booking B-3", `<span class="button small">Previous</span>`).lacks(`rel="prev"`)
	for i := 2; i >= 0; i-- {
		p = b.get(p.find(`href="([^"]*)" rel="next"`)).is(http.StatusOK).has(fmt.Sprint("booking B-", i))
	}
	p.lacks(`rel="next"`)
	b.get(p.find(`href="([^"]*)" rel="prev"`)).has("booking B-1")
	b.get(p.find(`href="([^"]*)">Deliveries</a></li>`)).has("4 deliveries")
	replay := p.find(`action="([^"]*/replay[^"]*)"`)
	if to := b.post(replay, nil).is(http.StatusSeeOther).location; !strings.HasSuffix(to, "?type=cancelled") {
		t.Errorf("the filter is lost: %s", to)
	}
	b.get(strings.Split(p.find(`href="([^"]*)" rel="prev"`), "?")[0]+"?type=nonsense").is(http.StatusOK).has("Previous", "Next")
}

// Addresses say what is filtered and no more.
func TestAddressesWithoutEmptyParameters(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.signIn(staff)
	for from, to := range map[string]string{
		"/deliveries?booking_id=+1%2F2+&state=&webhook_id=&type=&since=&until=": "/deliveries?booking_id=+1%2F2+",
		"/deliveries?booking_id=&state=":                                        "/deliveries",
		"/events?type=&booking_id=1&sent=":                                      "/events?booking_id=1",
		"/channels?q=":                                                          "/channels",
		"/tours?q=":                                                             "/tours",
		"/deliveries?period=any&since=2030-01-01T00:00&state=failed":            "/deliveries?state=failed",
		"/deliveries?state":                                                     "/deliveries",
		"/deliveries?state=failed&":                                             "/deliveries?state=failed",
		"/deliveries?state=failed":                                              "",
		"/deliveries":                                                           "",
	} {
		if got := b.get(from).location; got != to {
			t.Errorf("%s: sent to %q, want %q", from, got, to)
		}
	}
}

// A period is days or minutes of the account's time zone, or one with a name.
func TestPeriods(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.account.TimeZone = "Asia/Kathmandu" // 5:45 ahead
	s.check(s.store.UpdateAccount(t.Context(), s.account, change()))
	b := s.signIn(staff)
	s.hook(nowhere)
	s.leave(webhook.Event{BookingID: "1234"})
	now := time.Now().In(s.account.Location())
	minute := func(d time.Duration) string { return url.QueryEscape(now.Add(d).Format("2006-01-02T15:04")) }
	for query, found := range map[string]bool{
		"period=today": true, "period=1h": true, "period=7d": true,
		"since=" + minute(-time.Minute):                                        true,
		"since=" + minute(time.Minute+time.Second):                             false,
		"until=" + minute(time.Minute):                                         true, // the minute itself is part of it
		"until=" + minute(-time.Minute):                                        false,
		"since=" + minute(-2*time.Hour) + "&until=" + minute(time.Hour):        true,
		"since=" + now.Format(time.DateOnly) + "&until=" + minute(time.Minute): true,
		"period=custom": true,
		"period=custom&until=" + minute(-2*time.Hour): false,
		"period=1h&until=" + minute(-2*time.Hour):     true, // what was typed before is hidden, and does not count
	} {
		for _, list := range []string{"/deliveries?", "/events?"} {
			p := b.get(list + query).is(http.StatusOK)
			if got := strings.Contains(p.text, `class="whole"`); got != found {
				t.Errorf("%s%s: found %v, want %v", list, query, got, found)
			}
		}
	}
	for query, problem := range map[string]string{
		"period=1y": "There is no such period", "since=2026-11-21T25:00": "Write the day as year, month and day, with or without a time of day",
		"since=2026-11-21T10:01&until=2026-11-21T10:00": "This is before the time in From.",
	} {
		b.get("/deliveries?" + query).is(http.StatusUnprocessableEntity).has(problem)
		b.get("/events?" + query).is(http.StatusUnprocessableEntity).has(problem)
	}
	b.get("/deliveries?since=2026-11-21&until=2026-11-22T08:30").has(`type="datetime-local" value="2026-11-21T00:00"`, `value="2026-11-22T08:30"`)
}

// Where clocks are put back, both hours of the same name are meant.
func TestPeriodWhenClocksChange(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.account.TimeZone = "Europe/Berlin"
	s.check(s.store.UpdateAccount(t.Context(), s.account, change()))
	b := s.signIn(staff)
	b.get("/deliveries?since=2025-10-26T02:30&until=2025-10-26T02:30").is(http.StatusOK)
	b.get("/deliveries?since=2025-10-26T02:31&until=2025-10-26T02:30").is(http.StatusOK) // 02:31 in summer, 02:30 in winter
	b.get("/deliveries?since=2025-10-27T02:31&until=2025-10-27T02:30").is(http.StatusUnprocessableEntity)
}

// A preset changes its part of the filter, and takes it back.
func TestPresets(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.signIn(staff)
	s.hook(nowhere)
	s.leave(webhook.Event{BookingID: "1234"}, webhook.Event{BookingID: "5678"})
	preset := func(p page, name string) page {
		return b.get(p.find(`href="([^"]*)"[^>]*>` + name + `</a>`)).is(http.StatusOK)
	}
	p := preset(b.get("/deliveries?booking_id=1234&since=2020-01-01"), "Today").has("1 delivery")
	p = preset(p, "Waiting").has("1 delivery", `href="/deliveries?booking_id=1234&period=today"`)
	p = preset(p, "Failed").has("No delivery matches")
	p = preset(p, "Failed").has("1 delivery")
	preset(p, "Today").has("1 delivery").lacks("period=today\" aria-current")
	preset(b.get("/events?booking_id=1234"), "Sent to nobody").has("No event matches")
}

func TestSavedViews(t *testing.T) {
	t.Parallel()
	s := newWizard(t)
	b := s.signIn(staff)
	s.hook(nowhere)
	s.leave(webhook.Event{BookingID: "1234"})
	b.get("/deliveries").lacks("Save view")
	query := b.get("/deliveries?type=cancelled&period=today").has("Save view").find(`name="query" value="([^"]*)"`)
	save := func(name string) url.Values {
		return url.Values{"list": {"deliveries"}, "query": {query}, "name": {name}}
	}
	p := b.follow("/views", save(" Night & day 🦭 ")).has("“Night & day 🦭” was saved", "1 delivery", "Delete view").lacks("Save view")
	b.get("/deliveries").has("Night & day 🦭")
	b.get("/events").lacks("Night & day")
	b.follow("/views", url.Values{"list": {"events"}, "query": {"sent=false&tour_id=12&cursor=x"}, "name": {"Unsent"}}).has("Unsent", "Delete view")
	s.signIn(anna).get("/deliveries").lacks("Night & day")
	s.signIn(staff).get("/deliveries").has("Night & day 🦭") // in another session

	for name, problem := range map[string]string{"": "Enter a name.", strings.Repeat("x", 101): "Use at most 100 characters", "a\x00": "no control characters"} {
		b.post("/views", save(name)).is(http.StatusUnprocessableEntity).has(problem, "1 delivery")
	}
	b.post("/views", url.Values{"list": {"deliveries"}, "query": {"state=lost"}, "name": {"Lost"}}).is(http.StatusUnprocessableEntity).has("There is no such status")
	b.post("/views", url.Values{"list": {"webhooks"}, "query": {"state=failed"}, "name": {"Odd"}}).is(http.StatusNotFound)
	b.post("/views", url.Values{"list": {"deliveries"}, "query": {"%zz"}, "name": {"Odd"}}).is(http.StatusBadRequest)
	b.post("/views", url.Values{"list": {"deliveries"}, "query": {"more=1"}, "name": {"Nothing"}}).is(http.StatusBadRequest)

	remove := p.find(`action="(/views/viw_\w+/delete)"`)
	s.signIn(anna).post(remove, nil).is(http.StatusNotFound)
	b.follow(remove, nil).has("The saved view “Night & day 🦭” was deleted", "Save view")
	b.post(remove, nil).is(http.StatusNotFound)
	for i := range webhook.MaxSavedViews - 1 {
		b.post("/views", save(fmt.Sprint("View ", i))).is(http.StatusSeeOther)
	}
	b.post("/views", save("One more")).is(http.StatusUnprocessableEntity).has("You have 20 saved views and may have 20.")
}

func TestEventsFilters(t *testing.T) {
	t.Parallel()
	s := newWizard(t)
	b := s.signIn(staff)
	s.hook(nowhere, func(w *webhook.Webhook) { w.SelectEvents([]string{"cancelled"}) })
	s.leave(webhook.Event{BookingID: "A", ChannelID: "3930", TourIDs: []string{"12"}}, webhook.Event{BookingID: "B", ChannelID: "3931", TourIDs: []string{"15", "12"}, Type: "redeem_voucher"})
	for query, want := range map[string]string{
		"channel_id=3930": "A", "channel_id=9": "", "tour_id=12": "AB", "tour_id=15": "B", "sent=true": "A", "sent=false": "B", "sent=false&tour_id=12&channel_id=3931&period=today": "B",
	} {
		rows := cut(b.get("/events?"+query).is(http.StatusOK).words, "Sent to Any")
		rows = cut(rows, "Received")
		for _, booking := range []string{"A", "B"} {
			if got := strings.Contains(rows, " "+booking+" "); got != strings.Contains(want, booking) {
				t.Errorf("%s: event of %s is listed: %v", query, booking, got)
			}
		}
	}
	b.get("/events?sent=perhaps").is(http.StatusUnprocessableEntity).has("There is no such choice")
	b.get("/events?channel_id=nine").has(`value="nine" selected`, "Website")
	var many []webhook.Item
	for i := range 201 {
		many = append(many, webhook.Item{ID: fmt.Sprint("t", i), Name: "Tour"})
	}
	s.putItems(webhook.Tours, many...)
	b.get("/events?tour_id=12").has("Tour id", `value="12"`, "2 events").lacks("Tour Any")
}
