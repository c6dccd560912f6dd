package pages

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/gofiber/fiber/v2"

	"bookhook/handlers/web"
	"bookhook/views"
	"bookhook/webhook"
)

// Mailer is what sends e-mail; *notices.Worker is one.
type Mailer interface {
	Server() string  // HOST:PORT
	From() string    // the address that messages are from
	LinksTo() string // what the links in messages begin with
	// SendTest sends a test message at once, and returns what is wrong with the mail
	// settings; zero if the mail server took it.
	SendTest(ctx context.Context, to string) webhook.Message
}

// MailStore is what the pages need of the outbox.
type MailStore interface {
	Mails(ctx context.Context, account webhook.AccountID, before webhook.MailID, limit int) ([]webhook.Mail, error)
	AllMails(ctx context.Context, before webhook.MailID, limit int) ([]webhook.Mail, error)
	AddTestMail(ctx context.Context, m webhook.Mail, now time.Time) error
}

// ShowMail shows whether e-mail is set up, and what became of the last messages: to
// admins those of the instance, to operators those of their account.
func (pg *Pages) ShowMail(c *fiber.Ctx) error {
	page, err := pg.page(c)
	if err != nil {
		return err
	}
	return pg.showMail(c, views.MailProps{Page: page})
}

func (pg *Pages) showMail(c *fiber.Ctx, props views.MailProps) (err error) {
	before, err := web.IDQuery[webhook.MailID](c, "before")
	if err != nil {
		return err
	}
	const shown = 50
	if props.Mails, err = pg.mails(c, before, shown+1); err != nil {
		return err
	}
	props.First = before == 0
	if len(props.Mails) > shown {
		props.Mails = props.Mails[:shown]
		props.Older = props.Mails[shown-1].ID
	}
	if pg.Mailer != nil {
		props.Server, props.From, props.BaseURL = pg.Mailer.Server(), pg.Mailer.From(), pg.Mailer.LinksTo()
	}
	return render(c, http.StatusOK, views.Mail(props))
}

// mails lists messages: to admins those of the instance, to operators those of their account.
func (pg *Pages) mails(c *fiber.Ctx, before webhook.MailID, limit int) ([]webhook.Mail, error) {
	v := currentUser(c)
	if v.User.Role == webhook.RoleAdmin {
		return pg.Store.AllMails(c.UserContext(), before, limit)
	}
	return pg.Store.Mails(c.UserContext(), v.Account.ID, before, limit)
}

// newestMails are the messages that say whether e-mail works.
const newestMails = 20

// mailProblem returns why e-mails are not sent, to who may see the settings of e-mail; zero
// if they are, or nobody knows.
func (pg *Pages) mailProblem(c *fiber.Ctx) (webhook.Message, error) {
	if pg.Mailer == nil || !currentUser(c).User.Role.CanConfigure() {
		return webhook.Message{}, nil
	}
	mails, err := pg.mails(c, 0, newestMails)
	return newestProblem(mails, time.Now().Add(-failedWeek)), err
}

// ofOneMessage are the problems that say nothing about other messages.
var ofOneMessage = []string{"mail.recipient", "mail.content", "mail.address", "mail.internal", "mail.unknown", "mail.later"}

// newestProblem returns the problem of the newest message that was attempted; zero if that
// was sent, or is from before since.
func newestProblem(mails []webhook.Mail, since time.Time) webhook.Message {
	for _, m := range mails {
		switch {
		case m.State == webhook.MailSent || m.CreatedAt.Before(since):
			return webhook.Message{}
		case !m.Problem.IsZero() && !slices.Contains(ofOneMessage, m.Problem.Code):
			return m.Problem
		}
	}
	return webhook.Message{}
}

// TestMail sends the current user a test message, and shows at once what came of it.
func (pg *Pages) TestMail(c *fiber.Ctx) error {
	v := currentUser(c)
	props := views.MailProps{Page: v.page(c, nil)}
	if pg.Mailer == nil {
		return c.Redirect("/settings/mail", http.StatusSeeOther)
	}
	allowed, err := pg.letters.Allow(c.UserContext(), "user "+v.User.ID.String(), "test", time.Now())
	if err != nil {
		return err
	}
	if !allowed {
		props.Problem = webhook.NewMessage("mail.test_too")
		return pg.showMail(c, props)
	}
	props.Problem = pg.Mailer.SendTest(c.UserContext(), v.User.Email)
	m := webhook.Mail{Account: v.Account.ID, User: v.User.ID, To: v.User.Email, Problem: props.Problem}
	if err := pg.Store.AddTestMail(c.UserContext(), m, time.Now()); err != nil {
		return err
	}
	if props.Problem.IsZero() {
		return pg.done(c, "/settings/mail", webhook.NewMessage("mail.tested", pg.Mailer.Server(), v.User.Email))
	}
	return pg.showMail(c, props)
}
