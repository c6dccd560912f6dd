package sqlite

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"bookhook/db/group"
)

// stored makes a database with one row and returns its path; it is closed.
func stored(t *testing.T, key string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "bookhook.db")
	s, err := Create(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	wantErr(t, "a write", s.Write(t.Context(), group.Turn{}, put(key)), nil)
	wantErr(t, "close", s.Close(), nil)
	return path
}

func wantFiles(t *testing.T, folder string, want ...string) {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, e.Name())
	}
	if strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("got the files %q, want %q", got, want)
	}
}

// TestBackupFails: of a copy that fails nothing stays.
func TestBackupFails(t *testing.T) {
	path := stored(t, "a")
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := file.WriteAt(make([]byte, 40*4096), 2*4096); err != nil {
		t.Fatal(err)
	}
	wantErr(t, "close", file.Close(), nil)
	folder := t.TempDir()
	if err := Backup(t.Context(), path, filepath.Join(folder, "copy.db")); err == nil {
		t.Error("a damaged database was copied")
	}
	wantFiles(t, folder)
}

// TestRestoreFails: nor of one that cannot get the name.
func TestRestoreFails(t *testing.T) {
	backup, folder := stored(t, "a"), t.TempDir()
	if err := os.Mkdir(filepath.Join(folder, "bookhook.db"), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := Restore(t.Context(), backup, filepath.Join(folder, "bookhook.db"), time.Now()); err == nil {
		t.Error("restored in the place of a folder")
	}
	if _, err := os.Stat(filepath.Join(folder, "bookhook.db.part")); !os.IsNotExist(err) {
		t.Errorf("the copy is left: %v", err)
	}
}

// TestRestoreBesideReader: a database that somebody reads is not replaced; nothing changes.
func TestRestoreBesideReader(t *testing.T) {
	backup, path := stored(t, "a"), stored(t, "b")
	reader, err := openReaders(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	tx, err := reader.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback() //nolint:errcheck // it only reads
	var n int
	if err := tx.QueryRowContext(t.Context(), `SELECT count(*) FROM settings`).Scan(&n); err != nil {
		t.Fatal(err)
	}
	s, err := Create(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	wantErr(t, "a write", s.Write(context.Background(), group.Turn{}, put("c")), nil)
	wantErr(t, "close", s.Close(), nil)
	if _, err := Restore(t.Context(), backup, path, time.Now()); err == nil || !strings.Contains(err.Error(), "another program is reading the database") {
		t.Errorf("got %v, want it refused", err)
	}
	for _, left := range []string{path + ".part", path + ".before-restore-*"} {
		if found, err := filepath.Glob(left); err != nil || len(found) > 0 {
			t.Errorf("left: %v %v", found, err)
		}
	}
}

// restorable is a folder with a database and a backup of it.
func restorable(t *testing.T) (path, backup string) {
	t.Helper()
	path, backup = filepath.Join(t.TempDir(), "bookhook.db"), filepath.Join(t.TempDir(), "copy.db")
	e, err := Create(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(Backup(t.Context(), path, backup), e.Close()); err != nil {
		t.Fatal(err)
	}
	return path, backup
}

// TestRestoreNeverLeavesTheNameEmpty: there is a database under the name at every
// moment, since that may be the last one.
func TestRestoreNeverLeavesTheNameEmpty(t *testing.T) {
	path, backup := restorable(t)
	ctx, cancel := context.WithCancel(t.Context())
	missing := make(chan int)
	go func() {
		n := 0
		for ctx.Err() == nil {
			if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
				n++
			}
		}
		missing <- n
	}()
	for i := range 20 {
		if _, err := Restore(ctx, backup, path, time.Unix(int64(i), 0)); err != nil {
			t.Error(err)
		}
	}
	cancel()
	if n := <-missing; n > 0 {
		t.Errorf("got no database %d times", n)
	}
	kept, err := filepath.Glob(path + "*")
	if err != nil || len(kept) != 21 {
		t.Errorf("got %v, %v, want the database and 20 that were kept, and no logs", kept, err)
	}
}

// TestFailedRestoreLeavesNothing: and the database as it was.
func TestFailedRestoreLeavesNothing(t *testing.T) {
	path, backup := restorable(t)
	now := time.Unix(0, 0)
	if err := os.WriteFile(path+".before-restore-19700101-000000", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if kept, err := Restore(t.Context(), backup, path, now); !errors.Is(err, fs.ErrExist) || kept != "" {
		t.Errorf("got %q, %v, want that the name is taken", kept, err)
	}
	if _, err := os.Stat(path + ".part"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v, want no part of a copy", err)
	}
	if _, err := Check(t.Context(), path); err != nil {
		t.Error(err)
	}
}

// TestInterruptedCheck: a database that was not read to its end is not called damaged.
func TestInterruptedCheck(t *testing.T) {
	pool, err := openExisting(t.Context(), stored(t, "a"))
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	interrupted, cancel := context.WithCancel(t.Context())
	cancel()
	if err := checkPages(interrupted, pool); !errors.Is(err, context.Canceled) || strings.Contains(err.Error(), "damaged") {
		t.Errorf("got %v, want that it was interrupted", err)
	}
}
