package prio

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"

	"bookhook/auth"
	"bookhook/handlers/web"
	"bookhook/platforms"
	"bookhook/webhook"
)

// readData reads a body in which data holds what the request is about.
func readData(c *fiber.Ctx, name string) (*web.Object, error) {
	body, err := web.ReadObject(c)
	if err != nil {
		return nil, err
	}
	return child(child(body, "data"), name), nil
}

// child is a member that must be there and be an object.
func child(o *web.Object, name string) *web.Object {
	value := o.Take(name)
	if value == nil {
		if len(o.Problems) == 0 { // else it is missing because its parent is
			o.Wrong(name, "field.no_object")
		}
		value = json.RawMessage("{}")
	}
	return o.Child(name, value)
}

// readWebhook reads a webhook into a draft, of which the events are without
// their platform. Members that are unknown, or not for clients to set, are
// ignored.
func readWebhook(o *web.Object) (*webhook.Draft, error) {
	d := webhook.NewDraft(nil)
	payload := true
	web.Text(o, "webhook_url", &d.URL)
	web.Text(o, "webhook_email", &d.ContactEmail)
	web.Text(o, "webhook_auth", &d.Basic)
	web.Field(o, "webhook_payload", "true or false", &payload)
	d.OmitPayload = !payload
	for i, value := range o.List("webhook_events", "events", webhook.MaxEventKeys) {
		key, ok := web.Unquote(value)
		if !ok {
			o.Wrong(web.Element("webhook_events", i), "field.text")
		}
		d.Events = append(d.Events, key)
	}
	return &d, wrongTypes(o.Problems)
}

// fieldNames are the names that the fields of a draft have here.
var fieldNames = map[string]string{"url": "webhook_url", "events": "webhook_events", "basic_auth": "webhook_auth"}

// webhookFrom makes the webhook of a draft, or says all that is wrong.
func (pr *Prio) webhookFrom(c *fiber.Ctx, p platforms.Platform, d *webhook.Draft, all []*webhook.Webhook) (*webhook.Webhook, error) {
	problems := webhook.Invalid{}
	if len(d.Events) == 0 {
		problems.Add("webhook_events", "events.one_of", keysOf(p))
	}
	for i, key := range d.Events {
		if _, known := p.Event(key); !known {
			problems.AddMessage("webhook_events", unknownEvent(p, key))
		}
		d.Events[i] = webhook.EventKey(p.Key, key)
	}
	if d.ContactEmail = strings.TrimSpace(d.ContactEmail); d.ContactEmail != "" {
		if _, problem := auth.CheckEmail(d.ContactEmail); !problem.IsZero() {
			problems.AddMessage("webhook_email", problem)
		}
		if d.URL == "" {
			problems.Add("webhook_url", "url.no_mail")
		}
	}
	d.Account, d.Name = currentClient(c).Account, webhookName(d.URL, all)
	known, err := pr.Platforms.Known(c.UserContext(), pr.Store, d.Account, pr.Dispatcher.CheckURL)
	if err != nil {
		return nil, err
	}
	w, err := d.Webhook(known)
	if wrong, ok := errors.AsType[webhook.Invalid](err); ok {
		for field, problem := range wrong {
			problems.AddMessage(cmp.Or(fieldNames[field], field), problem)
		}
	} else if err != nil {
		return nil, err
	}
	if err := problems.Err(); err != nil {
		return nil, err
	}
	return w, nil
}

func unknownEvent(p platforms.Platform, key string) webhook.Message {
	return webhook.NewMessage("event.type", p.Name, webhook.Quote(key, web.MaxQuoted), keysOf(p))
}

func keysOf(p platforms.Platform) string {
	return webhook.JoinText(p.Events, func(e platforms.EventType) string { return e.Key })
}

// webhookName names a webhook after the host that it calls, and numbers those of
// one host.
func webhookName(address string, all []*webhook.Webhook) string {
	name := "Prioticket"
	if u, err := url.Parse(address); err == nil && u.Hostname() != "" {
		name = webhook.Truncate(name+": "+u.Hostname(), webhook.MaxName-10)
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
