package pages

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/gofiber/fiber/v2"

	"bookhook/auth"
	"bookhook/fallback"
	"bookhook/handlers/web"
	"bookhook/views"
	"bookhook/webhook"
)

// FallbackStore is what the pages need of where bookings go while a webhook fails.
type FallbackStore interface {
	Fallback(ctx context.Context, account webhook.AccountID, id webhook.WebhookID) (fallback.Fallback, error)
	SetFallback(ctx context.Context, f fallback.Fallback, change webhook.Change) (asked bool, err error)
	SendFallbackLink(ctx context.Context, account webhook.AccountID, id webhook.WebhookID, change webhook.Change) (fallback.Fallback, error)
	RemoveFallback(ctx context.Context, account webhook.AccountID, id webhook.WebhookID, change webhook.Change) (fallback.Fallback, error)
	FallbackByToken(ctx context.Context, hash []byte, now time.Time) (fallback.Fallback, error)
	ConfirmFallback(ctx context.Context, hash []byte, guests bool, now time.Time) error
	FallbackOf(ctx context.Context, id webhook.WebhookID) (fallback.Fallback, error)
	StopFallback(ctx context.Context, id webhook.WebhookID, address string, now time.Time) error
}

// addFallback adds where the bookings of a webhook go to its settings.
func (pg *Pages) addFallback(c *fiber.Ctx, w *webhook.Webhook, form *views.FallbackForm) (err error) {
	form.Mail = pg.Mailer != nil
	form.Current, err = pg.Store.Fallback(c.UserContext(), w.Account, w.ID)
	if errors.Is(err, webhook.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if form.Problems == nil {
		form.Email, form.Guests = form.Current.Address, form.Current.Guests
	}
	_, err = pg.Store.UserByEmail(c.UserContext(), form.Current.SetBy)
	if errors.Is(err, webhook.ErrNotFound) {
		form.Gone, err = true, nil
	}
	return err
}

// SaveFallback chooses where the bookings of a webhook go while it fails.
func (pg *Pages) SaveFallback(c *fiber.Ctx) error {
	w, err := pg.webhookParam(c)
	if err != nil {
		return err
	}
	form := views.FallbackForm{Email: web.FormValue(c, "email"), Guests: web.FormValue(c, "guests") != "", Problems: webhook.Invalid{}}
	f := fallback.Fallback{Webhook: w.ID, Account: w.Account, Address: readEmail(form.Email, form.Problems), Guests: form.Guests}
	if pg.Mailer == nil {
		form.Problems = webhook.Invalid{"email": webhook.NewMessage("fallback.no_mail")}
	}
	if len(form.Problems) > 0 {
		return pg.showWebhookSettings(c, form)
	}
	asked, err := pg.Store.SetFallback(c.UserContext(), f, currentUser(c).change())
	if form.Problems, err = pg.refused(err, "email"); err != nil {
		return err
	}
	if len(form.Problems) > 0 {
		return pg.showWebhookSettings(c, form)
	}
	if asked {
		return pg.done(c, webhookPath(w.ID, views.SettingsTab), webhook.NewMessage("fallback.sent", f.Address))
	}
	return pg.done(c, webhookPath(w.ID, views.SettingsTab), webhook.NewMessage("fallback.saved", f.Address))
}

// SendFallbackLink asks the address again to confirm.
func (pg *Pages) SendFallbackLink(c *fiber.Ctx) error {
	w, err := pg.webhookParam(c)
	if err != nil {
		return err
	}
	if pg.Mailer == nil {
		return pg.showWebhookSettings(c, views.FallbackForm{Problems: webhook.Invalid{"email": webhook.NewMessage("fallback.no_mail")}})
	}
	f, err := pg.Store.SendFallbackLink(c.UserContext(), w.Account, w.ID, currentUser(c).change())
	if errors.Is(err, webhook.ErrConflict) {
		return pg.done(c, webhookPath(w.ID, views.SettingsTab), webhook.NewMessage("fallback.confirmed", f.Address))
	}
	problems, err := pg.refused(err, "email")
	if err != nil {
		return err
	}
	if len(problems) > 0 {
		return pg.showWebhookSettings(c, views.FallbackForm{Email: f.Address, Guests: f.Guests, Problems: problems})
	}
	return pg.done(c, webhookPath(w.ID, views.SettingsTab), webhook.NewMessage("fallback.sent", f.Address))
}

// RemoveFallback ends what is sent while a webhook fails.
func (pg *Pages) RemoveFallback(c *fiber.Ctx) error {
	w, err := pg.webhookParam(c)
	if err != nil {
		return err
	}
	f, err := pg.Store.RemoveFallback(c.UserContext(), w.Account, w.ID, currentUser(c).change())
	if err != nil {
		return err
	}
	return pg.done(c, webhookPath(w.ID, views.SettingsTab), webhook.NewMessage("fallback.removed", f.Address))
}

var fallbackUnknown = &web.Problem{
	Type: "not-found", Title: "This link does not work", Status: http.StatusNotFound,
	Meaning: "It is not complete, it was used before, or it has ended. Nothing has changed.", Next: "Copy the whole link from the message, or ask who sent you here for another one.",
}

// linkProps returns what the pages behind the links show of a fallback.
func (pg *Pages) linkProps(c *fiber.Ctx, f fallback.Fallback, err error) (views.FallbackLinkProps, error) {
	c.Set(fiber.HeaderReferrerPolicy, "no-referrer") // the address has the token
	props := views.FallbackLinkProps{Outside: pg.outside(c), Fallback: f}
	if errors.Is(err, webhook.ErrNotFound) {
		return props, fallbackUnknown
	}
	if err != nil {
		return props, err
	}
	w, err := pg.Store.Webhook(c.UserContext(), f.Account, f.Webhook)
	if err != nil {
		return props, err
	}
	account, err := pg.Store.Account(c.UserContext(), f.Account)
	props.Webhook, props.Account = w.Name, account.Name
	return props, err
}

// toConfirm returns what a link would confirm.
func (pg *Pages) toConfirm(c *fiber.Ctx, token string) (views.FallbackLinkProps, error) {
	f, err := pg.Store.FallbackByToken(c.UserContext(), auth.HashSecret(token), time.Now())
	props, err := pg.linkProps(c, f, err)
	props.Token = token
	return props, err
}

// ShowConfirmFallback asks who has a link whether bookings may go to their address. It
// changes nothing.
func (pg *Pages) ShowConfirmFallback(c *fiber.Ctx) error {
	props, err := pg.toConfirm(c, c.Query("token"))
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, views.ConfirmFallback(props))
}

// ConfirmFallback confirms the address, for what the page showed: it is shown again if
// something else was chosen meanwhile.
func (pg *Pages) ConfirmFallback(c *fiber.Ctx) error {
	props, err := pg.toConfirm(c, web.FormValue(c, "token"))
	if err != nil {
		return err
	}
	err = pg.Store.ConfirmFallback(c.UserContext(), auth.HashSecret(props.Token), web.FormValue(c, "guests") != "", time.Now())
	switch {
	case errors.Is(err, webhook.ErrNotFound): // used meanwhile
		return fallbackUnknown
	case errors.Is(err, webhook.ErrConflict):
		if props, err = pg.toConfirm(c, props.Token); err != nil {
			return err
		}
		props.Changed = true
		return render(c, http.StatusConflict, views.ConfirmFallback(props))
	case err != nil:
		return err
	}
	props.Done = true
	return render(c, http.StatusOK, views.ConfirmFallback(props))
}

// toStop returns what a link would stop.
func (pg *Pages) toStop(c *fiber.Ctx) (views.FallbackLinkProps, error) {
	token := c.Query("token")
	id, err := auth.StopTokenWebhook(token)
	if err != nil {
		return pg.linkProps(c, fallback.Fallback{}, webhook.ErrNotFound)
	}
	f, err := pg.Store.FallbackOf(c.UserContext(), id)
	if err == nil && !auth.SameToken(token, auth.StopToken(pg.StopKey, id, f.Address)) {
		f, err = fallback.Fallback{}, webhook.ErrNotFound
	}
	props, err := pg.linkProps(c, f, err)
	props.Token = token
	return props, err
}

// ShowStopFallback asks who has a link whether they want no more bookings. It changes
// nothing.
func (pg *Pages) ShowStopFallback(c *fiber.Ctx) error {
	props, err := pg.toStop(c)
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, views.StopFallback(props))
}

// StopFallback ends the messages. Mail programs post to it without a page, too (RFC 8058).
func (pg *Pages) StopFallback(c *fiber.Ctx) error {
	props, err := pg.toStop(c)
	if err != nil {
		return err
	}
	if err := pg.Store.StopFallback(c.UserContext(), props.Fallback.Webhook, props.Fallback.Address, time.Now()); err != nil {
		return err
	}
	props.Done = true
	return render(c, http.StatusOK, views.StopFallback(props))
}
