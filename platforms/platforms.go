// Package platforms is the registry of the booking platforms that Bookhook
// speaks. What is particular to one of them lives in a folder of its own: its
// catalogue of events, how its webhook is read, how a delivery is written in
// its wire format, and what its payload says about a booking. A new platform is
// a new folder and one line here; README.md in this folder shows how.
package platforms

import (
	"slices"
	"time"

	"bookhook/platforms/ltd"
	"bookhook/platforms/prioticket"
	"bookhook/platforms/tourcms"
	"bookhook/platforms/wink"
	"bookhook/webhook"
)

// Platform is one booking platform.
type Platform struct {
	Key    string // in the API, in addresses and in event keys
	Name   string // as people know it
	About  string // for operators: where to enter the address; after a line break what else there is to know, and what of it is assumed
	Events []webhook.EventType
	// Methods are those by which the platform calls.
	Methods []string
	// Settings are what the platform wants to know about an account.
	Settings []webhook.Setting

	// Read reads a request of the platform; its error is webhook.Unreadable.
	Read func(in webhook.Inbound) (webhook.Reading, error)
	// Native writes a delivery as the platform itself would call the URL. What
	// the platform sent leaves as it came.
	Native func(w *webhook.Webhook, a webhook.Account, e webhook.Event) webhook.Request
	// Booking says what the event says about a booking; nil when it is not of a
	// booking's life.
	Booking func(e webhook.Event) *webhook.Booking
	// Sample is an event of this type as the platform could send it at now, about
	// the thing with this id; for tests and examples.
	Sample func(eventType, id string, now time.Time) webhook.Event

	// Ask writes the question of an inline webhook, signed with the key; see
	// [Registry.Question]. Nil: the platform asks nobody.
	Ask func(w *webhook.Webhook, a webhook.Account, e webhook.Event, key string) (webhook.Request, error)
	// InlineAbout tells operators what an inline webhook gets and has to answer; after
	// a line break what of it is assumed.
	InlineAbout string
	// APIKey is the account's for a channel, "" when it is not known. Nil: the
	// platform has none.
	APIKey func(s webhook.Settings, channel string) string

	Lookup *webhook.Lookup // nil: events say which tours they are of
	Lists  *webhook.Lists  // nil: channels and tours are not to be had
}

// Registry is a list of platforms in the order they are shown. That of
// [All] is what Bookhook speaks; tests have others.
type Registry []Platform

// All are the platforms that Bookhook speaks.
func All() Registry {
	return Registry{
		{
			Key: "tourcms", Name: "TourCMS", About: tourcms.About, Events: tourcms.Events(), Methods: tourcms.Methods, Settings: tourcms.Settings(),
			Read: tourcms.Read, Native: tourcms.Native, Booking: tourcms.Booking, Sample: tourcms.Sample,
			Ask: tourcms.InlineRequest, InlineAbout: tourcms.InlineAbout, APIKey: tourcms.Key, Lookup: tourcms.Lookup(), Lists: tourcms.Lists(),
		},
		{
			Key: "prioticket", Name: "Prioticket", About: prioticket.About, Events: prioticket.Events(), Methods: prioticket.Methods, Settings: prioticket.Settings(),
			Read: prioticket.Read, Native: prioticket.Native, Booking: prioticket.Booking, Sample: prioticket.Sample,
		},
		{
			Key: "ltd", Name: "London Theatre Direct", About: ltd.About, Events: ltd.Events(), Methods: ltd.Methods,
			Read: ltd.Read, Native: ltd.Native, Booking: ltd.Booking, Sample: ltd.Sample,
		},
		{
			Key: "wink", Name: "Wink", About: wink.About, Events: wink.Events(), Methods: wink.Methods,
			Read: wink.Read, Native: wink.Native, Booking: wink.Booking, Sample: wink.Sample,
		},
	}
}

// Get finds a platform by its key.
func (r Registry) Get(key string) (Platform, bool) {
	i := slices.IndexFunc(r, func(p Platform) bool { return p.Key == key })
	if i < 0 {
		return Platform{}, false
	}
	return r[i], true
}

// Event finds an event type by its key; matching is by the whole key.
func (p Platform) Event(eventType string) (webhook.EventType, bool) {
	i := slices.IndexFunc(p.Events, func(e webhook.EventType) bool { return e.Key == eventType })
	if i < 0 {
		return webhook.EventType{}, false
	}
	return p.Events[i], true
}

// Event finds an event type by its key as webhooks select it.
func (r Registry) Event(key string) (Platform, webhook.EventType, bool) {
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
func (r Registry) Write(w *webhook.Webhook, a webhook.Account, e webhook.Event) webhook.Request {
	p, ok := r.Get(e.Platform)
	switch {
	case ok && w.Format == webhook.Native:
		return p.Native(w, a, e)
	case ok:
		return webhook.StandardRequest(a, e, p.Booking(e), w.URL)
	}
	return webhook.StandardRequest(a, e, nil, w.URL)
}
