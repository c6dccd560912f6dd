package views

import (
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

func outcome(a webhook.Attempt) webhook.Outcome {
	return webhook.Outcome{Status: a.Status, Failure: a.Failure, Duration: a.Duration}
}
