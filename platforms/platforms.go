// Package platforms is the registry of the booking platforms that Bookhook
// speaks. What is particular to one of them (its catalogue of events, how a
// delivery is written in its wire format) lives in a folder of its own; a new
// platform is a new folder and one line here.
package platforms

import (
	"slices"

	"bookhook/platforms/tourcms"
	"bookhook/webhook"
)

// Platform is one booking platform.
type Platform struct {
	Key    string // in the API and in event keys
	Name   string // as people know it
	Events []webhook.EventType
	// Native writes a delivery as the platform itself would call the URL.
	Native func(a webhook.Account, e webhook.Event, url string) webhook.Request
}

var registry = []Platform{
	{Key: "tourcms", Name: "TourCMS", Events: tourcms.Events(), Native: tourcms.Request},
}

// All lists the platforms in the order they are shown.
func All() []Platform { return registry }

// Get finds a platform by its key.
func Get(key string) (Platform, bool) {
	i := slices.IndexFunc(registry, func(p Platform) bool { return p.Key == key })
	if i < 0 {
		return Platform{}, false
	}
	return registry[i], true
}

// Event finds an event type by its platform and type; matching is by the whole
// key.
func (p Platform) Event(eventType string) (webhook.EventType, bool) {
	i := slices.IndexFunc(p.Events, func(e webhook.EventType) bool { return e.Key == eventType })
	if i < 0 {
		return webhook.EventType{}, false
	}
	return p.Events[i], true
}

// KnownKey reports whether a key as webhooks select it names an event of any
// platform.
func KnownKey(key string) bool {
	for _, p := range registry {
		for _, e := range p.Events {
			if webhook.EventKey(p.Key, e.Key) == key {
				return true
			}
		}
	}
	return false
}

// Primary lists the keys that are preselected in a new webhook.
func Primary() []string {
	var keys []string
	for _, p := range registry {
		for _, e := range p.Events {
			if e.Primary {
				keys = append(keys, webhook.EventKey(p.Key, e.Key))
			}
		}
	}
	return keys
}

// Write turns an event into the request that a webhook gets, in the webhook's
// format.
func Write(w *webhook.Webhook, a webhook.Account, e webhook.Event) webhook.Request {
	if p, ok := Get(e.Platform); ok && w.Format == webhook.Native {
		return p.Native(a, e, w.URL)
	}
	return webhook.StandardRequest(a, e, w.URL)
}
