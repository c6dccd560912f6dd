package prio

import (
	"context"
	"crypto/subtle"
	"errors"
	"mime"
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
	"https://www.prioticketapis.com/auth/distributor/reporting",
}

// GrantToken exchanges a client's secret for an access token.
func (pr *Prio) GrantToken(c *fiber.Ctx) error {
	client, err := pr.authenticate(c)
	if err != nil {
		return err
	}
	web.Identify(c, client.Account)
	if err := pr.Server.TakeBody(c, web.MaxForm); err != nil {
		return err
	}
	scope, err := readScope(c)
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
func (pr *Prio) authenticate(c *fiber.Ctx) (webhook.Client, error) {
	id, secret, ok := web.BasicAuth(c)
	if !ok {
		return webhook.Client{}, invalidClient(c, nil)
	}
	client, err := pr.findClient(c, id, secret)
	if !errors.Is(err, webhook.ErrNotFound) {
		return client, err
	}
	if !pr.attempts.Allow(auth.Network(pr.Server.ClientIP(c)), id, time.Now()) {
		c.Set(fiber.HeaderRetryAfter, strconv.Itoa(int(auth.LimitWindow.Seconds())))
		return webhook.Client{}, &web.Problem{
			Type: "too-many-tries", Title: "Too many failed attempts", Status: http.StatusTooManyRequests,
			Detail: "Wait 15 minutes, and check the client id and the secret.",
		}
	}
	return webhook.Client{}, invalidClient(c, err)
}

func (pr *Prio) findClient(c *fiber.Ctx, ref, secret string) (webhook.Client, error) {
	id, err := webhook.ParseID[webhook.ClientID](ref)
	if err != nil {
		return webhook.Client{}, err
	}
	client, hash, err := pr.Store.ClientByID(c.UserContext(), id)
	if err != nil {
		return webhook.Client{}, err
	}
	if subtle.ConstantTimeCompare(auth.HashSecret(secret), hash) != 1 {
		return webhook.Client{}, webhook.ErrNotFound
	}
	return client, nil
}

func invalidClient(c *fiber.Ctx, cause error) error {
	c.Set(fiber.HeaderWWWAuthenticate, `Basic realm="Bookhook"`)
	return &web.Problem{
		Type: "invalid-client", Title: "The client is unknown", Status: http.StatusUnauthorized, Cause: cause,
		Detail: "Send client_id and client_secret as user name and password of HTTP Basic authentication. They are created in Settings, API tokens.",
	}
}

// readScope reads the scope that a client requests, as JSON or as a form, and
// returns the scope that is granted.
func readScope(c *fiber.Ctx) (string, error) {
	var grant, scope string
	kind, _, _ := mime.ParseMediaType(c.Get(fiber.HeaderContentType))
	switch kind {
	case fiber.MIMEApplicationForm:
		grant, scope = web.FormValue(c, "grant_type"), web.FormValue(c, "scope")
	case fiber.MIMEApplicationJSON:
		body, err := web.ParseObject(web.BodyOf(c))
		if err != nil {
			return "", err
		}
		web.Text(body, "grant_type", &grant)
		web.Text(body, "scope", &scope)
		if err := wrongTypes(body.Problems); err != nil {
			return "", err
		}
	default:
		return "", web.Unsupported("Send JSON with the header “Content-Type: application/json”, or a form.")
	}
	if grant != "client_credentials" {
		return "", &web.Problem{
			Type: "unsupported-grant", Title: "This kind of grant is not supported", Status: http.StatusBadRequest,
			Detail: "Send grant_type with the value client_credentials.",
		}
	}
	return grantScope(scope)
}

func grantScope(asked string) (string, error) {
	scopes := strings.Fields(asked)
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
		return invalidToken(c, "Bearer", nil)
	}
	grant, err := pr.Store.ClientToken(c.UserContext(), auth.HashSecret(text), time.Now())
	if errors.Is(err, webhook.ErrNotFound) {
		return invalidToken(c, `Bearer error="invalid_token"`, err)
	}
	if err != nil {
		return err
	}
	if !slices.Contains(strings.Fields(grant.Scope), webhooksScope) {
		c.Set(fiber.HeaderWWWAuthenticate, `Bearer error="insufficient_scope", scope="`+webhooksScope+`"`)
		return &web.Problem{
			Type: "insufficient-scope", Title: "This access token is not for webhooks", Status: http.StatusForbidden,
			Detail: "Ask for a token with the scope " + webhooksScope + ".",
		}
	}
	c.Locals(grantKey, grant)
	web.Identify(c, grant.Client.Account)
	return c.Next()
}

func invalidToken(c *fiber.Ctx, challenge string, cause error) error {
	c.Set(fiber.HeaderWWWAuthenticate, challenge)
	return &web.Problem{
		Type: "unauthorized", Title: "A valid access token is needed", Status: http.StatusUnauthorized, Cause: cause,
		Detail: "Send the header “Authorization: Bearer …” with a token from POST " + Path + TokenPath + " that has not expired.",
	}
}

// currentClient returns the client of a request, on a route behind WithGrant; the
// request is about the client's account.
func currentClient(c *fiber.Ctx) webhook.Client {
	return c.Locals(grantKey).(auth.Grant).Client //nolint:forcetypeassert // WithGrant put it there
}

// byClient returns a change that the client makes now.
func byClient(c *fiber.Ctx) webhook.Change {
	return webhook.Change{By: "Prioticket client " + currentClient(c).Name, At: time.Now()}
}
