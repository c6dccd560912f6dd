package handlers

import (
	"crypto/rand"
	"fmt"
	"net/mail"
	"strings"
	"unicode/utf8"

	"github.com/alexedwards/argon2id"
)

// Bounds of a password; whole phrases fit, whole books do not.
const (
	minPassword = 12
	maxPassword = 200
)

// CheckPassword says what is wrong with a password that somebody chose; "" when
// nothing is.
func CheckPassword(password string) string {
	switch n := utf8.RuneCountInString(password); {
	case n < minPassword:
		return fmt.Sprintf("Use at least %d characters; a few words are easy to remember.", minPassword)
	case n > maxPassword:
		return fmt.Sprintf("Use at most %d characters.", maxPassword)
	}
	return ""
}

// CheckEmail returns an e-mail address as it is kept, in lower case, or what is
// wrong with it.
func CheckEmail(text string) (string, string) {
	email := strings.ToLower(strings.TrimSpace(text))
	parsed, err := mail.ParseAddress(email)
	if err != nil || parsed.Address != email || len(email) > 254 {
		return email, "Enter an e-mail address, such as anna@example.com."
	}
	return email, ""
}

// HashPassword writes a password as it is stored (argon2id with the library's
// defaults: 64 MiB, one pass).
func HashPassword(password string) (string, error) {
	return argon2id.CreateHash(password, argon2id.DefaultParams)
}

// NewPassword makes a first password that can be read aloud: 20 letters and
// digits in groups of five, 100 bits.
func NewPassword() string {
	text := strings.ToLower(rand.Text()[:20])
	return strings.Join([]string{text[:5], text[5:10], text[10:15], text[15:]}, "-")
}
