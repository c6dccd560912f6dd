package pages

import (
	"net/http"

	"github.com/gofiber/fiber/v2"

	"bookhook/handlers/web"
	"bookhook/webhook"
)

const themeCookie = "bookhook_theme"

// theme is the choice of the browser's user; "" follows the system.
func theme(c *fiber.Ctx) string {
	if t := c.Cookies(themeCookie); t == "light" || t == "dark" {
		return t
	}
	return ""
}

// SaveTheme keeps the theme in a cookie for a year.
func (pg *Pages) SaveTheme(c *fiber.Ctx) error {
	chosen := web.FormValue(c, "theme")
	if chosen != "light" && chosen != "dark" && chosen != "system" {
		return webhook.Invalid{"theme": webhook.NewMessage("theme.unknown")}
	}
	c.Cookie(&fiber.Cookie{
		Name: themeCookie, Value: chosen, Path: "/", MaxAge: 365 * 24 * 3600,
		SameSite: fiber.CookieSameSiteLaxMode, HTTPOnly: true, Secure: pg.Server.Secure(),
	})
	return c.Redirect(localPath(web.FormValue(c, "back"), "/"), http.StatusSeeOther)
}
