package e2e

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

var (
	databaseFails = regexp.MustCompile("the database fails, deliveries wait for it")
	databaseWorks = regexp.MustCompile("the database works again")
)

// smallDisk is a folder that is a file system of its own.
func smallDisk(t testing.TB) string {
	t.Helper()
	folder := t.TempDir()
	if err := mountDisk(t, folder, "128m"); err != nil {
		t.Skipf("no small disk can be mounted here, which needs Linux and root: %v", err)
	}
	return folder
}

// mountDisk makes a folder a file system of its own, until the test ends.
func mountDisk(t testing.TB, folder, size string) error {
	t.Helper()
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size="+size, "bookhook-e2e", folder).CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", folder).CombinedOutput(); err != nil {
			t.Errorf("unmount the small disk: %v %s", err, out)
		}
	})
	return nil
}

// fill leaves no room on the disk until empty is called.
func fill(t testing.TB, disk string) (empty func()) {
	t.Helper()
	ballast, err := os.Create(filepath.Join(disk, "ballast"))
	must(t, err)
	defer ballast.Close()
	for size := 1 << 20; size > 0; {
		if _, err := ballast.Write(make([]byte, size)); err != nil {
			size /= 2
		}
	}
	return func() { must(t, os.Remove(ballast.Name())) }
}

// saysUnavailable checks that a refusal tells what is wrong, what that means, and what to do.
func saysUnavailable(t testing.TB, what string) func(reply) {
	return func(r reply) {
		if r.Status != http.StatusServiceUnavailable {
			t.Errorf("got %d %s, want 503", r.Status, r.Body)
			return
		}
		p := r.refused(t, http.StatusServiceUnavailable)
		for _, want := range []string{what, "Nothing of this request was stored.", "Send it again"} {
			if p.Type != "unavailable" || !strings.Contains(p.Detail, want) {
				t.Errorf("got %s, want type unavailable and %q", r.Body, want)
			}
		}
		if seconds, err := strconv.Atoi(r.Header.Get("Retry-After")); err != nil || seconds < 1 {
			t.Errorf("Retry-After: got %q, want seconds", r.Header.Get("Retry-After"))
		}
	}
}

// awaitHealth asks for the health until it has this status.
func (s *server) awaitHealth(status int) {
	s.t.Helper()
	eventually(s.t, "/healthz answers "+strconv.Itoa(status), func() bool {
		response, err := caller.Get(s.URL + "/healthz")
		if err != nil {
			return false
		}
		defer response.Body.Close()
		return response.StatusCode == status
	})
}

// outage goes through a time in which the database does not work: what comes in is refused and what receivers answer
// cannot be recorded. Afterwards all goes on by itself, and nothing was lost or sent twice.
func (c *crash) outage(what string, begin func() (end func())) {
	t := c.op.t
	t.Helper()
	c.load.refusal = saysUnavailable(t, what)
	c.while(func() {
		c.load.awaitTaken(30)
		c.well.behaves(func() manner { return manner{status: http.StatusOK, pause: 300 * time.Millisecond} })
		end := begin()
		c.load.awaitRefused(3) // fewer than connections read: each of these may wait for 10 seconds
		c.op.waitLog(databaseFails)
		c.op.awaitHealth(http.StatusServiceUnavailable)
		end()
		c.well.behaves(well)
		c.away.behaves(well)
		c.load.awaitTaken(30)
		c.op.waitLog(databaseWorks)
		c.op.awaitHealth(http.StatusOK)
	})
	c.audit(false)
}

func TestCrashDiskFull(t *testing.T) {
	t.Parallel()
	disk := smallDisk(t)
	c := newCrash(t, disk, 0)
	c.outage("disk that holds Bookhook's database is full", func() func() { return fill(t, disk) })
}

// Killed while the disk is full, it begins again when there is room, with everything that it had accepted.
func TestCrashDiskFullKill(t *testing.T) {
	t.Parallel()
	disk := smallDisk(t)
	c := newCrash(t, disk, 0)
	c.load.refusal = saysUnavailable(t, "disk that holds Bookhook's database is full")
	var empty func()
	c.while(func() {
		c.load.awaitTaken(30)
		empty = fill(t, disk)
		c.load.awaitRefused(5)
		c.op.kill9()
	})
	empty()
	c.op.restart()
	c.while(func() { c.load.awaitTaken(10) })
	c.audit(true)
}

// A disk that fails in another way than being full.
func TestCrashWriteFails(t *testing.T) {
	t.Parallel()
	c := newCrash(t, t.TempDir(), 0)
	limit := func(bytes string) {
		t.Helper()
		out, err := exec.Command("prlimit", "--pid", strconv.Itoa(c.op.cmd.Process.Pid), "--fsize="+bytes+":unlimited").CombinedOutput()
		if err != nil {
			t.Skipf("the size of files cannot be limited here, which needs prlimit of Linux: %v %s", err, out)
		}
	}
	c.outage("database cannot be read or written", func() func() {
		limit("4096")
		return func() { limit("unlimited") }
	})
}
