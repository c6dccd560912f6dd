package platforms

import (
	"cmp"
	"fmt"
	"net/http"

	"github.com/google/uuid"

	"bookhook/webhook"
)

// Inline reports whether the key names an event about which inline webhooks are
// called.
func (r Registry) Inline(key string) bool {
	p, e, ok := r.Event(key)
	return ok && e.Inline && p.InlineCall != nil
}

// InlineCall writes the call of an inline webhook about an event, in the format in
// which the platform itself calls; settings are the account's settings for the
// platform. It is signed with the account's API key on the platform, or with the
// text of the webhook's own secret while there is none. Each call has an
// X-Request-Id, a UUID of version 4.
func (r Registry) InlineCall(w *webhook.Webhook, a webhook.Account, e webhook.Event, settings webhook.Settings) (Request, error) {
	p, ok := r.Get(e.Platform)
	if !ok || p.InlineCall == nil {
		return Request{}, fmt.Errorf("the platform %q makes no inline calls", e.Platform)
	}
	key := ""
	if p.APIKey != nil {
		key = p.APIKey(settings, e.ChannelID)
	}
	call, err := p.InlineCall(w, a, e, cmp.Or(key, w.Secret))
	if err != nil {
		return Request{}, err
	}
	if call.Header == nil {
		call.Header = http.Header{}
	}
	call.Header.Set("X-Request-Id", uuid.NewString())
	return call, nil
}
