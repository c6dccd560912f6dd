package api

import (
	"slices"
	"time"

	"bookhook/handlers/web"
	"bookhook/webhook"
)

// readConfig takes the members of a webhook's configuration out of the body; one
// that is missing leaves its field alone. [showHook] writes the same members.
func readConfig(o *web.Object, c *webhook.Config) {
	web.Text(o, "name", &c.Name)
	web.Text(o, "url", &c.URL)
	web.Text(o, "type", &c.Kind)
	web.Text(o, "format", &c.Format)
	refuseOther(o, c)
	web.Field(o, "time_limit", "a whole number of seconds", &c.TimeLimit)
	web.Field(o, "concurrency", "a whole number", &c.Concurrency)
	web.Field(o, "ordered", "true or false", &c.Ordered)
	readRate(o, "rate_limit", &c.Rate)
	readBasic(o, "basic_auth", &c.Basic)
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

// refuseOther refuses what is for the other type of webhook.
func refuseOther(o *web.Object, c *webhook.Config) {
	other, problem := []string{"time_limit"}, webhook.NewMessage("webhook.inline_only")
	if c.Kind == webhook.Inline {
		other, problem = []string{"concurrency", "ordered", "rate_limit"}, webhook.NewMessage("webhook.async_only")
		if c.Format == webhook.Standard {
			o.Wrong("format", "format.inline")
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
		o.Wrong(name, "rate.object")
	}
	_ = member.End() // what is wrong is noted for the whole
}

// readBasic reads a value of Basic authentication; null removes it.
func readBasic(o *web.Object, name string, to *string) {
	if !o.Has(name) {
		return
	}
	var typed string
	web.Text(o, name, &typed)
	value, problem := webhook.ReadBasic(typed)
	o.WrongMessage(name, problem)
	*to = value
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
