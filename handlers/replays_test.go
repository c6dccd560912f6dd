package handlers_test

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"bookhook/webhook"
)

// A period that ends now is fixed when its deliveries are counted, so that what is sent
// later is what was counted.
func TestReplayPeriodIsFixed(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.account.TimeZone = "Asia/Kathmandu" // 5:45 ahead
	s.check(s.store.UpdateAccount(t.Context(), s.account, change()))
	b := s.signIn(staff)
	s.hook(nowhere)
	s.leave(webhook.Event{BookingID: "1234"})
	p := b.get("/replays/new?period=1h&state=pending").is(http.StatusOK).has("1 delivery of 1 booking").lacks(`name="period"`)
	began := p.find(`type="datetime-local" value="([^"]*)"`)
	at, err := time.ParseInLocation("2006-01-02T15:04", began, s.account.Location())
	if ago := time.Since(at); err != nil || ago < time.Hour || ago > 62*time.Minute {
		t.Errorf("got %q, %v ago, want an hour", began, ago)
	}
	if action := p.find(`method="post" action="(/replays/new[^"]*)"`); action != "/replays/new?since="+url.QueryEscape(began)+"&state=pending" {
		t.Errorf("the start is at %s", action)
	}
	b.get("/replays/new?period=1y").is(http.StatusUnprocessableEntity).has("There is no such period")
}

// What a person has sent again since is no longer retried for the replay.
func TestReplayTakenOver(t *testing.T) {
	t.Parallel()
	s := newSite(t, time.Hour, time.Hour)
	b := s.signIn(staff)
	r := newReceiver(t, http.StatusInternalServerError)
	s.hook(r.URL)
	d := s.ingest(webhook.Event{BookingID: "1234"}).Decisions[0].Delivery
	s.settled()
	path := b.post("/replays/new?state=pending", nil).is(http.StatusSeeOther).location
	s.settled()
	b.get(path).has("1 of 1 sent: 0 delivered, 0 failed", "1 delivery was attempted and not accepted yet")
	r.status.Store(http.StatusOK)
	b.follow("/deliveries/"+d.String()+"/replay", nil).has("answered 200 OK")
	b.get(path).has("Done", "1 of 1 sent: 0 delivered, 0 failed").lacks("not accepted yet")
}
