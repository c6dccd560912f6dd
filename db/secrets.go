package db

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"bookhook/db/postgres"
	"bookhook/db/sqlite"
	"bookhook/seal"
	"bookhook/webhook"
)

// Secrets are encrypted where they are stored, if the database has a key: the
// signing secrets of webhooks, the Basic values of webhooks and drafts, the
// settings of platforms, the tokens of their addresses, and the values of the table
// settings. Each is sealed for its place, so a value that moves to another column
// is opened and sealed again. Caches hold plain values. What is stored as a hash
// only (passwords, API tokens, sessions) is no secret.

// Rows of the table settings about the key.
const (
	keyCheck = "secret-key"       // a text that the key seals: it tells the right key from a wrong one, and that there is one
	unpurged = "secret-key-purge" // present while the files may still have what was encrypted otherwise
)

const keyCheckText = "bookhook"

// Errors of a key that does not fit the database.
var (
	ErrNoKey    = errors.New("its secrets are encrypted; name the file of their key with --secret-key-file")
	ErrOtherKey = errors.New("its secrets are encrypted with another key; name the file of that one with --secret-key-file")
)

// errKeyChanged is the error of a write with a key that was changed after the
// database was opened.
var errKeyChanged = errors.New("the key of the database's secrets was changed meanwhile; try again")

// CheckKey reports whether the secrets of the database at path are encrypted, and
// returns an error that wraps ErrNoKey or ErrOtherKey if key does not open them. It
// writes nothing. Without a database there is nothing to open.
func CheckKey(ctx context.Context, path string, key *seal.Key) (encrypted bool, err error) {
	check, err := readKeyCheck(ctx, path, key)
	return check != "", err
}

// readKeyCheck returns the stored check of the database's key, "" if its secrets are
// not encrypted; and an error if key is not the right one.
func readKeyCheck(ctx context.Context, path string, key *seal.Key) (check string, err error) {
	read := sqlite.ReadSetting
	if OnServer(path) {
		read = postgres.ReadSetting
	}
	stored, err := read(ctx, path, keyCheck)
	if err != nil || stored == nil {
		return "", err
	}
	check = string(stored)
	if err := matchKey(key, check); err != nil {
		return check, fmt.Errorf("database %s: %w", Name(path), err)
	}
	return check, nil
}

func matchKey(key *seal.Key, check string) error {
	if key == nil {
		return ErrNoKey
	}
	if text, err := key.Open(check, settingPlace(keyCheck)); err != nil || text != keyCheckText {
		return ErrOtherKey
	}
	return nil
}

// Encrypted reports whether the secrets of the database are encrypted.
func (s *Store) Encrypted() bool { return s.key != nil }

// UseKey makes key the one with which the secrets of the database are encrypted, and
// reports whether it was not so before: all are encrypted with it in one
// transaction, and then the files are rewritten, so that nothing is left of what was
// there before. If the latter fails or is interrupted, the next call does it. The
// caller holds the Lock of the database and calls this before others use the store.
func (s *Store) UseKey(ctx context.Context, key *seal.Key) (changed bool, err error) {
	if s.keyCheck == "" || matchKey(key, s.keyCheck) != nil {
		check := key.Seal(keyCheckText, settingPlace(keyCheck))
		if err := s.write(ctx, func(tx transaction) error { return s.reseal(ctx, tx, key, check) }); err != nil {
			return false, err
		}
		s.key, s.keyCheck, changed = key, check, true
	}
	return changed, s.purge(ctx)
}

// reseal encrypts all secrets with another key.
func (s *Store) reseal(ctx context.Context, tx transaction, key *seal.Key, check string) error {
	if _, err := s.writeKey(ctx, tx); err != nil {
		return err
	}
	for _, table := range []func(context.Context, transaction, *seal.Key) error{s.resealSettings, s.resealConnections, s.resealWebhooks, s.resealDrafts} {
		if err := table(ctx, tx, key); err != nil {
			return err
		}
	}
	for name, value := range map[string]string{keyCheck: check, unpurged: "1"} {
		if err := putSetting(ctx, tx, name, []byte(value)); err != nil {
			return err
		}
	}
	return nil
}

// purge rewrites the files if they may still have what was encrypted otherwise.
func (s *Store) purge(ctx context.Context) error {
	var pending bool
	err := queryRow(ctx, s.engine, `SELECT EXISTS (SELECT 1 FROM settings WHERE key = $1)`, unpurged).Scan(&pending)
	if err != nil || !pending {
		return err
	}
	if err := s.engine.Purge(ctx); err != nil {
		return fmt.Errorf("the secrets are encrypted, but what was there before may still be in the database's files: %w; try again", err)
	}
	return s.write(ctx, func(tx transaction) error {
		_, err := tx.Exec(ctx, `DELETE FROM settings WHERE key = $1`, unpurged)
		return err
	})
}

// writeKey returns the key for what is written in the transaction. It fails if
// another process changed the key since the database was opened: what is encrypted
// with the old one could never be read.
func (s *Store) writeKey(ctx context.Context, tx transaction) (*seal.Key, error) {
	var check []byte
	err := queryRow(ctx, tx, `SELECT value FROM settings WHERE key = $1`, keyCheck).scanOptional(&check)
	if err == nil && string(check) != s.keyCheck {
		err = errKeyChanged
	}
	return s.key, err
}

// Setting reads a setting of the instance, or stores and returns first if it has
// never been set.
func (s *Store) Setting(ctx context.Context, name string, first []byte) ([]byte, error) {
	value, err := s.readSetting(ctx, s.engine, name)
	if !errors.Is(err, webhook.ErrNotFound) {
		return value, err
	}
	err = s.write(ctx, func(tx transaction) error {
		key, err := s.writeKey(ctx, tx)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `INSERT INTO settings (key, value) VALUES ($1, $2) ON CONFLICT (key) DO NOTHING`,
			name, []byte(key.Seal(string(first), settingPlace(name)))); err != nil {
			return err
		}
		value, err = s.readSetting(ctx, tx, name)
		return err
	})
	return value, err
}

func (s *Store) readSetting(ctx context.Context, q querier, name string) ([]byte, error) {
	var stored []byte
	if err := queryRow(ctx, q, `SELECT value FROM settings WHERE key = $1`, name).Scan(&stored); err != nil {
		return nil, err
	}
	value, err := s.key.Open(string(stored), settingPlace(name))
	return []byte(value), err
}

func putSetting(ctx context.Context, tx transaction, name string, value []byte) error {
	_, err := tx.Exec(ctx, `INSERT INTO settings (key, value) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = $2`, name, value)
	return err
}

func (s *Store) resealSettings(ctx context.Context, tx transaction, key *seal.Key) error {
	scan := func(r scanner) (name string, err error) {
		err = r.Scan(&name)
		return name, err
	}
	names, err := list(ctx, tx, scan, `SELECT key FROM settings WHERE key NOT IN ($1, $2, $3)`, keyCheck, unpurged, sqlite.LastBackup)
	if err != nil {
		return err
	}
	for _, name := range names {
		value, err := s.readSetting(ctx, tx, name)
		if err != nil {
			return err
		}
		if err := putSetting(ctx, tx, name, []byte(key.Seal(string(value), settingPlace(name)))); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) resealConnections(ctx context.Context, tx transaction, key *seal.Key) error {
	all, err := list(ctx, tx, s.scanConnection, `SELECT `+connectionColumns+` FROM connections`)
	for _, c := range all {
		if _, err := tx.Exec(ctx, `UPDATE connections SET token = $3, old_token = $4, settings = $5 WHERE account_id = $1 AND platform = $2`,
			c.Account, c.Platform, sealToken(key, c), sealOldToken(key, c), sealSettings(key, c)); err != nil {
			return err
		}
	}
	return err
}

func (s *Store) resealWebhooks(ctx context.Context, tx transaction, key *seal.Key) error {
	all, err := list(ctx, tx, s.scanWebhook, `SELECT `+webhookColumns+` FROM webhooks`)
	for _, w := range all {
		if _, err := tx.Exec(ctx, `UPDATE webhooks SET config = $2, secret = $3, old_secret = $4 WHERE id = $1`,
			w.ID, sealConfig(key, w), sealSecret(key, w), sealOldSecret(key, w)); err != nil {
			return err
		}
	}
	return err
}

func (s *Store) resealDrafts(ctx context.Context, tx transaction, key *seal.Key) error {
	all, err := list(ctx, tx, s.scanDraft, `SELECT `+draftColumns+` FROM drafts`)
	for _, d := range all {
		body, err := sealDraft(key, d)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `UPDATE drafts SET body = $2 WHERE id = $1`, d.ID, body); err != nil {
			return err
		}
	}
	return err
}

// How each secret is sealed, and for which place.

func settingPlace(name string) seal.Place {
	return seal.Place{Table: "settings", Column: "value", Row: name}
}

func webhookPlace(w *webhook.Webhook, column string) seal.Place {
	return seal.Place{Table: "webhooks", Column: column, Row: fmt.Sprintf("%d/%d", w.Account, w.ID)}
}

func connectionPlace(c webhook.Connection, column string) seal.Place {
	return seal.Place{Table: "connections", Column: column, Row: fmt.Sprintf("%d/%s", c.Account, c.Platform)}
}

func draftPlace(d webhook.Draft) seal.Place {
	return seal.Place{Table: "drafts", Column: "body", Row: fmt.Sprintf("%d/%d", d.Account, d.ID)}
}

func sealSecret(key *seal.Key, w *webhook.Webhook) string {
	return key.Seal(w.Secret, webhookPlace(w, "secret"))
}

func sealOldSecret(key *seal.Key, w *webhook.Webhook) string {
	return key.Seal(w.OldSecret, webhookPlace(w, "old_secret"))
}

// sealConfig returns the JSON of a configuration in which the Basic value is sealed:
// queries read other fields of it.
func sealConfig(key *seal.Key, w *webhook.Webhook) string {
	config := w.Config
	config.Basic = key.Seal(config.Basic, webhookPlace(w, "config"))
	return toJSON(config)
}

// openWebhook opens the secrets of a webhook as it is stored.
func openWebhook(key *seal.Key, w *webhook.Webhook) (err error) {
	if w.Secret, err = key.Open(w.Secret, webhookPlace(w, "secret")); err != nil {
		return err
	}
	if w.OldSecret, err = key.Open(w.OldSecret, webhookPlace(w, "old_secret")); err != nil {
		return err
	}
	w.Basic, err = key.Open(w.Basic, webhookPlace(w, "config"))
	return err
}

func sealToken(key *seal.Key, c webhook.Connection) string {
	return key.Seal(c.Token, connectionPlace(c, "token"))
}

func sealOldToken(key *seal.Key, c webhook.Connection) string {
	return key.Seal(c.OldToken, connectionPlace(c, "old_token"))
}

func sealSettings(key *seal.Key, c webhook.Connection) string {
	return key.Seal(toJSON(c.Settings), connectionPlace(c, "settings"))
}

// openConnection opens the secrets of a connection as it is stored, with its
// settings as the text that is stored.
func openConnection(key *seal.Key, c *webhook.Connection, settings string) (err error) {
	if c.Token, err = key.Open(c.Token, connectionPlace(*c, "token")); err != nil {
		return err
	}
	if c.OldToken, err = key.Open(c.OldToken, connectionPlace(*c, "old_token")); err != nil {
		return err
	}
	if settings, err = key.Open(settings, connectionPlace(*c, "settings")); err != nil {
		return err
	}
	return json.Unmarshal([]byte(settings), &c.Settings)
}

// sealDraft returns the JSON of a draft in which the Basic value is sealed.
func sealDraft(key *seal.Key, d webhook.Draft) (string, error) {
	d.Basic = key.Seal(d.Basic, draftPlace(d))
	body, err := json.Marshal(d)
	return string(body), err
}
