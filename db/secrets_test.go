package db_test

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"bookhook/db"
	"bookhook/seal"
	"bookhook/webhook"
)

func newKey(tb testing.TB) *seal.Key {
	tb.Helper()
	return must(seal.ParseKey(seal.NewKey()))(tb)
}

// withKey opens the database at path, new or not, and makes the key the one of its
// secrets.
func withKey(tb testing.TB, path string, old, key *seal.Key) *db.Store {
	tb.Helper()
	s := must(db.Create(tb.Context(), path, old))(tb)
	if key != nil {
		must(s.UseKey(tb.Context(), key))(tb)
	}
	return s
}

// secretsOf stores a secret of each kind, replaces and removes some, and returns
// all that may not be found in the files.
func secretsOf(tb testing.TB, s *db.Store) []string {
	tb.Helper()
	ctx := tb.Context()
	a := newAccount(tb, s)
	w := addHook(tb, s, a.ID, func(w *webhook.Webhook) { w.Secret, w.Basic = "whsec_the_first_one", "basicOfWebhook" })
	ok(tb, s.RotateSecret(ctx, a.ID, w.ID, w.SecretShownAt, "whsec_the_second_one", at(t0)))
	w.Basic = "basicAfterChange"
	ok(tb, update(tb, s, webhook.Update{Webhook: w}, at(t0)))
	gone := addHook(tb, s, a.ID, func(w *webhook.Webhook) { w.Secret, w.Basic = "whsec_deleted", "basicOfDeleted" })
	must(s.DeleteWebhook(ctx, a.ID, gone.ID, at(t0)))(tb)
	d := webhook.NewDraft(nil)
	d.Account, d.Basic = a.ID, "basicOfDraft"
	d = must(s.SaveDraft(ctx, d, t0))(tb)
	d.Basic = "basicTypedAgain"
	must(s.SaveDraft(ctx, d, t0))(tb)
	dropped := webhook.NewDraft(nil)
	dropped.Account, dropped.Basic = a.ID, "basicOfDiscarded"
	dropped = must(s.SaveDraft(ctx, dropped, t0))(tb)
	ok(tb, s.DeleteDraft(ctx, a.ID, dropped.ID))
	first := connect(tb, s, a.ID, "wink")
	second := must(s.RotateAddress(ctx, a.ID, "wink", first.Token, at(t0)))(tb)
	ok(tb, s.SaveSettings(ctx, a.ID, "wink", webhook.Settings{"api_key": `keyOf"Platform`}, at(t0)))
	ok(tb, s.SaveSettings(ctx, a.ID, "wink", webhook.Settings{"api_key": `laterKeyOf"Platform`}, at(t0)))
	must(s.Setting(ctx, "cookie-key", []byte("\x01 the key of cookies")))(tb)
	return []string{
		"whsec_the_first_one", "whsec_the_second_one", "whsec_deleted", "basicOfWebhook", "basicAfterChange", "basicOfDeleted",
		"basicOfDraft", "basicTypedAgain", "basicOfDiscarded", first.Token, second.Token,
		`keyOf"Platform`, `laterKeyOf"Platform`, "\x01 the key of cookies",
	}
}

// readSecrets reads what is left of secretsOf, as one text.
func readSecrets(tb testing.TB, s *db.Store) string {
	tb.Helper()
	ctx := tb.Context()
	var all []any
	for _, a := range must(s.Accounts(ctx))(tb) {
		for _, w := range must(s.Webhooks(ctx, a.ID))(tb) {
			all = append(all, w.Secret, w.OldSecret, w.Basic)
		}
		for _, d := range must(s.Drafts(ctx, a.ID))(tb) {
			all = append(all, d.Basic)
		}
		for _, c := range must(s.Connections(ctx, a.ID))(tb) {
			all = append(all, c.Token, c.OldToken, c.Settings)
			same(tb, "found by its address", must(s.ConnectionByToken(ctx, c.Platform, c.Token, t0))(tb), c)
			if c.OldToken != "" {
				same(tb, "found by its old address", must(s.ConnectionByToken(ctx, c.Platform, c.OldToken, t0))(tb), c)
			}
		}
	}
	all = append(all, must(s.Setting(ctx, "cookie-key", nil))(tb))
	return string(must(json.Marshal(all))(tb))
}

// found are those of the secrets that stand in any file of the folder, in any form
// in which text is stored.
func found(tb testing.TB, folder string, secrets []string) (all []string) {
	tb.Helper()
	for _, entry := range must(os.ReadDir(folder))(tb) {
		content := must(os.ReadFile(filepath.Join(folder, entry.Name())))(tb)
		for _, secret := range secrets {
			escaped := strings.Trim(string(must(json.Marshal(secret))(tb)), `"`)
			for _, form := range []string{secret, escaped, base64.StdEncoding.EncodeToString([]byte(secret)), base64.RawURLEncoding.EncodeToString([]byte(secret))} {
				if bytes.Contains(content, []byte(form)) {
					all = append(all, entry.Name()+": "+secret)
					break
				}
			}
		}
	}
	return all
}

// TestSecretsInFiles: with a key no secret is in the files at any time, whether
// the database is open or closed; without one all that are stored do.
func TestSecretsInFiles(t *testing.T) {
	dir := t.TempDir()
	s := withKey(t, filepath.Join(dir, "bookhook.db"), nil, newKey(t))
	secrets := secretsOf(t, s)
	same(t, "found while it is open", found(t, dir, secrets), nil)
	ok(t, s.Close())
	same(t, "found after it was closed", found(t, dir, secrets), nil)

	control := t.TempDir()
	s = withKey(t, filepath.Join(control, "bookhook.db"), nil, nil)
	secrets = secretsOf(t, s)
	if got := found(t, control, secrets); len(got) < len(secrets) {
		t.Errorf("without a key: found only %q", got)
	}
	ok(t, s.Close())
	if got := found(t, control, secrets); len(got) < 10 {
		t.Errorf("without a key, closed: found only %q", got)
	}
}

// TestUseKey: an unencrypted database is encrypted with all that is in it, and
// nothing of what was deleted before stays in its files; a new key replaces the old
// one everywhere.
func TestUseKey(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "bookhook.db")
	s := withKey(t, path, nil, nil)
	secrets := secretsOf(t, s)
	want := readSecrets(t, s)
	one, two := newKey(t), newKey(t)
	same(t, "encrypted", s.Encrypted(), false)
	same(t, "changed", must(s.UseKey(t.Context(), one))(t), true)
	same(t, "again", must(s.UseKey(t.Context(), one))(t), false)
	same(t, "encrypted", s.Encrypted(), true)
	same(t, "found while it is open", found(t, dir, secrets), nil)
	same(t, "secrets", readSecrets(t, s), want)
	ok(t, s.Close())

	s = withKey(t, path, one, two)
	same(t, "secrets with the second key", readSecrets(t, s), want)
	ok(t, s.Close())
	same(t, "found", found(t, dir, secrets), nil)
	s = must(db.Open(t.Context(), path, two))(t)
	same(t, "secrets, opened again", readSecrets(t, s), want)
	ok(t, s.Close())
}

// TestKeyThatDoesNotFit: nothing opens the database, and no byte of it changes.
func TestKeyThatDoesNotFit(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "bookhook.db")
	s := withKey(t, path, nil, newKey(t))
	secretsOf(t, s)
	ok(t, s.Close())
	before := must(os.ReadFile(path))(t)
	for _, open := range []func(context.Context, string, *seal.Key) (*db.Store, error){db.Open, db.Create} {
		_, err := open(t.Context(), path, nil)
		wantError(t, "no key", err, db.ErrNoKey)
		_, err = open(t.Context(), path, newKey(t))
		wantError(t, "another key", err, db.ErrOtherKey)
	}
	same(t, "the file is as it was", bytes.Equal(must(os.ReadFile(path))(t), before), true)
	same(t, "files", len(must(os.ReadDir(dir))(t)), 1)
}

// TestKeyChangedMeanwhile: who opened the database before its key was changed can
// write no secret that nobody could read.
func TestKeyChangedMeanwhile(t *testing.T) {
	ctx := t.Context()
	path := filepath.Join(t.TempDir(), "bookhook.db")
	command := withKey(t, path, nil, nil)
	a, w := shop(t, command)
	draft := newDraft(t, command, a.ID)
	ok(t, withKey(t, path, nil, newKey(t)).Close())
	for what, write := range map[string]func() error{
		"account":  func() error { _, err := command.AddAccount(ctx, webhook.Account{Name: "B"}, at(t0)); return err },
		"create":   func() error { _, err := command.CreateWebhook(ctx, newHook(a.ID), nil, at(t0)); return err },
		"rotate":   func() error { return command.RotateSecret(ctx, a.ID, w.ID, w.SecretShownAt, "whsec_two", at(t0)) },
		"address":  func() error { _, err := command.RotateAddress(ctx, a.ID, "tourcms", "", at(t0)); return err },
		"platform": func() error { _, err := command.SwitchPlatform(ctx, a.ID, "tourcms", true, at(t0)); return err },
		"settings": func() error { return command.SaveSettings(ctx, a.ID, "tourcms", nil, at(t0)) },
		"draft":    func() error { _, err := command.SaveDraft(ctx, draft, t0); return err },
		"setting":  func() error { _, err := command.Setting(ctx, "new", []byte("x")); return err },
		"key":      func() error { _, err := command.UseKey(ctx, newKey(t)); return err },
		"change":   func() error { return update(t, command, webhook.Update{Webhook: w}, at(t0)) },
	} {
		if err := write(); err == nil || !strings.Contains(err.Error(), "key of the database's secrets was changed") {
			t.Errorf("%s: got error %v", what, err)
		}
	}
	ok(t, command.Close())
}

// TestMovedSecret: a value that is copied to another account's row is not opened.
func TestMovedSecret(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bookhook.db")
	key := newKey(t)
	s := withKey(t, path, nil, key)
	_, w := shop(t, s)
	thief, own := shop(t, s)
	ok(t, s.Close())
	execute(t, path, `UPDATE webhooks SET secret = (SELECT secret FROM webhooks WHERE id = $1) WHERE id = $2`, int64(w.ID), int64(own.ID))
	s = must(db.Open(t.Context(), path, key))(t)
	_, err := s.Webhook(t.Context(), thief.ID, own.ID)
	if err == nil || !strings.Contains(err.Error(), "not encrypted with this key for this place") || strings.Contains(err.Error(), w.Secret) {
		t.Errorf("got error %v", err)
	}
	ok(t, s.Close())
}

// execute changes a database behind the Store's back.
func execute(tb testing.TB, path, statement string, args ...any) {
	tb.Helper()
	pool := must(sql.Open("sqlite", "file:"+path))(tb)
	defer pool.Close()
	must(pool.ExecContext(context.Background(), statement, args...))(tb)
}

// TestPurgeIsCompleted: if the files could not be rewritten after the key was
// changed, the next UseKey does it.
func TestPurgeIsCompleted(t *testing.T) {
	t.Parallel() // it waits for the reader for some seconds
	dir := t.TempDir()
	path := filepath.Join(dir, "bookhook.db")
	s := withKey(t, path, nil, nil)
	secrets := secretsOf(t, s)
	reader := must(sql.Open("sqlite", "file:"+path))(t)
	reading := must(reader.BeginTx(t.Context(), nil))(t) // keeps the write-ahead log
	var webhooks int
	ok(t, reading.QueryRowContext(t.Context(), `SELECT count(*) FROM webhooks`).Scan(&webhooks))
	key := newKey(t)
	_, err := s.UseKey(t.Context(), key)
	if err == nil || !strings.Contains(err.Error(), "the secrets are encrypted, but ") {
		t.Fatalf("got error %v", err)
	}
	if len(found(t, dir, secrets)) == 0 {
		t.Error("found nothing: this tests nothing")
	}
	ok(t, reading.Rollback())
	ok(t, reader.Close())
	ok(t, s.Close())
	ok(t, withKey(t, path, key, key).Close())
	same(t, "found", found(t, dir, secrets), nil)
}

func BenchmarkConnectionByToken(b *testing.B) {
	for name, key := range map[string]*seal.Key{"plain": nil, "encrypted": newKey(b)} {
		b.Run(name, func(b *testing.B) {
			s := withKey(b, filepath.Join(b.TempDir(), "bookhook.db"), nil, key)
			defer s.Close()
			c := connect(b, s, newAccount(b, s).ID, "wink")
			for b.Loop() {
				must(s.ConnectionByToken(b.Context(), "wink", c.Token, time.Now()))(b)
			}
		})
	}
}
