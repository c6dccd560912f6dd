package api

import (
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"bookhook/handlers/web"
	"bookhook/webhook"
)

// readConfig reads the members of a webhook's configuration; a missing one leaves
// its field unchanged. [showHook] writes the same members.
func readConfig(o *web.Object, d *webhook.Draft) {
	c := &d.Config
	readText(o, "name", webhook.MaxName, &c.Name)
	readText(o, "url", webhook.MaxURL, &c.URL)
	web.Text(o, "type", &c.Kind)
	web.Text(o, "format", &c.Format)
	refuseOther(o, c)
	o.Int("time_limit", "a whole number of seconds", &c.TimeLimit)
	o.Int("concurrency", "a whole number", &c.Concurrency)
	web.Field(o, "ordered", "true or false", &c.Ordered)
	readRate(o, "rate_limit", &c.Rate)
	readBasic(o, "basic_auth", d)
	payload := !c.OmitPayload
	web.Field(o, "payload", "true or false", &payload)
	c.OmitPayload = !payload
	if keys := o.Refs("events", "events", webhook.MaxEventKeys); keys != nil {
		c.SelectEvents(keys)
		if !c.AllEvents && slices.Contains(keys, webhook.AllEventsKey) {
			o.Wrong("events", "events.star")
		}
	}
	readFilter(o, "channels", &c.Channels)
	readFilter(o, "tours", &c.Tours)
}

// readText reads a member that is one line of at most limit characters. White space
// around it counts here; it is removed later.
func readText(o *web.Object, name string, limit int, to *string) {
	web.Text(o, name, to)
	switch {
	case utf8.RuneCountInString(*to) > limit:
		o.Wrong(name, "text.too_long", limit)
	case strings.ContainsFunc(*to, unicode.IsControl):
		o.Wrong(name, "text.control_characters")
	}
}

// refuseOther refuses members that are only for the other type of webhook.
func refuseOther(o *web.Object, c *webhook.Config) {
	other, problem := []string{"time_limit"}, webhook.NewMessage("webhook.inline_only")
	if c.Kind == webhook.Inline {
		other, problem = []string{"concurrency", "ordered", "rate_limit"}, webhook.NewMessage("webhook.async_only")
		if c.Format == webhook.Standard {
			o.Wrong("format", "format.inline")
		} else if c.Format != webhook.Native {
			o.Wrong("format", "format.missing")
		}
	}
	for _, name := range other {
		if o.Take(name) != nil {
			o.WrongMessage(name, problem)
		}
	}
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
		member.Wrong("ids", "filter.all_ids")
	}
	_ = member.End() // its problems are those of the whole request
}

// readRate reads the rate limit; null removes it.
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
	member.Int("requests", "a whole number", &r.Requests)
	web.Text(member, "per", &r.Per)
	if *r == (webhook.Rate{}) {
		o.Wrong(name, "rate.object")
	}
	_ = member.End() // what is wrong is noted for the whole
}

// readBasic reads a value of Basic authentication, given for the URL that was read
// before; null removes it.
func readBasic(o *web.Object, name string, d *webhook.Draft) {
	if !o.Has(name) {
		return
	}
	var typed string
	readText(o, name, webhook.MaxBasic, &typed)
	value, problem := webhook.ReadBasic(typed)
	o.WrongMessage(name, problem)
	d.SetBasic(value)
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
		ID: w.ID.String(), Name: w.Name, URL: w.URL, Type: w.Kind, Format: w.Format, Events: w.EventKeys(),
		Channels: w.Channels, Tours: w.Tours, Enabled: w.Enabled, Concurrency: w.Concurrency, Ordered: w.Ordered,
		HasBasicAuth: w.Basic != "", Payload: !w.OmitPayload, CreatedAt: timeOrNull(w.CreatedAt), UpdatedAt: timeOrNull(w.UpdatedAt),
		FailingSince: timeOrNull(w.FailingSince), OffReason: w.OffReason,
	}
	if w.Kind == webhook.Inline {
		shown.TimeLimit = &w.TimeLimit
	}
	if w.Rate != (webhook.Rate{}) {
		shown.RateLimit = &w.Rate
	}
	return shown
}
