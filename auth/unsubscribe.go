package auth

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"strings"

	"bookhook/webhook"
)

// UnsubscribeToken returns what is in the links with which a user ends messages without
// signing in. It is for that alone, and works as long as there are the user and the key.
func UnsubscribeToken(key []byte, user webhook.UserID) string {
	return user.String() + "." + code(key, "unsubscribe "+user.String())
}

func code(key []byte, text string) string {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(text))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// Unsubscriber returns the user whom an UnsubscribeToken is of, and
// webhook.ErrNotFound for any other text.
func Unsubscriber(key []byte, token string) (webhook.UserID, error) {
	text, _, _ := strings.Cut(token, ".")
	user, err := webhook.ParseID[webhook.UserID](text)
	if err != nil || user == 0 || !hmac.Equal([]byte(token), []byte(UnsubscribeToken(key, user))) {
		return 0, webhook.ErrNotFound
	}
	return user, nil
}

// StopToken returns what is in the links with which who has an address ends the bookings
// of a webhook that go there while it fails. It is for that alone.
func StopToken(key []byte, id webhook.WebhookID, address string) string {
	return id.String() + "." + code(key, "stop "+id.String()+" "+address)
}

// StopTokenWebhook returns the webhook that a StopToken names. Only who knows the address
// can tell whether it is one: it has to be the same as StopToken returns.
func StopTokenWebhook(token string) (webhook.WebhookID, error) {
	text, _, _ := strings.Cut(token, ".")
	return webhook.ParseID[webhook.WebhookID](text)
}

// SameToken compares tokens in a time that tells nothing about them.
func SameToken(a, b string) bool { return hmac.Equal([]byte(a), []byte(b)) }
