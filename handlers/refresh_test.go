package handlers_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"bookhook/platforms"
	"bookhook/platforms/all"
	"bookhook/webhook"
)

func keyed(key, date string) string {
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte(date))
	return hex.EncodeToString(mac.Sum(nil))
}

// listing is TourCMS with a small API of its own, which lists what a server says.
func listing() platforms.Registry {
	p, _ := all.Platforms().Get("tourcms")
	p.Lists = &platforms.Lists{
		Ready: func(s webhook.Settings) bool { return s["key"] != "" },
		Requests: func(s webhook.Settings, kind webhook.ItemKind, now time.Time) ([]platforms.Request, error) {
			date := now.UTC().Format(time.RFC3339)
			return []platforms.Request{{Method: http.MethodGet, URL: s["api"] + "/" + string(kind), Header: http.Header{
				"X-Date": {date}, "Authorization": {keyed(s["key"], date)},
			}}}, nil
		},
		Read: func(_ webhook.ItemKind, status int, body []byte) (items []webhook.Item, err error) {
			if status == http.StatusUnauthorized {
				return nil, errors.New("it refused the API key")
			}
			return items, json.Unmarshal(body, &items)
		},
	}
	return platforms.Registry{p}
}

// lister lists these for whoever has the key "right".
func lister(t *testing.T, items ...webhook.Item) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != keyed("right", r.Header.Get("X-Date")) {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		_ = json.NewEncoder(w).Encode(items)
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *site) settings(settings webhook.Settings) {
	s.Helper()
	s.check(s.store.SaveSettings(s.Context(), s.account.ID, "tourcms", settings, change()))
}

// TestToursUnknown: where tours are chosen it says that events of TourCMS name none until
// its API key is there, and only as long as that is so.
func TestToursUnknown(t *testing.T) {
	t.Parallel()
	const warning = "TourCMS does not say which tours a booking has."
	s := newWizard(t)
	b := s.signIn(anna)
	draft := b.begin()
	b.walk(draft, webhook.StepReview)
	pages := []string{draft + "/tours", draft + "/review", "/", "/tours"}
	for _, path := range pages {
		b.get(path).has(warning, "Bookhook asks for them once it has an API key of TourCMS", `href="/settings/platforms/tourcms"`)
	}
	b.get(draft + "/channels").lacks(warning)
	b.get("/channels").lacks(warning)
	s.signIn(staff).get("/tours").has(warning, "ask an operator to add it")
	all := b.begin()
	forms := steps()
	forms[webhook.StepTours] = url.Values{"tours_mode": {"all"}}
	for _, step := range webhook.Steps[:5] {
		b.post(all+"/"+string(step), forms[step]).is(http.StatusSeeOther)
	}
	b.get(all + "/review").lacks(warning)
	others := b.begin() // of another platform
	forms[webhook.StepEvents], forms[webhook.StepTours] = url.Values{"all_events": {"0"}, "events": {"wink:booking.contract.initialize.request"}}, steps()[webhook.StepTours]
	for _, step := range webhook.Steps[:4] {
		b.post(others+"/"+string(step), forms[step])
	}
	b.get(others + "/tours").is(http.StatusOK).lacks(warning)
	s.settings(webhook.Settings{"api_key": "3930:secret"})
	for _, path := range pages {
		b.get(path).is(http.StatusOK).lacks(warning)
	}
}

var refresh = url.Values{"platform": {"tourcms"}}

func TestRefreshItems(t *testing.T) {
	t.Parallel()
	s := furnish(t)
	s.platforms = listing()
	s.run(nil)
	long := strings.Repeat("x", 150)
	api := lister(t, webhook.Item{ID: "1", Name: "Renamed there"}, webhook.Item{ID: "2", Name: " Two \n\u0001words "}, webhook.Item{ID: "2", Name: "Again"}, webhook.Item{ID: "3"}, webhook.Item{ID: "4", Name: long})
	s.putItems(webhook.Tours, webhook.Item{ID: "1", Name: "One"}, webhook.Item{ID: "9", Name: "Ours"})
	b := s.signIn(anna)
	b.get("/tours").is(http.StatusOK).lacks("Import from TourCMS").has("To import tours from TourCMS, enter the credentials of its API in", `href="/settings/platforms/tourcms"`)
	s.settings(webhook.Settings{"api": api.URL, "key": "right"})
	for _, path := range []string{"/tours", "/channels"} {
		b.get(path).has("Import from TourCMS").lacks("can be asked for your")
	}
	s.signIn(staff).get("/tours").is(http.StatusOK).lacks("Import from TourCMS", "can be asked for your")
	b.follow("/tours/refresh", refresh).has("Your tours were refreshed from TourCMS: 3 added, 1 renamed, 0 unchanged.")
	b.follow("/tours/refresh", refresh).has("Your tours were refreshed from TourCMS: 0 added, 0 renamed, 4 unchanged.")
	s.tours("3 3", "9 Ours", "1 Renamed there", "2 Two words", "4 "+long[:99]+"…")
	_, err := s.store.SwitchPlatform(t.Context(), s.account.ID, "tourcms", false, change())
	s.check(err)
	b.get("/tours").lacks("Import from TourCMS", "can be asked for your")
	b.post("/tours/refresh", refresh).is(http.StatusUnprocessableEntity).has("No booking platform is connected")
}

// Whatever goes wrong is said on the page, and nothing is changed.
func TestRefreshThatFails(t *testing.T) {
	t.Parallel()
	s := furnish(t)
	s.platforms = listing()
	s.run(nil)
	s.putItems(webhook.Tours, webhook.Item{ID: "1", Name: "One"})
	b := s.signIn(anna)
	good := webhook.Item{ID: "2", Name: "Two"}
	gone := lister(t)
	gone.Close()
	broken := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>") }))
	t.Cleanup(broken.Close)
	for name, tt := range map[string]struct{ api, key, want string }{
		"wrong key":   {lister(t, good).URL, "wrong", "TourCMS did not list your tours: it refused the API key. Nothing was changed."},
		"no answer":   {gone.URL, "right", "refused the connection. Nothing was changed."},
		"blocked":     {"http://10.0.0.1", "right", "Bookhook does not call 10.0.0.1, which is a private address"},
		"nonsense":    {broken.URL, "right", "invalid character"},
		"bad id":      {lister(t, good, webhook.Item{ID: "a,b", Name: "x"}).URL, "right", "TourCMS lists tours that cannot be stored: “a,b”. An id has no spaces and no commas. Nothing was changed."},
		"nothing new": {lister(t).URL, "right", ""},
		"no key":      {lister(t, good).URL, "", "No booking platform is connected"},
	} {
		t.Run(name, func(t *testing.T) {
			s.settings(webhook.Settings{"api": tt.api, "key": tt.key})
			if tt.want == "" {
				b.follow("/tours/refresh", refresh).has("TourCMS lists no tours; nothing was changed.")
			} else {
				b.post("/tours/refresh", refresh).is(http.StatusUnprocessableEntity).has(tt.want)
			}
			s.tours("1 One")
		})
	}
	b.post("/tours/refresh", url.Values{"platform": {"wink"}}).is(http.StatusUnprocessableEntity)
}
