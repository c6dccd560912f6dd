package pages

import (
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"

	"bookhook/handlers/web"
	"bookhook/views"
	"bookhook/webhook"
)

// secretKey is the key in a session for the webhook whose new secret its page shows
// next.
const secretKey = "secret"

// ShowWebhookSigning shows how to verify what a webhook sends and, once, its new secret.
func (pg *Pages) ShowWebhookSigning(c *fiber.Ctx) error {
	return pg.showSigning(c, http.StatusOK)
}

// showSigning shows the tab; the messages are about what was asked for and not done.
func (pg *Pages) showSigning(c *fiber.Ctx, status int, failures ...webhook.Message) error {
	props, err := pg.webhookProps(c)
	if err != nil {
		return err
	}
	if err := pg.addSecret(c, &props); err != nil {
		return err
	}
	if props.Page, err = pg.page(c); err != nil {
		return err
	}
	for _, message := range failures {
		props.Page.Flash = []views.Flash{{Text: pg.Platforms.Text(message), Failed: true}}
	}
	return render(c, status, views.WebhookSigning(props))
}

// addSecret adds the secret to the page if the user has just created it.
func (pg *Pages) addSecret(c *fiber.Ctx, props *views.WebhookProps) error {
	w := props.Webhook
	if w.OldSecret != "" && time.Now().Before(w.OldUntil) {
		props.OldUntil = w.OldUntil
	}
	s, err := pg.Sessions.Open(c)
	if err != nil || s.Text(secretKey) != w.ID.String() {
		return err
	}
	if web.Prefetched(c) {
		return fiber.ErrTooEarly
	}
	props.NewSecret, props.Rotated = w.Secret, w.OldSecret != ""
	s.SetText(secretKey, "")
	return s.Save(c)
}

// showSecret redirects to the tab of a webhook that then shows its new secret.
func (pg *Pages) showSecret(c *fiber.Ctx, id webhook.WebhookID, message webhook.Message) error {
	s, err := pg.Sessions.Open(c)
	if err != nil {
		return err
	}
	s.SetText(secretKey, id.String())
	return pg.done(c, webhookPath(id, views.SigningTab), message)
}

// RotateSecret gives a webhook a new secret in place of the one that is meant; the old one
// also signs for 24 hours. The session is not saved if there is another secret by now: by a
// double press, the first request may have stored that its page shows it.
func (pg *Pages) RotateSecret(c *fiber.Ctx) error {
	w, err := pg.webhookParam(c)
	if err != nil {
		return err
	}
	shown, err := shownSecret(c)
	if err != nil {
		return err
	}
	err = pg.Store.RotateSecret(c.UserContext(), w.Account, w.ID, shown, webhook.NewSecret(), currentUser(c).change())
	if errors.Is(err, webhook.ErrConflict) {
		return pg.showSigning(c, http.StatusConflict, webhook.NewMessage("secret.rotated_before"))
	}
	if err != nil {
		return err
	}
	return pg.showSecret(c, w.ID, webhook.NewMessage("secret.rotated"))
}

// MarkSecretStored records that the receiver of a webhook has the secret that was shown.
// After the first secret, the overview waits for the first delivery.
func (pg *Pages) MarkSecretStored(c *fiber.Ctx) error {
	w, err := pg.webhookParam(c)
	if err != nil {
		return err
	}
	shown, err := shownSecret(c)
	if err != nil {
		return err
	}
	err = pg.Store.MarkSecretStored(c.UserContext(), w.Account, w.ID, shown, currentUser(c).change())
	switch {
	case errors.Is(err, webhook.ErrConflict):
		return pg.done(c, webhookPath(w.ID, views.SigningTab), webhook.NewMessage("secret.replaced"))
	case err != nil:
		return err
	case w.OldSecret == "":
		return pg.done(c, webhookPath(w.ID, views.OverviewTab), webhook.NewMessage("secret.stored"))
	}
	return pg.done(c, webhookPath(w.ID, views.SigningTab), webhook.NewMessage("secret.stored"))
}

// shownSecret reads which secret is meant, as views.SecretName names it.
func shownSecret(c *fiber.Ctx) (shown time.Time, err error) {
	name := c.FormValue("shown")
	if name == "" {
		return shown, nil
	}
	millis, err := strconv.ParseInt(name, 36, 64)
	if err != nil {
		return shown, fiber.ErrBadRequest
	}
	return time.UnixMilli(millis), nil
}
