package webhook

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// secretPrefix marks a signing secret, as the Standard Webhooks specification
// has it; the rest is base64.
const secretPrefix = "whsec_"

// NewSecret creates a signing secret of 32 random bytes.
func NewSecret() string {
	key := make([]byte, 32)
	rand.Read(key) //nolint:errcheck // never fails, as documented
	return secretPrefix + base64.StdEncoding.EncodeToString(key)
}

// Sign returns the webhook-signature header of the Standard Webhooks
// specification: for each secret "v1," and the base64 of the HMAC-SHA256 over
// id, unix seconds and body, joined by dots; several are separated by spaces.
// For a GET the body is the query string as sent, without the question mark.
// It fails on a secret that is empty or not base64.
func Sign(secrets []string, id string, at time.Time, body []byte) (string, error) {
	head := []byte(id + "." + strconv.FormatInt(at.Unix(), 10) + ".")
	signatures := make([]string, 0, len(secrets))
	for _, secret := range secrets {
		key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, secretPrefix))
		if err != nil {
			return "", fmt.Errorf("read signing secret: %w", err)
		}
		if len(key) == 0 { // anybody can sign with an empty key
			return "", errors.New("read signing secret: it is empty")
		}
		mac := hmac.New(sha256.New, key)
		mac.Write(head)
		mac.Write(body)
		signatures = append(signatures, "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	}
	return strings.Join(signatures, " "), nil
}
