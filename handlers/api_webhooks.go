package handlers

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/gofiber/fiber/v2"

	"bookhook/webhook"
)

// maxEventKeys is how long the list of a webhook's events may be.
const maxEventKeys = 1000

func (a *app) apiListWebhooks(c *fiber.Ctx) error {
	q := readQuery(c)
	q.id("cursor", webhook.WebhookPrefix)
	if err := q.problems.Err(); err != nil {
		return err
	}
	hooks, err := a.Store.Webhooks(c.UserContext(), calling(c).Account)
	if err != nil {
		return err
	}
	hooks = behind(hooks, q.values["cursor"], (*webhook.Webhook).Ref)
	return sendJSON(c, http.StatusOK, listOf(hooks, q.limit, (*webhook.Webhook).Ref, showHook))
}

func (a *app) apiShowWebhook(c *fiber.Ctx) error {
	w, err := a.hookOf(c)
	if err != nil {
		return err
	}
	backlog, err := a.Store.Backlog(c.UserContext(), w.Account, w.ID)
	if err != nil {
		return err
	}
	return sendJSON(c, http.StatusOK, struct {
		hookJSON
		Waiting waitingJSON `json:"waiting"`
		Circuit circuitJSON `json:"circuit"`
	}{showHook(w), showBacklog(backlog), showCircuit(a.Dispatcher.Circuit(w.ID))})
}

// apiAddWebhook makes a webhook; its secret stands in this answer only.
func (a *app) apiAddWebhook(c *fiber.Ctx) error {
	body, err := readBody(c)
	if err != nil {
		return err
	}
	d := webhook.NewDraft(nil)
	d.Account = calling(c).Account
	enabled := true
	field(body, "enabled", "true or false", &enabled)
	readDraft(body, &d)
	w, err := a.hookFrom(c, body, &d)
	if err != nil {
		return err
	}
	w.Enabled = enabled
	created, err := a.Store.CreateWebhook(c.UserContext(), w, nil, byToken(c), time.Now())
	if err != nil {
		return a.overLimit(c, d.Account, err)
	}
	a.Dispatcher.Changed(created.ID)
	c.Location("/api/v1/webhooks/" + created.Ref())
	return sendJSON(c, http.StatusCreated, struct {
		hookJSON
		Secret string `json:"secret"`
	}{showHook(created), created.Secret})
}

// overLimit tells the limit to who has reached it.
func (a *app) overLimit(c *fiber.Ctx, id webhook.ID, err error) error {
	if !errors.Is(err, webhook.ErrLimit) {
		return err
	}
	account, failed := a.Store.Account(c.UserContext(), id)
	if failed != nil {
		return failed
	}
	p := asProblem(err)
	p.Detail = fmt.Sprintf("This account may have %d asynchronous webhooks. %s", account.WebhookLimit, p.Detail)
	return p
}

// apiChangeWebhook changes what the body names and leaves the rest.
func (a *app) apiChangeWebhook(c *fiber.Ctx) error {
	w, err := a.hookOf(c)
	if err != nil {
		return err
	}
	body, err := readBody(c)
	if err != nil {
		return err
	}
	var enabled *bool
	field(body, "enabled", "true or false", &enabled)
	if len(body.members) > 0 {
		err = a.editHook(c, body, w)
	} else {
		err = body.end()
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
	return a.apiShowWebhook(c)
}

func (a *app) editHook(c *fiber.Ctx, body *object, w *webhook.Webhook) error {
	d := webhook.EditDraft(w)
	readDraft(body, &d)
	if d.Kind != w.Kind {
		body.wrong("type", "%s", webhook.TypeStays)
	}
	edited, err := a.hookFrom(c, body, &d)
	if err != nil {
		return err
	}
	if err := a.Store.UpdateWebhook(c.UserContext(), edited, d.Base, nil, byToken(c), time.Now()); err != nil {
		return err
	}
	a.Dispatcher.Changed(w.ID)
	return nil
}

// apiDeleteWebhook deletes a webhook; what waits for it is cancelled.
func (a *app) apiDeleteWebhook(c *fiber.Ctx) error {
	id, err := refParam(c, webhook.WebhookPrefix)
	if err != nil {
		return err
	}
	if _, err := a.Store.DeleteWebhook(c.UserContext(), calling(c).Account, id, byToken(c), time.Now()); err != nil {
		return err
	}
	a.Dispatcher.Changed(id)
	return c.SendStatus(http.StatusNoContent)
}

// apiTestWebhook sends a test event to a webhook, whatever its filters.
func (a *app) apiTestWebhook(c *fiber.Ctx) error {
	w, err := a.hookOf(c)
	if err != nil {
		return err
	}
	if err := readNothing(c); err != nil {
		return err
	}
	d, err := a.Dispatcher.Test(c.UserContext(), w.Account, w.ID, a.testEvent(w))
	if err != nil {
		return err
	}
	return sendJSON(c, http.StatusAccepted, showDelivery(d, time.Now()))
}

// hookOf finds the webhook in the path.
func (a *app) hookOf(c *fiber.Ctx) (*webhook.Webhook, error) {
	id, err := refParam(c, webhook.WebhookPrefix)
	if err != nil {
		return nil, err
	}
	return a.Store.Webhook(c.UserContext(), calling(c).Account, id)
}

// hookFrom turns the draft that was read from the body into a webhook; its
// error has all that is wrong with either.
func (a *app) hookFrom(c *fiber.Ctx, body *object, d *webhook.Draft) (*webhook.Webhook, error) {
	known, err := a.known(c.UserContext(), d.Account)
	if err != nil {
		return nil, err
	}
	wrong := body.end()
	w, err := d.Webhook(known)
	if wrong == nil {
		return w, err
	}
	if problems, ok := errors.AsType[webhook.Invalid](err); ok {
		body.problems.Merge(problems)
	}
	return nil, wrong
}

// readDraft takes the members of a webhook out of the body.
func readDraft(o *object, d *webhook.Draft) {
	text(o, "name", &d.Name)
	text(o, "url", &d.URL)
	text(o, "type", &d.Kind)
	text(o, "format", &d.Format)
	o.pace(d)
	o.basic("basic_auth", &d.Basic)
	payload := !d.Bare
	field(o, "payload", "true or false", &payload)
	d.Bare = !payload
	if keys := o.refs("events", "events", maxEventKeys); keys != nil {
		d.AllEvents, d.Events = slices.Equal(keys, []string{webhook.AllEventsKey}), keys
		if !d.AllEvents && slices.Contains(keys, webhook.AllEventsKey) {
			o.wrong("events", "“*” stands for all events; send it alone.")
		}
	}
	o.filter("channels", &d.Channels)
	o.filter("tours", &d.Tours)
}

// pace reads how a webhook is called; what is for the other type is refused.
func (o *object) pace(d *webhook.Draft) {
	foreign, why := []string{"time_limit"}, "Only a synchronous webhook has a time limit; leave it out."
	if d.Kind == webhook.Inline {
		foreign, why = []string{"concurrency", "ordered", "rate_limit"}, "A synchronous webhook is asked at once, whatever else is on its way; leave this out."
		if d.Format == webhook.Standard {
			o.wrong("format", "A synchronous webhook is asked in the native format only.")
		}
	}
	for _, name := range foreign {
		if o.take(name) != nil {
			o.wrong(name, "%s", why)
		}
	}
	field(o, "time_limit", "a whole number of seconds", &d.TimeLimit)
	field(o, "concurrency", "a whole number", &d.Concurrency)
	field(o, "ordered", "true or false", &d.Ordered)
	o.rate("rate_limit", &d.Rate)
}

func (o *object) filter(name string, f *webhook.Filter) {
	value := o.take(name)
	if value == nil {
		return
	}
	member := newObject(o.path+name+".", value, o.problems)
	*f = webhook.Filter{}
	text(member, "mode", &f.Mode)
	f.IDs = member.refs("ids", name, webhook.MaxFilterIDs)
	if f.Mode == webhook.All && len(f.IDs) > 0 {
		member.wrong("ids", "The mode “all” takes no ids.")
	}
	_ = member.end() // what is wrong is told by the whole
}

// rate reads how often a webhook may be called; null takes the bound away.
func (o *object) rate(name string, r *webhook.Rate) {
	if string(o.members[name]) == "null" {
		*r = webhook.Rate{}
	}
	value := o.take(name)
	if value == nil {
		return
	}
	member := newObject(o.path+name+".", value, o.problems)
	*r = webhook.Rate{}
	field(member, "requests", "a whole number", &r.Requests)
	text(member, "per", &r.Per)
	if *r == (webhook.Rate{}) {
		o.wrong(name, "Send requests and per, such as {\"requests\":60,\"per\":\"minute\"}, or null for no limit.")
	}
	_ = member.end() // what is wrong is told by the whole
}

// basic reads a value of Basic authentication; null takes it away.
func (o *object) basic(name string, to *string) {
	if _, given := o.members[name]; !given {
		return
	}
	var typed, problem string
	text(o, name, &typed)
	if *to, problem = webhook.ReadBasic(typed); problem != "" {
		o.wrong(name, "%s", problem)
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
		HasBasicAuth: w.Basic != "", Payload: !w.Bare, CreatedAt: moment(w.CreatedAt), UpdatedAt: moment(w.UpdatedAt), FailingSince: moment(w.FailingSince), OffReason: w.OffReason,
	}
	if w.Kind == webhook.Inline {
		shown.TimeLimit = &w.TimeLimit
	}
	if w.Rate != (webhook.Rate{}) {
		shown.RateLimit = &w.Rate
	}
	return shown
}

// waitingJSON is what waits for a webhook.
type waitingJSON struct {
	Count    int        `json:"count"`
	More     bool       `json:"more"` // than were counted
	OldestAt *time.Time `json:"oldest_at"`
}

func showBacklog(b webhook.Backlog) waitingJSON {
	return waitingJSON{min(b.Waiting, webhook.CountCap), b.Waiting > webhook.CountCap, moment(b.Oldest)}
}

// circuitJSON is how a webhook's receiver is treated after failures in a row.
type circuitJSON struct {
	Open     bool       `json:"open"`
	Failures int        `json:"failures"`
	ProbeAt  *time.Time `json:"probe_at"`
}

func showCircuit(c webhook.Circuit) circuitJSON {
	return circuitJSON{c.Open(), c.Failures, moment(c.ProbeAt)}
}
