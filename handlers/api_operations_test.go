package handlers_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	"bookhook/auth"
	"bookhook/db"
	"bookhook/handlers"
	"bookhook/platforms/all"
	"bookhook/webhook"
)

// parameter is one in the path of a route.
var parameter = regexp.MustCompile(`:(\w+)`)

// TestOpenAPIDocument checks openapi.json itself, its examples too, and that
// it and the program have the same operations and platforms.
func TestOpenAPIDocument(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	if err := a.doc.Validate(t.Context()); err != nil {
		t.Error(err)
	}
	if _, text := a.live(t, a.app, a.request("GET", "/api/openapi.json", "")); regexp.MustCompile(`"type": ?\[`).Match(text) {
		t.Error("there is a list of types, at which generators for Go fail; say it with anyOf")
	}
	var got, want []string
	for path, item := range a.doc.Paths.Map() {
		for method := range item.Operations() {
			got = append(got, method+" "+path)
		}
	}
	for _, r := range a.app.GetRoutes(true) {
		if (strings.HasPrefix(r.Path, "/api/") || strings.HasPrefix(r.Path, prio)) && r.Method != http.MethodHead {
			want = append(want, r.Method+" "+parameter.ReplaceAllString(r.Path, "{$1}"))
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("documented are\n%s\nand there are\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	keys := a.doc.Components.Schemas["EventKey"].Value.Description
	for _, p := range all.Platforms() {
		for _, e := range p.Events {
			if !strings.Contains(keys, e.Key) {
				t.Errorf("the event %s is not documented", webhook.EventKey(p.Key, e.Key))
			}
		}
		if known := a.doc.Components.Schemas["EventInput"].Value.Properties["platform"].Value.AnyOf[0].Value.Enum; slices.Contains(known, any(p.Key)) == p.Own {
			t.Errorf("the platform %s is not documented, or documented as one that can be sent", p.Key)
		}
	}
}

// TestOpenAPIEverything sends every documented operation and provokes every
// documented error of each.
func TestOpenAPIEverything(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	release := make(chan struct{})
	a.answer = func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("booking_id") == "slow" {
			<-release
		}
		w.WriteHeader(http.StatusInternalServerError)
		_, _ = io.WriteString(w, "no\xff")
	}
	defer close(release)
	ids := a.use(t)
	a.conflicts(t, ids)
	ids["replays"] = a.replays(t)
	a.refusals(t, ids)
	a.complete(t, "/api/")
}

// complete wants that every documented status of the operations under a path
// was provoked.
func (a *apiSite) complete(t *testing.T, under string) {
	t.Helper()
	var missing []string
	for path, item := range a.doc.Paths.Map() {
		for _, op := range item.Operations() {
			if !strings.HasPrefix(path, under) {
				continue
			}
			for status := range op.Responses.Map() {
				var code int
				_, _ = fmt.Sscan(status, &code)
				if key := op.OperationID + " " + http.StatusText(code); !a.seen[key] && code != http.StatusRequestTimeout {
					missing = append(missing, key)
				}
			}
		}
	}
	if len(missing) > 0 {
		t.Errorf("documented, but not tried: %s", strings.Join(missing, ", "))
	}
}

// use sends what succeeds and returns ids for "/events/{id}" and the like.
func (a *apiSite) use(t *testing.T) map[string]string {
	a.call(t, 200, "GET", "/api/openapi.json", "")
	a.call(t, 200, "PUT", "/api/v1/channels", `{"items":[{"id":"3930","name":"Website"},{"id":7,"name":"Café ☕"}]}`)
	a.call(t, 200, "PUT", "/api/v1/tours", `{"items":[{"id":15,"name":"Night walk"}]}`)
	a.call(t, 200, "GET", "/api/v1/channels?limit=1", "")
	a.call(t, 200, "GET", "/api/v1/tours", "")
	hook := a.hook(t, "Accounting", `,"channels":{"mode":"all"},"tours":{"mode":"exclude","ids":[15]}`)
	a.hook(t, "Standard", `,"format":"standard","concurrency":1,"channels":{"mode":"include","ids":["3930",7]}`)
	a.call(t, 200, "GET", "/api/v1/webhooks?limit=&cursor=", "")
	a.call(t, 200, "GET", "/api/v1/webhooks/"+hook, "")
	a.call(t, 200, "PATCH", "/api/v1/webhooks/"+hook, `{"name":"Books","enabled":true}`)
	a.call(t, 200, "GET", "/api/v1/account", "")
	a.call(t, 200, "GET", "/api/v1/webhooks/"+hook+"/stats?period=7d", "")
	a.call(t, 200, "GET", "/api/v1/stats", "")
	a.call(t, 200, "POST", "/api/v1/inline", `{"id":"tc-1","type":"new_temporary_web","booking_id":1234}`)

	event := `{"id":"tc-1","platform":"tourcms","type":"cancelled","channel_id":3930,"tour_ids":[12,"15"],"booking_id":1234,"occurred_at":"2026-11-21T10:00:00+01:00","data":{"any":"json"}}`
	first := a.raw(t, 202, a.request("POST", "/api/v1/events", event))
	if again := a.raw(t, 200, a.request("POST", "/api/v1/events", event)); string(again) != string(first) {
		t.Errorf("the same event again: got %s, want %s", again, first)
	}
	var accepted struct {
		ID         string
		Deliveries []struct{ ID string }
	}
	if err := json.Unmarshal(first, &accepted); err != nil || len(accepted.Deliveries) != 2 {
		t.Fatalf("got %s, %v, want two deliveries", first, err)
	}
	a.call(t, 202, "POST", "/api/v1/events/batch", `{"events":[`+event+`,{"type":"token_success"}]}`)
	tested := a.call(t, 202, "POST", "/api/v1/webhooks/"+hook+"/test", "")
	a.finish(t, 4) // two of the first, one of the second, one test
	a.call(t, 200, "GET", "/api/v1/events?booking_id=1234&type=cancelled&since=2020-01-01T00:00:00Z&until=2090-01-01T00:00:00Z", "")
	a.call(t, 200, "GET", "/api/v1/events/"+accepted.ID, "")
	a.raw(t, 200, a.request("GET", "/api/v1/events.csv?channel_id=3930&tour_id=12&sent=true", ""))
	a.raw(t, 200, a.request("GET", "/api/v1/deliveries.csv?state=pending&webhook_id="+hook, ""))
	a.call(t, 200, "GET", "/api/v1/deliveries?state=pending&webhook_id="+hook+"&event_id="+accepted.ID+"&booking_id=1234&type=cancelled", "")
	shown := a.call(t, 200, "GET", "/api/v1/deliveries/"+accepted.Deliveries[0].ID, "")
	if attempts, _ := shown["attempts"].([]any); len(attempts) != 1 || attempts[0].(map[string]any)["response_body_base64"] != "bm//" {
		t.Errorf("got %v, want one attempt with the body as base64", shown)
	}
	a.booking(t)
	a.call(t, 200, "GET", "/api/v1/deliveries/"+tested["id"].(string), "")
	a.call(t, 202, "POST", "/api/v1/deliveries/"+accepted.Deliveries[0].ID+"/replay", "{}")
	a.finish(t, 1)
	a.sends(t)
	gone := a.hook(t, "Gone soon", "")
	a.call(t, 204, "DELETE", "/api/v1/webhooks/"+gone, "")
	return map[string]string{"bookings": "1234", "events": accepted.ID, "deliveries": accepted.Deliveries[0].ID, "webhooks": hook}
}

// sends sends an event to a webhook that did not exist when it came in, and a test of an
// event that it names.
func (a *apiSite) sends(t *testing.T) {
	t.Helper()
	missed := a.call(t, 202, "POST", "/api/v1/events", `{"type":"token_success","booking_id":"missed"}`)["id"].(string)
	a.finish(t, 2)
	hook := a.call(t, 201, "POST", "/api/v1/webhooks", `{"name":"Came late","url":"`+a.receiver.URL+`","events":["cancelled","redeem_voucher"]}`)["id"].(string)
	to := `{"webhook_id":"` + hook + `"}`
	sent := a.call(t, 202, "POST", "/api/v1/events/"+missed+"/send", to)["id"].(string)
	a.finish(t, 1)
	for _, d := range a.call(t, 200, "GET", "/api/v1/bookings/missed", "")["events"].([]any)[0].(map[string]any)["decisions"].([]any) {
		if d := d.(map[string]any); d["webhook_id"] == hook && (d["delivery_id"] != sent || d["reason"] != "not_created") {
			t.Errorf("got %v, want the delivery and why there was none before", d)
		}
	}
	if listed := a.call(t, 200, "GET", "/api/v1/events/"+missed, "")["deliveries"].([]any); len(listed) != 2 {
		t.Errorf("got %v, want the one that was sent by hand, too", listed)
	}
	if again := a.call(t, 202, "POST", "/api/v1/events/"+missed+"/send", to)["id"]; again != sent {
		t.Errorf("sent again: got %v, want the same delivery %s", again, sent)
	}
	a.finish(t, 1)
	tested := a.call(t, 202, "POST", "/api/v1/webhooks/"+hook+"/test", `{"type":"redeem_voucher"}`)
	if tested["type"] != "redeem_voucher" || tested["test"] != true {
		t.Errorf("got %v, want a test of the event that was named", tested)
	}
	a.finish(t, 1)
	if said := a.call(t, 422, "POST", "/api/v1/webhooks/"+hook+"/test", `{"type":"token_success"}`)["errors"]; !strings.Contains(fmt.Sprint(said), "does not receive that event") {
		t.Errorf("a test of what it does not receive: got %v", said)
	}
	for _, body := range []string{`{}`, `{"webhook_id":"evt_0000000000002"}`, `{"webhook_id":7}`, `{"webhook_id":null}`} {
		if said := a.call(t, 422, "POST", "/api/v1/events/"+missed+"/send", body)["errors"].(map[string]any); len(said) != 1 || said["webhook_id"] == nil {
			t.Errorf("%s: got %v, want what is wrong with webhook_id", body, said)
		}
	}
	a.call(t, 422, "POST", "/api/v1/events/"+tested["event_id"].(string)+"/send", to)
	inline := a.call(t, 201, "POST", "/api/v1/webhooks", `{"name":"Inline","type":"inline","url":"`+a.receiver.URL+`","events":["new_temporary_web"]}`)["id"].(string)
	a.call(t, 422, "POST", "/api/v1/events/"+missed+"/send", `{"webhook_id":"`+inline+`"}`)
	a.call(t, 200, "PATCH", "/api/v1/webhooks/"+hook, `{"enabled":false}`)
	if off := a.call(t, 409, "POST", "/api/v1/events/"+missed+"/send", to); off["type"] != "webhook-off" {
		t.Errorf("got %v, want that it is off", off)
	}
	a.call(t, 202, "POST", "/api/v1/webhooks/"+hook+"/test", "") // a passed one is a reason to switch it on
	a.finish(t, 1)
	for _, id := range []string{hook, inline} {
		a.call(t, 204, "DELETE", "/api/v1/webhooks/"+id, "")
	}
	a.call(t, 404, "POST", "/api/v1/events/"+missed+"/send", to)
}

// booking reads the booking that was sent, and page by page one with a reference that
// must be escaped, which two events are of.
func (a *apiSite) booking(t *testing.T) {
	shown := a.call(t, 200, "GET", "/api/v1/bookings/1234", "")["events"].([]any)[0].(map[string]any)
	first := shown["deliveries"].([]any)[0].(map[string]any)
	if attempts := first["attempts"].([]any); len(attempts) != 1 || attempts[0].(map[string]any)["bodies_left_out"] != true || attempts[0].(map[string]any)["response_body"] != "" {
		t.Errorf("got %v, want one attempt without bodies", first)
	}
	for _, status := range []string{"PROVISIONAL", "CONFIRMED"} {
		a.call(t, 202, "POST", "/api/v1/events", `{"type":"cancelled","channel_id":"none","tour_ids":[15],"booking_id":"B 1/2 #é?","data":{"status":"`+status+`"}}`)
	}
	path := "/api/v1/bookings/" + url.PathEscape("B 1/2 #é?")
	page := a.call(t, 200, "GET", path+"?limit=1", "")
	newest := page["events"].([]any)[0].(map[string]any)
	change := map[string]any{"path": "/data/status", "op": "replace", "was": "PROVISIONAL", "value": "CONFIRMED"}
	if got := newest["changes"].([]any); page["booking_id"] != "B 1/2 #é?" || len(got) != 1 || !reflect.DeepEqual(got[0], change) {
		t.Errorf("got %v, want the change %v", page, change)
	}
	for _, d := range newest["decisions"].([]any) {
		if d := d.(map[string]any); d["delivery_id"] != nil || d["reason"] == "" {
			t.Errorf("decision: got %v, want a reason and no delivery", d)
		}
	}
	page = a.call(t, 200, "GET", path+"?limit=1&cursor="+page["next_cursor"].(string), "")
	if older := page["events"].([]any)[0].(map[string]any); len(older["changes"].([]any)) != 0 || page["next_cursor"] != "" {
		t.Errorf("got %v, want the first event, which changed nothing, and no more", page)
	}
	a.call(t, 404, "GET", "/api/v1/bookings/%FF", "")
}

// racing changes every webhook just before somebody else does.
type racing struct{ *db.Store }

func (r racing) UpdateWebhook(ctx context.Context, u webhook.Update, change webhook.Change) (*webhook.Webhook, error) {
	if _, err := r.Store.UpdateWebhook(ctx, webhook.Update{Webhook: u.Webhook}, change); err != nil {
		return nil, err
	}
	return r.Store.UpdateWebhook(ctx, u, change)
}

// conflicts provokes every 409.
func (a *apiSite) conflicts(t *testing.T, ids map[string]string) {
	a.call(t, 409, "POST", "/api/v1/events", `{"id":"tc-1","type":"cancelled"}`)
	a.call(t, 409, "POST", "/api/v1/inline", `{"id":"tc-1","type":"new_temporary_web","booking_id":5678}`)
	before := len(a.call(t, 200, "GET", "/api/v1/events?limit=200", "")["items"].([]any))
	a.call(t, 409, "POST", "/api/v1/events/batch", `{"events":[{"type":"cancelled"},{"id":"tc-1","type":"cancelled"}]}`)
	if after := len(a.call(t, 200, "GET", "/api/v1/events?limit=200", "")["items"].([]any)); after != before {
		t.Errorf("a refused batch left %d events", after-before)
	}
	a.rawOf(t, a.with(t, func(o *handlers.Options) { o.Store.API.WebhookStore = racing{a.store.Store} }), 409, a.request("PATCH", "/api/v1/webhooks/"+ids["webhooks"], `{"name":"Mine"}`))
	slow := a.call(t, 202, "POST", "/api/v1/events", `{"type":"cancelled","booking_id":"slow"}`)
	on := slow["deliveries"].([]any)[0].(map[string]any)["id"].(string)
	a.call(t, 409, "POST", "/api/v1/deliveries/"+on+"/replay", "")
	a.call(t, 409, "POST", "/api/v1/events/"+slow["id"].(string)+"/send", `{"webhook_id":"`+slow["deliveries"].([]any)[0].(map[string]any)["webhook_id"].(string)+`"}`)
	if shown := a.call(t, 200, "GET", "/api/v1/deliveries/"+on, ""); len(shown["attempts"].([]any)) != 0 || shown["next_attempt_at"] != nil {
		t.Errorf("on its way: got %v, want no attempt and no next one", shown)
	}
	for n := 3; n <= webhook.DefaultLimit; n++ {
		a.hook(t, fmt.Sprint("Hook ", n), `,"enabled":false`)
	}
	full := a.call(t, 409, "POST", "/api/v1/webhooks", `{"name":"Eleven","url":"https://example.com","events":["*"]}`)
	if detail := full["detail"].(string); full["type"] != "webhook-limit" || !strings.Contains(detail, "10") || !strings.Contains(detail, webhook.DefaultSupport) {
		t.Errorf("got %v, want the limit and whom to ask", full)
	}
	a.limits(t)
	a.exportsAtOnce(t)
	a.plansAtOnce(t)
	if used := a.call(t, 200, "GET", "/api/v1/account", "")["webhooks_used"]; used != 10.0 {
		t.Errorf("got %v webhooks used, want 10", used)
	}
}

// limits exceeds those of the lists and of tests, in the other account.
func (a *apiSite) limits(t *testing.T) {
	other := as(a.other)
	hook, _ := a.call(t, 201, "POST", "/api/v1/webhooks", `{"name":"Other","url":"https://example.com","events":["*"]}`, other)["id"].(string)
	token, err := a.store.TokenByHash(t.Context(), auth.HashSecret(a.other))
	if err != nil {
		t.Fatal(err)
	}
	account := token.Account
	for _, kind := range []webhook.ItemKind{webhook.Channels, webhook.Tours} {
		_, limit := kind.Limit()
		items := make([]webhook.Item, limit-1)
		for n := range items {
			items[n] = webhook.Item{ID: fmt.Sprint("n", n), Name: "N"}
		}
		if _, _, err := a.store.PutItems(t.Context(), account, kind, items, change()); err != nil {
			t.Fatal(err)
		}
		path := "/api/v1/" + string(kind)
		full := a.call(t, 409, "PUT", path, `{"items":[{"id":"n1","name":"Renamed"},{"id":"x1","name":"X"},{"id":"x2","name":"X"},{"id":"x3","name":"X"}]}`, other)
		if detail := full["detail"].(string); full["type"] != strings.TrimSuffix(string(kind), "s")+"-limit" || !strings.Contains(detail, "2 too many") || !strings.Contains(detail, fmt.Sprint(limit)) {
			t.Errorf("got %v, want the limit and by how many it is exceeded", full)
		}
		if n1, err := a.store.Item(t.Context(), account, kind, "n1"); err != nil || n1.Name != "N" {
			t.Errorf("a refused list changed %v, %v", n1, err)
		}
		a.call(t, 200, "PUT", path, `{"items":[{"id":"n1","name":"Renamed"},{"id":"x1","name":"X"}]}`, other)
		a.call(t, 200, "PUT", path, `{"items":[{"id":"n1","name":"Once more"}]}`, other)
	}
	a.call(t, 202, "POST", "/api/v1/webhooks/"+hook+"/test", "", other)
	for range webhook.MaxChecks {
		_ = a.store.CountCheck(t.Context(), account, time.Now().Add(time.Minute)) // in whichever minute the call is
	}
	response, text := a.live(t, a.app, a.request("POST", "/api/v1/webhooks/"+hook+"/test", "", other))
	wait, _ := strconv.Atoi(response.Header.Get("Retry-After"))
	if response.StatusCode != 429 || wait < 1 || wait > 60 || !strings.Contains(string(text), `"type":"check-limit"`) {
		t.Errorf("test: got %d, Retry-After %d, %s", response.StatusCode, wait, text)
	}
	a.raw(t, 429, a.request("POST", "/api/v1/webhooks/"+hook+"/test", "", other))
	a.call(t, 202, "POST", "/api/v1/events", `{"type":"cancelled"}`, other) // no limit refuses an event
}

// failing is a store in which every look-up of who asks fails.
type failing struct {
	*db.Store
	err error
}

// failing makes the application fail at every look-up of who asks.
func (a *apiSite) failing(err error) func(o *handlers.Options) {
	return func(o *handlers.Options) {
		o.Store.Tokens, o.Store.Prio = failing{a.store.Store, err}, failing{a.store.Store, err}
	}
}

func (f failing) TokenByHash(context.Context, []byte) (webhook.Token, error) {
	return webhook.Token{}, f.err
}

func (f failing) ClientByID(context.Context, webhook.ClientID) (webhook.Client, []byte, error) {
	return webhook.Client{}, nil, f.err
}

func (f failing) ClientToken(context.Context, []byte, time.Time) (auth.Grant, error) {
	return auth.Grant{}, f.err
}

// refusals provokes the errors that operations have in common.
func (a *apiSite) refusals(t *testing.T, ids map[string]string) {
	busy := a.with(t, a.failing(webhook.ErrBusy))
	broken := a.with(t, a.failing(io.ErrUnexpectedEOF))
	deleted := a.deliveryOfDeleted(t, ids["webhooks"])
	for path, item := range a.doc.Paths.Map() {
		for method, op := range item.Operations() {
			if !strings.HasPrefix(path, "/api/") {
				continue
			}
			send := func(status, body string, change ...func(*http.Request)) {
				kind := strings.Split(path+"////", "/")[3]
				to := pathParameter.ReplaceAllLiteralString(path, ids[kind])
				switch {
				case status == "404":
					change = append(change, as(a.other))
				case status == "422" && op.RequestBody == nil:
					to += "?nonsense=1"
				case status == "422" && op.OperationID == "replayDelivery":
					to, body = strings.Replace(path, "{id}", deleted, 1), ""
				}
				app, code := a.app, 0
				_, _ = fmt.Sscan(status, &code)
				switch status {
				case "503":
					app = busy
				case "500":
					app = broken
				}
				a.rawOf(t, app, code, a.request(method, to, body, change...))
			}
			a.refuse(op, send)
		}
	}
}

func (a *apiSite) refuse(op *openapi3.Operation, send func(status, body string, change ...func(*http.Request))) {
	large := `"` + strings.Repeat("x", 5<<20) + `"`
	for status := range op.Responses.Map() {
		switch {
		case status < "400" || status == "409" || status == "429" || status == "408": // 409 and 429 are in conflicts, 408 is in TestSlowRequests
		case status == "400":
			send(status, "", func(r *http.Request) { r.Host = "[" })
		case status == "401":
			send(status, "", as("bh_wrong"))
		case status == "413":
			send(status, large)
		case status == "415":
			send(status, "{}", header("Content-Encoding", "gzip"))
		case status == "431":
			send(status, "", header("Accept", strings.Repeat("x", 17<<10)))
		case status == "508":
			send(status, "{}", header(webhook.ViaHeader, instance.Extend("", a.account.ID)))
		case status == "422" && op.RequestBody != nil:
			send(status, `{"nonsense":1}`)
		default:
			send(status, "")
		}
		switch {
		case op.RequestBody == nil:
		case status == "400":
			send(status, "{")
		case status == "415":
			send(status, "{}", header("Content-Type", "text/plain"))
		}
	}
}

// deliveryOfDeleted makes room for a webhook, sends it a test and deletes it.
func (a *apiSite) deliveryOfDeleted(t *testing.T, keep string) string {
	for _, hook := range a.call(t, 200, "GET", "/api/v1/webhooks", "")["items"].([]any) {
		if id := hook.(map[string]any)["id"].(string); id != keep && hook.(map[string]any)["enabled"] == true {
			sent := a.call(t, 202, "POST", "/api/v1/webhooks/"+id+"/test", "")
			a.finish(t, 1)
			a.call(t, 204, "DELETE", "/api/v1/webhooks/"+id, "")
			return sent["id"].(string)
		}
	}
	t.Fatal("no webhook is on")
	return ""
}

func (a *apiSite) hookThatIsOff(t *testing.T) string {
	for _, hook := range a.call(t, 200, "GET", "/api/v1/webhooks", "")["items"].([]any) {
		if hook := hook.(map[string]any); hook["enabled"] == false {
			return hook["id"].(string)
		}
	}
	t.Fatal("no webhook is off")
	return ""
}
