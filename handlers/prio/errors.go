package prio

import (
	"net/http"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"

	"bookhook/handlers/web"
	"bookhook/messages"
	"bookhook/webhook"
)

// errorJSON is an error as Prioticket sends it.
type errorJSON struct {
	Error       string   `json:"error"`
	Reference   string   `json:"error_reference"`
	Message     string   `json:"error_message"`
	Description string   `json:"error_description,omitempty"` // for developers; see printable
	Errors      []string `json:"errors,omitempty"`
}

// codes has Prioticket's error codes for types of problems.
var codes = map[string]string{
	"insufficient-scope": "INSUFFICIENT_SCOPE",
	"webhook-limit":      "WEBHOOK_LIMIT_REACHED",
}

func codeOf(p *web.Problem) string {
	code, known := codes[p.Type]
	switch {
	case known:
		return code
	case p.Status == http.StatusBadRequest:
		return "INVALID_REQUEST"
	}
	return strings.ToUpper(strings.ReplaceAll(http.StatusText(p.Status), " ", "_"))
}

// oauthCodes has the error codes of RFC 6749, section 5.2, for types of problems.
var oauthCodes = map[string]string{
	"invalid-client":    "invalid_client",
	"unsupported-grant": "unsupported_grant_type",
	"invalid-scope":     "invalid_scope",
}

// oauthCodeOf is codeOf for the token endpoint. For what is not the client's fault
// it has the codes of section 4.1.2.1, since 5.2 has none.
func oauthCodeOf(p *web.Problem) string {
	code, known := oauthCodes[p.Type]
	switch {
	case known:
		return code
	case p.Status == http.StatusTooManyRequests, p.Status == http.StatusServiceUnavailable:
		return "temporarily_unavailable"
	case p.Status >= http.StatusInternalServerError:
		return "server_error"
	}
	return "invalid_request"
}

// ShowError sends a problem in Prioticket's model of errors, that of the token
// endpoint with a code of RFC 6749.
func (pr *Prio) ShowError(c *fiber.Ctx, p *web.Problem) error {
	shown := errorJSON{Error: codeOf(p), Reference: p.RequestID, Message: p.Title, Description: printable(p.Detail)}
	if strings.HasSuffix(strings.TrimSuffix(c.Path(), "/"), TokenPath) {
		shown.Error = oauthCodeOf(p)
		c.Set(fiber.HeaderCacheControl, "no-store")
		c.Set(fiber.HeaderPragma, "no-cache")
	}
	for field, message := range p.Errors {
		shown.Errors = append(shown.Errors, field+": "+message)
	}
	slices.Sort(shown.Errors)
	return web.SendJSON(c, p.Status, shown)
}

// inASCII replaces the punctuation of our texts, and what RFC 6749 does not allow in
// a description.
var inASCII = strings.NewReplacer("“", "'", "”", "'", `"`, "'", "’", "'", `\`, "/", "…", "...", "–", "-")

// printable returns a text in the characters that RFC 6749 allows in an
// error_description: printable ASCII without quotation marks and backslashes.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, inASCII.Replace(text))
}

// wrongTypes returns an error for members that are missing or of the wrong type; its
// status differs from that for invalid values.
func wrongTypes(fields webhook.Invalid) error {
	if len(fields) == 0 {
		return nil
	}
	p := web.Malformed("Fields are missing or of the wrong type.")
	p.Errors = messages.Problems(fields)
	return p
}
