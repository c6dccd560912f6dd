package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"bookhook/db"
	"bookhook/seal"
	"bookhook/webhook"
)

// newKeyFile writes a new key, as people do.
func newKeyFile(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "secret.key")
	code, out, said := do(t, "", "secrets", "key")
	if code != 0 || !strings.Contains(said, "apart from the backups") {
		t.Fatalf("got exit %d and %q", code, said)
	}
	if err := os.WriteFile(path, []byte(out), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// encrypted starts a Bookhook with a new key once, and returns database and key.
func encrypted(t *testing.T) (database, key string) {
	t.Helper()
	database, key = filepath.Join(t.TempDir(), "bookhook.db"), newKeyFile(t)
	srv := launch(t, "--listen", "127.0.0.1:0", "--database", database, "--secret-key-file", key)
	srv.stop()
	if said := strings.Join(srv.seen, "\n"); strings.Count(said, "encrypted from now on") != 1 {
		t.Fatalf("got %q, want one line that says so", said)
	}
	return database, key
}

func readFile(t *testing.T, path string) []byte {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// TestEveryCommandNeedsTheKey: without it, or with another one, each says so in one
// line and changes nothing.
func TestEveryCommandNeedsTheKey(t *testing.T) {
	database, key := encrypted(t)
	must(t, "", "account", "add", "Night Tours", "--number", "4069", "--database", database, "--secret-key-file", key)
	other, dir := newKeyFile(t), filepath.Dir(database)
	before := readFile(t, database)
	for _, command := range []string{
		"serve --listen 127.0.0.1:0", "account add Day", "account list", "account limit 4069 3",
		"user add --email ann@example.com --role admin", "user list", "user remove --email a@example.com", "user password --email a@example.com",
		"token add --account 4069 till", "token list --account 4069", "token revoke --account 4069 tok_0000000000002",
		"platform on --account 4069 wink", "platform off --account 4069 tourcms", "platform rotate --account 4069 tourcms",
		"client add --account 4069 x", "client list --account 4069", "client revoke --account 4069 cli0000000000002",
		"backup " + filepath.Join(dir, "copy.db"), "secrets rotate --new-secret-key-file " + other + "x", "bench-unstored",
	} {
		args := append(strings.Fields(command), "--database", database)
		if !strings.HasPrefix(command, "secrets") {
			refused(t, "its secrets are encrypted; name the file of their key with --secret-key-file", 1, "", args...)
			refused(t, "its secrets are encrypted with another key; name the file of that one with --secret-key-file", 1, "", append(args, "--secret-key-file", other)...)
		}
		refused(t, "there is no secret key file "+other+"x", 1, "", append(args, "--secret-key-file", other+"x")...)
	}
	refused(t, "its secrets are encrypted; name", 1, "", "secrets", "rotate", "--new-secret-key-file", other, "--database", database)
	third := newKeyFile(t)
	refused(t, "its secrets are encrypted with another key; name", 1, "", "secrets", "rotate", "--new-secret-key-file", other, "--secret-key-file", third, "--database", database)
	if !bytes.Equal(readFile(t, database), before) {
		t.Error("the database was changed")
	}
	if copies, err := filepath.Glob(filepath.Join(dir, "copy.db*")); err != nil || len(copies) > 0 {
		t.Errorf("got %v, %v, want no backup", copies, err)
	}
	must(t, "", "account", "list", "--database", database, "--secret-key-file", key)
}

// TestCommandsBesideAnUnencryptedServer: a key is not used before serve has.
func TestCommandsBesideAnUnencryptedServer(t *testing.T) {
	database, key := filepath.Join(t.TempDir(), "bookhook.db"), newKeyFile(t)
	srv := launch(t, "--listen", "127.0.0.1:0", "--database", database)
	must(t, "", "account", "add", "Night Tours", "--number", "4069", "--database", database, "--secret-key-file", key)
	path := must(t, "", "platform", "on", "wink", "--account", "4069", "--database", database, "--secret-key-file", key)
	if got := must(t, "", "platform", "on", "wink", "--account", "4069", "--database", database); got != path {
		t.Errorf("got %s without the key, want %s", got, path)
	}
	refused(t, "in use by another Bookhook; stop that one first", 1, "", "secrets", "rotate", "--new-secret-key-file", key, "--database", database)
	srv.stop()
	refused(t, "are not encrypted; they are once bookhook serve starts with --secret-key-file", 1, "", "secrets", "rotate", "--new-secret-key-file", key, "--database", database)
	refused(t, "there is no database ", 1, "", "secrets", "rotate", "--new-secret-key-file", key, "--database", database+"x")
	if _, err := os.Stat(database + "x.lock"); err == nil {
		t.Error("a lock was left where there is no database")
	}
}

func TestRotateKey(t *testing.T) {
	database, key := encrypted(t)
	must(t, "", "account", "add", "Night Tours", "--number", "4069", "--database", database, "--secret-key-file", key)
	path := must(t, "", "platform", "on", "wink", "--account", "4069", "--database", database, "--secret-key-file", key)
	next := newKeyFile(t)
	rotate := []string{"secrets", "rotate", "--new-secret-key-file", next, "--database", database, "--secret-key-file", key}
	srv := launch(t, "--listen", "127.0.0.1:0", "--database", database, "--secret-key-file", key)
	refused(t, "in use by another Bookhook; stop that one first", 1, "", rotate...)
	srv.stop()
	for range 2 { // the second time it was done already
		if code, out, said := do(t, "", rotate...); code != 0 || out != "" || !strings.Contains(said, "are encrypted with the key in "+next) {
			t.Fatalf("got exit %d, %q, %q", code, out, said)
		}
	}
	refused(t, "with another key", 1, "", "account", "list", "--database", database, "--secret-key-file", key)
	if got := must(t, "", "platform", "on", "wink", "--account", "4069", "--database", database, "--secret-key-file", next); got != path {
		t.Errorf("got %s, want %s as before", got, path)
	}
}

// TestRotateKilled: killed at any moment, a rotation leaves a database that one of
// the two keys opens, with all that is in it.
func TestRotateKilled(t *testing.T) {
	database, keys := filepath.Join(t.TempDir(), "bookhook.db"), []string{newKeyFile(t), newKeyFile(t)}
	want := manyWebhooks(t, database, keys[0])
	rotate := func() *exec.Cmd {
		cmd := exec.Command(os.Args[0], "secrets", "rotate", "--database", database, "--secret-key-file", keys[0], "--new-secret-key-file", keys[1])
		cmd.Env = append(os.Environ(), asMain+"=1")
		return cmd
	}
	began := time.Now()
	if out, err := rotate().CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	took := time.Since(began)
	keys[0], keys[1] = keys[1], keys[0]
	const kills = 12
	changed := 0
	for i := range kills {
		cmd := rotate()
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(took * time.Duration(i) / (kills / 2)) // the moment of the kill is what is tested
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		works := map[bool]int{true: 1, false: 0}[opens(t, database, keys[1])]
		if opens(t, database, keys[1-works]) {
			t.Fatalf("kill %d: both keys open the database", i)
		}
		store := openWithKey(t, database, keys[works])
		if got := secretsIn(t, store); got != want {
			t.Fatalf("kill %d: got other secrets than before", i)
		}
		if works == 1 {
			changed++
			if out, err := rotate().CombinedOutput(); err != nil { // completes it
				t.Fatalf("kill %d: %v: %s", i, err, out)
			}
			keys[0], keys[1] = keys[1], keys[0]
		}
	}
	t.Logf("%d of %d kills came after the change; a rotation takes %s", changed, kills, took)
	if changed == 0 || changed == kills {
		t.Error("all kills came before the change, or all after it")
	}
}

// manyWebhooks creates a database that takes a while to encrypt, and returns its
// secrets.
func manyWebhooks(t *testing.T, database, keyFile string) string {
	t.Helper()
	ctx, key := t.Context(), readKey(t, keyFile)
	store, err := db.Create(ctx, database, nil)
	if err != nil {
		t.Fatal(err)
	}
	account, err := store.AddAccount(ctx, webhook.Account{Name: "Night Tours", TimeZone: "UTC", WebhookLimit: 5000}, change())
	if err != nil {
		t.Fatal(err)
	}
	for range 1500 {
		config := webhook.NewConfig(nil)
		config.Basic = webhook.NewSecret()
		if _, err := store.CreateWebhook(ctx, &webhook.Webhook{Account: account.ID, Config: config, Secret: webhook.NewSecret()}, nil, change()); err != nil {
			t.Fatal(err)
		}
	}
	secrets := secretsIn(t, store)
	if _, err := store.UseKey(ctx, key); err != nil {
		t.Fatal(err)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	return secrets
}

func readKey(t *testing.T, path string) *seal.Key {
	t.Helper()
	key, err := seal.ReadKey(path)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func opens(t *testing.T, database, keyFile string) bool {
	t.Helper()
	_, err := db.CheckKey(t.Context(), database, readKey(t, keyFile))
	return err == nil
}

func openWithKey(t *testing.T, database, keyFile string) *db.Store {
	t.Helper()
	store, err := db.Open(t.Context(), database, readKey(t, keyFile))
	if err != nil {
		t.Fatal(err)
	}
	return store
}

// secretsIn are the secrets of all webhooks, and closes a store that is encrypted.
func secretsIn(t *testing.T, store *db.Store) string {
	t.Helper()
	if store.Encrypted() {
		defer store.Close()
	}
	accounts, err := store.Accounts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, a := range accounts {
		webhooks, err := store.Webhooks(t.Context(), a.ID)
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range webhooks {
			fmt.Fprintln(&all, w.Secret, w.Basic)
		}
	}
	return all.String()
}

// TestBackupOfEncrypted: a backup is encrypted as the database is, says that the key
// is kept apart, and is restored with that key only.
func TestBackupOfEncrypted(t *testing.T) {
	database, key := encrypted(t)
	dir := t.TempDir()
	copied, elsewhere := filepath.Join(dir, "copy.db"), filepath.Join(dir, "new.db")
	must(t, "", "account", "add", "Night Tours", "--number", "4069", "--database", database, "--secret-key-file", key)
	path := must(t, "", "platform", "on", "wink", "--account", "4069", "--database", database, "--secret-key-file", key)
	code, _, said := do(t, "", "backup", copied, "--database", database, "--secret-key-file", key)
	if code != 0 || !strings.Contains(said, "Their key is not in it: keep a copy of "+key+" too, and not beside the backup") {
		t.Fatalf("got exit %d and %q", code, said)
	}
	if bytes.Contains(readFile(t, copied), []byte(filepath.Base(path))) {
		t.Error("the backup has the token of an address in plain text")
	}
	refused(t, "database "+copied+": its secrets are encrypted; name", 1, "", "restore", copied, "--database", elsewhere)
	refused(t, "database "+copied+": its secrets are encrypted with another key", 1, "", "restore", copied, "--database", elsewhere, "--secret-key-file", newKeyFile(t))
	if _, err := os.Stat(elsewhere); err == nil {
		t.Error("what was refused was restored")
	}
	must(t, "", "restore", copied, "--database", elsewhere, "--secret-key-file", key)
	if got := must(t, "", "platform", "on", "wink", "--account", "4069", "--database", elsewhere, "--secret-key-file", key); got != path {
		t.Errorf("got %s, want %s as before", got, path)
	}
	plain := newDatabase(t)
	if code, _, said = do(t, "", "backup", filepath.Join(dir, "plain.db"), "--database", plain); code != 0 || !strings.Contains(said, "are not encrypted: keep it where nobody else") {
		t.Errorf("got exit %d and %q", code, said)
	}
	if code, _, said = do(t, "", "restore", filepath.Join(dir, "plain.db"), "--database", elsewhere, "--secret-key-file", key); code != 0 || !strings.Contains(said, "encrypts them when it starts with this key") {
		t.Errorf("got exit %d and %q", code, said)
	}
}

func TestDoctorChecksSecrets(t *testing.T) {
	database, key := encrypted(t)
	doctor := func(args ...string) (int, string) {
		code, out, _ := do(t, "", append([]string{"doctor", "--listen", "127.0.0.1:0"}, args...)...)
		return code, out
	}
	check := func(wantCode int, want string, args ...string) {
		t.Helper()
		if code, out := doctor(args...); code != wantCode || !strings.Contains(out, want) {
			t.Errorf("got exit %d, %s, want %d and %q", code, out, wantCode, want)
		}
	}
	check(0, "ok     secrets: those in the database are encrypted with the key in "+key, "--database", database, "--secret-key-file", key)
	if _, out := doctor("--database", database, "--secret-key-file", key); strings.Contains(out, "warn ") {
		t.Errorf("got %s, want no warning", out)
	}
	check(1, "wrong  secrets: database "+database+": its secrets are encrypted; name", "--database", database)
	check(1, "its secrets are encrypted with another key", "--database", database, "--secret-key-file", newKeyFile(t))
	check(1, "wrong  secrets: there is no secret key file "+key+"x", "--database", database, "--secret-key-file", key+"x")
	plain := newDatabase(t)
	check(0, "ok     secrets: those in the database are not encrypted", "--database", plain)
	check(0, "warn   secrets: those in the database are not encrypted yet", "--database", plain, "--secret-key-file", key)
	if err := os.Chmod(key, 0o640); err != nil {
		t.Fatal(err)
	}
	check(0, "warn   secrets: other users of this machine may be able to use the key in "+key+" (mode 0640)", "--database", database, "--secret-key-file", key)
}

// TestPlainCopiesAreNamed: what an upgrade or a restore left beside the database is
// not encrypted with it, so Bookhook says that it is there.
func TestPlainCopiesAreNamed(t *testing.T) {
	database, key := newDatabase(t), newKeyFile(t)
	left := database + ".before-5"
	must(t, "", "backup", left, "--database", database)
	srv := launch(t, "--listen", "127.0.0.1:0", "--database", database, "--secret-key-file", key)
	srv.stop()
	if said := strings.Join(srv.seen, "\n"); !strings.Contains(said, "still have them in plain text") || !strings.Contains(said, left) {
		t.Errorf("got %q, want the copy named", said)
	}
	if _, out, _ := do(t, "", "doctor", "--listen", "127.0.0.1:0", "--database", database, "--secret-key-file", key); !strings.Contains(out, "warn   secrets: "+left+" still has them") {
		t.Errorf("got %s, want the copy named", out)
	}
}

// TestEncryptedDelivers: deliveries are signed and received as without a key, also
// after a restart.
func TestEncryptedDelivers(t *testing.T) {
	got := make(chan http.Header, 10)
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got <- r.Header }))
	t.Cleanup(receiver.Close)
	database, key := encrypted(t)
	flags := []string{"--database", database, "--secret-key-file", key}
	must(t, "", append([]string{"account", "add", "Night Tours", "--number", "4069"}, flags...)...)
	token := must(t, "", append([]string{"token", "add", "till", "--account", "4069"}, flags...)...)
	body, err := json.Marshal(map[string]any{
		"name": "Here", "url": receiver.URL, "type": "async", "format": "standard", "events": []string{"*"}, "basic_auth": "anna:of the river",
	})
	if err != nil {
		t.Fatal(err)
	}
	for start := range 2 {
		srv := launch(t, append([]string{"--listen", "127.0.0.1:0", "--allow-private-targets", "all"}, flags...)...)
		if start == 0 && post(srv.url+"/api/v1/webhooks", token, string(body)) != http.StatusCreated {
			t.Fatal("the webhook was not created")
		}
		if !sendEvent(srv.url, token, fmt.Sprint(start)) {
			t.Fatal("the event was refused")
		}
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		select {
		case header := <-got:
			if header.Get("Authorization") != "Basic YW5uYTpvZiB0aGUgcml2ZXI=" || header.Get("Webhook-Signature") == "" {
				t.Errorf("got %v", header)
			}
		case <-ctx.Done():
			t.Fatal("nothing was received")
		}
		cancel()
		srv.stop()
	}
	if bytes.Contains(readFile(t, database), []byte("YW5uYTpvZiB0aGUgcml2ZXI")) {
		t.Error("the Basic value is in the database")
	}
}
