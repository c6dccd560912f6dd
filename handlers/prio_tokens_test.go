package handlers_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"bookhook/auth"
	"bookhook/db"
	"bookhook/handlers"
	"bookhook/webhook"
)

const grantPath = "/oauth2/token"

func form(r *http.Request) { r.Header.Set("Content-Type", "application/x-www-form-urlencoded") }

func TestPrioToken(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	r := a.reseller(t, a.account.ID)
	const other = "https://www.prioticketapis.com/auth/distributor.bookings"
	inBody := "client_id=" + r.id + "&client_secret=" + r.secret + "&grant_type=client_credentials"
	nobody := header("Authorization", "")
	for _, c := range []struct {
		body, scope string
		change      func(*http.Request)
	}{
		{ask, scope, basic(r.id, r.secret)},
		{ask, scope, header("Content-Type", "application/json; charset=UTF-8")},
		{`{"grant_type":"client_credentials"}`, scope, basic(r.id, r.secret)},
		{`{"grant_type":"client_credentials","scope":null}`, scope, basic(r.id, r.secret)},
		{`{"grant_type":"client_credentials","scope":" "}`, scope, basic(r.id, r.secret)},
		{`{"grant_type":"client_credentials","scope":[]}`, scope, basic(r.id, r.secret)},
		{`{"grant_type":"client_credentials","scope":["` + scope + `","` + other + `"]}`, other + " " + scope, basic(r.id, r.secret)},
		{`{"grant_type":"client_credentials","scope":"` + scope + ` ` + other + ` ` + scope + `","more":1}`, other + " " + scope, basic(r.id, r.secret)},
		{`{"grant_type":"client_credentials","scope":"` + other + `"}`, other, basic(r.id, r.secret)},
		{ask, scope, header("Authorization", "basic  "+encode(r.id+":"+r.secret))},
		{"grant_type=client_credentials", scope, form},
		{"grant_type=client_credentials&scope=&more=1&more=2", scope, form},
		{"grant_type=client_credentials&scope=" + strings.ReplaceAll(other, ":", "%3A") + "+" + scope, other + " " + scope, form},
		{"grant_type=client_credentials&client_id=" + r.id + "&client_secret=", scope, form}, // the client names itself
		{inBody, scope, both(form, nobody)},
		{inBody, scope, both(form, as("the last access token"))},
		{`{"grant_type":"client_credentials","client_id":"` + r.id + `","client_secret":"` + r.secret + `"}`, scope, nobody},
	} {
		request := a.request("POST", prio+grantPath, c.body, basic(r.id, r.secret), c.change)
		response, text := a.live(t, a.app, request)
		var got map[string]any
		if err := json.Unmarshal(text, &got); err != nil || response.StatusCode != 200 {
			t.Fatalf("%s: got %d %s, %v", c.body, response.StatusCode, text, response.Header)
		}
		token, _ := got["access_token"].(string)
		if got["scope"] != c.scope || got["token_type"] != "Bearer" || got["expires_in"] != 3600.0 || len(token) != 55 || len(got) != 4 {
			t.Errorf("%s: got %s, want the scope %s", c.body, text, c.scope)
		}
		want := 200
		if !strings.Contains(c.scope, scope) {
			want = 403
		}
		a.call(t, want, "GET", prio+"/webhooks", "", as(token))
	}
	a.call(t, 200, "GET", prio+"/webhooks", "", as(r.token)) // several are active at once
	clients, err := a.store.Clients(t.Context(), a.account.ID)
	if err != nil || len(clients) != 1 || time.Since(clients[0].UsedAt) > time.Minute {
		t.Errorf("got %+v, %v, want it used now", clients, err)
	}
}

// both makes two changes to a request.
func both(one, other func(*http.Request)) func(*http.Request) {
	return func(r *http.Request) {
		one(r)
		other(r)
	}
}

// A client from before ids and secrets had letters and digits only gets its token as
// it always did, and from programs that encode what they send.
func TestPrioOldClient(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	for _, secret := range []string{"bhs_Ab-_9", "100% sure+", "a%41"} {
		client, err := a.store.AddClient(t.Context(), webhook.Client{Account: a.account.ID, Name: "old"}, auth.HashSecret(secret), change())
		if err != nil {
			t.Fatal(err)
		}
		id := strings.Replace(client.ID.String(), "cli", "cli_", 1)
		for _, c := range []func(*http.Request){
			basic(id, secret), basic(id, url.QueryEscape(secret)), basic(strings.ReplaceAll(id, "_", "%5F"), url.QueryEscape(secret)),
			basic(strings.ReplaceAll(id, "_", "%5f"), strings.ReplaceAll(url.QueryEscape(secret), "_", "%5F")), basic(client.ID.String(), secret),
		} {
			a.call(t, 200, "POST", prio+grantPath, ask, c)
		}
		inBody := url.Values{"grant_type": {"client_credentials"}, "client_id": {id}, "client_secret": {secret}}.Encode()
		a.call(t, 200, "POST", prio+grantPath, inBody, form, header("Authorization", ""))
		a.call(t, 401, "POST", prio+grantPath, ask, basic(id, url.QueryEscape(url.QueryEscape(secret+" "))))
	}
}

func TestPrioBadGrants(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	r, other := a.reseller(t, a.account.ID), a.reseller(t, a.account.ID)
	nobody := header("Authorization", "")
	const good = "grant_type=client_credentials"
	for _, c := range []struct {
		status     int
		body, code string
		change     func(*http.Request)
	}{
		{400, `{`, "invalid_request", nil},
		{400, `[]`, "invalid_request", nil},
		{400, `{"grant_type":7}`, "invalid_request", nil},
		{400, `{"grant_type":"client_credentials","scope":[7]}`, "invalid_request", nil},
		{400, `{"grant_type":"client_credentials","scope":{}}`, "invalid_request", nil},
		{400, `{"grant_type":"client_credentials","scope":[null]}`, "invalid_request", nil},
		{400, ask, "invalid_request", header("Content-Type", "application/json;;")},
		{400, `{"grant_type":"client_credentials","scope":["x"]}`, "invalid_scope", nil},
		{400, `{"grant_type":"client_credentials","grant_type":"client_credentials"}`, "invalid_request", nil},
		{400, `{}`, "invalid_request", nil},
		{400, `{"grant_type":""}`, "invalid_request", nil},
		{400, `{"grant_type":"password"}`, "unsupported_grant_type", nil},
		{400, `{"grant_type":"CLIENT_CREDENTIALS"}`, "unsupported_grant_type", nil},
		{400, `scope=x`, "invalid_request", form},
		{400, `grant_type=`, "invalid_request", form},
		{400, `grant_type=refresh_token`, "unsupported_grant_type", form},
		{400, good + "&" + good, "invalid_request", form},
		{400, good + "&scope=x&scope=y", "invalid_request", form},
		{400, `{"grant_type":"client_credentials","scope":"webhooks"}`, "invalid_scope", nil},
		{400, `{"grant_type":"client_credentials","scope":"` + scope + ` more"}`, "invalid_scope", nil},
		{400, `{"grant_type":"client_credentials","scope":"\"M\u00fcnster\" \\"}`, "invalid_scope", nil},
		{400, good + "&client_id=" + r.id + "&client_secret=" + r.secret, "invalid_request", form}, // twice
		{400, good + "&client_secret=" + r.secret, "invalid_request", form},
		{400, good + "&client_id=" + other.id, "invalid_request", form}, // somebody else
		{400, `{"grant_type":"client_credentials","client_id":"` + r.id + `","client_secret":"x"}`, "invalid_request", nil},
		{400, good + "&client_id=a&client_id=b&client_secret=c", "invalid_request", both(form, nobody)},
		{400, ask, "invalid_request", header("Content-Type", "text/plain")},
		{400, ask, "invalid_request", func(r *http.Request) { r.Header.Del("Content-Type") }},
		{415, ask, "invalid_request", header("Content-Encoding", "gzip")},
		{401, ask, "invalid_client", nobody},
		{401, ask, "invalid_client", header("Authorization", "Basic")},
		{401, ask, "invalid_client", header("Authorization", "Basic !")},
		{401, ask, "invalid_client", header("Authorization", "Basic "+encode(r.id))},
		{401, ask, "invalid_client", header("Authorization", "Bearer "+r.token)},
		{401, ask, "invalid_client", basic(r.id, r.secret+"x")},
		{401, ask, "invalid_client", basic(r.id, other.secret)},
		{401, ask, "invalid_client", basic(r.id, "")},
		{401, ask, "invalid_client", basic("cli0000000000002", r.secret)},
		{401, ask, "invalid_client", basic("portal", r.secret)},
		{401, ask, "invalid_client", basic("", "")},
		{401, good + "&client_id=" + r.id, "invalid_client", both(form, nobody)},
		{401, good + "&client_id=" + r.id + "&client_secret=x", "invalid_client", both(form, nobody)},
	} {
		if c.change == nil {
			c.change = func(*http.Request) {}
		}
		response, text := a.live(t, a.app, a.request("POST", prio+grantPath, c.body, basic(r.id, r.secret), c.change))
		var got map[string]any
		if err := json.Unmarshal(text, &got); err != nil || response.StatusCode != c.status || got["error"] != c.code {
			t.Errorf("%s: got %d %s, want %d %s", c.body, response.StatusCode, text, c.status, c.code)
		}
		if (c.status == 401) != strings.HasPrefix(response.Header.Get("WWW-Authenticate"), "Basic ") {
			t.Errorf("%d %s: got the challenge %q", c.status, c.body, response.Header.Get("WWW-Authenticate"))
		}
	}
	query := "?grant_type=client_credentials&client_id=" + r.id + "&client_secret=" + r.secret // credentials do not belong there
	a.call(t, 401, "POST", prio+grantPath+query, good, form, nobody)
}

// Guessing a secret is stopped, however the id is written; whoever knows it is not,
// even from the same network.
func TestPrioTries(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	r, other := a.reseller(t, a.account.ID), a.reseller(t, a.account.ID)
	for n := range 10 {
		id := []string{r.id, strings.Replace(r.id, "cli", "cli_", 1), strings.Replace(r.id, "cli", "cli%5F", 1), strings.Replace(r.id, "c", "%63", 1)}[n%4]
		r.refused(401, "invalid_client", "", "POST", grantPath, ask, basic(id, "guess"))
	}
	r.refused(429, "temporarily_unavailable", "15 minutes", "POST", grantPath, ask, basic(r.id, "guess"))
	for range 11 {
		r.call(200, "POST", grantPath, ask, basic(r.id, r.secret))
	}
	other.call(200, "POST", grantPath, ask, basic(other.id, other.secret))
	r.list("") // what it got before holds
}

func TestPrioAccessTokens(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	r := a.reseller(t, a.account.ID)
	clients, err := a.store.Clients(t.Context(), a.account.ID)
	if err != nil {
		t.Fatal(err)
	}
	add := func(expires time.Time) string {
		text, hash := auth.NewToken()
		if err := a.store.AddClientToken(t.Context(), clients[0].ID, hash, scope, expires, time.Now().Add(-2*time.Hour)); err != nil {
			t.Fatal(err)
		}
		return text
	}
	expired, valid := add(time.Now()), add(time.Now().Add(time.Minute))
	r.call(200, "GET", "/webhooks", "", as(valid))
	r.call(200, "GET", "/webhooks", "", header("Authorization", "bearer  "+valid))
	for name, value := range map[string]string{
		"expired": "Bearer " + expired, "none": "", "wrong": "Bearer x", "empty": "Bearer ", "no scheme": r.token, "basic": "Basic " + encode(r.id+":"+r.secret),
		"of the other API": "Bearer " + a.token, "the secret": "Bearer " + r.secret,
	} {
		t.Run(name, func(t *testing.T) {
			response, text := a.live(t, a.app, a.request("GET", prio+"/webhooks", "", header("Authorization", value)))
			if response.StatusCode != 401 || !strings.HasPrefix(response.Header.Get("WWW-Authenticate"), "Bearer") || !bytes.Contains(text, []byte(`"error":"UNAUTHORIZED"`)) {
				t.Errorf("got %d %s %v, want 401", response.StatusCode, text, response.Header)
			}
		})
	}
	a.call(t, 401, "GET", "/api/v1/account", "", as(r.token)) // it is for this API alone
	if err := a.store.RevokeClient(t.Context(), a.account.ID, clients[0].ID, change()); err != nil {
		t.Fatal(err)
	}
	r.refused(401, "UNAUTHORIZED", "", "GET", "/webhooks", "")
	r.refused(401, "invalid_client", "", "POST", grantPath, ask, basic(r.id, r.secret))
}

// TestPrioErrors wants Prioticket's model for whatever goes wrong below its
// address.
func TestPrioErrors(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	r := a.reseller(t, a.account.ID)
	for _, c := range []struct {
		status             int
		method, path, code string
		body               string
	}{
		{404, "GET", "", "NOT_FOUND", ""},
		{404, "GET", "/nothing", "NOT_FOUND", ""},
		{404, "POST", "/webhooks/a/b", "NOT_FOUND", "{}"},
		{405, "PUT", "/webhooks", "METHOD_NOT_ALLOWED", "{}"},
		{405, "PATCH", "/webhooks/x", "METHOD_NOT_ALLOWED", "{}"},
		{405, "GET", "/oauth2/token", "invalid_request", ""},
		{413, "POST", "/oauth2/token", "invalid_request", `"` + strings.Repeat("x", 5<<20) + `"`},
		{405, "GET", "/notifications", "METHOD_NOT_ALLOWED", ""},
		{413, "POST", "/webhooks", "REQUEST_ENTITY_TOO_LARGE", `"` + strings.Repeat("x", 5<<20) + `"`},
	} {
		response, text := a.live(t, a.app, a.request(c.method, prio+c.path, c.body, as(r.token)))
		var got map[string]string
		if err := json.Unmarshal(text, &got); err != nil {
			t.Fatalf("%s %s: %v in %s", c.method, c.path, err, text)
		}
		if response.StatusCode != c.status || got["error"] != c.code || len(got["error_reference"]) < 20 || got["error_message"] == "" ||
			strings.ContainsFunc(got["error_description"], func(r rune) bool { return r > '~' }) {
			t.Errorf("%s %s: got %d %s", c.method, c.path, response.StatusCode, text)
		}
		if c.status == 405 && response.Header.Get("Allow") == "" {
			t.Errorf("%s %s: got no Allow", c.method, c.path)
		}
	}
}

// breaking is a database in which nothing can be found any more, except who asks.
type breaking struct {
	*db.Store
	err error
}

func (b breaking) ClientByID(context.Context, webhook.ClientID) (webhook.Client, []byte, error) {
	return webhook.Client{}, nil, b.err
}

func (b breaking) Webhooks(context.Context, webhook.AccountID) ([]*webhook.Webhook, error) {
	return nil, b.err
}

// pressed is a dispatcher that takes nothing in.
type pressed struct {
	handlers.Dispatcher
	err error
}

func (p pressed) Ingest(context.Context, webhook.AccountID, []webhook.Event) ([]webhook.Accepted, error) {
	return nil, p.err
}

// prioCall is an operation of Prioticket's API.
type prioCall struct{ method, path, good string }

// refused provokes what operations have in common; other is an access token for something
// else.
func (c prioCall) refused(account webhook.AccountID, other string, send func(status int, body string, change ...func(*http.Request))) {
	send(401, c.good, as("x"))
	send(400, c.good, func(r *http.Request) { r.Host = "[" })
	send(431, c.good, header("Accept", strings.Repeat("x", 17<<10)))
	if c.method == "DELETE" {
		send(413, `"`+strings.Repeat("x", 5<<20)+`"`)
		send(415, "{}", header("Content-Encoding", "gzip"))
	}
	if c.path == "/notifications" {
		send(508, c.good, header(webhook.ViaHeader, instance.Extend("", account)))
	}
	if c.path != grantPath {
		send(403, c.good, as(other))
	}
	if c.method == "POST" {
		send(400, "{")
		send(413, `"`+strings.Repeat("x", 5<<20)+`"`)
		send(415, c.good, header("Content-Encoding", "gzip"))
		if c.path != grantPath {
			send(415, c.good, header("Content-Type", "text/plain"))
		}
	}
	if c.path == "/webhooks" && c.method == "POST" || c.path == "/notifications" {
		send(422, strings.Replace(c.good, "ORDER_CREATE", "ORDER_MADE", 1))
	}
}

// TestPrioEverything provokes every documented status of every operation.
func TestPrioEverything(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	r := a.reseller(t, a.account.ID)
	const (
		hook   = `{"data":{"webhook":{"webhook_events":["ORDER_CREATE"],"webhook_url":"https://example.com"}}}`
		notice = `{"data":{"notification":{"notification_event":"ORDER_CREATE","notification_item_id":"1"}}}`
	)
	id := r.create(`"webhook_events":["ORDER_CREATE"],"webhook_url":"https://example.com","webhook_auth":"x"`)["webhook_id"].(string)
	calls := []prioCall{
		{"POST", grantPath, ask}, {"GET", "/webhooks", ""}, {"POST", "/webhooks", hook}, {"DELETE", "/webhooks/" + id, ""}, {"POST", "/notifications", notice},
	}
	text, hash := auth.NewToken()
	clients, err := a.store.Clients(t.Context(), a.account.ID)
	if err == nil {
		err = a.store.AddClientToken(t.Context(), clients[0].ID, hash, "x", time.Now().Add(time.Hour), time.Now())
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range calls {
		send := func(status int, body string, change ...func(*http.Request)) {
			t.Helper()
			change = append([]func(*http.Request){as(r.token)}, change...)
			if c.path == grantPath {
				change = append([]func(*http.Request){basic(r.id, r.secret)}, change[1:]...)
			}
			a.raw(t, status, a.request(c.method, prio+c.path, body, change...))
		}
		for status, err := range map[int]error{503: webhook.ErrBusy, 500: io.ErrUnexpectedEOF} {
			app := a.with(t, func(o *handlers.Options) {
				o.Store.Prio, o.Dispatcher = breaking{a.store.Store, err}, pressed{a.dispatcher, err}
			})
			a.rawOf(t, app, status, a.request(c.method, prio+c.path, c.good, as(r.token), func(q *http.Request) {
				if c.path == grantPath {
					q.SetBasicAuth(r.id, r.secret)
				}
			}))
		}
		c.refused(a.account.ID, text, send)
	}
	r.list("")
	a.call(t, 400, "GET", prio+"/webhooks?page=0", "", as(r.token))
	r.call(204, "POST", "/notifications", notice)
	r.call(204, "DELETE", "/webhooks/"+id, "")
	r.call(404, "DELETE", "/webhooks/"+id, "")
	if err := a.store.SetLimit(t.Context(), a.account.ID, 0, change()); err != nil {
		t.Fatal(err)
	}
	r.call(409, "POST", "/webhooks", hook)
	for range 10 {
		r.call(401, "POST", grantPath, ask, basic(r.id, "guess"))
	}
	r.call(429, "POST", grantPath, ask, basic(r.id, "guess"))
	a.complete(t, prio)
}
