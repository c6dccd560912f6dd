package platforms

import (
	"time"

	"bookhook/webhook"
)

// Lookup asks a platform's API about the booking of an event that does not name
// its tours.
type Lookup struct {
	// Ready reports whether the settings needed for the request are there.
	Ready func(s webhook.Settings) bool
	// Wanted reports whether the platform is ready and could add what the event lacks.
	Wanted func(s webhook.Settings, e webhook.Event) bool
	// Request writes the request; now is part of its signature. Its error may be
	// a webhook.Message.
	Request func(s webhook.Settings, e webhook.Event, now time.Time) (Request, error)
	// Read adds the response to the event: its tours, and the details to its
	// Data. An error says what was wrong with the response; it may be a
	// webhook.Message.
	Read func(e webhook.Event, status int, body []byte) (webhook.Event, error)
}

// Lists asks a platform's API for an account's channels and tours.
type Lists struct {
	// Ready reports whether the settings needed for the requests are there.
	Ready func(s webhook.Settings) bool
	// Requests writes the requests, whose responses together are the list.
	Requests func(s webhook.Settings, kind webhook.ItemKind, now time.Time) ([]Request, error)
	// Read reads one response, with ids and names unchanged. An error says what
	// was wrong with it.
	Read func(kind webhook.ItemKind, status int, body []byte) ([]webhook.Item, error)
}

// Unanswered is the error of a request to a platform that did not answer it.
type Unanswered struct{ Why webhook.Message }

func (u Unanswered) Error() string { return u.Why.Error() }
