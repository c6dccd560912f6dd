package handlers_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"bookhook/stats"
	"bookhook/webhook"
)

// deliver sends so many bookings to a receiver, of which all attempts have ended then.
func (s *site) deliver(r *receiver, status, n int) {
	s.Helper()
	r.status.Store(int32(status)) //nolint:gosec // it is small
	for range n {
		s.ingest(webhook.Event{BookingID: "1"})
		s.settled()
	}
}

// TestStatsOfPages: what the pages say is what was really delivered, to whom it belongs.
func TestStatsOfPages(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.signIn(staff)
	for _, path := range []string{"/stats", "/stats?period=30d"} {
		b.get(path).is(http.StatusOK).has("Nothing was sent in the last").lacks("Response times", "Show as table")
	}
	r := newReceiver(t, http.StatusOK)
	w := s.hook(r.URL, func(w *webhook.Webhook) { w.SelectEvents([]string{"cancelled"}) })
	page := "/webhooks/" + w.ID.String()
	s.deliver(r, http.StatusOK, 3)
	b.get(page).has("<b>3</b>", "delivered", "Response times").lacks("Reasons for failure", "failed</")
	s.deliver(r, http.StatusInternalServerError, 2) // the only attempt of each
	b.post(page+"/test", nil).is(http.StatusSeeOther)
	s.settled() // it does not count

	for _, path := range []string{page, page + "?period=7d", "/stats", "/stats?period=30d"} {
		p := b.get(path).is(http.StatusOK).lacks("3 deliveries failed").has("<b>3</b>", "<b>2</b>", "2</b> <span>", "Reasons for failure", "500 Internal Server Error")
		if period := p.find(`href="[^"]*\?period=(\w+)" aria-current="true"`); !strings.HasSuffix(path, period) && period != "24h" {
			t.Errorf("%s: the period %s is current", path, period)
		}
	}
	b.get("/webhooks").has(`aria-label="3 delivered; 2 failed in 14 days"`)
	for _, path := range []string{page + "?period=1y", "/stats?period=24H"} {
		b.get(path).is(http.StatusUnprocessableEntity).has("There is no such period")
	}

	other := s.signIn(others)
	other.get(page).is(http.StatusNotFound)
	other.get("/stats").is(http.StatusOK).has("Nothing was sent")
	s.signIn(lone).get("/admin/stats?period=30d").is(http.StatusOK).has("<b>3</b>", "delivered", "Times are in UTC", "Today")
}

// TestStatsOfAPI: the API says what the store counted.
func TestStatsOfAPI(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	hook := a.hook(t, "Accounting", "")
	a.call(t, 202, "POST", "/api/v1/events", `{"type":"cancelled"}`)
	a.finish(t, 1)
	a.answer = func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusGone) }
	a.call(t, 202, "POST", "/api/v1/events", `{"type":"cancelled"}`)
	a.finish(t, 1)

	type bucket struct {
		Start          string
		Delivered      int64
		FailedAttempts int64 `json:"failed_attempts"`
		GivenUp        int64 `json:"given_up"`
	}
	for period, n := range map[string]int{"": 24, "?period=": 24, "?period=24h": 24, "?period=7d": 28, "?period=30d": 30} {
		for _, path := range []string{"/api/v1/webhooks/" + hook + "/stats", "/api/v1/stats"} {
			var got struct {
				Buckets []bucket
				Reasons map[string]int64
			}
			if err := json.Unmarshal(a.raw(t, 200, a.request("GET", path+period, "")), &got); err != nil {
				t.Fatal(err)
			}
			if len(got.Buckets) != n || len(got.Reasons) != 1 || got.Reasons["gone"] != 1 {
				t.Fatalf("%s%s: got %+v", path, period, got)
			}
			if last := got.Buckets[n-1]; last.Delivered != 1 || last.FailedAttempts != 1 || last.GivenUp != 1 || !strings.HasSuffix(last.Start, ":00:00Z") {
				t.Errorf("%s%s: got %+v in the last bucket", path, period, last)
			}
		}
	}
	empty := a.call(t, 200, "GET", "/api/v1/stats", "", as(a.other))
	if buckets := empty["buckets"].([]any); len(buckets) != 24 || len(empty["reasons"].(map[string]any)) != 0 || buckets[23].(map[string]any)["delivered"] != 0.0 {
		t.Errorf("another account sees %v", empty)
	}
	if said := problems(a.call(t, 422, "GET", "/api/v1/stats?period=1y", ""))["period"]; said != "Send one of: 24h, 7d, 30d." {
		t.Errorf("got %v", said)
	}
	for _, p := range stats.Periods {
		a.call(t, 404, "GET", "/api/v1/webhooks/whk_0000000000002/stats?period="+string(p), "")
	}
}
