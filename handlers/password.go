package handlers

import (
	"crypto/rand"
	"strings"

	"github.com/alexedwards/argon2id"
)

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
