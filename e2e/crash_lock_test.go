//go:build unix

package e2e

import (
	"database/sql"
	"io"
	"net/http"
	"os"
	"syscall"
	"testing"

	_ "modernc.org/sqlite" // the other program that uses the database
)

// Another program keeps the database from being written, for longer than Bookhook waits for that.
func TestCrashLocked(t *testing.T) {
	t.Parallel()
	c := newCrash(t, t.TempDir(), 0)
	c.outage("Another program keeps Bookhook's database locked", func() func() {
		other, err := sql.Open("sqlite", c.op.Database+"?_pragma=busy_timeout(10000)")
		must(t, err)
		other.SetMaxOpenConns(1)
		_, err = other.ExecContext(t.Context(), "BEGIN IMMEDIATE")
		must(t, err)
		c.op.ask("GET", "/events", nil).want(t, http.StatusOK, nil) // reading goes on
		return func() {
			_, err := other.ExecContext(t.Context(), "ROLLBACK")
			must(t, err)
			must(t, other.Close())
		}
	})
}

// Another program keeps the database from being read as well, as one that repairs it would: it holds all locks of the
// shared memory (bytes 120 to 127 of that file, see sqlite.org/walformat.html).
func TestCrashUnreadable(t *testing.T) {
	if os.Getenv(crashKills) == "" {
		t.Skip("takes 20 seconds, for SQLite waits that long; make crash runs it")
	}
	t.Parallel()
	c := newCrash(t, t.TempDir(), 0)
	shared, err := os.OpenFile(c.op.Database+"-shm", os.O_RDWR, 0)
	must(t, err)
	defer shared.Close()
	lock := func(kind int16) {
		t.Helper()
		must(t, syscall.FcntlFlock(shared.Fd(), syscall.F_SETLKW, &syscall.Flock_t{Type: kind, Whence: io.SeekStart, Start: 120, Len: 8}))
	}
	c.outage("Another program keeps Bookhook's database locked", func() func() {
		lock(syscall.F_WRLCK)
		return func() { lock(syscall.F_UNLCK) }
	})
}
