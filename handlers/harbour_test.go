package handlers_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"bookhook/platforms"
	"bookhook/platforms/all"
	"bookhook/platforms/harbour"
	"bookhook/webhook"
)

// withHarbour are all platforms, and the made-up one of the guide.
func withHarbour() platforms.Registry {
	return append(all.Platforms(), harbour.Platform())
}

// newHarbour is a site that speaks Harbour's language, too; change may change
// how it does.
func newHarbour(t testing.TB, change ...func(*platforms.Platform)) *site {
	t.Helper()
	s := furnish(t)
	s.platforms = withHarbour()
	for _, c := range change {
		c(&s.platforms[len(s.platforms)-1])
	}
	s.run([]time.Duration{0})
	return s
}

// connect switches a platform on and returns the connection.
func (s *site) connect(platform string) webhook.Connection {
	s.Helper()
	c, err := s.store.SwitchPlatform(s.Context(), s.account.ID, platform, true, change())
	s.check(err)
	return c
}

// answer is what a platform gets back.
type answer struct {
	testing.TB
	status int
	header http.Header
	body   string
}

// send calls an address as a platform does.
func (s *site) send(method, path, body string, change ...func(*http.Request)) answer {
	s.Helper()
	request, err := http.NewRequestWithContext(s.Context(), method, s.url+path, strings.NewReader(body))
	s.check(err)
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	for _, c := range change {
		c(request)
	}
	response, err := http.DefaultClient.Do(request)
	s.check(err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	s.check(err)
	return answer{s, response.StatusCode, response.Header, string(text)}
}

// taken wants that the event is on disk, and returns its id.
func (a answer) taken() webhook.EventID {
	a.Helper()
	var shown struct {
		ID string `json:"id"`
	}
	err := json.Unmarshal([]byte(a.body), &shown)
	id, problem := webhook.ParseID[webhook.EventID](shown.ID)
	if a.status != http.StatusOK || err != nil || problem != nil || a.body != `{"id":"`+shown.ID+`"}` || a.header.Get("Content-Type") != "application/json" {
		a.Fatalf("got %d %q %s, want 200 and an event", a.status, a.header.Get("Content-Type"), a.body)
	}
	return id
}

// refused wants a problem document with this status and these words.
func (a answer) refused(status int, words ...string) answer {
	a.Helper()
	if a.status != status || a.header.Get("Content-Type") != "application/problem+json" || a.header.Get("Set-Cookie") != "" {
		a.Errorf("got %d %q %s, want a problem with status %d", a.status, a.header.Get("Content-Type"), a.body, status)
	}
	for _, word := range words {
		if !strings.Contains(a.body, word) {
			a.Errorf("%q is not in %s", word, a.body)
		}
	}
	return a
}

const bookedBerth = `{ "id":"n-1", "event":"berth.booked", "at":"2026-11-21T09:00:00Z",
	"booking":{"ref":"B-17","state":"confirmed","seller":{"id":3930,"name":"Website"},"boats":[{"id":"12","name":"Seal","seats":2}],"price":49.50,"deck":"\u0075pper"} }`

// TestFifthPlatform goes all the way with a platform that Bookhook does not
// speak: a folder and a line in the registry are all that it takes.
func TestFifthPlatform(t *testing.T) {
	t.Parallel()
	s := newHarbour(t)
	b := s.signIn(anna)
	draft := b.begin()
	b.walk(draft, webhook.StepEvents)
	b.get(draft + "/events").is(http.StatusOK).lacks("Berth booked")
	address := s.connect("harbour").Path()
	b.get(draft+"/events").is(http.StatusOK).has("Berth booked", "Pier closed", "harbour:berth.booked")
	b.post(draft+"/events", url.Values{"all_events": {"0"}, "events": {"harbour:berth.booked"}}).is(http.StatusSeeOther)

	native, standard, other := newReceiver(t, 200), newReceiver(t, 200), newReceiver(t, 200)
	berths := func(w *webhook.Webhook) { w.SelectEvents([]string{"harbour:berth.booked"}) }
	s.hook(native.URL+"/in?a=1", berths, func(w *webhook.Webhook) {
		w.Channels, w.Tours = webhook.NewFilter(webhook.Include, []string{"3930"}), webhook.NewFilter(webhook.Include, []string{"12"})
	})
	s.hook(standard.URL, berths, func(w *webhook.Webhook) { w.Format = webhook.Standard })
	s.hook(other.URL, func(w *webhook.Webhook) { w.SelectEvents([]string{"berth.booked", "harbour:berth.cancelled"}) })

	id := s.send("POST", address, bookedBerth).taken()
	s.settled()
	s.settled()
	got := arrived(t, native.got)
	if got.Method != "POST" || got.URL.String() != "/in?a=1" || got.body != bookedBerth {
		t.Errorf("native: got %s %s %s, want what came, byte for byte", got.Method, got.URL, got.body)
	}
	want := `{"id":"` + webhook.EventID(id).String() + `","type":"berth.booked","platform":"harbour","account_id":"4069",` +
		`"channel_id":"3930","tour_ids":["12"],"booking_id":"B-17","timestamp":"2026-11-21T09:00:00Z","booking":{"action":"made",` +
		`"reference":"B-17","status":"confirmed","channel":{"id":"3930","name":"Website"},"tours":[{"id":"12","name":"Seal","quantity":2}],` +
		`"total":{"amount":49.50}},"data":` + bookedBerth + `}`
	if got := arrived(t, standard.got); got.body != want {
		t.Errorf("standard: got %s\nwant %s", got.body, want)
	}

	if again := s.send("POST", address, bookedBerth).taken(); again != id {
		t.Errorf("the same again: got the event %v, want the first, %v", again, id)
	}
	decided, err := s.store.Event(t.Context(), s.account.ID, id)
	s.check(err)
	reasons := []webhook.Reason{decided.Decisions[0].Reason, decided.Decisions[1].Reason, decided.Decisions[2].Reason}
	if reasons[0] != webhook.Matched || reasons[1] != webhook.Matched || reasons[2] != webhook.ReasonEvent {
		t.Errorf("got the decisions %q", reasons)
	}
	if n := len(native.got) + len(standard.got) + len(other.got); n > 0 {
		t.Errorf("got %d more requests", n)
	}
	b.get("/events/"+webhook.EventID(id).String()).is(http.StatusOK).has("Berth booked", "B-17")
}

// TestPlatformThatIsOff keeps what comes and tells nobody.
func TestPlatformThatIsOff(t *testing.T) {
	t.Parallel()
	s := newHarbour(t)
	c := s.connect("harbour")
	_, err := s.store.SwitchPlatform(t.Context(), s.account.ID, "harbour", false, change())
	s.check(err)
	s.hook(nowhere)
	id := s.send("POST", c.Path(), bookedBerth).taken()
	e, err := s.store.Event(t.Context(), s.account.ID, id)
	s.check(err)
	if len(e.Decisions) != 1 || e.Decisions[0].Reason != webhook.ReasonPlatformOff || !e.Inbound || !bytes.Equal(e.Data, []byte(bookedBerth)) {
		t.Errorf("got %+v", e)
	}
}
