package sqlite

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"
)

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
