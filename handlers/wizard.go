package handlers

import (
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
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
	return a.renderStep(c, d, step, refusal{status: http.StatusOK})
}

// saveStep reads a step into its draft and keeps it, right or wrong.
func (a *app) saveStep(c *fiber.Ctx) error {
	d, step, err := a.stepParam(c)
	if err != nil {
		return err
	}
	if !d.Reachable(step) {
		return c.Redirect(draftPath(d.ID, d.Resume()), http.StatusSeeOther)
	}
	if step == webhook.StepReview {
		return a.finishDraft(c, d)
	}
	known, err := a.known(c.UserContext(), d.Account)
	if err != nil {
		return err
	}
	readStep(c, step, d)
	problems := d.Problems(step, known)
	if err := a.keepDraft(c, d, step, len(problems) == 0); err != nil {
		return err
	}
	if len(problems) > 0 {
		return a.renderStep(c, d, step, refusal{
			status: http.StatusUnprocessableEntity, problems: problems,
			atOnce: formValue(c, "concurrency"), paste: formValue(c, "tours_paste"),
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

// keepDraft saves a draft. A step that is wrong now counts as not passed, even
// if it was before.
func (a *app) keepDraft(c *fiber.Ctx, d *webhook.Draft, step webhook.Step, passed bool) error {
	if passed {
		d.Pass(step)
	} else {
		d.Done = slices.DeleteFunc(d.Done, func(s webhook.Step) bool { return s == step })
	}
	d.UpdatedAt = time.Now()
	_, err := a.Store.SaveDraft(c.UserContext(), *d)
	return draftGone(err)
}

func readStep(c *fiber.Ctx, step webhook.Step, d *webhook.Draft) {
	switch step {
	case webhook.StepType:
		d.Kind = webhook.Kind(formValue(c, "type"))
		d.Concurrency, _ = strconv.Atoi(strings.TrimSpace(formValue(c, "concurrency"))) // what is no number is 0, and refused
	case webhook.StepName:
		d.Name, d.URL, d.Format = formValue(c, "name"), formValue(c, "url"), webhook.Format(formValue(c, "format"))
	case webhook.StepEvents:
		d.AllEvents, d.Events = formValue(c, "all_events") == "1", formValues(c, "events")
	case webhook.StepChannels:
		d.Channels = readFilter(c, "channels")
	case webhook.StepTours:
		d.Tours = readFilter(c, "tours")
	}
}

// readFilter reads a mode and ids, ticked and pasted. The ids are kept whatever
// the mode, for whoever changes their mind.
func readFilter(c *fiber.Ctx, field string) webhook.Filter {
	ids := append(formValues(c, field), splitIDs(formValue(c, field+"_paste"))...)
	slices.Sort(ids)
	return webhook.Filter{Mode: webhook.Mode(formValue(c, field+"_mode")), IDs: slices.Compact(ids)}
}

// splitIDs takes a pasted list apart; no id has white space or a comma in it.
func splitIDs(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(" \t\r\n\u00a0,;", r) })
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

// finishDraft makes or changes the webhook of a draft.
func (a *app) finishDraft(c *fiber.Ctx, d *webhook.Draft) error {
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
	tried := a.Dispatcher.Try(c.UserContext(), w, visiting(c).Account, testEvent(w))
	return a.renderStep(c, d, webhook.StepReview, refusal{status: http.StatusOK, tried: &tried})
}

func (a *app) createWebhook(c *fiber.Ctx, d *webhook.Draft, w *webhook.Webhook) error {
	w, err := a.Store.CreateWebhook(c.UserContext(), w, d.ID, visiting(c).User.Email, time.Now())
	if errors.Is(err, webhook.ErrLimit) { // the review says so
		return a.renderStep(c, d, webhook.StepReview, refusal{status: http.StatusConflict})
	}
	if err != nil {
		return draftGone(err)
	}
	a.Dispatcher.Changed(w.ID)
	return a.showSecret(c, w.ID, "“"+w.Name+"” is on and is told of new events from now on. Send it a test to see that it arrives.")
}

func (a *app) changeWebhook(c *fiber.Ctx, d *webhook.Draft, w *webhook.Webhook) error {
	err := a.Store.UpdateWebhook(c.UserContext(), w, d.Base, d.ID, visiting(c).User.Email, time.Now())
	if errors.Is(err, webhook.ErrConflict) {
		return a.refuseChange(c, d)
	}
	if err != nil {
		return draftGone(err)
	}
	a.Dispatcher.Changed(w.ID)
	return a.done(c, webhookPath(w.ID), "Your changes are saved. They hold for new events, and for deliveries that wait.")
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
