package e2e

import (
	"bytes"
	"encoding/csv"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"bookhook/mail/smtptest"
)

const backOffice = "office@example.com"

// forOffice waits for a message to the back office; what others are told is left out.
func forOffice(t testing.TB, mail *smtptest.Server, subject string) smtptest.Message {
	t.Helper()
	deadline := time.After(4 * time.Minute) // a webhook is failing after a minute of failures
	for {
		select {
		case m := <-mail.Messages:
			if m.To != backOffice {
				continue
			}
			if got := m.Header.Get("Subject"); got != subject {
				t.Fatalf("got %q, want %q", got, subject)
			}
			return m
		case <-deadline:
			t.Fatalf("no message %q within 4 minutes", subject)
		}
	}
}

// listed is a column of the file of a message.
func listed(t testing.TB, m smtptest.Message, column string) (cells []string) {
	t.Helper()
	if len(m.Files) != 1 {
		t.Fatalf("got %d files", len(m.Files))
	}
	text, _ := bytes.CutPrefix(m.Files[0].Content, []byte("\uFEFF"))
	rows, err := csv.NewReader(bytes.NewReader(text)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	place := slices.Index(rows[0], column)
	for _, row := range rows[1:] {
		cells = append(cells, row[place])
	}
	return cells
}

// While a webhook fails, its bookings go to an address that was confirmed, and a last
// message says that they have arrived.
func TestBookingsByMail(t *testing.T) {
	t.Parallel()
	a, mail := startMailing(t, smtptest.Options{})
	closed := receiver(t)
	closed.answers(http.StatusServiceUnavailable)
	id := a.addHook(t, "Vouchers", closed.URL)
	p := a.as(t, operator, pageOptions{NoScript: true})
	p.visit(a.URL + "/settings/notices")
	p.fill("Deliveries are waiting", "1")
	p.press("Save for everybody")
	a.send(t, "RIVER-1234")
	p.visit(a.URL + "/webhooks/" + id + "/settings")
	p.sees("If it fails: send the bookings by e-mail")
	p.fill("E-mail address", "nobody")
	p.press("Send the link")
	p.sees("Enter an e-mail address")
	p.fill("E-mail address", backOffice)
	p.press("Send the link")
	p.sees("We are sending a link to " + backOffice)
	p.sees("Waiting for confirmation")

	outside := newPage(t, pageOptions{NoScript: true, Phone: true})
	m := forOffice(t, mail, "Confirm that you get the bookings of Vouchers while it fails")
	outside.visit(regexp.MustCompile(regexp.QuoteMeta(a.URL) + `/fallback/confirm\S+`).FindString(m.Text))
	outside.sees("Confirm this address?")
	outside.press("Confirm")
	outside.sees("The address is confirmed")
	p.reload()
	p.sees("Confirmed")

	m = forOffice(t, mail, "Vouchers is failing: 1 booking has not arrived")
	if got := listed(t, m, "Reference"); !slices.Equal(got, []string{"RIVER-1234"}) {
		t.Errorf("listed %q", got)
	}
	if !strings.Contains(m.Text, "It will still be delivered by Bookhook as soon as Vouchers accepts deliveries again. If you enter one by hand, mark it") || !strings.Contains(m.HTML, "RIVER-1234") {
		t.Errorf("got:\n%s", m.Text)
	}
	link := listed(t, m, "Link")[0]
	if got := p.visit(link); got != http.StatusOK {
		t.Errorf("%s: got %d", link, got)
	}
	p.sees("RIVER-1234")

	closed.answers(http.StatusOK)
	p.visit(a.URL + "/webhooks/" + id)
	p.press("Retry now")
	p.sees("answered 200")
	m = forOffice(t, mail, "Vouchers accepts bookings again")
	if got := listed(t, m, "State"); !slices.Equal(got, []string{"Delivered"}) || !strings.Contains(m.Text, "1 delivered") {
		t.Errorf("got %q in:\n%s", got, m.Text)
	}
	outside.visit(regexp.MustCompile(regexp.QuoteMeta(a.URL) + `/fallback/stop\S+`).FindString(m.Text))
	outside.press("Stop these messages")
	outside.sees("No more messages")
	p.visit(a.URL + "/webhooks/" + id + "/settings")
	p.sees("Stopped by who gets the messages")
}

// The pages are as accessible as all others.
func TestBookingsByMailLooks(t *testing.T) {
	t.Parallel()
	a, mail := startMailing(t, smtptest.Options{})
	id := a.addHook(t, "Vouchers", receiver(t).URL)
	p := a.as(t, operator, pageOptions{})
	p.visit(a.URL + "/webhooks/" + id + "/settings")
	p.looks()
	p.fill("E-mail address", "nobody")
	p.refused("Send the link", "Enter an e-mail address")
	p.looks()
	p.fill("E-mail address", backOffice)
	p.press("Send the link")
	p.sees("Waiting for confirmation")
	p.looks()
	m := forOffice(t, mail, "Confirm that you get the bookings of Vouchers while it fails")
	link := regexp.MustCompile(regexp.QuoteMeta(a.URL) + `/fallback/confirm\S+`).FindString(m.Text)
	outside := newPage(t, pageOptions{})
	outside.visit(link)
	outside.looks()
	outside.press("Confirm")
	outside.sees("The address is confirmed")
	outside.looks()
	if got := outside.visit(link); got != http.StatusNotFound {
		t.Errorf("the link once more: got %d, want 404", got)
	}
	outside.looks()
	p.reload()
	p.sees("Confirmed")
	p.looks()
	p.opens("Remove address")
	p.press("Remove " + backOffice)
	p.sees("Bookings are no longer sent to " + backOffice)
}
