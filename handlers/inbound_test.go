package handlers_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"bookhook/platforms"
	"bookhook/webhook"
)

var errFull = webhook.Unavailable{Message: webhook.NewMessage("database.full"), Cause: errNone}

func (s *tap) Insert(ctx context.Context, p *webhook.Plan) ([]webhook.Accepted, error) {
	if s.full.Load() {
		return nil, errFull
	}
	return s.Store.Insert(ctx, p)
}

func (s *tap) AddRejectedRequest(ctx context.Context, u webhook.RejectedRequest, now time.Time) error {
	if s.full.Load() {
		return errFull
	}
	return s.Store.AddRejectedRequest(ctx, u, now)
}

// rejected are the rejected requests of the account, the newest first.
func (s *site) rejected() []webhook.RejectedRequest {
	s.Helper()
	list, err := s.store.RejectedRequests(s.Context(), s.account.ID, 0, 100)
	s.check(err)
	return list
}

// events are those of the account, the newest first.
func (s *site) events() []webhook.EventRow {
	s.Helper()
	page, err := s.store.Events(s.Context(), s.account.ID, webhook.EventFilter{Limit: 100})
	s.check(err)
	return page.Rows
}

var requestIDText = regexp.MustCompile(`,"request_id":"[^"]*"`)

// TestWrongAddress: whatever is wrong with an address, and whatever comes to it,
// the answer is the same.
func TestWrongAddress(t *testing.T) {
	t.Parallel()
	s := newHarbour(t)
	c := s.connect("harbour")
	var first answer
	for _, path := range []string{
		"/in/harbour/" + strings.Repeat("a", 26), "/in/nowhere/" + c.Token, "/in/wink/" + c.Token, "/in/harbour/" + c.Token[:25],
		"/in/harbour/" + c.Token + "/", "/in/harbour/" + c.Token + "/x", "/in/harbour/", "/in/harbour", "/in/", "/in//" + c.Token,
		"/in/harbour/" + strings.ToUpper(c.Token), "/in/harbour/%00", "/in/harbour/" + strings.Repeat("a", 9000), "/in/Harbour/" + c.Token,
	} {
		for _, method := range []string{"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD"} {
			got := s.send(method, path+"?event=cancelled", bookedBerth).refused(http.StatusNotFound)
			got.body = requestIDText.ReplaceAllString(got.body, "")
			if first.body == "" {
				first = got
			}
			if got.body != first.body && method != "HEAD" || got.header.Get("Allow") != "" || len(got.header) != len(first.header) {
				t.Errorf("%s %s: got %v %s, want %v %s", method, path, got.header, got.body, first.header, first.body)
			}
		}
	}
	if len(s.events())+len(s.rejected()) > 0 {
		t.Error("something was kept")
	}
	if got := s.send("POST", "/inside", "", header("Sec-Fetch-Site", "cross-site")); got.status != http.StatusForbidden {
		t.Errorf("got %d at an address that only begins like one, want that of a page", got.status)
	}
}

// TestOldAddress: the address before is taken until its end.
func TestOldAddress(t *testing.T) {
	t.Parallel()
	s := newHarbour(t)
	before := s.connect("harbour")
	now, err := s.store.RotateAddress(t.Context(), s.account.ID, "harbour", before.Token, change())
	s.check(err)
	id := s.send("POST", before.Path(), bookedBerth).taken()
	if again := s.send("POST", now.Path(), bookedBerth).taken(); again != id {
		t.Errorf("got %v at the new address, want the same event, %v", again, id)
	}
	_, err = s.store.RotateAddress(t.Context(), s.account.ID, "harbour", now.Token, webhook.Change{By: "test", At: time.Now().Add(-webhook.AddressOverlap)})
	s.check(err)
	s.send("POST", now.Path(), bookedBerth).refused(http.StatusNotFound)
}

func TestOtherMethodsOfPlatforms(t *testing.T) {
	t.Parallel()
	s := newHarbour(t)
	path := s.connect("harbour").Path()
	for _, method := range []string{"GET", "HEAD", "OPTIONS", "DELETE"} {
		says := []string{"Harbour sends by POST", "this is " + method, "The address is right"}
		if method == "HEAD" {
			says = nil
		}
		got := s.send(method, path, "").refused(http.StatusMethodNotAllowed, says...)
		if allow := got.header.Get("Allow"); allow != "POST" {
			t.Errorf("%s: got %q allowed, want POST", method, allow)
		}
	}
	if kept := s.rejected(); len(kept) > 0 {
		t.Errorf("got %+v kept of requests that say nothing", kept)
	}
	s.send("PUT", path, bookedBerth).refused(http.StatusMethodNotAllowed, "Harbour sends by POST", "this is PUT")
	s.send("GET", path+"?event=cancelled", "").refused(http.StatusMethodNotAllowed)
	s.send("HEAD", s.tourcms().Path()+"?event=cancelled&account_id=1&booking_id=1", "").refused(http.StatusMethodNotAllowed)
	if kept := s.rejected(); len(kept) != 3 || kept[1].Query != "event=cancelled" || string(kept[2].Body) != bookedBerth || kept[2].Status != 405 {
		t.Errorf("got %+v kept", kept)
	}
	if len(s.events()) > 0 {
		t.Error("an event came of a method that the platform does not use")
	}
}

// tourcms is the connection that every account has.
func (s *site) tourcms() webhook.Connection {
	s.Helper()
	c, err := s.store.Connection(s.Context(), s.account.ID, "tourcms")
	s.check(err)
	return c
}

// TestRefusedIsKept: what could not be read is answered with what is wrong, and
// kept as it came.
func TestRefusedIsKept(t *testing.T) {
	t.Parallel()
	s := newHarbour(t)
	path := s.connect("harbour").Path()
	s.check(s.store.SaveSettings(t.Context(), s.account.ID, "harbour", webhook.Settings{"key": "secret"}, change()))
	key := header("Authorization", "Harbour secret")
	long := `{"id":"n-1","event":"berth.booked","booking":{"ref":"` + strings.Repeat("x", 101) + `"}}`
	many := `{"event":"berth.booked","booking":{"boats":[` + strings.Repeat(`{"id":1},`, 500) + `{"id":1}]}}`
	for _, c := range []struct {
		body   string
		status int
		words  string
		change []func(*http.Request)
	}{
		{`{"event":"berth.painted"}`, 422, "berth.painted", []func(*http.Request){key}},
		{bookedBerth, 415, "text/plain", []func(*http.Request){key, header("Content-Type", "text/plain")}},
		{bookedBerth, 401, "key", nil},
		{bookedBerth, 401, "key", []func(*http.Request){header("Authorization", "Harbour other")}},
		{"", 400, "empty", []func(*http.Request){key}},
		{"{\"a\":\"\xff\"}", 400, "UTF-8", []func(*http.Request){key}},
		{strings.Repeat("[", 1000), 400, "100 levels", []func(*http.Request){key}},
		{long, 400, "xxx", []func(*http.Request){key}},
		{many, 400, "501 tours", []func(*http.Request){key}},
	} {
		before := s.rejected()
		got := s.send("POST", path+"?a=%ff&a=1", c.body, c.change...).refused(c.status, c.words, `"type":"unrecognised"`)
		if challenge := got.header.Get("WWW-Authenticate"); (challenge != "") != (c.status == 401) {
			t.Errorf("%s: got the challenge %q", c.body, challenge)
		}
		kept := s.rejected()
		u := kept[0]
		if u.Method != "POST" || u.Query != "a=%ff&a=1" || string(u.Body) != c.body || u.Status != c.status || !strings.Contains(got.body, jsonText(s.platforms.Text(u.Why))) {
			t.Errorf("%s: got %+v kept", c.body, u)
		}
		if c.status == 401 && len(before) > 0 && before[0].Status == 401 {
			if len(kept) != len(before) || u.Times != 2 {
				t.Errorf("got %+v, want the second one counted", u)
			}
		} else if len(kept) != len(before)+1 {
			t.Errorf("%s: got %d kept, want one more than %d", c.body, len(kept), len(before))
		}
		if strings.Contains(fmt.Sprint(kept), "secret") || strings.Contains(got.body, "secret") {
			t.Errorf("%s: the key is shown", c.body)
		}
	}
	if len(s.events()) > 0 {
		t.Error("an event came of it")
	}
}

// jsonText is a text as it is in JSON, without its quotes.
func jsonText(text string) string {
	return strings.ReplaceAll(text, `"`, `\"`)
}

// TestRefusedBeforeItIsRead: what is too large or packed is kept without its
// body, when the address is somebody's, and answered alike when it is not.
func TestRefusedBeforeItIsRead(t *testing.T) {
	t.Parallel()
	s := newHarbour(t)
	path := s.connect("harbour").Path()
	wrong := path[:len(path)-1] + "_"
	large := strings.Repeat("x", 5_000_000)
	inChunks := func(r *http.Request) { r.ContentLength = -1 }
	packed := header("Content-Encoding", "gzip")
	nothing := func(*http.Request) {}
	for i, c := range []struct {
		method, body string
		status       int
		change       func(*http.Request)
	}{{"POST", large, 413, nothing}, {"PUT", large, 413, inChunks}, {"POST", bookedBerth, 415, packed}} {
		s.send(c.method, path+"?a=1", c.body, c.change, header("Content-Type", "text/x")).refused(c.status)
		s.send(c.method, wrong+"?a=1", c.body, c.change, header("Content-Type", "text/x")).refused(http.StatusNotFound)
		kept := s.rejected()
		if len(kept) != i+1 {
			t.Fatalf("got %d kept, want %d", len(kept), i+1)
		}
		u := kept[0]
		if u.Method != c.method || u.Query != "a=1" || u.ContentType != "text/x" || len(u.Body) > 0 || u.Status != c.status || u.Why.IsZero() || u.Platform != "harbour" {
			t.Errorf("got %+v kept", u)
		}
	}
	s.send("POST", path, bookedBerth, inChunks).taken()
	s.send("POST", "/login", large, inChunks)
	if n := len(s.rejected()); n != 3 {
		t.Errorf("got %d kept, want 3", n)
	}
}

// TestSameNotification: by the platform's id, or by all that came.
func TestSameNotification(t *testing.T) {
	t.Parallel()
	id := "n-1"
	s := newHarbour(t, func(p *platforms.Platform) {
		read := p.Read
		p.Read = func(in platforms.Inbound) (platforms.Reading, error) {
			r, err := read(in)
			r.Identity = id
			return r, err
		}
	})
	path := s.connect("harbour").Path()
	other := strings.Replace(bookedBerth, "B-17", "B-18", 1)
	first := s.send("POST", path, bookedBerth).taken()
	s.send("POST", path, other).refused(http.StatusConflict, "n-1", "That one is valid")
	if kept := s.rejected(); len(kept) != 1 || kept[0].Status != 409 || string(kept[0].Body) != other {
		t.Errorf("got %+v kept", kept)
	}
	seen := map[webhook.EventID]bool{first: true}
	for _, c := range []struct{ id, query, body string }{
		{"n-2", "", bookedBerth},
		{strings.Repeat("x", 500), "", bookedBerth},
		{strings.Repeat("x", 500) + "y", "", bookedBerth},
		{"a\x00b", "", bookedBerth},
		{"", "", bookedBerth},
		{"", "?a", bookedBerth},
		{"", "", other},
		{"", "", bookedBerth + " "},
	} {
		id = c.id
		got := s.send("POST", path+c.query, c.body).taken()
		if again := s.send("POST", path+c.query, c.body).taken(); again != got || seen[got] {
			t.Errorf("%.20q %q: got %v and %v, want one event of its own", c.id, c.query, got, again)
		}
		seen[got] = true
	}
	if n := len(s.events()); n != len(seen) {
		t.Errorf("got %d events, want %d", n, len(seen))
	}
}

// TestSameAtOnce: however many arrive at the same time, one is delivered.
func TestSameAtOnce(t *testing.T) {
	t.Parallel()
	s := newHarbour(t)
	path := s.connect("harbour").Path()
	answers := make(chan answer)
	for range 20 {
		go func() { answers <- s.send("POST", path, bookedBerth) }()
	}
	first := (<-answers).taken()
	for range 19 {
		if id := (<-answers).taken(); id != first {
			t.Errorf("got %v and %v, want one event", first, id)
		}
	}
	if n := len(s.events()); n != 1 {
		t.Errorf("got %d events, want 1", n)
	}
}

// TestReadOtherwise: the same bytes are the same notification, even after an
// upgrade that reads more in them.
func TestReadOtherwise(t *testing.T) {
	t.Parallel()
	channel := "1"
	s := newHarbour(t, func(p *platforms.Platform) {
		read := p.Read
		p.Read = func(in platforms.Inbound) (platforms.Reading, error) {
			r, err := read(in)
			r.Identity, r.Event.ChannelID = "", channel
			return r, err
		}
	})
	path := s.connect("harbour").Path()
	first := s.send("POST", path, bookedBerth).taken()
	channel = "2"
	if again := s.send("POST", path, bookedBerth).taken(); again != first {
		t.Errorf("got %v, want %v", again, first)
	}
}

// TestSameWithin: where bytes can come again in earnest, they are the same for a
// time only.
func TestSameWithin(t *testing.T) {
	t.Parallel()
	within := 1000 * time.Hour
	s := newHarbour(t, func(p *platforms.Platform) {
		read := p.Read
		p.Read = func(in platforms.Inbound) (platforms.Reading, error) {
			r, err := read(in)
			r.Within = within
			return r, err
		}
	})
	path := s.connect("harbour").Path()
	stretch := func() int64 { return time.Now().UnixNano() / int64(within) }
	for i, back := range []int64{1, 2} {
		body := strings.Replace(bookedBerth, "n-1", fmt.Sprint("n-", i), 1)
		first := s.leave(webhook.Event{ExternalID: fmt.Sprintf("in:harbour:n-%d:%d", i, stretch()-back)})[0].Event.ID
		got := s.send("POST", path, body).taken()
		if same := got == first; same != (back == 1) {
			t.Errorf("%d stretches later: taken for the same: %t", back, same)
		}
		if again := s.send("POST", path, body).taken(); again != got {
			t.Errorf("at once: got %v, want %v", again, got)
		}
	}
	within = time.Nanosecond
	first := s.send("POST", path, bookedBerth).taken()
	if again := s.send("POST", path, bookedBerth).taken(); again == first {
		t.Error("got one event, want two when the time is over")
	}
}

// TestReceivedIsNoted, be it readable or not.
func TestReceivedIsNoted(t *testing.T) {
	t.Parallel()
	s := newHarbour(t)
	for platform, body := range map[string]string{"harbour": bookedBerth, "wink": "nothing"} {
		c := s.connect(platform)
		s.send("POST", c.Path()[:len(c.Path())-1]+"_", body).refused(http.StatusNotFound)
		for _, want := range []bool{false, true} {
			c, err := s.store.Connection(t.Context(), s.account.ID, platform)
			s.check(err)
			if got := time.Since(c.ReceivedAt) < time.Minute; got != want {
				t.Errorf("%s: got %s, want it noted: %t", platform, c.ReceivedAt, want)
			}
			s.send("POST", c.Path(), body)
		}
	}
}

// TestFullDatabase: what cannot be kept is not taken, and comes again.
func TestFullDatabase(t *testing.T) {
	t.Parallel()
	s := newHarbour(t)
	path := s.connect("harbour").Path()
	s.store.full.Store(true)
	for _, body := range []string{bookedBerth, "nothing", strings.Repeat("x", 5_000_000)} {
		if got := s.send("POST", path, body).refused(http.StatusServiceUnavailable, "database is full"); got.header.Get("Retry-After") == "" {
			t.Error("got no Retry-After")
		}
	}
	s.store.full.Store(false)
	s.send("POST", path, bookedBerth).taken()
}

// TestAddressIsNotLogged, whatever goes wrong.
func TestAddressIsNotLogged(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	s := furnish(t)
	s.log, s.platforms = &log, withHarbour()
	s.platforms[len(s.platforms)-1].Read = func(platforms.Inbound) (platforms.Reading, error) { panic("a bug in a platform") }
	t.Run("requests", func(t *testing.T) {
		s := *s
		s.TB = t
		s.run([]time.Duration{0})
		path := s.connect("harbour").Path()
		s.send("POST", path, bookedBerth).refused(http.StatusInternalServerError)
		s.store.full.Store(true)
		s.send("POST", s.tourcms().Path(), "").refused(http.StatusServiceUnavailable)
	})
	for _, c := range must(t, s.store.Connections, s.account.ID) {
		if strings.Contains(log.String(), c.Token) {
			t.Errorf("the address of %s is in the log:\n%s", c.Platform, log.String())
		}
	}
	for _, want := range []string{"path=/in/harbour/…", "path=/in/tourcms/…", "a bug in a platform"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("%q is not in the log:\n%s", want, log.String())
		}
	}
}

// TestHalvesOfCharacters: as text, two ids with different halves would be one, and
// the second event would be swallowed as a repetition of the first.
func TestHalvesOfCharacters(t *testing.T) {
	t.Parallel()
	s := newHarbour(t)
	path := s.connect("prioticket").Path()
	body := func(item string) string {
		return `{"data":{"notification":{"notification_id":"` + item + `","notification_event":"ORDER_CREATE","notification_item_id":"` + item + `"}}}`
	}
	for _, half := range []string{`x\ud83d`, `x\ud83c`} {
		s.send("POST", path, body(half)).refused(http.StatusBadRequest, "booking", "half of a character")
	}
	if got := len(s.events()); got != 0 {
		t.Errorf("got %d events", got)
	}
	id := s.send("POST", path, "\ufeff"+body(`x\ud83d\ude00`)).taken()
	if e, err := s.store.Event(t.Context(), s.account.ID, id); err != nil || e.BookingID != "x😀" || !json.Valid(e.Data) {
		t.Errorf("got %+v, %v, want the event behind a byte order mark", e, err)
	}
}
