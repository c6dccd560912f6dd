package handlers_test

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"net/http"
	netmail "net/mail"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"bookhook/auth"
	"bookhook/mail"
	"bookhook/mail/smtptest"
	"bookhook/notices"
	"bookhook/platforms/all"
	"bookhook/webhook"
)

// newMailSite starts a site with a mail server. What it queues is sent by deliver.
func newMailSite(t testing.TB, o smtptest.Options) (*site, *smtptest.Server) {
	t.Helper()
	server := smtptest.Start(t, o)
	s := furnish(t)
	s.mailer = notices.New(notices.Options{
		Store: notices.Store{OutboxStore: s.store, IncidentStore: s.store, FallbackStore: s.store}, Sender: mail.NewSender(mail.Server{Host: server.Host, Port: server.Port}, netmail.Address{Address: "bookhook@example.com"}),
		BaseURL: "https://hooks.example.com", StopKey: stopKey, Names: all.Platforms(), Log: slog.New(slog.NewTextHandler(s.log, nil)),
	})
	s.run([]time.Duration{0})
	return s, server
}

// sendMail sends what is queued from now on, until the test ends.
func (s *site) sendMail() {
	ctx, cancel := context.WithCancel(s.Context())
	ended := make(chan struct{})
	s.store.WatchOutbox(s.mailer.Wake)
	go func() { defer close(ended); s.mailer.Run(ctx) }()
	s.Cleanup(func() { cancel(); <-ended })
}

// path is that of the link in a message.
func path(t testing.TB, m smtptest.Message) string {
	t.Helper()
	found := regexp.MustCompile(`https://hooks\.example\.com(/\S+)`).FindStringSubmatch(m.Text)
	if found == nil {
		t.Fatalf("no link in:\n%s", m.Text)
	}
	return found[1]
}

const chosen = "another boat on the river"

// post posts the form of a page with a link.
func choose(b *browser, path, password string) page {
	address, query, _ := strings.Cut(path, "?")
	return b.post(address, url.Values{"token": {strings.TrimPrefix(query, "token=")}, "password": {password}})
}

func TestForgottenPassword(t *testing.T) {
	t.Parallel()
	s, server := newMailSite(t, smtptest.Options{})
	s.sendMail()
	before := s.signIn(anna)
	b := s.anonymous()
	b.get("/login").is(http.StatusOK).has(`href="/password/forgot"`).lacks(webhook.DefaultSupport)
	b.get("/password/forgot").is(http.StatusOK).has("Send the link")
	b.post("/password/forgot", url.Values{"email": {"no address"}}).is(http.StatusUnprocessableEntity).has("Enter an e-mail address", `value="no address"`)
	if p := b.post("/password/forgot", url.Values{"email": {" Anna@Example.com"}}).is(http.StatusSeeOther); p.location != "/password/forgot?sent=1" {
		t.Errorf("sent to %q", p.location)
	}
	b.get("/password/forgot?sent=1").has("If there is an account for this address, we have sent a link.")
	link := path(t, server.Next(t))
	for range 2 { // as a mail scanner does
		p := b.get(link).is(http.StatusOK).has("Choose a new password", `value="`+anna+`"`, `autocomplete="new-password"`)
		if got := p.header.Get("Referrer-Policy"); got != "no-referrer" {
			t.Errorf("Referrer-Policy: got %q", got)
		}
	}
	choose(b, link, "short").is(http.StatusUnprocessableEntity).has("Use at least 12 characters")
	if p := choose(b, link, chosen).is(http.StatusSeeOther); p.location != "/login" {
		t.Errorf("sent to %q", p.location)
	}
	b.get("/login").has("Your new password is set, and other browsers were signed out.")
	before.get("/webhooks").is(http.StatusSeeOther) // to the sign-in
	b.post("/login", url.Values{"email": {anna}, "password": {password}}).is(http.StatusUnprocessableEntity)
	b.post("/login", url.Values{"email": {anna}, "password": {chosen}}).is(http.StatusSeeOther)
	b.get("/settings/activity").has(anna + " chose a new password by a link in an e-mail.")
	for _, p := range []page{b.get(link), choose(b, link, "a third boat on the river")} {
		p.is(http.StatusNotFound).has("This link no longer works")
		if got := p.header.Get("Referrer-Policy"); got != "no-referrer" {
			t.Errorf("an ended link: Referrer-Policy: got %q", got)
		}
	}
}

// TestForgottenTellsNothing: whether there is a user shows neither in the responses,
// nor in what is stored for them, and so not in their time.
func TestForgottenTellsNothing(t *testing.T) {
	t.Parallel()
	s, _ := newMailSite(t, smtptest.Options{})
	b := s.anonymous()
	answers := map[string]bool{}
	for _, email := range []string{anna, "nobody@example.com", lone} {
		p := b.post("/password/forgot", url.Values{"email": {email}})
		answers[fmt.Sprint(p.status, p.location, p.text)] = true
	}
	all, err := s.store.AllMails(t.Context(), 0, 9)
	s.check(err)
	if len(answers) != 1 || len(all) != 3 {
		t.Errorf("got the answers %v and %d messages, want the same one, and 3", answers, len(all))
	}
	for _, m := range all {
		if m.Account != 0 || m.User != 0 || string(m.Args) != "{}" {
			t.Errorf("queued %+v", m)
		}
	}
	for _, email := range []string{anna, "nobody@example.com"} {
		for range 9 {
			b.post("/password/forgot", url.Values{"email": {email}}).is(http.StatusSeeOther)
		}
		b.post("/password/forgot", url.Values{"email": {email}}).is(http.StatusTooManyRequests).has("Too many requests. Wait 15 minutes.")
	}
}

func TestWithoutMail(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.anonymous()
	b.get("/login").lacks("/password/forgot").has("otherwise ask", webhook.DefaultSupport)
	b.get("/password/forgot").is(http.StatusOK).has(webhook.DefaultSupport).lacks("<form")
	b.post("/password/forgot", url.Values{"email": {anna}}).is(http.StatusSeeOther)
	i, err := s.store.AddInvitation(t.Context(), webhook.Invitation{Account: s.account.ID, Email: "tim@example.com", Role: webhook.RoleStaff}, change())
	s.check(err) // of a time when there was mail
	operator := s.signIn(anna)
	operator.get("/settings/people").has("creates a first password", "tim@example.com", "Withdraw").lacks("Send again")
	operator.post("/settings/invitations/"+i.ID.String()+"/send", nil).is(http.StatusUnprocessableEntity).has("E-mail is no longer set up")
	operator.get("/settings/mail").has("E-mail is not set up", "Ask an administrator").lacks("--mail")
	s.signIn(lone).get("/settings/mail").has("--mail smtp://", "BOOKHOOK_MAIL_FROM").lacks("Send me a test message")
	all, err := s.store.AllMails(t.Context(), 0, 9)
	s.check(err)
	if len(all) != 1 {
		t.Errorf("got %d messages, want that of the invitation", len(all))
	}
}

func TestInvitationByMail(t *testing.T) {
	t.Parallel()
	s, server := newMailSite(t, smtptest.Options{})
	s.sendMail()
	b := s.signIn(anna)
	b.get("/settings/people").has("Send invitation").lacks("first password")
	b.post("/settings/people", url.Values{"email": {"x"}, "role": {"admin"}}).is(http.StatusUnprocessableEntity).has("Enter an e-mail address", "Choose a role")
	b.post("/settings/people", url.Values{"email": {berta}, "role": {"staff"}}).is(http.StatusUnprocessableEntity).has("signs in here already")
	b.post("/settings/people", url.Values{"email": {others}, "role": {"staff"}}).is(http.StatusSeeOther)
	if m := server.Next(t); m.To != others || !strings.Contains(m.Text, "You sign in at https://hooks.example.com with this e-mail address already") {
		t.Errorf("got %s", m.Text)
	}
	b.get("/settings/people").has("We are sending an invitation to " + others)
	theirs, err := s.store.Invitations(t.Context(), s.account.ID)
	s.check(err)
	b.post("/settings/invitations/"+theirs[0].ID.String()+"/withdraw", nil).is(http.StatusSeeOther)
	b.post("/settings/people", url.Values{"email": {"Tim@example.com"}, "role": {"operator"}}).is(http.StatusSeeOther)
	b.get("/settings/people").has("We are sending an invitation to tim@example.com.", "Send again", "Withdraw")
	b.post("/settings/people", url.Values{"email": {"tim@example.com"}, "role": {"staff"}}).is(http.StatusUnprocessableEntity).has("There is an invitation for this address already.")
	first := path(t, server.Next(t))
	invitations, err := s.store.Invitations(t.Context(), s.account.ID)
	s.check(err)
	act := "/settings/invitations/" + invitations[0].ID.String()
	for _, c := range []struct {
		who  string
		want int
	}{{others, http.StatusNotFound}, {staff, http.StatusForbidden}} {
		for _, what := range []string{"/send", "/withdraw"} {
			s.signIn(c.who).post(act+what, nil).is(c.want)
		}
	}
	s.signIn(staff).get("/settings/people").has("tim@example.com").lacks("Send again", "Withdraw")
	s.signIn(others).get("/settings/people").lacks("tim@example.com")
	b.post(act+"/send", nil).is(http.StatusSeeOther)
	link := path(t, server.Next(t))
	for range webhook.MaxInvitationsTo - 2 {
		b.post(act+"/send", nil).is(http.StatusSeeOther)
		link = path(t, server.Next(t))
	}
	b.post(act+"/send", nil).is(http.StatusUnprocessableEntity).has("5 invitations were sent to this address within a day")
	tim := s.anonymous()
	tim.get(first).is(http.StatusNotFound).has("This invitation no longer works")
	tim.get(link).is(http.StatusOK).has("Welcome to Bookhook", anna+" invited you", "River Tours & Söhne", "tim@example.com")
	choose(tim, link, "short").is(http.StatusUnprocessableEntity)
	choose(tim, link, chosen).is(http.StatusSeeOther)
	choose(tim, link, chosen).is(http.StatusNotFound)
	tim.get("/login").has("Your password is set. Sign in with it.")
	tim.post("/login", url.Values{"email": {"tim@example.com"}, "password": {chosen}}).is(http.StatusSeeOther)
	tim.get("/settings/people").has("You", "Send invitation").lacks("Send again") // an operator; nobody else is invited
	b.get("/settings/activity").has("Invited tim@example.com as an operator.", "Sent the invitation of tim@example.com again.", "Added tim@example.com as an operator.")
}

func TestWithdrawInvitation(t *testing.T) {
	t.Parallel()
	s, server := newMailSite(t, smtptest.Options{})
	s.sendMail()
	b := s.signIn(anna)
	b.post("/settings/people", url.Values{"email": {"tim@example.com"}, "role": {"staff"}}).is(http.StatusSeeOther)
	link := path(t, server.Next(t))
	invitations, err := s.store.Invitations(t.Context(), s.account.ID)
	s.check(err)
	b.post("/settings/invitations/"+invitations[0].ID.String()+"/withdraw", nil).is(http.StatusSeeOther)
	b.get("/settings/people").has("The invitation of tim@example.com was withdrawn").lacks("Send again")
	choose(s.anonymous(), link, chosen).is(http.StatusNotFound)
}

func TestMailPage(t *testing.T) {
	t.Parallel()
	s, server := newMailSite(t, smtptest.Options{Rcpt: func(to string) error {
		if to == lone {
			return smtptest.Reply(550, "mailbox unavailable")
		}
		return nil
	}})
	operator, boss := s.signIn(anna), s.signIn(admin)
	boss.get("/settings/mail").is(http.StatusOK).has("E-mail is set up", "bookhook@example.com", server.Host+":"+server.Port, "No messages", "Send me a test message")
	operator.get("/settings/mail").has("E-mail is set up").lacks("Send me a test message", server.Port)
	operator.get("/").has("Try out e-mail", "1 of 7 done", "The first invitation that is sent does it.")
	boss.post("/settings/mail/test", nil).is(http.StatusSeeOther)
	operator.get("/").has("Try out e-mail", "2 of 7 done").lacks("The first invitation that is sent does it.")
	s.signIn(others).get("/").has("The first invitation that is sent does it.")
	boss.get("/settings/mail").has("took the test message for "+admin, "Test message Sent").lacks("No messages")
	if m := server.Next(t); m.To != admin || m.Header.Get("Subject") != "Test message from Bookhook" {
		t.Errorf("got %+v", m)
	}
	alone := s.signIn(lone)
	alone.post("/settings/mail/test", nil).is(http.StatusOK).has("does not accept messages to "+lone+": “550 mailbox unavailable”", "E-mail is set up", "Test message Failed")
	for range 9 {
		alone.post("/settings/mail/test", nil).is(http.StatusOK)
	}
	alone.post("/settings/mail/test", nil).has("You have sent many test messages.")
	for account, to := range map[webhook.AccountID]string{s.account.ID: "ours@example.com", s.other.ID: "theirs@example.com", 0: "nobodys@example.com"} {
		s.check(s.store.Enqueue(t.Context(), time.Now(), webhook.Mail{Account: account, To: to, Kind: webhook.MailInvitation}))
	}
	operator.get("/settings/mail").has("ours@example.com", "Invitation", "Waiting").lacks("theirs@example.com", "nobodys@example.com")
	s.signIn(others).get("/settings/mail").has("theirs@example.com").lacks("ours@example.com", "nobodys@example.com")
	alone.get("/settings/mail").has("ours@example.com", "theirs@example.com", "nobodys@example.com")
	s.signIn(staff).get("/settings/mail").is(http.StatusForbidden)
	s.signIn(staff).get("/settings").lacks("/settings/mail")
	operator.get("/settings").has(`href="/settings/mail"`)
	alone.get("/settings").has(`href="/settings/mail"`).lacks(`href="/settings/people"`)
}

// TestMailPages: 51 messages are two pages, each message on one of them.
func TestMailPages(t *testing.T) {
	t.Parallel()
	s, _ := newMailSite(t, smtptest.Options{})
	for i := range 51 {
		s.check(s.store.Enqueue(t.Context(), time.Now(), webhook.Mail{Account: s.account.ID, To: fmt.Sprintf("to-%02d@example.com", i), Kind: webhook.MailReset}))
	}
	b := s.signIn(anna)
	p := b.get("/settings/mail").has("to-50@example.com", "to-01@example.com").lacks("to-00@example.com", "Newest")
	b.get(p.find(`href="(/settings/mail\?before=[^"]+)"`)).has("to-00@example.com", "Newest").lacks("to-01@example.com", "Older")
	b.get("/settings/mail?before=whk_1").is(http.StatusNotFound)
}

// TestLinksAreNotLogged: an error while a link is used does not show its token in the
// log.
func TestLinksAreNotLogged(t *testing.T) {
	t.Parallel()
	s := furnish(t)
	file, err := os.CreateTemp(t.TempDir(), "log")
	s.check(err)
	defer file.Close()
	s.log = file
	s.run([]time.Duration{0})
	s.fails("users", "invitations", "password_resets")
	token, _ := auth.NewLinkToken()
	b := s.anonymous()
	for _, path := range []string{"/password/new", "/invitation"} {
		b.get(path + "?token=" + token).is(http.StatusInternalServerError)
		choose(b, path+"?token="+token, chosen).is(http.StatusInternalServerError)
	}
	log, err := os.ReadFile(file.Name())
	s.check(err)
	if got := string(log); strings.Count(got, "request failed") != 4 || strings.Contains(got, token) {
		t.Errorf("the log: %s", got)
	}
}

// fails drops tables, so that what needs them fails.
func (s *site) fails(tables ...string) {
	s.Helper()
	file, err := sql.Open("sqlite", "file:"+filepath.Join(s.folder, "bookhook.db")+"?_busy_timeout=5000&_foreign_keys=off")
	s.check(err)
	defer file.Close()
	for _, table := range tables {
		_, err := file.Exec(`DROP TABLE ` + table)
		s.check(err)
	}
}

// Home says that e-mails are not sent, to who may see the settings of e-mail, until one is.
func TestHomeOfMailServerThatIsDown(t *testing.T) {
	t.Parallel()
	s, _ := newMailSite(t, smtptest.Options{})
	attempted := func(state webhook.MailState, problem webhook.Message) {
		t.Helper()
		now := time.Now()
		s.check(s.store.Enqueue(t.Context(), now, webhook.Mail{Account: s.account.ID, To: "ada@example.com", Kind: webhook.MailIncident}))
		m, err := s.store.ClaimMail(t.Context(), now, now.Add(time.Minute))
		s.check(err)
		m.State, m.Problem, m.NextAt = state, problem, now.Add(time.Hour)
		s.check(s.store.FinishMail(t.Context(), m))
	}
	b := s.signIn(anna)
	b.get("/").lacks("The last e-mail was not sent")
	attempted(webhook.MailWaiting, webhook.NewMessage("mail.refused", "mail.example.com:25"))
	b.get("/").has("Needs attention", "The last e-mail was not sent", "No mail server is listening at mail.example.com:25", "View messages")
	s.signIn(admin).get("/").has("The last e-mail was not sent")
	s.signIn(staff).get("/").lacks("The last e-mail was not sent")
	s.signIn(others).get("/").lacks("The last e-mail was not sent")
	attempted(webhook.MailFailed, webhook.NewMessage("mail.recipient", "mail.example.com:25", "ada@example.com", "550 unknown"))
	b.get("/").has("The last e-mail was not sent", "No mail server is listening")
	attempted(webhook.MailSent, webhook.Message{})
	b.get("/").lacks("The last e-mail was not sent")
	attempted(webhook.MailFailed, webhook.NewMessage("mail.recipient", "mail.example.com:25", "ada@example.com", "550 unknown"))
	b.get("/").lacks("The last e-mail was not sent")
}
