package handlers

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"bookhook/platforms"
	"bookhook/webhook"
)

// The API that clients written for Prioticket's Distributor API use.
const (
	prioPath    = "/v3.8/distributor"
	prioVersion = "3.8.0"
	prioKey     = "prioticket" // of the platform
)

// Bounds of a list of Prioticket's.
const (
	prioItems    = 10 // in a page, if not said otherwise
	maxPrioItems = 200
	maxPrioStart = 10_000
	maxPrioPage  = 10_000_000
)

// prioWebhook is a webhook as Prioticket shows it. The value of webhook_auth is
// never shown.
type prioWebhook struct {
	ID      string   `json:"webhook_id"`
	Status  string   `json:"webhook_status"`
	Version string   `json:"webhook_version"`
	Events  []string `json:"webhook_events"`
	URL     string   `json:"webhook_url"`
	Email   string   `json:"webhook_email,omitempty"`
	Payload bool     `json:"webhook_payload"`
	Created string   `json:"webhook_created"`
}

// prioTime is RFC 3339 with an offset in figures; Prioticket does not take Z.
const prioTime = "2006-01-02T15:04:05-07:00"

func showPrioWebhook(p platforms.Platform, w *webhook.Webhook) prioWebhook {
	status := "ENABLED"
	if !w.Enabled {
		status = "DISABLED"
	}
	return prioWebhook{
		ID: w.ID.UUID(), Status: status, Version: prioVersion, Events: prioEvents(p, w), URL: w.URL,
		Email: w.Email, Payload: !w.Bare, Created: w.CreatedAt.UTC().Format(prioTime),
	}
}

// prioEvents are the events of the platform that an asynchronous webhook is
// told of, without the platform before them.
func prioEvents(p platforms.Platform, w *webhook.Webhook) []string {
	var keys []string
	for _, e := range p.Events {
		if w.Kind == webhook.Async && (w.AllEvents() || slices.Contains(w.Events, webhook.EventKey(p.Key, e.Key))) {
			keys = append(keys, e.Key)
		}
	}
	return keys
}

// prioHooks are the webhooks of the account that are told of any of the
// platform's events, in the order they were made.
func (a *app) prioHooks(c *fiber.Ctx) (p platforms.Platform, ours, all []*webhook.Webhook, err error) {
	p, known := a.Platforms.Get(prioKey)
	if !known {
		return p, nil, nil, webhook.ErrNotFound
	}
	all, err = a.Store.Webhooks(c.UserContext(), granted(c).Account)
	for _, w := range all {
		if len(prioEvents(p, w)) > 0 {
			ours = append(ours, w)
		}
	}
	return p, ours, all, err
}

// prioListWebhooks lists a page of them. Parameters that are not known are
// passed over, as everything in this API.
func (a *app) prioListWebhooks(c *fiber.Ctx) error {
	problems := webhook.Invalid{}
	per := prioNumber(c, problems, "items_per_page", prioItems, maxPrioItems)
	start := prioNumber(c, problems, "start_index", 1, maxPrioStart)
	if page := prioNumber(c, problems, "page", 0, maxPrioPage); page > 0 {
		start = (page-1)*per + 1
	}
	if len(problems) > 0 {
		return &problem{
			Type: "malformed", Title: "The address has a parameter that cannot be", Status: http.StatusBadRequest,
			Detail: "Send whole numbers in their range, or leave them out.", Errors: problems,
		}
	}
	p, hooks, _, err := a.prioHooks(c)
	if err != nil {
		return err
	}
	if only := c.Query("webhook_id"); only != "" {
		hooks = slices.DeleteFunc(hooks, func(w *webhook.Webhook) bool { return !strings.EqualFold(w.ID.UUID(), only) })
	}
	total := len(hooks)
	items := []prioWebhook{}
	for _, w := range hooks[min(start-1, total):min(start-1+per, total)] {
		items = append(items, showPrioWebhook(p, w))
	}
	return sendPrio(c, http.StatusOK, fiber.Map{
		"kind": "webhook", "current_item_count": len(items), "items_per_page": per, "start_index": start, "total_items": total,
		"page_index": (start-1)/per + 1, "total_pages": (total + per - 1) / per, "items": items,
	})
}

// prioNumber reads a number of the query from 1 to most.
func prioNumber(c *fiber.Ctx, problems webhook.Invalid, name string, otherwise, most int) int {
	value := c.Query(name)
	if value == "" {
		return otherwise
	}
	n, err := strconv.Atoi(value)
	if err != nil || n < 1 || n > most {
		problems.Add(name, "Send a whole number from 1 to %d.", most)
	}
	return n
}

func sendPrio(c *fiber.Ctx, status int, data fiber.Map) error {
	return sendJSON(c, status, fiber.Map{"api_version": prioVersion, "data": data})
}

// prioAddWebhook makes a webhook, and switches the platform on in the account:
// who makes a webhook for Prioticket's events uses Prioticket.
func (a *app) prioAddWebhook(c *fiber.Ctx) error {
	body, err := readPrio(c, "webhook")
	if err != nil {
		return err
	}
	d, err := readPrioWebhook(body)
	if err != nil {
		return err
	}
	p, _, all, err := a.prioHooks(c)
	if err != nil {
		return err
	}
	w, err := a.prioWebhookFrom(c, p, d, all)
	if err != nil {
		return err
	}
	account, err := a.Store.Account(c.UserContext(), w.Account)
	if err != nil {
		return err
	}
	if used(all) >= account.WebhookLimit { // before anything is switched on
		return a.overLimit(c, w.Account, webhook.ErrLimit)
	}
	if err := a.usePrio(c); err != nil {
		return err
	}
	created, err := a.Store.CreateWebhook(c.UserContext(), w, nil, byClient(c), time.Now())
	if err != nil {
		return a.overLimit(c, w.Account, err)
	}
	a.Dispatcher.Changed(created.ID)
	return sendPrio(c, http.StatusCreated, fiber.Map{"kind": "webhook", "webhook": showPrioWebhook(p, created)})
}

// usePrio switches the platform on where it is not.
func (a *app) usePrio(c *fiber.Ctx) error {
	account := granted(c).Account
	connection, err := a.Store.Connection(c.UserContext(), account, prioKey)
	if connection.Enabled || err != nil && !errors.Is(err, webhook.ErrNotFound) {
		return err
	}
	_, err = a.Store.SwitchPlatform(c.UserContext(), account, prioKey, true, byClient(c), time.Now())
	return err
}

// readPrio reads a body in which data holds what the request is about.
func readPrio(c *fiber.Ctx, name string) (*object, error) {
	body, err := readBody(c)
	if err != nil {
		return nil, err
	}
	return body.child("data").child(name), nil
}

// child is a member that must be there and be an object.
func (o *object) child(name string) *object {
	value := o.take(name)
	if value == nil {
		if len(o.problems) == 0 { // else it is missing in what is missing
			o.wrong(name, "Must be there, and be an object, such as {…}.")
		}
		value = json.RawMessage("{}")
	}
	return newObject(o.path+name+".", value, o.problems)
}

// readPrioWebhook reads a webhook into a draft, of which the events are without
// their platform. Members that are not known, or not for clients to set, are
// passed over.
func readPrioWebhook(o *object) (*webhook.Draft, error) {
	d := webhook.NewDraft(nil)
	payload := true
	text(o, "webhook_url", &d.URL)
	text(o, "webhook_email", &d.Email)
	text(o, "webhook_auth", &d.Basic)
	field(o, "webhook_payload", "true or false", &payload)
	d.Bare = !payload
	for i, value := range o.list("webhook_events", "events", maxEventKeys) {
		key, ok := unquote(value)
		if !ok {
			o.wrong(element("webhook_events", i), "Must be text in quotes.")
		}
		d.Events = append(d.Events, key)
	}
	return &d, wrongTypes(o.problems)
}

// prioFields are the names that the fields of a draft have here.
var prioFields = map[string]string{"url": "webhook_url", "events": "webhook_events", "basic_auth": "webhook_auth"}

// prioWebhookFrom makes the webhook of a draft, or tells all that is wrong.
func (a *app) prioWebhookFrom(c *fiber.Ctx, p platforms.Platform, d *webhook.Draft, all []*webhook.Webhook) (*webhook.Webhook, error) {
	problems := webhook.Invalid{}
	if len(d.Events) == 0 {
		problems.Add("webhook_events", "Send at least one of: %s.", prioKeys(p))
	}
	for i, key := range d.Events {
		if _, known := p.Event(key); !known {
			problems.Add("webhook_events", "%s", unknownEvent(p, key))
		}
		d.Events[i] = webhook.EventKey(p.Key, key)
	}
	if d.Email = strings.TrimSpace(d.Email); d.Email != "" {
		if _, problem := CheckEmail(d.Email); problem != "" {
			problems.Add("webhook_email", "%s", problem)
		}
		if d.URL == "" {
			problems.Add("webhook_url", "Bookhook sends no mail. Send a webhook_url too.")
		}
	}
	d.Account, d.Name = granted(c).Account, prioName(d.URL, all)
	known, err := a.known(c.UserContext(), d.Account)
	if err != nil {
		return nil, err
	}
	w, err := d.Webhook(known)
	more, err := invalid(err)
	for field, problem := range more {
		problems.Add(cmp.Or(prioFields[field], field), "%s", problem)
	}
	if err == nil {
		err = problems.Err()
	}
	return w, err
}

func unknownEvent(p platforms.Platform, key string) string {
	return fmt.Sprintf("%s has no event “%s”. Known: %s.", p.Name, echo(key), prioKeys(p))
}

func prioKeys(p platforms.Platform) string {
	return joinKeys(p.Events, func(e webhook.EventType) string { return e.Key })
}

// prioName names a webhook after the host that it calls, and numbers those of
// one host.
func prioName(address string, all []*webhook.Webhook) string {
	name := "Prioticket"
	if u, err := url.Parse(address); err == nil && u.Hostname() != "" {
		name = clip(name+": "+u.Hostname(), webhook.MaxName-10)
	}
	taken := func(name string) bool {
		return slices.ContainsFunc(all, func(w *webhook.Webhook) bool { return w.Name == name })
	}
	unique := name
	for n := 2; taken(unique); n++ {
		unique = fmt.Sprintf("%s (%d)", name, n)
	}
	return unique
}

// prioDeleteWebhook deletes a webhook that the list shows; what waits for it is
// cancelled.
func (a *app) prioDeleteWebhook(c *fiber.Ctx) error {
	id, err := webhook.ParseUUID(c.Params("webhook_id"))
	if err != nil {
		return err
	}
	_, hooks, _, err := a.prioHooks(c)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(hooks, func(w *webhook.Webhook) bool { return w.ID == id }) {
		return webhook.ErrNotFound
	}
	if _, err := a.Store.DeleteWebhook(c.UserContext(), granted(c).Account, id, byClient(c), time.Now()); err != nil {
		return err
	}
	a.Dispatcher.Changed(id)
	return c.SendStatus(http.StatusNoContent)
}

// prioNotify sends a sample to every webhook that would be told of such an
// event.
func (a *app) prioNotify(c *fiber.Ctx) error {
	body, err := readPrio(c, "notification")
	if err != nil {
		return err
	}
	var key string
	text(body, "notification_event", &key)
	item := body.ref("notification_item_id")
	if err := wrongTypes(body.problems); err != nil {
		return err
	}
	p, known := a.Platforms.Get(prioKey)
	if !known {
		return webhook.ErrNotFound
	}
	problems := webhook.Invalid{}
	if _, known := p.Event(key); !known {
		problems.Add("notification_event", "%s", unknownEvent(p, key))
	}
	if item == "" {
		problems.Add("notification_item_id", "Send the id of a product, a payment or an order; the sample is about it.")
	}
	if err := problems.Err(); err != nil {
		return err
	}
	e := p.Sample(key, item, time.Now())
	e.Test = true
	if _, err := a.Dispatcher.Ingest(c.UserContext(), granted(c).Account, []webhook.Event{e}); err != nil {
		return err
	}
	return c.SendStatus(http.StatusNoContent)
}
