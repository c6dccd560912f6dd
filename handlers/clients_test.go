package handlers_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

func TestClientsPanel(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.signIn(anna)
	b.get("/settings/tokens").is(http.StatusOK).has("Clients of the Prioticket API", "No clients yet", s.url+prio+"/oauth2/token")
	b.post("/settings/clients", url.Values{"name": {" "}}).is(http.StatusUnprocessableEntity).has("Enter a name.", "f-client-name-problem")
	p := b.post("/settings/clients", url.Values{"name": {"Portal & Söhne"}}).is(http.StatusCreated).has("it is not shown again", "Portal & Söhne", "never")
	secret, id := p.find(`(bhs[0-9A-Z]{52})<`), p.find(`(cli[0-9a-z]{13})<`)
	b.get("/settings/tokens").is(http.StatusOK).has("Portal & Söhne", id).lacks(secret)
	b.get("/settings/activity").is(http.StatusOK).has("Created the client “Portal & Söhne”").lacks(secret)

	grant := func() page {
		request := s.anonymous().request(http.MethodPost, prio+"/oauth2/token", ask)
		request.Header.Set("Content-Type", "application/json")
		request.SetBasicAuth(id, secret)
		return s.anonymous().do(request)
	}
	token := grant().is(http.StatusOK).find(`"access_token":"([^"]+)"`)
	b.get("/settings/tokens").is(http.StatusOK).has("within the last two hours").lacks(token)
	s.signIn(staff).get("/settings/tokens").is(http.StatusOK).has("Portal & Söhne").lacks("Create client", "Revoke")
	s.signIn(others).get("/settings/tokens").is(http.StatusOK).lacks("Portal", id)

	list := func() page {
		request := s.anonymous().request(http.MethodGet, prio+"/webhooks", "")
		request.Header.Set("Authorization", "Bearer "+token)
		return s.anonymous().do(request)
	}
	list().is(http.StatusOK)
	s.signIn(others).post("/settings/clients/"+id+"/revoke", nil).is(http.StatusNotFound)
	list().is(http.StatusOK)
	if to := b.post("/settings/clients/"+id+"/revoke", nil).is(http.StatusSeeOther).location; to != "/settings/tokens" {
		t.Errorf("got %s", to)
	}
	list().is(http.StatusUnauthorized)
	grant().is(http.StatusUnauthorized)
	b.get("/settings/tokens").is(http.StatusOK).has("The client and its access tokens were revoked", "No clients yet")
	if text := b.get("/settings/activity").text; !strings.Contains(text, "Revoked the client") {
		t.Error("the activity does not say that it was revoked")
	}
}
