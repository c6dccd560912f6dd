package auth_test

import (
	"errors"
	"strings"
	"testing"

	"bookhook/auth"
	"bookhook/webhook"
)

func TestUnsubscriber(t *testing.T) {
	t.Parallel()
	key, other := []byte("0123456789abcdef"), []byte("fedcba9876543210")
	anna, tim := webhook.UserID(7<<30), webhook.UserID(8<<30)
	token := auth.UnsubscribeToken(key, anna)
	if got, err := auth.Unsubscriber(key, token); got != anna || err != nil {
		t.Errorf("got %v, %v", got, err)
	}
	_, mac, _ := strings.Cut(token, ".")
	for name, forged := range map[string]string{
		"empty": "", "no user": "." + mac, "another user": tim.String() + "." + mac, "no code": anna.String() + ".", "cut": token[:len(token)-1], "another key": auth.UnsubscribeToken(other, anna), "more": token + "A",
	} {
		if got, err := auth.Unsubscriber(key, forged); got != 0 || !errors.Is(err, webhook.ErrNotFound) {
			t.Errorf("%s: got %v, %v", name, got, err)
		}
	}
}
