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
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte("unsubscribe " + user.String()))
	return user.String() + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
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
