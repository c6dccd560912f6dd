package e2e

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"bookhook/mail/smtptest"
)

// told waits for a message about an incident, which must be there within 2 minutes of
// its cause, and returns the one to this address.
func told(t testing.TB, mail *smtptest.Server, to, subject string) smtptest.Message {
	t.Helper()
	deadline := time.After(2 * time.Minute)
	for {
		select {
		case m := <-mail.Messages:
			if m.Header.Get("Subject") != subject {
				t.Fatalf("got %q to %s, want %q", m.Header.Get("Subject"), m.To, subject)
			}
			if m.To == to {
				return m
			}
		case <-deadline:
			t.Fatalf("no message %q to %s within 2 minutes", subject, to)
		}
	}
}

// alarm is what a webhook for notices receives.
type alarm struct {
	Type, Platform string
	Data           struct {
		Incident, State, Outcome, URL string
		Text                          []string
	}
}

// A receiver is gone: operators are told within two minutes, by a message with links that
// work, and so is an alarm system by a webhook; and again when the webhook is on again. By a link in it they are told no more.
func TestToldOfAnOutage(t *testing.T) {
	t.Parallel()
	a, mail := startMailing(t, smtptest.Options{})
	gone := receiver(t)
	gone.answers(http.StatusGone)
	id := a.addHook(t, "Vouchers", gone.URL)
	siren := receiver(t)
	a.call(t, "POST", "/webhooks", hook{Name: "Siren", URL: siren.URL, Type: "async", Format: "native", Events: []string{"bookhook:webhook.switched_off", "bookhook:webhook.resolved"}}, nil)
	a.send(t, "RIVER-1234")

	p := a.as(t, operator, pageOptions{NoScript: true})
	p.visit(a.URL + "/settings/notices")
	p.sees("Notices by e-mail")
	m := told(t, mail, operator, "Vouchers was switched off – Ada Tours")
	for _, want := range []string{"RIVER-1234", "410 Gone", a.URL + "/webhooks/" + id} {
		if !strings.Contains(m.Text, want) || !strings.Contains(m.HTML, want) {
			t.Errorf("no %q in:\n%s", want, m.Text)
		}
	}
	for _, link := range regexp.MustCompile(regexp.QuoteMeta(a.URL)+`/\S+`).FindAllString(m.Text, -1) {
		if got := p.visit(link); got != http.StatusOK {
			t.Errorf("%s: got %d", link, got)
		}
	}
	told(t, mail, boss, "Vouchers was switched off – Ada Tours")

	var rung alarm
	must(t, json.Unmarshal(siren.next(t).Body, &rung))
	if rung.Type != "webhook.switched_off" || rung.Platform != "bookhook" || rung.Data.State != "open" || rung.Data.URL != a.URL+"/webhooks/"+id || !strings.Contains(strings.Join(rung.Data.Text, " "), "RIVER-1234") {
		t.Errorf("the alarm got %+v", rung)
	}

	p = a.as(t, operator, pageOptions{})
	p.visit(a.URL + "/settings/notices")
	p.sees("Vouchers was switched off by Bookhook")
	p.looks()
	gone.answers(http.StatusOK)
	p.visit(a.URL + "/webhooks/" + id)
	p.press("Switch on")
	p.sees("is on")
	m = told(t, mail, operator, "Vouchers is on again – Ada Tours")
	told(t, mail, boss, "Vouchers is on again – Ada Tours")
	first := rung.Data.Incident
	must(t, json.Unmarshal(siren.next(t).Body, &rung))
	if rung.Type != "webhook.resolved" || rung.Data.Outcome != "on" || rung.Data.Incident != first || siren.waiting() != 0 {
		t.Errorf("the alarm got %+v, and %d more", rung, siren.waiting())
	}

	stop := regexp.MustCompile(regexp.QuoteMeta(a.URL) + `/notices/stop\S+`).FindString(m.Text)
	outside := newPage(t, pageOptions{})
	outside.visit(stop)
	outside.looks()
	outside.press("Stop these messages")
	outside.sees("No more messages")
	outside.looks()
	p.visit(a.URL + "/settings/notices")
	p.sees("Ended")
	if on, err := p.GetByLabel("Notify me by e-mail").IsChecked(); err != nil || on {
		t.Errorf("still told: %t, %v", on, err)
	}
	p.visit(a.URL + "/settings/mail")
	p.sees("Notice")
	p.looks()
}
