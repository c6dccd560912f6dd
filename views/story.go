package views

import (
	"time"

	"bookhook/webhook"
)

// Story is what became of a delivery, in plain words.
type Story struct {
	What string // happened
	Why  string // "" when there is nothing to explain
	Next string // what happens next, or what to do; "" when nothing
}

// StoryOf tells the story of a delivery. Attempts may be in any order; the
// webhook is nil when it was deleted.
func StoryOf(d webhook.Delivery, attempts []webhook.Attempt, w *webhook.Webhook, now time.Time, loc *time.Location) Story {
	return Story{}
}
