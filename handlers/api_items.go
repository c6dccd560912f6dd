package handlers

import (
	"net/http"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"bookhook/webhook"
)

// maxItems is how many channels or tours one call may put.
const maxItems = 10_000

// listOfRoute is the list that the route is about.
func listOfRoute(c *fiber.Ctx) webhook.ItemKind {
	if strings.HasSuffix(c.Route().Path, "/tours") {
		return webhook.Tours
	}
	return webhook.Channels
}

// apiListItems lists channels or tours by their ids, retired ones too.
func (a *app) apiListItems(c *fiber.Ctx) error {
	q := readQuery(c)
	if err := q.problems.Err(); err != nil {
		return err
	}
	items, err := a.Store.AllItems(c.UserContext(), calling(c).Account, listOfRoute(c))
	if err != nil {
		return err
	}
	id := func(i webhook.Item) string { return i.ID }
	return sendJSON(c, http.StatusOK, listOf(behind(items, q.values["cursor"], id), q.limit, id, showItem))
}

// apiPutItems adds the given channels or tours, and renames and restores those
// that are there.
func (a *app) apiPutItems(c *fiber.Ctx) error {
	body, err := readBody(c)
	if err != nil {
		return err
	}
	if _, given := body.members["items"]; !given {
		body.wrong("items", "Send the list, such as [{\"id\":\"3930\",\"name\":\"Website\"}].")
	}
	var items []webhook.Item
	seen := map[string]bool{}
	body.objects("items", string(listOfRoute(c)), maxItems, func(o *object) {
		item := readPutItem(o)
		if seen[item.ID] && item.ID != "" {
			o.wrong("id", "The id %s stands in the list twice.", echo(item.ID))
		}
		seen[item.ID] = true
		items = append(items, item)
	})
	if err := body.end(); err != nil {
		return err
	}
	added, changed, err := a.Store.PutItems(c.UserContext(), calling(c).Account, listOfRoute(c), items, byToken(c), time.Now())
	if err != nil {
		return err
	}
	return sendJSON(c, http.StatusOK, fiber.Map{"added": added, "changed": changed})
}

func readPutItem(o *object) webhook.Item {
	item := webhook.Item{ID: o.ref("id")}
	text(o, "name", &item.Name)
	item, problems := webhook.CheckItem(item)
	for name, problem := range problems {
		o.wrong(name, "%s", problem)
	}
	return item
}

// itemJSON is a channel or tour.
type itemJSON struct {
	ID        string     `json:"id"`
	Name      string     `json:"name"`
	RetiredAt *time.Time `json:"retired_at"`
}

func showItem(i webhook.Item) itemJSON { return itemJSON{i.ID, i.Name, moment(i.RetiredAt)} }
