package api

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/gofiber/fiber/v2"

	"bookhook/handlers/web"
	"bookhook/webhook"
)

// WebhookStore is what the API needs of the webhooks.
type WebhookStore interface {
	Webhooks(ctx context.Context, account webhook.ID) ([]*webhook.Webhook, error)
	Webhook(ctx context.Context, account, id webhook.ID) (*webhook.Webhook, error)
	Backlog(ctx context.Context, account, id webhook.ID) (webhook.Backlog, error)
	CreateWebhook(ctx context.Context, w *webhook.Webhook, from *webhook.Draft, by string, now time.Time) (*webhook.Webhook, error)
	UpdateWebhook(ctx context.Context, w *webhook.Webhook, base time.Time, from *webhook.Draft, by string, now time.Time) error
	SetEnabled(ctx context.Context, account, id webhook.ID, enabled bool, by string, now time.Time) (before *webhook.Webhook, err error)
	DeleteWebhook(ctx context.Context, account, id webhook.ID, by string, now time.Time) (cancelled int64, err error)
}

// ListWebhooks lists the webhooks by their ids.
func (a *API) ListWebhooks(c *fiber.Ctx) error {
	q := readQuery(c)
	q.id("cursor", webhook.WebhookPrefix)
	if err := q.problems.Err(); err != nil {
		return err
	}
	hooks, err := a.Store.Webhooks(c.UserContext(), currentToken(c).Account)
	if err != nil {
		return err
	}
	hooks = behind(hooks, q.values["cursor"], (*webhook.Webhook).Ref)
	return web.SendJSON(c, http.StatusOK, listOf(hooks, q.limit, (*webhook.Webhook).Ref, showHook))
}

// ShowWebhook shows a webhook, what is waiting for it and its circuit.
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
	}{showHook(w), showBacklog(backlog), showCircuit(a.Dispatcher.Circuit(w.ID))})
}

// AddWebhook creates a webhook; its secret is in this answer only.
func (a *API) AddWebhook(c *fiber.Ctx) error {
	body, err := web.ReadObject(c)
	if err != nil {
		return err
	}
	d := webhook.NewDraft(nil)
	d.Account = currentToken(c).Account
	enabled := true
	web.Field(body, "enabled", "true or false", &enabled)
	readDraft(body, &d)
	w, err := a.readWebhook(c, body, &d)
	if err != nil {
		return err
	}
	w.Enabled = enabled
	created, err := a.Store.CreateWebhook(c.UserContext(), w, nil, byToken(c), time.Now())
	if err != nil {
		return a.explainLimit(c, d.Account, err)
	}
	a.Dispatcher.Changed(created.ID)
	c.Location("/api/v1/webhooks/" + created.Ref())
	return web.SendJSON(c, http.StatusCreated, struct {
		hookJSON
		Secret string `json:"secret"`
	}{showHook(created), created.Secret})
}

// explainLimit names the account's limit if err is webhook.ErrLimit.
func (a *API) explainLimit(c *fiber.Ctx, id webhook.ID, err error) error {
	if !errors.Is(err, webhook.ErrLimit) {
		return err
	}
	account, failed := a.Store.Account(c.UserContext(), id)
	if failed != nil {
		return failed
	}
	return web.LimitReached(account.WebhookLimit, err)
}

// ChangeWebhook changes what the body names and leaves the rest.
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
	if !body.IsEmpty() {
		err = a.editHook(c, body, w)
	} else {
		err = body.End()
	}
	if err != nil {
		return err
	}
	if enabled != nil && *enabled != w.Enabled {
		if _, err := a.Store.SetEnabled(c.UserContext(), w.Account, w.ID, *enabled, byToken(c), time.Now()); err != nil {
			return err
		}
		a.Dispatcher.Changed(w.ID)
	}
	return a.ShowWebhook(c)
}

func (a *API) editHook(c *fiber.Ctx, body *web.Object, w *webhook.Webhook) error {
	d := webhook.EditDraft(w)
	readDraft(body, &d)
	if d.Kind != w.Kind {
		body.Wrong("type", "%s", webhook.TypeStays)
	}
	edited, err := a.readWebhook(c, body, &d)
	if err != nil {
		return err
	}
	if err := a.Store.UpdateWebhook(c.UserContext(), edited, d.Base, nil, byToken(c), time.Now()); err != nil {
		return err
	}
	a.Dispatcher.Changed(w.ID)
	return nil
}

// DeleteWebhook deletes a webhook; its waiting deliveries are cancelled.
func (a *API) DeleteWebhook(c *fiber.Ctx) error {
	id, err := web.IDParam(c, webhook.WebhookPrefix)
	if err != nil {
		return err
	}
	if _, err := a.Store.DeleteWebhook(c.UserContext(), currentToken(c).Account, id, byToken(c), time.Now()); err != nil {
		return err
	}
	a.Dispatcher.Changed(id)
	return c.SendStatus(http.StatusNoContent)
}

// TestWebhook sends a test event to a webhook, whatever its filters.
func (a *API) TestWebhook(c *fiber.Ctx) error {
	w, err := a.webhookParam(c)
	if err != nil {
		return err
	}
	if err := web.ReadNothing(c); err != nil {
		return err
	}
	d, err := a.Dispatcher.Test(c.UserContext(), w.Account, w.ID, a.Platforms.TestEvent(w, time.Now()))
	if err != nil {
		return err
	}
	return web.SendJSON(c, http.StatusAccepted, showDelivery(d, time.Now()))
}

// webhookParam finds the webhook in the path.
func (a *API) webhookParam(c *fiber.Ctx) (*webhook.Webhook, error) {
	id, err := web.IDParam(c, webhook.WebhookPrefix)
	if err != nil {
		return nil, err
	}
	return a.Store.Webhook(c.UserContext(), currentToken(c).Account, id)
}

// readWebhook turns the draft that was read from the body into a webhook; its
// error has all that is wrong with either.
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

// readDraft takes the members of a webhook out of the body.
func readDraft(o *web.Object, d *webhook.Draft) {
	web.Text(o, "name", &d.Name)
	web.Text(o, "url", &d.URL)
	web.Text(o, "type", &d.Kind)
	web.Text(o, "format", &d.Format)
	readRequestLimits(o, d)
	readBasic(o, "basic_auth", &d.Basic)
	payload := !d.Bare
	web.Field(o, "payload", "true or false", &payload)
	d.Bare = !payload
	if keys := o.Refs("events", "events", webhook.MaxEventKeys); keys != nil {
		d.AllEvents, d.Events = slices.Equal(keys, []string{webhook.AllEventsKey}), keys
		if !d.AllEvents && slices.Contains(keys, webhook.AllEventsKey) {
			o.Wrong("events", "“*” stands for all events; send it alone.")
		}
	}
	readFilter(o, "channels", &d.Channels)
	readFilter(o, "tours", &d.Tours)
}

// readRequestLimits reads how many requests a webhook gets and when; what is for
// the other type is refused.
func readRequestLimits(o *web.Object, d *webhook.Draft) {
	foreign, why := []string{"time_limit"}, "Only a synchronous webhook has a time limit; leave it out."
	if d.Kind == webhook.Inline {
		foreign, why = []string{"concurrency", "ordered", "rate_limit"}, "A synchronous webhook is called at once, whatever else is in flight; leave this out."
		if d.Format == webhook.Standard {
			o.Wrong("format", "A synchronous webhook is called in the native format only.")
		}
	}
	for _, name := range foreign {
		if o.Take(name) != nil {
			o.Wrong(name, "%s", why)
		}
	}
	web.Field(o, "time_limit", "a whole number of seconds", &d.TimeLimit)
	web.Field(o, "concurrency", "a whole number", &d.Concurrency)
	web.Field(o, "ordered", "true or false", &d.Ordered)
	readRate(o, "rate_limit", &d.Rate)
}

func readFilter(o *web.Object, name string, f *webhook.Filter) {
	value := o.Take(name)
	if value == nil {
		return
	}
	member := o.Child(name, value)
	*f = webhook.Filter{}
	web.Text(member, "mode", &f.Mode)
	f.IDs = member.Refs("ids", name, webhook.MaxFilterIDs)
	if f.Mode == webhook.All && len(f.IDs) > 0 {
		member.Wrong("ids", "The mode “all” takes no ids.")
	}
	_ = member.End() // what is wrong is noted for the whole
}

// readRate reads how often a webhook may be called; null removes the limit.
func readRate(o *web.Object, name string, r *webhook.Rate) {
	if o.IsNull(name) {
		*r = webhook.Rate{}
	}
	value := o.Take(name)
	if value == nil {
		return
	}
	member := o.Child(name, value)
	*r = webhook.Rate{}
	web.Field(member, "requests", "a whole number", &r.Requests)
	web.Text(member, "per", &r.Per)
	if *r == (webhook.Rate{}) {
		o.Wrong(name, "Send requests and per, such as {\"requests\":60,\"per\":\"minute\"}, or null for no limit.")
	}
	_ = member.End() // what is wrong is noted for the whole
}

// readBasic reads a value of Basic authentication; null removes it.
func readBasic(o *web.Object, name string, to *string) {
	if !o.Has(name) {
		return
	}
	var typed, problem string
	web.Text(o, name, &typed)
	if *to, problem = webhook.ReadBasic(typed); problem != "" {
		o.Wrong(name, "%s", problem)
	}
}

// hookJSON is a webhook as the API shows it.
type hookJSON struct {
	ID           string            `json:"id"`
	Name         string            `json:"name"`
	URL          string            `json:"url"`
	Type         webhook.Kind      `json:"type"`
	Format       webhook.Format    `json:"format"`
	Events       []string          `json:"events"`
	Channels     webhook.Filter    `json:"channels"`
	Tours        webhook.Filter    `json:"tours"`
	Enabled      bool              `json:"enabled"`
	Concurrency  int               `json:"concurrency"`
	Ordered      bool              `json:"ordered"`
	RateLimit    *webhook.Rate     `json:"rate_limit"`
	HasBasicAuth bool              `json:"has_basic_auth"` // its value is never shown
	Payload      bool              `json:"payload"`
	TimeLimit    *int              `json:"time_limit"` // seconds; null for an asynchronous one
	CreatedAt    *time.Time        `json:"created_at"`
	UpdatedAt    *time.Time        `json:"updated_at"`
	FailingSince *time.Time        `json:"failing_since"`
	OffReason    webhook.OffReason `json:"off_reason"`
}

func showHook(w *webhook.Webhook) hookJSON {
	shown := hookJSON{
		ID: w.Ref(), Name: w.Name, URL: w.URL, Type: w.Kind, Format: w.Format, Events: w.Events,
		Channels: w.Channels, Tours: w.Tours, Enabled: w.Enabled, Concurrency: w.Concurrency, Ordered: w.Ordered,
		HasBasicAuth: w.Basic != "", Payload: !w.Bare, CreatedAt: timeOrNull(w.CreatedAt), UpdatedAt: timeOrNull(w.UpdatedAt), FailingSince: timeOrNull(w.FailingSince), OffReason: w.OffReason,
	}
	if w.Kind == webhook.Inline {
		shown.TimeLimit = &w.TimeLimit
	}
	if w.Rate != (webhook.Rate{}) {
		shown.RateLimit = &w.Rate
	}
	return shown
}

// waitingJSON is what is waiting for a webhook.
type waitingJSON struct {
	Count    int        `json:"count"`
	More     bool       `json:"more"` // than were counted
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
