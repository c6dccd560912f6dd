package dispatch_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"bookhook/dispatch"
	"bookhook/dispatch/guard"
	"bookhook/webhook"
)

func TestItems(t *testing.T) {
	a := newAPI(t, func(w http.ResponseWriter, r *http.Request) {
		_ = json.NewEncoder(w).Encode([]webhook.Item{{ID: "1", Name: "Of " + r.URL.Path}})
	})
	d := dispatch.New(withAPI(dispatch.Options{Guard: mustGuard(t, "127.0.0.0/8")}))
	for _, kind := range []webhook.ItemKind{webhook.Channels, webhook.Tours} {
		got, err := d.Items(t.Context(), "tourcms", a.settings(), kind)
		if want := []webhook.Item{{ID: "1", Name: "Of /" + string(kind)}}; err != nil || !slices.Equal(got, want) {
			t.Errorf("got %v, %v, want %v", got, err, want)
		}
	}
	if _, err := d.Items(t.Context(), "wink", a.settings(), webhook.Tours); !errors.Is(err, webhook.ErrNotFound) {
		t.Errorf("got %v of a platform without lists, want that there is none", err)
	}
}

func TestItemsThatAreNotToBeHad(t *testing.T) {
	huge := newAPI(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, 4<<20+1)) })
	moved := newAPI(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/elsewhere", http.StatusFound) })
	cut := newAPI(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		_, _ = w.Write([]byte("["))
	})
	many := newAPI(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte("[" + strings.Repeat("{},", 50_000) + "{}]"))
	})
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	open := mustGuard(t, "127.0.0.0/8")
	for name, tt := range map[string]struct {
		guard *guard.Guard
		api   string
		key   string
		want  string
	}{
		"blocked":     {&guard.Guard{}, huge.URL, apiKey, "Bookhook does not call 127.0.0.1, which is a loopback address; ask the person who runs this Bookhook to allow it"},
		"wrong key":   {open, huge.URL, "wrong", "it refused the key. Compare it with the one in TourCMS"},
		"too large":   {open, huge.URL, apiKey, "its answer is larger than 4 MiB"},
		"too many":    {open, many.URL, apiKey, "it lists more than 50000"},
		"redirect":    {open, moved.URL, apiKey, "it answered 302 Found, a redirect, which Bookhook does not follow"},
		"cut off":     {open, cut.URL, apiKey, "the connection to " + cut.Listener.Addr().String() + " broke before the answer was complete"},
		"nobody":      {open, gone.URL, apiKey, gone.Listener.Addr().String() + " refused the connection"},
		"no name":     {open, "http://nowhere.invalid", apiKey, "the name nowhere.invalid could not be looked up"},
		"no TLS":      {open, strings.Replace(huge.URL, "http:", "https:", 1), apiKey, "no secure connection to " + huge.Listener.Addr().String() + " could be made"},
		"no address":  {open, "http://[", apiKey, "its address cannot be called"},
		"no protocol": {open, "", apiKey, "its address cannot be called"},
	} {
		t.Run(name, func(t *testing.T) {
			d := dispatch.New(withAPI(dispatch.Options{Guard: tt.guard}))
			got, err := d.Items(t.Context(), "tourcms", webhook.Settings{"api": tt.api, "key": tt.key}, webhook.Tours)
			why, ok := errors.AsType[webhook.Unanswered](err)
			if !ok || why.Reason != tt.want || got != nil {
				t.Errorf("got %v, %v, want %q", got, err, tt.want)
			}
		})
	}
}
