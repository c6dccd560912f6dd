package pages

import (
	"cmp"
	"context"
	"errors"
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
	Connections(ctx context.Context, account webhook.AccountID) ([]webhook.Connection, error)
	Connection(ctx context.Context, account webhook.AccountID, platform string) (webhook.Connection, error)
	SwitchPlatform(ctx context.Context, account webhook.AccountID, platform string, on bool, change webhook.Change) (webhook.Connection, error)
	RotateAddress(ctx context.Context, account webhook.AccountID, platform, token string, change webhook.Change) (webhook.Connection, error)
	SaveSettings(ctx context.Context, account webhook.AccountID, platform string, settings webhook.Settings, change webhook.Change) error
	RejectedRequests(ctx context.Context, account webhook.AccountID, before webhook.RejectedID, limit int) ([]webhook.RejectedRequest, error)
	CountRejectedRequests(ctx context.Context, account webhook.AccountID) (int, error)
	DeleteRejectedRequests(ctx context.Context, account webhook.AccountID, until time.Time, change webhook.Change) (int64, error)
}

const platformsPath = "/settings/platforms"

func platformPath(key string) string { return platformsPath + "/" + key }

// ListPlatforms shows the booking platforms, and whether each is connected.
func (pg *Pages) ListPlatforms(c *fiber.Ctx) error {
	account := currentUser(c).Account.ID
	connections, err := pg.Store.Connections(c.UserContext(), account)
	if err != nil {
		return err
	}
	var props views.PlatformsProps
	if props.Rejected, err = pg.Store.CountRejectedRequests(c.UserContext(), account); err != nil {
		return err
	}
	for _, p := range pg.Platforms.Connectable() {
		props.Platforms = append(props.Platforms, views.PlatformPanel{Key: p.Key, Name: p.Name, Connection: connectionTo(connections, p.Key)})
	}
	if props.Page, err = pg.page(c); err != nil {
		return err
	}
	return render(c, http.StatusOK, views.Platforms(props))
}

// ShowPlatform shows a booking platform; its address only to those who may change it.
func (pg *Pages) ShowPlatform(c *fiber.Ctx) error {
	p, err := pg.platformParam(c)
	if err != nil {
		return err
	}
	page, err := pg.page(c)
	if err != nil {
		return err
	}
	return pg.showPlatform(c, p, views.PlatformProps{Page: page})
}

// showPlatform shows a platform; the props may have settings that were refused, with what
// was typed.
func (pg *Pages) showPlatform(c *fiber.Ctx, p platforms.Platform, props views.PlatformProps) error {
	connections, err := pg.Store.Connections(c.UserContext(), currentUser(c).Account.ID)
	if err != nil {
		return err
	}
	panel := &props.Platform
	panel.Key, panel.Name, panel.Connect, panel.About, panel.Settings, panel.Events, panel.Texts = p.Key, p.Name, p.Connect, p.About, p.Settings, len(p.Events), p.Texts
	if panel.Connection = connectionTo(connections, p.Key); panel.Connection != nil {
		panel.Address = pg.Server.BaseURL(c) + panel.Connection.Path()
		panel.Try = callOf(p, props.Page.Account, panel.Address, panel.Connection.Settings)
		panel.Lists = p.Lists != nil
		panel.ListsReady = panel.Lists && p.Lists.Ready(panel.Connection.Settings)
	}
	return render(c, formStatus(panel.Problems), views.Platform(props))
}

// sampleBooking is the number of a booking that no platform has.
const sampleBooking = "999999999"

// callOf writes a command that calls the address as the platform does about a booking; "" if
// Bookhook would refuse that, as without a password that only the platform knows.
func callOf(p platforms.Platform, a webhook.Account, address string, settings webhook.Settings) string {
	request := p.Native(&webhook.Webhook{Config: webhook.Config{URL: address}}, a, p.Sample(firstOf(p, nil), sampleBooking, time.Now().UTC()))
	_, query, _ := strings.Cut(request.URL, "?")
	_, err := p.Read(platforms.Inbound{
		Method: request.Method, Query: query, ContentType: request.Header.Get(fiber.HeaderContentType), Body: request.Body, Settings: settings,
		Authorization: request.Header.Get(fiber.HeaderAuthorization),
	})
	if err != nil {
		return ""
	}
	return views.Curl(webhook.Attempt{Method: request.Method, URL: request.URL, RequestHeaders: request.Header, RequestBody: request.Body})
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

// platformParam finds the platform in the path.
func (pg *Pages) platformParam(c *fiber.Ctx) (platforms.Platform, error) {
	p, ok := pg.Platforms.Connected(c.Params("platform"))
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
	if _, err := pg.Store.SwitchPlatform(c.UserContext(), v.Account.ID, p.Key, on, v.change()); err != nil {
		return err
	}
	message := webhook.NewMessage("platform.off", p.Name)
	if on {
		message = webhook.NewMessage("platform.on", p.Name, p.Name)
	}
	return pg.done(c, platformPath(p.Key), message)
}

// RotateAddress gives the account a new address for a platform in place of the one on the
// page, which works for seven more days.
func (pg *Pages) RotateAddress(c *fiber.Ctx) error {
	p, err := pg.platformParam(c)
	if err != nil {
		return err
	}
	v := currentUser(c)
	connection, err := pg.Store.RotateAddress(c.UserContext(), v.Account.ID, p.Key, web.FormValue(c, "replaced"), v.change())
	if errors.Is(err, webhook.ErrConflict) {
		return pg.done(c, platformPath(p.Key), webhook.NewMessage("platform.address_replaced", p.Name))
	}
	if err != nil {
		return err
	}
	until := connection.OldUntil.In(v.Account.Location()).Format("15:04 on Mon 2 January")
	return pg.done(c, platformPath(p.Key), webhook.NewMessage("platform.address", p.Name, until))
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
		return pg.showPlatform(c, p, views.PlatformProps{Page: v.page(c, nil), Platform: form})
	}
	if err := pg.Store.SaveSettings(c.UserContext(), v.Account.ID, p.Key, settings, v.change()); err != nil {
		return err
	}
	return pg.done(c, platformPath(p.Key), webhook.NewMessage("platform.saved", p.Name))
}

// readSettings reads the settings of a platform. An empty field keeps the stored
// secret, unless it is to be removed. The panel has the problems and what was typed,
// except for secrets, which have to be typed again.
func readSettings(c *fiber.Ctx, p platforms.Platform, stored webhook.Settings) (webhook.Settings, views.PlatformPanel) {
	settings := webhook.Settings{}
	form := views.PlatformPanel{Key: p.Key, Typed: webhook.Settings{}, Problems: webhook.Invalid{}}
	removed := web.FormValues(c, "remove")
	var kept []platforms.Setting
	for _, s := range p.Settings {
		value := strings.TrimSpace(web.FormValue(c, s.Key))
		if value == "" {
			if s.Secret && stored[s.Key] != "" && !slices.Contains(removed, s.Key) {
				settings[s.Key] = stored[s.Key]
				kept = append(kept, s)
			}
			continue
		}
		settings[s.Key] = value
		form.Problems.AddMessage(s.Key, checkSetting(s, value))
		if !s.Secret {
			form.Typed[s.Key] = webhook.Truncate(value, maxTyped)
		}
	}
	if len(form.Problems) == 0 && redirected(p, stored, settings) {
		for _, s := range kept {
			form.Problems.Add(s.Key, "setting.destination", s.Label)
		}
	}
	if len(form.Problems) > 0 {
		for _, s := range p.Settings {
			if s.Secret && web.FormValue(c, s.Key) != "" && form.Problems[s.Key].IsZero() {
				form.Problems.Add(s.Key, "setting.secret_again", s.Label)
			}
		}
	}
	return settings, form
}

// redirected reports whether changed settings send the requests to a platform to
// another destination than the stored ones.
func redirected(p platforms.Platform, stored, changed webhook.Settings) bool {
	return slices.ContainsFunc(p.Settings, func(s platforms.Setting) bool {
		return s.Target && !webhook.SameDestination(cmp.Or(stored[s.Key], s.Default), cmp.Or(changed[s.Key], s.Default))
	})
}

func checkSetting(s platforms.Setting, value string) webhook.Message {
	switch {
	case utf8.RuneCountInString(value) > webhook.MaxSetting:
		return webhook.NewMessage("text.too_long", webhook.MaxSetting)
	case s.Check != nil:
		return s.Check(value)
	}
	return webhook.Message{}
}
