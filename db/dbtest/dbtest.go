// Package dbtest makes databases for tests: copies of one that is created once for each
// process, since running all migrations for each test takes most of the time of a test.
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
)

var template = sync.OnceValues(func() (file []byte, err error) {
	dir, err := os.MkdirTemp("", "bookhook")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	path := filepath.Join(dir, "bookhook.db")
	store, err := db.Create(context.Background(), path, nil)
	if err != nil {
		return nil, err
	}
	if err := store.Close(); err != nil {
		return nil, err
	}
	return os.ReadFile(path)
})

// Create is db.Create at path without a key. Whoever calls it closes it.
func Create(tb testing.TB, path string) *db.Store {
	tb.Helper()
	var store *db.Store
	_, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		var file []byte
		if file, err = template(); err == nil {
			err = os.WriteFile(path, file, 0o600)
		}
	}
	if err == nil {
		store, err = db.Open(context.WithoutCancel(tb.Context()), path, nil)
	}
	if err != nil {
		tb.Fatal(err)
	}
	return store
}

// New is Create in a folder of its own; the store is closed when the test ends.
func New(tb testing.TB) *db.Store {
	tb.Helper()
	store := Create(tb, filepath.Join(tb.TempDir(), "bookhook.db"))
	tb.Cleanup(func() {
		if err := store.Close(); err != nil {
			tb.Errorf("close the database: %v", err)
		}
	})
	return store
}
