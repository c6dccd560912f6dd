package views

import "bookhook/webhook"

// Sentence says in one sentence that a person can check what the webhook is
// told of and where.
func Sentence(w *webhook.Webhook, names Names) string {
	return ""
}

// ReasonText says in words why an event was not sent to a webhook.
func ReasonText(r webhook.Reason) string {
	return ""
}
