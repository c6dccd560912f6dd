package prio

import (
	"encoding/json"
	"mime"
	"net/http"
	"net/url"
	"slices"

	"github.com/gofiber/fiber/v2"

	"bookhook/handlers/web"
)

// grantRequest is what the body of a request for an access token has.
type grantRequest struct {
	grant, scope string
	id, secret   string // of the client, unless they are in the Authorization header
}

// readGrantRequest reads the body, JSON or a form. A parameter without a value counts
// as missing, and unknown ones are ignored.
func readGrantRequest(c *fiber.Ctx) (r grantRequest, err error) {
	kind, _, err := mime.ParseMediaType(c.Get(fiber.HeaderContentType))
	switch {
	case err == nil && kind == fiber.MIMEApplicationForm:
		return readGrantForm(c)
	case err != nil || kind != fiber.MIMEApplicationJSON:
		return r, web.Malformed("Send a form, or JSON with the header “Content-Type: application/json”.")
	}
	body, err := web.ParseObject(web.BodyOf(c))
	if err != nil {
		return r, err
	}
	web.Text(body, "grant_type", &r.grant)
	web.Text(body, "client_id", &r.id)
	web.Text(body, "client_secret", &r.secret)
	r.scope = readScope(body)
	return r, wrongTypes(body.Problems)
}

// readScope reads scopes: one text with spaces between them, as in a form, or a
// list.
func readScope(body *web.Object) (scope string) {
	value := body.Take("scope")
	if value == nil {
		return ""
	}
	var list []*string // a null in it would become an empty text
	if json.Unmarshal(value, &list) == nil && !slices.Contains(list, nil) {
		for _, one := range list {
			scope += *one + " "
		}
		return scope
	}
	if json.Unmarshal(value, &scope) != nil {
		body.Wrong("scope", "field.type", "a text, or a list of texts")
	}
	return scope
}

func readGrantForm(c *fiber.Ctx) (r grantRequest, err error) {
	for name, to := range map[string]*string{"grant_type": &r.grant, "scope": &r.scope, "client_id": &r.id, "client_secret": &r.secret} {
		values := web.FormValues(c, name)
		if len(values) > 1 {
			return r, web.Malformed("Send %s only once.", name)
		}
		*to = web.FormValue(c, name)
	}
	return r, nil
}

// credentials identify a client. Each text is one of those that it may mean.
type credentials struct{ ids, secrets []string }

// credentialsOf returns the id and the secret of a client: those of HTTP Basic or, if
// there are none, those of the body. RFC 6749 wants the two parts of Basic encoded like
// a form; many programs do not encode them, so they are taken either way.
func credentialsOf(c *fiber.Ctx, r grantRequest) (found credentials, ok bool, err error) {
	id, secret, basic := web.BasicAuth(c)
	if !basic {
		return credentials{[]string{r.id}, []string{r.secret}}, r.id != "" && r.secret != "", nil
	}
	found = credentials{[]string{id, formDecoded(id)}, []string{secret, formDecoded(secret)}}
	if r.secret != "" || r.id != "" && !slices.Contains(found.ids, r.id) {
		return found, false, &web.Problem{
			Type: "malformed", Title: "The client authenticates twice", Status: http.StatusBadRequest,
			Detail: "Send client_id and client_secret either with HTTP Basic authentication or in the body, not both.",
		}
	}
	return found, true, nil
}

// formDecoded decodes a text that was encoded like a form; a text that was not stays
// as it is.
func formDecoded(text string) string {
	if plain, err := url.QueryUnescape(text); err == nil {
		return plain
	}
	return text
}
