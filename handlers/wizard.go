package handlers

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/gofiber/fiber/v2"

	"bookhook/webhook"
)

// stepParam finds the draft and the step in the path.
func (a *app) stepParam(c *fiber.Ctx) (*webhook.Draft, webhook.Step, error) {
	step := webhook.Step(c.Params("step"))
	if !slices.Contains(webhook.Steps, step) {
		return nil, "", fiber.ErrNotFound
	}
	d, err := a.draftParam(c)
	return d, step, err
}

func (a *app) showStep(c *fiber.Ctx) error {
	d, step, err := a.stepParam(c)
	if err != nil {
		return err
	}
	if !d.Reachable(step) {
		return c.Redirect(draftPath(d.ID, d.Resume()), http.StatusSeeOther)
	}
	shown := refusal{status: http.StatusOK}
	if step == webhook.StepEvents && d.Kind == webhook.Inline && len(d.Events) > 0 { // chosen for the other type
		known, err := a.known(c.UserContext(), d.Account)
		if err != nil {
			return err
		}
		shown.problems = d.Problems(step, known)
	}
	return a.renderStep(c, d, step, shown)
}

// saveStep reads a step into its draft and keeps it, right or wrong.
func (a *app) saveStep(c *fiber.Ctx) error {
	d, step, err := a.stepParam(c)
	if err != nil {
		return err
	}
	if step == webhook.StepReview {
		return a.finishDraft(c, d)
	}
	if !d.Reachable(step) {
		return c.Redirect(draftPath(d.ID, d.Resume()), http.StatusSeeOther)
	}
	problems, err := a.keepStep(c, d, step)
	if err != nil {
		return err
	}
	if len(problems) > 0 {
		return a.renderStep(c, d, step, refusal{
			status: http.StatusUnprocessableEntity, problems: problems,
			atOnce: typed(c, "concurrency"), rate: typed(c, "rate_requests"), limit: typed(c, "time_limit"), paste: clip(formValue(c, "tours_paste"), maxPaste),
		})
	}
	return c.Redirect(draftPath(d.ID, onward(d, step)), http.StatusSeeOther)
}

// onward is the review when nothing else is left to do, else the next step.
func onward(d *webhook.Draft, step webhook.Step) webhook.Step {
	if d.Resume() == webhook.StepReview {
		return webhook.StepReview
	}
	return step.Next()
}

// keepTries is how often a step is read into its draft when others save that
// draft at the same moment; each time one of them gets through.
const keepTries = 20

// keepStep reads a step into the draft as it is stored now, and saves it.
func (a *app) keepStep(c *fiber.Ctx, d *webhook.Draft, step webhook.Step) (webhook.Invalid, error) {
	known, err := a.known(c.UserContext(), d.Account)
	if err != nil {
		return nil, err
	}
	for range keepTries {
		kind := d.Kind
		readStep(c, step, d)
		if d.Kind != kind {
			if err := a.preselect(c.UserContext(), d, kind); err != nil {
				return nil, err
			}
		}
		problems := d.Problems(step, known)
		if step == webhook.StepChannels && len(problems) == 0 {
			if problems, err = a.clash(c.UserContext(), d); err != nil {
				return nil, err
			}
		}
		d.Note(step, len(problems) == 0)
		if step == webhook.StepType && len(problems) == 0 {
			d.Recheck(known)
		}
		saved, err := a.Store.SaveDraft(c.UserContext(), *d, time.Now())
		if !errors.Is(err, webhook.ErrDraftChanged) {
			*d = saved
			return problems, draftGone(err)
		}
		if *d, err = a.Store.Draft(c.UserContext(), d.Account, d.ID); err != nil {
			return nil, draftGone(err)
		}
	}
	return nil, webhook.ErrBusy
}

// clash says which other inline webhook has a channel in common with that of a
// draft.
func (a *app) clash(ctx context.Context, d *webhook.Draft) (webhook.Invalid, error) {
	return invalid(a.Store.CheckChannels(ctx, &webhook.Webhook{ID: d.Edits, Account: d.Account, Kind: d.Kind, Channels: d.Channels}))
}

// webhookOf turns a draft into its webhook, or tells what is wrong with it.
func (a *app) webhookOf(c *fiber.Ctx, d *webhook.Draft) (*webhook.Webhook, webhook.Invalid, error) {
	known, err := a.known(c.UserContext(), d.Account)
	if err != nil {
		return nil, nil, err
	}
	w, err := d.Webhook(known)
	problems, err := invalid(err)
	return w, problems, err
}

// finishDraft makes or changes the webhook of a draft, if the draft is the one
// that stood on the review.
func (a *app) finishDraft(c *fiber.Ctx, d *webhook.Draft) error {
	if formValue(c, "version") != d.Version() {
		return a.refuseStale(c, d)
	}
	if !d.Reachable(webhook.StepReview) {
		return c.Redirect(draftPath(d.ID, d.Resume()), http.StatusSeeOther)
	}
	w, problems, err := a.webhookOf(c, d)
	switch {
	case err != nil:
		return err
	case len(problems) > 0:
		return a.renderStep(c, d, webhook.StepReview, refusal{status: http.StatusUnprocessableEntity, problems: problems})
	case d.Edits != 0:
		return a.changeWebhook(c, d, w)
	}
	return a.createWebhook(c, d, w)
}

// refuseStale shows the review of a draft that was changed since its form was
// made.
func (a *app) refuseStale(c *fiber.Ctx, d *webhook.Draft) error {
	now, err := a.Store.Draft(c.UserContext(), d.Account, d.ID)
	if err != nil {
		return draftGone(err)
	}
	_, problems, err := a.webhookOf(c, &now)
	if err != nil {
		return err
	}
	return a.renderStep(c, &now, webhook.StepReview, refusal{status: http.StatusConflict, problems: problems, stale: true})
}

// showTried is where a reload leads after a test: to the review.
func (a *app) showTried(c *fiber.Ctx) error {
	d, err := a.draftParam(c)
	if err != nil {
		return err
	}
	return c.Redirect(draftPath(d.ID, webhook.StepReview), http.StatusSeeOther)
}

// tryDraft sends a test to the webhook that a draft would become.
func (a *app) tryDraft(c *fiber.Ctx) error {
	d, err := a.draftParam(c)
	if err != nil {
		return err
	}
	w, problems, err := a.webhookOf(c, d)
	switch {
	case err != nil:
		return err
	case len(problems) > 0:
		return a.renderStep(c, d, webhook.StepReview, refusal{status: http.StatusUnprocessableEntity, problems: problems})
	}
	if err := a.keepSecrets(c, d, w); err != nil {
		return err
	}
	tried := a.Dispatcher.TestUnsaved(c.UserContext(), w, visiting(c).Account, a.testEvent(w))
	return a.renderStep(c, d, webhook.StepReview, refusal{status: http.StatusOK, tried: &tried})
}

// keepSecrets lets a test of an edited webhook be signed as its deliveries are.
func (a *app) keepSecrets(c *fiber.Ctx, d *webhook.Draft, w *webhook.Webhook) error {
	if d.Edits == 0 {
		return nil
	}
	now, err := a.Store.Webhook(c.UserContext(), d.Account, d.Edits)
	if err != nil {
		return draftGone(err)
	}
	w.Secret, w.OldSecret, w.OldUntil = now.Secret, now.OldSecret, now.OldUntil
	return nil
}

func (a *app) createWebhook(c *fiber.Ctx, d *webhook.Draft, w *webhook.Webhook) error {
	w, err := a.Store.CreateWebhook(c.UserContext(), w, d, visiting(c).User.Email, time.Now())
	switch {
	case errors.Is(err, webhook.ErrDraftChanged):
		return a.refuseStale(c, d)
	case errors.Is(err, webhook.ErrLimit): // the review says so
		return a.renderStep(c, d, webhook.StepReview, refusal{status: http.StatusConflict})
	case err != nil:
		return a.refuseInvalid(c, d, err)
	}
	a.Dispatcher.Changed(w.ID)
	does := "is told of new events from now on. Send it a test to see that it arrives."
	if w.Kind == webhook.Inline {
		does = "is asked about bookings from now on. Send it a test to see what it answers."
	}
	return a.showSecret(c, w.ID, "“"+w.Name+"” is on and "+does)
}

func (a *app) changeWebhook(c *fiber.Ctx, d *webhook.Draft, w *webhook.Webhook) error {
	err := a.Store.UpdateWebhook(c.UserContext(), w, d.Base, d, visiting(c).User.Email, time.Now())
	switch {
	case errors.Is(err, webhook.ErrDraftChanged):
		return a.refuseStale(c, d)
	case errors.Is(err, webhook.ErrConflict):
		return a.refuseChange(c, d)
	case err != nil:
		return a.refuseInvalid(c, d, err)
	}
	a.Dispatcher.Changed(w.ID)
	return a.done(c, webhookPath(w.ID), "Your changes are saved. They hold for new events, and for deliveries that wait.")
}

// refuseInvalid shows on the review what only the store could find wrong.
func (a *app) refuseInvalid(c *fiber.Ctx, d *webhook.Draft, err error) error {
	problems, err := invalid(err)
	if err != nil {
		return draftGone(err)
	}
	return a.renderStep(c, d, webhook.StepReview, refusal{status: http.StatusUnprocessableEntity, problems: problems})
}

// refuseChange shows the review again and who changed the webhook meanwhile.
func (a *app) refuseChange(c *fiber.Ctx, d *webhook.Draft) error {
	change, err := a.lastChange(c, d)
	if err != nil {
		return err
	}
	return a.renderStep(c, d, webhook.StepReview, refusal{status: http.StatusConflict, changed: change})
}

// lastChange is the newest change of the webhook that a draft edits; it has no
// actor when that was too long ago to be found.
func (a *app) lastChange(c *fiber.Ctx, d *webhook.Draft) (*webhook.AuditEntry, error) {
	w, err := a.Store.Webhook(c.UserContext(), d.Account, d.Edits)
	if err != nil {
		return nil, err
	}
	entries, err := a.Store.Audit(c.UserContext(), d.Account, 0, 200)
	for _, e := range entries {
		if e.Action == "webhook.changed" && e.Subject == w.Name && e.At.After(d.Base) {
			return &e, nil
		}
	}
	return &webhook.AuditEntry{At: w.UpdatedAt}, err
}
