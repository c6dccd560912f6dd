package handlers

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"bookhook/views"
	"bookhook/webhook"
)

func draftPath(id webhook.ID, step webhook.Step) string {
	return "/drafts/" + id.Text(webhook.DraftPrefix) + "/" + string(step)
}

// newDraft begins a webhook. At the limit it shows the list, which says so.
func (a *app) newDraft(c *fiber.Ctx) error {
	if unseen(c) {
		return fiber.ErrTooEarly
	}
	account := visiting(c).Account
	all, err := a.Store.Webhooks(c.UserContext(), account.ID)
	if err != nil {
		return err
	}
	kind := webhook.Async
	if webhook.Kind(formValue(c, "type")) == webhook.Inline {
		kind = webhook.Inline
	}
	if kind == webhook.Async && used(all) >= account.WebhookLimit {
		return a.showWebhooks(c, http.StatusConflict)
	}
	fresh, err := a.freshDraft(c.UserContext(), account.ID, kind)
	if err != nil {
		return err
	}
	return a.beginDraft(c, fresh)
}

// unseen reports whether nobody looks at the answer to a GET now: browsers
// fetch pages ahead of the click, and perhaps for nothing.
func unseen(c *fiber.Ctx) bool {
	return c.Method() == fiber.MethodHead || c.Get("Purpose") == "prefetch" || strings.Contains(c.Get("Sec-Purpose"), "prefetch")
}

// freshDraft has the primary events of the platforms that the account uses; of an
// inline webhook those that it can be asked about.
func (a *app) freshDraft(ctx context.Context, account webhook.ID, kind webhook.Kind) (webhook.Draft, error) {
	used, err := a.platformsOn(ctx, account)
	d := webhook.NewDraft(used.Primary())
	if d.Kind = kind; kind == webhook.Inline {
		d.Events = slices.DeleteFunc(d.Events, func(key string) bool { return !used.Inline(key) })
	}
	return d, err
}

// preselect gives a draft that got another type the events that are preselected
// for it, if it still has those of the type before; what a person chose stays.
func (a *app) preselect(ctx context.Context, d *webhook.Draft, before webhook.Kind) error {
	was, err := a.freshDraft(ctx, d.Account, before)
	if err != nil || slices.Contains(d.Done, webhook.StepEvents) || !slices.Equal(d.Events, was.Events) {
		return err
	}
	now, err := a.freshDraft(ctx, d.Account, d.Kind)
	d.Events = now.Events
	return err
}

// beginDraft leads to a draft that is like the fresh one: one that the visitor
// began and nobody touched, or a new one. So looking twice leaves one draft.
func (a *app) beginDraft(c *fiber.Ctx, fresh webhook.Draft) error {
	fresh.Account, fresh.Owner = visiting(c).Account.ID, visiting(c).User.Email
	drafts, err := a.Store.Drafts(c.UserContext(), fresh.Account)
	if err != nil {
		return err
	}
	for _, d := range drafts {
		if same(d, fresh) {
			return c.Redirect(draftPath(d.ID, d.Resume()), http.StatusSeeOther)
		}
	}
	d, err := a.Store.SaveDraft(c.UserContext(), fresh, time.Now())
	if err != nil {
		return err
	}
	return c.Redirect(draftPath(d.ID, d.Resume()), http.StatusSeeOther)
}

// same compares what was typed into two drafts.
func same(one, other webhook.Draft) bool {
	a, errA := json.Marshal(one)
	b, errB := json.Marshal(other)
	return errA == nil && errB == nil && bytes.Equal(a, b)
}

// begun lists the drafts of the account into which somebody typed something.
func (a *app) begun(c *fiber.Ctx, all []*webhook.Webhook) ([]webhook.Draft, error) {
	account := visiting(c).Account.ID
	drafts, err := a.Store.Drafts(c.UserContext(), account)
	if err != nil || len(drafts) == 0 {
		return nil, err
	}
	untouched, err := a.freshDraft(c.UserContext(), account, webhook.Async)
	var touched []webhook.Draft
	for _, d := range drafts {
		fresh := untouched
		if w := (hooks{live: all}).find(d.Edits); w != nil {
			fresh = webhook.EditDraft(w)
		}
		fresh.Owner = d.Owner
		if !same(d, fresh) {
			touched = append(touched, d)
		}
	}
	return touched, err
}

// draftParam finds the draft in the path.
func (a *app) draftParam(c *fiber.Ctx) (*webhook.Draft, error) {
	id, err := refParam(c, webhook.DraftPrefix)
	if err != nil {
		return nil, draftGone(err)
	}
	d, err := a.Store.Draft(c.UserContext(), visiting(c).Account.ID, id)
	return &d, draftGone(err)
}

// draftGone has the words for whoever pressed a button twice, or comes back.
func draftGone(err error) error {
	if !errors.Is(err, webhook.ErrNotFound) {
		return err
	}
	return &problem{
		Type: "not-found", Title: "This draft is not there any more", Status: http.StatusNotFound, cause: err,
		meaning: "It was finished or thrown away. If it was finished, its webhook is in the list.",
		next:    "Look at the webhooks; there you can also begin a new one.",
	}
}

func (a *app) deleteDraft(c *fiber.Ctx) error {
	d, err := a.draftParam(c)
	if err != nil {
		return err
	}
	if err := a.Store.DeleteDraft(c.UserContext(), d.Account, d.ID); err != nil {
		return draftGone(err)
	}
	if d.Edits != 0 {
		return a.done(c, webhookPath(d.Edits), "Your changes were thrown away. The webhook is as it was.")
	}
	return a.done(c, "/webhooks", "The draft was thrown away.")
}

// checkURL looks at a URL as it is typed, without sending a booking.
func (a *app) checkURL(c *fiber.Ctx) error {
	if _, err := a.draftParam(c); err != nil {
		return err
	}
	address, message := webhook.CheckURL(formValue(c, "url"))
	if message == "" {
		message = a.Dispatcher.CheckURL(address)
	}
	found := webhook.Probe{Level: webhook.ProbeBad, Message: message}
	if message == "" {
		found = a.Dispatcher.Probe(c.UserContext(), address)
	}
	return render(c, http.StatusOK, views.URLCheck(string(found.Level), found.Message))
}
