package webhook

import (
	"bytes"
	"encoding/json"
	"net/http"
	"sync"
)

// EventType is one event of a platform's catalogue.
type EventType struct {
	Key         string `json:"key"`
	Group       string `json:"group"`
	Subgroup    string `json:"subgroup,omitempty"`
	Name        string `json:"name"`
	NameET      string `json:"name_et,omitempty"` // Estonian, where the platform publishes it
	Description string `json:"description,omitempty"`
	Primary     bool   `json:"primary,omitempty"`     // the platform tells integrators to handle it; preselected
	Inline      bool   `json:"inline,omitempty"`      // synchronous webhooks are asked about it
	InlineOnly  bool   `json:"inline_only,omitempty"` // the platform sends it only to a synchronous webhook
	Retired     bool   `json:"retired,omitempty"`     // gone from the platform's present catalogue
	Assumed     string `json:"assumed,omitempty"`     // why the key itself is our assumption; "" when the platform documents it

	// When completes "When a booking …", such as "is confirmed", and Before
	// completes "Before a booking …" for a synchronous webhook. Both are "" for an
	// event that has no such phrase. Events that share a phrase differ by Variant,
	// such as "staff".
	When    string `json:"when,omitempty"`
	Before  string `json:"before,omitempty"`
	Variant string `json:"variant,omitempty"`
}

// ReadCatalogue reads the JSON list in which a platform's folder keeps its
// events; it is part of the program, so that a mistake in it is a panic.
func ReadCatalogue(text []byte) []EventType {
	var events []EventType
	if err := json.Unmarshal(text, &events); err != nil {
		panic("catalogue: " + err.Error())
	}
	return events
}

// CatalogueKeys returns the test whether a catalogue has a key; matching is by
// the whole key.
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

// Request is a delivery as it will be written on the wire, before signing.
type Request struct {
	Method  string
	URL     string
	Header  http.Header // without the headers that every delivery carries
	Body    []byte      // nil for a GET
	Signed  []byte      // what the signature covers: the body, or the query of a GET
	Only200 bool        // success is 200 exactly, not any 2xx
}

// JSONRequest is a POST of JSON.
func JSONRequest(url string, body []byte) Request {
	return Request{
		Method: http.MethodPost, URL: url, Body: body, Signed: body,
		Header: http.Header{"Content-Type": {"application/json"}},
	}
}

// EncodeJSON writes a value that always encodes, such as texts and JSON that was
// read, with <, > and & as they are: a receiver reads it, and no page.
func EncodeJSON(value any) []byte {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		panic(err)
	}
	return bytes.TrimSuffix(text.Bytes(), []byte("\n"))
}

// StandardRequest writes the event in the standard format; booking is what it
// says about a booking, nil when it says nothing.
func StandardRequest(a Account, e Event, booking *Booking, url string) Request {
	return JSONRequest(url, e.StandardBody(a.Number, booking))
}

// Succeeded says whether an answer with this status means that the receiver
// has the event.
func (r Request) Succeeded(status int) bool {
	if r.Only200 {
		return status == http.StatusOK
	}
	return status >= 200 && status <= 299
}
