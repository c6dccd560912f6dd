package handlers

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"

	"bookhook/db"
	"bookhook/dispatch"
	"bookhook/webhook"
)

// asking is a platform's call that askInbound answers, on a real Bookhook.
type asking struct {
	*testing.T
	app     *fiber.App
	store   *db.Store
	account webhook.Account
}

func newAsking(t *testing.T) *asking {
	store, err := db.Open(t.Context(), filepath.Join(t.TempDir(), "bookhook.db"))
	if err != nil {
		t.Fatal(err)
	}
	account, err := store.AddAccount(t.Context(), webhook.Account{Name: "Harbour Walks", TimeZone: "UTC", WebhookLimit: 10}, "test")
	if err != nil {
		t.Fatal(err)
	}
	guard, err := dispatch.NewGuard("all")
	if err != nil {
		t.Fatal(err)
	}
	d := dispatch.New(dispatch.Options{Store: store, Guard: guard})
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error)
	go func() { ended <- d.Run(ctx) }()
	<-d.Ready()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		store.Close()
	})
	a := &app{Options: Options{Store: store, Dispatcher: d}}
	f := fiber.New()
	f.Post("/in", func(c *fiber.Ctx) error {
		asked, err := a.askInbound(c, account.ID, webhook.Event{Platform: "tourcms", Type: "new_temporary_web", BookingID: "1234", Inbound: true})
		if err == nil && !asked {
			return c.SendStatus(http.StatusAccepted) // told like any other
		}
		return err
	})
	return &asking{t, f, store, account}
}

// post is the call, and what it is answered.
func (a *asking) post() (status int, contentType, body string) {
	a.Helper()
	response, err := a.app.Test(httptest.NewRequest(http.MethodPost, "/in", nil), -1)
	if err != nil {
		a.Fatal(err)
	}
	text, err := io.ReadAll(response.Body)
	if err != nil {
		a.Fatal(err)
	}
	return response.StatusCode, response.Header.Get("Content-Type"), string(text)
}

func TestAskInbound(t *testing.T) {
	a := newAsking(t)
	if status, _, _ := a.post(); status != http.StatusAccepted {
		t.Errorf("without a webhook: got %d, want that it is told", status)
	}
	answer := func(http.ResponseWriter) {}
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { answer(w) }))
	t.Cleanup(receiver.Close)
	_, err := a.store.CreateWebhook(t.Context(), &webhook.Webhook{
		Account: a.account.ID, Name: "Gate", URL: receiver.URL, Kind: webhook.Inline, Format: webhook.Native, Events: []string{"new_temporary_web"},
		Channels: webhook.NewFilter(webhook.All, nil), Tours: webhook.NewFilter(webhook.All, nil), Enabled: true, Concurrency: 8, TimeLimit: 10,
		Secret: webhook.NewSecret(),
	}, nil, "test", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if status, _, body := a.post(); status != 200 || body != "" {
		t.Errorf("accepted: got %d %q, want 200 and nothing", status, body)
	}
	answer = func(w http.ResponseWriter) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"text":"held","hold":900}`)
	}
	if status, kind, body := a.post(); status != 200 || kind != "application/json" || body != `{"text":"held","hold":900}` {
		t.Errorf("accepted with words: got %d %s %q, want them as they came", status, kind, body)
	}
	answer = func(w http.ResponseWriter) { w.WriteHeader(http.StatusConflict) }
	if status, kind, body := a.post(); status != 502 || kind != "text/plain; charset=utf-8" || body != "Your server answered 409 (Conflict)." {
		t.Errorf("refused: got %d %s %q, want 502 and the reason", status, kind, body)
	}
}
