// Package sqlite has everything that is specific to SQLite: tables and migrations,
// how the file is opened, locked and upgraded, how a group of writes is run, and how
// errors are recognised. The statements on the tables are in
// package db.
//
// A [DB] reads with a pool of read-only connections and writes with one
// connection, in groups (package db/group). The write-ahead log (WAL) is copied into
// the file in the background (checkpoint.go).
//
// One process at a time may serve a file ([Lock]). Other processes may open it
// for short changes; SQLite itself keeps their writes apart.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"

	"bookhook/db/group"
)

// DB is an open database. Close it when done.
type DB struct {
	path         string
	readers      *sql.DB
	prepared     sync.Map // SQL text → *sql.Stmt on readers
	writer       *writer
	checkpointer *checkpointer
}

// Open opens the database at path and brings it up to the newest schema. It
// returns an error that wraps fs.ErrNotExist if there is none. It refuses, without
// changing it, a file that is not a database of Bookhook, or whose schema is older
// than that of the first release or newer than this Bookhook's.
func Open(ctx context.Context, path string) (*DB, error) {
	if err := mustExist(path); err != nil {
		return nil, err
	}
	return openFile(ctx, path)
}

func mustExist(path string) error {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && info.Size() == 0 {
		return fmt.Errorf("there is no database at %s; start bookhook serve to create it: %w", path, fs.ErrNotExist)
	}
	if err != nil {
		return fmt.Errorf("open database %s: %w", path, err)
	}
	return nil
}

// Create is Open, but creates the database if there is none. Only its owner may
// read a new file, since it holds bookings and signing secrets; SQLite gives the
// files beside it the same permissions.
func Create(ctx context.Context, path string) (*DB, error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("create database %s: %w", path, err)
	}
	if err := file.Close(); err != nil {
		return nil, fmt.Errorf("create database %s: %w", path, err)
	}
	return openFile(ctx, path)
}

func openFile(ctx context.Context, path string) (*DB, error) {
	if err := checkVersion(ctx, path); err != nil {
		return nil, fmt.Errorf("database %s: %w", path, err)
	}
	if err := flushWAL(path); err != nil {
		return nil, fmt.Errorf("open database %s: %w", path, err)
	}
	writing, err := openWriter(ctx, path)
	if err != nil {
		return nil, fmt.Errorf("open database %s: %w", path, err)
	}
	if err := migrate(ctx, writing, path); err != nil {
		return nil, errors.Join(fmt.Errorf("database %s: %w", path, err), writing.Close())
	}
	readers, err := openReaders(ctx, path)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open database %s: %w", path, err), writing.Close())
	}
	c, err := openCheckpointer(ctx, path)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open database %s: %w", path, err), readers.Close(), writing.Close())
	}
	w, err := startWriter(ctx, writing, c.wake)
	if err != nil {
		return nil, errors.Join(err, c.pool.Close(), readers.Close(), writing.Close())
	}
	c.start(w.runBetweenGroups)
	return &DB{path: path, readers: readers, writer: w, checkpointer: c}, nil
}

// Close finishes the waiting writes and closes the database. The writer is closed
// last: only a connection that may write can copy the WAL into the file. If that
// must not be done (see recordFailure), its connection stays open until the process
// ends: SQLite would copy the rest and remove the WAL.
func (d *DB) Close() error {
	err := errors.Join(d.readers.Close(), d.checkpointer.stop())
	d.writer.End()
	if d.checkpointer.unflushed() != nil {
		return err
	}
	return errors.Join(err, d.writer.stop())
}

// Ping reports whether the database can be read, and whether it must be opened anew,
// or the last write failed because the database could not be written. It writes
// nothing itself.
func (d *DB) Ping(ctx context.Context) error {
	if err := d.checkpointer.unflushed(); err != nil {
		return err
	}
	if err := d.writer.LastFailure(); err != nil {
		return err
	}
	rows, err := d.Query(ctx, `SELECT count(*) FROM settings`)
	if err != nil {
		return err
	}
	defer rows.Close()
	rows.Next()
	return rows.Err()
}

// Query reads what is committed. Close the rows.
func (d *DB) Query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if d.writer.Ended() {
		return nil, group.ErrClosed
	}
	stmt, err := d.prepare(ctx, query) //nolint:sqlclosecheck // kept for the next time
	if err != nil {
		return nil, err
	}
	return stmt.QueryContext(ctx, args...)
}

func (d *DB) prepare(ctx context.Context, query string) (*sql.Stmt, error) {
	if stmt, ok := d.prepared.Load(query); ok {
		return stmt.(*sql.Stmt), nil //nolint:forcetypeassert // nothing else is stored
	}
	stmt, err := d.readers.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	if other, loaded := d.prepared.LoadOrStore(query, stmt); loaded {
		return other.(*sql.Stmt), stmt.Close() //nolint:sqlclosecheck,forcetypeassert // nothing else is stored
	}
	return stmt, nil
}
