package views

import (
	"strings"
	"testing"
	"time"

	"bookhook/checklist"
	"bookhook/stats"
	"bookhook/webhook"
)

func TestVerdict(t *testing.T) {
	row := func(change func(*WebhookRow)) WebhookRow {
		r := WebhookRow{Webhook: &webhook.Webhook{Enabled: true, Config: webhook.Config{Name: "Accounting"}}}
		change(&r)
		return r
	}
	failing := row(func(r *WebhookRow) {
		r.Webhook.FailingSince, r.Backlog.Waiting = now.Add(-time.Hour), 33
	})
	of := func(id webhook.WebhookID, n int) map[webhook.WebhookID]webhook.Count {
		return map[webhook.WebhookID]webhook.Count{id: {N: n}}
	}
	many := map[webhook.WebhookID]webhook.Count{1: {N: 600, More: true}, 2: {N: 400, More: true}}
	for want, p := range map[string]HomeProps{
		"No booking has arrived yet.":                               {},
		"Bookings arrive, but there is no webhook to send them on.": {Checklist: received},
		"Waiting for the first booking.":                            {Webhooks: 1, On: 1},
		"Bookings are sent nowhere: every webhook is off.":          {Webhooks: 1, Checklist: received},
		"All bookings are arriving.":                                {Webhooks: 1, On: 1, Checklist: received, Today: stats.Today{Waiting: 1, OldestWaiting: now.Add(-time.Minute)}},
		"Bookings are arriving.":                                    {Webhooks: 1, On: 1, Checklist: received, Today: stats.Today{Events: 6, Decided: 6, Unsent: 5}},
		"Today’s bookings are sent to no webhook.":                  {Webhooks: 1, On: 1, Checklist: received, Today: stats.Today{Events: 6, Decided: 6, Unsent: 6}},
		"Bookings are arriving; 2 deliveries are waiting.":          {Webhooks: 1, On: 1, Checklist: received, Today: stats.Today{Waiting: 2, OldestWaiting: now.Add(-time.Hour)}},
		"Nothing from TourCMS since " + clock(now.Add(-time.Hour), now, time.UTC) + "; usually about 40 events by now.": {
			Webhooks: 1, On: 1, Checklist: received, Silent: []SilentSource{{Name: "TourCMS", Since: now.Add(-time.Hour), Usual: 40}},
		},
		"Nothing from 2 sources that usually send bookings by now.": {Webhooks: 1, On: 1, Checklist: received, Silent: make([]SilentSource, 2)},
		"Bookings are arriving, but not all at Accounting.": {Webhooks: 1, On: 1, Checklist: received, Today: stats.Today{Waiting: 5, OldestWaiting: now.Add(-time.Hour)}, Rows: []WebhookRow{row(func(r *WebhookRow) {
			r.Last, r.Failures = &webhook.Delivery{}, webhook.Failures{Failed: 5, Of: 10}
		})}},
		"Bookings are arriving, but 1 request could not be read today.": {Webhooks: 1, On: 1, Checklist: received, Rejected: 1},
		"Bookings are arriving, but 1 delivery failed today.":           {Webhooks: 1, On: 1, Checklist: received, Failed: of(1, 1), FailedToday: of(1, 1)},
		"Bookings are arriving, but 2 deliveries failed since 14 Nov.":  {Webhooks: 1, On: 1, Checklist: received, Failed: of(1, 2), FailedToday: of(1, 1), FailedSince: now.AddDate(0, 0, -7)},
		"Bookings are arriving, but 2 deliveries to Accounting failed today.": {
			Webhooks: 1, On: 1, Checklist: received, Failed: of(0, 2), FailedToday: of(0, 2),
			Rows: []WebhookRow{row(func(*WebhookRow) {})},
		},
		"Bookings are arriving, but at least 1,000 deliveries failed today.":                                              {Webhooks: 1, On: 1, Checklist: received, Failed: many, FailedToday: many},
		"Accounting has been failing since " + clock(now.Add(-time.Hour), now, time.UTC) + "; 33 deliveries are waiting.": {InNeed: 1, Rows: []WebhookRow{failing}, Today: stats.Today{Waiting: 40}},
		"Bookings are arriving, but not at Accounting, which is off.":                                                     {Webhooks: 2, On: 1, Skipping: 1, Checklist: received, Rows: []WebhookRow{row(func(r *WebhookRow) { r.Webhook.Enabled = false })}},
		"Bookings are arriving, but not at 2 webhooks that are off.":                                                      {Webhooks: 3, On: 1, Skipping: 2, Checklist: received},
		"Accounting was switched off by Bookhook.":                                                                        {InNeed: 1, Rows: []WebhookRow{row(func(r *WebhookRow) { r.Webhook.Enabled = false })}},
		"2 webhooks are not receiving bookings; 40 deliveries are waiting.":                                               {InNeed: 2, Today: stats.Today{Waiting: 40}},
	} {
		p.Page.Now = now
		if got := p.verdict().text; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

var received = ChecklistProps{Facts: checklist.Facts{Event: 1}}

func TestSuccessRate(t *testing.T) {
	for _, c := range []struct {
		delivered, failed int64
		want              string
	}{
		{0, 0, "–"}, {0, 5, "0 %"}, {5, 0, "100 %"}, {1, 2, "33 %"}, {1, 999, "< 1 %"}, {999, 1, "99.9 %"}, {99_999, 1, "99.9 %"}, {98, 2, "98 %"}, {989, 11, "98 %"},
	} {
		if got := successRate(c.delivered, c.failed); got != c.want {
			t.Errorf("%d delivered, %d failed: got %q, want %q", c.delivered, c.failed, got, c.want)
		}
	}
}

// Deliveries that are waiting after a failure were attempted and not delivered.
func TestSuccessRateOfRetried(t *testing.T) {
	for want, today := range map[string]stats.Today{
		"100 %":  {Attempts: stats.Counts{Delivered: 3}, Waiting: 5},
		"27 %":   {Attempts: stats.Counts{Delivered: 3}, Waiting: 8, Retried: 8},
		"0 %":    {Waiting: 8, Retried: 8},
		"≤ 50 %": {Attempts: stats.Counts{Delivered: 1000}, Waiting: 5000, Retried: 1000},
		"≤ 1 %":  {Attempts: stats.Counts{Delivered: 1}, Waiting: 5000, Retried: 1000},
	} {
		if got := successRateOf(today, webhook.Count{}); got != want {
			t.Errorf("%+v: got %q, want %q", today, got, want)
		}
	}
	if got := successRateOf(stats.Today{Attempts: stats.Counts{Delivered: 3000}}, webhook.Count{N: 1000, More: true}); got != "≤ 75 %" {
		t.Errorf("not all that failed are counted: got %q", got)
	}
	if got := retriedText(stats.Today{Waiting: 8, Retried: 8, Attempts: stats.Counts{Failed: map[stats.Reason]int64{"timeout": 12}}}); got != "8 being retried, 12 failed attempts" {
		t.Errorf("got %q", got)
	}
}

// Staff, who can do none of the steps, do not see them.
func TestChecklistIsForOperators(t *testing.T) {
	p := HomeProps{Platforms: []PlatformPanel{{Name: "TourCMS", Connection: &webhook.Connection{Enabled: true}}}}
	if got := p.callers(time.Time{}); got != "TourCMS" {
		t.Errorf("callers: got %q", got)
	}
	p.Page.User.Role = webhook.RoleStaff
	if p.checklistShown() {
		t.Error("staff see the checklist")
	}
}

// TestWhyPaused: what the receiver answered stands beside that it is paused, and so on the
// webhook's page.
func TestWhyPaused(t *testing.T) {
	last := webhook.Outcome{Status: 503, Failure: webhook.FailStatus}
	page := Page{Now: now}
	r := WebhookRow{Webhook: &webhook.Webhook{Enabled: true, Circuit: webhook.Circuit{Failures: 10, ProbeAt: now.Add(time.Minute)}}, Error: last}
	got := r.problem(page)
	if len(got) != 3 || !strings.Contains(got[1], "503") {
		t.Errorf("got %q", got)
	}
	p := WebhookProps{Page: page, Webhook: r.Webhook, Recent: []DeliveryRow{{Delivery: webhook.Delivery{Last: last}}}}
	if text := rendered(t, webhookProblem(p)); !strings.Contains(text, "Last error: 503") {
		t.Errorf("got %s", text)
	}
}
