package db

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
)

func TestReopen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bookhook.db")
	s := openPath(t, path)
	wantErr(t, "write", s.write(t.Context(), put("a")), nil)
	wantErr(t, "close", s.Close(), nil)
	want(t, "files after an orderly end", files(t, filepath.Dir(path)), "bookhook.db")
	s = openPath(t, path)
	want(t, "rows", traces(t, s), "a")
	wantErr(t, "write", s.write(t.Context(), put("b")), nil)
	want(t, "rows", traces(t, s), "a b")
}

func files(tb testing.TB, dir string) string {
	tb.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		tb.Fatal(err)
	}
	names := []string{}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return strings.Join(names, " ")
}

func TestPragmas(t *testing.T) {
	s := openTemp(t)
	tests := []struct {
		pragma string
		writer string
		reader string
	}{
		{"journal_mode", "wal", "wal"},
		{"synchronous", "2", "2"},
		{"foreign_keys", "1", "1"},
		{"query_only", "0", "1"},
		{"busy_timeout", "5000", "5000"},
		{"wal_autocheckpoint", "0", ""},
	}
	for _, tt := range tests {
		var got string
		wantErr(t, tt.pragma, s.row(t.Context(), "PRAGMA "+tt.pragma).Scan(&got), nil)
		if tt.reader != "" {
			want(t, tt.pragma+" of a reader", got, tt.reader)
		}
		err := s.write(t.Context(), func(q querier) error { return q.row(t.Context(), "PRAGMA "+tt.pragma).Scan(&got) })
		wantErr(t, tt.pragma, err, nil)
		want(t, tt.pragma+" of the writer", got, tt.writer)
	}
}

func TestOddPaths(t *testing.T) {
	for _, name := range []string{"a b.db", "what?.db", "a?mode=memory", "no#1.db", "100%.db", "%41.db", "ünïcode 🎟.db", "it's.db", "a;b&c=d.db", "file:x.db"} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "dir #1?")
			if err := os.Mkdir(dir, 0o700); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(dir, name)
			s := openPath(t, path)
			wantErr(t, "write", s.write(t.Context(), put("a")), nil)
			want(t, "rows", traces(t, s), "a")
			wantErr(t, "close", s.Close(), nil)
			want(t, "files", files(t, dir), name)
		})
	}
}

func TestRelativePath(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, path := range []string{"bookhook.db", "./x.db", "a:b.db", "file:y.db"} {
		s := openPath(t, path)
		wantErr(t, path, s.write(t.Context(), put("a")), nil)
		wantErr(t, "close", s.Close(), nil)
	}
	want(t, "files", files(t, "."), "a:b.db bookhook.db file:y.db x.db")
}

func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	garbage := filepath.Join(dir, "garbage.db")
	if err := os.WriteFile(garbage, []byte(strings.Repeat("not a database ", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{garbage, filepath.Join(dir, "no", "such", "folder.db"), dir} {
		s, err := Open(t.Context(), path)
		if err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: got error %v, want one that names the path", path, err)
		}
		if s != nil {
			t.Errorf("%s: got a store", path)
		}
	}
}

func TestNewerDatabase(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bookhook.db")
	upgrade(t, path, "SELECT 1")
	_, err := Open(t.Context(), path)
	const text = "written by a newer Bookhook (version 2, this one knows 1); run that one"
	if err == nil || !strings.Contains(err.Error(), text) || !strings.Contains(err.Error(), path) {
		t.Errorf("got error %v, want %q", err, text)
	}
}

// next are the migrations with one more.
func next(tb testing.TB, sql string) fs.FS {
	tb.Helper()
	first, err := migrations.ReadFile("migrations/00001_begin.sql")
	if err != nil {
		tb.Fatal(err)
	}
	return fstest.MapFS{
		"00001_begin.sql": {Data: first},
		"00002_next.sql":  {Data: []byte("-- +goose Up\n" + sql + ";\n")},
	}
}

// migrateWith opens the database as a later Bookhook would.
func migrateWith(tb testing.TB, path, sql string) error {
	tb.Helper()
	pool, err := openWriter(tb.Context(), path)
	if err != nil {
		tb.Fatal(err)
	}
	defer pool.Close()
	return migrateTo(context.Background(), pool, path, next(tb, sql))
}

func upgrade(tb testing.TB, path, sql string) {
	tb.Helper()
	if err := migrateWith(tb, path, sql); err != nil {
		tb.Fatal(err)
	}
}

func TestUpgradeKeepsSnapshot(t *testing.T) {
	path := filepath.Join(t.TempDir(), "book hook's.db")
	s := openPath(t, path)
	wantErr(t, "write", s.write(t.Context(), put("a")), nil)
	wantErr(t, "close", s.Close(), nil)
	kept := path + ".before-2"
	if err := os.WriteFile(kept+".part", []byte("cut off"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := migrateWith(t, path, "DELETE FROM settings; CREATE TABLE nonsense ("); err == nil {
		t.Error("a migration that cannot be read was applied")
	}
	want(t, "rows after a failed upgrade", traces(t, openPath(t, path)), "a")
	upgrade(t, path, "DELETE FROM settings")
	upgrade(t, path, "DELETE FROM settings") // is up to date
	want(t, "rows of the snapshot", traces(t, openPath(t, kept)), "a")
	if _, err := os.Stat(kept + ".part"); err == nil {
		t.Error("half a snapshot was left behind")
	}
}

func TestFreshKeepsNoSnapshot(t *testing.T) {
	dir := t.TempDir()
	upgrade(t, filepath.Join(dir, "bookhook.db"), "SELECT 1")
	want(t, "files", files(t, dir), "bookhook.db")
}

func TestNewFileIsPrivate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bookhook.db")
	openPath(t, path)
	for _, name := range []string{path, path + "-wal", path + "-shm"} {
		info, err := os.Stat(name)
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: got %v, %v, want -rw-------", name, info.Mode(), err)
		}
	}
}
