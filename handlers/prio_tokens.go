package handlers

import (
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"bookhook/webhook"
)

// accessTime is how long an access token holds.
const accessTime = time.Hour

// webhooksScope is what the calls about webhooks and notifications need, and
// what a client gets that asks for no scope.
const webhooksScope = "https://www.prioticketapis.com/auth/distributor/webhooks"

// otherScopes are those that Prioticket documents beside it. They are granted
// to whoever asks for them with it, and good for nothing here.
var otherScopes = []string{
	"https://www.prioticketapis.com/auth/distributor.products.readonly",
	"https://www.prioticketapis.com/auth/distributor.reservations",
	"https://www.prioticketapis.com/auth/distributor.booking",
	"https://www.prioticketapis.com/auth/distributor.bookings",
	"https://www.prioticketapis.com/auth/distributor.bookings.details",
	"https://www.prioticketapis.com/auth/distributor/reporting",
}

// prioGrant exchanges a client's secret for an access token.
func (a *app) prioGrant(c *fiber.Ctx) error {
	client, err := a.prioClient(c)
	if err != nil {
		return err
	}
	scope, err := readGrant(c)
	if err != nil {
		return err
	}
	text, hash := newSecret(accessPrefix)
	now := time.Now()
	err = a.Store.AddClientToken(c.UserContext(), client.ID, hash, scope, now.Add(accessTime), now)
	if errors.Is(err, webhook.ErrNotFound) { // revoked meanwhile
		return badClient(c, err)
	}
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderPragma, "no-cache")
	return sendJSON(c, http.StatusOK, fiber.Map{
		"access_token": text, "token_type": "Bearer", "expires_in": int(accessTime.Seconds()), "scope": scope,
	})
}

// prioClient is the client whose id and secret the request carries. Tries that
// fail are counted, to have whoever goes on with a wrong secret wait. The right
// one always passes: nobody guesses it, and otherwise anybody who knows the id
// could shut the client out from the network that they share.
func (a *app) prioClient(c *fiber.Ctx) (webhook.Client, error) {
	id, secret, ok := basicAuth(c)
	if !ok {
		return webhook.Client{}, badClient(c, nil)
	}
	client, err := a.findClient(c, id, secret)
	if !errors.Is(err, webhook.ErrNotFound) {
		return client, err
	}
	if !a.clients.allow(networkOf(a.clientIP(c)), id, time.Now()) {
		c.Set(fiber.HeaderRetryAfter, strconv.Itoa(int(limitWindow.Seconds())))
		return webhook.Client{}, &problem{
			Type: "too-many-tries", Title: "Too many tries that failed", Status: http.StatusTooManyRequests,
			Detail: "Wait 15 minutes, and check the client id and the secret.",
		}
	}
	return webhook.Client{}, badClient(c, err)
}

func (a *app) findClient(c *fiber.Ctx, ref, secret string) (webhook.Client, error) {
	id, err := webhook.ParseID(webhook.ClientPrefix, ref)
	if err != nil {
		return webhook.Client{}, err
	}
	client, hash, err := a.Store.ClientByID(c.UserContext(), id)
	if err == nil && subtle.ConstantTimeCompare(hashToken(secret), hash) != 1 {
		err = webhook.ErrNotFound
	}
	return client, err
}

// basicAuth reads the user name and password of Basic authentication.
func basicAuth(c *fiber.Ctx) (user, password string, ok bool) {
	text, err := base64.StdEncoding.DecodeString(credentials(c, "Basic"))
	if err != nil {
		return "", "", false
	}
	return strings.Cut(string(text), ":")
}

func badClient(c *fiber.Ctx, cause error) error {
	c.Set(fiber.HeaderWWWAuthenticate, `Basic realm="Bookhook"`)
	return &problem{
		Type: "invalid-client", Title: "The client is not known", Status: http.StatusUnauthorized, cause: cause,
		Detail: "Send client_id and client_secret as user name and password of HTTP Basic authentication. They are made in Settings, API tokens.",
	}
}

// readGrant reads what a client asks for, as JSON or as a form, and returns the
// scope that it gets.
func readGrant(c *fiber.Ctx) (string, error) {
	var grant, scope string
	kind, _, _ := mime.ParseMediaType(c.Get(fiber.HeaderContentType))
	switch kind {
	case fiber.MIMEApplicationForm:
		grant, scope = formValue(c, "grant_type"), formValue(c, "scope")
	case fiber.MIMEApplicationJSON:
		body, err := parseObject(c.BodyRaw())
		if err != nil {
			return "", err
		}
		text(body, "grant_type", &grant)
		text(body, "scope", &scope)
		if err := wrongTypes(body.problems); err != nil {
			return "", err
		}
	default:
		return "", unsupported("Send JSON with the header “Content-Type: application/json”, or a form.")
	}
	if grant != "client_credentials" {
		return "", &problem{
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
			return "", &problem{
				Type: "invalid-scope", Title: "There is no such scope", Status: http.StatusBadRequest,
				Detail: "The scope “" + echo(scope) + "” is not known. Ask for " + webhooksScope + ", or for none.",
			}
		}
	}
	slices.Sort(scopes)
	return strings.Join(slices.Compact(scopes), " "), nil
}

const grantKey = "grant"

// withGrant lets only requests with an access token for webhooks through.
func (a *app) withGrant(c *fiber.Ctx) error {
	text := credentials(c, "Bearer")
	if text == "" {
		return badGrant(c, "Bearer", nil)
	}
	grant, err := a.Store.ClientToken(c.UserContext(), hashToken(text), time.Now())
	if errors.Is(err, webhook.ErrNotFound) {
		return badGrant(c, `Bearer error="invalid_token"`, err)
	}
	if err != nil {
		return err
	}
	if !slices.Contains(strings.Fields(grant.Scope), webhooksScope) {
		c.Set(fiber.HeaderWWWAuthenticate, `Bearer error="insufficient_scope", scope="`+webhooksScope+`"`)
		return &problem{
			Type: "insufficient-scope", Title: "This access token is not for webhooks", Status: http.StatusForbidden,
			Detail: "Ask for a token with the scope " + webhooksScope + ".",
		}
	}
	c.Locals(grantKey, grant)
	return c.Next()
}

func badGrant(c *fiber.Ctx, challenge string, cause error) error {
	c.Set(fiber.HeaderWWWAuthenticate, challenge)
	return &problem{
		Type: "unauthorized", Title: "A valid access token is needed", Status: http.StatusUnauthorized, cause: cause,
		Detail: "Send the header “Authorization: Bearer …” with a token from POST " + prioPath + "/oauth2/token that has not expired.",
	}
}

// granted is the client of a route behind withGrant; its account is the one
// that the request is about.
func granted(c *fiber.Ctx) webhook.Client {
	return c.Locals(grantKey).(webhook.Grant).Client //nolint:forcetypeassert // withGrant put it there
}

// byClient names the client where a person would stand, in the list of changes.
func byClient(c *fiber.Ctx) string { return "Prioticket client " + granted(c).Name }
