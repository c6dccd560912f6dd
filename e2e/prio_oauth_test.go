package e2e

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

// addClient creates a client of the Prioticket-compatible API.
func (o *shop) addClient() (id, secret string) {
	o.t.Helper()
	made := clientLines.FindStringSubmatch(o.run("", "client", "add", "--account", o.Number, "Reseller portal"))
	if made == nil {
		o.t.Fatal("client add does not print client_id and client_secret")
	}
	return made[1], made[2]
}

// The OAuth 2.0 client of the Go project gets tokens, and keeps one for its calls.
func TestGoOAuthClient(t *testing.T) {
	t.Parallel()
	o := newShop(t)
	id, secret := o.addClient()
	ctx := context.WithValue(t.Context(), oauth2.HTTPClient, caller)
	for name, style := range map[string]oauth2.AuthStyle{
		"finds out": oauth2.AuthStyleAutoDetect, "header": oauth2.AuthStyleInHeader, "body": oauth2.AuthStyleInParams,
	} {
		for _, version := range []string{"v3.5", "v3.8"} {
			base := o.URL + "/" + version + "/distributor"
			config := clientcredentials.Config{
				ClientID: id, ClientSecret: secret, TokenURL: base + "/oauth2/token", AuthStyle: style,
				Scopes: []string{"https://www.prioticketapis.com/auth/distributor/webhooks", "https://www.prioticketapis.com/auth/distributor.bookings"},
			}
			response, err := config.Client(ctx).Post(base+"/webhooks", "application/json",
				strings.NewReader(`{"data":{"webhook":{"webhook_events":["ORDER_CREATE"],"webhook_url":"https://example.com","webhook_payload":"true"}}}`))
			must(t, err)
			text, err := io.ReadAll(response.Body)
			must(t, errors.Join(err, response.Body.Close()))
			if response.StatusCode != http.StatusCreated {
				t.Errorf("%s %s: got %d %s, want 201", name, version, response.StatusCode, text)
			}
			for what, c := range map[string]struct {
				change func(*clientcredentials.Config)
				status int
			}{
				"invalid_client": {func(c *clientcredentials.Config) { c.ClientSecret = "x" }, http.StatusUnauthorized},
				"invalid_scope":  {func(c *clientcredentials.Config) { c.Scopes = []string{"everything"} }, http.StatusBadRequest},
			} {
				wrong := config
				c.change(&wrong)
				_, err := wrong.Token(ctx)
				refused, ok := errors.AsType[*oauth2.RetrieveError](err)
				if !ok || refused.ErrorCode != what || refused.ErrorDescription == "" || refused.Response.StatusCode != c.status {
					t.Errorf("%s %s: got %v, want %s", name, version, err, what)
				}
			}
		}
	}
}

// oauth4webapi, which holds every response against the standards, gets tokens, and
// creates, lists and deletes webhooks with them.
func TestNodeOAuthClient(t *testing.T) {
	t.Parallel()
	o := newShop(t)
	id, secret := o.addClient()
	for _, version := range []string{"v3.5", "v3.8"} {
		node(t, "oauth.mjs", o.URL+"/"+version+"/distributor", id, secret, "https://example.com/hook")
	}
}
