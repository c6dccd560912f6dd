package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestBackupWhileItRuns: what was accepted before a backup began is in it, and a
// Bookhook on the restored backup goes on with it.
func TestBackupWhileItRuns(t *testing.T) {
	dir := t.TempDir()
	database, copied := filepath.Join(dir, "bookhook.db"), filepath.Join(dir, "copy.db")
	srv := launch(t, "--listen", "127.0.0.1:0", "--database", database)
	must(t, "", "account", "add", "Night Tours", "--number", "4069", "--database", database)
	token := must(t, "", "token", "add", "till", "--account", "4069", "--database", database)

	ctx, cancel := context.WithCancel(t.Context())
	var sending sync.WaitGroup
	accepted := make(chan string, 100_000)
	for sender := range 4 {
		sending.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				if id := fmt.Sprintf("%d-%d", sender, n); sendEvent(srv.url, token, id) {
					accepted <- id
				}
			}
		})
	}
	var before []string
	for len(before) < 200 {
		before = append(before, <-accepted)
	}
	must(t, "", "backup", copied, "--database", database)
	cancel()
	sending.Wait()
	refused(t, copied+" exists already", 1, "", "backup", copied, "--database", database)
	refused(t, "in use by another Bookhook; stop that one first", 1, "", "restore", copied, "--database", database)
	srv.stop()

	elsewhere := filepath.Join(dir, "new", "bookhook.db")
	if err := os.Mkdir(filepath.Dir(elsewhere), 0o700); err != nil {
		t.Fatal(err)
	}
	must(t, "", "restore", copied, "--database", elsewhere)
	again := launch(t, "--listen", "127.0.0.1:0", "--database", elsewhere)
	known := knownEvents(t, again.url, token)
	for _, id := range before {
		if !known[id] {
			t.Fatalf("%s was accepted before the backup began, and is not in it", id)
		}
	}
	if !sendEvent(again.url, token, "after") {
		t.Error("the restored Bookhook takes no event")
	}
}

// sendEvent reports whether an event with this id was accepted.
func sendEvent(url, token, id string) bool {
	return post(url+"/api/v1/events", token, fmt.Sprintf(`{"id":%q,"type":"new_confirmed_web","booking_id":%q}`, id, id)) == http.StatusAccepted
}

// post returns the status of the answer to JSON; 0 if there is none.
func post(url, token, body string) int {
	request, err := http.NewRequest(http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		return 0
	}
	request.Header.Set("Authorization", "Bearer "+token)
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0
	}
	response.Body.Close()
	return response.StatusCode
}

// knownEvents are the ids of all events, as their sender gave them.
func knownEvents(t *testing.T, url, token string) map[string]bool {
	t.Helper()
	known := map[string]bool{}
	for cursor := ""; ; {
		_, body := get(t, url+"/api/v1/events?limit=200&cursor="+cursor, token)
		var page struct {
			Items []struct {
				Booking string `json:"booking_id"`
			}
			Next string `json:"next_cursor"`
		}
		if err := json.Unmarshal([]byte(body), &page); err != nil {
			t.Fatal(err)
		}
		for _, e := range page.Items {
			known[e.Booking] = true
		}
		if cursor = page.Next; cursor == "" {
			return known
		}
	}
}

// TestRestoreKeepsWhatWasThere: the database in whose place the backup comes is
// kept, with what was only in its write-ahead log.
func TestRestoreKeepsWhatWasThere(t *testing.T) {
	database := newDatabase(t)
	at := func(args ...string) []string { return append(args, "--database", database) }
	copied := filepath.Join(t.TempDir(), "copy.db")
	must(t, "", at("account", "add", "First", "--number", "1")...)
	must(t, "", at("backup", copied)...)
	must(t, "", at("account", "add", "Second", "--number", "2")...)

	code, _, said := do(t, "", at("restore", copied)...)
	if code != 0 || !strings.Contains(said, "1 accounts, ") || !strings.Contains(said, "is kept as "+database+".before-restore-") {
		t.Fatalf("got exit %d and %q", code, said)
	}
	if got := listed(t, at("account", "list")...); len(got) != 1 {
		t.Errorf("got %v, want what was backed up", got)
	}
	kept, err := filepath.Glob(database + ".before-restore-*")
	if err != nil || len(kept) != 1 {
		t.Fatalf("got %v, %v, want one database kept", kept, err)
	}
	if got := listed(t, "account", "list", "--database", kept[0]); len(got) != 2 {
		t.Errorf("got %v in what was kept, want both accounts", got)
	}
}

// TestRestoreRefusesWhatIsNotSound: and then nothing is changed.
func TestRestoreRefusesWhatIsNotSound(t *testing.T) {
	database := newDatabase(t)
	must(t, "", "account", "add", "First", "--database", database)
	dir := t.TempDir()
	sound := filepath.Join(dir, "sound.db")
	must(t, "", "backup", sound, "--database", database)
	bytesOf := func(path string) []byte {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return content
	}
	before, page := bytesOf(database), bytesOf(sound)
	for name, content := range map[string][]byte{
		"garbage.db": []byte("these are not the bytes of a database, and there are more of them than a header has; so many, in fact, that it is read"),
		"half.db":    page[:len(page)/2],
		"torn.db":    append(append(bytes.Clone(page[:8192]), make([]byte, 4096)...), page[12288:]...),
		"empty.db":   {},
	} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		if code, out, said := do(t, "", "restore", path, "--database", database); code != 1 || out != "" || strings.Count(said, "\n") != 1 {
			t.Errorf("%s: got exit %d, %q, %q, want one line", name, code, out, said)
		}
		if !bytes.Equal(bytesOf(database), before) {
			t.Fatalf("%s: the database was changed", name)
		}
	}
	refused(t, "there is no backup "+filepath.Join(dir, "none.db"), 1, "", "restore", filepath.Join(dir, "none.db"), "--database", database)
	refused(t, "there is no database ", 1, "", "backup", filepath.Join(dir, "x.db"), "--database", filepath.Join(dir, "typo.db"))
}

func TestDoctor(t *testing.T) {
	database := filepath.Join(t.TempDir(), "bookhook.db")
	srv := launch(t, "--listen", "127.0.0.1:0", "--database", database)
	address := strings.TrimPrefix(srv.url, "http://")
	said := must(t, "", "doctor", "--listen", address, "--base-url", srv.url, "--database", database)
	for _, want := range []string{"ok     database: ", "ok     disk: a write", "are free", "ok     clock: ", "a Bookhook answers at " + address, "can be reached at " + srv.url, "no webhook is on"} {
		if !strings.Contains(said, want) {
			t.Errorf("got %q, want %q", said, want)
		}
	}
	srv.stop()
	code, out, said := do(t, "", "doctor", "--listen", address, "--base-url", srv.url, "--database", database)
	if code != 1 || !strings.Contains(out, "wrong  address: Bookhook cannot be reached at "+srv.url) || !strings.Contains(out, address+" is free") || !strings.Contains(said, "something is wrong") {
		t.Errorf("stopped: got exit %d, %s%s", code, out, said)
	}
	code, out, _ = do(t, "", "doctor", "--database", database+"x")
	if code != 1 || !strings.Contains(out, "wrong  database: there is no database "+database+"x; ") || strings.Contains(out, "secrets") {
		t.Errorf("no database: got exit %d, %s", code, out)
	}
}

func TestDoctorComparesClocks(t *testing.T) {
	now := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		newest time.Time
		skews  []time.Duration
		want   string
	}{
		{time.Time{}, nil, "ok     clock: it is 2026-11-28T12:00:00Z here; no receiver has answered"},
		{now.Add(-time.Hour), []time.Duration{time.Second, -time.Hour, 2 * time.Second}, "ok     clock: it is 2026-11-28T12:00:00Z here, which differs by 1s"},
		{now.Add(time.Hour), nil, "wrong  clock: it is 2026-11-28T12:00:00Z here, but the newest event was received at 2026-11-28T13:00:00Z"},
		{now, []time.Duration{5 * time.Minute, 6 * time.Minute, 0}, "wrong  clock: it is 2026-11-28T12:00:00Z here, which differs by 5m0s from the clocks of most receivers"},
	} {
		var out bytes.Buffer
		r := &report{to: streams{out: &out}}
		if r.checkClock(now, tt.newest, tt.skews); !strings.HasPrefix(out.String(), tt.want) || r.wrong != strings.HasPrefix(tt.want, "wrong") {
			t.Errorf("got %q, want %q", out.String(), tt.want)
		}
	}
}

// TestDoctorReadsReceivers: it looks up the names of webhooks, checks their
// addresses, and compares the dates of answers.
func TestDoctorReadsReceivers(t *testing.T) {
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Date", time.Now().Add(-time.Hour).UTC().Format(http.TimeFormat))
	}))
	t.Cleanup(receiver.Close)
	database := filepath.Join(t.TempDir(), "bookhook.db")
	srv := launch(t, "--listen", "127.0.0.1:0", "--database", database, "--allow-private-targets", "all")
	must(t, "", "account", "add", "Night Tours", "--number", "4069", "--database", database)
	token := must(t, "", "token", "add", "till", "--account", "4069", "--database", database)
	for name, url := range map[string]string{"Here": receiver.URL, "Nowhere": "https://nowhere.invalid/"} {
		body := fmt.Sprintf(`{"name":%q,"url":%q,"type":"async","format":"standard","events":["new_confirmed_web"]}`, name, url)
		if status := post(srv.url+"/api/v1/webhooks", token, body); status != http.StatusCreated {
			t.Fatalf("%s: got %d", name, status)
		}
	}
	sendEvent(srv.url, token, "1")
	awaitDelivery(t, srv.url+"/api/v1/deliveries?state=delivered", token)
	srv.stop()
	code, out, _ := do(t, "", "doctor", "--listen", "127.0.0.1:0", "--database", database)
	for _, want := range []string{
		"wrong  clock: it is ", "differs by 1h0m", "wrong  DNS: 127.0.0.1: 127.0.0.1 is not allowed by --allow-private-targets", "wrong  DNS: nowhere.invalid: the name cannot be looked up",
	} {
		if code != 1 || !strings.Contains(out, want) {
			t.Errorf("got exit %d, %s, want %q", code, out, want)
		}
	}
	_, out, _ = do(t, "", "doctor", "--listen", "127.0.0.1:0", "--allow-private-targets", "127.0.0.1", "--database", database)
	if !strings.Contains(out, "ok     DNS: 1 of 2 receivers") {
		t.Errorf("got %s, want the one that is allowed", out)
	}
}
