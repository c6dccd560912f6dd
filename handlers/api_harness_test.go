package handlers_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/legacy"
	"github.com/gofiber/fiber/v2"

	"bookhook/auth"
	"bookhook/db"
	"bookhook/db/dbtest"
	"bookhook/dispatch"
	addressguard "bookhook/dispatch/guard"
	"bookhook/handlers"
	"bookhook/platforms/all"
	"bookhook/webhook"
)

// apiSite is a whole Bookhook with two accounts, driven through its JSON API; every
// request that succeeds and every answer is held against openapi.json.
type apiSite struct {
	t          testing.TB // of the whole, not of a part of it
	app        *fiber.App
	store      *finishing
	dispatcher *dispatch.Dispatcher
	account    webhook.Account
	token      string // of account
	other      string // of another account
	doc        *openapi3.T
	router     routers.Router
	schemas    schemas
	receiver   *httptest.Server
	bases      map[*fiber.App]string                    // addresses
	answer     func(http.ResponseWriter, *http.Request) // of the receiver; set before anything is sent
	seen       map[string]bool                          // "operationId status" of every answer
}

// finishing is the database, and tells which deliveries got an answer.
type finishing struct {
	*db.Store
	finished chan webhook.DeliveryID
}

func (f *finishing) Finish(ctx context.Context, r webhook.Result, now time.Time) (webhook.Finished, error) {
	done, err := f.Store.Finish(ctx, r, now)
	f.finished <- r.Delivery
	return done, err
}

func newAPI(t testing.TB) *apiSite {
	t.Helper()
	store := dbtest.Create(t, dbtest.At(t))
	a := &apiSite{t: t, store: &finishing{store, make(chan webhook.DeliveryID, 10_000)}, seen: map[string]bool{}, bases: map[*fiber.App]string{}}
	a.answer = func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) }
	a.receiver = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { a.answer(w, r) }))
	allowed, err := addressguard.New("all")
	if err != nil {
		t.Fatal(err)
	}
	d := dispatch.New(dispatch.Options{Store: a.store, Lookups: a.store, Shards: a.store, Guard: allowed, Version: "test", Grace: time.Millisecond, Platforms: all.Platforms(), Instance: instance})
	store.Watch(d.Touched)
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error)
	go func() { ended <- d.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		a.receiver.Close()
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	a.dispatcher = d
	a.app = a.with(t)
	a.account, a.token = addAccount(t, store, "Harbour Walks")
	_, a.other = addAccount(t, store, "Hill Rides")
	a.describe(t)
	return a
}

// with is the application with other parts.
func (a *apiSite) with(t testing.TB, change ...func(*handlers.Options)) *fiber.App {
	t.Helper()
	o := options(a.store.Store, a.dispatcher, io.Discard)
	for _, c := range change {
		c(&o)
	}
	app, err := handlers.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return app
}

func addAccount(t testing.TB, store *db.Store, name string) (webhook.Account, string) {
	t.Helper()
	account, err := store.AddAccount(t.Context(), webhook.Account{Name: name, TimeZone: "UTC", WebhookLimit: webhook.DefaultLimit, CreatedAt: time.Now()}, change())
	if err != nil {
		t.Fatal(err)
	}
	text, hash := auth.NewToken()
	if _, err := store.AddToken(t.Context(), webhook.Token{Account: account.ID, Name: "till", CreatedAt: time.Now()}, hash, change()); err != nil {
		t.Fatal(err)
	}
	return account, text
}

// describe reads openapi.json as it is served.
func (a *apiSite) describe(t testing.TB) {
	t.Helper()
	response, err := a.app.Test(httptest.NewRequest(http.MethodGet, "/api/openapi.json", nil), -1)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if a.doc, err = openapi3.NewLoader().LoadFromData(text); err != nil {
		t.Fatal(err)
	}
	if a.router, err = legacy.NewRouter(a.doc); err != nil {
		t.Fatal(err)
	}
	if a.schemas, err = newSchemas(text); err != nil {
		t.Fatal(err)
	}
}

// request is a request of the account; change may make it wrong.
func (a *apiSite) request(method, path, body string, change ...func(*http.Request)) *http.Request {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+a.token)
	if body == "" {
		r.Body = http.NoBody
	} else {
		r.Header.Set("Content-Type", "application/json")
	}
	for _, c := range change {
		c(r)
	}
	return r
}

func as(token string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token) }
}

func header(name, value string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set(name, value) }
}

// call sends a request, wants this status, and returns the answer's JSON.
func (a *apiSite) call(t testing.TB, want int, method, path, body string, change ...func(*http.Request)) map[string]any {
	t.Helper()
	var shown map[string]any
	if text := a.raw(t, want, a.request(method, path, body, change...)); len(text) > 0 {
		if err := json.Unmarshal(text, &shown); err != nil {
			t.Fatalf("%s %s: %v in %s", method, path, err, text)
		}
	}
	return shown
}

func (a *apiSite) raw(t testing.TB, want int, r *http.Request) []byte {
	t.Helper()
	return a.rawOf(t, a.app, want, r)
}

func (a *apiSite) rawOf(t testing.TB, app *fiber.App, want int, r *http.Request) []byte {
	t.Helper()
	sent, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	r.Body = io.NopCloser(bytes.NewReader(sent))
	response, text := a.live(t, app, r)
	if response.StatusCode != want {
		t.Fatalf("%s %s: got %d %s, want %d", r.Method, r.URL, response.StatusCode, text, want)
	}
	r.Body = io.NopCloser(bytes.NewReader(sent))
	a.hold(t, r, response, text)
	return text
}

// hold holds a request and its answer against openapi.json.
func (a *apiSite) hold(t testing.TB, r *http.Request, response *http.Response, text []byte) {
	t.Helper()
	if prioPath.MatchString(r.URL.Path) && !strings.HasPrefix(r.URL.Path, prio) {
		return // openapi.json has the newest version of Prioticket's API; see holdToVendor
	}
	route, params, err := a.router.FindRoute(r)
	if err != nil {
		t.Fatalf("%s %s is not documented: %v", r.Method, r.URL, err)
	}
	options := &openapi3filter.Options{
		AuthenticationFunc: openapi3filter.NoopAuthenticationFunc, IncludeResponseStatus: true, MultiError: true,
		ExcludeRequestBody: isJSON(r.Header), ExcludeResponseBody: true,
	}
	request := &openapi3filter.RequestValidationInput{Request: r, PathParams: params, Route: route, Options: options}
	if response.StatusCode < 300 {
		if err := openapi3filter.ValidateRequest(t.Context(), request); err != nil {
			t.Errorf("%s %s: the request is not as documented: %v", r.Method, r.URL, err)
		}
		if body, err := io.ReadAll(r.Body); err != nil || route.Operation.RequestBody != nil && isJSON(r.Header) && !allows(a.schemas.request(t, route), string(body)) {
			t.Errorf("%s %s: the request is not as documented: %v\n%s", r.Method, r.URL, err, body)
		}
	}
	answer := &openapi3filter.ResponseValidationInput{RequestValidationInput: request, Status: response.StatusCode, Header: response.Header, Options: options}
	if err := openapi3filter.ValidateResponse(t.Context(), answer); err != nil {
		t.Errorf("%s %s: the answer is not as documented: %v\n%s", r.Method, r.URL, err, text)
		return
	}
	a.seen[route.Operation.OperationID+" "+http.StatusText(response.StatusCode)] = true
	documented := route.Operation.Responses.Status(response.StatusCode)
	if documented.Value.Content == nil {
		if len(text) > 0 {
			t.Errorf("%s %s: the answer is not as documented: %s", r.Method, r.URL, text)
		}
		return
	}
	content := documented.Value.Content[response.Header.Get("Content-Type")]
	if content == nil {
		t.Errorf("%s %s: an answer of the type %q is not documented", r.Method, r.URL, response.Header.Get("Content-Type"))
		return
	}
	value := parsed(text)
	if response.Header.Get("Content-Type") == "text/csv" {
		value = string(text)
	}
	if why := a.schemas.answer(t, route, response).Validate(value); why != nil {
		t.Errorf("%s %s: the answer is not as documented: %v\n%s", r.Method, r.URL, why, text)
	}
	for _, path := range undocumented("", parsed(text), content.Schema.Value) {
		t.Errorf("%s %s: the answer's %s is not documented", r.Method, r.URL, path)
	}
}

// finish waits until n attempts have ended.
func (a *apiSite) finish(t testing.TB, n int) {
	t.Helper()
	for range n {
		select {
		case <-a.store.finished:
		case <-time.After(20 * time.Second):
			t.Fatal("no attempt ended")
		}
	}
}

// hook makes a webhook for the receiver that takes all events, and returns its
// id.
func (a *apiSite) hook(t testing.TB, name, more string) string {
	t.Helper()
	made := a.call(t, http.StatusCreated, "POST", "/api/v1/webhooks", `{"name":"`+name+`","url":"`+a.receiver.URL+`/hook?a=1","events":["*"]`+more+`}`)
	return made["id"].(string)
}

// problems are the fields that a problem names.
func problems(problem map[string]any) map[string]any {
	fields, _ := problem["errors"].(map[string]any)
	return fields
}
