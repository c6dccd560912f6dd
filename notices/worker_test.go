package notices

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	netmail "net/mail"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"bookhook/auth"
	"bookhook/db"
	"bookhook/db/dbtest"
	"bookhook/mail"
	"bookhook/mail/smtptest"
	"bookhook/messages"
	"bookhook/platforms/all"
	"bookhook/webhook"
)

// office is a worker on a real database, beside a real mail server.
type office struct {
	*testing.T
	*Worker
	store   *db.Store
	server  *smtptest.Server
	account webhook.Account
	user    webhook.User
	log     *bytes.Buffer
}

const baseURL = "https://hooks.example.com"

var stopKey = []byte("0123456789abcdef")

func newOffice(t *testing.T, options smtptest.Options) *office {
	t.Helper()
	store := dbtest.New(t)
	o := &office{T: t, store: store, server: smtptest.Start(t, options), log: &bytes.Buffer{}}
	o.Worker = o.another()
	var err error
	o.account, err = store.AddAccount(t.Context(), webhook.Account{Name: "Segeln & Meer", TimeZone: "Europe/Berlin", WebhookLimit: webhook.DefaultLimit}, o.change())
	check(t, err)
	o.user, err = store.AddUser(t.Context(), webhook.User{Account: o.account.ID, Email: "anna@example.com", PasswordHash: "x", Role: webhook.RoleOperator}, o.change())
	check(t, err)
	return o
}

// another is a worker of another process on the same database.
func (o *office) another() *Worker {
	server := mail.Server{Host: o.server.Host, Port: o.server.Port}
	return New(Options{
		Store: Store{o.store, o.store, o.store}, Sender: mail.NewSender(server, netmail.Address{Address: "bookhook@example.com"}), BaseURL: baseURL, StopKey: stopKey, Names: all.Platforms(),
		Log: slog.New(slog.NewTextHandler(o.log, nil)),
	})
}

func (o *office) change() webhook.Change {
	return webhook.Change{By: "anna@example.com", At: time.Now()}
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (o *office) forget(email string) {
	o.Helper()
	check(o.T, o.store.Enqueue(o.Context(), time.Now(), webhook.Mail{To: email, Kind: webhook.MailReset}))
}

// outbox is what became of all messages, the newest first.
func (o *office) outbox() []webhook.Mail {
	o.Helper()
	all, err := o.store.AllMails(o.Context(), 0, 99)
	check(o.T, err)
	return all
}

// send sends what is due at a time.
func (o *office) send(now time.Time) {
	o.Helper()
	for {
		if err := o.sendNext(o.Context(), now); errors.Is(err, webhook.ErrNotFound) {
			return
		} else if err != nil {
			o.Fatal(err)
		}
	}
}

var link = regexp.MustCompile(`https://hooks\.example\.com(/[a-z/]+)\?token=(\w+)`)

// token is that of the link in a message, which has the same one in both parts.
func (o *office) token(m smtptest.Message, path string) string {
	o.Helper()
	text, html := link.FindStringSubmatch(m.Text), link.FindStringSubmatch(m.HTML)
	if text == nil || html == nil || text[0] != html[0] || text[1] != path {
		o.Fatalf("links: got %v and %v, want two to %s", text, html, path)
	}
	return text[2]
}

func TestInvitation(t *testing.T) {
	t.Parallel()
	o := newOffice(t, smtptest.Options{})
	i, err := o.store.AddInvitation(t.Context(), webhook.Invitation{Account: o.account.ID, Email: "tim@example.com", Role: webhook.RoleStaff}, o.change())
	check(t, err)
	o.send(time.Now())
	m := o.server.Next(t)
	if m.To != "tim@example.com" || m.Header.Get("Subject") != "Invitation to Bookhook of Segeln & Meer" || m.Header.Get("Message-Id") != "<"+o.outbox()[0].ID.String()+"@example.com>" {
		t.Errorf("got %s to %s", m.Header, m.To)
	}
	for _, part := range []string{m.Text, m.HTML} {
		for _, want := range []string{"anna@example.com invites you", "as a member of the staff", " (Europe/Berlin)", "until " + i.ExpiresAt.In(o.account.Location()).Format("Monday, 2 January 2006")} {
			if !strings.Contains(part, want) {
				t.Errorf("no %q in:\n%s", want, part)
			}
		}
	}
	if !strings.Contains(m.HTML, "Segeln &amp; Meer") || !strings.Contains(m.HTML, `content="light dark"`) || strings.Contains(m.Text, "<") {
		t.Errorf("got %s", m.HTML)
	}
	token := o.token(m, InvitationPath)
	got, err := o.store.InvitationByToken(t.Context(), auth.HashSecret(token), time.Now())
	check(t, err)
	if got.ID != i.ID {
		t.Errorf("got %+v, want %+v", got, i)
	}
	if sent := o.outbox()[0]; sent.State != webhook.MailSent || sent.FinishedAt.IsZero() || strings.Contains(string(sent.Args), token) {
		t.Errorf("got %+v", sent)
	}
	if strings.Contains(o.log.String(), token) {
		t.Error("the token is in the log")
	}
}

// TestInvitationOfAnother: only who has the address learns that it signs in to another
// account, and nothing in the message lets them join this one.
func TestInvitationOfAnother(t *testing.T) {
	t.Parallel()
	o := newOffice(t, smtptest.Options{})
	other, err := o.store.AddAccount(t.Context(), webhook.Account{Name: "Other", TimeZone: "UTC", WebhookLimit: webhook.DefaultLimit}, o.change())
	check(t, err)
	_, err = o.store.AddUser(t.Context(), webhook.User{Account: other.ID, Email: "tim@example.com", PasswordHash: "x", Role: webhook.RoleStaff}, o.change())
	check(t, err)
	_, err = o.store.AddInvitation(t.Context(), webhook.Invitation{Account: o.account.ID, Email: "tim@example.com", Role: webhook.RoleStaff}, o.change())
	check(t, err)
	o.send(time.Now())
	m := o.server.Next(t)
	if !strings.Contains(m.Text, "You sign in at "+baseURL+" with this e-mail address already") || link.MatchString(m.Text+m.HTML) || strings.Contains(m.Text, "Other") {
		t.Errorf("got %s", m.Text)
	}
}

// TestWithdrawn: what was withdrawn before it was sent is not sent.
func TestWithdrawn(t *testing.T) {
	t.Parallel()
	o := newOffice(t, smtptest.Options{})
	i, err := o.store.AddInvitation(t.Context(), webhook.Invitation{Account: o.account.ID, Email: "tim@example.com", Role: webhook.RoleStaff}, o.change())
	check(t, err)
	_, err = o.store.WithdrawInvitation(t.Context(), o.account.ID, i.ID, o.change())
	check(t, err)
	o.send(time.Now())
	if len(o.server.Messages) != 0 || len(o.outbox()) != 0 {
		t.Errorf("%d messages; %+v", len(o.server.Messages), o.outbox())
	}
}

func TestReset(t *testing.T) {
	t.Parallel()
	o := newOffice(t, smtptest.Options{})
	o.forget("nobody@example.com")
	o.forget(o.user.Email)
	o.send(time.Now())
	m := o.server.Next(t)
	if m.To != o.user.Email || len(o.server.Messages) != 0 {
		t.Errorf("got one to %s and %d more", m.To, len(o.server.Messages))
	}
	first := o.token(m, ResetPath)
	u, err := o.store.UserByReset(t.Context(), auth.HashSecret(first), time.Now())
	check(t, err)
	if all := o.outbox(); u.ID != o.user.ID || len(all) != 1 || all[0].Account != o.account.ID || all[0].User != u.ID {
		t.Errorf("got %+v for %+v", all, u)
	}
	o.forget(o.user.Email)
	o.send(time.Now())
	second := o.token(o.server.Next(t), ResetPath)
	if _, err := o.store.UserByReset(t.Context(), auth.HashSecret(first), time.Now()); err != nil || first == second {
		t.Errorf("the first link: got %v", err)
	}
	o.forget(o.user.Email)
	o.send(time.Now().Add(webhook.ResetTerm + time.Minute)) // the mail server was gone for so long
	if len(o.server.Messages) != 0 {
		t.Error("a request of an hour ago was answered")
	}
}

// TestRetries: for a day, with growing pauses; then it has failed.
func TestRetries(t *testing.T) {
	t.Parallel()
	var refusals atomic.Int64
	refuse := atomic.Bool{}
	refuse.Store(true)
	o := newOffice(t, smtptest.Options{Rcpt: func(string) error {
		if !refuse.Load() {
			return nil
		}
		refusals.Add(1)
		return smtptest.Reply(451, "greylisted")
	}})
	invite := func(email string) {
		_, err := o.store.AddInvitation(t.Context(), webhook.Invitation{Account: o.account.ID, Email: email, Role: webhook.RoleStaff}, o.change())
		check(t, err)
	}
	invite("tim@example.com")
	now, began := time.Now(), time.Now()
	for attempt := 1; ; attempt++ {
		o.send(now)
		m := o.outbox()[0]
		if m.Attempts != attempt || !strings.Contains(messages.Text(m.Problem), "asked to try again later: “451 greylisted”") {
			t.Fatalf("attempt %d: got %+v", attempt, m)
		}
		if m.State != webhook.MailWaiting {
			break
		}
		o.send(m.NextAt.Add(-time.Second)) // not due
		now = m.NextAt
	}
	if took := now.Sub(began).Round(time.Minute); took < 20*time.Hour || took > 28*time.Hour || refusals.Load() != int64(len(pauses)+1) {
		t.Errorf("gave up after %s and %d attempts", took, refusals.Load())
	}
	if m := o.outbox()[0]; m.State != webhook.MailFailed || m.FinishedAt.IsZero() {
		t.Errorf("got %+v, want it failed", m)
	}
	invite("tom@example.com")
	o.send(time.Now())
	refuse.Store(false)
	o.send(time.Now().Add(2 * time.Minute))
	if m := o.server.Next(t); m.To != "tom@example.com" {
		t.Errorf("got one to %s", m.To)
	}
	if m := o.outbox()[0]; m.State != webhook.MailSent || m.Attempts != 2 || !m.Problem.IsZero() {
		t.Errorf("got %+v, want it sent", m)
	}
}

func TestRefusedForGood(t *testing.T) {
	t.Parallel()
	o := newOffice(t, smtptest.Options{Rcpt: func(string) error { return smtptest.Reply(550, "no such user") }})
	o.forget(o.user.Email)
	o.send(time.Now())
	if m := o.outbox()[0]; m.State != webhook.MailFailed || m.Attempts != 1 || !strings.Contains(messages.Text(m.Problem), "550 no such user") {
		t.Errorf("got %+v, want it failed", m)
	}
}

// TestOfANewerBookhook: during an upgrade, a process leaves what it does not know to
// those that do.
func TestOfANewerBookhook(t *testing.T) {
	t.Parallel()
	o := newOffice(t, smtptest.Options{})
	check(t, o.store.Enqueue(t.Context(), time.Now(), webhook.Mail{To: o.user.Email, Kind: "poem"}))
	o.send(time.Now())
	if m := o.outbox()[0]; m.State != webhook.MailWaiting || !strings.Contains(messages.Text(m.Problem), "does not know this kind") {
		t.Errorf("got %+v, want it waiting", m)
	}
}

// TestRun: several processes send what is queued at once, each message once, and
// what is queued later when they are woken.
func TestRun(t *testing.T) {
	t.Parallel()
	o := newOffice(t, smtptest.Options{})
	o.store.WatchOutbox(o.Wake)
	const n = 30
	var all []webhook.Mail
	for i := range n {
		u, err := o.store.AddUser(t.Context(), webhook.User{Account: o.account.ID, Email: fmt.Sprintf("%d@example.com", i), PasswordHash: "x", Role: webhook.RoleStaff}, o.change())
		check(t, err)
		all = append(all, webhook.Mail{To: u.Email, Kind: webhook.MailReset})
	}
	check(t, o.store.Enqueue(t.Context(), time.Now(), all...))
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	for range 3 {
		worker := o.another()
		worker.Log = slog.New(slog.DiscardHandler)
		go func() { worker.Run(ctx); ended <- struct{}{} }()
	}
	worker := o.Worker
	worker.Log = slog.New(slog.DiscardHandler)
	go func() { worker.Run(ctx); ended <- struct{}{} }()
	seen := map[string]bool{}
	for range n {
		id := o.server.Next(t).Header.Get("Message-Id")
		if seen[id] {
			t.Errorf("%s came twice", id)
		}
		seen[id] = true
	}
	o.forget(o.user.Email)
	begun := time.Now()
	o.server.Next(t)
	if took := time.Since(begun); took > 10*time.Second {
		t.Errorf("a message took %s", took)
	}
	cancel()
	for range 4 {
		<-ended
	}
	if len(o.server.Messages) != 0 {
		t.Errorf("%d messages too many", len(o.server.Messages))
	}
}
