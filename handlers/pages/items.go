package pages

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"bookhook/handlers/web"
	"bookhook/views"
	"bookhook/webhook"
)

// ItemStore is what the pages need of channels and tours.
type ItemStore interface {
	AllItems(ctx context.Context, account webhook.AccountID, kind webhook.ItemKind) ([]webhook.Item, error)
	Item(ctx context.Context, account webhook.AccountID, kind webhook.ItemKind, id string) (webhook.Item, error)
	AddItem(ctx context.Context, account webhook.AccountID, kind webhook.ItemKind, item webhook.Item, change webhook.Change) error
	PutItems(ctx context.Context, account webhook.AccountID, kind webhook.ItemKind, items []webhook.Item, change webhook.Change) (added, changed int, err error)
	ImportItems(ctx context.Context, account webhook.AccountID, kind webhook.ItemKind, items []webhook.Item, change webhook.Change) (webhook.ItemsImported, error)
	RenameItem(ctx context.Context, account webhook.AccountID, kind webhook.ItemKind, item webhook.Item, change webhook.Change) error
	UndoRetire(ctx context.Context, account webhook.AccountID, kind webhook.ItemKind, id string, retired time.Time, change webhook.Change) error
	RetireItem(ctx context.Context, account webhook.AccountID, kind webhook.ItemKind, id string, retired bool, change webhook.Change) error
}

// itemsPage is how many channels or tours one page shows.
const itemsPage = 100

// kindOf returns the list that a path is about: /channels… or /tours….
func kindOf(c *fiber.Ctx) webhook.ItemKind {
	if strings.HasPrefix(c.Path(), "/tours") {
		return webhook.Tours
	}
	return webhook.Channels
}

// ListItems shows the channels or the tours, 100 on a page.
func (pg *Pages) ListItems(c *fiber.Ctx) error {
	page, err := pg.page(c)
	if err != nil {
		return err
	}
	return pg.showItems(c, http.StatusOK, views.ItemsProps{Page: page})
}

// refuseItems shows the list again, with the problems of a form.
func (pg *Pages) refuseItems(c *fiber.Ctx, props views.ItemsProps) error {
	props.Page = currentUser(c).page(c, nil)
	return pg.showItems(c, http.StatusUnprocessableEntity, props)
}

func (pg *Pages) showItems(c *fiber.Ctx, status int, props views.ItemsProps) error {
	props.Kind, props.Query = kindOf(c), strings.TrimSpace(c.Query("q"))
	var err error
	if props.Sources, err = pg.itemSources(c); err != nil {
		return err
	}
	if props.Kind == webhook.Tours {
		if props.Unknown, err = pg.toursUnknown(c.UserContext(), currentUser(c).Account.ID, anyPlatform); err != nil {
			return err
		}
	}
	all, err := pg.Store.AllItems(c.UserContext(), currentUser(c).Account.ID, props.Kind)
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
	if props.SelectedBy, err = pg.selectedBy(c, props); err != nil {
		return err
	}
	return render(c, status, views.Items(props))
}

// selectedBy returns the names of the webhooks that select each of the shown items.
func (pg *Pages) selectedBy(c *fiber.Ctx, props views.ItemsProps) (map[string][]string, error) {
	h, err := pg.hooks(c.UserContext(), currentUser(c).Account.ID)
	if err != nil {
		return nil, err
	}
	names := map[string][]string{}
	for _, w := range h.live {
		selected := w.Channels
		if props.Kind == webhook.Tours {
			selected = w.Tours
		}
		for _, i := range props.Rows {
			if _, found := slices.BinarySearch(selected.IDs, i.ID); found {
				names[i.ID] = append(names[i.ID], w.Name)
			}
		}
	}
	return names, nil
}

// searchItems finds the items whose id or name contains the query.
func searchItems(items []webhook.Item, query string) []webhook.Item {
	if query == "" {
		return items
	}
	query = strings.ToLower(query)
	return slices.DeleteFunc(slices.Clone(items), func(i webhook.Item) bool {
		return !strings.Contains(strings.ToLower(i.ID+" "+i.Name), query)
	})
}

func readItem(c *fiber.Ctx) webhook.Item {
	return webhook.Item{ID: web.FormValue(c, "id"), Name: web.FormValue(c, "name")}
}

// AddItem adds a channel or a tour.
func (pg *Pages) AddItem(c *fiber.Ctx) error {
	v := currentUser(c)
	form := views.ItemForm{ID: web.FormValue(c, "id"), Name: web.FormValue(c, "name")}
	item, problems := webhook.CheckItem(readItem(c))
	if len(problems) == 0 {
		var err error
		problems, err = pg.refused(pg.Store.AddItem(c.UserContext(), v.Account.ID, kindOf(c), item, v.change()), "id")
		if err != nil {
			return err
		}
	}
	if form.Problems = problems; len(problems) > 0 {
		return pg.refuseItems(c, views.ItemsProps{Add: form})
	}
	return pg.done(c, "/"+string(kindOf(c)), webhook.NewMessage("item.added", item.Name))
}

// RenameItem renames a channel or a tour.
func (pg *Pages) RenameItem(c *fiber.Ctx) error {
	v := currentUser(c)
	item, problems := webhook.CheckItem(readItem(c))
	if len(problems) > 0 {
		return pg.refuseItems(c, views.ItemsProps{Rename: views.ItemForm{ID: web.FormValue(c, "id"), Name: web.FormValue(c, "name"), Problems: problems}})
	}
	if err := pg.Store.RenameItem(c.UserContext(), v.Account.ID, kindOf(c), item, v.change()); err != nil {
		return err
	}
	return pg.done(c, "/"+string(kindOf(c)), webhook.NewMessage("item.renamed", item.ID, item.Name))
}

// undoRetire is the code of a message that is shown as a button, which undoes a
// retirement; its arguments are the list, the id, and when it was retired.
const undoRetire = "item.undo"

// RetireItem retires a channel or a tour, so that it is no longer offered. The next page
// offers to undo that.
func (pg *Pages) RetireItem(c *fiber.Ctx) error {
	v, kind := currentUser(c), kindOf(c)
	item, err := pg.Store.Item(c.UserContext(), v.Account.ID, kind, web.FormValue(c, "id"))
	if err != nil {
		return err
	}
	change := v.change()
	if err := pg.Store.RetireItem(c.UserContext(), v.Account.ID, kind, item.ID, true, change); err != nil {
		return err
	}
	return pg.done(c, "/"+string(kind), webhook.NewMessage("item.retired", item.Name),
		webhook.NewMessage(undoRetire, kind, item.ID, change.At.UnixMilli()))
}

// RestoreItem undoes RetireItem; with the field retired, only what was retired then.
func (pg *Pages) RestoreItem(c *fiber.Ctx) error {
	v, kind := currentUser(c), kindOf(c)
	item, err := pg.Store.Item(c.UserContext(), v.Account.ID, kind, web.FormValue(c, "id"))
	if err != nil {
		return err
	}
	if posted(c, "retired") {
		millis, _ := strconv.ParseInt(web.FormValue(c, "retired"), 10, 64) // what is no time is none of a retirement
		err = pg.Store.UndoRetire(c.UserContext(), v.Account.ID, kind, item.ID, time.UnixMilli(millis), v.change())
	} else {
		err = pg.Store.RetireItem(c.UserContext(), v.Account.ID, kind, item.ID, false, v.change())
	}
	switch {
	case errors.Is(err, webhook.ErrConflict):
		return pg.done(c, "/"+string(kind), webhook.NewMessage("item.not_undone", item.Name))
	case err != nil:
		return err
	}
	return pg.done(c, "/"+string(kind), webhook.NewMessage("item.restored", item.Name))
}

// ImportItems adds and renames channels or tours from a CSV list: all of it, or
// nothing if a line is not valid.
func (pg *Pages) ImportItems(c *fiber.Ctx) error {
	v, kind := currentUser(c), kindOf(c)
	text, err := web.UploadedText(c, "file", "text")
	if err != nil {
		return err
	}
	items, form := readCSV(text)
	if !form.Problem.IsZero() || len(form.Lines) > 0 {
		return pg.refuseItems(c, views.ItemsProps{Import: form})
	}
	added, changed, err := pg.Store.PutItems(c.UserContext(), v.Account.ID, kind, items, v.change())
	problems, err := pg.refused(err, "text")
	if err != nil {
		return err
	}
	if len(problems) > 0 {
		form.Problem = problems["text"]
		return pg.refuseItems(c, views.ItemsProps{Import: form})
	}
	return pg.done(c, "/"+string(kind), webhook.NewMessage("items.list_imported", added, changed))
}
