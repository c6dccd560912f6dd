package dispatch_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"bookhook/dispatch"
	"bookhook/dispatch/guard"
	"bookhook/messages"
	"bookhook/webhook"
)

// inline makes it an inline webhook for all channels.
func inline(w *webhook.Webhook) {
	w.Kind, w.Format, w.TimeLimit, w.Ordered = webhook.Inline, webhook.Native, webhook.DefaultTimeLimit, true
	w.Events = []string{"new_temporary_web"}
}

const showBooking = `<?xml version="1.0"?><response><booking><booking_id>1234</booking_id><channel_id>3930</channel_id>` +
	`<account_id>4069</account_id><status>2</status></booking></response>`

// temporary is the event of an inline call with this external id.
func temporary(id string) webhook.Event {
	return webhook.Event{
		ExternalID: id, Platform: "tourcms", Type: "new_temporary_web", ChannelID: "3930", BookingID: "1234",
		Data: []byte(`{"xml":` + strconv.Quote(showBooking) + `}`),
	}
}

func (r *rig) callInline(e webhook.Event) webhook.InlineCall {
	r.Helper()
	a, err := r.CallInline(r.Context(), r.account.ID, e)
	if err != nil {
		r.Fatal(err)
	}
	return a
}

// says answers with this body and content type.
func says(status int, contentType, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header()["Content-Type"] = []string{contentType}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

func TestVerdicts(t *testing.T) {
	t.Parallel()
	const json = "application/json"
	for _, tt := range []struct {
		name    string
		answer  http.HandlerFunc
		reason  webhook.Failure // "" when it accepts
		words   string          // of the error
		text    string
		tickets string
	}{
		{"empty", answer(200), "", "", "", ""},
		{"white space", says(200, "text/html", " \r\n"), "", "", "", ""},
		{"an object", says(200, json, `{}`), "", "", "", ""},
		{
			"text and tickets", says(200, json+"; charset=utf-8", `{"text":"done ✓","tickets":[{"component":7,"value":"00123"}],"hold":900}`),
			"", "", "done ✓", `[{"component":7,"value":"00123"}]`,
		},
		{"nothing said", says(200, json, `{"text":null,"tickets":null,"Text":"no"}`), "", "", "", ""},
		{"text that is none", says(200, json, `{"text":5,"tickets":{"a":1.50}}`), "", "", "", `{"a":1.50}`},
		{"a page", says(200, "text/html", "<p>Welcome"), webhook.FailAnswer, "content type “text/html”", "", ""},
		{"JSON as text", says(200, "text/plain", "{}"), webhook.FailAnswer, "content type “text/plain”", "", ""},
		{"no content type", says(200, "", "{}"), webhook.FailAnswer, "content type “”", "", ""},
		{"a list", says(200, json, `[{"text":"ok"}]`), webhook.FailAnswer, "not a JSON object", "", ""},
		{"a word", says(200, json, `true`), webhook.FailAnswer, "not a JSON object", "", ""},
		{"half of it", says(200, json, `{"text":"ok"`), webhook.FailAnswer, "not valid JSON", "", ""},
		{"two of them", says(200, json, `{}{}`), webhook.FailAnswer, "not valid JSON", "", ""},
		{"not UTF-8", says(200, json, "{\"text\":\"\xff\"}"), webhook.FailAnswer, "not valid JSON", "", ""},
		{"too long", says(200, json, `{"text":"`+strings.Repeat("x", webhook.MaxStoredBody)+`"}`), webhook.FailAnswer, "longer than 64 KiB", "", ""},
		{"204", answer(204), webhook.FailStatus, "only 200 counts", "", ""},
		{"201", says(201, json, `{"text":"made"}`), webhook.FailStatus, "only 200 counts", "made", ""},
		{"405", answer(405), webhook.FailStatus, "must accept POST requests", "", ""},
		{"409 with words", says(409, json, `{"text":"sold out"}`), webhook.FailStatus, "409 Conflict", "sold out", ""},
		{"410", answer(410), webhook.FailStatus, "410 Gone.", "", ""},
		{"500", answer(500), webhook.FailStatus, "500 Internal Server Error", "", ""},
		{"redirect", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/other", http.StatusFound) }, webhook.FailRedirect, "does not follow", "", ""},
		{"no answer", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, webhook.FailNetwork, "without an answer", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var calls atomic.Int32
			server := receiver(t, func(w http.ResponseWriter, r *http.Request) {
				calls.Add(1)
				tt.answer(w, r)
			})
			r := start(t, dispatch.Options{})
			w := r.hook(server.URL, inline)
			got := r.callInline(temporary(""))
			if got.Accepted != (tt.reason == "") || got.Reason != tt.reason || !strings.Contains(messages.Text(got.Error), tt.words) || got.Error.IsZero() != (tt.reason == "") {
				t.Errorf("got %v, %q (%s), want %q and %q", got.Accepted, got.Reason, messages.Text(got.Error), tt.reason, tt.words)
			}
			if got.Text != tt.text || string(got.Tickets) != tt.tickets {
				t.Errorf("got %q and %s, want %q and %s", got.Text, got.Tickets, tt.text, tt.tickets)
			}
			r.mustBeLogged(got, tt.reason)
			if calls.Load() != 1 {
				t.Errorf("got %d requests, want one", calls.Load())
			}
			dead := tt.reason != "" && !got.Attempt.Outcome().RefusesBooking()
			if now, err := r.store.Webhook(t.Context(), r.account.ID, w.ID); err != nil || !now.Enabled || now.FailingSince.IsZero() == dead || r.circuit(w).Failures != 0 {
				t.Errorf("got %+v, %v, want a webhook that is on, not paused, and failing: %t", now, err, dead)
			}
		})
	}
}

// mustBeLogged checks that the call has the result of the answer.
func (r *rig) mustBeLogged(a webhook.InlineCall, reason webhook.Failure) {
	r.Helper()
	d, attempts := r.delivery(a.Job.Delivery.ID), r.attempts(a.Job.Delivery.ID)
	want := webhook.Delivered
	if reason != "" {
		want = webhook.Failed
	}
	if d.State != want || d.Attempts != 1 || d.Completed != 1 || d.Finished.IsZero() || d.Last.Failure != reason {
		r.Errorf("got %+v, want %s after one attempt", d, want)
	}
	if len(attempts) != 1 || attempts[0].Failure != reason || attempts[0].Status != a.Attempt.Status || attempts[0].Error.Error() != a.Error.Error() {
		r.Errorf("got %+v, want the attempt in the log", attempts)
	}
}

func TestTimeLimit(t *testing.T) {
	t.Parallel()
	g := newGate(t)
	r := start(t, dispatch.Options{})
	r.hook(g.URL, inline, func(w *webhook.Webhook) { w.TimeLimit = 1 })
	got := r.callInline(temporary(""))
	if got.Accepted || got.Reason != webhook.FailTimeout || !strings.Contains(messages.Text(got.Error), "within 1s. Answer sooner, or give the webhook a longer time limit.") {
		t.Errorf("got %+v, want a refusal that names the limit", got.InlineAnswer)
	}
	r.mustBeLogged(got, webhook.FailTimeout)
}

func TestInlineOnTheWire(t *testing.T) {
	t.Parallel()
	type seen struct {
		*http.Request
		body []byte
	}
	requests := make(chan seen, 2)
	server := receiver(t, func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		requests <- seen{r, body}
	})
	r := start(t, dispatch.Options{})
	w := r.hook(server.URL+"/ask?shop=1", inline)
	a := r.callInline(temporary(""))
	got := receive(t, requests)
	want := "/ask?shop=1&event=new_temporary_web&account_id=4069&account_name=Test%20Operator&channel_id=3930&booking_id=1234"
	if got.Method != "POST" || got.RequestURI != want {
		t.Errorf("got %s %s, want POST %s", got.Method, got.RequestURI, want)
	}
	if !verified(t, got.body, w.Secret) {
		t.Errorf("without an API key the secret does not verify %s", got.body)
	}
	uuid := regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	if id := got.Header.Get("X-Request-Id"); !uuid.MatchString(id) {
		t.Errorf("got the X-Request-Id %q, want a UUID of version 4", id)
	}
	seconds, _ := strconv.ParseInt(got.Header.Get("Webhook-Timestamp"), 10, 64)
	signature, _ := webhook.Sign([]string{w.Secret}, a.Job.Delivery.ID.String(), time.Unix(seconds, 0), got.body)
	for name, want := range map[string]string{
		"Webhook-Id": a.Job.Delivery.ID.String(), "Webhook-Signature": signature, "User-Agent": "bookhook/1.2.3", "Accept": "*/*", "Bookhook-Attempt": "1", "Bookhook-Test": "",
	} {
		if value := got.Header.Get(name); value != want {
			t.Errorf("%s: got %q, want %q", name, value, want)
		}
	}
	if sent := r.attempts(a.Job.Delivery.ID)[0]; string(sent.RequestBody) != string(got.body) || sent.Method != "POST" || !strings.HasSuffix(sent.URL, want) {
		t.Errorf("recorded %+v, the server saw another request", sent)
	}

	settings := webhook.Settings{"api_key": "EXAMPLEKEY"}
	if err := r.store.SaveSettings(t.Context(), r.account.ID, "tourcms", settings, byTest()); err != nil {
		t.Fatal(err)
	}
	r.callInline(temporary(""))
	if second := receive(t, requests); !verified(t, second.body, "EXAMPLEKEY") || second.Header.Get("X-Request-Id") == got.Header.Get("X-Request-Id") {
		t.Errorf("got %s and %v, want it signed with the account's key, under another id", second.body, second.Header)
	}
	r.stop()
	if strings.Contains(r.log.String(), "EXAMPLEKEY") {
		t.Error("the key is in the log")
	}
}

// TestInlineIsCalledOnce: the same id is one call, however often and at however
// many places it comes in at once.
func TestInlineIsCalledOnce(t *testing.T) {
	t.Parallel()
	g := newGate(t)
	r := start(t, dispatch.Options{})
	w := r.hook(g.URL, inline)
	answers := make([]webhook.InlineCall, 10)
	var all sync.WaitGroup
	for i := range answers {
		all.Go(func() { answers[i] = r.callInline(temporary("q-1")) })
	}
	receive(t, g.arrived)
	g.open()
	all.Wait()
	answers = append(answers, r.callInline(temporary("q-1")))
	duplicates := 0
	for _, a := range answers {
		if !a.Accepted || a.Job.Delivery.ID != answers[0].Job.Delivery.ID || a.Decisions[0].Webhook != w.ID || a.Attempt.Status != 200 {
			t.Errorf("got %+v, want the first verdict", a)
		}
		if a.Duplicate {
			duplicates++
		}
	}
	if duplicates != 10 || len(g.arrived) != 0 {
		t.Errorf("got %d duplicates and %d more requests, want ten and none", duplicates, len(g.arrived))
	}
	other := temporary("q-1")
	other.BookingID = "other"
	if _, err := r.CallInline(t.Context(), r.account.ID, other); !errors.Is(err, webhook.ErrConflict) {
		t.Errorf("other content: got %v, want a conflict", err)
	}
}

func TestNoInlineWebhook(t *testing.T) {
	t.Parallel()
	r := start(t, dispatch.Options{})
	a := r.callInline(temporary("q-1"))
	if !a.Accepted || a.Called() || len(a.Decisions) != 0 {
		t.Errorf("got %+v, want accepted by nobody", a)
	}
	r.hook("http://127.0.0.1:1/", inline, func(w *webhook.Webhook) { w.Enabled = false })
	a = r.callInline(temporary(""))
	if !a.Accepted || a.Called() || a.Decisions[0].Reason != webhook.ReasonDisabled {
		t.Errorf("got %+v, want the reason why no webhook was called", a)
	}
	if again := r.callInline(temporary("q-1")); !again.Accepted || again.Called() || !again.Duplicate {
		t.Errorf("got %+v, want the first verdict although there is a webhook now", again)
	}
}

func TestInlineIsGuarded(t *testing.T) {
	t.Parallel()
	r := start(t, dispatch.Options{Guard: &guard.Guard{}})
	r.hook("http://127.0.0.1:1/", inline)
	got := r.callInline(temporary(""))
	if got.Accepted || got.Reason != webhook.FailBlocked || !strings.Contains(messages.Text(got.Error), "127.0.0.1") {
		t.Errorf("got %+v, want it blocked", got.InlineAnswer)
	}
}

func TestInlineCannotBeSigned(t *testing.T) {
	t.Parallel()
	r := start(t, dispatch.Options{})
	r.hook("http://127.0.0.1:1/", inline)
	e := temporary("")
	e.Data = []byte(`{"xml":"no document"}`)
	if got := r.callInline(e); got.Accepted || got.Reason != webhook.FailInternal {
		t.Errorf("got %+v, want a refusal", got.InlineAnswer)
	}
}

func TestInlineNeedsARunningDispatcher(t *testing.T) {
	t.Parallel()
	r := start(t, dispatch.Options{})
	r.hook("http://127.0.0.1:1/", inline)
	r.stop()
	if _, err := r.CallInline(t.Context(), r.account.ID, temporary("")); !errors.Is(err, webhook.ErrBusy) {
		t.Errorf("got %v, want busy", err)
	}
}

// What a stop cuts off counts as refused, at once and after the next start.
func TestInlineIsCutOff(t *testing.T) {
	t.Parallel()
	g := newGate(t)
	r := start(t, dispatch.Options{Grace: time.Millisecond})
	r.hook(g.URL, inline)
	answers := make(chan webhook.InlineCall, 1)
	go func() { answers <- r.callInline(temporary("q-1")) }()
	receive(t, g.arrived)
	r.stop()
	got := receive(t, answers)
	if got.Accepted || got.Reason != webhook.CutOff {
		t.Errorf("got %+v, want it cut off", got.InlineAnswer)
	}
	r.run(dispatch.Options{})
	if d := r.delivery(got.Job.Delivery.ID); d.State != webhook.Failed || len(r.attempts(d.ID)) != 0 {
		t.Errorf("got %+v, want failed without an attempt", d)
	}
	if again := r.callInline(temporary("q-1")); again.Accepted || again.Reason != webhook.CutOff || !again.Duplicate {
		t.Errorf("got %+v, want the same refusal", again)
	}
	if len(g.arrived) != 0 {
		t.Error("it was called again")
	}
}

// The verdict is given when it is on disk; who does not wait asks for it again.
func TestInlineResultIsOnDisk(t *testing.T) {
	t.Parallel()
	server := receiver(t, answer(200))
	r := start(t, dispatch.Options{})
	r.hook(server.URL, inline)
	r.store.failures.Store(2)
	if a := r.callInline(temporary("")); !a.Accepted || r.delivery(a.Job.Delivery.ID).State != webhook.Delivered {
		t.Errorf("got %+v, want it accepted and on disk", a)
	}
}

func TestInlineCallerLeaves(t *testing.T) {
	t.Parallel()
	g := newGate(t)
	r := start(t, dispatch.Options{})
	r.hook(g.URL, inline)
	ctx, leave := context.WithCancel(t.Context())
	left := make(chan error, 1)
	go func() {
		_, err := r.CallInline(ctx, r.account.ID, temporary("q-1"))
		left <- err
	}()
	receive(t, g.arrived)
	leave()
	if err := receive(t, left); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want that of the context", err)
	}
	g.open()
	if a := r.callInline(temporary("q-1")); !a.Accepted || !a.Duplicate {
		t.Errorf("got %+v, want the verdict of the call that went on", a)
	}
}

func TestInlineIsTested(t *testing.T) {
	t.Parallel()
	requests := make(chan *http.Request, 2)
	server := receiver(t, func(w http.ResponseWriter, r *http.Request) {
		requests <- r
		says(200, "text/html", "<p>")(w, r)
	})
	r := start(t, dispatch.Options{})
	w := r.hook(server.URL, inline)
	e := temporary("")
	e.Data = []byte(`{"test":true}`)
	d, err := r.Test(t.Context(), r.account.ID, w.ID, e)
	if err != nil {
		t.Fatal(err)
	}
	if got := receive(t, requests); got.Method != "POST" || got.Header.Get("Bookhook-Test") != "true" {
		t.Errorf("got %s %v, want a test", got.Method, got.Header)
	}
	if got := r.next(); got.State != webhook.Failed || got.Attempt.Failure != webhook.FailAnswer || !got.Test {
		t.Errorf("got %+v, want the verdict", got)
	}
	if d = r.delivery(d.ID); !d.Test || !d.Inline || d.State != webhook.Failed {
		t.Errorf("got %+v, want a test that failed", d)
	}
	if _, err := r.Replay(t.Context(), r.account.ID, d.ID, byTest()); err == nil {
		t.Error("it was replayed")
	}
	if a := r.TestUnsaved(t.Context(), w, r.account, e); a.Failure != webhook.FailAnswer || a.Method != "POST" {
		t.Errorf("tried unsaved: got %+v", a)
	}
}

// TestInlineCallsAreBounded: a receiver that does not answer takes no more places than it may.
func TestInlineCallsAreBounded(t *testing.T) {
	t.Parallel()
	g := newGate(t)
	r := start(t, dispatch.Options{MaxInFlight: 5}) // three of one account, which leave two
	r.hook(g.URL, inline)
	var all sync.WaitGroup
	for range 3 {
		all.Go(func() { r.callInline(temporary("")) })
		receive(t, g.arrived)
	}
	if _, err := r.CallInline(t.Context(), r.account.ID, temporary("")); !errors.Is(err, webhook.ErrBusy) {
		t.Errorf("the fourth: got %v, want busy", err)
	}
	g.open()
	all.Wait()
	r.callInline(temporary(""))
}
