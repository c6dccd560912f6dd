package handlers

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"bookhook/views"
	"bookhook/webhook"
)

// itemsPage is how many channels or tours one page shows.
const itemsPage = 100

// kindOf is the list that a path is about: /channels… or /tours….
func kindOf(c *fiber.Ctx) webhook.ItemKind {
	if strings.HasPrefix(c.Path(), "/tours") {
		return webhook.Tours
	}
	return webhook.Channels
}

func (a *app) listItems(c *fiber.Ctx) error {
	page, err := a.page(c)
	if err != nil {
		return err
	}
	return a.showItems(c, http.StatusOK, views.ItemsProps{Page: page})
}

// refuseItems shows the list again with a form that was not in order.
func (a *app) refuseItems(c *fiber.Ctx, props views.ItemsProps) error {
	props.Page = visiting(c).page(c, nil)
	return a.showItems(c, http.StatusUnprocessableEntity, props)
}

func (a *app) showItems(c *fiber.Ctx, status int, props views.ItemsProps) error {
	props.Kind, props.Query = kindOf(c), strings.TrimSpace(c.Query("q"))
	var err error
	if props.Sources, err = a.itemSources(c); err != nil {
		return err
	}
	all, err := a.Store.AllItems(c.UserContext(), visiting(c).Account.ID, props.Kind)
	if err != nil {
		return err
	}
	found := searchItems(all, props.Query)
	props.Total, props.Count = len(all), len(found)
	from := 1 + slices.IndexFunc(found, func(i webhook.Item) bool { return i.ID == c.Query("after") })
	to := min(from+itemsPage, len(found))
	props.Rows, props.First = found[from:to], from == 0
	if to < len(found) {
		props.After = found[to-1].ID
	}
	return render(c, status, views.Items(props))
}

// searchItems finds the items whose id or name contains the words.
func searchItems(items []webhook.Item, query string) []webhook.Item {
	if query == "" {
		return items
	}
	words := strings.ToLower(query)
	return slices.DeleteFunc(slices.Clone(items), func(i webhook.Item) bool {
		return !strings.Contains(strings.ToLower(i.ID+" "+i.Name), words)
	})
}

func readItem(c *fiber.Ctx) webhook.Item {
	return webhook.Item{ID: formValue(c, "id"), Name: formValue(c, "name")}
}

func (a *app) addItem(c *fiber.Ctx) error {
	v := visiting(c)
	form := views.ItemForm{ID: formValue(c, "id"), Name: formValue(c, "name")}
	item, problems := webhook.CheckItem(readItem(c))
	if len(problems) == 0 {
		var err error
		problems, err = invalid(a.Store.AddItem(c.UserContext(), v.Account.ID, kindOf(c), item, v.User.Email, time.Now()))
		if err != nil {
			return err
		}
	}
	if form.Problems = problems; len(problems) > 0 {
		return a.refuseItems(c, views.ItemsProps{Add: form})
	}
	return a.done(c, "/"+string(kindOf(c)), fmt.Sprintf("“%s” was added. Webhooks can choose it now.", item.Name))
}

func (a *app) renameItem(c *fiber.Ctx) error {
	v := visiting(c)
	item, problems := webhook.CheckItem(readItem(c))
	if len(problems) > 0 {
		return a.refuseItems(c, views.ItemsProps{Rename: views.ItemForm{ID: formValue(c, "id"), Name: formValue(c, "name"), Problems: problems}})
	}
	if err := a.Store.RenameItem(c.UserContext(), v.Account.ID, kindOf(c), item, v.User.Email, time.Now()); err != nil {
		return err
	}
	return a.done(c, "/"+string(kindOf(c)), fmt.Sprintf("%s is now called “%s”.", item.ID, item.Name))
}

func (a *app) retireItem(c *fiber.Ctx) error {
	return a.changeRetired(c, time.Now(), "was retired. It is no longer offered; webhooks that name it go on matching it.")
}

func (a *app) restoreItem(c *fiber.Ctx) error {
	return a.changeRetired(c, time.Time{}, "is in use again.")
}

func (a *app) changeRetired(c *fiber.Ctx, at time.Time, message string) error {
	v, kind, id := visiting(c), kindOf(c), formValue(c, "id")
	item, err := a.Store.Item(c.UserContext(), v.Account.ID, kind, id)
	if err != nil {
		return err
	}
	if err := a.Store.RetireItem(c.UserContext(), v.Account.ID, kind, id, at, v.User.Email, time.Now()); err != nil {
		return err
	}
	return a.done(c, "/"+string(kind), fmt.Sprintf("“%s” %s", item.Name, message))
}

func (a *app) importItems(c *fiber.Ctx) error {
	v, kind := visiting(c), kindOf(c)
	text, err := importText(c)
	if err != nil {
		return err
	}
	items, form := readCSV(text)
	if form.Problem != "" || len(form.Lines) > 0 {
		return a.refuseItems(c, views.ItemsProps{Import: form})
	}
	added, changed, err := a.Store.PutItems(c.UserContext(), v.Account.ID, kind, items, v.User.Email, time.Now())
	if err != nil {
		return err
	}
	return a.done(c, "/"+string(kind), fmt.Sprintf("The list was imported: %d added, %d already there and brought up to date.", added, changed))
}
