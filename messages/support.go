package messages

import "bookhook/webhook"

// Ask returns the words before the support: one asks a person, but at a URL.
func Ask(s webhook.Support) string {
	if s.IsURL() {
		return "ask at"
	}
	return "ask"
}
