package pages

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/gofiber/fiber/v2"

	"bookhook/auth"
	"bookhook/handlers/web"
	"bookhook/views"
	"bookhook/webhook"
)

// The pages to which the links in messages lead. A GET changes nothing, since mail
// scanners follow links. A page does not sign in who chose a password: the token is
// all that its form has, so that it could be posted by another site.

// LinkStore is what these pages need of the database.
type LinkStore interface {
	InvitationByToken(ctx context.Context, hash []byte, now time.Time) (webhook.Invitation, error)
	AcceptInvitation(ctx context.Context, hash []byte, passwordHash string, now time.Time) (webhook.User, error)
	RequestReset(ctx context.Context, email string, now time.Time) error
	UserByReset(ctx context.Context, hash []byte, now time.Time) (webhook.User, error)
	ResetPassword(ctx context.Context, hash []byte, passwordHash string, now time.Time) error
}

// ShowForgotten asks for the address of somebody who has forgotten their password.
func (pg *Pages) ShowForgotten(c *fiber.Ctx) error {
	return pg.showForgotten(c, http.StatusOK, views.ForgottenProps{Sent: c.Query("sent") != ""})
}

func (pg *Pages) showForgotten(c *fiber.Ctx, status int, props views.ForgottenProps) error {
	props.Outside, props.Mail, props.Support = pg.outside(c), pg.Mailer != nil, pg.Server.Support()
	return render(c, status, views.Forgotten(props))
}

// AskReset queues a link for a new password. Whether there is such a user is found
// out when it is sent, so that neither the response nor its time says so.
func (pg *Pages) AskReset(c *fiber.Ctx) error {
	if pg.Mailer == nil {
		return c.Redirect(c.Path(), http.StatusSeeOther)
	}
	form := views.ForgottenProps{Email: web.FormValue(c, "email"), Problems: webhook.Invalid{}}
	email := readEmail(form.Email, form.Problems)
	if len(form.Problems) > 0 {
		return pg.showForgotten(c, http.StatusUnprocessableEntity, form)
	}
	now := time.Now()
	allowed, err := pg.letters.Allow(c.UserContext(), auth.Network(pg.Server.ClientIP(c)), email, now)
	if err == nil && allowed {
		allowed, err = pg.letters.Allow(c.UserContext(), "to "+email, email, now)
	}
	if err != nil {
		return err
	}
	if !allowed {
		form.Problems.Add("email", "reset.too_many")
		return pg.showForgotten(c, http.StatusTooManyRequests, form)
	}
	if err := pg.Store.RequestReset(c.UserContext(), email, now); err != nil {
		return err
	}
	return c.Redirect(c.Path()+"?sent=1", http.StatusSeeOther)
}

// ShowReset shows the form for a new password to who has a link.
func (pg *Pages) ShowReset(c *fiber.Ctx) error {
	form, err := pg.resetForm(c, c.Query("token"))
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, views.ChoosePassword(form))
}

// resetForm returns the form of a link for a new password, or the problem that the
// link has ended.
func (pg *Pages) resetForm(c *fiber.Ctx, token string) (views.ChoosePasswordProps, error) {
	c.Set(fiber.HeaderReferrerPolicy, "no-referrer") // the address has the token
	user, err := pg.Store.UserByReset(c.UserContext(), auth.HashSecret(token), time.Now())
	if errors.Is(err, webhook.ErrNotFound) {
		err = resetEnded
	}
	return views.ChoosePasswordProps{Outside: pg.outside(c), Action: c.Path(), Token: token, Email: user.Email}, err
}

var resetEnded = &web.Problem{
	Type: "not-found", Title: "This link no longer works", Status: http.StatusNotFound,
	Meaning: "It works once and for one hour, and a new password ends all of them. Nothing was changed.", Next: "Ask for another link: go to sign-in, and choose “Forgotten your password?”.",
}

// SaveReset sets the new password.
func (pg *Pages) SaveReset(c *fiber.Ctx) error {
	form, err := pg.resetForm(c, web.FormValue(c, "token"))
	if err != nil {
		return err
	}
	hash, err := pg.chosenPassword(c, &form)
	if err != nil || hash == "" {
		return err
	}
	err = pg.Store.ResetPassword(c.UserContext(), auth.HashSecret(form.Token), hash, time.Now())
	if errors.Is(err, webhook.ErrNotFound) { // used meanwhile
		return resetEnded
	}
	if err != nil {
		return err
	}
	return pg.done(c, "/login", webhook.NewMessage("reset.done"))
}

// chosenPassword returns the hash of the password in the form. If it cannot be used,
// it shows the form again and returns "".
func (pg *Pages) chosenPassword(c *fiber.Ctx, form *views.ChoosePasswordProps) (string, error) {
	form.Problems = webhook.Invalid{}
	checkPassword("password", web.FormValue(c, "password"), form.Problems)
	if len(form.Problems) > 0 {
		return "", render(c, http.StatusUnprocessableEntity, views.ChoosePassword(*form))
	}
	return pg.hasher.Hash(c.UserContext(), auth.Network(pg.Server.ClientIP(c)), web.FormValue(c, "password"))
}

// ShowInvitation shows the form for a first password to who was invited.
func (pg *Pages) ShowInvitation(c *fiber.Ctx) error {
	form, err := pg.invitationForm(c, c.Query("token"))
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, views.ChoosePassword(form))
}

// invitationForm is resetForm for an invitation.
func (pg *Pages) invitationForm(c *fiber.Ctx, token string) (form views.ChoosePasswordProps, err error) {
	c.Set(fiber.HeaderReferrerPolicy, "no-referrer") // the address has the token
	i, err := pg.Store.InvitationByToken(c.UserContext(), auth.HashSecret(token), time.Now())
	if errors.Is(err, webhook.ErrNotFound) {
		err = invitationEnded
	}
	if err != nil {
		return form, err
	}
	account, err := pg.Store.Account(c.UserContext(), i.Account)
	return views.ChoosePasswordProps{Outside: pg.outside(c), Action: c.Path(), Token: token, Email: i.Email, Invitation: &i, AccountName: account.Name}, err
}

var invitationEnded = &web.Problem{
	Type: "not-found", Title: "This invitation no longer works", Status: http.StatusNotFound,
	Meaning: "It works once and for seven days, and may have been withdrawn or sent again since.", Next: "If you have chosen a password already, sign in with it. Otherwise ask who invited you to send another one.",
}

// AcceptInvitation makes who was invited a user.
func (pg *Pages) AcceptInvitation(c *fiber.Ctx) error {
	form, err := pg.invitationForm(c, web.FormValue(c, "token"))
	if err != nil {
		return err
	}
	hash, err := pg.chosenPassword(c, &form)
	if err != nil || hash == "" {
		return err
	}
	_, err = pg.Store.AcceptInvitation(c.UserContext(), auth.HashSecret(form.Token), hash, time.Now())
	if errors.Is(err, webhook.ErrNotFound) {
		return invitationEnded
	}
	if form.Problems, err = pg.refused(err, "password"); err != nil {
		return err
	}
	if len(form.Problems) > 0 {
		return render(c, formStatus(form.Problems), views.ChoosePassword(form))
	}
	return pg.done(c, "/login", webhook.NewMessage("invitation.accepted"))
}
