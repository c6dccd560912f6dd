package handlers_test

import (
	"context"
	"encoding/json"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"bookhook/webhook"
)

func TestOrderAndRateOfWebhook(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	made := a.call(t, 201, "POST", "/api/v1/webhooks", `{"name":"A","url":"https://example.com","events":["*"]}`)
	if made["ordered"] != true || made["rate_limit"] != nil {
		t.Errorf("got %v, want what is on by default", made)
	}
	path := "/api/v1/webhooks/" + made["id"].(string)
	for _, step := range []struct {
		body    string
		ordered bool
		rate    any
	}{
		{`{"rate_limit":{"requests":60,"per":"minute"}}`, true, map[string]any{"requests": 60.0, "per": "minute"}},
		{`{"ordered":false,"concurrency":3}`, false, map[string]any{"requests": 60.0, "per": "minute"}},
		{`{"ordered":null}`, false, map[string]any{"requests": 60.0, "per": "minute"}},
		{`{"rate_limit":null}`, false, nil},
		{`{"ordered":true,"rate_limit":{"requests":1000,"per":"second"}}`, true, map[string]any{"requests": 1000.0, "per": "second"}},
	} {
		got := a.call(t, 200, "PATCH", path, step.body)
		same(t, step.body+": ordered", got["ordered"], step.ordered)
		same(t, step.body+": rate_limit", got["rate_limit"], step.rate)
	}
	off := a.call(t, 201, "POST", "/api/v1/webhooks", `{"name":"B","url":"https://example.com","events":["*"],"ordered":false,"rate_limit":{"requests":1,"per":"second"}}`)
	same(t, "ordered", off["ordered"], false)
	same(t, "rate_limit", off["rate_limit"], map[string]any{"requests": 1.0, "per": "second"})
	for _, item := range a.call(t, 200, "GET", "/api/v1/webhooks", "")["items"].([]any) {
		if _, counted := item.(map[string]any)["waiting"]; counted {
			t.Errorf("got %v, want nothing counted in a list", item)
		}
	}
}

// same compares what came as JSON.
func same(t *testing.T, what string, got, want any) {
	t.Helper()
	one, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	if other, _ := json.Marshal(want); string(one) != string(other) { //nolint:errchkjson // got was marshalled before
		t.Errorf("%s: got %s, want %s", what, one, other)
	}
}

// heldBehind makes a webhook whose receiver refuses the first event of booking
// 1234, and sends it a second one. Both are returned as the API shows them.
func (a *apiSite) heldBehind(t *testing.T, status *atomic.Int32) (hook string, first, second map[string]any) {
	t.Helper()
	status.Store(http.StatusInternalServerError)
	a.answer = func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(int(status.Load())) }
	hook = a.hook(t, "Ordered", "")
	path := func(accepted map[string]any) string {
		return "/api/v1/deliveries/" + accepted["deliveries"].([]any)[0].(map[string]any)["id"].(string)
	}
	one := path(a.call(t, 202, "POST", "/api/v1/events", `{"type":"new_confirmed_web","booking_id":"1234"}`))
	a.finish(t, 1)
	two := path(a.call(t, 202, "POST", "/api/v1/events", `{"type":"cancelled","booking_id":"1234"}`))
	return hook, a.call(t, 200, "GET", one, ""), a.call(t, 200, "GET", two, "")
}

func TestHeldDelivery(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	var status atomic.Int32
	hook, first, second := a.heldBehind(t, &status)
	if first["held"] != false || first["waits_for"] != nil || first["next_attempt_at"] == nil {
		t.Errorf("the first: got %v", first)
	}
	if second["held"] != true || second["waits_for"] != first["id"] || second["next_attempt_at"] != nil || second["state"] != "pending" {
		t.Errorf("the second: got %v, want it to wait for %s", second, first["id"])
	}
	waiting := a.call(t, 200, "GET", "/api/v1/webhooks/"+hook, "")["waiting"].(map[string]any)
	if waiting["count"] != 2.0 || waiting["oldest_at"] != first["created_at"] {
		t.Errorf("got %v waiting, want 2 since %s", waiting, first["created_at"])
	}

	status.Store(http.StatusOK)
	sent := a.call(t, 202, "POST", "/api/v1/deliveries/"+second["id"].(string)+"/replay", "")
	same(t, "held once sent early", sent["held"], false)
	a.finish(t, 1)
	same(t, "state", a.call(t, 200, "GET", "/api/v1/deliveries/"+second["id"].(string), "")["state"], "delivered")
	same(t, "state of the first", a.call(t, 200, "GET", "/api/v1/deliveries/"+first["id"].(string), "")["state"], "pending")
	a.call(t, 202, "POST", "/api/v1/deliveries/"+first["id"].(string)+"/replay", "")
	a.finish(t, 1)
	same(t, "waiting", a.call(t, 200, "GET", "/api/v1/webhooks/"+hook, "")["waiting"], map[string]any{"count": 0, "more": false, "oldest_at": nil})
}

// What was stopped while it was held is not held any more.
func TestStoppedDeliveryIsNotHeld(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	hook, _, second := a.heldBehind(t, new(atomic.Int32))
	a.call(t, 204, "DELETE", "/api/v1/webhooks/"+hook, "")
	got := a.call(t, 200, "GET", "/api/v1/deliveries/"+second["id"].(string), "")
	if got["state"] != "cancelled" || got["held"] != false || got["waits_for"] != nil {
		t.Errorf("got %v", got)
	}
}

func TestCircuitOfWebhook(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	hook, first, _ := a.heldBehind(t, new(atomic.Int32))
	shown := a.call(t, 200, "GET", "/api/v1/webhooks/"+hook, "")
	same(t, "closed", shown["circuit"], map[string]any{"open": false, "failures": 1, "probe_at": nil})

	id, err := webhook.ParseID[webhook.WebhookID](hook)
	if err != nil {
		t.Fatal(err)
	}
	delivery, err := webhook.ParseID[webhook.DeliveryID](first["id"].(string))
	if err != nil {
		t.Fatal(err)
	}
	failed := webhook.Result{Delivery: delivery, Account: a.account.ID, Webhook: id, Attempt: webhook.Attempt{Number: 2, Failure: webhook.FailRefused}}
	openCircuit(t, a.store, failed, webhook.Circuit{Failures: 12, ProbeAt: time.Date(2026, 11, 21, 12, 3, 5, 0, time.UTC)})
	shown = a.call(t, 200, "GET", "/api/v1/webhooks/"+hook, "")
	same(t, "open", shown["circuit"], map[string]any{"open": true, "failures": 12, "probe_at": "2026-11-21T12:03:05Z"})
}

// openCircuit records a failed attempt after which the circuit of the webhook is open.
func openCircuit(t testing.TB, s interface {
	Finish(ctx context.Context, r webhook.Result, now time.Time) (webhook.Finished, error)
}, failed webhook.Result, c webhook.Circuit,
) {
	t.Helper()
	failed.State, failed.Circuit = webhook.Failed, func() webhook.Circuit { return c }
	if _, err := s.Finish(t.Context(), failed, time.Now()); err != nil {
		t.Fatal(err)
	}
}
