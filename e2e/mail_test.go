package e2e

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"bookhook/mail/smtptest"
)

// startMailing is startAccount with a mail server, and an administrator beside the others.
func startMailing(t testing.TB, o smtptest.Options) (*account, *smtptest.Server) {
	t.Helper()
	mail := smtptest.Start(t, o)
	url := "smtp://" + mail.Host + ":" + mail.Port
	if o.Password != "" {
		url = "smtp://" + smtptest.User + ":" + o.Password + "@" + mail.Host + ":" + mail.Port
	}
	a := &account{server: startServer(t, "--allow-private-targets", "127.0.0.1", "--mail", url, "--mail-from", "Bookhook <bookhook@example.com>")}
	a.Number = a.addAccount("Ada Tours", operator)
	a.addUser(boss, "admin", a.Number)
	a.token = strings.TrimSpace(a.run("", "token", "add", "--account", a.Number, "till"))
	return a, mail
}

const boss = "boss@example.com"

// mailed is the link in the next message, which must be to this address.
func (a *account) mailed(t testing.TB, mail *smtptest.Server, to string) string {
	t.Helper()
	m := mail.Next(t)
	found := regexp.MustCompile(regexp.QuoteMeta(a.URL) + `/\S+`).FindString(m.Text)
	if m.To != to || found == "" || !strings.Contains(m.HTML, found) {
		t.Fatalf("got a message to %s, want one to %s with a link:\n%s", m.To, to, m.Text)
	}
	return found
}

func TestForgottenPasswordByMail(t *testing.T) {
	t.Parallel()
	a, mail := startMailing(t, smtptest.Options{Password: "secret"})
	elsewhere := a.as(t, operator, pageOptions{})
	p := newPage(t, pageOptions{})
	p.visit(a.URL + "/login")
	p.looks()
	p.follow("Forgotten your password?")
	p.isAt("/password/forgot$")
	p.looks()
	p.fill("E-mail", "nobody")
	p.refused("Send the link", "Enter an e-mail address")
	p.looks()
	p.fill("E-mail", operator)
	p.press("Send the link")
	p.sees("If there is an account for this address, we have sent a link.")
	p.looks()

	link := a.mailed(t, mail, operator)
	p.visit(link)
	p.looks()
	p.holds("E-mail", operator)
	p.fill("New password", "short")
	p.refused("Save the password", "Use at least 12 characters")
	p.looks()
	p.fill("New password", "another boat on the river")
	p.press("Save the password")
	p.isAt("/login$")
	p.sees("Your new password is set, and other browsers were signed out.")
	p.fill("E-mail", operator)
	p.fill("Password", "another boat on the river")
	p.press("Sign in")
	p.isAt("/$")
	elsewhere.visit(a.URL + "/webhooks")
	elsewhere.isAt("/login")
	if got := p.visit(link); got != http.StatusNotFound {
		t.Errorf("the link once more: got %d, want 404", got)
	}
	p.looks()
	_, token, _ := strings.Cut(link, "token=")
	if log := a.log.String(); strings.Contains(log, token) || strings.Contains(log, "secret") {
		t.Errorf("the log has a secret:\n%s", log)
	}
}

func TestInvitationByMail(t *testing.T) {
	t.Parallel()
	a, mail := startMailing(t, smtptest.Options{})
	p := a.as(t, operator, pageOptions{})
	p.visit(a.URL + "/settings/people")
	p.fill("E-mail", "tim@example.com")
	p.choose("Staff")
	p.press("Send invitation")
	p.sees("We are sending an invitation to tim@example.com.")
	a.mailed(t, mail, "tim@example.com")
	p.press("Send again")
	link := a.mailed(t, mail, "tim@example.com")
	p.reload()
	p.looks()

	tim := newPage(t, pageOptions{NoScript: true, Phone: true})
	tim.visit(link)
	tim.sees("invited you to Bookhook of Ada Tours")
	tim.fill("New password", "another boat on the river")
	tim.press("Save the password")
	tim.isAt("/login$")
	tim.fill("E-mail", "tim@example.com")
	tim.fill("Password", "another boat on the river")
	tim.press("Sign in")
	tim.isAt("/$")
	tim.visit(a.URL + "/webhooks")
	tim.sees("An operator of your account can create one.") // staff cannot

	p.fill("E-mail", "tom@example.com")
	p.press("Send invitation")
	link = a.mailed(t, mail, "tom@example.com")
	tom := newPage(t, pageOptions{})
	tom.visit(link)
	tom.looks()
	p.opens("Withdraw")
	p.press("Withdraw the invitation of tom@example.com")
	p.sees("The invitation of tom@example.com was withdrawn")
	p.lacks("Send again")
	if got := tom.reload(); got != http.StatusNotFound {
		t.Errorf("a withdrawn invitation: got %d, want 404", got)
	}
	tom.looks()
}

func TestMailSettings(t *testing.T) {
	t.Parallel()
	a, mail := startMailing(t, smtptest.Options{Rcpt: func(to string) error {
		if to == boss {
			return smtptest.Reply(550, "mailbox unavailable")
		}
		return nil
	}})
	p := a.as(t, boss, pageOptions{})
	p.visit(a.URL + "/settings/mail")
	p.sees("they work only on the computer that Bookhook runs on. Start Bookhook with --base-url")
	p.looks()
	p.press("Send me a test message")
	p.sees("does not accept messages to " + boss + ": “550 mailbox unavailable”")
	p.looks()

	p.visit(a.URL + "/settings/people")
	p.fill("E-mail", "tim@example.com")
	p.press("Send invitation")
	mail.Next(t)
	p.follow("Mail")
	p.reload() // what became of it is stored after the mail server has it
	p.sees("tim@example.com")
	p.looks()

	plain := startAccount(t)
	p = plain.as(t, operator, pageOptions{})
	p.visit(plain.URL + "/settings/mail")
	p.sees("E-mail is not set up")
	p.looks()
	outside := newPage(t, pageOptions{})
	outside.walk(plain.URL, http.StatusOK, "/password/forgot")
}
