package pages

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"bookhook/handlers/web"
	"bookhook/views"
	"bookhook/webhook"
)

// SettingsStore is what the settings of the account and of a user need of the
// database.
type SettingsStore interface {
	UpdateAccount(ctx context.Context, a webhook.Account, change webhook.Change) error
	EndSessions(ctx context.Context, user webhook.UserID, keep []byte) error
	Audit(ctx context.Context, account webhook.AccountID, before webhook.AuditID, limit int) ([]webhook.AuditEntry, error)
}

// ShowProfile shows the settings of the current user.
func (pg *Pages) ShowProfile(c *fiber.Ctx) error {
	page, err := pg.page(c)
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, views.Profile(views.ProfileProps{Page: page}))
}

// SavePassword changes the password and ends every other session. Wrong current
// passwords are limited for each user, wherever they come from, as those of a sign-in
// are.
func (pg *Pages) SavePassword(c *fiber.Ctx) error {
	v := currentUser(c)
	problems := webhook.Invalid{}
	guesser := "user " + v.User.ID.String()
	allowed, err := pg.logins.Allow(c.UserContext(), guesser, v.User.Email, time.Now())
	if err != nil {
		return err
	}
	if !allowed {
		problems.Add("current", "password.too_many")
		return render(c, http.StatusTooManyRequests, views.Profile(views.ProfileProps{Page: v.page(c, nil), Problems: problems}))
	}
	match, err := pg.hasher.Matches(c.UserContext(), v.hashOwner(), web.FormValue(c, "current"), v.User.PasswordHash)
	if err != nil {
		return err
	}
	if match {
		err = pg.logins.Forgive(c.UserContext(), guesser, v.User.Email)
	} else {
		problems.Add("current", "password.wrong")
	}
	if err != nil {
		return err
	}
	checkPassword("password", web.FormValue(c, "password"), problems)
	if len(problems) > 0 {
		return render(c, formStatus(problems), views.Profile(views.ProfileProps{Page: v.page(c, nil), Problems: problems}))
	}
	hash, err := pg.hasher.Hash(c.UserContext(), v.hashOwner(), web.FormValue(c, "password"))
	if err != nil {
		return err
	}
	s, err := pg.Sessions.Open(c)
	if err != nil {
		return err
	}
	if err := pg.Store.SetPassword(c.UserContext(), v.User.ID, hash, s.Hash(), v.change()); err != nil {
		return err
	}
	return pg.done(c, "/settings", webhook.NewMessage("password.changed"))
}

// SignOutEverywhere ends all sessions of the current user.
func (pg *Pages) SignOutEverywhere(c *fiber.Ctx) error {
	if err := pg.Store.EndSessions(c.UserContext(), currentUser(c).User.ID, nil); err != nil {
		return err
	}
	return c.Redirect("/login", http.StatusSeeOther)
}

// zones are the time zones offered in the account's settings; another IANA name that
// is stored is kept.
var zones = []string{
	"UTC", "Europe/London", "Europe/Lisbon", "Europe/Dublin", "Europe/Madrid", "Europe/Paris", "Europe/Amsterdam", "Europe/Berlin",
	"Europe/Rome", "Europe/Vienna", "Europe/Zurich", "Europe/Prague", "Europe/Warsaw", "Europe/Stockholm", "Europe/Oslo",
	"Europe/Copenhagen", "Europe/Helsinki", "Europe/Tallinn", "Europe/Riga", "Europe/Vilnius", "Europe/Athens", "Europe/Istanbul",
	"Atlantic/Reykjavik", "Africa/Cairo", "Africa/Johannesburg", "Africa/Nairobi", "Africa/Casablanca", "Asia/Dubai", "Asia/Kolkata",
	"Asia/Bangkok", "Asia/Singapore", "Asia/Hong_Kong", "Asia/Tokyo", "Asia/Seoul", "Australia/Perth", "Australia/Sydney",
	"Pacific/Auckland", "America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles", "America/Toronto",
	"America/Mexico_City", "America/Bogota", "America/Lima", "America/Sao_Paulo", "America/Argentina/Buenos_Aires", "Pacific/Honolulu",
}

// checkZone adds a problem if there is no such time zone.
func checkZone(name string, problems webhook.Invalid) {
	if _, err := time.LoadLocation(name); err != nil || name == "" || name == "Local" {
		problems.Add("time_zone", "time_zone.unknown")
	}
}

// ShowAccountSettings shows the settings of the account.
func (pg *Pages) ShowAccountSettings(c *fiber.Ctx) error {
	page, err := pg.page(c)
	if err != nil {
		return err
	}
	account := currentUser(c).Account
	list, err := pg.Store.Checklist(c.UserContext(), account.ID)
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, views.AccountSettings(views.AccountSettingsProps{
		Page: page, Name: account.Name, Number: strconv.FormatInt(account.Number, 10), TimeZone: account.TimeZone, Zones: zones,
		ChecklistHidden: list.Hidden,
	}))
}

// SaveAccountSettings saves name, number and time zone of the account.
func (pg *Pages) SaveAccountSettings(c *fiber.Ctx) error {
	v := currentUser(c)
	form := views.AccountSettingsProps{
		Page: v.page(c, nil), Name: web.FormValue(c, "name"), Number: web.FormValue(c, "number"), TimeZone: web.FormValue(c, "time_zone"), Zones: zones,
	}
	changed, problems := readAccount(form.Name, form.Number)
	if changed.Number == 0 {
		problems.Add("number", "account.number_missing")
	}
	checkZone(form.TimeZone, problems)
	changed.ID, changed.TimeZone = v.Account.ID, form.TimeZone
	if len(problems) == 0 {
		var err error
		problems, err = invalid(pg.Store.UpdateAccount(c.UserContext(), changed, v.change()))
		if err != nil {
			return err
		}
	}
	if form.Problems = problems; len(problems) > 0 {
		return render(c, formStatus(problems), views.AccountSettings(form))
	}
	return pg.done(c, "/settings/account", webhook.NewMessage("account.saved"))
}

// ShowActivity shows who changed what in the account, 50 entries on a page.
func (pg *Pages) ShowActivity(c *fiber.Ctx) error {
	before, err := web.IDQuery[webhook.AuditID](c, "before")
	if err != nil {
		return err
	}
	const shown = 50
	entries, err := pg.Store.Audit(c.UserContext(), currentUser(c).Account.ID, before, shown+1)
	if err != nil {
		return err
	}
	page, err := pg.page(c)
	if err != nil {
		return err
	}
	props := views.ActivityProps{Page: page, Entries: entries, First: before == 0}
	if len(entries) > shown {
		props.Entries, props.Older = entries[:shown], entries[shown-1].ID
	}
	for _, e := range props.Entries {
		if strings.HasPrefix(e.Action, "platform.") && len(e.Args) > 0 { // the key
			e.Args[0] = pg.platformName(e.Args[0])
		}
	}
	return render(c, http.StatusOK, views.Activity(props))
}

const themeCookie = "bookhook_theme"

// theme returns the theme chosen in this browser; "" follows the system.
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
