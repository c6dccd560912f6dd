package bookhook

import (
	"encoding/json"
	"time"

	"bookhook/webhook"
)

// State is whether an incident goes on.
type State string

// The states.
const (
	Open     State = "open"
	Resolved State = "resolved"
)

// Notice is the data of the events.
type Notice struct {
	Incident  string    `json:"incident"` // the same from the beginning to the end; a second one about the same has it again
	State     State     `json:"state"`
	Outcome   string    `json:"outcome,omitempty"` // how it was resolved
	Summary   string    `json:"summary"`           // one line
	Text      []string  `json:"text"`              // paragraphs: what happened, why, what to do
	URL       string    `json:"url"`               // the page that says more
	WebhookID string    `json:"webhook_id,omitempty"`
	Webhook   string    `json:"webhook,omitempty"` // its name
	Platform  string    `json:"platform,omitempty"`
	ChannelID string    `json:"channel_id,omitempty"`
	OpenedAt  time.Time `json:"opened_at"`
	ClosedAt  time.Time `json:"closed_at,omitzero"`
}

// Event returns the notice as an event of this type that happened at now.
func (n Notice) Event(eventType string, now time.Time) webhook.Event {
	data, err := json.Marshal(n)
	if err != nil { // texts and times only
		panic(err)
	}
	return webhook.Event{Platform: webhook.OwnPlatform, Type: eventType, OccurredAt: now.UTC(), Data: data}
}
