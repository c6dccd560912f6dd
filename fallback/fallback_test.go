package fallback

import (
	"testing"
	"time"

	"bookhook/incidents"
	"bookhook/webhook"
)

var now = time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)

func TestNext(t *testing.T) {
	t.Parallel()
	outage := incidents.Incident{ID: 7, Details: incidents.Details{Since: now.Add(-2 * time.Hour)}, OpenedAt: now.Add(-time.Hour)}
	clearing := outage
	clearing.ClearedAt = now.Add(-time.Minute)
	unknown := outage
	unknown.Details.Since = time.Time{}
	confirmed := Fallback{Webhook: 3, ConfirmedAt: now.Add(-24 * time.Hour)}
	with := func(change func(*Fallback)) Fallback {
		f := confirmed
		change(&f)
		return f
	}
	began := with(func(f *Fallback) {
		f.Incident, f.Since, f.QueuedAt, f.Listed = 7, now.Add(-3*time.Hour), now.Add(-time.Hour), now.Add(-time.Hour-settle)
	})
	until := now.Add(-settle)
	first := Mail{Webhook: 3, Incident: 7, From: now.Add(-3 * time.Hour), Until: until}
	last := Mail{Webhook: 3, Incident: 7, From: now.Add(-3 * time.Hour), Until: now.Add(-time.Hour - settle), Last: Over}
	for name, c := range map[string]struct {
		f    Fallback
		open incidents.Incident
		want Mail // zero: none is due
	}{
		"no outage":                   {confirmed, incidents.Incident{}, Mail{}},
		"not confirmed":               {Fallback{Webhook: 3}, outage, Mail{}},
		"the first":                   {confirmed, outage, first},
		"since nobody knows when":     {confirmed, unknown, Mail{Webhook: 3, Incident: 7, From: now.Add(-2 * time.Hour), Until: until}},
		"it seems to be over":         {confirmed, clearing, Mail{}},
		"an hour later":               {began, outage, Mail{Webhook: 3, Incident: 7, From: now.Add(-time.Hour - settle), Until: until}},
		"not yet an hour":             {with(func(f *Fallback) { *f = began; f.QueuedAt = now.Add(-Every + time.Millisecond) }), outage, Mail{}},
		"the first one was not sent":  {with(func(f *Fallback) { *f = began; f.Listed = time.Time{} }), outage, first},
		"the last is not sent yet":    {with(func(f *Fallback) { *f = began; f.Sending = true }), outage, Mail{}},
		"over":                        {began, incidents.Incident{}, last},
		"another one began":           {began, incidents.Incident{ID: 8}, last},
		"over, and one is to be sent": {with(func(f *Fallback) { *f = began; f.Sending = true }), incidents.Incident{}, Mail{}},
		"listed in an outage before": {
			with(func(f *Fallback) { f.QueuedAt, f.Listed = now.Add(-90*time.Minute), now.Add(-90*time.Minute) }), outage,
			Mail{Webhook: 3, Incident: 7, From: now.Add(-90 * time.Minute), Until: until},
		},
		"a list of an outage before, not an hour ago": {with(func(f *Fallback) { f.QueuedAt = now.Add(-30 * time.Minute) }), outage, Mail{}},
	} {
		if c.want != (Mail{}) && c.want.Last == "" {
			c.want.Began = c.open.Began()
		}
		got, due := c.f.Next(c.open, now)
		if due != (c.want != Mail{}) || due && got != c.want {
			t.Errorf("%s: got %+v, %t, want %+v", name, got, due, c.want)
		}
	}
	nothing := began
	nothing.Listed = time.Time{}
	if m, due := nothing.Next(incidents.Incident{}, now); !due || !m.Empty() {
		t.Errorf("over, and nothing was listed: got %+v, %t, want an empty one", m, due)
	}
}

// TestOnceAnHour: in an outage of a day, each moment is in one list.
func TestOnceAnHour(t *testing.T) {
	t.Parallel()
	outage := incidents.Incident{ID: 7, Details: incidents.Details{Since: now}, OpenedAt: now}
	f := Fallback{Webhook: 3, ConfirmedAt: now}
	end := now.Add(-before)
	lists := 0
	for at := now; at.Before(now.Add(24 * time.Hour)); at = at.Add(30 * time.Second) {
		m, due := f.Next(outage, at)
		if !due {
			continue
		}
		if !m.From.Equal(end) || m.Last != "" {
			t.Fatalf("at %s: got %+v, want it from %s on", at, m, end)
		}
		lists, end = lists+1, m.Until
		f.Incident, f.Since, f.QueuedAt, f.Listed = m.Incident, now.Add(-before), at, m.Until
	}
	if lists != 24 {
		t.Errorf("got %d lists in a day, want 24", lists)
	}
	if m := f.LastMail(Deleted); !m.From.Equal(now.Add(-before)) || !m.Until.Equal(end) || m.Last != Deleted || m.Webhook != webhook.WebhookID(3) {
		t.Errorf("got %+v", m)
	}
}
