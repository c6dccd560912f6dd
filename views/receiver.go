package views

import (
	"time"

	"bookhook/messages"
	"bookhook/webhook"
)

// receiverName is what the sentences call a receiver: the webhook's name.
func receiverName(w *webhook.Webhook) string {
	if w == nil || w.Name == "" {
		return messages.NoName
	}
	return truncate(w.Name)
}

// ResultMessage says how an attempt ended that a person asked for.
func ResultMessage(o webhook.Outcome, w *webhook.Webhook) webhook.Message {
	name := messages.AtStart(receiverName(w))
	if o.Status != 0 && !messages.Incomplete(o) {
		code := "result.answered"
		if o.Failure != "" {
			code = "result.refused"
		}
		return webhook.NewMessage(code, name, messages.StatusText(o.Status), duration(o.Duration))
	}
	code := "result.no_answer"
	if messages.Incomplete(o) {
		code = "result.unanswered"
	}
	return webhook.NewMessage(code, name, messages.AnswerText(o), duration(o.Duration))
}

// Clock is the time of day of t, with the day if that is not today.
func Clock(t, now time.Time, loc *time.Location) string { return clock(t, now, loc) }
