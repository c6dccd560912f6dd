package pages

import (
	"github.com/gofiber/fiber/v2"

	"bookhook/webhook"
)

// confirmed reports whether a person was asked about what the form does, and wants it.
func confirmed(c *fiber.Ctx) bool { return c.FormValue("confirmed") != "" }

// replayQuestion says why a replay needs to be confirmed: the receiver may put the booking
// back to an older state, or gets its events out of order. It is zero for most, and if the
// replay is confirmed.
func (pg *Pages) replayQuestion(c *fiber.Ctx, d webhook.Delivery, w *webhook.Webhook) (webhook.Message, error) {
	switch {
	case w == nil, !w.Enabled, d.Inline, confirmed(c):
		return webhook.Message{}, nil
	case d.Held:
		return webhook.NewMessage("delivery.out_of_order"), nil
	case d.State == webhook.Pending:
		return webhook.Message{}, nil
	}
	return pg.olderQuestion(c, d.Event, w)
}

// olderQuestion asks about an event if the webhook already got a later one of its booking.
func (pg *Pages) olderQuestion(c *fiber.Ctx, id webhook.EventID, w *webhook.Webhook) (webhook.Message, error) {
	event, err := pg.Store.Event(c.UserContext(), w.Account, id)
	if err != nil {
		return webhook.Message{}, err
	}
	overtaken, err := pg.Store.Overtaken(c.UserContext(), event.Event, w.ID)
	if err != nil || !overtaken {
		return webhook.Message{}, err
	}
	return webhook.NewMessage("delivery.older", w.Name), nil
}
