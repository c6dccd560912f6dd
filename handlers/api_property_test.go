package handlers_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/routers"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// inWords are the refusals, field and message, of what only the sentences of the
// description forbid, or what depends on the account: a schema allows it.
var inWords = regexp.MustCompile(`(?s)^(` + strings.Join([]string{
	`.*: Has an escape such as .* that is only half of a character`,
	`cursor: Send the next_cursor of the page before`,
	`(|events\[\d+\]\.)type: .* has no event `,
	`((|deliveries\.|events\.)type|events): There is no event `,
	`events\[\d+\]: Use letters, digits and signs only`,
	`(|events\[\d+\]\.)(id|Idempotency-Key): Ids that begin with “in(line)?:” are reserved`,
	`items\[\d+\]\.id: The id .* is in the list twice`,
	`items\[\d+\]\.id: An id has no spaces`,                                                                                   // of Unicode
	`(|items\[\d+\]\.)name: Enter a name`,                                                                                     // not spaces of Unicode
	`((|deliveries\.|events\.)(since|until)|(|events\[\d+\]\.)occurred_at): Send a time after 1970 and before the year 10000`, // in UTC
	`(|deliveries\.)(webhook|event|replay)_id: This is not such an id`,                                                        // zero
	`deliveries\.replay_id: This account has no such replay`,
	`webhook_id: This account has no such webhook`,
	`xml: This cannot be sent: `,
	`url: (Begin the URL with https|Enter the URL|A URL cannot contain spaces|Bookhook calls https:// and http:// URLs only)`,
	`basic_auth: Use letters without accents, digits and signs only`,
	`(time_limit: Only a synchronous|(format|events|concurrency|ordered|rate_limit): A synchronous) webhook `,
	`events: Booking platforms send .* only after the booking is accepted`,
	`type: The type of a webhook cannot be changed`,
	`type: The test was not sent: this webhook does not receive that event`,
	`(channels|tours): (Choose at least one|This account has no (channel|tour) with the id) `,
	`(channels|tours)\.ids: The mode “all” takes no ids`,
}, "|") + `)`)

// pathParameter is one in a path of the description.
var pathParameter = regexp.MustCompile(`\{\w+\}`)

// operation is one of the description, with what is needed to send it.
type operation struct {
	*openapi3.Operation
	sign         func(*http.Request) // nil: the token of the prober is enough
	method, path string              // of a request: its id exists
	template     string              // the path as it is documented
	body         *openapi3.Schema
	bases        []string // bodies that are allowed: the examples
	judge        *jsonschema.Schema
}

// example returns a body that is allowed; "" if the operation has none.
func (o operation) example() string {
	if len(o.bases) == 0 {
		return ""
	}
	return o.bases[0]
}

// prober sends requests that are made from the description.
type prober struct {
	*apiSite
	operations []operation
	sent       int
}

func newProber(t testing.TB) *prober {
	t.Helper()
	p := &prober{apiSite: newAPI(t)}
	ctx := t.Context()
	go func() { // nobody waits for what is delivered
		for {
			select {
			case <-p.store.finished:
			case <-ctx.Done():
				return
			}
		}
	}()
	p.prepare(t)
	return p
}

// prepare makes what the examples of the description name, and lists the operations.
func (p *prober) prepare(t testing.TB) {
	t.Helper()
	p.call(t, 200, "PUT", "/api/v1/channels", `{"items":[{"id":"3930","name":"Website"},{"id":15,"name":"Shop"}]}`)
	p.call(t, 200, "PUT", "/api/v1/tours", `{"items":[{"id":"12","name":"Walk"},{"id":15,"name":"Night walk"}]}`)
	hook := p.hook(t, "Accounting", "")
	sent := p.call(t, 202, "POST", "/api/v1/webhooks/"+hook+"/test", "")
	replay := p.call(t, 202, "POST", "/api/v1/replays", `{"deliveries":{}}`)
	ids := map[string]string{"replays": replay["id"].(string), "bookings": sent["booking_id"].(string), "events": sent["event_id"].(string), "deliveries": sent["id"].(string), "webhooks": hook}
	p.operations = p.below(t, "/api/", ids)
}

// below lists the operations under a path; ids are for what their paths name.
func (p *prober) below(t testing.TB, under string, ids map[string]string) (all []operation) {
	t.Helper()
	paths := p.doc.Paths.Map()
	for _, template := range slices.Sorted(maps.Keys(paths)) {
		if !strings.HasPrefix(template, under) {
			continue
		}
		methods := paths[template].Operations()
		for _, method := range slices.Sorted(maps.Keys(methods)) {
			op := operation{Operation: methods[method], method: method, template: template}
			op.path = pathParameter.ReplaceAllLiteralString(template, ids[strings.Split(template+"////", "/")[3]])
			if op.RequestBody != nil {
				op.body = op.RequestBody.Value.Content.Get("application/json").Schema.Value
				for _, base := range samples(op.body) {
					op.bases = append(op.bases, strings.ReplaceAll(string(base), "https://example.com/hook", p.receiver.URL))
				}
				op.judge = p.schemas.request(t, &routers.Route{Path: template, Method: method})
			}
			all = append(all, op)
		}
	}
	return all
}

// try sends a request and holds the answer against the description; allowed says
// whether the request is as the description wants it.
func (p *prober) try(t testing.TB, op operation, r *http.Request, allowed bool) {
	t.Helper()
	p.sent++
	if op.sign != nil {
		op.sign(r)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	response, text := p.live(t, p.app, r)
	r.Body = io.NopCloser(bytes.NewReader(body))
	p.hold(t, r, response, text)
	what := fmt.Sprintf("%s %s %v %.300s", r.Method, r.URL, r.Header["Idempotency-Key"], body)
	switch status := response.StatusCode; {
	case status >= 500:
		t.Errorf("%s: got %d %s", what, status, text)
	case !allowed && status < 400:
		t.Errorf("%s: the description forbids it, and it was taken: %d %.200s", what, status, text)
	case allowed && status >= 400 && ofPrio(op):
		refusedByPrio(t, what, status, text)
	case allowed && status >= 400:
		p.refused(t, what, status, text)
	}
	p.restore(t, op, response.StatusCode, text)
}

// refused wants a reason that a schema cannot have.
func (p *prober) refused(t testing.TB, what string, status int, text []byte) {
	t.Helper()
	var problem struct{ Errors map[string]string }
	if err := json.Unmarshal(text, &problem); err != nil {
		t.Error(err)
	}
	switch status {
	case http.StatusNotFound, http.StatusConflict:
		return
	case http.StatusUnprocessableEntity:
		for field, said := range problem.Errors {
			if !inWords.MatchString(field + ": " + said) {
				t.Errorf("%s: the description allows it, and it was refused: %s: %s", what, field, said)
			}
		}
		return
	}
	t.Errorf("%s: the description allows it, and it was refused: %d %s", what, status, text)
}

// restore undoes what would get in the way of later requests.
func (p *prober) restore(t testing.TB, op operation, status int, text []byte) {
	t.Helper()
	if status >= 300 {
		return
	}
	switch op.OperationID {
	case "prioAddWebhook":
		p.raw(t, http.StatusNoContent, p.request("DELETE", op.path+"/"+prioWebhookID(t, string(text)), ""))
	case "addWebhook":
		var made struct{ ID string }
		if err := json.Unmarshal(text, &made); err != nil {
			t.Fatal(err)
		}
		p.raw(t, http.StatusNoContent, p.request("DELETE", "/api/v1/webhooks/"+made.ID, ""))
	case "changeWebhook":
		p.raw(t, http.StatusOK, p.request("PATCH", op.path, `{"name":"Accounting","url":"`+p.receiver.URL+`","format":"native","events":["*"],"channels":{"mode":"all"},"tours":{"mode":"all"},"enabled":true,"concurrency":8,"ordered":true,"rate_limit":null,"basic_auth":null,"payload":true}`))
	}
}

// unique gives the ids of the examples a number, so that no request is that of an
// event which is known.
func (p *prober) unique(body string) string {
	return strings.ReplaceAll(body, `"tc-1234`, fmt.Sprintf(`"tc-%d`, p.sent))
}

// TestOpenAPIProperty sends, to every operation, what the description allows and what
// it just forbids, and wants the first to be taken, the second to be refused, and
// every answer to be documented.
func TestOpenAPIProperty(t *testing.T) {
	t.Parallel()
	p := newProber(t)
	for _, op := range p.operations {
		t.Run(op.OperationID, func(t *testing.T) {
			p.probeBody(t, op)
			p.probeBytes(t, op)
			p.probeParameters(t, op)
			p.probePath(t, op)
		})
	}
	for _, list := range []string{"/api/v1/events", "/api/v1/deliveries", "/api/v1/webhooks", "/api/v1/channels", "/api/v1/tours"} {
		p.ids(t, list, 200) // what was taken can be shown
	}
	t.Logf("sent %d requests", p.sent)
}

func (p *prober) probeBody(t *testing.T, op operation) {
	if op.body == nil {
		return
	}
	for n, base := range op.bases {
		for i, body := range texts(op.body, json.RawMessage(base)) {
			if n > 0 && i%5 != n%5 { // most of it was tried with the first
				continue
			}
			body = p.unique(body)
			p.try(t, op, p.request(op.method, op.path, body), allows(op.judge, body))
		}
	}
}

// probeBytes sends bodies that are no JSON, or not what the description calls JSON.
func (p *prober) probeBytes(t *testing.T, op operation) {
	if op.body == nil {
		return
	}
	optional := !op.RequestBody.Value.Required
	p.try(t, op, p.request(op.method, op.path, ""), optional)
	deep := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	for _, body := range []string{
		" ", "{\ufeff}", "{", "{}{}", "{} x", "{'type':'cancelled'}", `{"type":"cancelled",}`, `{"type":NaN}`, `{"type":01}`, "{\"type\":\"a\nb\"}",
		"{\"type\":\"\xff\"}", "{\"type\":\"\xed\xa0\x80\"}", "{\"\xff\":1}", "\xff\xfe{\x00}\x00", `{"more":` + deep(101) + `}`, deep(100_000), strings.Repeat(`{"a":`, 100_000),
		`{"type":"cancelled","type":"cancelled"}`, `{"more":1,"more":1}`, `{"\ud83d":1}`, `{"type":1e999999999}`, `{"":1}`,
	} {
		p.try(t, op, p.request(op.method, op.path, body), false)
	}
	for _, kind := range []string{"", "text/plain", "application/xml", "application/json;;"} {
		p.try(t, op, p.request(op.method, op.path, p.unique(op.example()), header("Content-Type", kind)), false)
	}
}

// probeParameters sends every parameter of an operation, and some that it has not.
func (p *prober) probeParameters(t *testing.T, op operation) {
	for i, ref := range slices.Concat(op.Parameters, p.doc.Paths.Value(op.template).Parameters) {
		place := ref.Ref
		if place == "" {
			place = fmt.Sprintf("%s/parameters/%d", operationPointer(&routers.Route{Path: op.template, Method: op.method}), i)
		}
		param, judge := ref.Value, p.schemas.at(t, place+"/schema")
		for _, value := range append(stringsOf(param.Schema.Value), "", "0", "1", "200", "201", "-1", "1.5", "1e9", "x", "%", "whk_0000000000001", "evt_0000000000001", "dlv_0000000000001", "cancelled", "pending") {
			text := asJSON(value)
			if param.Schema.Value.Type.Is("integer") && !strings.Contains(value, "e") && allows(judge, value) {
				text = value
			}
			allowed := value == "" && param.AllowEmptyValue || allows(judge, text)
			switch param.In {
			case "query":
				p.try(t, op, p.request(op.method, op.path+"?"+param.Name+"="+url.QueryEscape(value), ""), allowed)
			case "header":
				if trimmed := strings.TrimSpace(value); trimmed == value && !strings.ContainsAny(value, "\x00\r\n\x7f") { // others no client sends
					p.try(t, op, p.request(op.method, op.path, `{"type":"new_confirmed_web","booking_id":`+fmt.Sprint(p.sent)+`}`, header(param.Name, value)), allowed || value == "")
				}
			}
		}
		if param.In == "query" && !ofPrio(op) {
			value := url.QueryEscape(string(bytes.Trim(sample(param.Schema.Value), `"`)))
			p.try(t, op, p.request(op.method, op.path+"?"+param.Name+"="+value+"&"+param.Name+"="+value, ""), false)
			p.try(t, op, p.request(op.method, op.path+"?"+param.Name+"=%ff", ""), false)
		}
		if param.In == "header" {
			p.try(t, op, p.request(op.method, op.path, p.unique(op.example()), func(r *http.Request) { r.Header[param.Name] = []string{"a", "a"} }), false)
		}
	}
	if op.OperationID == "showOpenAPI" || ofPrio(op) { // which pass over what they do not know
		return
	}
	for _, query := range []string{"more", "more=", "more=1", "%ff=1", "limit[]=1", "Limit=1"} {
		p.try(t, op, p.request(op.method, op.path+"?"+query, op.example()), false)
	}
	p.try(t, op, p.request(op.method, op.path, op.example(), as("bh_wrong")), false)
}

// probePath sends ids that do not exist.
func (p *prober) probePath(t *testing.T, op operation) {
	if !pathParameter.MatchString(op.template) {
		return
	}
	for _, id := range []string{"x", "-", "evt_", "whk_0000000000000", "evt_0000000000001", "dlv_zzzzzzzzzzzzz", "whk_0000000000001", strings.Repeat("x", 5000), "%00", "%C3%A9", "%FF", "%20", "a+b"} {
		body := ""
		if op.body != nil && op.RequestBody.Value.Required {
			body = op.example()
		}
		p.try(t, op, p.request(op.method, pathParameter.ReplaceAllLiteralString(op.template, id), body), false)
	}
}

// FuzzOpenAPI is TestOpenAPIProperty with several things that are odd in one request.
func FuzzOpenAPI(f *testing.F) {
	p := newProber(f)
	var withBody []operation
	for _, op := range p.operations {
		if op.body != nil {
			withBody = append(withBody, op)
		}
	}
	for seed := range uint64(50) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, seed uint64) {
		random := rand.New(rand.NewPCG(seed, 0))
		op := withBody[random.IntN(len(withBody))]
		body := op.bases[random.IntN(len(op.bases))]
		for range 2 + random.IntN(4) {
			if body[0] != '{' {
				break
			}
			all := texts(op.body, json.RawMessage(body))
			body = all[random.IntN(len(all))]
		}
		body = p.unique(body)
		p.try(t, op, p.request(op.method, op.path, body), allows(op.judge, body))
	})
}
