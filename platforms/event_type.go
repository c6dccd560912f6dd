package platforms

import (
	"encoding/json"
	"sync"
)

// EventType is one event of a platform's catalogue.
type EventType struct {
	Key         string `json:"key"`
	Group       string `json:"group"`
	GroupET     string `json:"group_et,omitempty"` // this and the other names in Estonian: where the platform publishes them
	Subgroup    string `json:"subgroup,omitempty"`
	SubgroupET  string `json:"subgroup_et,omitempty"`
	Name        string `json:"name"`
	NameET      string `json:"name_et,omitempty"`
	Short       string `json:"short,omitempty"` // the name in a list, where a long one would be cut; "" for the same
	Description string `json:"description,omitempty"`
	Primary     bool   `json:"primary,omitempty"`     // the platform tells integrators to handle it; preselected
	Inline      bool   `json:"inline,omitempty"`      // inline webhooks are called about it
	InlineOnly  bool   `json:"inline_only,omitempty"` // the platform sends it only to an inline webhook
	Retired     bool   `json:"retired,omitempty"`     // no longer in the platform's catalogue
	Assumed     string `json:"assumed,omitempty"`     // why the key itself is our assumption; "" when the platform documents it

	// When completes "When a booking …", such as "is confirmed", and Before
	// completes "Before a booking …" for an inline webhook. Both are "" for an
	// event that has no such phrase. Events that share a phrase differ by Variant,
	// such as "staff".
	When    string `json:"when,omitempty"`
	Before  string `json:"before,omitempty"`
	Variant string `json:"variant,omitempty"`
}

// ReadCatalogue parses the embedded JSON list of a platform's events. It panics if
// the list is not valid.
func ReadCatalogue(text []byte) []EventType {
	var events []EventType
	if err := json.Unmarshal(text, &events); err != nil {
		panic("catalogue: " + err.Error())
	}
	return events
}

// CatalogueKeys returns a function that reports whether a catalogue has a key;
// the whole key must match.
func CatalogueKeys(catalogue []byte) func(key string) bool {
	keys := sync.OnceValue(func() map[string]bool {
		keys := map[string]bool{}
		for _, e := range ReadCatalogue(catalogue) {
			keys[e.Key] = true
		}
		return keys
	})
	return func(key string) bool { return keys()[key] }
}
