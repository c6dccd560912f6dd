package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/gofiber/fiber/v2"

	"bookhook/handlers/web"
	"bookhook/webhook"
)

// WebhookStore is what the API needs of the webhooks.
type WebhookStore interface {
	Webhooks(ctx context.Context, account webhook.AccountID) ([]*webhook.Webhook, error)
	Webhook(ctx context.Context, account webhook.AccountID, id webhook.WebhookID) (*webhook.Webhook, error)
	Backlog(ctx context.Context, account webhook.AccountID, id webhook.WebhookID) (webhook.Backlog, error)
	CreateWebhook(ctx context.Context, w *webhook.Webhook, from *webhook.Draft, change webhook.Change) (*webhook.Webhook, error)
	UpdateWebhook(ctx context.Context, u webhook.Update, change webhook.Change) (before *webhook.Webhook, err error)
	SetEnabled(ctx context.Context, account webhook.AccountID, id webhook.WebhookID, enabled bool, change webhook.Change) (before *webhook.Webhook, err error)
	DeleteWebhook(ctx context.Context, account webhook.AccountID, id webhook.WebhookID, change webhook.Change) (cancelled int64, err error)
}

// ListWebhooks lists the webhooks by their ids.
func (a *API) ListWebhooks(c *fiber.Ctx) error {
	q := readQuery(c)
	queryID[webhook.WebhookID](q, "cursor")
	if err := q.problems.Err(); err != nil {
		return err
	}
	hooks, err := a.Store.Webhooks(c.UserContext(), currentToken(c).Account)
	if err != nil {
		return err
	}
	id := func(w *webhook.Webhook) string { return w.ID.String() }
	return web.SendJSON(c, http.StatusOK, listOf(sortedAfter(hooks, q.values["cursor"], id), q.limit, id, showHook))
}

// ShowWebhook shows a webhook, its backlog and its circuit.
func (a *API) ShowWebhook(c *fiber.Ctx) error {
	w, err := a.webhookParam(c)
	if err != nil {
		return err
	}
	backlog, err := a.Store.Backlog(c.UserContext(), w.Account, w.ID)
	if err != nil {
		return err
	}
	return web.SendJSON(c, http.StatusOK, struct {
		hookJSON
		Waiting waitingJSON `json:"waiting"`
		Circuit circuitJSON `json:"circuit"`
	}{showHook(w), showBacklog(backlog), showCircuit(w.Circuit)})
}

// AddWebhook creates a webhook; its secret is in this response only.
func (a *API) AddWebhook(c *fiber.Ctx) error {
	body, err := web.ReadObject(c)
	if err != nil {
		return err
	}
	d := webhook.NewDraft(nil)
	d.Account = currentToken(c).Account
	enabled := true
	web.Field(body, "enabled", "true or false", &enabled)
	readConfig(body, &d)
	w, err := a.readWebhook(c, body, &d)
	if err != nil {
		return err
	}
	w.Enabled = enabled
	created, err := a.Store.CreateWebhook(c.UserContext(), w, nil, byToken(c))
	if err != nil {
		return err
	}
	c.Location("/api/v1/webhooks/" + created.ID.String())
	return web.SendJSON(c, http.StatusCreated, struct {
		hookJSON
		Secret string `json:"secret"`
	}{showHook(created), created.Secret})
}

// ChangeWebhook changes the fields that the body has and leaves the others, in one
// transaction.
func (a *API) ChangeWebhook(c *fiber.Ctx) error {
	w, err := a.webhookParam(c)
	if err != nil {
		return err
	}
	body, err := web.ReadObject(c)
	if err != nil {
		return err
	}
	var enabled *bool
	web.Field(body, "enabled", "true or false", &enabled)
	if body.IsEmpty() {
		err = a.setEnabled(c, body, w, enabled)
	} else {
		err = a.updateWebhook(c, body, w, enabled)
	}
	if err != nil {
		return err
	}
	return a.ShowWebhook(c)
}

// setEnabled is for a change that only switches the webhook on or off, or changes
// nothing.
func (a *API) setEnabled(c *fiber.Ctx, body *web.Object, w *webhook.Webhook, enabled *bool) error {
	if err := body.End(); err != nil || enabled == nil || *enabled == w.Enabled {
		return err
	}
	_, err := a.Store.SetEnabled(c.UserContext(), w.Account, w.ID, *enabled, byToken(c))
	return err
}

func (a *API) updateWebhook(c *fiber.Ctx, body *web.Object, w *webhook.Webhook, enabled *bool) error {
	d := webhook.EditDraft(w)
	readConfig(body, &d)
	if d.Kind != w.Kind {
		body.WrongMessage("type", webhook.KindFixed)
	}
	edited, err := a.readWebhook(c, body, &d)
	if err != nil {
		return err
	}
	_, err = a.Store.UpdateWebhook(c.UserContext(), webhook.Update{Webhook: edited, Enabled: enabled, Base: d.Base}, byToken(c))
	return err
}

// DeleteWebhook deletes a webhook; its waiting deliveries are cancelled.
func (a *API) DeleteWebhook(c *fiber.Ctx) error {
	id, err := web.IDParam[webhook.WebhookID](c)
	if err != nil {
		return err
	}
	if _, err := a.Store.DeleteWebhook(c.UserContext(), currentToken(c).Account, id, byToken(c)); err != nil {
		return err
	}
	return c.SendStatus(http.StatusNoContent)
}

// TestWebhook sends a test event to a webhook, whatever its filters and also if it is
// off. How often is limited.
func (a *API) TestWebhook(c *fiber.Ctx) error {
	w, err := a.webhookParam(c)
	if err != nil {
		return err
	}
	e, err := a.readTest(c, w)
	if err != nil {
		return err
	}
	if err := a.Store.CountCheck(c.UserContext(), w.Account, time.Now()); err != nil {
		return err
	}
	d, err := a.Dispatcher.Test(c.UserContext(), w.Account, w.ID, e)
	if err != nil {
		return err
	}
	return web.SendJSON(c, http.StatusAccepted, showDelivery(d, time.Now()))
}

// readTest reads of which type a test event is to be; without one, it is of the first
// that the webhook receives.
func (a *API) readTest(c *fiber.Ctx, w *webhook.Webhook) (webhook.Event, error) {
	key := ""
	if len(web.BodyOf(c)) > 0 {
		body, err := web.ReadObject(c)
		if err != nil {
			return webhook.Event{}, err
		}
		key = a.readEventKey(body)
		if err := body.End(); err != nil {
			return webhook.Event{}, err
		}
	}
	e, known := a.Platforms.TestEventOf(w, key, time.Now())
	if !known {
		return e, webhook.Invalid{"type": webhook.NewMessage("test.type")}
	}
	return e, nil
}

// webhookParam finds the webhook in the path.
func (a *API) webhookParam(c *fiber.Ctx) (*webhook.Webhook, error) {
	id, err := web.IDParam[webhook.WebhookID](c)
	if err != nil {
		return nil, err
	}
	return a.Store.Webhook(c.UserContext(), currentToken(c).Account, id)
}

// readWebhook turns the draft that was read from the body into a webhook; its error
// has all problems of both.
func (a *API) readWebhook(c *fiber.Ctx, body *web.Object, d *webhook.Draft) (*webhook.Webhook, error) {
	known, err := a.known(c.UserContext(), d.Account)
	if err != nil {
		return nil, err
	}
	wrong := body.End()
	w, err := d.Webhook(known)
	if wrong == nil {
		return w, err
	}
	if problems, ok := errors.AsType[webhook.Invalid](err); ok {
		body.Problems.Merge(problems)
	}
	return nil, wrong
}

// waitingJSON is what is waiting for a webhook.
type waitingJSON struct {
	Count    int        `json:"count"`
	More     bool       `json:"more"` // there are more than were counted
	OldestAt *time.Time `json:"oldest_at"`
}

func showBacklog(b webhook.Backlog) waitingJSON {
	return waitingJSON{min(b.Waiting, webhook.CountCap), b.Waiting > webhook.CountCap, timeOrNull(b.Oldest)}
}

// circuitJSON is how a webhook's receiver is treated after failures in a row.
type circuitJSON struct {
	Open     bool       `json:"open"`
	Failures int        `json:"failures"`
	ProbeAt  *time.Time `json:"probe_at"`
}

func showCircuit(c webhook.Circuit) circuitJSON {
	return circuitJSON{c.Open(), c.Failures, timeOrNull(c.ProbeAt)}
}
