package handlers

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"net/mail"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/alexedwards/argon2id"
)

// Bounds of a password; whole phrases fit, whole books do not.
const (
	minPassword = 12
	maxPassword = 200
)

// maxEmail is how many bytes an e-mail address can have.
const maxEmail = 254

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
	if err != nil || parsed.Address != email || len(email) > maxEmail {
		return email, "Enter an e-mail address, such as anna@example.com."
	}
	return email, ""
}

// hashParams are written down, not the library's defaults: those follow the
// machine, and then nobody would be told from somebody by time.
var hashParams = argon2id.Params{Memory: 64 << 10, Iterations: 1, Parallelism: 2, SaltLength: 16, KeyLength: 32}

// nobody is checked when there is no such user, so that an answer takes as long
// as for one who exists. It is of hashParams.
const nobody = "$argon2id$v=19$m=65536,t=1,p=2$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

// HashPassword writes a password as it is stored (argon2id, 64 MiB, one pass).
func HashPassword(password string) (string, error) {
	return argon2id.CreateHash(password, &hashParams)
}

// Bounds of hashing, since each takes hashParams.Memory.
const (
	maxHashing  = 2               // at once
	hashingWait = 5 * time.Second // for a place
)

// hashing has the places for those who hash.
type hashing chan struct{}

// hash is HashPassword for a request.
func (h hashing) hash(ctx context.Context, password string) (hash string, err error) {
	err = h.do(ctx, func() (err error) {
		hash, err = HashPassword(password)
		return err
	})
	return hash, err
}

// compare reports whether the password is the one of the hash.
func (h hashing) compare(ctx context.Context, password, hash string) (match bool, err error) {
	err = h.do(ctx, func() (err error) {
		match, err = argon2id.ComparePasswordAndHash(password, hash)
		return err
	})
	return match, err
}

// do waits for a place and works there.
func (h hashing) do(ctx context.Context, work func() error) error {
	ctx, cancel := context.WithTimeout(ctx, hashingWait)
	defer cancel()
	select {
	case h <- struct{}{}:
		defer func() { <-h }()
		return work()
	case <-ctx.Done():
		return &problem{
			Type: "busy", Title: "Too many people are signing in right now", Status: http.StatusServiceUnavailable, cause: ctx.Err(),
			meaning: "Nothing was changed, and no booking is affected.", next: "Try again in a few seconds.",
		}
	}
}

// NewPassword makes a first password that can be read aloud: 20 letters and
// digits in groups of five, 100 bits.
func NewPassword() string {
	text := strings.ToLower(rand.Text()[:20])
	return strings.Join([]string{text[:5], text[5:10], text[10:15], text[15:]}, "-")
}
