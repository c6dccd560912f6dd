package handlers

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/a-h/templ"
	"github.com/gofiber/fiber/v2"

	"bookhook/views"
	"bookhook/webhook"
)

const visitorKey = "visitor"

// visitor is who is signed in, and their account (zero for an admin without
// one).
type visitor struct {
	User    webhook.User
	Account webhook.Account
}

// visiting is the visitor of a route behind signedIn.
func visiting(c *fiber.Ctx) *visitor {
	return c.Locals(visitorKey).(*visitor) //nolint:forcetypeassert // signedIn put it there
}

// sameOrigin refuses what a browser sends on behalf of another site.
func (a *app) sameOrigin(c *fiber.Ctx) error {
	if err := a.crossing.Check(a.request(c)); err != nil {
		return &problem{
			Type: "cross-origin", Title: "This came from another site", Status: http.StatusForbidden, cause: err,
			meaning: "Nothing was changed, and no booking is affected.", next: "Open Bookhook in this browser and do it there.",
		}
	}
	return c.Next()
}

// signedIn lets only visitors with a session through.
func (a *app) signedIn(c *fiber.Ctx) error {
	s, err := a.session(c)
	if err != nil {
		return err
	}
	v, err := a.visitorOf(c, s)
	if errors.Is(err, webhook.ErrNotFound) {
		return toLogin(c)
	}
	if err != nil {
		return err
	}
	c.Locals(visitorKey, v)
	if end, ok := s.Values[endKey].(time.Time); ok && time.Until(end) < sessionRenew {
		if err := a.saveSession(c, s); err != nil {
			return err
		}
	}
	return c.Next()
}

func (a *app) visitorOf(c *fiber.Ctx, s *open) (*visitor, error) {
	id, _ := s.Values[userKey].(webhook.ID)
	if id == 0 {
		return nil, webhook.ErrNotFound
	}
	user, err := a.Store.User(c.UserContext(), id)
	if err != nil || user.Account == 0 {
		return &visitor{User: user}, err
	}
	account, err := a.Store.Account(c.UserContext(), user.Account)
	return &visitor{User: user, Account: account}, err
}

// toLogin sends to the sign-in and, for a page, back again.
func toLogin(c *fiber.Ctx) error {
	target := "/login"
	if c.Method() == fiber.MethodGet {
		target += "?next=" + url.QueryEscape(c.OriginalURL())
	}
	return c.Redirect(target, http.StatusSeeOther)
}

// withAccount lets only visitors with an account through.
func withAccount(c *fiber.Ctx) error {
	if visiting(c).Account.ID == 0 {
		return c.Redirect("/admin/accounts", http.StatusSeeOther)
	}
	return c.Next()
}

// operators lets only those through who may change things.
func operators(c *fiber.Ctx) error {
	if !visiting(c).User.Role.CanConfigure() {
		return fiber.ErrForbidden
	}
	return c.Next()
}

// admins lets only admins of the instance through.
func admins(c *fiber.Ctx) error {
	if visiting(c).User.Role != webhook.RoleAdmin {
		return fiber.ErrForbidden
	}
	return c.Next()
}

// page is what every page shows around itself.
func (v *visitor) page(c *fiber.Ctx, flash []string) views.Page {
	return views.Page{
		User: v.User, Account: v.Account, Flash: flash, Theme: theme(c),
		Path: pathOf(c), Location: v.Account.Location(), Now: time.Now(),
	}
}

// pathOf is where a page can be asked for again. One that answers a post stands
// for the page with the form.
func pathOf(c *fiber.Ctx) string {
	if c.Method() == fiber.MethodGet {
		return c.OriginalURL()
	}
	parts := strings.Split(c.Path(), "/") // the first is empty
	switch {
	case parts[1] == "drafts" && parts[len(parts)-1] == "test":
		return strings.Join(parts[:len(parts)-1], "/") + "/" + string(webhook.StepReview)
	case parts[1] == "drafts":
		return c.Path()
	case parts[1] == "settings" && len(parts) > 2 && parts[2] != "password", parts[1] == "admin":
		return strings.Join(parts[:3], "/")
	}
	return "/" + parts[1]
}

// page is the visitor's page with the flash messages, which are then gone.
func (a *app) page(c *fiber.Ctx) (views.Page, error) {
	flash, err := a.takeFlash(c)
	return visiting(c).page(c, flash), err
}

func (a *app) takeFlash(c *fiber.Ctx) ([]string, error) {
	s, err := a.session(c)
	if err != nil {
		return nil, err
	}
	kept, _ := s.Values[flashKey].([]any)
	if len(kept) == 0 {
		return nil, nil
	}
	var flash []string
	for _, text := range kept {
		if text, ok := text.(string); ok {
			flash = append(flash, text)
		}
	}
	delete(s.Values, flashKey)
	return flash, a.saveSession(c, s)
}

// done answers a post: a message for the next page, and the way there.
func (a *app) done(c *fiber.Ctx, target, message string) error {
	s, err := a.session(c)
	if err != nil {
		return err
	}
	kept, _ := s.Values[flashKey].([]any)
	s.Values[flashKey] = append(kept, message)
	if err := a.saveSession(c, s); err != nil {
		return err
	}
	return c.Redirect(target, http.StatusSeeOther)
}

// render needs no deadline, and the page that says it has passed must not fall
// to it.
func render(c *fiber.Ctx, status int, page templ.Component) error {
	c.Status(status)
	c.Set(fiber.HeaderContentType, fiber.MIMETextHTMLCharsetUTF8)
	return page.Render(context.WithoutCancel(c.UserContext()), c.Response().BodyWriter())
}

// status is 422 when a form has problems.
func formStatus(problems webhook.Invalid) int {
	if len(problems) > 0 {
		return http.StatusUnprocessableEntity
	}
	return http.StatusOK
}

const themeCookie = "bookhook_theme"

// theme is the visitor's choice; "" follows the system.
func theme(c *fiber.Ctx) string {
	if t := c.Cookies(themeCookie); t == "light" || t == "dark" {
		return t
	}
	return ""
}

func (a *app) saveTheme(c *fiber.Ctx) error {
	chosen := formValue(c, "theme")
	if chosen != "light" && chosen != "dark" && chosen != "system" {
		return webhook.Invalid{"theme": "Choose light, dark or as the system."}
	}
	c.Cookie(&fiber.Cookie{
		Name: themeCookie, Value: chosen, Path: "/", MaxAge: 365 * 24 * 3600,
		SameSite: fiber.CookieSameSiteLaxMode, HTTPOnly: true, Secure: a.sessions.options.Secure,
	})
	return c.Redirect(localPath(formValue(c, "back"), "/"), http.StatusSeeOther)
}

// localPath is the path if it stays on this site, or else the other one.
func localPath(path, other string) string {
	u, err := url.Parse(path)
	if err != nil || u.Scheme != "" || u.Host != "" || len(path) < 1 || path[0] != '/' || len(path) > 1 && (path[1] == '/' || path[1] == '\\') {
		return other
	}
	return path
}
