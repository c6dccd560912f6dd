package e2e

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

// TestStandardWebhooksLibraries has the libraries of Standard Webhooks verify what receivers get: for Go, and for
// JavaScript, which parses JSON unless it is told not to.
func TestStandardWebhooksLibraries(t *testing.T) {
	t.Parallel()
	op := newShop(t)
	signed, get, inline := receiver(t), receiver(t), receiver(t)
	inline.accepts()
	secrets := []string{
		op.webhook("Signed", signed.URL, nil).Secret,
		op.webhook("Native", get.URL+"/in?shop=1", map[string]any{"format": "native"}).Secret,
		op.webhook("Gate", inline.URL, map[string]any{"type": "inline", "format": "native", "events": []string{"new_temporary_web"}}).Secret,
	}
	op.booking("1234")
	op.question("q-1", "3930", "1235")
	for i, tt := range []struct {
		name string
		in   *inbox
		json bool
	}{
		{"signed JSON", signed, true},
		{"GET", get, false},
		{"inline XML", inline, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := tt.in.next(t)
			content := string(r.Body)
			if r.Method == http.MethodGet {
				_, content, _ = strings.Cut(r.URL, "?")
			}
			library, err := standardwebhooks.NewWebhook(secrets[i])
			must(t, err)
			if err := library.Verify([]byte(content), r.Header); err != nil {
				t.Errorf("Go: %v", err)
			}
			if library.Verify([]byte(content+" "), r.Header) == nil {
				t.Error("Go: other content is verified, too")
			}

			parses := map[bool]string{true: "", false: "SyntaxError"}[tt.json]
			for _, try := range []struct{ content, options, failure string }{
				{content, `{}`, parses},
				{content, `{"jsonParse":false}`, ""},
				{content + " ", `{"jsonParse":false}`, "WebhookVerificationError"},
			} {
				if got := verifyInJavaScript(t, secrets[i], try.content, r.Header, try.options); got != try.failure {
					t.Errorf("JavaScript, %s: got the error %q, want %q", try.options, got, try.failure)
				}
			}
		})
	}
}

// verifyInJavaScript returns the name of the exception, "" if there is none.
func verifyInJavaScript(t *testing.T, secret, content string, header http.Header, options string) string {
	t.Helper()
	headers := map[string]string{}
	for name := range header {
		headers[name] = header.Get(name)
	}
	in, err := json.Marshal(map[string]any{"secret": secret, "content": content, "headers": headers, "options": json.RawMessage(options)})
	must(t, err)
	var out struct{ Error string }
	must(t, json.Unmarshal([]byte(node(t, "standardwebhooks.mjs", string(in))), &out))
	return out.Error
}
