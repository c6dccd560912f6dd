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

// readData reads a body of the form {"data": {…}}, and returns the member of data
// with this name.
func readData(c *fiber.Ctx, name string) (*web.Object, error) {
	body, err := web.ReadObject(c)
	if err != nil {
		return nil, err
	}
	return child(child(body, "data"), name), nil
}

// child reads a member that must be present and an object.
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

// readWebhook reads a webhook into a draft, whose events have no platform yet.
// Unknown members, and those that clients cannot set, are ignored.
func readWebhook(o *web.Object) (*webhook.Draft, error) {
	d := webhook.NewDraft(nil)
	web.Text(o, "webhook_url", &d.URL)
	web.Text(o, "webhook_email", &d.ContactEmail)
	web.Text(o, "webhook_auth", &d.Basic)
	d.SetBasic(d.Basic)
	d.OmitPayload = !readPayload(o)
	for i, value := range o.List("webhook_events", "events", webhook.MaxEventKeys) {
		key, ok := web.Unquote(value)
		if !ok {
			o.WrongMessage(web.Element("webhook_events", i), web.NotText(value, "field.text"))
		}
		d.Events = append(d.Events, key)
	}
	return &d, wrongTypes(o.Problems)
}

// readPayload reads whether what changed is sent: a boolean, or the text that clients
// generated from Prioticket's description of version 3.5 send. It is true if it is
// missing or empty.
func readPayload(o *web.Object) bool {
	value := o.Take("webhook_payload")
	if value == nil {
		return true
	}
	text, quoted := web.Unquote(value)
	if !quoted {
		text = string(value)
	}
	switch strings.ToLower(text) {
	case "", "true":
		return true
	case "false":
		return false
	}
	o.Wrong("webhook_payload", "field.type", "true or false")
	return true
}

// fieldNames are the names of a draft's fields in this API.
var fieldNames = map[string]string{"url": "webhook_url", "events": "webhook_events", "basic_auth": "webhook_auth"}

// webhookFrom turns a draft into a webhook, or returns all its problems.
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

// webhookName returns a name for a webhook: the host that it calls, with a number
// if there are several.
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
