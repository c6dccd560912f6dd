package views

import (
	"cmp"

	"bookhook/platforms"
	"bookhook/webhook"
)

// Names says what people call the events, channels and tours of an account.
// What is missing is shown as its key or id.
type Names struct {
	Catalogues []Catalogue // of all platforms, in the order to be shown
	Channels   map[string]string
	Tours      map[string]string
}

// Catalogue is the events of one booking platform, in the order to be shown.
type Catalogue struct {
	Platform string // its key, such as "tourcms"
	Name     string // as people know it
	Off      bool   // the account does not use it
	Own      bool   // Bookhook itself
	Events   []platforms.EventType
}

// event finds an event by its key as webhook.EventKey writes it; ok is false
// when no catalogue has it.
func (n Names) event(key string) (c Catalogue, e platforms.EventType, ok bool) {
	for _, c := range n.Catalogues {
		for _, e := range c.Events {
			if webhook.EventKey(c.Platform, e.Key) == key {
				return c, e, true
			}
		}
	}
	return Catalogue{}, platforms.EventType{}, false
}

// eventNames are the names of the events with these keys.
func (n Names) eventNames(keys []string) []string {
	names := make([]string, len(keys))
	for i, key := range keys {
		_, e, _ := n.event(key)
		names[i] = truncate(cmp.Or(e.Name, key))
	}
	return names
}

func nameOf(names map[string]string, id string) string {
	if name := names[id]; name != "" {
		return name
	}
	return id
}
