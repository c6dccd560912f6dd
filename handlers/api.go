package handlers

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"

	"bookhook/webhook"
)

// What secrets begin with, so that scanners for leaked ones find them.
const (
	tokenPrefix  = "bh_"  // an API token
	secretPrefix = "bhs_" // the secret of a client
	accessPrefix = "bha_" // an access token of a client
)

const (
	tokenKey     = "token"
	tokenNoteGap = time.Hour // between two notes that a token is in use
)

// NewToken makes an API token of 32 random bytes: the text that is shown once,
// and the hash that is kept.
func NewToken() (text string, hash []byte) { return newSecret(tokenPrefix) }

// NewClientSecret makes the secret of a client of the Prioticket-compatible
// API, as NewToken does.
func NewClientSecret() (text string, hash []byte) { return newSecret(secretPrefix) }

func newSecret(prefix string) (text string, hash []byte) {
	secret := make([]byte, 32)
	rand.Read(secret) //nolint:errcheck // never fails, as documented
	text = prefix + base64.RawURLEncoding.EncodeToString(secret)
	return text, hashToken(text)
}

func hashToken(text string) []byte {
	sum := sha256.Sum256([]byte(text))
	return sum[:]
}

// bearer lets only requests with an API token through. The answer to any other
// is the same, whatever is wrong with it.
func (a *app) bearer(c *fiber.Ctx) error {
	token, err := a.tokenOf(c)
	if errors.Is(err, webhook.ErrNotFound) {
		c.Set(fiber.HeaderWWWAuthenticate, "Bearer")
		return &problem{
			Type: "unauthorized", Title: "A valid API token is needed", Status: http.StatusUnauthorized, cause: err,
			Detail: "Send the header “Authorization: Bearer bh_…” with a token from Settings, API tokens.",
		}
	}
	if err != nil {
		return err
	}
	a.noteUse(c, token)
	c.Locals(tokenKey, token)
	return c.Next()
}

func (a *app) tokenOf(c *fiber.Ctx) (webhook.Token, error) {
	text := credentials(c, "Bearer")
	if !strings.HasPrefix(text, tokenPrefix) {
		return webhook.Token{}, webhook.ErrNotFound
	}
	return a.tokens.find(c.UserContext(), a.Store, sha256.Sum256([]byte(text)))
}

// credentials are what the request carries by this scheme; "" for none.
func credentials(c *fiber.Ctx, scheme string) string {
	used, text, _ := strings.Cut(c.Get(fiber.HeaderAuthorization), " ")
	if !strings.EqualFold(used, scheme) {
		return ""
	}
	return strings.TrimSpace(text)
}

// calling is the token of a route behind bearer; its account is the one that
// the request is about.
func calling(c *fiber.Ctx) webhook.Token {
	return c.Locals(tokenKey).(webhook.Token) //nolint:forcetypeassert // bearer put it there
}

// byToken names the token where a person would stand, in the list of changes.
func byToken(c *fiber.Ctx) string { return "API token " + calling(c).Name }

// tokens remembers what was read of each token, so that many requests in a row
// ask the database once, and when the use of each was noted last, so that it is
// written down once.
type tokens struct {
	mu    sync.Mutex
	known map[[sha256.Size]byte]knownToken
	round int // of forgetting
	noted map[webhook.ID]time.Time
}

type knownToken struct {
	webhook.Token
	until time.Time
}

// Bounds of what is remembered of tokens.
const (
	tokenKept = time.Second // another process may revoke one
	maxTokens = 10_000      // beyond it the memory begins anew
)

// find returns the token with this hash; none is webhook.ErrNotFound.
func (u *tokens) find(ctx context.Context, store tokenStore, hash [sha256.Size]byte) (webhook.Token, error) {
	now := time.Now()
	u.mu.Lock()
	t, known := u.known[hash]
	round := u.round
	u.mu.Unlock()
	if known && now.Before(t.until) {
		return t.Token, nil
	}
	token, err := store.TokenByHash(ctx, hash[:])
	if err != nil {
		return token, err
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.known == nil || len(u.known) >= maxTokens {
		u.known = map[[sha256.Size]byte]knownToken{}
	}
	if round == u.round { // it may have been revoked while it was read
		u.known[hash] = knownToken{token, now.Add(tokenKept)}
	}
	return token, nil
}

// forget makes the next request of every token ask the database.
func (u *tokens) forget() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.known = nil
	u.round++
}

// due reports whether the use of the token is to be noted now, and takes it as
// noted.
func (u *tokens) due(t webhook.Token, now time.Time) bool {
	if now.Sub(t.UsedAt) < tokenNoteGap {
		return false
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if now.Sub(u.noted[t.ID]) < tokenNoteGap {
		return false
	}
	if u.noted == nil {
		u.noted = map[webhook.ID]time.Time{}
	}
	u.noted[t.ID] = now
	return true
}

// noteUse writes down that the token is in use, at most once an hour. That it
// cannot is no reason to refuse the request.
func (a *app) noteUse(c *fiber.Ctx, t webhook.Token) {
	now := time.Now()
	if !a.tokens.due(t, now) {
		return
	}
	if err := a.Store.TokenUsed(c.UserContext(), t.ID, now); err != nil {
		a.Log.Warn("the use of a token was not noted", "request_id", requestID(c), "token", t.Ref(), "error", err)
	}
}

// apiShowAccount shows the account of the token.
func (a *app) apiShowAccount(c *fiber.Ctx) error {
	account, err := a.Store.Account(c.UserContext(), calling(c).Account)
	if err != nil {
		return err
	}
	hooks, err := a.Store.Webhooks(c.UserContext(), account.ID)
	if err != nil {
		return err
	}
	return sendJSON(c, http.StatusOK, fiber.Map{
		"number": account.Number, "name": account.Name, "time_zone": account.TimeZone,
		"webhook_limit": account.WebhookLimit, "webhooks_used": used(hooks),
	})
}

// sendJSON answers with JSON that people can read too: & is not written as
// \u0026.
func sendJSON(c *fiber.Ctx, status int, value any) error {
	text, err := marshal(value)
	if err != nil {
		return err
	}
	c.Status(status)
	c.Set(fiber.HeaderContentType, fiber.MIMEApplicationJSON)
	return c.Send(text)
}

func marshal(value any) ([]byte, error) {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(value)
	return bytes.TrimSuffix(text.Bytes(), []byte("\n")), err
}

// moment is a time as the API shows it; the zero time is null.
func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}
