package demo

import (
	"context"
	"encoding/json"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"bookhook/auth"
	"bookhook/db/dbtest"
	"bookhook/platforms/all"
	"bookhook/webhook"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// TestBookingsGoOn: whatever becomes of the first bookings; now and then all of them
// are closed at once.
func TestBookingsGoOn(t *testing.T) {
	for seed := range uint64(20_000) {
		b := newBookings(rand.New(rand.NewPCG(seed, 1)))
		for range 40 {
			b.next(noon)
		}
	}
}

func TestBookings(t *testing.T) {
	b := newBookings(rand.New(rand.NewPCG(1, 2)))
	ids, types := map[string]bool{}, map[string]bool{}
	for n := range 2000 {
		e := b.next(noon.Add(time.Duration(n) * time.Second))
		if ids[e.ID] {
			t.Errorf("the id %s comes twice", e.ID)
		}
		ids[e.ID], types[e.Type] = true, true
		if !all.Platforms().KnownKey(e.Type) {
			t.Errorf("got the event %s, want one of TourCMS", e.Type)
		}
		if staff := strings.HasSuffix(e.Type, "_staff"); staff && e.ChannelID != office {
			t.Errorf("got %s on channel %s, want it from the back office only", e.Type, e.ChannelID)
		}
		if n < len(channels) && (e.ChannelID != channels[n].ID || !strings.HasPrefix(e.Type, "new_confirmed_")) {
			t.Errorf("event %d: got %s on %s, want a confirmed booking on %s", n, e.Type, e.ChannelID, channels[n].ID)
		}
		if len(e.TourIDs) == 0 || len(e.TourIDs) != len(e.Data.Components) || e.Data.Components[0].ProductID != e.TourIDs[0] {
			t.Errorf("got the tours %v and %+v, want the same", e.TourIDs, e.Data.Components)
		}
		if e.OccurredAt.After(noon.Add(time.Duration(n) * time.Second)) {
			t.Errorf("got an event of %s, want none of the future", e.OccurredAt)
		}
	}
	platform, _ := all.Platforms().Get(webhook.DefaultPlatform)
	for _, e := range platform.Events {
		if asynchronous := !strings.HasPrefix(e.Group, "Inline"); types[e.Key] != asynchronous {
			t.Errorf("%s comes: got %t, want %t", e.Key, types[e.Key], asynchronous)
		}
	}
	if len(b.open) > maxOpen {
		t.Errorf("got %d open bookings, want at most %d", len(b.open), maxOpen)
	}
}

func TestCatalogue(t *testing.T) {
	for kind, items := range map[string][]webhook.Item{"channels": channels, "tours": tourItems()} {
		ids := map[string]bool{}
		for _, item := range items {
			if checked, problems := webhook.CheckItem(item); len(problems) > 0 || checked != item || ids[item.ID] {
				t.Errorf("%s: got %+v (%v), want it in order and once", kind, item, problems)
			}
			ids[item.ID] = true
		}
	}
	if len(channels) != 8 || len(tours) != 25 {
		t.Errorf("got %d channels and %d tours, want 8 and 25", len(channels), len(tours))
	}
}

func TestSeed(t *testing.T) {
	store := dbtest.New(t)
	to := &Receivers{Healthy: "http://127.0.0.1:1", Flaky: "http://127.0.0.1:2", Down: "http://127.0.0.1:3", Back: "http://127.0.0.1:4"}
	sample, err := Seed(t.Context(), store, to)
	if err != nil {
		t.Fatal(err)
	}
	if _, problem := auth.CheckEmail(sample.Email); !problem.IsZero() || !auth.CheckPassword(sample.Password).IsZero() {
		t.Errorf("got %+v, want a sign-in that the pages would take", sample)
	}
	if list, err := store.Checklist(t.Context(), sample.Account.ID); err != nil || !list.Colleague || !list.Channels || !list.Tours || !list.Webhook {
		t.Errorf("got %+v, %v, want first steps that are done once a booking is delivered", list, err)
	}
	hooks, err := store.Webhooks(t.Context(), sample.Account.ID)
	if err != nil || len(hooks) > webhook.DefaultLimit-2 {
		t.Fatalf("got %d webhooks, %v, want room for more", len(hooks), err)
	}
	for _, w := range hooks {
		checkWebhook(t, w)
	}
	if drafts, err := store.Drafts(t.Context(), sample.Account.ID); err != nil || len(drafts) != 1 || drafts[0].Resume() != webhook.StepChannels {
		t.Errorf("got %+v, %v, want one draft at its channels", drafts, err)
	}
}

// checkWebhook holds a sample webhook to the rules of the wizard, and wants
// something for it among the first bookings.
func checkWebhook(t *testing.T, w *webhook.Webhook) {
	t.Helper()
	has := func(items []webhook.Item) func(string) bool {
		return func(id string) bool {
			return slices.ContainsFunc(items, func(i webhook.Item) bool { return i.ID == id })
		}
	}
	d := webhook.EditDraft(w)
	known := webhook.Known{
		Event: all.Platforms().KnownKey, Channel: has(channels), Tour: has(tourItems()), Guard: func(string) webhook.Message { return webhook.Message{} },
	}
	if problems := d.Problems(webhook.StepReview, known); len(problems) > 0 {
		t.Errorf("%s: %v", w.Name, problems)
	}
	if w.Enabled == (w.Name == switchedOff) {
		t.Errorf("%s: got enabled %t", w.Name, w.Enabled)
	}
	b := newBookings(rand.New(rand.NewPCG(1, 2)))
	enabled := *w
	enabled.Enabled = true
	for range 60 {
		e := b.next(noon)
		matching := webhook.Event{Platform: webhook.DefaultPlatform, Type: e.Type, ChannelID: e.ChannelID, TourIDs: e.TourIDs}
		if webhook.Match(&enabled, &matching) == webhook.Matched {
			return
		}
	}
	t.Errorf("%s: none of the first 60 events is for it", w.Name)
}

func TestReceivers(t *testing.T) {
	r, err := StartReceivers()
	if err != nil {
		t.Fatal(err)
	}
	for url, want := range map[string][]int{r.Healthy: {200, 200, 200}, r.Flaky: {200, 500, 200, 200, 500, 200}, r.Down: {503, 503}, r.Back: append(slices.Repeat([]int{404}, outage), 200, 200)} {
		for n, status := range want {
			response, err := http.Get(url + "/bookings")
			if err != nil {
				t.Fatal(err)
			}
			response.Body.Close()
			if response.StatusCode != status {
				t.Errorf("request %d of %s: got %d, want %d", n+1, url, response.StatusCode, status)
			}
		}
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	if response, err := http.Get(r.Down); err == nil {
		response.Body.Close()
		t.Error("got an answer after Close, want none")
	}
}

func TestBookingSystem(t *testing.T) {
	posted := make(chan event, 1000)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var e event
		if err := json.NewDecoder(r.Body).Decode(&e); err != nil || r.URL.Path != "/api/v1/events" || r.Header.Get("Authorization") != "Bearer bh_x" {
			t.Errorf("got %s with %v: %v", r.URL, r.Header, err)
		}
		w.WriteHeader(http.StatusAccepted)
		posted <- e
	}))
	defer server.Close()
	ended := make(chan error)
	ctx, cancel := context.WithCancel(t.Context())
	go func() { ended <- BookingSystem{URL: server.URL, Token: "bh_x"}.Run(ctx) }()
	for i := range 3 {
		if e := <-posted; e.ChannelID != channels[i].ID {
			t.Errorf("event %d: got channel %s, want %s", i, e.ChannelID, channels[i].ID)
		}
	}
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("got %v, want no error", err)
	}
}

func TestBookingSystemReportsRefusal(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = io.WriteString(w, "no such token")
	}))
	defer server.Close()
	err := BookingSystem{URL: server.URL, Token: "bh_x"}.Run(t.Context())
	if err == nil || !strings.Contains(err.Error(), "no such token") {
		t.Errorf("got %v, want what the server said", err)
	}
}
