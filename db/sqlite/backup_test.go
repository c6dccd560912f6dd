package sqlite

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// stored makes a database with one row and returns its path; it is closed.
func stored(t *testing.T, key string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "bookhook.db")
	s, err := Create(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	wantErr(t, "a write", s.Write(t.Context(), false, put(key)), nil)
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
	wantErr(t, "a write", s.Write(context.Background(), false, put("c")), nil)
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
