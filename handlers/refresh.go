package handlers

import (
	"errors"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/gofiber/fiber/v2"

	"bookhook/views"
	"bookhook/webhook"
)

// source is a booking platform that can list an account's channels and tours.
type source struct {
	views.ItemSource
	settings webhook.Settings
}

// sources are those that the account uses.
func (a *app) sources(c *fiber.Ctx) ([]source, error) {
	used, err := a.Store.Connections(c.UserContext(), visiting(c).Account.ID)
	var found []source
	for _, p := range a.Platforms {
		if to := connectionTo(used, p.Key); p.Lists != nil && to != nil && to.Enabled {
			found = append(found, source{views.ItemSource{Key: p.Key, Name: p.Name, Ready: p.Lists.Ready(to.Settings)}, to.Settings})
		}
	}
	return found, err
}

// itemSources are the sources as the page shows them.
func (a *app) itemSources(c *fiber.Ctx) ([]views.ItemSource, error) {
	all, err := a.sources(c)
	shown := make([]views.ItemSource, len(all))
	for i, s := range all {
		shown[i] = s.ItemSource
	}
	return shown, err
}

// refreshItems takes over the channels or tours that a platform lists. When they
// are not to be had, nothing is changed.
func (a *app) refreshItems(c *fiber.Ctx) error {
	v, kind := visiting(c), kindOf(c)
	all, err := a.sources(c)
	if err != nil {
		return err
	}
	key := formValue(c, "platform")
	i := slices.IndexFunc(all, func(s source) bool { return s.Ready && s.Key == key })
	if i < 0 {
		return a.refuseItems(c, views.ItemsProps{Refresh: "No booking platform can be asked: switch one on in Settings › Platforms, and enter the credentials of its API there."})
	}
	from := all[i]
	items, err := a.Dispatcher.Items(c.UserContext(), from.Key, from.settings, kind)
	if why, ok := errors.AsType[webhook.Unanswered](err); ok {
		return a.refuseItems(c, views.ItemsProps{Refresh: from.Name + " could not be asked for your " + string(kind) + ": " + why.Reason + ". Nothing was changed."})
	}
	if err != nil {
		return err
	}
	items, problem := cleanItems(items)
	if problem != "" {
		return a.refuseItems(c, views.ItemsProps{Refresh: from.Name + " lists " + string(kind) + " that cannot be taken over: " + problem + " Nothing was changed."})
	}
	done, err := a.Store.RefreshItems(c.UserContext(), v.Account.ID, kind, items, v.User.Email, time.Now())
	if err != nil {
		return err
	}
	message := from.Name + " was asked for your " + string(kind) + ": " + done.String() + "."
	if len(items) == 0 {
		message = from.Name + " lists no " + string(kind) + "; nothing was changed."
	}
	return a.done(c, "/"+string(kind), message)
}

// cleanItems makes items of what a platform lists: a name that is missing is the
// id, one that is too long is cut, and what stands twice is taken once.
func cleanItems(listed []webhook.Item) (items []webhook.Item, problem string) {
	seen := map[string]bool{}
	for _, item := range listed {
		item.Name = shortName(item.Name, item.ID)
		item, problems := webhook.CheckItem(webhook.Item{ID: item.ID, Name: item.Name})
		if len(problems) > 0 {
			return nil, "“" + echo(item.ID) + "”. " + problems["id"] + problems["name"]
		}
		if !seen[item.ID] {
			items = append(items, item)
		}
		seen[item.ID] = true
	}
	return items, ""
}

func shortName(name, id string) string {
	name = strings.Join(strings.FieldsFunc(name, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }), " ")
	if name == "" {
		return id
	}
	if utf8.RuneCountInString(name) > webhook.MaxName {
		name = string([]rune(name)[:webhook.MaxName-1]) + "…"
	}
	return name
}
