package auth

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/mail"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/alexedwards/argon2id"

	"bookhook/webhook"
)

// Bounds of a password in characters; whole phrases fit, whole books do not.
const (
	minPassword = 12
	maxPassword = 200
)

// MaxEmail is how many bytes an e-mail address can have.
const MaxEmail = 254

// CheckPassword says what is wrong with a password that somebody chose; zero when
// nothing is.
func CheckPassword(password string) webhook.Message {
	switch n := utf8.RuneCountInString(password); {
	case n < minPassword:
		return webhook.NewMessage("password.too_short", minPassword)
	case n > maxPassword:
		return webhook.NewMessage("text.too_long", maxPassword)
	}
	return webhook.Message{}
}

// CheckEmail returns an e-mail address as it is stored, in lower case, and what
// is wrong with it; zero when nothing is.
func CheckEmail(text string) (email string, problem webhook.Message) {
	email = strings.ToLower(strings.TrimSpace(text))
	parsed, err := mail.ParseAddress(email)
	if err != nil || parsed.Address != email || len(email) > MaxEmail {
		return email, webhook.NewMessage("email.invalid")
	}
	return email, webhook.Message{}
}

// NewPassword returns a first password that can be read aloud: 20 letters and
// digits in groups of five, 100 bits.
func NewPassword() string {
	text := strings.ToLower(rand.Text()[:20])
	return strings.Join([]string{text[:5], text[5:10], text[10:15], text[15:]}, "-")
}

// hashParams are constants, not the library's defaults: those depend on the
// machine, and then the time of an answer would tell whether a user exists.
var hashParams = argon2id.Params{Memory: 64 << 10, Iterations: 1, Parallelism: 2, SaltLength: 16, KeyLength: 32}

// dummyHash is compared with when there is no such user, so that the answer
// takes as long as for one who exists. It has the parameters of hashParams.
const dummyHash = "$argon2id$v=19$m=65536,t=1,p=2$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

// HashPassword returns a password as it is stored (argon2id, 64 MiB, one pass).
// It fails only when the system has no randomness.
func HashPassword(password string) (string, error) {
	return argon2id.CreateHash(password, &hashParams)
}

// Bounds of hashing, since each takes hashParams.Memory.
const (
	hashingPlaces = 2               // at once
	hashingWait   = 5 * time.Second // for a place
)

// ErrOverloaded says that too many passwords were being hashed or compared for
// one more to begin within 5 seconds, or that the request ended while it waited.
var ErrOverloaded = errors.New("too many passwords are being checked")

// Hasher hashes and compares passwords for requests, two at once. [NewHasher]
// makes one; it is safe for concurrent use.
type Hasher struct{ places chan struct{} }

// NewHasher returns a Hasher with all places free.
func NewHasher() *Hasher { return &Hasher{make(chan struct{}, hashingPlaces)} }

// Hash is [HashPassword] once there is a place; else it returns ErrOverloaded.
func (h *Hasher) Hash(ctx context.Context, password string) (hash string, err error) {
	err = h.do(ctx, func() (err error) {
		hash, err = HashPassword(password)
		return err
	})
	return hash, err
}

// Matches reports whether the password is the one of the hash, once there is a
// place; else it returns ErrOverloaded. The empty hash, of a user who does not
// exist, takes as long as another and matches nothing.
func (h *Hasher) Matches(ctx context.Context, password, hash string) (match bool, err error) {
	err = h.do(ctx, func() (err error) {
		match, err = argon2id.ComparePasswordAndHash(password, cmp.Or(hash, dummyHash))
		return err
	})
	return match && hash != "", err
}

// do waits for a place and works there.
func (h *Hasher) do(ctx context.Context, work func() error) error {
	ctx, cancel := context.WithTimeout(ctx, hashingWait)
	defer cancel()
	select {
	case h.places <- struct{}{}:
		defer func() { <-h.places }()
		return work()
	case <-ctx.Done():
		return fmt.Errorf("%w: %w", ErrOverloaded, ctx.Err())
	}
}
