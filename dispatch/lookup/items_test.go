package lookup

import (
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"bookhook/dispatch/guard"
	"bookhook/messages"
	"bookhook/platforms"
	"bookhook/platforms/all"
	"bookhook/webhook"
)

const apiKey = "the account's own key"

// testRegistry has a platform with lists, whose settings are the address of the
// API and the key.
func testRegistry() platforms.Registry {
	p, _ := all.Platforms().Get("tourcms")
	p.Lists = &platforms.Lists{
		Ready: func(s webhook.Settings) bool { return s["key"] != "" },
		Requests: func(s webhook.Settings, kind webhook.ItemKind, _ time.Time) ([]platforms.Request, error) {
			return []platforms.Request{{Method: http.MethodGet, URL: s["api"] + "/" + string(kind), Header: http.Header{"X-Key": {s["key"]}}}}, nil
		},
		Read: func(_ webhook.ItemKind, status int, body []byte) (items []webhook.Item, err error) {
			if status == http.StatusUnauthorized {
				return nil, errors.New("it refused the key. Compare it with the one in TourCMS")
			}
			return items, json.Unmarshal(body, &items)
		},
	}
	return platforms.Registry{p}
}

func newAPI(t *testing.T, answer http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Key") != apiKey || !strings.HasPrefix(r.UserAgent(), "bookhook/") {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		answer(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

func newClient(t *testing.T, allow string) *Client {
	t.Helper()
	g, err := guard.New(allow)
	if err != nil {
		t.Fatal(err)
	}
	transport := guard.NewTransport(guard.TransportOptions{Guard: g, Connect: 5 * time.Second, MaxRead: MaxRead})
	return &Client{Transport: transport, Platforms: testRegistry(), UserAgent: "bookhook/test", Log: slog.New(slog.DiscardHandler)}
}

func TestItems(t *testing.T) {
	t.Parallel()
	a := newAPI(t, func(w http.ResponseWriter, r *http.Request) {
		_ = json.NewEncoder(w).Encode([]webhook.Item{{ID: "1", Name: "Of " + r.URL.Path}})
	})
	c, settings := newClient(t, "127.0.0.0/8"), webhook.Settings{"api": a.URL, "key": apiKey}
	for _, kind := range []webhook.ItemKind{webhook.Channels, webhook.Tours} {
		got, err := c.Items(t.Context(), "tourcms", settings, kind)
		if want := []webhook.Item{{ID: "1", Name: "Of /" + string(kind)}}; err != nil || !slices.Equal(got, want) {
			t.Errorf("got %v, %v, want %v", got, err, want)
		}
	}
	if _, err := c.Items(t.Context(), "wink", settings, webhook.Tours); !errors.Is(err, webhook.ErrNotFound) {
		t.Errorf("got %v of a platform without lists, want that there is none", err)
	}
}

func TestItemsFail(t *testing.T) {
	t.Parallel()
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
	const open = "127.0.0.0/8"
	for name, tt := range map[string]struct{ allow, api, key, want string }{
		"blocked":     {"", huge.URL, apiKey, "Bookhook does not call 127.0.0.1, which is a loopback address; ask the person who runs this Bookhook to allow it"},
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
			t.Parallel()
			got, err := newClient(t, tt.allow).Items(t.Context(), "tourcms", webhook.Settings{"api": tt.api, "key": tt.key}, webhook.Tours)
			why, ok := errors.AsType[platforms.Unanswered](err)
			if !ok || messages.Text(why.Why) != tt.want || got != nil {
				t.Errorf("got %v, %v, want %q", got, err, tt.want)
			}
		})
	}
}
