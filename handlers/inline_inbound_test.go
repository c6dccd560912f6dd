package handlers_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"bookhook/webhook"
)

// When TourCMS asks at the account's address, it gets the answer of the inline
// webhook; what that accepts is told to the others, what it refuses to nobody.
func TestAskedByThePlatform(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	const question = "?event=new_temporary_web&account_id=4069&account_name=River&channel_id=3930&booking_id="
	xml := func(booking string) string {
		return "<response><booking><booking_id>" + booking + "</booking_id><components><component><product_id>12</product_id></component></components></booking></response>"
	}
	asXML := func(r *http.Request) { r.Header.Set("Content-Type", "text/xml") }
	path := s.tourcms().Path()
	told := newReceiver(t, http.StatusOK)
	s.hook(told.URL)
	s.send("POST", path+question+"1", xml("1"), asXML).taken()
	if got := arrived(t, told.got); got.Method != "GET" || got.URL.RawQuery != (question + "1")[1:] {
		t.Errorf("without an inline webhook it is told as it came: got %s %s", got.Method, got.URL.RawQuery)
	}

	answer := func(http.ResponseWriter) {}
	var asked []string
	gate := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		asked = append(asked, string(body))
		answer(w)
	}))
	t.Cleanup(gate.Close)
	s.hook(gate.URL, func(w *webhook.Webhook) {
		w.Name, w.Kind, w.TimeLimit = "Gate", webhook.Inline, 10
		w.SelectEvents([]string{"new_temporary_web"})
	})
	answer = func(w http.ResponseWriter) { w.WriteHeader(http.StatusConflict) }
	for range 2 { // TourCMS asks again: so is the receiver
		got := s.send("POST", path+question+"2", xml("2"), asXML)
		if got.status != http.StatusBadGateway || got.body != "Gate answered 409 Conflict." {
			t.Errorf("refused: got %d %q, want 502 and the reason", got.status, got.body)
		}
	}
	answer = func(w http.ResponseWriter) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"text":"held","hold":900}`)
	}
	got := s.send("POST", path+question+"2", xml("2"), asXML)
	if got.status != http.StatusOK || got.header.Get("Content-Type") != "application/json" || got.body != `{"text":"held","hold":900}` {
		t.Errorf("accepted: got %d %s %q, want the answer as it came", got.status, got.header.Get("Content-Type"), got.body)
	}
	if got := arrived(t, told.got); got.URL.Query().Get("booking_id") != "2" {
		t.Errorf("the others were told of %s, want what was accepted, once", got.URL)
	}
	if len(asked) != 3 || len(told.got) != 0 {
		t.Errorf("got %d questions and %d more calls, want 3 and none", len(asked), len(told.got))
	}
	answer = func(http.ResponseWriter) {}
	if got := s.send("POST", path+question+"3", xml("3"), asXML); got.status != http.StatusOK || got.body != "" {
		t.Errorf("accepted without words: got %d %q", got.status, got.body)
	}
}
