package pages

import (
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/gofiber/fiber/v2"

	"bookhook/handlers/web"
	"bookhook/webhook"
)

const visitorKey = "visitor"

// visitor is a user who is signed in, and their account (zero for an admin
// without one).
type visitor struct {
	User    webhook.User
	Account webhook.Account
}

// change returns a change that the user makes now.
func (v *visitor) change() webhook.Change {
	return webhook.Change{By: v.User.Email, At: time.Now()}
}

// hashOwner returns whose share of hashing passwords the user has: their account's, or
// that of an admin without one.
func (v *visitor) hashOwner() string {
	if v.Account.ID != 0 {
		return v.Account.ID.String()
	}
	return v.User.ID.String()
}

// currentUser returns who is signed in, on a route behind [Pages.SignedIn].
func currentUser(c *fiber.Ctx) *visitor {
	return c.Locals(visitorKey).(*visitor) //nolint:forcetypeassert // SignedIn put it there
}

// SignedIn lets only users with a session through; others get the sign-in.
func (pg *Pages) SignedIn(c *fiber.Ctx) error {
	s, err := pg.Sessions.Open(c)
	if err != nil {
		return err
	}
	v, err := pg.visitorOf(c, s)
	if errors.Is(err, webhook.ErrNotFound) {
		return toLogin(c)
	}
	if err != nil {
		return err
	}
	c.Locals(visitorKey, v)
	web.Identify(c, v.Account.ID)
	if s.IsEnding() {
		if err := s.Save(c); err != nil {
			return err
		}
	}
	return c.Next()
}

func (pg *Pages) visitorOf(c *fiber.Ctx, s *web.Session) (*visitor, error) {
	if s.User() == 0 {
		return nil, webhook.ErrNotFound
	}
	user, err := pg.Store.User(c.UserContext(), s.User())
	if err != nil {
		return nil, err
	}
	if user.Account == 0 {
		return &visitor{User: user}, nil
	}
	account, err := pg.Store.Account(c.UserContext(), user.Account)
	if err != nil {
		return nil, err
	}
	return &visitor{User: user, Account: account}, nil
}

// toLogin redirects to the sign-in, which returns to the page afterwards.
func toLogin(c *fiber.Ctx) error {
	target := "/login"
	if c.Method() == fiber.MethodGet {
		target += "?next=" + url.QueryEscape(c.OriginalURL())
	}
	return c.Redirect(target, http.StatusSeeOther)
}

// WithAccount lets only users with an account through; admins without one get
// the overview of all accounts.
func WithAccount(c *fiber.Ctx) error {
	if currentUser(c).Account.ID == 0 {
		return c.Redirect("/admin", http.StatusSeeOther)
	}
	return c.Next()
}

// Operators lets only users through who may change things.
func Operators(c *fiber.Ctx) error {
	if !currentUser(c).User.Role.CanConfigure() {
		return fiber.ErrForbidden
	}
	return c.Next()
}

// Admins lets only admins of the instance through.
func Admins(c *fiber.Ctx) error {
	if currentUser(c).User.Role != webhook.RoleAdmin {
		return fiber.ErrForbidden
	}
	return c.Next()
}
