// Package dbtest makes databases for tests: copies of one that is created once for each
// process, since running all migrations for each test takes most of the time of a test.
//
// They are SQLite files; with BOOKHOOK_TEST_DATABASE=postgres in the environment, they are
// databases on a PostgreSQL server that is started for the process.
package dbtest

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"bookhook/db"
	"bookhook/db/postgres/pgtest"
	"bookhook/webhook"
)

var template = sync.OnceValues(func() (file []byte, err error) {
	dir, err := os.MkdirTemp("", "bookhook")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	path := filepath.Join(dir, "bookhook.db")
	if err := migrate(path); err != nil {
		return nil, err
	}
	return os.ReadFile(path)
})

// migrate creates a database.
func migrate(at string) error {
	store, err := db.Create(context.Background(), at, nil)
	if err != nil {
		return err
	}
	return store.Close()
}

// templateDatabase is that of PostgreSQL.
const templateDatabase = "bookhook_template"

var migrateTemplate sync.Once

// At returns where a new database with empty tables is: a path, or a URL. It is removed
// when the test ends.
func At(tb testing.TB) string {
	tb.Helper()
	if pgtest.Wanted() {
		migrateTemplate.Do(func() {
			pgtest.Exec(tb, pgtest.URL(tb), `CREATE DATABASE `+templateDatabase)
			if err := migrate(pgtest.In(tb, templateDatabase)); err != nil {
				tb.Fatal(err)
			}
		})
		return pgtest.Database(tb, templateDatabase)
	}
	path := filepath.Join(tb.TempDir(), "bookhook.db")
	file, err := template()
	if err == nil {
		err = os.WriteFile(path, file, 0o600)
	}
	if err != nil {
		tb.Fatal(err)
	}
	return path
}

// Create is db.Create at a path or a URL without a key, and then holds all accounts, as if
// those who held some of them were lost. Whoever calls it closes it.
func Create(tb testing.TB, at string) *db.Store {
	tb.Helper()
	var store *db.Store
	_, err := os.Stat(at)
	if errors.Is(err, fs.ErrNotExist) && !db.OnServer(at) {
		var file []byte
		if file, err = template(); err == nil {
			err = os.WriteFile(at, file, 0o600)
		}
	}
	if err == nil || db.OnServer(at) {
		store, err = db.Open(context.WithoutCancel(tb.Context()), at, nil)
	}
	if err == nil && db.OnServer(at) {
		Lose(tb, at)
		_, err = store.Lease(context.WithoutCancel(tb.Context()), webhook.LeaseRequest{Name: "test"})
	}
	if err != nil {
		tb.Fatal(err)
	}
	return store
}

// Lose makes the leases of all who hold accounts of a database of PostgreSQL end, as if
// they had been silent for long.
func Lose(tb testing.TB, at string) {
	tb.Helper()
	pgtest.Exec(tb, at, `UPDATE replicas SET lease_end = 0`)
}

// New is Create of a new database; the store is closed when the test ends.
func New(tb testing.TB) *db.Store {
	tb.Helper()
	store := Create(tb, At(tb))
	tb.Cleanup(func() {
		if err := store.Close(); err != nil {
			tb.Errorf("close the database: %v", err)
		}
	})
	return store
}
