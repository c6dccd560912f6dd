package pages

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"reflect"
	"slices"
	"time"

	"github.com/gofiber/fiber/v2"

	"bookhook/handlers/web"
	"bookhook/views"
	"bookhook/webhook"
)

// DraftStore is what the pages need of the drafts of webhooks.
type DraftStore interface {
	SaveDraft(ctx context.Context, d webhook.Draft, now time.Time) (webhook.Draft, error)
	Draft(ctx context.Context, account webhook.AccountID, id webhook.DraftID) (webhook.Draft, error)
	Drafts(ctx context.Context, account webhook.AccountID) ([]webhook.Draft, error)
	DeleteDraft(ctx context.Context, account webhook.AccountID, id webhook.DraftID) error
}

func draftPath(id webhook.DraftID, step webhook.Step) string {
	return "/drafts/" + id.String() + "/" + string(step)
}

// NewDraft starts a webhook. At the limit it shows the list, which explains the
// limit.
func (pg *Pages) NewDraft(c *fiber.Ctx) error {
	if web.Prefetched(c) {
		return fiber.ErrTooEarly
	}
	account := currentUser(c).Account
	all, err := pg.Store.Webhooks(c.UserContext(), account.ID)
	if err != nil {
		return err
	}
	kind := webhook.Async
	if webhook.Kind(web.FormValue(c, "kind")) == webhook.Inline {
		kind = webhook.Inline
	}
	if kind == webhook.Async && webhook.CountAsync(all) >= account.WebhookLimit {
		return pg.showWebhooks(c, http.StatusConflict, webhook.Message{})
	}
	fresh, err := pg.freshDraft(c.UserContext(), account.ID, kind)
	if err != nil {
		return err
	}
	if web.FormValue(c, "about") == webhook.OwnPlatform && kind == webhook.Async {
		own, _ := pg.Platforms.Get(webhook.OwnPlatform)
		fresh.Events, fresh.Done = own.Keys(), []webhook.Step{webhook.StepType}
	}
	return pg.startDraft(c, fresh)
}

// freshDraft returns a new draft with what is recommended: signed JSON, and the primary
// events of the account's platforms; of an inline webhook, those that it can be called
// for.
func (pg *Pages) freshDraft(ctx context.Context, account webhook.AccountID, kind webhook.Kind) (webhook.Draft, error) {
	used, err := pg.platformsOn(ctx, account)
	if err != nil {
		return webhook.Draft{}, err
	}
	d := webhook.NewDraft(used.Primary())
	d.Format = webhook.Standard
	if d.Kind = kind; kind == webhook.Inline {
		d.Events = slices.DeleteFunc(d.Events, func(key string) bool { return !used.Inline(key) })
	}
	return d, nil
}

// preselect selects the primary events again after a change of the type, unless a
// person has changed the selection.
func (pg *Pages) preselect(ctx context.Context, d *webhook.Draft, before webhook.Kind) error {
	was, err := pg.freshDraft(ctx, d.Account, before)
	if err != nil {
		return err
	}
	if !sameChoices(webhook.Config{Events: d.Events}, webhook.Config{Events: was.Events}) {
		return nil
	}
	now, err := pg.freshDraft(ctx, d.Account, d.Kind)
	d.Events = now.Events
	return err
}

// startDraft redirects to an unchanged draft that the user started before, or stores
// the fresh one and redirects to that. So opening the wizard twice leaves one draft.
// If there are too many it shows them, to continue or discard.
func (pg *Pages) startDraft(c *fiber.Ctx, fresh webhook.Draft) error {
	fresh.Account, fresh.Owner = currentUser(c).Account.ID, currentUser(c).User.Email
	drafts, err := pg.Store.Drafts(c.UserContext(), fresh.Account)
	if err != nil {
		return err
	}
	for _, d := range drafts {
		fresh.Changed = d.Changed
		if same(d, fresh) {
			return c.Redirect(draftPath(d.ID, d.Resume()), http.StatusSeeOther)
		}
	}
	fresh.Changed = nil
	d, err := pg.Store.SaveDraft(c.UserContext(), fresh, time.Now())
	full, err := pg.refused(err, "drafts")
	if err != nil {
		return err
	}
	if len(full) > 0 {
		return pg.showWebhooks(c, http.StatusConflict, full["drafts"])
	}
	return c.Redirect(draftPath(d.ID, d.Resume()), http.StatusSeeOther)
}

// same reports whether two drafts have the same content.
func same(one, other webhook.Draft) bool {
	a, errA := json.Marshal(one)
	b, errB := json.Marshal(other)
	return errA == nil && errB == nil && bytes.Equal(a, b)
}

// sameChoices reports whether two configurations say the same, in whatever order.
func sameChoices(one, other webhook.Config) bool {
	sorted := func(c webhook.Config) webhook.Config {
		for _, ids := range []*[]string{&c.Events, &c.Channels.IDs, &c.Tours.IDs} {
			*ids = append([]string{}, slices.Sorted(slices.Values(*ids))...)
		}
		return c
	}
	return reflect.DeepEqual(sorted(one), sorted(other))
}

// startedDrafts lists the drafts of the account that somebody changed, or all.
func (pg *Pages) startedDrafts(c *fiber.Ctx, all []*webhook.Webhook, unchanged bool) ([]webhook.Draft, error) {
	account := currentUser(c).Account.ID
	drafts, err := pg.Store.Drafts(c.UserContext(), account)
	if err != nil || len(drafts) == 0 || unchanged {
		return drafts, err
	}
	untouched, err := pg.freshDraft(c.UserContext(), account, webhook.Async)
	if err != nil {
		return nil, err
	}
	var touched []webhook.Draft
	for _, d := range drafts {
		fresh := untouched
		if w := (hooks{live: all}).find(d.Edits); w != nil {
			fresh = webhook.EditDraft(w)
		}
		fresh.Owner, fresh.Changed = d.Owner, d.Changed
		if !same(d, fresh) {
			touched = append(touched, d)
		}
	}
	return touched, nil
}

// draftParam finds the draft in the path.
func (pg *Pages) draftParam(c *fiber.Ctx) (*webhook.Draft, error) {
	id, err := web.IDParam[webhook.DraftID](c)
	if err != nil {
		return nil, draftGone(err)
	}
	d, err := pg.Store.Draft(c.UserContext(), currentUser(c).Account.ID, id)
	if err != nil {
		return nil, draftGone(err)
	}
	return &d, nil
}

// draftGone explains that a draft no longer exists: a button was pressed twice, or
// an old page was opened.
func draftGone(err error) error {
	if !errors.Is(err, webhook.ErrNotFound) {
		return err
	}
	return &web.Problem{
		Type: "not-found", Title: "This draft no longer exists", Status: http.StatusNotFound, Cause: err,
		Meaning: "It was finished or discarded. If it was finished, its webhook is in the list.",
		Next:    "Open the list of webhooks; there you can also create a new one.",
	}
}

// DeleteDraft discards a draft.
func (pg *Pages) DeleteDraft(c *fiber.Ctx) error {
	d, err := pg.draftParam(c)
	if err != nil {
		return err
	}
	if err := pg.Store.DeleteDraft(c.UserContext(), d.Account, d.ID); err != nil {
		return draftGone(err)
	}
	if d.Edits != 0 {
		return pg.done(c, webhookPath(d.Edits, views.SettingsTab), webhook.NewMessage("draft.changes_discarded"))
	}
	return pg.done(c, "/webhooks", webhook.NewMessage("draft.discarded"))
}

// CheckURL checks a URL while it is typed, without sending a booking. How often is
// limited.
func (pg *Pages) CheckURL(c *fiber.Ctx) error {
	if _, err := pg.draftParam(c); err != nil {
		return err
	}
	reader := currentUser(c).User
	address, problem := webhook.CheckURL(web.FormValue(c, "url"))
	if problem.IsZero() {
		problem = pg.Dispatcher.CheckURL(address)
	}
	if !problem.IsZero() {
		return render(c, http.StatusOK, views.URLCheck(webhook.Probe{Level: webhook.ProbeBad, Message: problem}, reader))
	}
	limited, err := pg.countCheck(c)
	if err != nil {
		return err
	}
	if !limited.IsZero() { // it says nothing about the URL
		return render(c, http.StatusOK, views.URLCheck(webhook.Probe{Level: webhook.ProbeWarn, Message: limited}, reader))
	}
	return render(c, http.StatusOK, views.URLCheck(pg.Dispatcher.Probe(c.UserContext(), address), reader))
}
