package platforms

import (
	"cmp"
	"fmt"
	"net/http"

	"bookhook/webhook"
)

// Inline reports whether the key names an event about which inline webhooks are
// asked.
func (r Registry) Inline(key string) bool {
	p, e, ok := r.Event(key)
	return ok && e.Inline && p.Ask != nil
}

// Question writes what an inline webhook is asked about an event, as the platform
// itself asks; settings are the account's there. It is signed with the account's
// API key on the platform, and while there is none with the text of the webhook's
// own secret. Each question has an X-Request-Id, a UUID of version 4.
func (r Registry) Question(w *webhook.Webhook, a webhook.Account, e webhook.Event, settings webhook.Settings) (webhook.Request, error) {
	p, ok := r.Get(e.Platform)
	if !ok || p.Ask == nil {
		return webhook.Request{}, fmt.Errorf("the platform %q asks nobody", e.Platform)
	}
	key := ""
	if p.APIKey != nil {
		key = p.APIKey(settings, e.ChannelID)
	}
	question, err := p.Ask(w, a, e, cmp.Or(key, w.Secret))
	if err == nil && question.Header == nil {
		question.Header = http.Header{}
	}
	if err == nil {
		question.Header.Set("X-Request-Id", webhook.NewUUID())
	}
	return question, err
}
