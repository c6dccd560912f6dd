package prio

import (
	"context"
	"crypto/subtle"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"bookhook/auth"
	"bookhook/handlers/web"
	"bookhook/webhook"
)

// ClientStore is what the token endpoint needs of the database. ClientByID and
// ClientToken return webhook.ErrNotFound for a client or token that does not exist,
// was revoked or has expired.
type ClientStore interface {
	ClientByID(ctx context.Context, id webhook.ClientID) (c webhook.Client, hash []byte, err error)
	AddClientToken(ctx context.Context, client webhook.ClientID, hash []byte, scope string, expires, now time.Time) error
	ClientToken(ctx context.Context, hash []byte, now time.Time) (auth.Grant, error)
}

// accessTime is how long an access token is valid.
const accessTime = time.Hour

// webhooksScope is the scope that the calls about webhooks and notifications need.
// A client that requests no scope gets it.
const webhooksScope = "https://www.prioticketapis.com/auth/distributor/webhooks"

// otherScopes are the other scopes that Prioticket documents. They are granted if
// requested, and have no effect here.
var otherScopes = []string{
	"https://www.prioticketapis.com/auth/distributor.products.readonly",
	"https://www.prioticketapis.com/auth/distributor.reservations",
	"https://www.prioticketapis.com/auth/distributor.booking",
	"https://www.prioticketapis.com/auth/distributor.bookings",
	"https://www.prioticketapis.com/auth/distributor.bookings.details",
	"https://www.prioticketapis.com/auth/distributor/orders",
	"https://www.prioticketapis.com/auth/distributor/reporting",
}

// GrantToken exchanges a client's secret for an access token (RFC 6749, section
// 4.4). The secret may be in the body, so that is received first, and must be short.
func (pr *Prio) GrantToken(c *fiber.Ctx) error {
	if err := pr.Server.TakeBody(c, web.MaxForm); err != nil {
		return err
	}
	request, err := readGrantRequest(c)
	if err != nil {
		return err
	}
	client, err := pr.authenticate(c, request)
	if err != nil {
		return err
	}
	scope, err := grantedScope(request)
	if err != nil {
		return err
	}
	text, hash := auth.NewAccessToken()
	now := time.Now()
	err = pr.Store.AddClientToken(c.UserContext(), client.ID, hash, scope, now.Add(accessTime), now)
	if errors.Is(err, webhook.ErrNotFound) { // revoked meanwhile
		return invalidClient(c, err)
	}
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderPragma, "no-cache")
	return web.SendJSON(c, http.StatusOK, fiber.Map{
		"access_token": text, "token_type": "Bearer", "expires_in": int(accessTime.Seconds()), "scope": scope,
	})
}

// authenticate returns the client whose id and secret the request has. Failed
// attempts are counted, and after ten the client has to wait. The correct secret is
// always accepted: it is too long to guess, and otherwise anybody who knows the id
// could lock out a client in the same network.
func (pr *Prio) authenticate(c *fiber.Ctx, request grantRequest) (webhook.Client, error) {
	given, ok, err := credentialsOf(c, request)
	if err != nil {
		return webhook.Client{}, err
	}
	if !ok {
		return webhook.Client{}, invalidClient(c, nil)
	}
	id := clientID(given.ids)
	client, err := pr.findClient(c, id, given.secrets)
	if !errors.Is(err, webhook.ErrNotFound) {
		return client, err
	}
	name := id.String() // however it was encoded
	if id == 0 {
		name = given.ids[0]
	}
	allowed, limitErr := pr.attempts.Allow(c.UserContext(), auth.Network(pr.Server.ClientIP(c)), name, time.Now())
	if limitErr != nil {
		return webhook.Client{}, limitErr
	}
	if !allowed {
		c.Set(fiber.HeaderRetryAfter, strconv.Itoa(int(auth.LimitWindow.Seconds())))
		return webhook.Client{}, &web.Problem{
			Type: "too-many-tries", Title: "Too many failed attempts", Status: http.StatusTooManyRequests,
			Detail: "Wait 15 minutes, and check the client id and the secret.",
		}
	}
	return webhook.Client{}, invalidClient(c, err)
}

// clientID reads the first of the texts that is the id of a client; zero if none
// is.
func clientID(texts []string) webhook.ClientID {
	for _, text := range texts {
		if id, err := webhook.ParseID[webhook.ClientID](text); err == nil {
			return id
		}
	}
	return 0
}

// findClient returns the client with this id and one of the secrets, or
// webhook.ErrNotFound.
func (pr *Prio) findClient(c *fiber.Ctx, id webhook.ClientID, secrets []string) (webhook.Client, error) {
	client, hash, err := pr.Store.ClientByID(c.UserContext(), id)
	if err != nil {
		return webhook.Client{}, err
	}
	match := 0
	for _, secret := range secrets {
		match |= subtle.ConstantTimeCompare(auth.HashSecret(secret), hash)
	}
	if match != 1 {
		return webhook.Client{}, webhook.ErrNotFound
	}
	return client, nil
}

func invalidClient(c *fiber.Ctx, cause error) error {
	c.Set(fiber.HeaderWWWAuthenticate, `Basic realm="Bookhook"`)
	return &web.Problem{
		Type: "invalid-client", Title: "The client is unknown", Status: http.StatusUnauthorized, Cause: cause,
		Detail: "Send client_id and client_secret as user name and password of HTTP Basic authentication, or in the body. They are created in Settings, API tokens.",
	}
}

// grantedScope returns the scope that a request is granted.
func grantedScope(r grantRequest) (string, error) {
	const next = "Send grant_type with the value client_credentials."
	if r.grant == "" {
		return "", &web.Problem{Type: "malformed", Title: "The grant type is missing", Status: http.StatusBadRequest, Detail: next}
	}
	if r.grant != "client_credentials" {
		return "", &web.Problem{Type: "unsupported-grant", Title: "This kind of grant is not supported", Status: http.StatusBadRequest, Detail: next}
	}
	scopes := strings.Fields(r.scope)
	if len(scopes) == 0 {
		return webhooksScope, nil
	}
	for _, scope := range scopes {
		if scope != webhooksScope && !slices.Contains(otherScopes, scope) {
			return "", &web.Problem{
				Type: "invalid-scope", Title: "There is no such scope", Status: http.StatusBadRequest,
				Detail: "The scope “" + webhook.Quote(scope, web.MaxQuoted) + "” is unknown. Ask for " + webhooksScope + ", or for none.",
			}
		}
	}
	slices.Sort(scopes)
	return strings.Join(slices.Compact(scopes), " "), nil
}

const grantKey = "grant"

// WithGrant is a guard: it lets only requests with an access token for webhooks
// through.
func (pr *Prio) WithGrant(c *fiber.Ctx) error {
	text := web.Credentials(c, "Bearer")
	if text == "" {
		return invalidToken(c, "", nil)
	}
	grant, err := pr.Store.ClientToken(c.UserContext(), auth.HashSecret(text), time.Now())
	if errors.Is(err, webhook.ErrNotFound) {
		return invalidToken(c, `, error="invalid_token"`, err)
	}
	if err != nil {
		return err
	}
	if !slices.Contains(strings.Fields(grant.Scope), webhooksScope) {
		c.Set(fiber.HeaderWWWAuthenticate, bearer+`, error="insufficient_scope", scope="`+webhooksScope+`"`)
		return &web.Problem{
			Type: "insufficient-scope", Title: "This access token is not for webhooks", Status: http.StatusForbidden,
			Detail: "Ask for a token with the scope " + webhooksScope + ".",
		}
	}
	c.Locals(grantKey, grant)
	web.Identify(c, grant.Client.Account)
	return c.Next()
}

// bearer is the challenge for an access token; RFC 6750 wants a parameter in it.
const bearer = `Bearer realm="Bookhook"` //nolint:gosec // a challenge, no credential

func invalidToken(c *fiber.Ctx, reason string, cause error) error {
	c.Set(fiber.HeaderWWWAuthenticate, bearer+reason)
	return &web.Problem{
		Type: "unauthorized", Title: "A valid access token is needed", Status: http.StatusUnauthorized, Cause: cause,
		Detail: "Send the header “Authorization: Bearer …” with a token from POST " + Path(versionOf(c)) + TokenPath + " that has not expired.",
	}
}

// currentClient returns the client of a request, on a route behind WithGrant; the
// request is about the client's account.
func currentClient(c *fiber.Ctx) webhook.Client {
	return c.Locals(grantKey).(auth.Grant).Client //nolint:forcetypeassert // WithGrant put it there
}

// byClient returns a change that the client makes now.
func byClient(c *fiber.Ctx) webhook.Change {
	return webhook.Change{By: clientPrefix + currentClient(c).Name, At: time.Now()}
}
