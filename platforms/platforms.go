// Package platforms defines what Bookhook needs to know about a booking platform,
// a [Platform]: its catalogue of events, how its webhook is read, how a delivery is
// written in its wire format, what its payload says about a booking, and its
// texts. Each platform has a folder of its own here, and nothing about it is
// anywhere else; package all lists them. README.md in this folder shows how one is
// added.
package platforms

import (
	"slices"
	"time"

	"bookhook/messages"
	"bookhook/webhook"
)

// Platform is one booking platform.
type Platform struct {
	Key  string // in the API, in addresses and in event keys
	Name string // as people know it
	Own  bool   // Bookhook itself: nothing connects to it, and Read, Connect and Settings are not used
	// Connect says step by step where operators enter the address, and About what else is
	// good to know, and what is assumed.
	Connect, About []string
	Events         []EventType
	// Methods are the HTTP methods by which the platform sends.
	Methods []string
	// Settings are what Bookhook needs to know about an account on the platform.
	Settings []Setting
	// Texts are the sentences of the platform's own messages, by their codes,
	// which begin with the platform's key and a dot; see package messages.
	Texts messages.Texts

	// Read reads a request of the platform; its error is Rejected.
	Read func(in Inbound) (Reading, error)
	// Native writes a delivery as the platform itself would call the URL. What
	// the platform sent is passed on unchanged.
	Native func(w *webhook.Webhook, a webhook.Account, e webhook.Event) Request
	// OmitsPayload says that Native leaves out the payload if the webhook's
	// OmitPayload is set.
	OmitsPayload bool
	// Booking returns what the event says about a booking; nil if it is not about
	// one.
	Booking func(e webhook.Event) *Booking
	// Sample returns an event of this type as the platform could send it at now,
	// about the booking with this id; for tests and examples.
	Sample func(eventType, id string, now time.Time) webhook.Event

	// InlineCall writes the call of an inline webhook, signed with the key; see
	// [Registry.InlineCall]. Nil: the platform makes none.
	InlineCall func(w *webhook.Webhook, a webhook.Account, e webhook.Event, key string) (Request, error)
	// InlineAbout tells operators what an inline webhook receives and has to
	// answer; after a line break what of it is assumed.
	InlineAbout string
	// APIKey returns the account's API key for a channel; "" if there is none.
	// Nil: the platform has no API keys.
	APIKey func(s webhook.Settings, channel string) string

	Lookup *Lookup // nil: events name their tours
	Lists  *Lists  // nil: channels and tours cannot be imported
}

// Registry is a list of platforms in the order they are shown. That of package all
// has those that Bookhook supports; tests use others.
type Registry []Platform

// Get finds a platform by its key.
func (r Registry) Get(key string) (Platform, bool) {
	i := slices.IndexFunc(r, func(p Platform) bool { return p.Key == key })
	if i < 0 {
		return Platform{}, false
	}
	return r[i], true
}

// Connectable are the platforms that an account can connect: all but Bookhook itself.
func (r Registry) Connectable() Registry {
	return slices.DeleteFunc(slices.Clone(r), func(p Platform) bool { return p.Own })
}

// Connected finds a connectable platform by its key.
func (r Registry) Connected(key string) (Platform, bool) {
	p, ok := r.Get(key)
	return p, ok && !p.Own
}

// Event finds an event type by its key; the whole key must match.
func (p Platform) Event(eventType string) (EventType, bool) {
	i := slices.IndexFunc(p.Events, func(e EventType) bool { return e.Key == eventType })
	if i < 0 {
		return EventType{}, false
	}
	return p.Events[i], true
}

// Keys lists the keys of the platform's events as webhooks select them.
func (p Platform) Keys() []string {
	keys := make([]string, len(p.Events))
	for i, e := range p.Events {
		keys[i] = webhook.EventKey(p.Key, e.Key)
	}
	return keys
}

// Event finds an event type by its key as webhooks select it.
func (r Registry) Event(key string) (Platform, EventType, bool) {
	platform, eventType := webhook.SplitEventKey(key)
	p, _ := r.Get(platform)
	e, ok := p.Event(eventType)
	return p, e, ok && webhook.EventKey(platform, eventType) == key
}

// KnownKey reports whether a key as webhooks select it names an event of any
// platform.
func (r Registry) KnownKey(key string) bool {
	_, _, ok := r.Event(key)
	return ok
}

// Primary lists the keys that are preselected in a new webhook.
func (r Registry) Primary() []string {
	var keys []string
	for _, p := range r {
		for _, e := range p.Events {
			if e.Primary {
				keys = append(keys, webhook.EventKey(p.Key, e.Key))
			}
		}
	}
	return keys
}

// Write turns an event into the request that is sent to a webhook, in the webhook's
// format. An event of a platform that is not registered is sent in the standard
// format.
func (r Registry) Write(w *webhook.Webhook, a webhook.Account, e webhook.Event) Request {
	p, ok := r.Get(e.Platform)
	switch {
	case ok && w.Format == webhook.Native:
		return p.Native(w, a, e)
	case ok:
		return StandardRequest(a, e, p.Booking(e), w.URL)
	}
	return StandardRequest(a, e, nil, w.URL)
}

// Text returns the sentence of a message, with the platforms' own texts included.
func (r Registry) Text(m webhook.Message) string {
	texts := make([]messages.Texts, len(r))
	for i, p := range r {
		texts[i] = p.Texts
	}
	return messages.Render(m, texts...)
}
