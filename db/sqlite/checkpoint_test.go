package sqlite

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"bookhook/db/group"
)

// pageBytes is about what one row of these tests takes in the WAL.
const pageBytes = 4096

// fill is a write that takes a dozen pages of the WAL, over and over the same
// ones, so that the database itself stays small.
func fill(i int) func(Tx) error {
	return func(tx Tx) error {
		_, err := tx.Exec(context.Background(), `INSERT INTO settings (key, value) VALUES ($1, $2)
			ON CONFLICT (key) DO UPDATE SET value = excluded.value`, "fill"+strconv.Itoa(i%8), bytes.Repeat([]byte{byte(i)}, 12*pageBytes))
		return err
	}
}

// shortWAL makes the store copy its WAL as soon as it has so many pages.
// On a machine that is busy or slow, its readers may take long.
func shortWAL(s *DB, pages int) {
	s.checkpointer.minPages, s.checkpointer.readersTimeout = pages, 60_000
}

// restarts is how often the WAL has begun anew: its header counts that.
func restarts(tb testing.TB, path string) uint32 {
	tb.Helper()
	wal, err := os.Open(path + "-wal")
	if err != nil {
		tb.Fatal(err)
	}
	defer wal.Close()
	header := make([]byte, 16)
	if _, err := io.ReadFull(wal, header); err != nil {
		tb.Fatal(err)
	}
	return binary.BigEndian.Uint32(header[12:])
}

// TestWALIsBounded: while many write without a pause and somebody reads, the
// WAL is copied and begins anew.
func TestWALIsBounded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bookhook.db")
	s := openPath(t, path)
	const long, enough, most, writers = 400, 3, 1500, 4 // most writes would be 72 MB
	shortWAL(s, long)
	reading, end := context.WithCancel(t.Context())
	var readers, work sync.WaitGroup
	readers.Go(func() {
		for reading.Err() == nil {
			_ = scanOne(s, new(int), `SELECT count(*) FROM settings`)
		}
	})
	var written atomic.Int64
	wantErr(t, "write", s.Write(t.Context(), group.Turn{}, fill(0)), nil)
	first := restarts(t, path)
	for range writers {
		work.Go(func() {
			for restarts(t, path) < first+enough && written.Load() < most {
				wantErr(t, "write", s.Write(t.Context(), group.Turn{}, fill(int(written.Add(1)))), nil)
			}
		})
	}
	work.Wait()
	end()
	readers.Wait()
	if got := restarts(t, path) - first; got < enough {
		t.Errorf("the WAL began anew %d times in %d writes, want %d", got, written.Load(), enough)
	}
}

// TestWALIsBoundedBesideReaders: the WAL begins anew although at no moment
// nobody reads.
func TestWALIsBoundedBesideReaders(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bookhook.db")
	s := openPath(t, path)
	const enough, most = 3, 1500
	shortWAL(s, 400)
	wantErr(t, "write", s.Write(t.Context(), group.Turn{}, fill(0)), nil)
	first := restarts(t, path)
	reading, end := context.WithCancel(t.Context())
	var readers sync.WaitGroup
	for range readerConns {
		readers.Go(func() {
			for reading.Err() == nil { // a millisecond each, under the race detector twenty
				_ = scanOne(s, new(int), `WITH RECURSIVE s(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM s WHERE i < 5000)
					SELECT count(*) FROM s, (SELECT count(*) FROM settings)`)
			}
		})
	}
	written := 0
	for ; written < most && restarts(t, path) < first+enough; written++ {
		wantErr(t, "write", s.Write(t.Context(), group.Turn{}, fill(written)), nil)
	}
	end()
	readers.Wait()
	if got := restarts(t, path) - first; got < enough {
		t.Errorf("the WAL began anew %d times in %d writes, want %d", got, written, enough)
	}
}

// TestCloseWhileCopying: what was answered is there, whenever the store is
// closed.
func TestCloseWhileCopying(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bookhook.db")
	for round := range 5 {
		s := openPath(t, path)
		shortWAL(s, 1) // copies without a pause
		const writers = 4
		answered := make([]int, writers)
		busy := make(chan struct{}, writers)
		var work sync.WaitGroup
		for w := range writers {
			work.Go(func() {
				for s.Write(t.Context(), group.Turn{}, put(fmt.Sprint(round, ".", w, ".", answered[w]))) == nil {
					if answered[w]++; answered[w] == 10+10*round {
						busy <- struct{}{}
					}
				}
			})
		}
		for range writers {
			<-busy
		}
		wantErr(t, "close", s.Close(), nil)
		work.Wait()
		if _, err := os.Stat(path + "-wal"); err == nil {
			t.Error("the WAL is left behind, want all of it in the database")
		}
		s = openPath(t, path)
		for w, n := range answered {
			var got int
			err := scanOne(s, &got, `SELECT count(*) FROM settings WHERE key LIKE $1`, fmt.Sprint(round, ".", w, ".%"))
			if err != nil || got < n {
				t.Errorf("got %d rows, %v, want the %d that were answered", got, err, n)
			}
		}
		wantErr(t, "close", s.Close(), nil)
	}
}

// TestFlushFails: once a flush of the file has failed, the WAL is neither copied nor
// removed, everything else works, and Ping says what to do.
func TestFlushFails(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bookhook.db")
	s := openPath(t, path)
	shortWAL(s, 10)
	failure := fmt.Errorf("%w: as if", errUnflushed)
	s.checkpointer.flushFailure.Store(&failure)
	for i := range 4 * commitsPerCheck {
		wantErr(t, "write", s.Write(t.Context(), group.Turn{}, fill(i)), nil)
	}
	s.checkpointer.checkpoint(t.Context())
	if got, want := unavailable(s.Ping(t.Context())).Code, "database.unflushed"; got != want {
		t.Errorf("Ping: got %q, want %q", got, want)
	}
	wal, err := os.Stat(path + "-wal")
	wantErr(t, "the WAL", err, nil)
	wantErr(t, "close", s.Close(), nil)
	wantErr(t, "write to a closed one", s.Write(t.Context(), group.Turn{}, fill(0)), group.ErrClosed)
	left, err := os.Stat(path + "-wal")
	wantErr(t, "the WAL after closing", err, nil)
	if left.Size() != wal.Size() || left.Size() < 4*commitsPerCheck*pageBytes {
		t.Errorf("the WAL has %d bytes after closing, want the %d from before, which are more than it may have", left.Size(), wal.Size())
	}
	wantErr(t, "release what closing has left open", s.writer.stop(), nil)
}
