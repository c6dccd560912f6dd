package handlers

import (
	"crypto/subtle"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"bookhook/views"
	"bookhook/webhook"
)

func (a *app) showSetup(c *fiber.Ctx) error {
	if err := a.checkSetup(c, c.Query("token")); err != nil {
		return err
	}
	return render(c, http.StatusOK, views.Setup(views.SetupProps{Theme: theme(c), Token: c.Query("token")}))
}

// checkSetup lets only the holder of the printed link through, and only while
// nobody signs in here.
func (a *app) checkSetup(c *fiber.Ctx, token string) error {
	over, err := a.Store.HasUsers(c.UserContext())
	if err != nil {
		return err
	}
	if over {
		return &problem{
			Type: "conflict", Title: "Bookhook is set up already", Status: http.StatusConflict,
			meaning: "No booking is affected.", next: "Sign in at /login, or ask for an account.",
		}
	}
	if a.SetupToken == "" || subtle.ConstantTimeCompare([]byte(token), []byte(a.SetupToken)) != 1 {
		return &problem{
			Type: "forbidden", Title: "This set-up link is not valid", Status: http.StatusForbidden,
			meaning: "Nothing was changed.", next: "Use the link that Bookhook printed when it was last started; it is a new one after every start.",
		}
	}
	return nil
}

func (a *app) saveSetup(c *fiber.Ctx) error {
	if err := a.checkSetup(c, formValue(c, "token")); err != nil {
		return err
	}
	form := views.SetupProps{
		Theme: theme(c), Token: formValue(c, "token"),
		AccountName: formValue(c, "account_name"), AccountNumber: formValue(c, "account_number"), Email: formValue(c, "email"),
	}
	account, user, problems := readSetup(form, formValue(c, "password"))
	if len(problems) == 0 {
		var err error
		user.PasswordHash, err = a.hashing.hash(c.UserContext(), formValue(c, "password"))
		if err != nil {
			return err
		}
		_, user, err = a.Store.Setup(c.UserContext(), account, user)
		if problems, err = invalid(err); err != nil {
			return err
		}
	}
	if len(problems) > 0 {
		form.Problems = problems
		return render(c, formStatus(problems), views.Setup(form))
	}
	return a.signIn(c, user, "/webhooks", "Welcome to Bookhook. Add your channels and tours, or create your first webhook right away.")
}

func readSetup(form views.SetupProps, password string) (webhook.Account, webhook.User, webhook.Invalid) {
	problems := webhook.Invalid{}
	now := time.Now()
	account, wrong := readAccount(form.AccountName, form.AccountNumber)
	for field, message := range wrong {
		problems.Add("account_"+field, "%s", message)
	}
	account.CreatedAt = now
	email := readEmail(form.Email, problems)
	checkPassword("password", password, problems)
	return account, webhook.User{Email: email, Role: webhook.RoleAdmin, CreatedAt: now}, problems
}

// invalid takes the problems of a form out of an error.
func invalid(err error) (webhook.Invalid, error) {
	if problems, ok := errors.AsType[webhook.Invalid](err); ok {
		return problems, nil
	}
	return nil, err
}

func (a *app) showLogin(c *fiber.Ctx) error {
	over, err := a.Store.HasUsers(c.UserContext())
	if err != nil {
		return err
	}
	if !over && a.SetupToken != "" {
		return &problem{
			Type: "conflict", Title: "Bookhook is not set up yet", Status: http.StatusConflict,
			meaning: "Nobody can sign in yet.", next: "Open the set-up link that Bookhook printed when it was started.",
		}
	}
	flash, err := a.takeFlash(c)
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, views.Login(views.LoginProps{Theme: theme(c), Next: localPath(c.Query("next"), ""), Flash: flash}))
}

func (a *app) login(c *fiber.Ctx) error {
	form := views.LoginProps{Theme: theme(c), Email: formValue(c, "email"), Next: localPath(formValue(c, "next"), "")}
	email, from := strings.ToLower(strings.TrimSpace(form.Email)), networkOf(a.clientIP(c))
	if len(email) > maxEmail { // nobody's
		form.Email = ""
		return refuseLogin(c, form)
	}
	if !a.logins.allow(from, email, time.Now()) {
		form.Problem = "Too many tries that failed. Wait 15 minutes, or sign in from another network."
		return render(c, http.StatusTooManyRequests, views.Login(form))
	}
	user, err := a.Store.UserByEmail(c.UserContext(), email)
	if errors.Is(err, webhook.ErrNotFound) {
		user.PasswordHash, err = nobody, nil
	}
	if err != nil {
		return err
	}
	match, err := a.hashing.compare(c.UserContext(), formValue(c, "password"), user.PasswordHash)
	if err != nil {
		return err
	}
	if !match || user.ID == 0 {
		return refuseLogin(c, form)
	}
	a.logins.forget(from, email)
	return a.signIn(c, user, localPath(form.Next, "/"), "")
}

func refuseLogin(c *fiber.Ctx, form views.LoginProps) error {
	form.Problem = "E-mail and password do not go together. Check both and try again."
	return render(c, http.StatusUnprocessableEntity, views.Login(form))
}

// signIn begins a session under a new id.
func (a *app) signIn(c *fiber.Ctx, user webhook.User, target, message string) error {
	s, err := a.session(c)
	if err != nil {
		return err
	}
	rotate(s.Session)
	s.Values[userKey] = user.ID
	if message != "" {
		return a.done(c, target, message)
	}
	if err := a.saveSession(c, s); err != nil {
		return err
	}
	return c.Redirect(target, http.StatusSeeOther)
}

func (a *app) logout(c *fiber.Ctx) error {
	s, err := a.session(c)
	if err != nil {
		return err
	}
	if !s.IsNew {
		s.Options.MaxAge = -1
		if err := a.saveSession(c, s); err != nil {
			return err
		}
	}
	return c.Redirect("/login", http.StatusSeeOther)
}
