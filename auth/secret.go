package auth

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
)

// TokenPrefix is what an API token begins with. Each kind of secret has a prefix
// of its own, so that scanners for leaked ones find them.
const TokenPrefix = "bh_"

// What OAuth 2.0 passes between programs has letters and digits only: some encode
// every other character, and some do not.
const (
	clientSecretPrefix = "bhs"
	accessTokenPrefix  = "bha"
)

// NewToken returns an API token of 32 random bytes: the text that is shown once,
// and the hash that is stored.
func NewToken() (text string, hash []byte) {
	secret := make([]byte, 32)
	rand.Read(secret) //nolint:errcheck // never fails, as documented
	text = TokenPrefix + base64.RawURLEncoding.EncodeToString(secret)
	return text, HashSecret(text)
}

// NewClientSecret returns the secret of a client of the Prioticket-compatible
// API: the text that is shown once, of letters and digits, and the hash that is
// stored.
func NewClientSecret() (text string, hash []byte) { return newSecret(clientSecretPrefix) }

// NewAccessToken returns an access token that a client gets for its secret: the
// text that is sent once, of letters and digits, and the hash that is stored.
func NewAccessToken() (text string, hash []byte) { return newSecret(accessTokenPrefix) }

// NewSessionID returns the id of a session: the text that the signed cookie
// carries, and the hash that is stored.
func NewSessionID() (text string, hash []byte) { return newSecret("") }

// NewLinkToken returns the token of a one-time link: the text that is in the link,
// of letters and digits, and the hash that is stored.
func NewLinkToken() (text string, hash []byte) { return newSecret("") }

// HashSecret returns the SHA-256 under which a secret is stored: of an API token,
// a client secret, an access token, a one-time link or the id of a session.
func HashSecret(text string) []byte {
	sum := sha256.Sum256([]byte(text))
	return sum[:]
}

// newSecret returns the prefix and 52 letters and digits, 260 random bits.
func newSecret(prefix string) (text string, hash []byte) {
	text = prefix + rand.Text() + rand.Text()
	return text, HashSecret(text)
}
