package handlers_test

import (
	"bufio"
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"bookhook/webhook"
)

// stream is an open stream of changes.
type stream struct {
	testing.TB
	header http.Header
	texts  chan string // closed at its end
	leave  context.CancelFunc
}

// stream opens one; the status is another one than 200 if it is refused.
func (b *browser) stream() (s *stream, status int) {
	b.Helper()
	ctx, leave := context.WithCancel(b.Context())
	response, err := b.client.Do(b.request(http.MethodGet, "/live", "").WithContext(ctx))
	b.check(err)
	s = &stream{b, response.Header, make(chan string, 100), leave}
	go func() {
		defer close(s.texts)
		defer response.Body.Close()
		for lines := bufio.NewScanner(response.Body); lines.Scan(); {
			if text, is := strings.CutPrefix(lines.Text(), "data: "); is {
				s.texts <- text
			}
		}
	}()
	b.Cleanup(leave)
	return s, response.StatusCode
}

// next is the next text; "" at the end of the stream.
func (s *stream) next() string {
	s.Helper()
	select {
	case text := <-s.texts:
		return text
	case <-time.After(20 * time.Second):
		s.Fatal("nothing came")
	}
	return ""
}

// ends waits for the end of the stream.
func (s *stream) ends() {
	s.Helper()
	for end := time.After(20 * time.Second); ; {
		select {
		case _, more := <-s.texts:
			if !more {
				return
			}
		case <-end:
			s.Fatal("the stream goes on")
		}
	}
}

func TestLiveTellsOfChanges(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b, c := s.signIn(staff), s.signIn(others)
	s.hook(nowhere)
	shown := b.get("/deliveries").is(http.StatusOK).find(`data-follow="([^"]*)"`)
	ours, status := b.stream()
	theirs, _ := c.stream()
	for name, want := range map[string]string{"Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no"} {
		if got := ours.header.Get(name); status != http.StatusOK || got != want {
			t.Errorf("%s: got %q with %d, want %q", name, got, status, want)
		}
	}
	if got := ours.next(); got != shown {
		t.Errorf("the stream begins with %q, the page has %q", got, shown)
	}
	before := theirs.next()
	s.leave(webhook.Event{BookingID: "1"})
	if got := ours.next(); got == shown || got != s.changes(s.account.ID) {
		t.Errorf("after a change: got %q, before it was %q", got, shown)
	}
	s.token(s.other.ID)
	if got := theirs.next(); got == before || got != s.changes(s.other.ID) { // the first one that it hears of
		t.Errorf("after a change of the other account: got %q, before it was %q", got, before)
	}
}

// changes is the state of an account.
func (s *site) changes(account webhook.AccountID) string {
	s.Helper()
	text, err := s.store.Changes(s.Context(), account)
	s.check(err)
	return text
}

// TestLiveEnds: with the session, however that ended, and at a shutdown, which waits
// for no stream.
func TestLiveEnds(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.signIn(anna)
	signedOut, _ := b.stream()
	signedOut.next()
	b.post("/logout", nil)
	signedOut.ends()
	if _, status := b.stream(); status != http.StatusSeeOther {
		t.Errorf("signed out: got %d", status)
	}

	person := s.addUser("gone@example.com", s.account.ID, webhook.RoleStaff)
	removed, _ := s.signIn(person.Email).stream()
	removed.next()
	s.check(s.store.RemoveUser(t.Context(), s.account.ID, person.ID, change()))
	removed.ends()

	open, _ := s.signIn(staff).stream()
	open.next()
	begun := make(chan error, 1)
	go func() {
		ctx, cancel := context.WithTimeout(t.Context(), 15*time.Second)
		defer cancel()
		begun <- s.app.ShutdownWithContext(ctx)
	}()
	open.ends()
	s.check(<-begun)
}

// TestLiveIsBounded: an account has a limited number of streams, another one has its
// own, and one that the client left makes room.
func TestLiveIsBounded(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.signIn(staff)
	var open []*stream
	for {
		st, status := b.stream()
		if status != http.StatusOK {
			if status != http.StatusTooManyRequests || st.header.Get("Retry-After") == "" {
				t.Errorf("got %d with Retry-After %q, want 429", status, st.header.Get("Retry-After"))
			}
			break
		}
		st.next()
		open = append(open, st)
	}
	if len(open) != 64 {
		t.Errorf("got %d streams, want 64", len(open))
	}
	if _, status := s.signIn(others).stream(); status != http.StatusOK {
		t.Errorf("the other account got %d", status)
	}
	open[0].leave()
	for end := time.Now().Add(20 * time.Second); ; {
		if _, status := b.stream(); status == http.StatusOK {
			return
		}
		if time.Now().After(end) {
			t.Fatal("a stream that was left takes a place for ever")
		}
	}
}

// refresh asks for a page again that shows these rows.
func (b *browser) refresh(path string, rows ...string) page {
	b.Helper()
	request := b.request(http.MethodGet, path, "")
	request.Header.Set("Bookhook-Refresh", strings.Join(append(rows, "none"), " "))
	return b.do(request)
}

// TestRefresh: a page that is refreshed still has the rows that it shows, as they are
// now, and takes nothing that is for the next page that a person opens.
func TestRefresh(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.signIn(anna)
	r := newReceiver(t, http.StatusServiceUnavailable)
	w := s.hook(r.URL)
	path := deliveryOf(s.ingest(webhook.Event{BookingID: "1234"}))
	s.settled()
	list := "/deliveries?state=failed"
	id := b.get(list).find(`data-key="(dlv_[^"]*)"`)
	r.status.Store(http.StatusOK)
	b.post(path+"/replay", nil).is(http.StatusSeeOther)
	s.settled()
	b.refresh(path).lacks("answered 200 OK after") // the message of the replay
	b.get(path).has("Accounting answered 200 OK after")
	b.get(list).lacks("1234")
	b.refresh(list).lacks("1234")
	b.refresh(list, id, "dlv_0", "whk_1").has("1234", "Delivered")
	s.signIn(others).refresh(list, id).is(http.StatusOK).lacks("1234")
	event := b.get("/events").has("Delivered").find(`data-key="(evt_[^"]*)"`)
	b.refresh("/events?type=redeem_voucher").lacks("1234")
	b.refresh("/events?type=redeem_voucher", event, "evt_0").has("1234", "Delivered")
	s.signIn(others).refresh("/events", event).is(http.StatusOK).lacks("1234")
	problem := "?since=yesterday"
	b.get("/deliveries" + problem).is(http.StatusUnprocessableEntity).has("1234")
	b.refresh("/deliveries" + problem).is(http.StatusOK).has("1234") // a browser would report the page's own status as a failure

	secret := b.post("/webhooks/"+w.ID.String()+"/rotate", url.Values{}).is(http.StatusSeeOther).location
	b.refresh("/webhooks/"+w.ID.String()).is(http.StatusOK).lacks("whsec_", "There is a new secret").has("Healthy", "1234")
	b.refresh("/webhooks/"+w.ID.String()+"/deliveries?state=failed", id).is(http.StatusOK).has("Healthy", "1234", "Delivered")
	b.get(secret).has("whsec_", "There is a new secret")
}
