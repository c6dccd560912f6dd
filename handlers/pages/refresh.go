package pages

import (
	"context"
	"errors"
	"slices"
	"strings"
	"unicode"

	"github.com/gofiber/fiber/v2"

	"bookhook/handlers/web"
	"bookhook/messages"
	"bookhook/platforms"
	"bookhook/views"
	"bookhook/webhook"
)

// source is a booking platform that can list an account's channels and tours.
type source struct {
	views.ItemSource
	settings webhook.Settings
	texts    messages.Texts
}

// sources returns those that the account uses.
func (pg *Pages) sources(c *fiber.Ctx) ([]source, error) {
	connections, err := pg.Store.Connections(c.UserContext(), currentUser(c).Account.ID)
	if err != nil {
		return nil, err
	}
	var found []source
	for _, p := range pg.Platforms.Connectable() {
		if to := connectionTo(connections, p.Key); p.Lists != nil && to != nil && to.Enabled {
			found = append(found, source{views.ItemSource{Key: p.Key, Name: p.Name, Ready: p.Lists.Ready(to.Settings)}, to.Settings, p.Texts})
		}
	}
	return found, nil
}

// itemSources returns the sources as the page shows them.
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

// toursUnknown returns the platforms of an account whose events name no tours until it has
// the credentials to ask, and of which events are selected.
func (pg *Pages) toursUnknown(ctx context.Context, account webhook.AccountID, selected func(platform string) bool) ([]views.ItemSource, error) {
	connections, err := pg.Store.Connections(ctx, account)
	if err != nil {
		return nil, err
	}
	var found []views.ItemSource
	for _, p := range pg.Platforms.Connectable() {
		if to := connectionTo(connections, p.Key); p.Lookup != nil && to != nil && to.Enabled && !p.Lookup.Ready(to.Settings) && selected(p.Key) {
			found = append(found, views.ItemSource{Key: p.Key, Name: p.Name})
		}
	}
	return found, nil
}

func anyPlatform(string) bool { return true }

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
		return pg.refuseItems(c, views.ItemsProps{Refresh: webhook.NewMessage("items.no_platform")})
	}
	from := all[i]
	refuse := func(why webhook.Message) error {
		return pg.refuseItems(c, views.ItemsProps{Refresh: why, Texts: from.texts})
	}
	limited, err := pg.countCheck(c)
	if err != nil {
		return err
	}
	if !limited.IsZero() {
		return refuse(limited)
	}
	items, err := pg.Dispatcher.Items(c.UserContext(), from.Key, from.settings, kind)
	if why, ok := errors.AsType[platforms.Unanswered](err); ok {
		return refuse(webhook.NewMessage("items.unanswered", from.Name, kind).Because(why.Why))
	}
	if err != nil {
		return err
	}
	items, problem := cleanItems(items)
	if !problem.IsZero() {
		return refuse(webhook.NewMessage("items.not_valid", from.Name, kind).Because(problem))
	}
	n, err := pg.Store.ImportItems(c.UserContext(), v.Account.ID, kind, items, v.change())
	problems, err := pg.refused(err, "refresh")
	if err != nil {
		return err
	}
	if len(problems) > 0 {
		return refuse(problems["refresh"])
	}
	message := webhook.NewMessage("items.imported", kind, from.Name, n.Added, n.Renamed, n.Unchanged)
	if len(items) == 0 {
		message = webhook.NewMessage("items.none_listed", from.Name, kind)
	}
	return pg.done(c, "/"+string(kind), message)
}

// cleanItems makes the items of a platform valid: an id replaces a name that is
// missing or cannot be seen, a name that is too long is truncated, and duplicates
// are dropped.
func cleanItems(listed []webhook.Item) (items []webhook.Item, problem webhook.Message) {
	seen := map[string]bool{}
	for _, item := range listed {
		item.Name = webhook.Truncate(oneLine(item.Name), webhook.MaxName-1)
		if _, problem := webhook.CheckName(item.Name); !problem.IsZero() {
			item.Name = item.ID
		}
		item, problems := webhook.CheckItem(webhook.Item{ID: item.ID, Name: item.Name})
		if len(problems) > 0 {
			why := problems["id"]
			if why.IsZero() {
				why = problems["name"]
			}
			return nil, webhook.NewMessage("item.not_valid", webhook.Quote(item.ID, web.MaxQuoted)).Because(why)
		}
		if !seen[item.ID] {
			items = append(items, item)
		}
		seen[item.ID] = true
	}
	return items, webhook.Message{}
}

// oneLine replaces white space, control characters and those that turn the
// direction of writing by single spaces.
func oneLine(name string) string {
	return strings.Join(strings.FieldsFunc(name, func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == '\ufeff'
	}), " ")
}
