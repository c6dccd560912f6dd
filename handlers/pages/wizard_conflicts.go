package pages

import (
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"

	"bookhook/handlers/web"
	"bookhook/views"
	"bookhook/webhook"
)

// stepConflict returns what to show instead of saving a step that was changed since
// its form was rendered: what was typed, and how that differs from what is stored.
func (pg *Pages) stepConflict(c *fiber.Ctx, stored, d *webhook.Draft, step webhook.Step) (stepProblem, error) {
	differences, err := pg.differences(c, d.Config, stored.Config)
	if err != nil {
		return stepProblem{}, err
	}
	shown := stepProblem{conflict: &views.DraftConflict{
		Change: stored.Changed[step], Yours: stored.Changed[step].By == currentUser(c).User.Email, Differences: differences,
	}}
	if typed(c, "basic") != "" { // the form does not show it
		shown.problems = webhook.Invalid{"basic_auth": webhook.NewMessage("setting.secret_again", "Basic authentication")}
	}
	return shown, nil
}

// differences says how what one configuration says differs from what another does.
func (pg *Pages) differences(c *fiber.Ctx, one, other webhook.Config) ([]views.Difference, error) {
	channels, tours := slices.Concat(one.Channels.IDs, other.Channels.IDs), slices.Concat(one.Tours.IDs, other.Tours.IDs)
	names, err := pg.names(c.UserContext(), currentUser(c).Account.ID, channels, tours)
	if err != nil {
		return nil, err
	}
	return views.Differences(one, other, names), nil
}

// refuseStale shows the review of a draft that was changed since its form was
// rendered.
func (pg *Pages) refuseStale(c *fiber.Ctx, d *webhook.Draft) error {
	now, err := pg.Store.Draft(c.UserContext(), d.Account, d.ID)
	if err != nil {
		return draftGone(err)
	}
	_, problems, err := pg.webhookOf(c, &now)
	if err != nil {
		return err
	}
	steps, last := now.ChangedSince(web.FormValue(c, "version"))
	stale := &views.StaleReview{Change: last, Yours: last.By == currentUser(c).User.Email, Steps: steps}
	if last.At.IsZero() { // only which steps were passed
		stale.Change.At = now.UpdatedAt
	}
	return pg.renderStep(c, &now, webhook.StepReview, stepProblem{status: http.StatusConflict, problems: problems, stale: stale})
}

// editedBase returns when the edited webhook was last changed as far as the person
// knows: when editing began, or when the review showed that it was changed since, and
// the person chose to save over that.
func editedBase(c *fiber.Ctx, d *webhook.Draft) time.Time {
	if millis, err := strconv.ParseInt(web.FormValue(c, "over"), 10, 64); err == nil {
		return time.UnixMilli(millis)
	}
	return d.Base
}

// refuseChange shows the review again, which says who changed the webhook meanwhile.
func (pg *Pages) refuseChange(c *fiber.Ctx, d *webhook.Draft) error {
	return pg.renderStep(c, d, webhook.StepReview, stepProblem{status: http.StatusConflict})
}

// editConflict says who changed the webhook since a draft began to edit it, and how
// they differ; nil if nobody did.
func (pg *Pages) editConflict(c *fiber.Ctx, d *webhook.Draft) (*views.EditConflict, error) {
	if d.Edits == 0 {
		return nil, nil
	}
	w, err := pg.Store.Webhook(c.UserContext(), d.Account, d.Edits)
	if err != nil {
		return nil, draftGone(err)
	}
	if w.UpdatedAt.Equal(d.Base) {
		return nil, nil
	}
	conflict := &views.EditConflict{Change: webhook.Change{At: w.UpdatedAt}, Version: strconv.FormatInt(w.UpdatedAt.UnixMilli(), 10)}
	if conflict.Differences, err = pg.differences(c, d.Config, webhook.EditDraft(w).Config); err != nil {
		return nil, err
	}
	entries, err := pg.Store.Audit(c.UserContext(), d.Account, 0, 200)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(entries, func(e webhook.AuditEntry) bool {
		return e.Action == "webhook.changed" && e.Subject == w.ID.String() && e.At.After(d.Base)
	})
	if i >= 0 { // else it was too long ago to be found
		conflict.Change = entries[i].Change
	}
	return conflict, nil
}
