package pages

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/gofiber/fiber/v2"

	"bookhook/handlers/web"
	"bookhook/platforms"
	"bookhook/views"
	"bookhook/webhook"
)

// PlatformStore is what the pages need of the account's connections to booking
// platforms.
type PlatformStore interface {
	Connections(ctx context.Context, account webhook.ID) ([]webhook.Connection, error)
	Connection(ctx context.Context, account webhook.ID, platform string) (webhook.Connection, error)
	SwitchPlatform(ctx context.Context, account webhook.ID, platform string, on bool, by string, now time.Time) (webhook.Connection, error)
	RotateAddress(ctx context.Context, account webhook.ID, platform, by string, now time.Time) (webhook.Connection, error)
	SaveSettings(ctx context.Context, account webhook.ID, platform string, settings webhook.Settings, by string, now time.Time) error
	Unrecognised(ctx context.Context, account, before webhook.ID, limit int) ([]webhook.Unrecognised, error)
	CountUnrecognised(ctx context.Context, account webhook.ID) (int, error)
}

const platformsPath = "/settings/platforms"

// ListPlatforms shows the booking platforms; their addresses only to those who
// may change them.
func (pg *Pages) ListPlatforms(c *fiber.Ctx) error {
	page, err := pg.page(c)
	if err != nil {
		return err
	}
	return pg.showPlatforms(c, http.StatusOK, page, views.PlatformPanel{})
}

// showPlatforms shows all platforms; refused is the panel of the one whose
// settings were refused, with what was typed.
func (pg *Pages) showPlatforms(c *fiber.Ctx, status int, page views.Page, refused views.PlatformPanel) error {
	account := currentUser(c).Account.ID
	connections, err := pg.Store.Connections(c.UserContext(), account)
	if err != nil {
		return err
	}
	props := views.PlatformsProps{Page: page}
	if props.Unread, err = pg.Store.CountUnrecognised(c.UserContext(), account); err != nil {
		return err
	}
	for _, p := range pg.Platforms {
		panel := views.PlatformPanel{Key: p.Key}
		if refused.Key == p.Key {
			panel = refused
		}
		panel.Name, panel.About, panel.Settings, panel.Events = p.Name, p.About, p.Settings, len(p.Events)
		if panel.Connection = connectionTo(connections, p.Key); panel.Connection != nil {
			panel.Address = pg.Server.BaseURL(c) + panel.Connection.Path()
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
func (pg *Pages) platformParam(c *fiber.Ctx) (platforms.Platform, error) {
	p, ok := pg.Platforms.Get(c.Params("platform"))
	if !ok {
		return p, webhook.ErrNotFound
	}
	return p, nil
}

// SwitchPlatform switches a platform on or off for the account.
func (pg *Pages) SwitchPlatform(c *fiber.Ctx) error {
	p, err := pg.platformParam(c)
	if err != nil {
		return err
	}
	on, err := readSwitch(c)
	if err != nil {
		return err
	}
	v := currentUser(c)
	if _, err := pg.Store.SwitchPlatform(c.UserContext(), v.Account.ID, p.Key, on, v.User.Email, time.Now()); err != nil {
		return err
	}
	text := p.Name + " is off. What it sends is stored and goes to no webhook until you switch it on again."
	if on {
		text = p.Name + " is on. Enter its address in " + p.Name + ", and choose its events in your webhooks."
	}
	return pg.done(c, platformsPath, text)
}

// RotateAddress gives the account a new address for a platform; the old one
// works for seven more days.
func (pg *Pages) RotateAddress(c *fiber.Ctx) error {
	p, err := pg.platformParam(c)
	if err != nil {
		return err
	}
	v := currentUser(c)
	connection, err := pg.Store.RotateAddress(c.UserContext(), v.Account.ID, p.Key, v.User.Email, time.Now())
	if err != nil {
		return err
	}
	until := connection.OldUntil.In(v.Account.Location()).Format("15:04 on Mon 2 January")
	return pg.done(c, platformsPath, p.Name+" has a new address. Enter it there; the old one works until "+until+".")
}

// SavePlatform stores the settings of a platform for the account.
func (pg *Pages) SavePlatform(c *fiber.Ctx) error {
	p, err := pg.platformParam(c)
	if err != nil {
		return err
	}
	v := currentUser(c)
	connection, err := pg.Store.Connection(c.UserContext(), v.Account.ID, p.Key)
	if err != nil {
		return err
	}
	settings, form := readSettings(c, p, connection.Settings)
	if len(form.Problems) > 0 {
		return pg.showPlatforms(c, formStatus(form.Problems), v.page(c, nil), form)
	}
	if err := pg.Store.SaveSettings(c.UserContext(), v.Account.ID, p.Key, settings, v.User.Email, time.Now()); err != nil {
		return err
	}
	return pg.done(c, platformsPath, "The settings for "+p.Name+" were saved. They apply to what is received from now on.")
}

// readSettings reads the settings of a platform. A secret that was left empty
// stays as it is stored, unless it is to be removed. The panel has the problems
// and what was typed, but no secret: one that was typed has to be typed again.
func readSettings(c *fiber.Ctx, p platforms.Platform, stored webhook.Settings) (webhook.Settings, views.PlatformPanel) {
	settings := webhook.Settings{}
	form := views.PlatformPanel{Key: p.Key, Typed: webhook.Settings{}, Problems: webhook.Invalid{}}
	removed := web.FormValues(c, "remove")
	for _, s := range p.Settings {
		value := strings.TrimSpace(web.FormValue(c, s.Key))
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
			form.Typed[s.Key] = webhook.Truncate(value, maxTyped)
		}
	}
	if len(form.Problems) > 0 {
		for _, s := range p.Settings {
			if s.Secret && web.FormValue(c, s.Key) != "" && form.Problems[s.Key] == "" {
				form.Problems.Add(s.Key, "%s is not shown again: enter it once more.", s.Label)
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

// rejectedRows is how many requests that could not be read one page shows; each
// may have a body of webhook.MaxUnrecognised bytes.
const rejectedRows = 20

// ListRejected shows the requests of platforms that could not be read, 20 on a
// page.
func (pg *Pages) ListRejected(c *fiber.Ctx) error {
	ctx, account := c.UserContext(), currentUser(c).Account.ID
	before, err := web.IDQuery(c, "before", webhook.UnreadPrefix)
	if err != nil {
		return err
	}
	found, err := pg.Store.Unrecognised(ctx, account, before, rejectedRows+1)
	if err != nil {
		return err
	}
	props := views.UnrecognisedProps{First: before == 0}
	if len(found) > rejectedRows {
		found = found[:rejectedRows]
		props.Older = found[rejectedRows-1].ID
	}
	for _, u := range found {
		props.Rows = append(props.Rows, views.UnreadRow{Unrecognised: u, PlatformName: pg.platformName(u.Platform)})
	}
	if props.Count, err = pg.Store.CountUnrecognised(ctx, account); err != nil {
		return err
	}
	if props.Page, err = pg.page(c); err != nil {
		return err
	}
	return render(c, http.StatusOK, views.Unrecognised(props))
}
