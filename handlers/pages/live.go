package pages

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"

	"bookhook/handlers/web"
	"bookhook/views"
	"bookhook/webhook"
)

// ChangeStore is what the pages need to follow what happens.
type ChangeStore interface {
	Changes(ctx context.Context, account webhook.AccountID) (string, error)
}

const (
	changesKey    = "changes"
	refreshHeader = "Bookhook-Refresh" // the ids of the rows that the page shows, or "none"
	maxRefreshed  = 250                // rows that one request refreshes
)

// Follow is on the routes of pages that follow what happens. It reads the state of the
// account before the page reads anything, so that no change is lost in between.
func (pg *Pages) Follow(c *fiber.Ctx) error {
	changes, err := pg.Store.Changes(c.UserContext(), currentUser(c).Account.ID)
	if err != nil {
		return err
	}
	c.Locals(changesKey, changes)
	return c.Next()
}

// changesBefore returns the state of the account from before the page was read; "" for
// a page that follows nothing.
func changesBefore(c *fiber.Ctx) string {
	changes, _ := c.Locals(changesKey).(string)
	return changes
}

// StreamChanges tells a browser when something of its account changed, for as long as
// its session lasts.
func (pg *Pages) StreamChanges(c *fiber.Ctx) error {
	if c.Method() == http.MethodHead {
		return nil
	}
	s, err := pg.Sessions.Open(c)
	if err != nil {
		return err
	}
	hash, user := s.Hash(), s.User()
	f, ok := pg.Live.Follow(currentUser(c).Account.ID, func(ctx context.Context) (bool, error) { return pg.Sessions.Lasts(ctx, hash, user) })
	if !ok {
		c.Set(fiber.HeaderRetryAfter, "60")
		return &web.Problem{
			Type: "live-limit", Title: "Too many pages are open", Status: http.StatusTooManyRequests,
			Meaning: "Pages show what is new every ten seconds instead of at once.", Next: "Close some of them.",
		}
	}
	web.SendStream(c, web.Stream{Texts: f.Changes(), Ended: f.Ended(), Close: f.Close})
	return nil
}

// isRefresh reports whether a script asks for a page again that is shown, to bring it up
// to date.
func isRefresh(c *fiber.Ctx) bool { return c.Get(refreshHeader) != "" }

// refreshedRows adds to the rows of a list those that the page shows already, if it is
// refreshed: they are on a later page by now, or the filter no longer finds them, but a
// person still reads them.
func (pg *Pages) refreshedRows(c *fiber.Ctx, rows []webhook.DeliveryRow, h hooks) ([]views.DeliveryRow, error) {
	missing := alsoShown(c, webhook.ParseID[webhook.DeliveryID], func(id webhook.DeliveryID) bool {
		return slices.ContainsFunc(rows, func(r webhook.DeliveryRow) bool { return r.ID == id })
	})
	older, err := pg.Store.DeliveriesOf(c.UserContext(), currentUser(c).Account.ID, missing)
	if err != nil {
		return nil, err
	}
	for _, d := range older {
		rows = append(rows, webhook.DeliveryRow{Delivery: d})
	}
	slices.SortFunc(rows, func(a, b webhook.DeliveryRow) int { return cmp.Compare(b.ID, a.ID) })
	return pg.deliveryRows(c.UserContext(), rows, h)
}

// refreshedEvents is refreshedRows for events.
func (pg *Pages) refreshedEvents(c *fiber.Ctx, rows []webhook.EventRow) ([]webhook.EventRow, error) {
	missing := alsoShown(c, webhook.ParseID[webhook.EventID], func(id webhook.EventID) bool {
		return slices.ContainsFunc(rows, func(r webhook.EventRow) bool { return r.ID == id })
	})
	older, err := pg.Store.EventsOf(c.UserContext(), currentUser(c).Account.ID, missing)
	rows = append(rows, older...)
	slices.SortFunc(rows, func(a, b webhook.EventRow) int { return cmp.Compare(b.ID, a.ID) })
	return rows, err
}

// alsoShown returns the ids of rows that the page shows already, if it is refreshed, but for
// those that the list has.
func alsoShown[I any](c *fiber.Ctx, parse func(string) (I, error), has func(I) bool) (ids []I) {
	for text := range strings.FieldsSeq(c.Get(refreshHeader)) {
		if id, err := parse(text); err == nil && len(ids) < maxRefreshed && !has(id) {
			ids = append(ids, id)
		}
	}
	return ids
}
