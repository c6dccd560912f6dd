package handlers_test

import (
	"net/http"
	"testing"

	"bookhook/webhook"
)

// TestEventsThatCameBack: an event that this account has sent on is refused, whatever
// the way in; one that another account has sent on is accepted, and its deliveries
// carry its path on.
func TestEventsThatCameBack(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	arrived := make(chan string, 10)
	a.answer = func(_ http.ResponseWriter, r *http.Request) { arrived <- r.Header.Get(webhook.ViaHeader) }
	a.hook(t, "Accounting", "")
	client := a.reseller(t, a.account.ID)
	own := header(webhook.ViaHeader, instance.Extend("", a.account.ID))
	for path, body := range map[string]string{
		"/api/v1/events":        `{"type":"cancelled","booking_id":"1"}`,
		"/api/v1/events/batch":  `{"events":[{"type":"cancelled","booking_id":"1"}]}`,
		"/api/v1/inline":        `{"type":"new_temporary_web","booking_id":"1"}`,
		prio + "/notifications": `{"data":{"notification":{"notification_event":"ORDER_UPDATE","notification_item_id":"1"}}}`,
	} {
		token := a.token
		if path == prio+"/notifications" {
			token = client.token
		} else {
			a.call(t, http.StatusLoopDetected, "POST", path, body, own) // as it is documented
		}
		response, text := a.live(t, a.app, a.request("POST", path, body, own, as(token)))
		if response.StatusCode != http.StatusLoopDetected || response.Header.Get(webhook.LoopHeader) != "true" || response.Header.Get("Retry-After") != "" {
			t.Errorf("%s: got %d with %v: %s, want 508, and that it is a loop", path, response.StatusCode, response.Header, text)
		}
	}
	if list := a.call(t, 200, "GET", "/api/v1/events", ""); len(list["items"].([]any)) != 0 {
		t.Errorf("got %v, want no event", list)
	}
	other := instance.Extend("", a.account.ID+1)
	a.call(t, 202, "POST", "/api/v1/events", `{"type":"cancelled","booking_id":"2"}`, header(webhook.ViaHeader, other))
	if got, want := <-arrived, instance.Extend(webhook.Via(other), a.account.ID); got != want {
		t.Errorf("got the path %q, want %q", got, want)
	}
}
