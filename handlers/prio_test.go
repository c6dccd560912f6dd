package handlers_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"bookhook/auth"
	"bookhook/webhook"
)

const (
	prio  = "/v3.8/distributor"
	scope = "https://www.prioticketapis.com/auth/distributor/webhooks"
	ask   = `{"grant_type":"client_credentials","scope":"` + scope + `"}`
)

// reseller is a program written from Prioticket's documentation alone.
type reseller struct {
	*apiSite
	testing.TB
	base              string // of the version that it speaks
	id, secret, token string
}

// reseller makes a client of an account, and signs it in.
func (a *apiSite) reseller(t testing.TB, account webhook.AccountID) *reseller {
	t.Helper()
	secret, hash := auth.NewClientSecret()
	client, err := a.store.AddClient(t.Context(), webhook.Client{Account: account, Name: "portal", CreatedAt: time.Now()}, hash, change())
	if err != nil {
		t.Fatal(err)
	}
	r := &reseller{apiSite: a, TB: t, base: prio, id: client.ID.String(), secret: secret}
	granted := r.apiSite.call(t, 200, "POST", prio+"/oauth2/token", ask, basic(r.id, r.secret))
	if granted["token_type"] != "Bearer" || granted["expires_in"] != 3600.0 || granted["scope"] != scope {
		t.Errorf("got %v", granted)
	}
	r.token = granted["access_token"].(string)
	return r
}

func basic(user, password string) func(*http.Request) {
	return func(r *http.Request) { r.SetBasicAuth(user, password) }
}

func (r *reseller) call(want int, method, path, body string, change ...func(*http.Request)) map[string]any {
	r.Helper()
	return r.apiSite.call(r, want, method, r.base+path, body, append([]func(*http.Request){as(r.token)}, change...)...)
}

// create makes a webhook from its fields and returns what is shown of it.
func (r *reseller) create(fields string) map[string]any {
	r.Helper()
	made := r.call(201, "POST", "/webhooks", `{"data":{"webhook":{`+fields+`}}}`)
	if made["api_version"] != strings.Split(r.base, "/")[1][1:]+".0" || made["data"].(map[string]any)["kind"] != "webhook" {
		r.Errorf("got the envelope %v", made)
	}
	return made["data"].(map[string]any)["webhook"].(map[string]any)
}

// list returns data of a list.
func (r *reseller) list(query string) map[string]any {
	r.Helper()
	return r.call(200, "GET", "/webhooks"+query, "")["data"].(map[string]any)
}

func ids(data map[string]any) []string {
	list := []string{}
	for _, item := range data["items"].([]any) {
		list = append(list, item.(map[string]any)["webhook_id"].(string))
	}
	return list
}

// refused wants an error in Prioticket's model.
func (r *reseller) refused(status int, code string, says string, method, path, body string, change ...func(*http.Request)) {
	r.Helper()
	got := r.call(status, method, path, body, change...)
	text, err := json.Marshal(got)
	if err != nil || got["error"] != code || !strings.Contains(string(text), says) {
		r.Errorf("%s %s %s: got %s, want %s and %q", method, path, body, text, code, says)
	}
}

func TestPrioWebhooks(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	r := a.reseller(t, a.account.ID)
	if data := r.list(""); data["total_items"] != 0.0 || data["total_pages"] != 0.0 || len(ids(data)) != 0 {
		t.Errorf("got %v, want nothing", data)
	}
	shown := r.create(`"webhook_events":["ORDER_CREATE","REDEMPTION"],"webhook_url":"https://example.com/hook?a=1","webhook_id":"mine","webhook_status":7,"more":{}`)
	id, created := shown["webhook_id"].(string), shown["webhook_created"].(string)
	if !regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00$`).MatchString(created) {
		t.Errorf("got the time %s", created)
	}
	want := map[string]any{
		"webhook_id": id, "webhook_status": "ENABLED", "webhook_version": "3.8.0", "webhook_events": []any{"ORDER_CREATE", "REDEMPTION"},
		"webhook_url": "https://example.com/hook?a=1", "webhook_payload": true, "webhook_created": created,
		"webhook_created_name": "portal", "webhook_created_email": "account-1@bookhook.invalid",
	}
	if !reflect.DeepEqual(shown, want) {
		t.Errorf("got  %v\nwant %v", shown, want)
	}
	if data := r.list(""); !reflect.DeepEqual(data["items"], []any{shown}) {
		t.Errorf("the list shows %v, want %v", data["items"], shown)
	}
	hooks, err := a.store.Webhooks(t.Context(), a.account.ID)
	if err != nil || len(hooks) != 1 {
		t.Fatalf("got %v, %v, want one webhook", hooks, err)
	}
	w := *hooks[0]
	config := webhook.NewConfig([]string{"prioticket:ORDER_CREATE", "prioticket:REDEMPTION"})
	config.Name, config.URL, config.TimeLimit = "Prioticket: example.com", "https://example.com/hook?a=1", 0
	made := webhook.Webhook{
		ID: w.ID, Account: a.account.ID, Config: config, Enabled: true, Secret: w.Secret, CreatedAt: w.CreatedAt, CreatedBy: "Prioticket client portal", UpdatedAt: w.UpdatedAt,
	}
	if !reflect.DeepEqual(w, made) {
		t.Errorf("got  %+v\nwant %+v", w, made)
	}
	r.call(204, "DELETE", "/webhooks/"+strings.ToUpper(id), "")
	r.refused(404, "NOT_FOUND", "", "DELETE", "/webhooks/"+id, "")
	if data := r.list(""); data["total_items"] != 0.0 {
		t.Errorf("got %v, want it deleted", data)
	}
}

// TestPrioSwitchesOn: who makes a webhook of Prioticket uses it, and that is
// written down; a refused one changes nothing.
func TestPrioSwitchesOn(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	r := a.reseller(t, a.account.ID)
	r.refused(422, "UNPROCESSABLE_ENTITY", "webhook_url", "POST", "/webhooks", `{"data":{"webhook":{"webhook_events":["ORDER_CREATE"]}}}`)
	if c, err := a.store.Connection(t.Context(), a.account.ID, "prioticket"); err == nil {
		t.Fatalf("got %+v, want none", c)
	}
	for range 2 {
		r.create(`"webhook_events":["ORDER_CREATE"],"webhook_url":"https://example.com"`)
	}
	if c, err := a.store.Connection(t.Context(), a.account.ID, "prioticket"); err != nil || !c.Enabled {
		t.Fatalf("got %+v, %v, want it on", c, err)
	}
	entries, err := a.store.Audit(t.Context(), a.account.ID, 0, 3)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"webhook.created Prioticket: example.com (2)", "webhook.created Prioticket: example.com", "platform.on prioticket"} {
		if e := entries[i]; e.Action+" "+e.Args[0] != want || e.By != "Prioticket client portal" {
			t.Errorf("got %+v, want %s by the client", e, want)
		}
	}
}

func TestPrioOptionalFields(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	r := a.reseller(t, a.account.ID)
	const value = "dXNlcjpzZWNyZXQ="
	shown := r.create(`"webhook_events":["ORDER_CREATE","ORDER_CREATE"],"webhook_url":"` + a.receiver.URL + `","webhook_email":" Ops@Example.com","webhook_payload":false,"webhook_auth":"` + value + `"`)
	if shown["webhook_email"] != "Ops@Example.com" || shown["webhook_payload"] != false || len(shown["webhook_events"].([]any)) != 1 {
		t.Errorf("got %v", shown)
	}
	if _, has := shown["webhook_auth"]; has {
		t.Errorf("got %v, want no webhook_auth", shown)
	}
	hooks, err := a.store.Webhooks(t.Context(), a.account.ID)
	if err != nil || len(hooks) != 1 || hooks[0].Basic != value || !hooks[0].OmitPayload {
		t.Fatalf("got %+v, %v", hooks, err)
	}
	got := make(chan string, 10)
	a.answer = func(_ http.ResponseWriter, r *http.Request) { got <- r.Header.Get("Authorization") }
	r.call(204, "POST", "/notifications", `{"data":{"notification":{"notification_event":"ORDER_CREATE","notification_item_id":"42"}}}`)
	a.finish(t, 1)
	if sent := arrived(t, got); sent != "Basic "+value {
		t.Errorf("sent %q", sent)
	}
	for _, path := range []string{"/api/v1/webhooks", "/api/v1/webhooks/" + hooks[0].ID.String(), "/api/v1/deliveries"} {
		if text := a.raw(t, 200, a.request("GET", path, "")); strings.Contains(string(text), value) {
			t.Errorf("%s shows it: %s", path, text)
		}
	}
	list := a.call(t, 200, "GET", "/api/v1/deliveries", "")["items"].([]any)
	delivery := a.raw(t, 200, a.request("GET", "/api/v1/deliveries/"+list[0].(map[string]any)["id"].(string), ""))
	if strings.Contains(string(delivery), value) || !strings.Contains(string(delivery), `"Authorization":"Basic ••••"`) {
		t.Errorf("got %s, want the value hidden", delivery)
	}
}

// The webhooks of the wizard and of the JSON API are the same ones.
func TestPrioShowsAllWebhooks(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	r := a.reseller(t, a.account.ID)
	add := func(name, events, more string) string {
		made := a.call(t, 201, "POST", "/api/v1/webhooks", `{"name":"`+name+`","url":"https://example.com","events":`+events+more+`}`)
		id, err := webhook.ParseID[webhook.WebhookID](made["id"].(string))
		if err != nil {
			t.Fatal(err)
		}
		return uuidOf(id)
	}
	all := add("all", `["*"]`, `,"format":"standard"`)
	add("tourcms", `["cancelled"]`, "")
	mixed := add("mixed", `["cancelled","prioticket:REDEMPTION","prioticket:ORDER_CANCEL"]`, `,"enabled":false,"payload":false`)
	data := r.list("")
	if got := ids(data); !slices.Equal(got, []string{all, mixed}) {
		t.Fatalf("got %v, want %s and %s", got, all, mixed)
	}
	first, second := data["items"].([]any)[0].(map[string]any), data["items"].([]any)[1].(map[string]any)
	if got := first["webhook_events"].([]any); len(got) != 18 || slices.Contains(got, any("PAYMENT_UPDATE")) || got[0] != "ORDER_CREATE" || first["webhook_status"] != "ENABLED" {
		t.Errorf("got %v, want all that Prioticket documents", first)
	}
	if got := second["webhook_events"]; !reflect.DeepEqual(got, []any{"ORDER_CANCEL", "REDEMPTION"}) || second["webhook_status"] != "DISABLED" || second["webhook_payload"] != false {
		t.Errorf("got %v", second)
	}
	other := a.reseller(t, a.accountOf(t, a.other))
	other.refused(404, "NOT_FOUND", "", "DELETE", "/webhooks/"+all, "")
	if data := other.list("?webhook_id=" + all); data["total_items"] != 0.0 {
		t.Errorf("another account sees %v", data)
	}
	hooks, err := a.store.Webhooks(t.Context(), a.account.ID)
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{uuidOf(hooks[1].ID), hooks[0].ID.String(), "x", "00000000-0000-0000-0000-000000000000"} { // the first is TourCMS's alone
		r.refused(404, "NOT_FOUND", "", "DELETE", "/webhooks/"+id, "")
	}
	for _, id := range []string{all, mixed} { // a client of Prioticket's API ends nobody's bookings of other platforms
		r.refused(403, "FORBIDDEN", "other booking platforms", "DELETE", "/webhooks/"+id, "")
	}
	own := r.create(`"webhook_events":["ORDER_CREATE"],"webhook_url":"https://example.com/own"`)["webhook_id"].(string)
	r.call(204, "DELETE", "/webhooks/"+own, "")
	if left := a.call(t, 200, "GET", "/api/v1/webhooks", "")["items"].([]any); len(left) != 3 {
		t.Errorf("got %v, want all three left", left)
	}
}

// accountOf is the account of a token.
func (a *apiSite) accountOf(t testing.TB, token string) webhook.AccountID {
	t.Helper()
	sum := sha256.Sum256([]byte(token))
	found, err := a.store.TokenByHash(t.Context(), sum[:])
	if err != nil {
		t.Fatal(err)
	}
	return found.Account
}

func TestPrioPages(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	if err := a.store.SetLimit(t.Context(), a.account.ID, 30, change()); err != nil {
		t.Fatal(err)
	}
	r := a.reseller(t, a.account.ID)
	var all []string
	for n := range 23 {
		all = append(all, r.create(fmt.Sprintf(`"webhook_events":["ORDER_CREATE"],"webhook_url":"https://example.com/%d"`, n))["webhook_id"].(string))
	}
	for query, want := range map[string]struct{ from, to, per, start, page, pages int }{
		"":                                       {0, 10, 10, 1, 1, 3},
		"?page=":                                 {0, 10, 10, 1, 1, 3},
		"?page=2":                                {10, 20, 10, 11, 2, 3},
		"?page=3":                                {20, 23, 10, 21, 3, 3},
		"?page=4":                                {23, 23, 10, 31, 4, 3},
		"?page=10000000&items_per_page=200":      {23, 23, 200, 1_999_999_801, 10_000_000, 1},
		"?items_per_page=200":                    {0, 23, 200, 1, 1, 1},
		"?items_per_page=1&page=23":              {22, 23, 1, 23, 23, 23},
		"?items_per_page=5&start_index=4":        {3, 8, 5, 4, 1, 5},
		"?items_per_page=5&start_index=6":        {5, 10, 5, 6, 2, 5},
		"?start_index=23":                        {22, 23, 10, 23, 3, 3},
		"?start_index=24":                        {23, 23, 10, 24, 3, 3},
		"?start_index=10000":                     {23, 23, 10, 10000, 1000, 3},
		"?start_index=3&page=2&items_per_page=4": {4, 8, 4, 5, 2, 6}, // a page above 1 holds
		"?start_index=3&page=1&items_per_page=4": {2, 6, 4, 3, 1, 6}, // generated clients always send page=1
		"?start_index=1&page=1":                  {0, 10, 10, 1, 1, 3},
		"?key=x&sort=up":                         {0, 10, 10, 1, 1, 3},
	} {
		data := r.list(query)
		got := ids(data)
		delete(data, "items")
		wanted := map[string]any{
			"kind": "webhook", "current_item_count": float64(want.to - want.from), "items_per_page": float64(want.per), "start_index": float64(want.start),
			"total_items": 23.0, "page_index": float64(want.page), "total_pages": float64(want.pages),
		}
		if !slices.Equal(got, all[want.from:want.to]) || !reflect.DeepEqual(data, wanted) {
			t.Errorf("%s: got %v and %v, want %v to %v and %v", query, got, data, want.from, want.to, wanted)
		}
	}
	one := r.list("?webhook_id=" + strings.ToUpper(all[4]))
	if got := ids(one); !slices.Equal(got, all[4:5]) || one["total_items"] != 1.0 {
		t.Errorf("got %v, want one", one)
	}
	for _, nothing := range []string{"x", "00000000-0000-8000-8000-000000000000"} {
		if data := r.list("?webhook_id=" + nothing); data["total_items"] != 0.0 {
			t.Errorf("%s: got %v", nothing, data)
		}
	}
	for _, query := range []string{
		"items_per_page=0", "items_per_page=201", "items_per_page=-1", "items_per_page=ten", "items_per_page=1.5", "items_per_page=99999999999999999999",
		"start_index=0", "start_index=10001", "start_index=x", "page=0", "page=-1", "page=1e3", "page=x",
	} {
		name, _, _ := strings.Cut(query, "=")
		r.refused(400, "INVALID_REQUEST", name, "GET", "/webhooks?"+query, "")
		r.refused(400, "INVALID_REQUEST", "A parameter", "GET", "/webhooks?"+query, "")
	}
}

func TestPrioBadWebhooks(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	r := a.reseller(t, a.account.ID)
	const good = `"webhook_events":["ORDER_CREATE"],"webhook_url":"https://example.com"`
	for fields, says := range map[string]string{
		`"webhook_events":["ORDER_MADE"],"webhook_url":"https://example.com"`:                             "REDEMPTION",
		`"webhook_events":["ORDER_CREATE","order_create"],"webhook_url":"https://example.com"`:            "webhook_events: Prioticket has no event",
		`"webhook_events":["prioticket:ORDER_CREATE"],"webhook_url":"https://example.com"`:                "webhook_events: Prioticket has no event",
		`"webhook_events":["cancelled"],"webhook_url":"https://example.com"`:                              "webhook_events: Prioticket has no event",
		`"webhook_events":["*"],"webhook_url":"https://example.com"`:                                      "webhook_events: Prioticket has no event",
		`"webhook_events":[],"webhook_url":"https://example.com"`:                                         "webhook_events: Send at least one of: ORDER_CREATE",
		`"webhook_url":"https://example.com"`:                                                             "webhook_events: Send at least one",
		`"webhook_events":["ORDER_CREATE"]`:                                                               "webhook_url: Enter the URL to call",
		`"webhook_events":["ORDER_CREATE"],"webhook_email":"a@example.com"`:                               "webhook_url: Bookhook sends no mail",
		`"webhook_events":["ORDER_CREATE"],"webhook_url":"ftp://example.com"`:                             "webhook_url: Bookhook calls https",
		`"webhook_events":["ORDER_CREATE"],"webhook_url":"https://user:pw@example.com"`:                   "webhook_url: Remove the user name",
		`"webhook_events":["ORDER_CREATE"],"webhook_url":"https://a%ff/"`:                                 "webhook_url: ",
		`"webhook_events":["ORDER_CREATE"],"webhook_url":"https://` + strings.Repeat("a", 2000) + `.com"`: "webhook_url: ",
		good + `,"webhook_email":"nobody"`:                                                                "webhook_email: ",
		good + `,"webhook_auth":"a\r\nX: y"`:                                                              "webhook_auth: ",
		good + `,"webhook_auth":"é"`:                                                                      "webhook_auth: ",
		good + `,"webhook_auth":"` + strings.Repeat("x", 1001) + `"`:                                      "webhook_auth: ",
	} {
		r.refused(422, "UNPROCESSABLE_ENTITY", says, "POST", "/webhooks", `{"data":{"webhook":{`+fields+`}}}`)
	}
	for body, says := range map[string]string{
		``: "empty", `{`: "JSON", `[]`: "object", `"x"`: "object", "\xff": "UTF-8", `{} {}`: "JSON",
		`{}`:                           "data: ",
		`{"data":null}`:                "data: ",
		`{"data":[]}`:                  "data: ",
		`{"data":{}}`:                  "data.webhook: ",
		`{"data":{"webhook":"x"}}`:     "data.webhook: ",
		`{"data":{},"data":{}}`:        "twice",
		strings.Repeat(`{"data":`, 99): "JSON",
		strings.Repeat(`{"data":`, 101) + `1` + strings.Repeat("}", 101):                                                        "deep",
		`{"data":{"webhook":{"webhook_events":"ORDER_CREATE","webhook_url":"https://example.com"}}}`:                            "webhook_events: ",
		`{"data":{"webhook":{"webhook_events":[7],"webhook_url":"https://example.com"}}}`:                                       "webhook_events[0]: ",
		`{"data":{"webhook":{"webhook_events":["ORDER_CREATE"],"webhook_url":7}}}`:                                              "webhook_url: ",
		`{"data":{"webhook":{` + good + `,"webhook_payload":"no"}}}`:                                                            "webhook_payload: ",
		`{"data":{"webhook":{` + good + `,"webhook_payload":1}}}`:                                                               "webhook_payload: ",
		`{"data":{"webhook":{` + good + `,"webhook_auth":{}}}}`:                                                                 "webhook_auth: ",
		`{"data":{"webhook":{` + good + `,"webhook_email":false}}}`:                                                             "webhook_email: ",
		`{"data":{"webhook":{"webhook_events":[` + strings.Repeat(`"A",`, 1000) + `"A"],"webhook_url":"https://example.com"}}}`: "webhook_events: ",
	} {
		r.refused(400, "INVALID_REQUEST", says, "POST", "/webhooks", body, header("Content-Type", "application/json"))
	}
	if data := r.list(""); data["total_items"] != 0.0 {
		t.Errorf("got %v, want nothing made", data)
	}
}

func TestPrioLimit(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	r := a.reseller(t, a.account.ID)
	for n := range webhook.DefaultLimit {
		a.hook(t, fmt.Sprint("Hook ", n), `,"enabled":false`)
	}
	const body = `{"data":{"webhook":{"webhook_events":["ORDER_CREATE"],"webhook_url":"https://example.com"}}}`
	r.refused(409, "WEBHOOK_LIMIT_REACHED", "10", "POST", "/webhooks", body)
	r.refused(409, "WEBHOOK_LIMIT_REACHED", webhook.DefaultSupport, "POST", "/webhooks", body)
	if c, err := a.store.Connection(t.Context(), a.account.ID, "prioticket"); err == nil {
		t.Errorf("got %+v, want the platform as it was", c)
	}
}

func TestPrioNotifications(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	got := make(chan string, 10)
	a.answer = func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got <- r.Method + " " + r.URL.Path + " " + r.Header.Get("Bookhook-Test") + " " + string(body)
	}
	r := a.reseller(t, a.account.ID)
	notify := func(event, item string) {
		t.Helper()
		r.call(204, "POST", "/notifications", `{"data":{"notification":{"notification_event":"`+event+`","notification_item_id":`+item+`,"notification_note":"x"}}}`)
	}
	notify("ORDER_CREATE", `"1"`) // no webhook receives it
	r.create(`"webhook_events":["ORDER_CREATE"],"webhook_url":"` + a.receiver.URL + `/prio"`)
	a.hook(t, "All", `,"format":"standard"`)
	a.hook(t, "Off", `,"enabled":false`)
	a.call(t, 200, "PUT", "/api/v1/channels", `{"items":[{"id":"1","name":"One"}]}`)
	a.hook(t, "Other channel", `,"channels":{"mode":"include","ids":["1"]}`)
	notify("ORDER_CREATE", `"PR-42"`)
	a.finish(t, 2)
	notify("ORDER_CANCEL", `7`)
	a.finish(t, 1)
	var seen []string
	for range 3 {
		seen = append(seen, arrived(t, got))
	}
	slices.Sort(seen)
	if len(got) != 0 || !strings.HasPrefix(seen[0], "POST /hook true") || !strings.Contains(seen[0]+seen[1], `"type":"ORDER_CANCEL"`) ||
		!strings.HasPrefix(seen[2], "POST /prio true") {
		t.Errorf("got %q", seen)
	}
	events := a.call(t, 200, "GET", "/api/v1/events", "")["items"].([]any)
	if e := events[1].(map[string]any); len(events) != 3 || e["platform"] != "prioticket" || e["type"] != "ORDER_CREATE" || e["booking_id"] != "PR-42" || e["test"] != true {
		t.Errorf("got %v", events)
	}
	for body, code := range map[string]string{
		`{"data":{"notification":{"notification_event":"ORDER_MADE","notification_item_id":"1"}}}`:                                  "422",
		`{"data":{"notification":{"notification_item_id":"1"}}}`:                                                                    "422",
		`{"data":{"notification":{"notification_event":"ORDER_CREATE"}}}`:                                                           "422",
		`{"data":{"notification":{"notification_event":"ORDER_CREATE","notification_item_id":""}}}`:                                 "422",
		`{"data":{"notification":{"notification_event":["ORDER_CREATE"],"notification_item_id":"1"}}}`:                              "400",
		`{"data":{"notification":{"notification_event":"ORDER_CREATE","notification_item_id":1.5}}}`:                                "400",
		`{"data":{"notification":{"notification_event":"ORDER_CREATE","notification_item_id":"` + strings.Repeat("x", 101) + `"}}}`: "400",
		`{"data":{}}`: "400",
	} {
		if code == "400" {
			r.refused(400, "INVALID_REQUEST", "notification", "POST", "/notifications", body)
		} else {
			r.refused(422, "UNPROCESSABLE_ENTITY", "notification", "POST", "/notifications", body)
		}
	}
}

// encode writes Basic authentication as no client library does.
func encode(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }
