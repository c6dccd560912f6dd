package pages

import (
	"context"

	"github.com/gofiber/fiber/v2"

	"bookhook/handlers/web"
	"bookhook/views"
	"bookhook/webhook"
)

// ExportDeliveries downloads the log under a filter, for spreadsheets. A filter with
// problems leads to the list, which shows them.
func (pg *Pages) ExportDeliveries(c *fiber.Ctx) error {
	account := currentUser(c).Account
	h, err := pg.hooks(c.UserContext(), account.ID)
	if err != nil {
		return err
	}
	f := pg.newFilterReader(currentUser(c), queryOf(c)).deliveries(h)
	if len(f.problems) > 0 {
		return pg.showDeliveries(c, h, f, views.ViewForm{})
	}
	e := web.DeliveryExport(f.DeliveryFilter, web.LocalTime(account.Location()), func(ctx context.Context, f webhook.DeliveryFilter) (webhook.Page[webhook.DeliveryRow, webhook.DeliveryID], error) {
		return pg.Store.Deliveries(ctx, account.ID, f)
	})
	e.BOM = true
	return pg.Server.SendExport(c, e)
}

// ExportEvents downloads the events under a filter, as ExportDeliveries does.
func (pg *Pages) ExportEvents(c *fiber.Ctx) error {
	account := currentUser(c).Account
	f := pg.newFilterReader(currentUser(c), queryOf(c)).events()
	if len(f.problems) > 0 {
		return pg.showEvents(c, f, views.ViewForm{})
	}
	e := web.EventExport(f.EventFilter, web.LocalTime(account.Location()), func(ctx context.Context, f webhook.EventFilter) (webhook.Page[webhook.EventRow, webhook.EventID], error) {
		return pg.Store.Events(ctx, account.ID, f)
	})
	e.BOM = true
	return pg.Server.SendExport(c, e)
}
