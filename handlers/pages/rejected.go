package pages

import (
	"net/http"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"

	"bookhook/handlers/web"
	"bookhook/views"
	"bookhook/webhook"
)

// rejectedRows is how many rejected requests one page shows, with the beginning of
// each.
const rejectedRows = 20

// ListRejected shows the requests of platforms that could not be read, 20 on a
// page, or all that is kept of one.
func (pg *Pages) ListRejected(c *fiber.Ctx) error {
	if c.Query("id") != "" {
		return pg.showRejected(c)
	}
	ctx, account, opened := c.UserContext(), currentUser(c).Account.ID, time.Now()
	before, err := web.IDQuery[webhook.RejectedID](c, "before")
	if err != nil {
		return err
	}
	found, err := pg.Store.RejectedRequests(ctx, account, before, rejectedRows+1)
	if err != nil {
		return err
	}
	props := views.RejectedProps{First: before == 0, Opened: opened}
	if len(found) > rejectedRows {
		found = found[:rejectedRows]
		props.Older = found[rejectedRows-1].ID
	}
	for _, r := range found {
		props.Rows = append(props.Rows, pg.rejectedRow(r))
	}
	return pg.renderRejected(c, props)
}

// showRejected shows one rejected request.
func (pg *Pages) showRejected(c *fiber.Ctx) error {
	id, err := web.IDQuery[webhook.RejectedID](c, "id")
	if err != nil {
		return err
	}
	found, err := pg.Store.RejectedRequests(c.UserContext(), currentUser(c).Account.ID, id+1, 1)
	if err != nil {
		return err
	}
	if len(found) == 0 || found[0].ID != id {
		return webhook.ErrNotFound
	}
	row := pg.rejectedRow(found[0])
	row.Whole = true
	return pg.renderRejected(c, views.RejectedProps{Rows: []views.RejectedRow{row}, First: true})
}

func (pg *Pages) rejectedRow(r webhook.RejectedRequest) views.RejectedRow {
	return views.RejectedRow{RejectedRequest: r, PlatformName: pg.platformName(r.Platform), Texts: pg.texts(r.Platform)}
}

func (pg *Pages) renderRejected(c *fiber.Ctx, props views.RejectedProps) (err error) {
	if props.Count, err = pg.Store.CountRejectedRequests(c.UserContext(), currentUser(c).Account.ID); err != nil {
		return err
	}
	if props.Page, err = pg.page(c); err != nil {
		return err
	}
	return render(c, http.StatusOK, views.RejectedRequests(props))
}

// DeleteRejected deletes the rejected requests that were there when somebody opened the list.
func (pg *Pages) DeleteRejected(c *fiber.Ctx) error {
	v := currentUser(c)
	until, _ := strconv.ParseInt(web.FormValue(c, "until"), 10, 64) // what is no number deletes nothing
	if _, err := pg.Store.DeleteRejectedRequests(c.UserContext(), v.Account.ID, time.UnixMilli(until), v.change()); err != nil {
		return err
	}
	return pg.done(c, "/settings/rejected", webhook.NewMessage("rejected.deleted"))
}
