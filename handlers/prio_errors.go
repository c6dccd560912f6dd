package handlers

import (
	"crypto/rand"
	"net/http"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"
)

// prioError is an error in Prioticket's model.
type prioError struct {
	Error       string   `json:"error"`
	Reference   string   `json:"error_reference"`
	Message     string   `json:"error_message"`
	Description string   `json:"error_description,omitempty"` // for developers, in ASCII
	Errors      []string `json:"errors,omitempty"`
}

// prioCodes are the codes of problems that have one of their own; those of the
// token endpoint are the ones of RFC 6749 in Prioticket's capitals.
var prioCodes = map[string]string{
	"invalid-client":     "INVALID_CLIENT",
	"unsupported-grant":  "UNSUPPORTED_GRANT_TYPE",
	"invalid-scope":      "INVALID_SCOPE",
	"insufficient-scope": "INSUFFICIENT_SCOPE",
	"webhook-limit":      "WEBHOOK_LIMIT_REACHED",
}

func prioCode(p problem) string {
	code, known := prioCodes[p.Type]
	switch {
	case known:
		return code
	case p.Status == http.StatusBadRequest:
		return "INVALID_REQUEST"
	}
	return strings.ToUpper(strings.ReplaceAll(http.StatusText(p.Status), " ", "_"))
}

// forPrio reports whether the request is one of the Prioticket-compatible API.
func forPrio(c *fiber.Ctx) bool {
	return c.Path() == prioPath || strings.HasPrefix(c.Path(), prioPath+"/")
}

func sendPrioError(c *fiber.Ctx, p problem) error {
	shown := prioError{Error: prioCode(p), Reference: p.RequestID, Message: p.Title, Description: ascii(p.Detail)}
	if shown.Reference == "" { // refused before it had an id
		shown.Reference = rand.Text()
	}
	for field, message := range p.Errors {
		shown.Errors = append(shown.Errors, field+": "+message)
	}
	slices.Sort(shown.Errors)
	return sendJSON(c, p.Status, shown)
}

// plainSigns writes the signs of our texts as typewriters did.
var plainSigns = strings.NewReplacer("“", `"`, "”", `"`, "’", "'", "…", "...", "–", "-")

func ascii(text string) string {
	return strings.Map(func(r rune) rune {
		if r > '~' {
			return '?'
		}
		return r
	}, plainSigns.Replace(text))
}

// wrongTypes tells of members that are not what they must be; that is another
// status here than what makes no sense.
func wrongTypes(fields map[string]string) error {
	if len(fields) == 0 {
		return nil
	}
	return &problem{
		Type: "malformed", Title: "The body is not what it should be", Status: http.StatusBadRequest,
		Detail: "Fields are missing or of the wrong type.", Errors: fields,
	}
}
