package dispatch_test

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"bookhook/dispatch"
	"bookhook/platforms"
	"bookhook/platforms/all"
	"bookhook/webhook"
)

// A platform with an API: every request is signed with the account's key, and
// the fake API checks that by itself.

const apiKey = "the account's own key"

func signed(key, method, uri, date string) string {
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte(method + " " + uri + " " + date))
	return hex.EncodeToString(mac.Sum(nil))
}

// apiRequest is a signed request to the API of the settings.
func apiRequest(s webhook.Settings, uri string, now time.Time) (platforms.Request, error) {
	date := now.UTC().Format(time.RFC3339)
	return platforms.Request{Method: http.MethodGet, URL: s["api"] + uri, Header: http.Header{
		"X-Date": {date}, "Authorization": {"Test " + signed(s["key"], http.MethodGet, uri, date)},
	}}, nil
}

// readAPI reads what the API says, unless that is an error.
func readAPI[T any](status int, body []byte) (v T, err error) {
	if status == http.StatusUnauthorized {
		return v, errors.New("it refused the key. Compare it with the one in TourCMS")
	}
	if status != http.StatusOK {
		return v, fmt.Errorf("it answered %d", status)
	}
	return v, json.Unmarshal(body, &v)
}

// registry has that platform in the place of TourCMS.
func registry() platforms.Registry {
	p, _ := all.Platforms().Get("tourcms")
	p.Lookup = &platforms.Lookup{
		Wanted: func(s webhook.Settings, e webhook.Event) bool { return s["key"] != "" && len(e.TourIDs) == 0 },
		Request: func(s webhook.Settings, e webhook.Event, now time.Time) (platforms.Request, error) {
			if e.ChannelID == "strange" {
				return platforms.Request{}, errors.New("no key is stored for the channel “strange”")
			}
			return apiRequest(s, "/bookings/"+e.BookingID+"?channel="+e.ChannelID, now)
		},
		Read: func(e webhook.Event, status int, body []byte) (webhook.Event, error) {
			if string(body) == "trouble" {
				panic("a mistake in a platform's package")
			}
			tours, err := readAPI[[]string](status, body)
			e.TourIDs, e.Data = tours, []byte(`{"of":"`+e.BookingID+`","tours":`+string(body)+`}`)
			return e, err
		},
	}
	p.Lists = &platforms.Lists{
		Ready: func(s webhook.Settings) bool { return s["key"] != "" },
		Requests: func(s webhook.Settings, kind webhook.ItemKind, now time.Time) ([]platforms.Request, error) {
			one, err := apiRequest(s, "/"+string(kind), now)
			return []platforms.Request{one}, err
		},
		Read: func(_ webhook.ItemKind, status int, body []byte) ([]webhook.Item, error) {
			return readAPI[[]webhook.Item](status, body)
		},
	}
	return platforms.Registry{p}
}

// api is the fake API. What it answers to a signed request is the handler's; the
// path is in requests before that.
type api struct {
	*httptest.Server
	requests chan string
	mu       sync.Mutex
	key      string
}

func newAPI(t testing.TB, answer http.HandlerFunc) *api {
	t.Helper()
	a := &api{requests: make(chan string, 10_000), key: apiKey}
	a.Server = receiver(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Connection", "close") // as for tests on a false clock
		a.requests <- r.URL.Path
		a.mu.Lock()
		want := "Test " + signed(a.key, r.Method, r.RequestURI, r.Header.Get("X-Date"))
		a.mu.Unlock()
		if got := r.Header.Get("Authorization"); got != want || !strings.HasPrefix(r.UserAgent(), "bookhook/") {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		answer(w, r)
	})
	return a
}

func (a *api) settings() webhook.Settings { return webhook.Settings{"api": a.URL, "key": apiKey} }

// tours answers that every booking is of these.
func tours(ids ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(ids)
	}
}

// connect gives an account its settings for the platform; zero: the rig's.
func (r *rig) connect(settings webhook.Settings, account webhook.AccountID) {
	r.Helper()
	account = cmp.Or(account, r.account.ID)
	if err := r.store.SaveSettings(r.Context(), account, "tourcms", settings, byTest()); err != nil {
		r.Fatal(err)
	}
}

func withAPI(o dispatch.Options) dispatch.Options {
	o.Platforms = registry()
	return o
}

// needsLookup is an event of a booking that needs a lookup.
func needsLookup(booking string) webhook.Event {
	e := ofBooking(booking)
	e.Inbound, e.Lookup = true, true
	return e
}

func (r *rig) ingestEvents(account webhook.AccountID, events ...webhook.Event) []webhook.Accepted {
	r.Helper()
	accepted, err := r.Ingest(r.Context(), account, events)
	if err != nil {
		r.Fatal(err)
	}
	return accepted
}

func (r *rig) event(id webhook.EventID) webhook.EventRow {
	r.Helper()
	e, err := r.store.Event(r.Context(), r.account.ID, id)
	if err != nil {
		r.Fatal(err)
	}
	return e
}

// reasons are those of the decisions on an event.
func reasons(e webhook.EventRow) string {
	var all []string
	for _, d := range e.Decisions {
		all = append(all, cmp.Or(string(d.Reason), "matched"))
	}
	return strings.Join(all, " ")
}

func bodyOf(t testing.TB, r *http.Request) string {
	t.Helper()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Error(err)
	}
	return string(body)
}
