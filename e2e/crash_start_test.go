package e2e

import (
	"bytes"
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"testing"

	_ "modernc.org/sqlite" // to make what no Bookhook makes
)

// What is no database of this Bookhook is refused in one line, and stays as it is.
func TestCrashDamagedDatabase(t *testing.T) {
	t.Parallel()
	srv := startServer(t)
	srv.run("", "account", "add", "Ada Tours")
	srv.stop()
	sound := srv.Database
	file, err := os.ReadFile(sound)
	must(t, err)
	garbled := append(bytes.Clone(file[:4096]), bytes.Repeat([]byte("U"), len(file)-4096)...)
	for _, tt := range []struct {
		name, says string
		file       []byte
	}{
		{"no database", "not a database", []byte(strings.Repeat("booking 1234 was cancelled\n", 300))},
		{"cut off", "malformed", file[:9000]},
		{"garbled", "malformed", garbled},
		{"of a newer Bookhook", "written by a newer Bookhook", newer(t, sound)},
		{"unreadable", "permission denied", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "bookhook.db")
			must(t, os.WriteFile(path, tt.file, 0o600))
			if tt.file == nil {
				if os.Getuid() == 0 {
					t.Skip("root may read everything")
				}
				must(t, os.Chmod(path, 0))
			}
			out, stderr, code := command(t, "", "serve", "--listen", "127.0.0.1:0", "--database", path)
			if code != 1 || out != "" || strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, tt.says) || !strings.Contains(stderr, path) {
				t.Errorf("got exit code %d, %q and %q, want 1 and one line on stderr with %q and the path", code, out, stderr, tt.says)
			}
			if tt.file == nil {
				must(t, os.Chmod(path, 0o600))
			}
			after, err := os.ReadFile(path)
			must(t, err)
			if !bytes.Equal(after, tt.file) {
				t.Error("the file was changed")
			}
		})
	}
}

// newer is the database as a later Bookhook would leave it.
func newer(t testing.TB, sound string) []byte {
	t.Helper()
	text, err := os.ReadFile(sound)
	must(t, err)
	path := filepath.Join(t.TempDir(), "bookhook.db")
	must(t, os.WriteFile(path, text, 0o600))
	later, err := sql.Open("sqlite", path)
	must(t, err)
	_, err = later.ExecContext(t.Context(), "INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, 1)")
	must(t, err)
	must(t, later.Close())
	file, err := os.ReadFile(path)
	must(t, err)
	return file
}
