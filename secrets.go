package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"bookhook/db"
	"bookhook/seal"
)

// secretsCommands are the commands about the key of the secrets in the database.
type secretsCommands struct {
	Key    secretsKey    `cmd:"" help:"Print a new key for --secret-key-file."`
	Rotate secretsRotate `cmd:"" help:"Encrypt the secrets with another key. Stop Bookhook first."`
}

type secretsKey struct{}

// Run prints a new key. It opens no database.
func (secretsKey) Run(std streams) error {
	fmt.Fprintln(std.err, "Keep this key in a file that only Bookhook can read (chmod 600), with a copy apart from the backups of the database: "+
		"whoever has both can read the secrets, and without the key nobody can.")
	_, err := fmt.Fprintln(std.out, seal.NewKey())
	return err
}

type secretsRotate struct {
	NewKey secretKeyFile `required:"" name:"new-secret-key-file" placeholder:"FILE" help:"The file of the new key; \"bookhook secrets key\" prints one."`
}

// Run changes the key, or completes a change that was interrupted.
func (c secretsRotate) Run(ctx context.Context, std streams, at database) (err error) {
	key, err := c.NewKey.read()
	if err != nil {
		return err
	}
	if _, err := os.Stat(string(at.path)); errors.Is(err, fs.ErrNotExist) && !db.OnServer(string(at.path)) { // a lock would leave a file behind
		return noDatabase(at)
	}
	release, err := db.Lock(ctx, string(at.path))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, release()) }()
	store, err := openStore(ctx, at)
	if errors.Is(err, db.ErrOtherKey) { // it may be the new one already
		if again, other := openStore(ctx, database{path: at.path, key: c.NewKey}); other == nil {
			store, err = again, nil
		}
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	if !store.Encrypted() {
		return fmt.Errorf("the secrets in %s are not encrypted; they are once bookhook serve starts with --secret-key-file", at)
	}
	if _, err := store.UseKey(ctx, key); err != nil {
		return err
	}
	fmt.Fprintf(std.err, "The secrets in %s are encrypted with the key in %s. Start Bookhook with that one. "+
		"Keep the key before it as long as backups from before now.\n", at, c.NewKey)
	return nil
}

// encryptAlone encrypts the secrets of a database on a server, if there is a key and they
// are not, while nobody serves it: whoever does so without the key could not read them any
// more. Of several that start at once, one does it.
func encryptAlone(ctx context.Context, at database, log *slog.Logger) error {
	key, err := at.key.read()
	if err != nil || key == nil || !db.OnServer(string(at.path)) {
		return err
	}
	err = whileInUse(func() error {
		encrypted, err := db.CheckKey(ctx, string(at.path), key)
		if err != nil || encrypted {
			return err
		}
		release, err := db.Lock(ctx, string(at.path))
		if err != nil {
			return err
		}
		store, err := createStore(ctx, at, log)
		if err == nil {
			err = store.Close()
		}
		return errors.Join(err, release())
	})
	if errors.Is(err, db.ErrInUse) {
		return fmt.Errorf("%w; its secrets are not encrypted yet: unless another replica is doing that now, stop all before the first start with --secret-key-file", err)
	}
	return err
}

// lockServing reserves the database for serve, as soon as nobody is encrypting its secrets.
func lockServing(ctx context.Context, at database) (release func() error, err error) {
	if at.key == "" {
		return db.LockServing(ctx, string(at.path))
	}
	err = whileInUse(func() (err error) {
		release, err = db.LockServing(ctx, string(at.path))
		return err
	})
	return release, err
}

// encryptionTime is for how long serve waits for others that encrypt the secrets.
const encryptionTime = 10 * time.Second

// whileInUse calls do until it does not fail because another process has the database, for
// encryptionTime.
func whileInUse(do func() error) error {
	for deadline := time.Now().Add(encryptionTime); ; {
		if err := do(); !errors.Is(err, db.ErrInUse) || time.Now().After(deadline) {
			return err
		}
	}
}

// createStore opens the database for serve, and encrypts its secrets if there is a
// key and they are not.
func createStore(ctx context.Context, at database, log *slog.Logger) (*db.Store, error) {
	key, err := at.key.read()
	if err != nil {
		return nil, err
	}
	store, err := db.Create(ctx, string(at.path), key)
	if err != nil || key == nil {
		return store, err
	}
	changed, err := store.UseKey(ctx, key)
	if err != nil {
		return nil, errors.Join(err, store.Close())
	}
	if changed {
		log.Info("the secrets in the database are encrypted from now on", "key", string(at.key))
		if copies := plainCopies(ctx, at.path); len(copies) > 0 {
			log.Warn("older copies of the database still have them in plain text; delete them when they are no longer needed", "files", strings.Join(copies, ", "))
		}
	}
	return store, nil
}

// plainCopies returns the copies that upgrades and restores left beside a SQLite
// file and whose secrets are not encrypted.
func plainCopies(ctx context.Context, path databasePath) (copies []string) {
	if db.OnServer(string(path)) {
		return nil
	}
	folder := filepath.Dir(string(path))
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil
	}
	for _, entry := range entries {
		name := entry.Name()
		base := filepath.Base(string(path))
		if name != base+".part" && !strings.HasPrefix(name, base+".before-") || strings.HasSuffix(name, "-wal") || strings.HasSuffix(name, "-shm") {
			continue
		}
		file := filepath.Join(folder, name)
		if encrypted, err := db.CheckKey(ctx, file, nil); err == nil && !encrypted {
			copies = append(copies, file)
		}
	}
	return copies
}

// checkSecrets checks the key and its file, and reports whether the secrets in the
// database can be read.
func (r *report) checkSecrets(ctx context.Context, at database) bool {
	if at.key != "" {
		r.checkKeyFile(string(at.key))
	}
	if _, err := os.Stat(string(at.path)); err != nil && !db.OnServer(string(at.path)) {
		return false // which the check of the database reports
	}
	encrypted, err := checkKey(ctx, at, string(at.path))
	switch {
	case err != nil:
		r.bad("secrets", "%s", oneLine(err))
		return false
	case !encrypted && at.key != "":
		r.warn("secrets", "those in the database are not encrypted yet; Bookhook encrypts them when it starts with this key")
	case !encrypted:
		r.ok("secrets", "those in the database are not encrypted, since there is no --secret-key-file")
	default:
		r.ok("secrets", "those in the database are encrypted with the key in %s", at.key)
		for _, file := range plainCopies(ctx, at.path) {
			r.warn("secrets", "%s still has them in plain text; delete it when it is no longer needed", file)
		}
	}
	return true
}

// checkKeyFile warns if others can read the key. Windows does not tell.
func (r *report) checkKeyFile(path string) {
	info, err := os.Stat(path)
	if err == nil && info.Mode().Perm()&0o077 != 0 && runtime.GOOS != "windows" {
		r.warn("secrets", "other users of this machine may be able to use the key in %s (mode %04o); run chmod 600 on it", path, info.Mode().Perm())
	}
}
