package pages

import (
	"cmp"
	"errors"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/gofiber/fiber/v2"

	"bookhook/handlers/web"
	"bookhook/views"
	"bookhook/webhook"
)

// source is a booking platform that can list an account's channels and tours.
type source struct {
	views.ItemSource
	settings webhook.Settings
}

// sources are those that the account uses.
func (pg *Pages) sources(c *fiber.Ctx) ([]source, error) {
	connections, err := pg.Store.Connections(c.UserContext(), currentUser(c).Account.ID)
	if err != nil {
		return nil, err
	}
	var found []source
	for _, p := range pg.Platforms {
		if to := connectionTo(connections, p.Key); p.Lists != nil && to != nil && to.Enabled {
			found = append(found, source{views.ItemSource{Key: p.Key, Name: p.Name, Ready: p.Lists.Ready(to.Settings)}, to.Settings})
		}
	}
	return found, nil
}

// itemSources are the sources as the page shows them.
func (pg *Pages) itemSources(c *fiber.Ctx) ([]views.ItemSource, error) {
	all, err := pg.sources(c)
	if err != nil {
		return nil, err
	}
	shown := make([]views.ItemSource, len(all))
	for i, s := range all {
		shown[i] = s.ItemSource
	}
	return shown, nil
}

// RefreshItems updates the channels or tours from what a platform lists. If they
// cannot be read, nothing is changed.
func (pg *Pages) RefreshItems(c *fiber.Ctx) error {
	v, kind := currentUser(c), kindOf(c)
	all, err := pg.sources(c)
	if err != nil {
		return err
	}
	key := web.FormValue(c, "platform")
	i := slices.IndexFunc(all, func(s source) bool { return s.Ready && s.Key == key })
	if i < 0 {
		return pg.refuseItems(c, views.ItemsProps{Refresh: "No booking platform is connected: switch one on in Settings › Platforms, and enter the credentials of its API there."})
	}
	from := all[i]
	items, err := pg.Dispatcher.Items(c.UserContext(), from.Key, from.settings, kind)
	if why, ok := errors.AsType[webhook.Unanswered](err); ok {
		return pg.refuseItems(c, views.ItemsProps{Refresh: from.Name + " did not list your " + string(kind) + ": " + why.Reason + ". Nothing was changed."})
	}
	if err != nil {
		return err
	}
	items, problem := cleanItems(items)
	if problem != "" {
		return pg.refuseItems(c, views.ItemsProps{Refresh: from.Name + " lists " + string(kind) + " that cannot be stored: " + problem + " Nothing was changed."})
	}
	refreshed, err := pg.Store.RefreshItems(c.UserContext(), v.Account.ID, kind, items, v.User.Email, time.Now())
	if err != nil {
		return err
	}
	message := "Your " + string(kind) + " were refreshed from " + from.Name + ": " + refreshed.String() + "."
	if len(items) == 0 {
		message = from.Name + " lists no " + string(kind) + "; nothing was changed."
	}
	return pg.done(c, "/"+string(kind), message)
}

// cleanItems makes items of what a platform lists: a name that is missing is the
// id, one that is too long is truncated, and duplicates are dropped.
func cleanItems(listed []webhook.Item) (items []webhook.Item, problem string) {
	seen := map[string]bool{}
	for _, item := range listed {
		item.Name = cmp.Or(webhook.Truncate(oneLine(item.Name), webhook.MaxName-1), item.ID)
		item, problems := webhook.CheckItem(webhook.Item{ID: item.ID, Name: item.Name})
		if len(problems) > 0 {
			return nil, "“" + webhook.Quote(item.ID, web.MaxQuoted) + "”. " + problems["id"] + problems["name"]
		}
		if !seen[item.ID] {
			items = append(items, item)
		}
		seen[item.ID] = true
	}
	return items, ""
}

// oneLine replaces white space and control characters by single spaces.
func oneLine(name string) string {
	return strings.Join(strings.FieldsFunc(name, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }), " ")
}
