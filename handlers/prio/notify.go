package prio

import (
	"net/http"
	"time"

	"github.com/gofiber/fiber/v2"

	"bookhook/handlers/web"
	"bookhook/webhook"
)

// Notify sends a sample to every webhook that would receive such an event.
func (pr *Prio) Notify(c *fiber.Ctx) error {
	body, err := readData(c, "notification")
	if err != nil {
		return err
	}
	var key string
	web.Text(body, "notification_event", &key)
	item := body.Ref("notification_item_id")
	if err := wrongTypes(body.Problems); err != nil {
		return err
	}
	p, known := pr.Platforms.Get(platformKey)
	if !known {
		return webhook.ErrNotFound
	}
	problems := webhook.Invalid{}
	if _, known := p.Event(key); !known {
		problems.AddMessage("notification_event", unknownEvent(p, key))
	}
	if item == "" {
		problems.Add("notification_item_id", "notification.item")
	}
	if err := problems.Err(); err != nil {
		return err
	}
	e := p.Sample(key, item, time.Now())
	e.Test = true
	if e.Via, err = web.Via(c, pr.Instance, currentClient(c).Account); err != nil {
		return err
	}
	if _, err := pr.Dispatcher.Ingest(c.UserContext(), currentClient(c).Account, []webhook.Event{e}); err != nil {
		return err
	}
	return c.SendStatus(http.StatusNoContent)
}
