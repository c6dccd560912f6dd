package auth

import (
	"crypto/rand"
	"net/mail"
	"strings"
	"unicode/utf8"

	"github.com/alexedwards/argon2id"

	"bookhook/webhook"
)

// Limits of a password in characters.
const (
	minPassword = 12
	maxPassword = 200
)

// MaxEmail is how many bytes an e-mail address can have.
const MaxEmail = 254

// CheckPassword says what is wrong with a new password; zero if nothing is.
func CheckPassword(password string) webhook.Message {
	switch n := utf8.RuneCountInString(password); {
	case n < minPassword:
		return webhook.NewMessage("password.too_short", minPassword)
	case n > maxPassword:
		return webhook.NewMessage("text.too_long", maxPassword)
	}
	return webhook.Message{}
}

// CheckEmail returns an e-mail address as it is stored, trimmed and in lower case,
// and what is wrong with it; zero if nothing is.
func CheckEmail(text string) (email string, problem webhook.Message) {
	email = strings.ToLower(strings.TrimSpace(text))
	parsed, err := mail.ParseAddress(email)
	if err != nil || parsed.Address != email || len(email) > MaxEmail {
		return email, webhook.NewMessage("email.invalid")
	}
	return email, webhook.Message{}
}

// NewPassword returns a generated password that can be read aloud: 20 letters and
// digits in groups of five, 100 bits.
func NewPassword() string {
	text := strings.ToLower(rand.Text()[:20])
	return strings.Join([]string{text[:5], text[5:10], text[10:15], text[15:]}, "-")
}

// hashParams are fixed: the library's defaults depend on the machine, and dummyHash
// must have the same parameters as every other hash.
var hashParams = argon2id.Params{Memory: 64 << 10, Iterations: 1, Parallelism: 2, SaltLength: 16, KeyLength: 32}

// dummyHash is compared if there is no such user, so that response times do not
// reveal which users exist. It has the parameters of hashParams.
const dummyHash = "$argon2id$v=19$m=65536,t=1,p=2$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

// HashPassword returns the hash of a password (argon2id, 64 MiB, one pass). It
// fails only if the system has no randomness.
func HashPassword(password string) (string, error) {
	return argon2id.CreateHash(password, &hashParams)
}
