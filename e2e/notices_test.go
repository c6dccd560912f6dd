package e2e

import (
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

// A receiver is gone: operators are told within two minutes, by a message with links that
// work; and again when the webhook is on again. By a link in it they are told no more.
func TestToldOfAnOutage(t *testing.T) {
	t.Parallel()
	a, mail := startMailing(t, smtptest.Options{})
	gone := receiver(t)
	gone.answers(http.StatusGone)
	id := a.addHook(t, "Vouchers", gone.URL)
	a.send(t, "RIVER-1234")

	p := a.as(t, operator, pageOptions{NoScript: true})
	p.visit(a.URL + "/settings/notices")
	p.sees("Notices by e-mail")
	m := told(t, mail, operator, "Vouchers was switched off")
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
	told(t, mail, boss, "Vouchers was switched off")

	p = a.as(t, operator, pageOptions{})
	p.visit(a.URL + "/settings/notices")
	p.sees("Vouchers was switched off by Bookhook")
	p.looks()
	gone.answers(http.StatusOK)
	p.visit(a.URL + "/webhooks/" + id)
	p.press("Switch on")
	p.sees("is on")
	m = told(t, mail, operator, "Vouchers is on again")
	told(t, mail, boss, "Vouchers is on again")

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
