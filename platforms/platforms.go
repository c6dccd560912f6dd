// Package platforms says what a booking platform is to Bookhook: a [Platform]
// with its catalogue of events, how its webhook is read, how a delivery is
// written in its wire format, what its payload says about a booking, and its
// texts. Each platform has a folder of its own in here and nothing about it is
// anywhere else; the package all lists them. README.md in this folder shows how
// one is added.
package platforms

import (
	"slices"
	"time"

	"bookhook/messages"
	"bookhook/webhook"
)

// Platform is one booking platform.
type Platform struct {
	Key    string // in the API, in addresses and in event keys
	Name   string // as people know it
	About  string // for operators: where to enter the address; after a line break what else is good to know, and what of it is assumed
	Events []EventType
	// Methods are those by which the platform calls.
	Methods []string
	// Settings are what the platform needs to know about an account.
	Settings []Setting
	// Texts are the sentences of the platform's own messages, by their codes,
	// which begin with the platform's key and a dot; see package messages.
	Texts messages.Texts

	// Read reads a request of the platform; its error is Rejected.
	Read func(in Inbound) (Reading, error)
	// Native writes a delivery as the platform itself would call the URL. What
	// the platform sent is passed on as it was received.
	Native func(w *webhook.Webhook, a webhook.Account, e webhook.Event) Request
	// OmitsPayload says that Native leaves out what the event says when the
	// webhook's OmitPayload is set.
	OmitsPayload bool
	// Booking says what the event says about a booking; nil when it is not of a
	// booking's life.
	Booking func(e webhook.Event) *Booking
	// Sample is an event of this type as the platform could send it at now, about
	// the thing with this id; for tests and examples.
	Sample func(eventType, id string, now time.Time) webhook.Event

	// InlineCall writes the call of an inline webhook, signed with the key; see
	// [Registry.InlineCall]. Nil: the platform makes none.
	InlineCall func(w *webhook.Webhook, a webhook.Account, e webhook.Event, key string) (Request, error)
	// InlineAbout tells operators what an inline webhook gets and has to answer; after
	// a line break what of it is assumed.
	InlineAbout string
	// APIKey is the account's for a channel, "" when it is not known. Nil: the
	// platform has none.
	APIKey func(s webhook.Settings, channel string) string

	Lookup *Lookup // nil: events say which tours they are of
	Lists  *Lists  // nil: channels and tours cannot be imported
}

// Registry is a list of platforms in the order they are shown. The one of package
// all is what Bookhook supports; tests have others.
type Registry []Platform

// Get finds a platform by its key.
func (r Registry) Get(key string) (Platform, bool) {
	i := slices.IndexFunc(r, func(p Platform) bool { return p.Key == key })
	if i < 0 {
		return Platform{}, false
	}
	return r[i], true
}

// Event finds an event type by its key; matching is by the whole key.
func (p Platform) Event(eventType string) (EventType, bool) {
	i := slices.IndexFunc(p.Events, func(e EventType) bool { return e.Key == eventType })
	if i < 0 {
		return EventType{}, false
	}
	return p.Events[i], true
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

// Write turns an event into the request that a webhook gets, in the webhook's
// format. An event of a platform that is not registered goes out in the standard
// format, which tells all there is.
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

// Text is the sentence of a message, be it one of a platform's own or one that
// all share.
func (r Registry) Text(m webhook.Message) string {
	texts := make([]messages.Texts, len(r))
	for i, p := range r {
		texts[i] = p.Texts
	}
	return messages.Render(m, texts...)
}
