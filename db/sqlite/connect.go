package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
)

// readerConns is how many connections read at the same time; more than the
// cores of a small machine gain nothing. Each keeps up to 8 MiB of pages, the
// writer 16: a page that is read again from the system's cache costs 5 µs a row.
const readerConns = 4

// busyTimeout is for how many milliseconds a connection waits for another process.
const busyTimeout = 5000

// openWriter opens the one connection that writes. With synchronous=FULL a commit
// is on disk when it returns; checkpoint.go copies the WAL. temp_store keeps the
// journals of savepoints in memory: in a file they are a third of the work of a
// group.
func openWriter(ctx context.Context, path string) (*sql.DB, error) {
	return open(ctx, path, 1, url.Values{
		"_journal_mode": {"WAL"},
		"_synchronous":  {"FULL"},
		"_txlock":       {"immediate"},
		"_pragma":       {"wal_autocheckpoint(0)", fmt.Sprintf("journal_size_limit(%d)", maxWAL), "temp_store(memory)", "cache_size(-16384)"},
	})
}

// flushWAL flushes what a process that was killed had written to the WAL and not
// flushed. SQLite takes it for committed without doing so: whoever is told of it
// would be told what the next power cut could take back.
func flushWAL(path string) error {
	wal, err := os.OpenFile(path+"-wal", os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return errors.Join(wal.Sync(), wal.Close())
}

func openReaders(ctx context.Context, path string) (*sql.DB, error) {
	return open(ctx, path, readerConns, url.Values{"_query_only": {"on"}, "_pragma": {"cache_size(-8192)"}})
}

// open opens a pool of connections. A connection opens the file but does not
// change it unless the options say so.
func open(ctx context.Context, path string, conns int, options url.Values) (*sql.DB, error) {
	options.Set("_busy_timeout", strconv.Itoa(busyTimeout))
	options.Set("_foreign_keys", "on")
	options.Set("_dqs", "0")
	dsn := url.URL{Scheme: "file", Opaque: (&url.URL{Path: filepath.ToSlash(path)}).EscapedPath(), RawQuery: options.Encode()}
	pool, err := sql.Open("sqlite", dsn.String())
	if err != nil {
		return nil, err
	}
	pool.SetMaxOpenConns(conns)
	pool.SetMaxIdleConns(conns)
	if err := pool.PingContext(ctx); err != nil {
		return nil, errors.Join(err, pool.Close())
	}
	return pool, nil
}
