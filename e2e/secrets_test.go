package e2e

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// newKey writes a key as docs/running.md says, and returns its file.
func newKey(t testing.TB) string {
	t.Helper()
	out, _, code := command(t, "", "secrets", "key")
	if code != 0 {
		t.Fatalf("secrets key: exit %d", code)
	}
	path := filepath.Join(t.TempDir(), "secret.key")
	must(t, os.WriteFile(path, []byte(out), 0o600))
	return path
}

// TestSecretKey: a webhook that was made with a key is signed for after a kill, and
// after a change of the key, with the same secret, which is in no file; without the
// key, or with another one, nothing starts.
func TestSecretKey(t *testing.T) {
	t.Parallel()
	folder, first, second := t.TempDir(), newKey(t), newKey(t)
	op := newFreshShop(t, folder, "--allow-private-targets", "127.0.0.0/8", secretKeyFile, first)
	in := receiver(t)
	books := op.webhook("Accounting", in.URL, map[string]any{"basic_auth": "anna:of the river"})
	address := filepath.Base(strings.TrimSpace(op.run("", "platform", "on", "wink", "--account", op.Number)))
	delivers := func() {
		t.Helper()
		op.await(op.event(map[string]any{"type": "cancelled", "booking_id": "1234"}).to(books), "delivered")
		r := in.next(t)
		verify(t, r, books.Secret)
		if got := r.Header.Get("Authorization"); got != "Basic YW5uYTpvZiB0aGUgcml2ZXI=" {
			t.Errorf("Authorization: got %q", got)
		}
	}
	secret := func() {
		t.Helper()
		for _, text := range []string{books.Secret, strings.TrimPrefix(books.Secret, "whsec_"), address, "YW5uYTpvZiB0aGUgcml2ZXI", "of the river"} {
			if file := fileWith(t, folder, text); file != "" {
				t.Errorf("%s stands in %s", text, file)
			}
		}
	}
	delivers()
	secret()
	op.kill9()
	secret() // the write-ahead log is still there
	op.restart()
	delivers()
	op.stop()

	refused := func(says string, args ...string) {
		t.Helper()
		out, said, code := command(t, "", append(args, "--database", op.Database)...)
		if code != 1 || out != "" || strings.Count(said, "\n") != 1 || !strings.Contains(said, says) {
			t.Errorf("%s: got exit %d, %q, %q, want one sentence with %q", args[0], code, out, said, says)
		}
	}
	refused("its secrets are encrypted; name the file", "serve", "--listen", "127.0.0.1:0")
	refused("its secrets are encrypted with another key", "serve", "--listen", "127.0.0.1:0", secretKeyFile, second)
	refused("its secrets are encrypted; name the file", "account", "list")
	op.run("", "secrets", "rotate", "--new-secret-key-file", second)
	refused("its secrets are encrypted with another key", "serve", "--listen", "127.0.0.1:0", secretKeyFile, first)
	op.args[slices.Index(op.args, first)] = second
	op.restart()
	delivers()
	secret()
	if got := filepath.Base(strings.TrimSpace(op.run("", "platform", "on", "wink", "--account", op.Number))); got != address {
		t.Errorf("the address is %s, want %s as before", got, address)
	}
	op.stop()
	secret()
}

// fileWith is the name of a file in the folder that contains the text; "" if none
// does.
func fileWith(t testing.TB, folder, text string) string {
	t.Helper()
	entries, err := os.ReadDir(folder)
	must(t, err)
	for _, entry := range entries {
		content, err := os.ReadFile(filepath.Join(folder, entry.Name()))
		must(t, err)
		if bytes.Contains(content, []byte(text)) {
			return entry.Name()
		}
	}
	return ""
}

// TestSecretKeyComesLater: a Bookhook without a key has its secrets in its files;
// started with one it has them no longer, and works as before.
func TestSecretKeyComesLater(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	op := newShopIn(t, folder)
	in := receiver(t)
	gone := op.webhook("Gone", in.URL, nil)
	op.ask("DELETE", "/webhooks/"+gone.ID, nil).want(t, 204, nil)
	books := op.webhook("Accounting", in.URL, nil)
	op.stop()
	for _, h := range []target{gone, books} {
		if fileWith(t, folder, h.Secret) == "" {
			t.Error("a secret is not in the files although there is no key: this tests nothing")
		}
	}
	op.args = append(op.args, secretKeyFile, newKey(t))
	op.restart()
	for _, h := range []target{gone, books} {
		if file := fileWith(t, folder, h.Secret); file != "" {
			t.Errorf("%s of %s stands in %s", h.Secret, h.Name, file)
		}
	}
	op.await(op.event(map[string]any{"type": "cancelled", "booking_id": "1234"}).to(books), "delivered")
	verify(t, in.next(t), books.Secret)
}
