package handlers_test

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"testing"
)

// inPrioWords are the refusals of what only the sentences of the description of
// Prioticket's API forbid.
var inPrioWords = regexp.MustCompile(`(?s)^(` + strings.Join([]string{
	`.*: Has an escape such as .* that is only half of a character`,
	`(webhook_events|notification_event): Prioticket has no event `,
	`webhook_url: (Begin the URL with https|Enter the URL|A URL cannot contain spaces|Bookhook calls https:// and http:// URLs only)`,
	`webhook_auth: (Use letters without accents, digits and signs only|Remove the space at the beginning or the end)`,
	`webhook_email: Enter an e-mail address`,
}, "|") + `)`)

func ofPrio(op operation) bool { return strings.HasPrefix(op.template, prio) }

// refusedByPrio is prober.refused for the answers of Prioticket's API.
func refusedByPrio(t testing.TB, what string, status int, text []byte) {
	t.Helper()
	var got errorModel
	if err := json.Unmarshal(text, &got); err != nil {
		t.Error(err)
	}
	switch {
	case status == http.StatusNotFound:
		return
	case got.Error == "invalid_scope", got.Message == "The client authenticates twice":
		return
	}
	if len(got.Errors) == 0 {
		t.Errorf("%s: the description allows it, and it was refused: %d %s", what, status, text)
	}
	for _, said := range got.Errors {
		if !inPrioWords.MatchString(said) {
			t.Errorf("%s: the description allows it, and it was refused: %d %s", what, status, said)
		}
	}
}

// errorModel is an error as clients of Prioticket read it.
type errorModel struct {
	Error   string   `json:"error"`
	Message string   `json:"error_message"`
	Errors  []string `json:"errors"`
}

// TestPrioProperty is TestOpenAPIProperty for Prioticket's API; besides, every answer is
// held against the vendor's models.
func TestPrioProperty(t *testing.T) {
	t.Parallel()
	p := newProber(t)
	r := p.reseller(t, p.account.ID)
	hook := r.create(`"webhook_events":["ORDER_CREATE"],"webhook_url":"` + p.receiver.URL + `"`)["webhook_id"].(string)
	p.token = r.token
	for _, op := range p.below(t, prio, map[string]string{"webhooks": hook}) {
		if op.path == prio+grantPath {
			op.sign = basic(r.id, r.secret)
		}
		t.Run(op.OperationID, func(t *testing.T) {
			p.probeBody(t, op)
			p.probeBytes(t, op)
			p.probeParameters(t, op)
			p.probePath(t, op)
		})
	}
	t.Logf("sent %d requests", p.sent)
}
