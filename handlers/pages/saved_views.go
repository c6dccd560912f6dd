package pages

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/gofiber/fiber/v2"

	"bookhook/handlers/web"
	"bookhook/views"
	"bookhook/webhook"
)

// ViewStore is what the pages need of the saved views.
type ViewStore interface {
	SaveView(ctx context.Context, v webhook.SavedView, now time.Time) error
	SavedViews(ctx context.Context, account webhook.AccountID, user webhook.UserID, of webhook.ViewedList) ([]webhook.SavedView, error)
	DeleteView(ctx context.Context, account webhook.AccountID, user webhook.UserID, id webhook.ViewID) (webhook.SavedView, error)
}

// savedViews returns the views that the current user keeps of a list. The form is the
// one that was refused, if any.
func (pg *Pages) savedViews(c *fiber.Ctx, of webhook.ViewedList, refused views.ViewForm) (views.SavedViews, error) {
	v := currentUser(c)
	saved, err := pg.Store.SavedViews(c.UserContext(), v.Account.ID, v.User.ID, of)
	return views.SavedViews{List: of, Saved: saved, Form: refused}, err
}

// SaveView keeps a filter of a list under a name. A filter that is not valid is shown
// with its problems, and so is a name.
func (pg *Pages) SaveView(c *fiber.Ctx) error {
	v := currentUser(c)
	of := webhook.ViewedList(web.FormValue(c, "list"))
	typed, err := url.ParseQuery(web.FormValue(c, "query"))
	if err != nil {
		return fiber.ErrBadRequest
	}
	show, query, problems, err := pg.readView(c, of, typed.Get)
	switch {
	case err != nil:
		return err
	case len(problems) > 0:
		return show(views.ViewForm{})
	case query == "":
		return fiber.ErrBadRequest
	}
	form := views.ViewForm{Name: web.FormValue(c, "name")}
	view := webhook.SavedView{Account: v.Account.ID, User: v.User.ID, List: of, Query: query}
	if view.Name, form.Problem = webhook.CheckName(form.Name); !form.Problem.IsZero() {
		return show(form)
	}
	problems, err = pg.refused(pg.Store.SaveView(c.UserContext(), view, time.Now()), "name")
	if err != nil {
		return err
	}
	if form.Problem = problems["name"]; !form.Problem.IsZero() {
		return show(form)
	}
	return pg.done(c, viewPath(view), webhook.NewMessage("view.saved", view.Name))
}

// readView reads the filter that is to be kept of a list. It returns the page that
// shows it with a refused form, and the filter as it is kept.
func (pg *Pages) readView(c *fiber.Ctx, of webhook.ViewedList, get func(string) string) (show func(views.ViewForm) error, query string, problems webhook.Invalid, err error) {
	v := currentUser(c)
	switch of {
	case webhook.ViewedDeliveries:
		h, err := pg.hooks(c.UserContext(), v.Account.ID)
		f := pg.newFilterReader(v, get).deliveries(h)
		return func(form views.ViewForm) error { return pg.showDeliveries(c, h, f, form) }, f.typed.Query(), f.problems, err
	case webhook.ViewedEvents:
		f := pg.newFilterReader(v, get).events()
		return func(form views.ViewForm) error { return pg.showEvents(c, f, form) }, f.typed.Query(), f.problems, nil
	}
	return nil, "", nil, webhook.ErrNotFound
}

// DeleteView deletes a saved view of the current user.
func (pg *Pages) DeleteView(c *fiber.Ctx) error {
	id, err := web.IDParam[webhook.ViewID](c)
	if err != nil {
		return err
	}
	v := currentUser(c)
	view, err := pg.Store.DeleteView(c.UserContext(), v.Account.ID, v.User.ID, id)
	if err != nil {
		return err
	}
	return pg.done(c, viewPath(view), webhook.NewMessage("view.deleted", view.Name))
}

func viewPath(v webhook.SavedView) string { return "/" + string(v.List) + "?" + v.Query }

// WithoutEmpty is a guard of lists: it redirects to the address without the empty
// parameters, which forms send, so that an address says what is filtered and no more.
func WithoutEmpty(c *fiber.Ctx) error {
	var unset []string
	if c.Query("period") == views.PeriodAny {
		unset = []string{"period", "since", "until"} // fields that are hidden then have what was typed before
	}
	if target, ok := web.WithoutEmpty(c, unset...); ok {
		return c.Redirect(target, http.StatusSeeOther)
	}
	return c.Next()
}
