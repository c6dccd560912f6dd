package e2e

import (
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
)

const prioBase = "/v3.8/distributor"

// reseller is a program written for Prioticket.
type reseller struct {
	*shop
	bearer string
}

// resell signs a client in with what the command line or the page gave.
func (o *shop) resell(id, secret string) *reseller {
	o.t.Helper()
	r := &reseller{shop: o}
	var granted struct {
		AccessToken string `json:"access_token"`
	}
	r.send("POST", "/oauth2/token", `{"grant_type":"client_credentials"}`, func(r *http.Request) { r.SetBasicAuth(id, secret) }).
		want(o.t, http.StatusOK, &granted)
	r.bearer = granted.AccessToken
	return r
}

func (r *reseller) send(method, path, body string, sign func(*http.Request)) reply {
	r.t.Helper()
	request, err := http.NewRequest(method, r.URL+prioBase+path, strings.NewReader(body))
	must(r.t, err)
	request.Header.Set("Content-Type", "application/json")
	sign(request)
	response, err := caller.Do(request)
	must(r.t, err)
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	must(r.t, err)
	return reply{response.StatusCode, response.Header, answer}
}

func (r *reseller) call(method, path, body string) reply {
	r.t.Helper()
	return r.send(method, path, body, func(q *http.Request) { q.Header.Set("Authorization", "Bearer "+r.bearer) })
}

var clientLines = regexp.MustCompile(`^client_id=(cli[0-9a-z]{13})\nclient_secret=(bhs[0-9A-Z]{52})\n$`)

// A client from the command line makes a webhook, which is one of the list of pages too, and has it called.
func TestPrioticketClient(t *testing.T) {
	t.Parallel()
	o := newShop(t)
	in := receiver(t)
	r := o.resell(o.addClient())
	var created struct {
		Data struct {
			Webhook struct {
				ID string `json:"webhook_id"`
			}
		}
	}
	r.call("POST", "/webhooks", `{"data":{"webhook":{"webhook_events":["ORDER_CREATE"],"webhook_url":"`+in.URL+`/orders","webhook_auth":"dXNlcjpwYXNz"}}}`).
		want(t, http.StatusCreated, &created)
	r.call("POST", "/notifications", `{"data":{"notification":{"notification_event":"ORDER_CREATE","notification_item_id":"PR-1"}}}`).
		want(t, http.StatusNoContent, nil)
	if got := in.next(t); got.Header.Get("Authorization") != "Basic dXNlcjpwYXNz" || got.URL != "/orders" {
		t.Errorf("got %s %v, want the call with its Basic value", got.URL, got.Header)
	}

	p := o.as(t, operator, pageOptions{})
	p.visit(o.URL + "/webhooks")
	p.sees("Prioticket: 127.0.0.1")
	p.sees("1 of 10")
	must(t, p.Locator("a:has-text('Prioticket: 127.0.0.1')").First().Click())
	p.opensTab("Settings")
	p.sees("With Basic authentication")
	p.sees("Order created")
	p.lacks("dXNlcjpwYXNz")

	r.call("DELETE", "/webhooks/"+created.Data.Webhook.ID, "").want(t, http.StatusNoContent, nil)
	p.visit(o.URL + "/webhooks")
	p.sees("0 of 10")
}

// An operator makes a client on the page, copies its secret, and ends it.
func TestClientsPanel(t *testing.T) {
	t.Parallel()
	o := newShop(t)
	p := o.as(t, operator, pageOptions{})
	p.visit(o.URL + "/settings/tokens")
	p.sees("Clients of the Prioticket API")
	p.sees("No clients yet")
	p.fill("Name of the client", " ")
	p.refused("Create client", "Enter a name.")
	p.looks()
	p.fill("Name of the client", "Reseller portal")
	if got := p.submit("Create client"); got != http.StatusCreated {
		t.Errorf("create a client: got %d, want 201", got)
	}
	p.sees("it is not shown again")
	p.looks()
	r := o.resell(p.text("#client-id"), p.text("#client-secret"))
	var list struct{ Data json.RawMessage }
	r.call("GET", "/webhooks", "").want(t, http.StatusOK, &list)

	p.visit(o.URL + "/settings/tokens")
	p.sees("Reseller portal")
	p.sees("within the last two hours")
	must(t, p.Locator("tr:has-text('Reseller portal') summary:has-text('Revoke')").Click())
	p.press("Revoke client")
	p.sees("The client and its access tokens were revoked")
	p.sees("No clients yet")
	if got := r.call("GET", "/webhooks", ""); got.Status != http.StatusUnauthorized {
		t.Errorf("after it was revoked: got %d %s, want 401", got.Status, got.Body)
	}
}
