// Package db is everything SQL: it opens and migrates the database and keeps
// accounts, webhooks, events, deliveries and attempts in one [Store].
//
// One exported method is one transaction. Every method that reads or changes
// something of an account takes the account's id and answers
// [webhook.ErrNotFound] for what belongs to another one. Times and ids come in
// as values; no query says "now".
//
// Reading goes to a pool of read-only connections. Writing goes through one
// goroutine with one connection (writer.go): it takes all writes that are
// waiting, runs them in one transaction, commits once, and answers them all;
// one that fails is undone alone. A write that was answered is on disk. Ingest,
// claim and finish all go that way, so that the cost of a commit is shared by
// all that happens at the same time.
//
// The common life of a delivery costs two writes: [Store.Ingest] inserts it
// already claimed, [Store.Finish] adds the attempt and moves it.
//
// An event that waits for what its platform says of the booking has a row among
// the lookups, and no decisions, until [Store.LookedUp] matches it (lookups.go).
// What an inline webhook is asked about ([Store.Ask]) has one delivery, claimed
// while it is inserted and never due.
package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"bookhook/webhook"
)

// Store is the database. Close it when done.
type Store struct {
	readers      *sql.DB
	prepared     sync.Map // SQL text → *sql.Stmt on readers
	writer       *writer
	checkpointer *checkpointer
	newID        func() webhook.ID
	configs      configs
	healthy      map[webhook.ID]uint64 // the writer's round in which a webhook was noted not to fail
	arriving     atomic.Int64          // bytes of events that wait to be written
	search       int                   // rows that one request looks at; see searchRows
}

// Create opens the database like [Open], and creates it if there is none.
func Create(ctx context.Context, path string) (*Store, error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open database %s: %w", path, err)
	}
	if err := file.Close(); err != nil {
		return nil, fmt.Errorf("open database %s: %w", path, err)
	}
	return Open(ctx, path)
}

// Open opens the SQLite database at path and brings it up to date; before an
// upgrade it leaves a snapshot beside it. It returns an error that wraps
// fs.ErrNotExist if there is no file, and refuses a database written by a newer
// Bookhook.
func Open(ctx context.Context, path string) (*Store, error) {
	newID, err := webhook.NewIDs()
	if err != nil {
		return nil, err
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
	w, err := startWriter(ctx, writing, c.committed)
	if err != nil {
		return nil, errors.Join(err, c.pool.Close(), readers.Close(), writing.Close())
	}
	c.start(w.rest)
	return &Store{readers: readers, writer: w, checkpointer: c, newID: newID, healthy: map[webhook.ID]uint64{}, search: searchRows}, nil
}

// Close lets what is being written end and closes the database. The writer is
// last: only a connection that may write can put the WAL into the file.
func (s *Store) Close() error {
	return errors.Join(s.readers.Close(), s.checkpointer.stop(), s.writer.stop())
}

// Ping reports whether the database can be read and written. It writes what is
// there already: an empty transaction would succeed on a full disk.
func (s *Store) Ping(ctx context.Context) error {
	return s.write(ctx, func(q querier) error {
		_, err := q.exec(ctx, `UPDATE settings SET value = value`)
		return err
	})
}

// querier is what reading and writing methods need of a connection; both the
// pool of readers and the writer's transaction are one.
type querier interface {
	exec(ctx context.Context, query string, args ...any) (int64, error)
	rows(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	row(ctx context.Context, query string, args ...any) row
}

// scanner is a row that can be read.
type scanner interface{ Scan(dest ...any) error }

// row is one row, or the error of asking for it.
type row struct {
	sqlRow *sql.Row
	err    error
}

// Scan reads the row; none is webhook.ErrNotFound.
func (r row) Scan(dest ...any) error {
	if r.err != nil {
		return unavailable(r.err)
	}
	err := r.sqlRow.Scan(dest...)
	if errors.Is(err, sql.ErrNoRows) {
		return webhook.ErrNotFound
	}
	return unavailable(err)
}

// scanOptional reads the row if there is one and leaves dest alone otherwise.
func (r row) scanOptional(dest ...any) error {
	return ignoreNotFound(r.Scan(dest...))
}

func ignoreNotFound(err error) error {
	if errors.Is(err, webhook.ErrNotFound) {
		return nil
	}
	return err
}

// list reads all rows of a query.
func list[T any](ctx context.Context, q querier, scan func(scanner) (T, error), query string, args ...any) (items []T, err error) {
	rows, err := q.rows(ctx, query, args...)
	if err != nil {
		return nil, unavailable(err)
	}
	defer func() { err = unavailable(errors.Join(err, rows.Close())) }()
	for rows.Next() {
		item, err := scan(rows)
		if err != nil {
			return nil, err
		}
		items = append(items, item)
	}
	return items, rows.Err()
}

func (s *Store) exec(context.Context, string, ...any) (int64, error) {
	return 0, errors.New("readers do not write")
}

func (s *Store) rows(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	stmt, err := s.prepare(ctx, query) //nolint:sqlclosecheck // kept for the next time
	if err != nil {
		return nil, err
	}
	return stmt.QueryContext(ctx, args...)
}

func (s *Store) row(ctx context.Context, query string, args ...any) row {
	stmt, err := s.prepare(ctx, query) //nolint:sqlclosecheck // kept for the next time
	if err != nil {
		return row{err: err}
	}
	return row{sqlRow: stmt.QueryRowContext(ctx, args...)}
}

func (s *Store) prepare(ctx context.Context, query string) (*sql.Stmt, error) {
	if stmt, ok := s.prepared.Load(query); ok {
		return stmt.(*sql.Stmt), nil //nolint:forcetypeassert // nothing else is stored
	}
	stmt, err := s.readers.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	if other, loaded := s.prepared.LoadOrStore(query, stmt); loaded {
		return other.(*sql.Stmt), stmt.Close() //nolint:sqlclosecheck,forcetypeassert // nothing else is stored
	}
	return stmt, nil
}

// ms writes a time as it is stored; the zero time is 0.
func ms(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// at reads a stored time.
func at(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// stored is a time as it is read again: in milliseconds, UTC.
func stored(t time.Time) time.Time { return at(ms(t)) }

// moment scans a stored time.
type moment struct{ to *time.Time }

// Scan reads a column of milliseconds.
func (m moment) Scan(value any) error {
	v, ok := value.(int64)
	if !ok {
		return fmt.Errorf("a time is stored as %T", value)
	}
	*m.to = at(v)
	return nil
}
