package handlers

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"bookhook/views"
	"bookhook/webhook"
)

func (a *app) showHome(c *fiber.Ctx) error {
	if visiting(c).Account.ID == 0 {
		return c.Redirect("/admin/accounts", http.StatusSeeOther)
	}
	return c.Redirect("/webhooks", http.StatusSeeOther)
}

func (a *app) showProfile(c *fiber.Ctx) error {
	page, err := a.page(c)
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, views.Profile(views.ProfileProps{Page: page}))
}

// savePassword changes the password and ends every other session.
func (a *app) savePassword(c *fiber.Ctx) error {
	v := visiting(c)
	problems := webhook.Invalid{}
	match, err := a.hashing.compare(c.UserContext(), formValue(c, "current"), v.User.PasswordHash)
	if err != nil {
		return err
	}
	if !match {
		problems.Add("current", "This is not your password.")
	}
	checkPassword("password", formValue(c, "password"), problems)
	if len(problems) > 0 {
		return render(c, formStatus(problems), views.Profile(views.ProfileProps{Page: v.page(c, nil), Problems: problems}))
	}
	hash, err := a.hashing.hash(c.UserContext(), formValue(c, "password"))
	if err != nil {
		return err
	}
	s, err := a.session(c)
	if err != nil {
		return err
	}
	if err := a.Store.SetPassword(c.UserContext(), v.User.ID, hash, hashOf(s.ID), v.User.Email, time.Now()); err != nil {
		return err
	}
	return a.done(c, "/settings", "Your password was changed. Other browsers were signed out.")
}

func (a *app) signOutEverywhere(c *fiber.Ctx) error {
	if err := a.Store.EndSessions(c.UserContext(), visiting(c).User.ID, nil); err != nil {
		return err
	}
	return c.Redirect("/login", http.StatusSeeOther)
}

// zones are offered in the account's settings; any other IANA name can be kept
// as well.
var zones = []string{
	"UTC", "Europe/London", "Europe/Lisbon", "Europe/Dublin", "Europe/Madrid", "Europe/Paris", "Europe/Amsterdam", "Europe/Berlin",
	"Europe/Rome", "Europe/Vienna", "Europe/Zurich", "Europe/Prague", "Europe/Warsaw", "Europe/Stockholm", "Europe/Oslo",
	"Europe/Copenhagen", "Europe/Helsinki", "Europe/Tallinn", "Europe/Riga", "Europe/Vilnius", "Europe/Athens", "Europe/Istanbul",
	"Atlantic/Reykjavik", "Africa/Cairo", "Africa/Johannesburg", "Africa/Nairobi", "Africa/Casablanca", "Asia/Dubai", "Asia/Kolkata",
	"Asia/Bangkok", "Asia/Singapore", "Asia/Hong_Kong", "Asia/Tokyo", "Asia/Seoul", "Australia/Perth", "Australia/Sydney",
	"Pacific/Auckland", "America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles", "America/Toronto",
	"America/Mexico_City", "America/Bogota", "America/Lima", "America/Sao_Paulo", "America/Argentina/Buenos_Aires", "Pacific/Honolulu",
}

func (a *app) showAccountSettings(c *fiber.Ctx) error {
	page, err := a.page(c)
	if err != nil {
		return err
	}
	account := visiting(c).Account
	return render(c, http.StatusOK, views.AccountSettings(views.AccountSettingsProps{
		Page: page, Name: account.Name, Number: strconv.FormatInt(account.Number, 10), TimeZone: account.TimeZone, Zones: zones,
	}))
}

func (a *app) saveAccountSettings(c *fiber.Ctx) error {
	v := visiting(c)
	form := views.AccountSettingsProps{
		Page: v.page(c, nil), Name: formValue(c, "name"), Number: formValue(c, "number"), TimeZone: formValue(c, "time_zone"), Zones: zones,
	}
	changed, problems := readAccount(form.Name, form.Number)
	if changed.Number == 0 {
		problems.Add("number", "Enter the account's number, such as 4069.")
	}
	if _, err := time.LoadLocation(form.TimeZone); err != nil || form.TimeZone == "" || form.TimeZone == "Local" {
		problems.Add("time_zone", "Choose a time zone from the list.")
	}
	changed.ID, changed.TimeZone = v.Account.ID, form.TimeZone
	if len(problems) == 0 {
		var err error
		problems, err = invalid(a.Store.UpdateAccount(c.UserContext(), changed, v.User.Email, time.Now()))
		if err != nil {
			return err
		}
	}
	if form.Problems = problems; len(problems) > 0 {
		return render(c, formStatus(problems), views.AccountSettings(form))
	}
	return a.done(c, "/settings/account", "The account was saved.")
}

func (a *app) showActivity(c *fiber.Ctx) error {
	before, _ := strconv.ParseInt(c.Query("before"), 10, 64) // anything else is the newest page
	const shown = 50
	entries, err := a.Store.Audit(c.UserContext(), visiting(c).Account.ID, webhook.ID(before), shown+1)
	if err != nil {
		return err
	}
	page, err := a.page(c)
	if err != nil {
		return err
	}
	props := views.ActivityProps{Page: page, Entries: entries, First: before == 0}
	if len(entries) > shown {
		props.Entries, props.Older = entries[:shown], entries[shown-1].ID
	}
	for i, e := range props.Entries {
		if strings.HasPrefix(e.Action, "platform.") { // whose subject is the key
			props.Entries[i].Subject = a.platformName(e.Subject)
		}
	}
	return render(c, http.StatusOK, views.Activity(props))
}
