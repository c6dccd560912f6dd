package handlers

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/gofiber/fiber/v2"

	"bookhook/platforms"
	"bookhook/views"
	"bookhook/webhook"
)

const platformsPath = "/settings/platforms"

// baseURL is how people reach Bookhook, without a slash at the end.
func (a *app) baseURL(c *fiber.Ctx) string { return cmp.Or(a.BaseURL, c.BaseURL()) }

// listPlatforms shows the booking platforms; their addresses only to those who
// may change them.
func (a *app) listPlatforms(c *fiber.Ctx) error {
	page, err := a.page(c)
	if err != nil {
		return err
	}
	return a.showPlatforms(c, http.StatusOK, page, views.PlatformPanel{})
}

// showPlatforms shows all platforms; refused is the panel of the one whose
// settings were refused, with what was typed.
func (a *app) showPlatforms(c *fiber.Ctx, status int, page views.Page, refused views.PlatformPanel) error {
	account := visiting(c).Account.ID
	connections, err := a.Store.Connections(c.UserContext(), account)
	if err != nil {
		return err
	}
	props := views.PlatformsProps{Page: page}
	if props.Unread, err = a.Store.CountUnrecognised(c.UserContext(), account); err != nil {
		return err
	}
	for _, p := range a.Platforms {
		panel := views.PlatformPanel{Key: p.Key}
		if refused.Key == p.Key {
			panel = refused
		}
		panel.Name, panel.About, panel.Settings, panel.Events = p.Name, p.About, p.Settings, len(p.Events)
		if panel.Connection = connectionTo(connections, p.Key); panel.Connection != nil {
			panel.Address = a.baseURL(c) + panel.Connection.Path()
		}
		props.Platforms = append(props.Platforms, panel)
	}
	return render(c, status, views.Platforms(props))
}

// connectionTo finds the connection to a platform; nil when the account never used
// it.
func connectionTo(all []webhook.Connection, platform string) *webhook.Connection {
	for i := range all {
		if all[i].Platform == platform {
			return &all[i]
		}
	}
	return nil
}

// platformParam finds the platform that the path names.
func (a *app) platformParam(c *fiber.Ctx) (platforms.Platform, error) {
	p, ok := a.Platforms.Get(c.Params("platform"))
	if !ok {
		return p, webhook.ErrNotFound
	}
	return p, nil
}

func (a *app) switchPlatform(c *fiber.Ctx) error {
	p, err := a.platformParam(c)
	if err != nil {
		return err
	}
	on, err := readSwitch(c)
	if err != nil {
		return err
	}
	v := visiting(c)
	if _, err := a.Store.SwitchPlatform(c.UserContext(), v.Account.ID, p.Key, on, v.User.Email, time.Now()); err != nil {
		return err
	}
	text := p.Name + " is off. What it sends is kept and goes to no webhook until you switch it on again."
	if on {
		text = p.Name + " is on. Enter its address in " + p.Name + ", and choose its events in your webhooks."
	}
	return a.done(c, platformsPath, text)
}

func (a *app) rotateAddress(c *fiber.Ctx) error {
	p, err := a.platformParam(c)
	if err != nil {
		return err
	}
	v := visiting(c)
	connection, err := a.Store.RotateAddress(c.UserContext(), v.Account.ID, p.Key, v.User.Email, time.Now())
	if err != nil {
		return err
	}
	until := connection.OldUntil.In(v.Account.Location()).Format("15:04 on Mon 2 January")
	return a.done(c, platformsPath, p.Name+" has a new address. Enter it there; the one before goes on working until "+until+".")
}

// savePlatform stores what a platform wants to know about the account.
func (a *app) savePlatform(c *fiber.Ctx) error {
	p, err := a.platformParam(c)
	if err != nil {
		return err
	}
	v := visiting(c)
	connection, err := a.Store.Connection(c.UserContext(), v.Account.ID, p.Key)
	if err != nil {
		return err
	}
	settings, form := readSettings(c, p, connection.Settings)
	if len(form.Problems) > 0 {
		return a.showPlatforms(c, formStatus(form.Problems), v.page(c, nil), form)
	}
	if err := a.Store.SaveSettings(c.UserContext(), v.Account.ID, p.Key, settings, v.User.Email, time.Now()); err != nil {
		return err
	}
	return a.done(c, platformsPath, "The settings for "+p.Name+" were saved. They hold for what comes in from now on.")
}

// readSettings reads the settings of a platform. A secret that was left empty
// stays as it is stored, unless it is to be removed. The panel has the problems
// and what was typed, but no secret: one that was typed has to be typed again.
func readSettings(c *fiber.Ctx, p platforms.Platform, stored webhook.Settings) (webhook.Settings, views.PlatformPanel) {
	settings := webhook.Settings{}
	form := views.PlatformPanel{Key: p.Key, Typed: webhook.Settings{}, Problems: webhook.Invalid{}}
	removed := formValues(c, "remove")
	for _, s := range p.Settings {
		value := strings.TrimSpace(formValue(c, s.Key))
		if value == "" {
			if s.Secret && stored[s.Key] != "" && !slices.Contains(removed, s.Key) {
				settings[s.Key] = stored[s.Key]
			}
			continue
		}
		settings[s.Key] = value
		if problem := checkSetting(s, value); problem != "" {
			form.Problems.Add(s.Key, "%s", problem)
		}
		if !s.Secret {
			form.Typed[s.Key] = clip(value, maxTyped)
		}
	}
	if len(form.Problems) > 0 {
		for _, s := range p.Settings {
			if s.Secret && formValue(c, s.Key) != "" && form.Problems[s.Key] == "" {
				form.Problems.Add(s.Key, "%s is not shown again: type it once more.", s.Label)
			}
		}
	}
	return settings, form
}

func checkSetting(s webhook.Setting, value string) string {
	switch {
	case utf8.RuneCountInString(value) > webhook.MaxSetting:
		return fmt.Sprintf("Use at most %d characters.", webhook.MaxSetting)
	case s.Check != nil:
		return s.Check(value)
	}
	return ""
}

// unreadRows is how many requests that could not be read one page shows; each
// may have a body of webhook.MaxUnrecognised bytes.
const unreadRows = 20

func (a *app) listUnrecognised(c *fiber.Ctx) error {
	ctx, account := c.UserContext(), visiting(c).Account.ID
	before, err := refQuery(c, "before", webhook.UnreadPrefix)
	if err != nil {
		return err
	}
	found, err := a.Store.Unrecognised(ctx, account, before, unreadRows+1)
	if err != nil {
		return err
	}
	props := views.UnrecognisedProps{First: before == 0}
	if len(found) > unreadRows {
		found = found[:unreadRows]
		props.Older = found[unreadRows-1].ID
	}
	for _, u := range found {
		props.Rows = append(props.Rows, views.UnreadRow{Unrecognised: u, PlatformName: a.platformName(u.Platform)})
	}
	if props.Count, err = a.Store.CountUnrecognised(ctx, account); err != nil {
		return err
	}
	if props.Page, err = a.page(c); err != nil {
		return err
	}
	return render(c, http.StatusOK, views.Unrecognised(props))
}
