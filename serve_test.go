package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"bookhook/webhook"
)

func TestServe(t *testing.T) {
	database := filepath.Join(t.TempDir(), "bookhook.db")
	args := []string{"--listen", "127.0.0.1:0", "--database", database}
	srv := launch(t, args...)
	if status, body := get(t, srv.url+"/healthz", ""); status != http.StatusOK {
		t.Errorf("/healthz: got %d %s, want 200", status, body)
	}
	must(t, "", "healthcheck", "--listen", strings.TrimPrefix(srv.url, "http://"))
	if got := srv.printed(`^using the database (.*)$`); got != database {
		t.Errorf("got the database %q named, want %s", got, database)
	}
	link := srv.waitFor(`^  (http://\S+/setup\?token=\S+)$`)[1] // it is last, so that it is seen
	if !strings.HasPrefix(link, srv.url) {
		t.Errorf("got the set-up link %q, want one at %s", link, srv.url)
	}
	if status, _ := get(t, link, ""); status != http.StatusOK {
		t.Errorf("the set-up link: got %d, want 200", status)
	}
	if status, _ := get(t, link+"x", ""); status != http.StatusForbidden {
		t.Errorf("another set-up link: got %d, want 403", status)
	}
	srv.stop()
	if _, err := os.Stat(database + "-wal"); !os.IsNotExist(err) {
		t.Errorf("got %v, want a database that was closed", err)
	}

	again := launch(t, args...)
	if other := again.waitFor(`/setup\?token=(\S+)$`)[1]; strings.HasSuffix(link, other) {
		t.Errorf("got the token %q after %s, want another one", other, link)
	}
	must(t, "", "user", "add", "--email", "a@example.com", "--role", "admin", "--database", database)
	again.stop()

	last := launch(t, args...)
	last.stop()
	for line := range last.lines {
		last.seen = append(last.seen, line)
	}
	if got := last.printed(`setup`); got != "" {
		t.Errorf("got a set-up link although there is a user: %s", got)
	}
}

func TestBaseURLInSetupLink(t *testing.T) {
	srv := launch(t, "--listen", "127.0.0.1:0", "--database", filepath.Join(t.TempDir(), "b.db"), "--base-url", "https://hooks.example.com/")
	srv.waitFor(`^  https://hooks.example.com/setup\?token=\S+$`)
}

func TestWildcardAddressIsShownAsLocalhost(t *testing.T) {
	srv := launch(t, "--listen", ":0", "--database", filepath.Join(t.TempDir(), "b.db"), "--log-format", "json")
	if !strings.HasPrefix(srv.url, "http://localhost:") {
		t.Errorf("got %s, want an address at localhost", srv.url)
	}
	if status, _ := get(t, srv.url+"/healthz", ""); status != http.StatusOK {
		t.Errorf("/healthz: got %d, want 200", status)
	}
}

// slow is a receiver that answers only when the test lets it.
type slow struct {
	*httptest.Server
	came    chan struct{}
	release chan struct{}
}

func newSlow(t *testing.T) *slow {
	s := &slow{came: make(chan struct{}, 10), release: make(chan struct{})}
	s.Server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // only then the context ends with the connection
		s.came <- struct{}{}
		select {
		case <-s.release:
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(s.Close)
	return s
}

// sell makes an account with a webhook to target, and posts one booking to the
// Bookhook at url.
func sell(t *testing.T, database, url, target string) webhook.AccountID {
	t.Helper()
	must(t, "", "account", "add", "Night Tours", "--number", "4069", "--database", database)
	token := must(t, "", "token", "add", "--account", "4069", "till", "--database", database)
	store := open(t, database)
	account, err := store.AccountByNumber(t.Context(), 4069)
	if err != nil {
		t.Fatal(err)
	}
	_, err = store.CreateWebhook(t.Context(), &webhook.Webhook{
		Account: account.ID, Enabled: true, Secret: webhook.NewSecret(),
		Config: webhook.Config{
			Name: "Accounting", URL: target, Kind: webhook.Async, Format: webhook.Standard, AllEvents: true,
			Channels: webhook.NewFilter(webhook.All, nil), Tours: webhook.NewFilter(webhook.All, nil), Concurrency: 1,
		},
	}, nil, change())
	if err != nil {
		t.Fatal(err)
	}
	book(t, url, token)
	return account.ID
}

// book posts a booking to the Bookhook at url.
func book(t *testing.T, url, token string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"/api/v1/events", strings.NewReader(`{"type":"cancelled","booking_id":"1"}`))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+token)
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusAccepted {
		t.Fatalf("got %s, want 202", response.Status)
	}
}

// TestStopsInOrder: what is on its way is waited for, while nobody new is let
// in, and its outcome is on disk.
func TestStopsInOrder(t *testing.T) {
	database := filepath.Join(t.TempDir(), "bookhook.db")
	to := newSlow(t)
	srv := launch(t, "--listen", "127.0.0.1:0", "--database", database, "--allow-private-targets", "127.0.0.1")
	account := sell(t, database, srv.url, to.URL)
	<-to.came
	srv.cancel()
	srv.waitFor(`stopping`)
	srv.waitFor(`waiting for deliveries`)
	if conn, err := net.Dial("tcp", strings.TrimPrefix(srv.url, "http://")); err == nil {
		conn.Close()
		t.Error("a connection was accepted after the stop began, want none")
	}
	close(to.release)
	srv.ended()
	rows, err := open(t, database).Deliveries(t.Context(), account, webhook.DeliveryFilter{Limit: 10})
	if err != nil || len(rows.Rows) != 1 || rows.Rows[0].State != webhook.Delivered || rows.Rows[0].Attempts != 1 {
		t.Errorf("got %+v, %v, want one that was delivered by its first attempt", rows, err)
	}
}

// TestSecondSignalKills runs a process of its own, for it does not survive.
func TestSecondSignalKills(t *testing.T) {
	database := filepath.Join(t.TempDir(), "bookhook.db")
	to := newSlow(t)
	cmd := exec.CommandContext(t.Context(), os.Args[0], "--listen", "127.0.0.1:0", "--database", database, "--allow-private-targets", "all")
	cmd.Env = append(os.Environ(), asMain+"=1")
	p := watch(t, cmd)
	sell(t, database, p.url, to.URL)
	<-to.came
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	p.waitFor(`waiting for deliveries`)
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	for range p.lines { // until its streams are closed
	}
	err := cmd.Wait()
	if status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || !status.Signaled() || time.Since(began) > deliveryGrace {
		t.Errorf("got %v after %s, want it killed by the signal at once", err, time.Since(began))
	}
}

func TestLogFormats(t *testing.T) {
	var text strings.Builder
	newLogger(&text, "json", slog.LevelWarn).Info("not this")
	newLogger(&text, "json", slog.LevelWarn).Warn("this", "n", 1)
	var line map[string]any
	if err := json.Unmarshal([]byte(text.String()), &line); err != nil || line["msg"] != "this" {
		t.Errorf("got %q, want one line of JSON", text.String())
	}
	text.Reset()
	newLogger(&text, "text", slog.LevelInfo).Info("this")
	if !strings.Contains(text.String(), "msg=this") {
		t.Errorf("got %q, want text", text.String())
	}
}

func TestRetention(t *testing.T) {
	store := open(t, newDatabase(t))
	account, err := store.AddAccount(t.Context(), webhook.Account{Name: "Night Tours", TimeZone: "UTC"}, change())
	if err != nil {
		t.Fatal(err)
	}
	var events []webhook.Event
	for i := range pruneBatch + 1 { // more than one batch
		events = append(events, webhook.Event{ExternalID: fmt.Sprint(i), Platform: webhook.DefaultPlatform, Type: "cancelled"})
	}
	subscriptions, err := store.Subscriptions(t.Context(), account.ID)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := store.Insert(t.Context(), webhook.NewPlan(subscriptions, events, time.Now(), time.Now())); err != nil {
		t.Fatal(err)
	}
	if n, err := prune(t.Context(), store, time.Hour); n != 0 || err != nil {
		t.Errorf("got %d, %v, want nothing deleted within the retention", n, err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if n, err := prune(ended, store, -time.Hour); n > pruneBatch*2 || err == nil {
		t.Errorf("got %d, %v, want a stop after one batch at most", n, err)
	}
	if _, err := prune(t.Context(), store, -time.Hour); err != nil {
		t.Fatal(err)
	}
	if rows, err := store.Events(t.Context(), account.ID, webhook.EventFilter{Limit: 10}); len(rows.Rows) != 0 || err != nil {
		t.Errorf("got %d events, %v, want none", len(rows.Rows), err)
	}
}

// TestRefusedBodiesDoNotDelayTheStop: connections whose requests were refused before
// their bodies were taken are kept, and closed at once when Bookhook stops.
func TestRefusedBodiesDoNotDelayTheStop(t *testing.T) {
	srv := launch(t, "--listen", "127.0.0.1:0", "--database", filepath.Join(t.TempDir(), "b.db"))
	for range 20 {
		conn, err := net.Dial("tcp", strings.TrimPrefix(srv.url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		fmt.Fprint(conn, "POST /api/v1/events HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}")
		response, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil || response.StatusCode != http.StatusUnauthorized || response.Close {
			t.Fatalf("got %+v, %v, want a refusal on a connection that is kept", response, err)
		}
	}
	began := time.Now()
	srv.stop()
	if took := time.Since(began); took > 5*time.Second { // each would take half a second, one after the other
		t.Errorf("the stop took %s", took)
	}
}
