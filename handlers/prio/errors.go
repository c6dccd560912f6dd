package prio

import (
	"crypto/rand"
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
	Description string   `json:"error_description,omitempty"` // for developers, in ASCII
	Errors      []string `json:"errors,omitempty"`
}

// codes are the codes of problems that have one of their own; those of the
// token endpoint are the ones of RFC 6749 in Prioticket's capitals.
var codes = map[string]string{
	"invalid-client":     "INVALID_CLIENT",
	"unsupported-grant":  "UNSUPPORTED_GRANT_TYPE",
	"invalid-scope":      "INVALID_SCOPE",
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

// ShowError sends a problem in Prioticket's model of errors.
func (pr *Prio) ShowError(c *fiber.Ctx, p *web.Problem) error {
	shown := errorJSON{Error: codeOf(p), Reference: p.RequestID, Message: p.Title, Description: ascii(p.Detail)}
	if shown.Reference == "" { // refused before it had an id
		shown.Reference = rand.Text()
	}
	for field, message := range p.Errors {
		shown.Errors = append(shown.Errors, field+": "+message)
	}
	slices.Sort(shown.Errors)
	return web.SendJSON(c, p.Status, shown)
}

// asciiPunctuation has ASCII for the punctuation of our texts.
var asciiPunctuation = strings.NewReplacer("“", `"`, "”", `"`, "’", "'", "…", "...", "–", "-")

func ascii(text string) string {
	return strings.Map(func(r rune) rune {
		if r > '~' {
			return '?'
		}
		return r
	}, asciiPunctuation.Replace(text))
}

// wrongTypes is an error for members that are missing or of the wrong type; its
// status differs from that of values that are not valid.
func wrongTypes(fields webhook.Invalid) error {
	if len(fields) == 0 {
		return nil
	}
	p := web.Malformed("Fields are missing or of the wrong type.")
	p.Errors = messages.Problems(fields)
	return p
}
