package incidents_test

import (
	"testing"
	"time"

	"bookhook/incidents"
	"bookhook/stats"
	"bookhook/webhook"
)

var start = time.Date(2026, 3, 10, 10, 0, 0, 0, time.UTC)

// world replays the decision as a store would: what it decides is known the next time.
type world struct {
	testing.TB
	known []incidents.Incident
	next  webhook.IncidentID
}

// at decides, and returns what people are notified: the kind, and the stage or the outcome.
func (w *world) at(now time.Time, conditions ...incidents.Condition) (told []string) {
	w.Helper()
	for _, c := range incidents.Decide(now, conditions, w.known) {
		stored := false
		for i, known := range w.known {
			if known == c.From {
				w.known[i], stored = c.To, true
			}
		}
		if !stored {
			if c.From != (incidents.Incident{}) {
				w.Fatalf("a change of what is not known: %+v", c)
			}
			w.next++
			c.To.ID = w.next
			w.known = append(w.known, c.To)
		}
		if c.Tell && !c.To.ClosedAt.IsZero() {
			told = append(told, string(c.To.Kind)+" "+string(c.To.Details.Outcome))
		} else if c.Tell {
			told = append(told, string(c.To.Kind)+" "+string(rune('0'+c.To.Stage)))
		}
	}
	return told
}

// step is a moment in the life of a webhook, and what people are notified then.
type step struct {
	after time.Duration // start
	hook  webhook.Webhook
	wait  int
	want  string
}

func (s step) trouble() incidents.Trouble {
	w := s.hook
	w.ID, w.Account, w.Name = 7, 3, "Accounting"
	if w.OffAt.IsZero() {
		w.Enabled = true
	}
	return incidents.Trouble{Webhook: &w, Waiting: s.wait, Limits: incidents.Limits{After: time.Hour, Waiting: 50}}
}

func failing(since, last time.Duration) webhook.Webhook {
	return webhook.Webhook{Health: webhook.Health{FailingSince: start.Add(since), FailedAt: start.Add(last)}}
}

func off(reason webhook.OffReason, at time.Duration) webhook.Webhook {
	return webhook.Webhook{Health: webhook.Health{FailingSince: start, FailedAt: start.Add(at), OffAt: start.Add(at), OffReason: reason}}
}

const (
	minute = time.Minute
	hour   = time.Hour
	day    = 24 * time.Hour
)

var healthy = webhook.Webhook{}

// outages are lives of a webhook.
var outages = map[string][]step{
	"from the first hour to the end": {
		{0, failing(0, 0), 1, ""},
		{2 * minute, failing(0, 2*minute), 3, ""},
		{59 * minute, failing(0, 50*minute), 9, ""},
		{hour, failing(0, 50*minute), 9, "outage 1"},
		{hour + minute, failing(0, hour), 9, ""},
		{4*day - minute, failing(0, 4*day-hour), 9, ""},
		{4*day + minute, failing(0, 4*day), 9, "outage 2"},
		{4*day + hour, failing(0, 4*day), 9, ""},
		{5 * day, off(webhook.OffFailing, 5*day), 9, "outage 3"},
		{5*day + hour, off(webhook.OffFailing, 5*day), 9, ""},
		{6 * day, healthy, 4, ""}, // switched on, its deliveries are on their way
		{6*day + minute, healthy, 0, "outage on"},
		{6*day + 2*minute, healthy, 0, ""},
	},
	"many deliveries are waiting": {
		{30 * time.Second, failing(0, 30*time.Second), 500, ""}, // one failure is no alarm
		{90 * time.Second, failing(0, minute), 49, ""},
		{2 * minute, failing(0, minute), 50, "outage 1"},
		{3 * minute, healthy, 50, ""},
		{10 * minute, healthy, 7, ""},
		{11 * minute, healthy, 0, "outage recovered"},
	},
	"what waits for ever does not keep it open": {
		{hour, failing(0, hour), 50, "outage 1"},
		{2 * hour, healthy, 1, ""},
		{2*hour + 14*minute, healthy, 1, ""},
		{2*hour + 15*minute, healthy, 1, "outage recovered"},
	},
	"never told": {
		{30 * minute, failing(0, 30*minute), 9, ""},
		{40 * minute, healthy, 0, ""},
	},
	"the receiver is gone at once": {
		{0, off(webhook.OffGone, 0), 1, "outage 3"},
		{minute, healthy, 0, "outage on"},
	},
	"on again, and it goes on failing": {
		{0, off(webhook.OffGone, 0), 1, "outage 3"},
		{minute, failing(minute, minute), 1, ""},
		{2 * minute, off(webhook.OffGone, 2*minute), 1, "outage 3"},
	},
	"a person switches it off": {
		{hour, failing(0, hour), 9, "outage 1"},
		{2 * hour, off(webhook.OffByUser, 2*hour), 9, "outage off"},
	},
	"flapping": {
		{hour, failing(0, hour), 60, "outage 1"},
		{hour + 5*minute, healthy, 0, "outage recovered"}, // the first one of a day
		{hour + 10*minute, failing(hour+8*minute, hour+10*minute), 60, "outage 1"},
		{hour + 15*minute, healthy, 0, ""},
		{hour + 20*minute, failing(hour+18*minute, hour+20*minute), 60, ""},
		{hour + 25*minute, healthy, 0, ""},
		{hour + 30*minute, failing(hour+30*minute, hour+30*minute), 0, ""},
		{hour + 35*minute, healthy, 0, ""},
		{hour + 49*minute, healthy, 0, ""},
		{hour + 50*minute, healthy, 0, "outage recovered"},
	},
	"one failure long ago": {
		{3 * day, failing(0, 2*minute), 0, ""},
	},
}

func TestOutageOverTime(t *testing.T) {
	t.Parallel()
	for name, steps := range outages {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := world{TB: t}
			for _, s := range steps {
				now := start.Add(s.after)
				told := w.at(now, s.trouble().Conditions(now)...)
				if got := join(told); got != s.want {
					t.Errorf("after %s: told %q, want %q", s.after, got, s.want)
				}
			}
		})
	}
}

func join(told []string) string {
	if len(told) == 0 {
		return ""
	}
	if len(told) > 1 {
		return told[0] + " and more"
	}
	return told[0]
}

func TestDeletedWebhook(t *testing.T) {
	t.Parallel()
	w := world{TB: t}
	failed := step{after: hour, hook: failing(0, hour), wait: 9}.trouble()
	w.at(start.Add(hour), failed.Conditions(start.Add(hour))...)
	failed.Deleted = true
	if got := join(w.at(start.Add(2*hour), failed.Conditions(start.Add(2*hour))...)); got != "outage deleted" {
		t.Errorf("told %q", got)
	}
}

func TestCertificate(t *testing.T) {
	t.Parallel()
	w := world{TB: t}
	ends := start.Add(20 * day)
	at := func(after time.Duration, ends time.Time, enabled bool) string {
		now := start.Add(after)
		hook := &webhook.Webhook{ID: 7, Account: 3, Enabled: enabled, Health: webhook.Health{OffReason: webhook.OffByUser}, Warnings: webhook.Warnings{CertificateEnds: ends}}
		return join(w.at(now, incidents.Trouble{Webhook: hook}.Conditions(now)...))
	}
	for i, s := range []struct {
		after time.Duration
		ends  time.Time
		on    bool
		want  string
	}{
		{0, ends, true, ""},
		{6*day + hour, ends, true, "certificate 1"},
		{7 * day, ends, true, ""},
		{8 * day, time.Time{}, true, "certificate recovered"},
		{10 * day, ends, true, "certificate 1"},
		{11 * day, ends, false, ""},
		{12 * day, time.Time{}, true, ""},
	} {
		if got := at(s.after, s.ends, s.on); got != s.want {
			t.Errorf("%d: told %q, want %q", i, got, s.want)
		}
	}
}

func TestRejected(t *testing.T) {
	t.Parallel()
	w := world{TB: t}
	for _, s := range []struct {
		after, last, received time.Duration
		want                  string
	}{
		{minute, 0, -hour, "rejected 1"},
		{2 * minute, 0, minute, ""}, // a good call between bad ones
		{10 * minute, 9 * minute, minute, ""},
		{2 * hour, 9 * minute, hour, "rejected recovered"},
		{3 * hour, 3 * hour, hour, "rejected 1"},
		{5 * hour, 3 * hour, 4 * hour, ""}, // the second one within a day
		{11*hour + minute, 3 * hour, 4 * hour, "rejected recovered"},
	} {
		now := start.Add(s.after)
		r := incidents.Rejections{Account: 3, Platform: "tourcms", Last: start.Add(s.last), Received: start.Add(s.received)}
		if got := join(w.at(now, r.Condition(now))); got != s.want {
			t.Errorf("after %s: told %q, want %q", s.after, got, s.want)
		}
	}
	quiet := world{TB: t}
	r := incidents.Rejections{Account: 3, Platform: "tourcms", Last: start}
	quiet.at(start, r.Condition(start))
	if got := join(quiet.at(start.Add(25*hour), r.Condition(start.Add(25*hour)))); got != "rejected quiet" {
		t.Errorf("told %q", got)
	}
}

func TestSilence(t *testing.T) {
	t.Parallel()
	w := world{TB: t}
	at := func(after time.Duration, silent ...stats.Silence) string {
		return join(w.at(start.Add(after), incidents.SilenceConditions(3, silent, w.known)...))
	}
	viator := stats.Silence{Platform: "tourcms", Channel: "3930", Since: start, Usual: 40}
	all := stats.Silence{Platform: "tourcms", All: true, Since: start, Usual: 90}
	for i, s := range []struct{ got, want string }{
		{at(0, viator), "silence 1"},
		{at(hour, viator), ""},
		{at(2*hour, all), "silence 1"}, // and the channel is not said to be back
		{at(3*hour, viator), "silence recovered"},
		{at(4 * hour), "silence recovered"},
		{at(5 * hour), ""},
	} {
		if s.got != s.want {
			t.Errorf("%d: told %q, want %q", i, s.got, s.want)
		}
	}
}

func TestInstance(t *testing.T) {
	t.Parallel()
	w := world{TB: t}
	const gb = 1 << 30
	at := func(after time.Duration, free uint64, backup time.Time) string {
		now := start.Add(after)
		return join(w.at(now, incidents.DiskCondition(free, gb), incidents.BackupCondition(backup, now)))
	}
	for i, s := range []struct{ got, want string }{
		{at(0, 9*gb, time.Time{}), ""}, // no backup was ever made: nobody expects one
		{at(hour, gb-1, start), "disk 1"},
		{at(2*hour, gb+1, start), ""},
		{at(3*hour, 2*gb, start), "disk recovered"},
		{at(7*day, 9*gb, start), "backup 1"},
		{at(8*day, 9*gb, start), ""},
		{at(8*day, 9*gb, start.Add(8*day)), "backup recovered"},
	} {
		if s.got != s.want {
			t.Errorf("%d: told %q, want %q", i, s.got, s.want)
		}
	}
}

func TestQuietHours(t *testing.T) {
	t.Parallel()
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	night := incidents.Hours{From: 22, Until: 7}
	for name, c := range map[string]struct {
		hours     incidents.Hours
		now, want string // by the clock of Berlin
	}{
		"none":                       {incidents.Hours{}, "2026-06-01 03:00", "2026-06-01 03:00"},
		"in the evening":             {night, "2026-06-01 22:00", "2026-06-02 07:00"},
		"after midnight":             {night, "2026-06-02 06:59", "2026-06-02 07:00"},
		"at their end":               {night, "2026-06-02 07:00", "2026-06-02 07:00"},
		"before them":                {night, "2026-06-01 21:59", "2026-06-01 21:59"},
		"in the day":                 {incidents.Hours{From: 9, Until: 17}, "2026-06-01 12:10", "2026-06-01 17:00"},
		"until midnight":             {incidents.Hours{From: 20, Until: 0}, "2026-06-01 23:30", "2026-06-02 00:00"},
		"summer time begins":         {night, "2026-03-28 23:00", "2026-03-29 07:00"},
		"an end that is skipped":     {incidents.Hours{From: 22, Until: 2}, "2026-03-28 23:00", "2026-03-29 03:00"},
		"summer time ends":           {night, "2026-10-24 23:00", "2026-10-25 07:00"},
		"an end that is there twice": {incidents.Hours{From: 22, Until: 2}, "2026-10-24 23:00", "2026-10-25 02:00"},
	} {
		now, err := time.ParseInLocation("2006-01-02 15:04", c.now, berlin)
		if err != nil {
			t.Fatal(err)
		}
		if got := c.hours.End(now.UTC(), berlin).In(berlin).Format("2006-01-02 15:04"); got != c.want {
			t.Errorf("%s: got %s, want %s", name, got, c.want)
		}
	}
	kathmandu := time.FixedZone("", 5*3600+45*60)
	now := time.Date(2026, 6, 1, 23, 10, 30, 0, kathmandu)
	if got, want := night.End(now, kathmandu), time.Date(2026, 6, 2, 7, 0, 0, 0, kathmandu); !got.Equal(want) {
		t.Errorf("a zone of three quarters: got %s, want %s", got, want)
	}
}

func TestWants(t *testing.T) {
	t.Parallel()
	for role, want := range map[webhook.Role]bool{webhook.RoleAdmin: true, webhook.RoleOperator: true, webhook.RoleStaff: false} {
		if got := incidents.DefaultSettings(role).Wants(incidents.Outage); got != want {
			t.Errorf("%s: got %t", role, got)
		}
	}
	s := incidents.Settings{Mail: true, Muted: []incidents.Kind{incidents.Silence}}
	if s.Wants(incidents.Silence) || !s.Wants(incidents.Outage) {
		t.Error("what is muted is sent, or what is not is not")
	}
}
