package pages

import (
	"net/http"

	"github.com/gofiber/fiber/v2"

	"bookhook/handlers/web"
	"bookhook/views"
	"bookhook/webhook"
)

// rejectedRows is how many rejected requests one page shows; each
// may have a body of webhook.MaxRejectedBody bytes.
const rejectedRows = 20

// ListRejected shows the requests of platforms that could not be read, 20 on a
// page.
func (pg *Pages) ListRejected(c *fiber.Ctx) error {
	ctx, account := c.UserContext(), currentUser(c).Account.ID
	before, err := web.IDQuery[webhook.RejectedID](c, "before")
	if err != nil {
		return err
	}
	found, err := pg.Store.RejectedRequests(ctx, account, before, rejectedRows+1)
	if err != nil {
		return err
	}
	props := views.RejectedProps{First: before == 0}
	if len(found) > rejectedRows {
		found = found[:rejectedRows]
		props.Older = found[rejectedRows-1].ID
	}
	for _, r := range found {
		props.Rows = append(props.Rows, views.RejectedRow{RejectedRequest: r, PlatformName: pg.platformName(r.Platform), Texts: pg.texts(r.Platform)})
	}
	if props.Count, err = pg.Store.CountRejectedRequests(ctx, account); err != nil {
		return err
	}
	if props.Page, err = pg.page(c); err != nil {
		return err
	}
	return render(c, http.StatusOK, views.RejectedRequests(props))
}
