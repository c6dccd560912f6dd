package dispatch_test

import (
	"net/http"
	"strings"
	"testing"

	"bookhook/dispatch"
	"bookhook/messages"
	"bookhook/webhook"
)

// TestPathOfAnEvent: every request about an event carries its path, with the account
// that sends it.
func TestPathOfAnEvent(t *testing.T) {
	t.Parallel()
	arrived := make(chan string, 10)
	server := receiver(t, func(_ http.ResponseWriter, r *http.Request) {
		arrived <- strings.Join(r.Header.Values(webhook.ViaHeader), "|")
	})
	instance := webhook.NewInstance([]byte("here"))
	r := start(t, dispatch.Options{Instance: instance})
	w := r.hook(server.URL)
	r.hook(server.URL, inline)
	before := webhook.Via(webhook.NewInstance([]byte("there")).Extend("", 1))
	own, longer := instance.Extend("", r.account.ID), instance.Extend(before, r.account.ID)
	list := events(2)
	list[1].Via = before
	accepted, err := r.Ingest(t.Context(), r.account.ID, list)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]int{}
	for range list {
		got[receive(t, arrived)]++
		r.next()
	}
	if got[own] != 1 || got[longer] != 1 {
		t.Errorf("got %v, want one of each of %q and %q", got, own, longer)
	}
	if _, err := r.Replay(t.Context(), r.account.ID, accepted[1].Decisions[0].Delivery, byTest()); err != nil { // from the table
		t.Fatal(err)
	}
	if got := receive(t, arrived); got != longer {
		t.Errorf("a replay: got %q, want %q", got, longer)
	}
	r.next()
	question := temporary("")
	question.Via = before
	r.callInline(question)
	if got := receive(t, arrived); got != longer {
		t.Errorf("an inline call: got %q, want %q", got, longer)
	}
	if _, err := r.Test(t.Context(), r.account.ID, w.ID, events(1)[0]); err != nil {
		t.Fatal(err)
	}
	if got := receive(t, arrived); got != own {
		t.Errorf("a test: got %q, want %q", got, own)
	}
	r.TestUnsaved(t.Context(), w, r.account, events(1)[0])
	if got := receive(t, arrived); got != own {
		t.Errorf("a test of what is not saved: got %q, want %q", got, own)
	}
}

// TestLoopIsFinal: an event that a Bookhook refuses because it came back is not sent
// again, and the circuit stays closed for the events that do not. A 508 of something
// else is a failure as any other.
func TestLoopIsFinal(t *testing.T) {
	t.Parallel()
	server := receiver(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/bookhook" {
			w.Header().Set(webhook.LoopHeader, "true")
		}
		w.WriteHeader(http.StatusLoopDetected)
	})
	r := start(t, dispatch.Options{})
	w := r.hook(server.URL+"/bookhook", concurrency(1))
	ids := r.ingest(webhook.CircuitFailures + 1)
	for range ids {
		if got := r.next(); got.State != webhook.Failed || got.Attempt.Failure != webhook.FailLoop || got.Attempt.Status != http.StatusLoopDetected {
			t.Fatalf("got %+v, want a final failure because of a loop", got)
		}
	}
	if c := r.circuit(w); c.Open() {
		t.Errorf("got %+v, want a closed circuit", c)
	}
	const want = "hook answered 508 Loop Detected: the webhook calls a Bookhook through which this event has come already, so the event would travel in a circle. " +
		"It is not sent again. Change the URL of the webhook to the system that is to receive the events."
	if got := messages.Text(r.attempts(ids[0])[0].Error); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	w.URL = server.URL + "/other"
	r.save(w)
	r.ingest(1)
	if got := r.next(); got.State != webhook.Pending || got.Attempt.Failure != webhook.FailStatus {
		t.Errorf("got %+v, want a failure that is attempted again", got)
	}
}
