package notices

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/url"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"bookhook/auth"
	"bookhook/incidents"
	"bookhook/mail/smtptest"
	"bookhook/platforms/bookhook"
	"bookhook/webhook"
)

// watched is an office with a watcher and a webhook.
type watched struct {
	*office
	watcher Watcher
	hook    *webhook.Webhook
	began   time.Time
	said    string // by the receiver with its 503
	free    uint64
}

func newWatched(t *testing.T) *watched {
	t.Helper()
	w := &watched{office: newOffice(t, smtptest.Options{}), began: time.Now().UTC().Truncate(time.Millisecond), free: 9 << 30}
	w.watcher = Watcher{Store: w.store, Free: func() (uint64, error) { return w.free, nil }, Least: 1 << 30, Mail: true, Words: w.Worker, Log: slog.New(slog.NewTextHandler(w.log, nil))}
	var err error
	w.hook, err = w.store.CreateWebhook(t.Context(), &webhook.Webhook{
		Account: w.account.ID, Enabled: true, Secret: "whsec_x", Config: webhook.Config{
			Name: "Accounting", URL: "https://example.com/hook", Kind: webhook.Async, Format: webhook.Standard, AllEvents: true,
			Channels: webhook.NewFilter(webhook.All, nil), Tours: webhook.NewFilter(webhook.All, nil), Concurrency: 8,
		},
	}, nil, w.change())
	check(t, err)
	return w
}

// book takes in bookings, whose deliveries are claimed.
func (w *watched) book(references ...string) (ids []webhook.DeliveryID) {
	w.Helper()
	subscriptions, err := w.store.Subscriptions(w.Context(), w.account.ID)
	check(w.T, err)
	var events []webhook.Event
	for _, reference := range references {
		events = append(events, webhook.Event{Platform: "tourcms", Type: "new_confirmed_web", BookingID: reference, OccurredAt: w.began, Data: []byte(`{"customer":"Greta Guest"}`)})
	}
	plan := webhook.NewPlan(subscriptions, events, w.began, w.began.Add(time.Minute))
	for i := range plan.Events {
		for j := range plan.Events[i].Claim {
			plan.Events[i].Claim[j] = true
		}
	}
	accepted, err := w.store.Insert(w.Context(), plan)
	check(w.T, err)
	for _, a := range accepted {
		ids = append(ids, a.Decisions[0].Delivery)
	}
	return ids
}

// look lets the watcher look, and everything be sent that is due, a time after the beginning.
func (w *watched) look(after time.Duration) {
	w.Helper()
	now := w.began.Add(after)
	check(w.T, w.watcher.look(w.Context(), now))
	w.send(now)
}

// none checks that no message was sent.
func (w *watched) none(what string) {
	w.Helper()
	if n := len(w.server.Messages); n != 0 {
		w.Errorf("%s: %d messages, the first is %q", what, n, w.server.Next(w.T).Header.Get("Subject"))
	}
}

// says takes the one message that was sent, with all of this in both parts.
func (w *watched) says(subject string, all ...string) smtptest.Message {
	w.Helper()
	m := w.server.Next(w.T)
	if got := m.Header.Get("Subject"); got != subject && got != subject+" – "+w.account.Name || len(w.server.Messages) != 0 {
		w.Errorf("got %q and %d more, want %q", got, len(w.server.Messages), subject)
	}
	for _, want := range all {
		if !strings.Contains(m.Text, want) || !strings.Contains(m.HTML, strings.ReplaceAll(want, "&", "&amp;")) {
			w.Errorf("no %q in:\n%s\n%s", want, m.Text, m.HTML)
		}
	}
	if strings.Contains(m.Text+m.HTML, "Greta") {
		w.Errorf("a guest's name in:\n%s", m.Text)
	}
	return m
}

var stopLink = regexp.MustCompile(`https://hooks\.example\.com` + StopPath + `\?token=(\S+)`)

func TestOutage(t *testing.T) {
	t.Parallel()
	w := newWatched(t)
	var references []string
	for i := range 60 {
		references = append(references, fmt.Sprintf("B-%02d", i))
	}
	ids := w.book(references...)
	fail := func(id webhook.DeliveryID, number int, after time.Duration) {
		now := w.began.Add(after)
		_, err := w.store.Finish(t.Context(), webhook.Result{Delivery: id, Account: w.account.ID, Webhook: w.hook.ID, State: webhook.Pending, NextAt: now.Add(time.Minute), Attempt: webhook.Attempt{
			Number: number, StartedAt: now, Status: 503, Failure: webhook.FailStatus, ResponseBody: []byte("Closed for maintenance"),
		}}, now)
		check(t, err)
	}
	for i, id := range ids[:2] {
		fail(id, 1, time.Duration(i)*time.Minute)
	}
	w.look(30 * time.Second)
	w.look(90 * time.Second) // failing, and 60 are waiting
	m := w.says("Accounting is failing", "Accounting has accepted no delivery since ", "503 Service Unavailable", "“Closed for maintenance”", "60 deliveries are waiting",
		"Bookings that have not arrived: B-00, B-01, B-02, B-03, B-04, B-05, B-06, B-07, B-08, B-09 and 50 more.", baseURL+"/webhooks/"+w.hook.ID.String(), baseURL+"/deliveries?state=pending&webhook_id="+w.hook.ID.String(), "Segeln & Meer")
	if m.To != w.user.Email {
		t.Errorf("got one to %s", m.To)
	}
	link := stopLink.FindStringSubmatch(m.Text)
	if link == nil || m.Header.Get("List-Unsubscribe") != "<"+link[0]+">" || m.Header.Get("List-Unsubscribe-Post") != "List-Unsubscribe=One-Click" {
		t.Fatalf("got %v in %v:\n%s", link, m.Header, m.Text)
	}
	if user, err := auth.Unsubscriber(stopKey, link[1]); user != w.user.ID || err != nil {
		t.Errorf("the link is of %v, %v", user, err)
	}
	w.look(3 * time.Minute)
	w.none("the same again")

	now := w.began.Add(time.Hour) // the receiver is back
	jobs, _, err := w.store.Claim(t.Context(), webhook.Claim{Webhook: w.hook.ID, N: 99, Now: now, Lease: now.Add(time.Minute)})
	check(t, err)
	for _, job := range jobs {
		_, err := w.store.Finish(t.Context(), webhook.Result{Delivery: job.Delivery.ID, Account: w.account.ID, Webhook: w.hook.ID, State: webhook.Delivered, Attempt: webhook.Attempt{
			Number: job.Delivery.Attempts, StartedAt: now, Status: 200,
		}}, now)
		check(t, err)
	}
	w.look(time.Hour + time.Minute)
	w.says("Accounting accepts bookings again", "It accepted no delivery from ", " (1 hour 1 minute).", "60 deliveries have arrived late.", baseURL+"/deliveries?since="+w.minute(0)+"&state=delivered&until="+w.minute(time.Hour+time.Minute)+"&webhook_id="+w.hook.ID.String())
	w.look(2 * time.Hour)
	w.none("after the end")
}

// minute is a time after the beginning as the filters of a link have it.
func (w *watched) minute(after time.Duration) string {
	return url.QueryEscape(w.began.Add(after).In(w.account.Location()).Format("2006-01-02T15:04"))
}

// TestEvents: a webhook that selects Bookhook's own events gets what the letters say,
// also when no e-mail is sent.
func TestEvents(t *testing.T) {
	t.Parallel()
	w := newWatched(t)
	w.watcher.Mail = false
	config := w.hook.Config
	config.Name, config.AllEvents = "Alarm", false
	own := bookhook.Platform()
	config.Events = own.Keys()
	alarm, err := w.store.CreateWebhook(t.Context(), &webhook.Webhook{Account: w.account.ID, Enabled: true, Secret: "whsec_x", Config: config}, nil, w.change())
	check(t, err)
	said := map[string]bool{}
	next := func() (notice bookhook.Notice) {
		jobs, _, err := w.store.Claim(t.Context(), webhook.Claim{Webhook: alarm.ID, N: 9, Now: w.began.Add(48 * time.Hour), Lease: w.began.Add(49 * time.Hour)})
		check(t, err)
		if len(jobs) != 1 {
			t.Fatalf("got %d events, want one", len(jobs))
		}
		said[jobs[0].Event.Type] = true
		check(t, json.Unmarshal(jobs[0].Event.Data, &notice))
		return notice
	}
	outage := incidents.Key{Account: w.account.ID, Kind: incidents.Outage, Subject: w.hook.ID.String()}
	for _, c := range []struct {
		key    incidents.Key
		stages []incidents.Stage
		end    string
	}{
		{outage, []incidents.Stage{incidents.Begun, incidents.SwitchOffNear, incidents.SwitchedOff}, "on"},
		{incidents.Key{Account: w.account.ID, Kind: incidents.Silence, Subject: "tourcms/3930"}, []incidents.Stage{incidents.Begun}, "recovered"},
		{incidents.Key{Account: w.account.ID, Kind: incidents.Rejected, Subject: "wink"}, []incidents.Stage{incidents.Begun}, "quiet"},
		{incidents.Key{Account: w.account.ID, Kind: incidents.Certificate, Subject: w.hook.ID.String()}, []incidents.Stage{incidents.Begun}, "recovered"},
	} {
		decide := func(now time.Time, conditions ...incidents.Condition) {
			known, err := w.store.KnownIncidents(t.Context(), now)
			check(t, err)
			check(t, w.watcher.change(t.Context(), incidents.Decide(now, conditions, known), now))
		}
		condition := incidents.Condition{Key: c.key, Details: incidents.Details{Name: "Accounting", Since: w.began}}
		for _, condition.Stage = range c.stages {
			decide(w.began, condition)
			n := next()
			want := bookhook.Notice{Incident: string(c.key.Kind) + "/" + c.key.Subject, State: bookhook.Open, OpenedAt: w.began, Summary: n.Summary, Text: n.Text, URL: n.URL}
			if c.key.Webhook() != 0 {
				want.WebhookID, want.Webhook = w.hook.ID.String(), "Accounting"
			}
			want.Platform, want.ChannelID = c.key.Platform()
			if !reflect.DeepEqual(n, want) || n.Summary == "" || len(n.Text) == 0 || !strings.HasPrefix(n.URL, baseURL+"/") {
				t.Errorf("%s, stage %d: got %+v", c.key.Kind, condition.Stage, n)
			}
		}
		decide(w.began.Add(time.Minute))
		if n := next(); n.State != bookhook.Resolved || n.Outcome != c.end || !n.ClosedAt.Equal(w.began.Add(time.Minute)) {
			t.Errorf("%s: got %+v, want it resolved: %s", c.key.Kind, n, c.end)
		}
	}
	for _, e := range own.Events {
		if !said[e.Key] {
			t.Errorf("nothing said %s", e.Key)
		}
		delete(said, e.Key)
	}
	if len(said) > 0 {
		t.Errorf("not in the catalogue: %v", said)
	}
	w.none("e-mail is not set up")
}

// TestOvernight: what begins and ends in quiet hours comes in one message.
func TestOvernight(t *testing.T) {
	t.Parallel()
	w := newWatched(t)
	hour := w.began.In(w.account.Location()).Hour()
	quiet := incidents.Hours{From: hour, Until: (hour + 8) % 24}
	check(t, w.store.SaveNoticeSettings(t.Context(), w.user.ID, incidents.Settings{Mail: true, Quiet: quiet}))
	key := incidents.Key{Account: w.account.ID, Kind: incidents.Outage, Subject: w.hook.ID.String()}
	failing := incidents.Condition{Key: key, Stage: incidents.Begun, Details: incidents.Details{Name: "Accounting", Since: w.began}}
	decide := func(after time.Duration, conditions ...incidents.Condition) {
		now := w.began.Add(after)
		known, err := w.store.KnownIncidents(t.Context(), now.Add(-incidents.Remembered))
		check(t, err)
		check(t, w.watcher.change(t.Context(), incidents.Decide(now, conditions, known), now))
		w.send(now)
	}
	decide(time.Minute, failing)
	decide(time.Hour)
	w.none("at night")
	morning := quiet.End(w.began, w.account.Location())
	w.send(morning)
	w.says("Accounting accepts bookings again")
	if all := w.outbox(); len(all) != 1 || all[0].State != webhook.MailSent {
		t.Errorf("got %+v", all)
	}
}

// TestStopped: what waits for somebody who wants no more is not sent.
func TestStopped(t *testing.T) {
	t.Parallel()
	w := newWatched(t)
	w.free = 1
	key := incidents.Key{Account: w.account.ID, Kind: incidents.Rejected, Subject: "tourcms"}
	c := incidents.Condition{Key: key, Stage: incidents.Begun, Details: incidents.Details{Since: w.began}}
	check(t, w.watcher.change(t.Context(), incidents.Decide(w.began, []incidents.Condition{c}, nil), w.began))
	check(t, w.store.StopNotices(t.Context(), w.user.ID))
	w.send(w.began)
	w.none("stopped")
	if len(w.outbox()) != 0 {
		t.Errorf("got %+v", w.outbox())
	}
}

// TestTwoWatchers: of two processes that see the same, one tells.
func TestTwoWatchers(t *testing.T) {
	t.Parallel()
	w := newWatched(t)
	check(t, w.store.AddRejectedRequest(t.Context(), webhook.RejectedRequest{Account: w.account.ID, Platform: "tourcms", Method: "GET", Why: webhook.NewMessage("x")}, w.began))
	ended := make(chan error)
	for range 4 {
		watcher := w.watcher
		watcher.Log = slog.New(slog.DiscardHandler)
		go func() { ended <- watcher.look(t.Context(), w.began) }()
	}
	for range 4 {
		check(t, <-ended)
	}
	w.send(w.began)
	w.says("Requests from TourCMS are rejected", "A request at your address for TourCMS was rejected", baseURL+"/settings/rejected")
	w.look(25 * time.Hour)
	w.says("Requests from TourCMS are no longer rejected", "For a day no more request")
}

// TestOfTheInstance: administrators are notified of the disk and of backups.
func TestOfTheInstance(t *testing.T) {
	t.Parallel()
	w := newWatched(t)
	_, err := w.store.AddUser(t.Context(), webhook.User{Email: "boss@example.com", PasswordHash: "x", Role: webhook.RoleAdmin}, w.office.change())
	check(t, err)
	w.look(0)
	w.none("all is well")
	w.free = 500_000_000
	w.look(time.Minute)
	if m := w.says("The disk of Bookhook is nearly full", "Only 0.5 GB are free", "as an administrator of "+baseURL); m.To != "boss@example.com" {
		t.Errorf("told %s", m.To)
	}
	w.free = 9 << 30
	w.look(2 * time.Minute)
	w.says("The disk of Bookhook has space again")
}

// TestLetters: each kind has a letter for its beginning and its end.
func TestLetters(t *testing.T) {
	t.Parallel()
	w := newWatched(t)
	check(t, w.store.AddItem(t.Context(), w.account.ID, webhook.Channels, webhook.Item{ID: "3930", Name: "Viator"}, w.office.change()))
	for _, c := range []struct {
		key        incidents.Key
		begin, end string
	}{
		{incidents.Key{Kind: incidents.Certificate, Subject: w.hook.ID.String()}, "The certificate of Accounting expires soon", "The certificate of Accounting was renewed"},
		{incidents.Key{Kind: incidents.Silence, Subject: "tourcms"}, "No events from TourCMS", "Events from TourCMS are coming again"},
		{incidents.Key{Kind: incidents.Silence, Subject: "tourcms/3930"}, "No events from Viator (TourCMS)", "Events from Viator (TourCMS) are coming again"},
		{incidents.Key{Kind: incidents.Silence, Subject: "tourcms/1"}, "No events from channel 1 of TourCMS", "Events from channel 1 of TourCMS are coming again"},
	} {
		c.key.Account = w.account.ID
		condition := incidents.Condition{Key: c.key, Stage: incidents.Begun, Details: incidents.Details{Name: "Accounting", Since: w.began, Ends: w.began.Add(time.Hour), Usual: 40}}
		check(t, w.watcher.change(t.Context(), incidents.Decide(w.began, []incidents.Condition{condition}, nil), w.began))
		w.send(w.began)
		w.says(c.begin)
		known, err := w.store.KnownIncidents(t.Context(), w.began.Add(time.Hour))
		check(t, err)
		check(t, w.watcher.change(t.Context(), incidents.Decide(w.began.Add(time.Minute), nil, known), w.began.Add(time.Minute)))
		w.send(w.began.Add(time.Minute))
		w.says(c.end)
	}
}
