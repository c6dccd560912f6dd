package prio

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"bookhook/handlers/web"
	"bookhook/messages"
	"bookhook/platforms"
	"bookhook/webhook"
)

const platformKey = "prioticket"

// WebhookStore is what the calls about webhooks need of the database. Methods that
// take an account return webhook.ErrNotFound for what belongs to another.
type WebhookStore interface {
	Account(ctx context.Context, id webhook.AccountID) (webhook.Account, error)
	AllItems(ctx context.Context, account webhook.AccountID, kind webhook.ItemKind) ([]webhook.Item, error)
	Users(ctx context.Context, account webhook.AccountID) ([]webhook.User, error)
	Connection(ctx context.Context, account webhook.AccountID, platform string) (webhook.Connection, error)
	SwitchPlatform(ctx context.Context, account webhook.AccountID, platform string, on bool, change webhook.Change) (webhook.Connection, error)
	Webhooks(ctx context.Context, account webhook.AccountID) ([]*webhook.Webhook, error)
	CreateWebhook(ctx context.Context, w *webhook.Webhook, from *webhook.Draft, change webhook.Change) (*webhook.Webhook, error)
	DeleteWebhook(ctx context.Context, account webhook.AccountID, id webhook.WebhookID, change webhook.Change) (cancelled int64, err error)
}

// Bounds of a list.
const (
	defaultItems = 10 // in a page, by default
	maxItems     = 200
	maxStart     = 10_000
	maxPage      = 10_000_000
)

// webhookJSON is a webhook as Prioticket shows it. The value of webhook_auth is
// never shown.
type webhookJSON struct {
	ID           string   `json:"webhook_id"`
	Status       string   `json:"webhook_status"`
	Version      string   `json:"webhook_version"`
	Events       []string `json:"webhook_events"`
	URL          string   `json:"webhook_url"`
	Email        string   `json:"webhook_email,omitempty"`
	Payload      any      `json:"webhook_payload"` // see payloadOf
	Created      string   `json:"webhook_created"`
	CreatedName  string   `json:"webhook_created_name"`
	CreatedEmail string   `json:"webhook_created_email"`
}

func showWebhook(c *fiber.Ctx, p platforms.Platform, w *webhook.Webhook, by creator) webhookJSON {
	status := "ENABLED"
	if !w.Enabled {
		status = "DISABLED"
	}
	version := versionOf(c)
	return webhookJSON{
		ID: uuidOf(w.ID), Status: status, Version: version + ".0", Events: eventsOf(p, w), URL: w.URL,
		Email: w.ContactEmail, Payload: payloadOf(version, !w.OmitPayload), Created: w.CreatedAt.UTC().Format(timeLayout),
		CreatedName: by.name, CreatedEmail: by.email,
	}
}

// timeLayout is RFC 3339 with milliseconds and a numeric offset; Prioticket does not
// accept Z.
const timeLayout = "2006-01-02T15:04:05.000-07:00"

// eventsOf returns the events of the platform that an asynchronous webhook receives,
// without the platform before them. For one that receives all events, they are those
// that Prioticket documents: strict clients fail at a key that they do not know, and
// nobody has asked for the others.
func eventsOf(p platforms.Platform, w *webhook.Webhook) []string {
	var keys []string
	for _, e := range p.Events {
		if w.Kind == webhook.Async && (w.AllEvents && e.Assumed == "" || slices.Contains(w.Events, webhook.EventKey(p.Key, e.Key))) {
			keys = append(keys, e.Key)
		}
	}
	return keys
}

// webhooks returns the webhooks of the account that receive any of the platform's
// events, in the order they were created, and all webhooks of the account.
func (pr *Prio) webhooks(c *fiber.Ctx) (p platforms.Platform, ours, all []*webhook.Webhook, err error) {
	p, known := pr.Platforms.Get(platformKey)
	if !known {
		return p, nil, nil, webhook.ErrNotFound
	}
	if all, err = pr.Store.Webhooks(c.UserContext(), currentClient(c).Account); err != nil {
		return p, nil, nil, err
	}
	for _, w := range all {
		if len(eventsOf(p, w)) > 0 {
			ours = append(ours, w)
		}
	}
	return p, ours, all, nil
}

// ListWebhooks lists a page of the webhooks. Unknown parameters are ignored, as
// everywhere in this API.
func (pr *Prio) ListWebhooks(c *fiber.Ctx) error {
	start, per, err := readPage(c)
	if err != nil {
		return err
	}
	p, hooks, _, err := pr.webhooks(c)
	if err != nil {
		return err
	}
	if only := c.Query("webhook_id"); only != "" {
		hooks = slices.DeleteFunc(hooks, func(w *webhook.Webhook) bool { return !strings.EqualFold(uuidOf(w.ID), only) })
	}
	account, err := pr.Store.Account(c.UserContext(), currentClient(c).Account)
	if err != nil {
		return err
	}
	by, err := pr.creators(c.UserContext(), account)
	if err != nil {
		return err
	}
	total := len(hooks)
	items := []webhookJSON{}
	for _, w := range hooks[min(start-1, total):min(start-1+per, total)] {
		items = append(items, showWebhook(c, p, w, by(w)))
	}
	return send(c, http.StatusOK, fiber.Map{
		"kind": "webhook", "current_item_count": len(items), "items_per_page": per, "start_index": start, "total_items": total,
		"page_index": (start-1)/per + 1, "total_pages": (total + per - 1) / per, "items": items,
	})
}

// readPage reads which part of a list is asked for: the index of its first item,
// from 1, and the number of items. A page above 1 holds before a start_index;
// generated clients send page=1 with every request.
func readPage(c *fiber.Ctx) (start, per int, err error) {
	problems := webhook.Invalid{}
	per = queryNumber(c, problems, "items_per_page", defaultItems, maxItems)
	start = queryNumber(c, problems, "start_index", 1, maxStart)
	if page := queryNumber(c, problems, "page", 1, maxPage); page > 1 {
		start = (page-1)*per + 1
	}
	if len(problems) > 0 {
		return 0, 0, &web.Problem{
			Type: "malformed", Title: "A parameter of the query is not valid", Status: http.StatusBadRequest,
			Detail: "Send whole numbers in their range, or leave the parameters out.", Errors: messages.Problems(problems),
		}
	}
	return start, per, nil
}

// queryNumber reads a number of the query from 1 to most.
func queryNumber(c *fiber.Ctx, problems webhook.Invalid, name string, otherwise, most int) int {
	value := c.Query(name)
	if value == "" {
		return otherwise
	}
	n, err := strconv.Atoi(value)
	if err != nil || n < 1 || n > most {
		problems.Add(name, "query.number", 1, most)
	}
	return n
}

func send(c *fiber.Ctx, status int, data fiber.Map) error {
	return web.SendJSON(c, status, fiber.Map{"api_version": versionOf(c) + ".0", "data": data})
}

// AddWebhook creates a webhook, and switches the platform on in the account, since
// a client that creates webhooks for Prioticket's events uses Prioticket.
func (pr *Prio) AddWebhook(c *fiber.Ctx) error {
	body, err := readData(c, "webhook")
	if err != nil {
		return err
	}
	d, err := readWebhook(body)
	if err != nil {
		return err
	}
	p, _, all, err := pr.webhooks(c)
	if err != nil {
		return err
	}
	w, err := pr.webhookFrom(c, p, d, all)
	if err != nil {
		return err
	}
	account, err := pr.Store.Account(c.UserContext(), w.Account)
	if err != nil {
		return err
	}
	if used := webhook.CountAsync(all); used >= account.WebhookLimit { // before anything is switched on
		return webhook.LimitReached{What: webhook.LimitedWebhooks, Limit: account.WebhookLimit, Used: used, Over: used + 1 - account.WebhookLimit}
	}
	if err := pr.switchOn(c); err != nil {
		return err
	}
	created, err := pr.Store.CreateWebhook(c.UserContext(), w, nil, byClient(c))
	if err != nil {
		return err
	}
	by, err := pr.creators(c.UserContext(), account)
	if err != nil {
		return err
	}
	return send(c, http.StatusCreated, fiber.Map{"kind": "webhook", "webhook": showWebhook(c, p, created, by(created))})
}

// switchOn switches the platform on if it is off.
func (pr *Prio) switchOn(c *fiber.Ctx) error {
	account := currentClient(c).Account
	connection, err := pr.Store.Connection(c.UserContext(), account, platformKey)
	if err != nil && !errors.Is(err, webhook.ErrNotFound) {
		return err
	}
	if err == nil && connection.Enabled {
		return nil
	}
	_, err = pr.Store.SwitchPlatform(c.UserContext(), account, platformKey, true, byClient(c))
	return err
}

// onlyOf reports whether a webhook receives events of the platform only.
func onlyOf(p platforms.Platform, w *webhook.Webhook) bool {
	return !w.AllEvents && !slices.ContainsFunc(w.Events, func(key string) bool { return !strings.HasPrefix(key, p.Key+":") })
}

// DeleteWebhook deletes one of the listed webhooks that receives nothing else; its
// waiting deliveries are cancelled.
func (pr *Prio) DeleteWebhook(c *fiber.Ctx) error {
	id, err := parseUUID(c.Params("webhook_id"))
	if err != nil {
		return err
	}
	p, hooks, _, err := pr.webhooks(c)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(hooks, func(w *webhook.Webhook) bool { return w.ID == id })
	if i < 0 {
		return webhook.ErrNotFound
	}
	if !onlyOf(p, hooks[i]) {
		return &web.Problem{
			Type: "shared-webhook", Title: "This webhook also receives events of other booking platforms", Status: http.StatusForbidden,
			Detail: "Deleting it would stop those, too. It can be deleted on the pages of Bookhook.",
		}
	}
	if _, err := pr.Store.DeleteWebhook(c.UserContext(), currentClient(c).Account, id, byClient(c)); err != nil {
		return err
	}
	return c.SendStatus(http.StatusNoContent)
}
