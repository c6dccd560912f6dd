package sqlite

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"bookhook/db/group"
)

func TestReopen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bookhook.db")
	s := openPath(t, path)
	wantErr(t, "write", s.Write(t.Context(), group.Turn{}, put("a")), nil)
	wantErr(t, "close", s.Close(), nil)
	want(t, "files after an orderly end", files(t, filepath.Dir(path)), "bookhook.db")
	s = openPath(t, path)
	want(t, "rows", traces(t, s), "a")
	wantErr(t, "write", s.Write(t.Context(), group.Turn{}, put("b")), nil)
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
		wantErr(t, tt.pragma, scanOne(s, &got, "PRAGMA "+tt.pragma), nil)
		if tt.reader != "" {
			want(t, tt.pragma+" of a reader", got, tt.reader)
		}
		err := s.Write(t.Context(), group.Turn{}, func(tx Tx) error { return scanOne(tx, &got, "PRAGMA "+tt.pragma) })
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
			wantErr(t, "write", s.Write(t.Context(), group.Turn{}, put("a")), nil)
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
		wantErr(t, path, s.Write(t.Context(), group.Turn{}, put("a")), nil)
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
		s, err := Create(t.Context(), path)
		if err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: got error %v, want one that names the path", path, err)
		}
		if s != nil {
			t.Errorf("%s: got a store", path)
		}
	}
}

// TestOpenNone: only Create makes a database; where there is none, nothing is left behind.
func TestOpenNone(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "bookhook.db")
	_, err := Open(t.Context(), path)
	wantErr(t, "open", err, fs.ErrNotExist)
	if text := "there is no database at " + path + "; start bookhook serve to create it"; err == nil || !strings.Contains(err.Error(), text) {
		t.Errorf("got error %v, want %q", err, text)
	}
	want(t, "files", files(t, dir), "")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = Open(t.Context(), path)
	wantErr(t, "open an empty file", err, fs.ErrNotExist)
	openPath(t, path)
	s, err := Open(t.Context(), path)
	wantErr(t, "open what was created", err, nil)
	wantErr(t, "close", s.Close(), nil)
}

// TestForeignFiles: a database of before the base, or of another program, is
// refused and not altered.
func TestForeignFiles(t *testing.T) {
	for text, script := range map[string]string{
		"from before the first release": `CREATE TABLE goose_db_version (id INTEGER PRIMARY KEY, version_id INTEGER, is_applied INTEGER, tstamp TIMESTAMP);
			INSERT INTO goose_db_version (version_id, is_applied) VALUES (0, 1), (1, 1); CREATE TABLE settings (key TEXT)`,
		"of another program": `CREATE TABLE settings (key TEXT)`,
	} {
		path := filepath.Join(t.TempDir(), "bookhook.db")
		pool, err := open(t.Context(), path, 1, url.Values{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := pool.ExecContext(t.Context(), script); err != nil {
			t.Fatal(err)
		}
		wantErr(t, "close", pool.Close(), nil)
		before, err := os.ReadFile(path)
		wantErr(t, "read", err, nil)
		for _, open := range []func(context.Context, string) (*DB, error){Open, Create} {
			_, err := open(t.Context(), path)
			if err == nil || !strings.Contains(err.Error(), text) || !strings.Contains(err.Error(), path) {
				t.Errorf("got error %v, want %q", err, text)
			}
		}
		after, err := os.ReadFile(path)
		wantErr(t, "read", err, nil)
		want(t, "the file is as it was", bytes.Equal(after, before), true)
		want(t, "files", files(t, filepath.Dir(path)), "bookhook.db")
	}
}

// TestNewerDatabase: the schema of the next release is accepted and left as it is, so that
// one can go back to this; the one after it is refused.
func TestNewerDatabase(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bookhook.db")
	upgrade(t, path, "ALTER TABLE settings ADD COLUMN more TEXT NOT NULL DEFAULT 'more'")
	s := openPath(t, path)
	wantErr(t, "write", s.Write(t.Context(), group.Turn{}, put("a")), nil)
	want(t, "rows", traces(t, s), "a")
	var more string
	wantErr(t, "read what is new", scanOne(s, &more, "SELECT more FROM settings WHERE key = 'a'"), nil)
	want(t, "what is new", more, "more")
	err := s.Write(t.Context(), group.Turn{}, func(tx Tx) error {
		_, err := tx.Exec(t.Context(), "INSERT INTO goose_db_version (version_id, is_applied) VALUES ($1, 1)", newest(t)+2)
		return err
	})
	wantErr(t, "one version more", err, nil)
	wantErr(t, "close", s.Close(), nil)
	_, err = Open(t.Context(), path)
	text := fmt.Sprintf("written by a newer Bookhook (version %d, this one knows %d); run that one", newest(t)+2, newest(t))
	if err == nil || !strings.Contains(err.Error(), text) || !strings.Contains(err.Error(), path) {
		t.Errorf("got error %v, want %q", err, text)
	}
}

// newest is the number of the newest migration.
func newest(tb testing.TB) int64 {
	tb.Helper()
	pool, err := open(tb.Context(), filepath.Join(tb.TempDir(), "none.db"), 1, url.Values{})
	if err != nil {
		tb.Fatal(err)
	}
	defer pool.Close()
	version, err := newestVersion(pool)
	if err != nil {
		tb.Fatal(err)
	}
	return version
}

// next are the migrations with one more.
func next(tb testing.TB, sql string) fs.FS {
	tb.Helper()
	files := fstest.MapFS{fmt.Sprintf("%05d_next.sql", newest(tb)+1): {Data: []byte("-- +goose Up\n" + sql + ";\n")}}
	known, err := migrations.ReadDir("migrations")
	if err != nil {
		tb.Fatal(err)
	}
	for _, file := range known {
		text, err := migrations.ReadFile("migrations/" + file.Name())
		if err != nil {
			tb.Fatal(err)
		}
		files[file.Name()] = &fstest.MapFile{Data: text}
	}
	return files
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
	wantErr(t, "write", s.Write(t.Context(), group.Turn{}, put("a")), nil)
	wantErr(t, "close", s.Close(), nil)
	kept := fmt.Sprintf("%s.before-%d", path, newest(t)+1)
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
