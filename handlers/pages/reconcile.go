package pages

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"

	"bookhook/handlers/web"
	"bookhook/views"
	"bookhook/webhook"
)

// ReconcileStore is what the pages need of lists and comparisons.
type ReconcileStore interface {
	AddUpload(ctx context.Context, u webhook.Upload) (webhook.Upload, error)
	AddUploadBlock(ctx context.Context, account webhook.AccountID, id webhook.UploadID, number int, body []byte) error
	CompleteUpload(ctx context.Context, account webhook.AccountID, id webhook.UploadID) (webhook.Upload, error)
	DropUpload(ctx context.Context, account webhook.AccountID, id webhook.UploadID) error
	Upload(ctx context.Context, account webhook.AccountID, id webhook.UploadID) (webhook.Upload, error)
	Reconciliation(ctx context.Context, account webhook.AccountID, id webhook.ReconciliationID) (webhook.Reconciliation, error)
	Reconciliations(ctx context.Context, account webhook.AccountID) ([]webhook.Reconciliation, error)
	LackingBookings(ctx context.Context, account webhook.AccountID, id webhook.ReconciliationID, after string, limit int) ([]webhook.LackingBooking, error)
	UnsentHeld(ctx context.Context, account webhook.AccountID, id webhook.ReconciliationID, after string, limit int) ([]webhook.HeldReference, error)
}

// Reconciler compares lists with what was sent; *reconcile.Reconciler is one.
type Reconciler interface {
	// Inspect guesses which column of a list has the references.
	Inspect(ctx context.Context, u webhook.Upload) (webhook.UploadColumns, error)
	// Compare compares the references of a list with what was sent.
	Compare(ctx context.Context, u webhook.Upload, r webhook.ReconcileRequest, change webhook.Change) (webhook.Reconciliation, error)
}

// usualPeriod is the period that is compared unless another one is chosen.
const usualPeriod = 30 // days

// NewReconciliation shows the form for a list, and the comparisons that are kept.
func (pg *Pages) NewReconciliation(c *fiber.Ctx) error {
	account := currentUser(c).Account
	form := views.UploadForm{Webhook: c.Query("webhook_id")}
	form.Period.Since = time.Now().In(account.Location()).AddDate(0, 0, -usualPeriod).Format(time.DateOnly)
	return pg.showUploadForm(c, form, nil)
}

func (pg *Pages) showUploadForm(c *fiber.Ctx, form views.UploadForm, problems webhook.Invalid) error {
	account := currentUser(c).Account.ID
	h, err := pg.hooks(c.UserContext(), account)
	if err != nil {
		return err
	}
	props := views.NewReconciliationProps{Form: form, Problems: problems, Webhooks: h.async()}
	all, err := pg.Store.Reconciliations(c.UserContext(), account)
	if err != nil {
		return err
	}
	for _, r := range all {
		props.Kept = append(props.Kept, views.KeptReconciliation{Reconciliation: r, WebhookName: h.names[r.Webhook]})
	}
	if props.Page, err = pg.page(c); err != nil {
		return err
	}
	return render(c, formStatus(problems), views.NewReconciliation(props))
}

// async returns the webhooks whose deliveries can be compared and replayed.
func (h hooks) async() (options []views.Option) {
	for _, w := range h.live {
		if w.Kind == webhook.Async {
			options = append(options, views.Option{Value: w.ID.String(), Name: w.Name})
		}
	}
	return options
}

// columnsForm is the choice of a column as typed and as understood.
type columnsForm struct {
	request  webhook.ReconcileRequest
	typed    views.ColumnsForm
	problems webhook.Invalid
}

// readColumns reads the choice of a column; what is missing is as it was guessed.
func (pg *Pages) readColumns(c *fiber.Ctx, h hooks, get func(name string) string, columns webhook.UploadColumns) columnsForm {
	r := pg.newFilterReader(currentUser(c), get)
	f := columnsForm{problems: r.problems}
	f.request = webhook.ReconcileRequest{Webhook: r.webhook(h), Column: columns.Chosen, Header: columns.Header}
	if w := h.find(f.request.Webhook); w == nil || w.Kind != webhook.Async {
		delete(f.problems, "webhook_id")
		f.problems.Add("webhook_id", "reconcile.webhook")
	}
	period := r.typedPeriod()
	f.request.Since, f.request.Until = r.period(period)
	if text := get("column"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 || n >= len(columns.All) {
			f.problems.Add("column", "reconcile.column")
		} else {
			f.request.Column, f.request.Header = n, get("header") == "1"
		}
	}
	f.typed = views.ColumnsForm{
		UploadForm: views.UploadForm{Webhook: get("webhook_id"), Period: period}, Column: f.request.Column, Header: f.request.Header,
	}
	return f
}

// openUpload returns the list of the path and its columns.
func (pg *Pages) openUpload(c *fiber.Ctx) (u webhook.Upload, columns webhook.UploadColumns, h hooks, err error) {
	id, err := web.IDParam[webhook.UploadID](c)
	if err != nil {
		return u, columns, h, err
	}
	if u, err = pg.Store.Upload(c.UserContext(), currentUser(c).Account.ID, id); err != nil {
		return u, columns, h, err
	}
	if columns, err = pg.Reconciler.Inspect(c.UserContext(), u); err != nil {
		return u, columns, h, err
	}
	h, err = pg.hooks(c.UserContext(), u.Account)
	return u, columns, h, err
}

// ShowUpload lets a person choose the column that has the references.
func (pg *Pages) ShowUpload(c *fiber.Ctx) error {
	u, columns, h, err := pg.openUpload(c)
	if err != nil {
		return err
	}
	return pg.showColumns(c, h, u, columns, pg.readColumns(c, h, queryOf(c), columns))
}

func (pg *Pages) showColumns(c *fiber.Ctx, h hooks, u webhook.Upload, columns webhook.UploadColumns, f columnsForm) (err error) {
	props := views.ColumnsProps{Upload: u, Columns: columns, Form: f.typed, Problems: f.problems, Webhooks: h.async()}
	if props.Page, err = pg.page(c); err != nil {
		return err
	}
	return render(c, formStatus(f.problems), views.Columns(props))
}

// Reconcile compares the list with what was sent.
func (pg *Pages) Reconcile(c *fiber.Ctx) error {
	u, columns, h, err := pg.openUpload(c)
	if err != nil {
		return err
	}
	get := func(name string) string { return web.FormValue(c, name) }
	return pg.compare(c, h, u, columns, pg.readColumns(c, h, get, columns))
}

// compare compares a list, or shows what is wrong with the choice of its column.
func (pg *Pages) compare(c *fiber.Ctx, h hooks, u webhook.Upload, columns webhook.UploadColumns, f columnsForm) error {
	if len(f.problems) > 0 {
		return pg.showColumns(c, h, u, columns, f)
	}
	r, err := pg.Reconciler.Compare(c.UserContext(), u, f.request, currentUser(c).change())
	if f.problems, err = pg.refused(err, "file"); err != nil {
		return err
	}
	if problem, ok := f.problems["file"]; ok {
		f.problems = webhook.Invalid{"column": problem}
		return pg.showColumns(c, h, u, columns, f)
	}
	return c.Redirect("/reconcile/"+r.ID.String(), http.StatusSeeOther)
}

// ShowReconciliation shows what a comparison found, one of its lists at a time.
func (pg *Pages) ShowReconciliation(c *fiber.Ctx) error {
	r, err := pg.reconciliation(c)
	if err != nil {
		return err
	}
	h, err := pg.hooks(c.UserContext(), r.Account)
	if err != nil {
		return err
	}
	props := views.ReconciliationProps{Reconciliation: r, WebhookName: h.names[r.Webhook], Live: h.find(r.Webhook) != nil}
	if w := h.find(r.Webhook); w != nil {
		props.Off = !w.Enabled
	}
	after := c.Query("after")
	props.First = after == ""
	if c.Query("list") == views.UnsentList {
		props.List = views.UnsentList
		err = pg.addUnsent(c, &props, after)
	} else {
		err = pg.addLacking(c, &props, after)
	}
	if err != nil {
		return err
	}
	if props.Page, err = pg.page(c); err != nil {
		return err
	}
	return render(c, http.StatusOK, views.Reconciliation(props))
}

func (pg *Pages) reconciliation(c *fiber.Ctx) (webhook.Reconciliation, error) {
	id, err := web.IDParam[webhook.ReconciliationID](c)
	if err != nil {
		return webhook.Reconciliation{}, err
	}
	return pg.Store.Reconciliation(c.UserContext(), currentUser(c).Account.ID, id)
}

func (pg *Pages) addLacking(c *fiber.Ctx, props *views.ReconciliationProps, after string) error {
	rows, err := pg.Store.LackingBookings(c.UserContext(), props.Reconciliation.Account, props.Reconciliation.ID, after, pageRows+1)
	if len(rows) > pageRows {
		rows = rows[:pageRows]
		props.After = rows[pageRows-1].Booking
	}
	for _, b := range rows {
		props.Lacking = append(props.Lacking, views.LackingRow{LackingBooking: b, EventName: pg.eventName(b.Delivery.Platform, b.Delivery.Type), EventShort: pg.eventShort(b.Delivery.Platform, b.Delivery.Type)})
	}
	return err
}

func (pg *Pages) addUnsent(c *fiber.Ctx, props *views.ReconciliationProps, after string) (err error) {
	props.Unsent, err = pg.Store.UnsentHeld(c.UserContext(), props.Reconciliation.Account, props.Reconciliation.ID, after, pageRows+1)
	if len(props.Unsent) > pageRows {
		props.Unsent = props.Unsent[:pageRows]
		props.After = props.Unsent[pageRows-1].Key
	}
	return err
}

// ExportReconciliation downloads both lists of a comparison.
func (pg *Pages) ExportReconciliation(c *fiber.Ctx) error {
	r, err := pg.reconciliation(c)
	if err != nil {
		return err
	}
	lists := web.ReconciliationLists{
		Lacking: func(ctx context.Context, after string) ([]webhook.LackingBooking, error) {
			return pg.Store.LackingBookings(ctx, r.Account, r.ID, after, web.ExportRows)
		},
		Unsent: func(ctx context.Context, after string) ([]webhook.HeldReference, error) {
			return pg.Store.UnsentHeld(ctx, r.Account, r.ID, after, web.ExportRows)
		},
		Explain: views.UnsentText,
	}
	e := web.ReconciliationExport(lists, web.LocalTime(currentUser(c).Account.Location()))
	e.BOM = true
	return pg.Server.SendExport(c, e)
}
