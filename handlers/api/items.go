package api

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"bookhook/handlers/web"
	"bookhook/webhook"
)

// ItemStore is what the API needs of channels and tours.
type ItemStore interface {
	AllItems(ctx context.Context, account webhook.AccountID, kind webhook.ItemKind) ([]webhook.Item, error)
	Items(ctx context.Context, account webhook.AccountID, kind webhook.ItemKind, after string, limit int) ([]webhook.Item, error)
	PutItems(ctx context.Context, account webhook.AccountID, kind webhook.ItemKind, items []webhook.Item, change webhook.Change) (added, changed int, err error)
}

// maxItems is how many channels or tours one call may put.
const maxItems = 10_000

// listOfRoute returns the list that the route is about.
func listOfRoute(c *fiber.Ctx) webhook.ItemKind {
	if strings.HasSuffix(c.Route().Path, "/tours") {
		return webhook.Tours
	}
	return webhook.Channels
}

// ListItems lists channels or tours by their ids, retired ones too.
func (a *API) ListItems(c *fiber.Ctx) error {
	q := readQuery(c)
	if !webhook.CheckRef(q.values["cursor"]).IsZero() {
		q.wrong("cursor", "query.cursor")
	}
	if err := q.problems.Err(); err != nil {
		return err
	}
	items, err := a.Store.Items(c.UserContext(), currentToken(c).Account, listOfRoute(c), q.values["cursor"], q.limit+1)
	if err != nil {
		return err
	}
	id := func(i webhook.Item) string { return i.ID }
	return web.SendJSON(c, http.StatusOK, listOf(items, q.limit, id, showItem))
}

// PutItems adds the given channels or tours, and renames and restores existing ones.
func (a *API) PutItems(c *fiber.Ctx) error {
	body, err := web.ReadObject(c)
	if err != nil {
		return err
	}
	if !body.Has("items") || body.IsNull("items") {
		body.Wrong("items", "items.not_sent")
	}
	var items []webhook.Item
	seen := map[string]bool{}
	body.Objects("items", string(listOfRoute(c)), maxItems, func(o *web.Object) {
		item := readPutItem(o)
		if seen[item.ID] && item.ID != "" {
			o.Wrong("id", "items.twice", webhook.Truncate(item.ID, web.MaxQuoted))
		}
		seen[item.ID] = true
		items = append(items, item)
	})
	if err := body.End(); err != nil {
		return err
	}
	added, changed, err := a.Store.PutItems(c.UserContext(), currentToken(c).Account, listOfRoute(c), items, byToken(c))
	if err != nil {
		return err
	}
	return web.SendJSON(c, http.StatusOK, fiber.Map{"added": added, "changed": changed})
}

func readPutItem(o *web.Object) webhook.Item {
	item := webhook.Item{ID: o.Ref("id")}
	if strings.TrimSpace(item.ID) != item.ID {
		o.Wrong("id", "item.id_separator")
	}
	readText(o, "name", webhook.MaxName, &item.Name)
	item, problems := webhook.CheckItem(item)
	for name, problem := range problems {
		o.WrongMessage(name, problem)
	}
	return item
}

// itemJSON is a channel or tour.
type itemJSON struct {
	ID        string     `json:"id"`
	Name      string     `json:"name"`
	RetiredAt *time.Time `json:"retired_at"`
}

func showItem(i webhook.Item) itemJSON { return itemJSON{i.ID, i.Name, timeOrNull(i.RetiredAt)} }
