package pages

import (
	"cmp"
	"context"
	"crypto/subtle"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"bookhook/auth"
	"bookhook/handlers/web"
	"bookhook/views"
	"bookhook/webhook"
)

// LoginStore is what sign-in and set-up need of the database.
type LoginStore interface {
	auth.TryStore
	Setup(ctx context.Context, a webhook.Account, u webhook.User, change webhook.Change) (webhook.Account, webhook.User, error)
	HasUsers(ctx context.Context) (bool, error)
	UserByEmail(ctx context.Context, email string) (webhook.User, error)
}

// ShowSetup shows the form for the first account and user, if the printed
// link was opened.
func (pg *Pages) ShowSetup(c *fiber.Ctx) error {
	if err := pg.checkSetup(c, c.Query("token")); err != nil {
		return err
	}
	return render(c, http.StatusOK, views.Setup(views.SetupProps{Outside: pg.outside(c), Token: c.Query("token"), TimeZone: "UTC", Zones: zones}))
}

// checkSetup lets only the holder of the printed link through, and only while
// there is no user.
func (pg *Pages) checkSetup(c *fiber.Ctx, token string) error {
	over, err := pg.Store.HasUsers(c.UserContext())
	if err != nil {
		return err
	}
	if over {
		return &web.Problem{
			Type: "conflict", Title: "Bookhook is set up already", Status: http.StatusConflict,
			Meaning: "No booking is affected.", Next: "Sign in at /login, or ask an operator to add you.",
		}
	}
	if pg.SetupToken == "" || subtle.ConstantTimeCompare([]byte(token), []byte(pg.SetupToken)) != 1 {
		return &web.Problem{
			Type: "forbidden", Title: "This set-up link is not valid", Status: http.StatusForbidden,
			Meaning: "Nothing was changed.", Next: "Use the link that Bookhook printed when it was last started; with SQLite, each start prints a new one.",
		}
	}
	return nil
}

// SaveSetup creates the first account and its admin, and signs the admin in.
func (pg *Pages) SaveSetup(c *fiber.Ctx) error {
	if err := pg.checkSetup(c, web.FormValue(c, "token")); err != nil {
		return err
	}
	form := views.SetupProps{
		Outside: pg.outside(c), Token: web.FormValue(c, "token"),
		AccountName: web.FormValue(c, "account_name"), AccountNumber: web.FormValue(c, "account_number"), Email: web.FormValue(c, "email"),
		TimeZone: cmp.Or(web.FormValue(c, "time_zone"), "UTC"), Zones: zones, Chosen: true,
	}
	account, user, problems := readSetup(form, web.FormValue(c, "password"))
	if len(problems) == 0 {
		var err error
		user.PasswordHash, err = pg.hasher.Hash(c.UserContext(), auth.Network(pg.Server.ClientIP(c)), web.FormValue(c, "password"))
		if err != nil {
			return err
		}
		_, user, err = pg.Store.Setup(c.UserContext(), account, user, webhook.Change{By: user.Email, At: time.Now()})
		if problems, err = invalid(err); err != nil {
			return err
		}
	}
	if len(problems) > 0 {
		form.Problems = problems
		return render(c, formStatus(problems), views.Setup(form))
	}
	return pg.signIn(c, user, "/", webhook.NewMessage("account.welcome"))
}

func readSetup(form views.SetupProps, password string) (webhook.Account, webhook.User, webhook.Invalid) {
	problems := webhook.Invalid{}
	account, wrong := readAccount(form.AccountName, form.AccountNumber)
	for field, problem := range wrong {
		problems.AddMessage("account_"+field, problem)
	}
	account.TimeZone = form.TimeZone
	checkZone(form.TimeZone, problems)
	email := readEmail(form.Email, problems)
	checkPassword("password", password, problems)
	return account, webhook.User{Email: email, Role: webhook.RoleAdmin}, problems
}

// ShowLogin shows the sign-in.
func (pg *Pages) ShowLogin(c *fiber.Ctx) error {
	over, err := pg.Store.HasUsers(c.UserContext())
	if err != nil {
		return err
	}
	if !over && pg.SetupToken != "" {
		return render(c, http.StatusConflict, views.BeforeSetup(pg.outside(c)))
	}
	flash, err := pg.takeFlash(c)
	if err != nil {
		return err
	}
	return pg.showLogin(c, http.StatusOK, views.LoginProps{Next: localPath(c.Query("next"), ""), Flash: flash})
}

func (pg *Pages) showLogin(c *fiber.Ctx, status int, props views.LoginProps) error {
	props.Outside, props.Mail, props.Support = pg.outside(c), pg.Mailer != nil, pg.Server.Support()
	return render(c, status, views.Login(props))
}

// SignIn checks e-mail address and password and starts a session. Failed
// attempts are limited by address and network ([auth.Limiter]).
func (pg *Pages) SignIn(c *fiber.Ctx) error {
	form := views.LoginProps{Email: web.FormValue(c, "email"), Next: localPath(web.FormValue(c, "next"), "")}
	email, from := strings.ToLower(strings.TrimSpace(form.Email)), auth.Network(pg.Server.ClientIP(c))
	if len(email) > auth.MaxEmail { // no user has it
		form.Email = ""
		return pg.refuseLogin(c, form)
	}
	allowed, err := pg.logins.Allow(c.UserContext(), from, email, time.Now())
	if err != nil {
		return err
	}
	if !allowed {
		form.Problem = webhook.NewMessage("login.too_many")
		return pg.showLogin(c, http.StatusTooManyRequests, form)
	}
	user, err := pg.Store.UserByEmail(c.UserContext(), email)
	if errors.Is(err, webhook.ErrNotFound) {
		user, err = webhook.User{}, nil // whose empty hash takes as long to compare and matches nothing
	}
	if err != nil {
		return err
	}
	match, err := pg.hasher.Matches(c.UserContext(), from, web.FormValue(c, "password"), user.PasswordHash)
	if err != nil {
		return err
	}
	if !match {
		return pg.refuseLogin(c, form)
	}
	if err := pg.logins.Forgive(c.UserContext(), from, email); err != nil {
		return err
	}
	err = pg.signIn(c, user, localPath(form.Next, "/"), webhook.Message{})
	if errors.Is(err, webhook.ErrNotFound) { // the password was changed meanwhile
		return pg.refuseLogin(c, form)
	}
	return err
}

func (pg *Pages) refuseLogin(c *fiber.Ctx, form views.LoginProps) error {
	form.Problem = webhook.NewMessage("login.wrong")
	return pg.showLogin(c, http.StatusUnprocessableEntity, form)
}

// signIn starts a session under a new id.
func (pg *Pages) signIn(c *fiber.Ctx, user webhook.User, target string, message webhook.Message) error {
	s, err := pg.Sessions.Open(c)
	if err != nil {
		return err
	}
	s.SignIn(user)
	if !message.IsZero() {
		return pg.done(c, target, message)
	}
	if err := s.Save(c); err != nil {
		return err
	}
	return c.Redirect(target, http.StatusSeeOther)
}

// SignOut ends the session.
func (pg *Pages) SignOut(c *fiber.Ctx) error {
	s, err := pg.Sessions.Open(c)
	if err != nil {
		return err
	}
	if s.End() {
		if err := s.Save(c); err != nil {
			return err
		}
	}
	return c.Redirect("/login", http.StatusSeeOther)
}
