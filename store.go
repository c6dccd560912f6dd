package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"bookhook/db"
	"bookhook/webhook"
)

// database is where a command finds its data: the SQLite file or the URL of PostgreSQL,
// and the file of the key of the secrets in it.
type database struct {
	path databasePath
	key  secretKeyFile
}

// String returns the path, for messages, or the URL without its password.
func (d database) String() string { return db.Name(string(d.path)) }

// change returns a change that the command line makes now.
func change() webhook.Change {
	return webhook.Change{By: webhook.ByCommandLine, At: time.Now()}
}

// openStore opens the database. It fails if there is none: a typing mistake in
// the path must not create one.
func openStore(ctx context.Context, at database) (*db.Store, error) {
	key, err := at.key.read()
	if err != nil {
		return nil, err
	}
	store, err := db.Open(ctx, string(at.path), key)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, noDatabase(at)
	}
	return store, err
}

func noDatabase(at database) error {
	return fmt.Errorf("there is no database %s; name another one with --database, or create it with \"bookhook serve\"", at)
}

// withStore opens the database for one command. A running Bookhook may have it
// open as well.
func withStore(ctx context.Context, at database, do func(store *db.Store) error) error {
	store, err := openStore(ctx, at)
	if err != nil {
		return err
	}
	return errors.Join(do(store), store.Close())
}

// withAccount opens the database for a command about one account.
func withAccount(ctx context.Context, at database, number accountNumber, do func(store *db.Store, account webhook.Account) error) error {
	return withStore(ctx, at, func(store *db.Store) error {
		account, err := findAccount(ctx, store, number, at)
		if err != nil {
			return err
		}
		return do(store, account)
	})
}

// findAccount returns the account with the number.
func findAccount(ctx context.Context, store *db.Store, number accountNumber, at database) (webhook.Account, error) {
	account, err := store.AccountByNumber(ctx, int64(number))
	if errors.Is(err, webhook.ErrNotFound) {
		err = fmt.Errorf("there is no account %d in %s", number, at)
	}
	return account, err
}

// describe returns the name and the number of an account.
func describe(a webhook.Account) string { return fmt.Sprintf("%s (account %d)", a.Name, a.Number) }
