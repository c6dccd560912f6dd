package pages

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/gofiber/fiber/v2"

	"bookhook/handlers/web"
	"bookhook/views"
	"bookhook/webhook"
)

// WizardStore is what the wizard needs of the database besides drafts and webhooks.
type WizardStore interface {
	CheckChannels(ctx context.Context, w *webhook.Webhook) error
	CreateWebhook(ctx context.Context, w *webhook.Webhook, from *webhook.Draft, change webhook.Change) (*webhook.Webhook, error)
	UpdateWebhook(ctx context.Context, u webhook.Update, change webhook.Change) (before *webhook.Webhook, err error)
	Subscriptions(ctx context.Context, account webhook.AccountID) (*webhook.Subscriptions, error)
}

// stepParam finds the draft and the step in the path.
func (pg *Pages) stepParam(c *fiber.Ctx) (*webhook.Draft, webhook.Step, error) {
	step := webhook.Step(c.Params("step"))
	if !slices.Contains(webhook.Steps, step) {
		return nil, "", fiber.ErrNotFound
	}
	d, err := pg.draftParam(c)
	if err != nil {
		return nil, "", err
	}
	return d, step, nil
}

// known returns what a draft of the account may select.
func (pg *Pages) known(ctx context.Context, account webhook.AccountID) (webhook.Known, error) {
	return pg.Platforms.Known(ctx, pg.Store, account, pg.Dispatcher.CheckURL)
}

// ShowStep shows a step of the wizard; what is wrong with it if a person left it so.
func (pg *Pages) ShowStep(c *fiber.Ctx) error {
	d, step, err := pg.stepParam(c)
	if err != nil {
		return err
	}
	if !d.Reachable(step) {
		return c.Redirect(draftPath(d.ID, d.Resume()), http.StatusSeeOther)
	}
	shown := stepProblem{status: http.StatusOK}
	_, changed := d.Changed[step]
	if changed && step != webhook.StepReview && !slices.Contains(d.Done, step) {
		known, err := pg.known(c.UserContext(), d.Account)
		if err != nil {
			return err
		}
		if shown.problems, err = pg.stepProblems(c.UserContext(), d, step, known); err != nil {
			return err
		}
	}
	return pg.renderStep(c, d, step, shown)
}

// SaveStep reads a step into its draft and saves it, valid or not, also when a person
// goes back. A search in a long list, and a new preview, show the step again.
func (pg *Pages) SaveStep(c *fiber.Ctx) error {
	d, step, err := pg.stepParam(c)
	if err != nil {
		return err
	}
	if step == webhook.StepReview {
		return pg.finishDraft(c, d)
	}
	if !d.Reachable(step) {
		return c.Redirect(draftPath(d.ID, d.Resume()), http.StatusSeeOther)
	}
	again := posted(c, "find") || posted(c, "preview")
	shown, err := pg.storeStep(c, d, step)
	switch target := nextStep(c, d, step); {
	case err != nil:
		return err
	case shown.conflict != nil:
		shown.status = http.StatusConflict
	case again: // it is not finished yet
		shown.status, shown.problems = http.StatusOK, nil
	case len(shown.problems) > 0 && slices.Index(webhook.Steps, target) > slices.Index(webhook.Steps, step):
		shown.status = http.StatusUnprocessableEntity
	default:
		return c.Redirect(draftPath(d.ID, target), http.StatusSeeOther)
	}
	shown.search, shown.paste = typed(c, "search"), webhook.Truncate(web.FormValue(c, "tours_paste"), maxPaste)
	shown.concurrency, shown.rate, shown.limit = typed(c, "concurrency"), typed(c, "rate_requests"), typed(c, "time_limit")
	return pg.renderStep(c, d, step, shown)
}

// nextStep returns the step that a person asked for, or else the review if all steps
// before it were passed, or else the next step.
func nextStep(c *fiber.Ctx, d *webhook.Draft, step webhook.Step) webhook.Step {
	if asked := webhook.Step(web.FormValue(c, "go")); slices.Contains(webhook.Steps, asked) {
		return asked
	}
	if d.Resume() == webhook.StepReview {
		return webhook.StepReview
	}
	return step.Next()
}

// goesBack reports whether a person leaves a step for one before it: that passes no step.
func goesBack(c *fiber.Ctx, step webhook.Step) bool {
	asked := slices.Index(webhook.Steps, webhook.Step(web.FormValue(c, "go")))
	return asked >= 0 && asked < slices.Index(webhook.Steps, step)
}

// saveAttempts is how often saving a draft is tried if other requests save it at the
// same moment; one of them succeeds each time.
const saveAttempts = 20

// storeStep reads a step into the currently stored draft, and saves it if that changes
// it, and if nobody else changed the step since the form was rendered. It returns what to
// show again.
func (pg *Pages) storeStep(c *fiber.Ctx, d *webhook.Draft, step webhook.Step) (shown stepProblem, err error) {
	known, err := pg.known(c.UserContext(), d.Account)
	if err != nil {
		return stepProblem{}, err
	}
	for range saveAttempts {
		stored := *d
		if shown.problems, err = pg.readStep(c, d, step, known); err != nil {
			return stepProblem{}, err
		}
		if !sameChoices(stored.Config, d.Config) && posted(c, "version") && web.FormValue(c, "version") != stored.StepVersion(step) {
			return pg.stepConflict(c, &stored, d, step)
		}
		noteChanges(&stored, d, step, currentUser(c).change())
		if same(stored, *d) {
			return shown, nil
		}
		saved, err := pg.Store.SaveDraft(c.UserContext(), *d, time.Now())
		if err == nil {
			*d = saved
			return shown, nil
		}
		if !errors.Is(err, webhook.ErrDraftChanged) {
			return stepProblem{}, draftGone(err)
		}
		if *d, err = pg.Store.Draft(c.UserContext(), d.Account, d.ID); err != nil {
			return stepProblem{}, draftGone(err)
		}
	}
	return stepProblem{}, webhook.ErrBusy
}

// readStep reads the posted form of a step into a draft, and returns what is wrong with
// it. What the draft has besides is not changed, nor memory that it shares.
func (pg *Pages) readStep(c *fiber.Ctx, d *webhook.Draft, step webhook.Step, known webhook.Known) (webhook.Invalid, error) {
	kind := d.Kind
	readConfig(c, step, d)
	if d.Kind != kind {
		if err := pg.preselect(c.UserContext(), d, kind); err != nil {
			return nil, err
		}
	}
	problems, err := pg.stepProblems(c.UserContext(), d, step, known)
	if err != nil {
		return nil, err
	}
	if _, wrong := problems["url"]; wrong && step == webhook.StepName && typed(c, "basic") != "" { // the corrected URL may have another host
		problems.Add("basic_auth", "setting.secret_again", "Basic authentication")
	}
	d.SetPassed(step, len(problems) == 0 && (slices.Contains(d.Done, step) || !goesBack(c, step)))
	switch {
	case step == webhook.StepType && len(problems) == 0:
		d.Recheck(known)
	case step == webhook.StepEvents && d.OnlyOwn(): // channels and tours do not matter
		d.Pass(webhook.StepChannels)
		d.Pass(webhook.StepTours)
	}
	return problems, nil
}

// stepProblems returns what is wrong with a step of a draft.
func (pg *Pages) stepProblems(ctx context.Context, d *webhook.Draft, step webhook.Step, known webhook.Known) (webhook.Invalid, error) {
	problems := d.Problems(step, known)
	if step == webhook.StepChannels && len(problems) == 0 {
		return pg.channelConflict(ctx, d)
	}
	return problems, nil
}

// noteChanges notes in a draft which steps a person changed by posting one; another
// type selects other events.
func noteChanges(stored, d *webhook.Draft, step webhook.Step, change webhook.Change) {
	if sameChoices(stored.Config, d.Config) {
		d.Config = stored.Config // in the order that it has
		return
	}
	d.SetChanged(step, change)
	if step == webhook.StepType && !slices.Equal(stored.Events, d.Events) {
		d.SetChanged(webhook.StepEvents, change)
	}
}

// channelConflict returns the problem if another inline webhook has a channel in
// common with that of a draft.
func (pg *Pages) channelConflict(ctx context.Context, d *webhook.Draft) (webhook.Invalid, error) {
	return invalid(pg.Store.CheckChannels(ctx, &webhook.Webhook{ID: d.Edits, Account: d.Account, Config: d.Config}))
}

// webhookOf turns a draft into its webhook, or returns what is wrong with it.
func (pg *Pages) webhookOf(c *fiber.Ctx, d *webhook.Draft) (*webhook.Webhook, webhook.Invalid, error) {
	known, err := pg.known(c.UserContext(), d.Account)
	if err != nil {
		return nil, nil, err
	}
	w, err := d.Webhook(known)
	if err != nil {
		problems, err := invalid(err)
		return nil, problems, err
	}
	return w, nil, nil
}

// finishDraft creates or changes the webhook of a draft, unless the draft was
// changed after the review was shown.
func (pg *Pages) finishDraft(c *fiber.Ctx, d *webhook.Draft) error {
	if web.FormValue(c, "version") != d.Version() {
		return pg.refuseStale(c, d)
	}
	if !d.Reachable(webhook.StepReview) {
		return c.Redirect(draftPath(d.ID, d.Resume()), http.StatusSeeOther)
	}
	w, problems, err := pg.webhookOf(c, d)
	switch {
	case err != nil:
		return err
	case len(problems) > 0:
		return pg.renderStep(c, d, webhook.StepReview, stepProblem{status: http.StatusUnprocessableEntity, problems: problems})
	case d.Edits != 0:
		return pg.changeWebhook(c, d, w)
	}
	return pg.createWebhook(c, d, w)
}

// ShowTestedDraft redirects to the review: a browser requests this address when it
// reloads the page after a test.
func (pg *Pages) ShowTestedDraft(c *fiber.Ctx) error {
	d, err := pg.draftParam(c)
	if err != nil {
		return err
	}
	return c.Redirect(draftPath(d.ID, webhook.StepReview), http.StatusSeeOther)
}

// TestDraft sends a test, once, to the webhook that a draft would become. How often is
// limited.
func (pg *Pages) TestDraft(c *fiber.Ctx) error {
	d, err := pg.draftParam(c)
	if err != nil {
		return err
	}
	w, problems, err := pg.webhookOf(c, d)
	switch {
	case err != nil:
		return err
	case len(problems) > 0:
		return pg.renderStep(c, d, webhook.StepReview, stepProblem{status: http.StatusUnprocessableEntity, problems: problems})
	}
	if err := pg.copySecrets(c, d, w); err != nil {
		return err
	}
	limited, err := pg.countCheck(c)
	if err != nil {
		return err
	}
	if !limited.IsZero() {
		return pg.renderStep(c, d, webhook.StepReview, stepProblem{status: http.StatusTooManyRequests, problems: webhook.Invalid{"test": limited}})
	}
	attempt := pg.Dispatcher.TestUnsaved(c.UserContext(), w, currentUser(c).Account, pg.Platforms.TestEvent(w, time.Now()))
	return pg.renderStep(c, d, webhook.StepReview, stepProblem{status: http.StatusOK, test: &attempt})
}

// copySecrets gives the webhook of a draft the secrets of the edited webhook, so
// that a test is signed like its deliveries.
func (pg *Pages) copySecrets(c *fiber.Ctx, d *webhook.Draft, w *webhook.Webhook) error {
	if d.Edits == 0 {
		return nil
	}
	now, err := pg.Store.Webhook(c.UserContext(), d.Account, d.Edits)
	if err != nil {
		return draftGone(err)
	}
	w.Secret, w.OldSecret, w.OldUntil = now.Secret, now.OldSecret, now.OldUntil
	return nil
}

func (pg *Pages) createWebhook(c *fiber.Ctx, d *webhook.Draft, w *webhook.Webhook) error {
	created, err := pg.Store.CreateWebhook(c.UserContext(), w, d, currentUser(c).change())
	switch {
	case errors.Is(err, webhook.ErrDraftChanged):
		return pg.refuseStale(c, d)
	case errors.Is(err, webhook.ErrLimit):
		return pg.refuseLimit(c, d, err)
	case err != nil:
		return pg.refuseInvalid(c, d, err)
	}
	if created.Kind == webhook.Inline {
		return pg.showSecret(c, created.ID, webhook.NewMessage("webhook.inline_created", created.Name))
	}
	return pg.showSecret(c, created.ID, webhook.NewMessage("webhook.created", created.Name))
}

func (pg *Pages) changeWebhook(c *fiber.Ctx, d *webhook.Draft, w *webhook.Webhook) error {
	_, err := pg.Store.UpdateWebhook(c.UserContext(), webhook.Update{Webhook: w, Base: editedBase(c, d), Draft: d}, currentUser(c).change())
	switch {
	case errors.Is(err, webhook.ErrDraftChanged):
		return pg.refuseStale(c, d)
	case errors.Is(err, webhook.ErrConflict):
		return pg.refuseChange(c, d)
	case errors.Is(err, webhook.ErrLimit):
		return pg.refuseLimit(c, d, err)
	case err != nil:
		return pg.refuseInvalid(c, d, err)
	}
	return pg.done(c, webhookPath(w.ID, views.SettingsTab), webhook.NewMessage("webhook.saved"))
}

// refuseLimit shows the review with the limit that refuses the webhook.
func (pg *Pages) refuseLimit(c *fiber.Ctx, d *webhook.Draft, err error) error {
	problems, err := pg.refused(err, "create")
	if err != nil {
		return err
	}
	return pg.renderStep(c, d, webhook.StepReview, stepProblem{status: http.StatusConflict, problems: problems})
}

// refuseInvalid shows the review with problems that only the store can find.
func (pg *Pages) refuseInvalid(c *fiber.Ctx, d *webhook.Draft, err error) error {
	problems, err := invalid(err)
	if err != nil {
		return draftGone(err)
	}
	return pg.renderStep(c, d, webhook.StepReview, stepProblem{status: http.StatusUnprocessableEntity, problems: problems})
}
