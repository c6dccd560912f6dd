package handlers_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"bookhook/auth"
	"bookhook/incidents"
	"bookhook/mail/smtptest"
	"bookhook/webhook"
)

// settings are what somebody wants to be told.
func (s *site) notices(email string) incidents.Settings {
	u, err := s.store.UserByEmail(s.Context(), email)
	s.check(err)
	settings, err := s.store.NoticeSettings(s.Context(), u.ID)
	s.check(err)
	return settings
}

func TestNoticeSettings(t *testing.T) {
	t.Parallel()
	s, _ := newMailSite(t, smtptest.Options{})
	const on, off = `name="mail" value="1" checked`, `name="mail" value="1" aria`
	b := s.signIn(anna)
	b.get("/settings/notices").is(http.StatusOK).has(on, "To "+anna, "A webhook is failing", "No incident in the last 30 days", "Save for everybody").lacks("The disk is nearly full", "E-mail is not set up")
	s.signIn(lone).get("/settings/notices").is(http.StatusOK).has(on, "The disk is nearly full").lacks("A webhook is failing", "Save for everybody")

	tim := s.signIn(staff)
	tim.get("/settings/notices").is(http.StatusOK).has(off, "After 1 h without success, or after a minute once 5 deliveries are waiting").lacks("Save for everybody")
	form := url.Values{"mail": {"1"}, "kind": {"outage", "silence", "disk", "nonsense"}, "quiet_from": {"22"}, "quiet_until": {"7"}}
	tim.follow("/settings/notices", form).has("Your notices were saved.", on, `<option value="22" selected`, `<option value="7" selected`)
	got := s.notices(staff)
	if !got.Mail || got.Quiet != (incidents.Hours{From: 22, Until: 7}) || len(got.Muted) != 2 || got.Wants(incidents.Rejected) || !got.Wants(incidents.Outage) {
		t.Errorf("got %+v", got)
	}
	for _, hours := range [][2]string{{"22", ""}, {"", "7"}, {"24", "x"}} {
		tim.post("/settings/notices", url.Values{"quiet_from": {hours[0]}, "quiet_until": {hours[1]}}).is(http.StatusSeeOther)
		if got := s.notices(staff); !got.Quiet.None() || got.Mail {
			t.Errorf("%v: got %+v", hours, got)
		}
	}
	if !s.notices(anna).Mail {
		t.Error("somebody else's settings changed")
	}
}

func TestNoticeLimits(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.signIn(anna)
	for _, wrong := range []url.Values{{"after": {"7"}, "waiting": {"9"}}, {"after": {"60"}, "waiting": {"0"}}, {"after": {"60"}, "waiting": {"1001"}}, {"after": {"60"}, "waiting": {"many"}}, {}} {
		b.post("/settings/notices/limits", wrong).is(http.StatusUnprocessableEntity).has("Save for everybody", "E-mail is not set up")
	}
	b.follow("/settings/notices/limits", url.Values{"after": {"30"}, "waiting": {" 7 "}}).has("Saved when a failing webhook is reported", `<option value="30" selected`, `value="7"`)
	got, err := s.store.NoticeLimits(t.Context(), s.account.ID)
	s.check(err)
	if got != (incidents.Limits{After: 30 * time.Minute, Waiting: 7}) {
		t.Errorf("got %+v", got)
	}
	b.get("/settings/activity").has("Changed when a failing webhook is reported.")
}

// TestIncidentList: open ones first; an account sees its own, an administrator also
// those of the instance.
func TestIncidentList(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	hook := s.hook("https://example.com/")
	now := time.Now().UTC().Truncate(time.Millisecond)
	open := func(key incidents.Key, details incidents.Details) incidents.Incident {
		s.check(s.store.ChangeIncident(t.Context(), incidents.Change{To: incidents.Incident{Key: key, Stage: incidents.Begun, Details: details, OpenedAt: now.Add(-time.Hour)}}, incidents.Notice{}, now))
		all, err := s.store.Incidents(t.Context(), key.Account, now, 1)
		s.check(err)
		return all[0]
	}
	open(incidents.Key{Account: s.account.ID, Kind: incidents.Outage, Subject: hook.ID.String()}, incidents.Details{Name: hook.Name})
	ended := open(incidents.Key{Account: s.account.ID, Kind: incidents.Silence, Subject: "tourcms/3930"}, incidents.Details{})
	to := ended
	to.ClearedAt, to.ClosedAt = now, now
	s.check(s.store.ChangeIncident(t.Context(), incidents.Change{From: ended, To: to}, incidents.Notice{}, now))
	open(incidents.Key{Kind: incidents.Backup}, incidents.Details{})

	p := s.signIn(anna).get("/settings/notices").has(hook.Name+" accepted no delivery", `href="/webhooks/`+hook.ID.String(), "No events from channel 3930 of TourCMS", "after 1 h").lacks("A backup of this Bookhook")
	if strings.Index(p.text, hook.Name+" accepted no delivery") > strings.Index(p.text, "No events from") {
		t.Error("what is open is not first")
	}
	s.signIn(admin).get("/settings/notices").has("A backup of this Bookhook was overdue", hook.Name+" accepted no delivery")
	s.signIn(lone).get("/settings/notices").has("A backup of this Bookhook was overdue").lacks(hook.Name + " accepted no delivery")
	s.signIn(others).get("/settings/notices").lacks(hook.Name+" accepted no delivery", "A backup of")
}

func TestStopNotices(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	u, err := s.store.UserByEmail(t.Context(), anna)
	s.check(err)
	link := "/notices/stop?token=" + auth.UnsubscribeToken(stopKey, u.ID)
	b := s.anonymous()
	for range 2 { // as a mail scanner does
		p := b.get(link).is(http.StatusOK).has("Stop these messages?", anna)
		if got := p.header.Get("Referrer-Policy"); got != "no-referrer" {
			t.Errorf("Referrer-Policy: got %q", got)
		}
	}
	for name, token := range map[string]string{
		"none": "", "forged": u.ID.String() + ".x", "by another key": auth.UnsubscribeToken([]byte("k"), u.ID), "of nobody": auth.UnsubscribeToken(stopKey, webhook.UserID(7)),
	} {
		b.get("/notices/stop?token=" + token).is(http.StatusNotFound).has("This link does not work")
		b.post("/notices/stop?token="+token, nil).is(http.StatusNotFound)
		if !s.notices(anna).Mail {
			t.Fatalf("%s: stopped", name)
		}
	}
	request := b.request(http.MethodPost, link, "List-Unsubscribe=One-Click") // as RFC 8058 has it, without a cookie and from anywhere
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Origin", "https://mail.example.com")
	request.Header.Set("Sec-Fetch-Site", "cross-site")
	b.do(request).is(http.StatusOK).has("No more messages")
	if s.notices(anna).Mail || !s.notices(admin).Mail {
		t.Errorf("got %+v, and of another one %+v", s.notices(anna), s.notices(admin))
	}
	b.post(link, nil).is(http.StatusOK)
	s.signIn(anna).get("/settings/notices").has(`name="mail" value="1" aria`)
}

// TestNoticesByWebhook: a webhook is made for Bookhook's own events; nobody else may send
// them, and nothing connects to it.
func TestNoticesByWebhook(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.signIn(anna)
	b.get("/settings/notices").has("None does so yet", "Create a webhook for notices")
	draft := b.post("/webhooks/new", url.Values{"about": {"bookhook"}}).is(303).location
	b.get(strings.Replace(draft, "/name", "/events", 1)).is(303) // the steps before come first
	b.get(draft).has("Each notice is one request with signed JSON").lacks("Native call Choose")
	b.post(draft, url.Values{"name": {"Alarm"}, "url": {"https://example.com/alarm"}, "format": {"standard"}}).is(303)
	p := b.get(strings.Replace(draft, "/name", "/events", 1)).has("Notices for a system that raises an alarm", "A webhook is failing", "10 of 10 chosen")
	if strings.Contains(p.text, "Bookhook is switched off") {
		t.Error("it is called off")
	}
	review := strings.Replace(draft, "/name", "/review", 1)
	all := []string{"bookhook:webhook.failing", "bookhook:webhook.resolved"}
	if got := b.post(strings.Replace(draft, "/name", "/events", 1), url.Values{"all_events": {"0"}, "events": all}).is(303).location; got != review {
		t.Errorf("goes to %s, want no step for channels and tours", got)
	}
	shown := b.get(review).has("When Bookhook notices", "Step 4 of 4").lacks("Of the last", "All channels")
	if draft := strings.TrimSuffix(review, "/review"); strings.Contains(shown.text, draft+"/tours") || strings.Contains(shown.text, draft+"/channels") {
		t.Error("the steps that do not matter are shown")
	}
	version := regexp.MustCompile(`name="version" value="([^"]+)"`).FindStringSubmatch(shown.text)
	b.post(review, url.Values{"version": {version[1]}}).is(303)
	created, err := s.store.Webhooks(t.Context(), s.account.ID)
	s.check(err)
	hook := created[0]
	b.get("/settings/notices").has("Called about incidents of", hook.Name).lacks("None does so yet")
	b.get("/webhooks/"+hook.ID.String()).has("When Bookhook notices", "“A webhook is failing” or “A webhook is no longer failing”").lacks("on any channel")
	b.get("/webhooks").has("2 notices of Bookhook’s own")
	s.booked("TC-77")
	events, err := s.store.Events(t.Context(), s.account.ID, webhook.EventFilter{Limit: 1})
	s.check(err)
	b.get("/events/" + events.Rows[0].ID.String()).lacks(hook.Name) // a booking is not for it
	s.signIn(staff).get("/settings/notices").has(hook.Name).lacks("Create a webhook for notices")
	s.signIn(others).get("/settings/notices").lacks(hook.Name)
	for _, path := range []string{"/settings/platforms/bookhook", "/in/bookhook/abc"} {
		b.get(path).is(404)
	}
	b.get("/settings/platforms").lacks("/settings/platforms/bookhook")
}
