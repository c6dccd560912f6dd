package platforms

import (
	"time"

	"bookhook/webhook"
)

// Lookup asks a platform's API about the booking of an event that does not say
// which tours it is of.
type Lookup struct {
	// Wanted says whether the event lacks what the platform could tell, and the
	// settings are there to ask.
	Wanted func(s webhook.Settings, e webhook.Event) bool
	// Request writes the question; now is part of its signature. Its error may be
	// a webhook.Message.
	Request func(s webhook.Settings, e webhook.Event, now time.Time) (Request, error)
	// Read adds the response to the event: its tours, and the details to its
	// Data. An error says what was wrong with the response; it may be a
	// webhook.Message.
	Read func(e webhook.Event, status int, body []byte) (webhook.Event, error)
}

// Lists asks a platform's API for an account's channels and tours.
type Lists struct {
	// Ready says whether the settings are there to ask.
	Ready func(s webhook.Settings) bool
	// Requests writes the questions, of which the responses are one list together.
	Requests func(s webhook.Settings, kind webhook.ItemKind, now time.Time) ([]Request, error)
	// Read reads one response, ids and names as they are written there. An error
	// says what was wrong with it.
	Read func(kind webhook.ItemKind, status int, body []byte) ([]webhook.Item, error)
}

// Unanswered is why a platform did not answer what it was asked.
type Unanswered struct{ Why webhook.Message }

func (u Unanswered) Error() string { return u.Why.Error() }
