// Package postgres has everything that is specific to PostgreSQL: tables and
// migrations, how a server is reached, checked and locked, how a group of writes is run,
// and how errors are recognised. The statements on the tables are in package db.
//
// A [DB] reads with a pool of connections and writes with one connection, in groups
// (package db/group). The groups of all processes that write to a database come one
// after the other: each begins with an advisory lock, and with finding out whether
// another process wrote last (session.go). Only transactions hold locks and settings,
// no session does, so that all of it works through PgBouncer in transaction mode.
//
// Any number of processes may serve a database ([LockServing]), each those accounts whose
// shards it holds (leases.go). What one of them changes for another one, it announces
// (listen.go).
package postgres

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"

	"bookhook/db/group"
)

// DB is an open database. Close it when done.
type DB struct {
	config  *pgx.ConnConfig
	readers *sql.DB
	session *session
	writer  *group.Writer
	told    atomic.Pointer[epochs] // what the process knows to hold; nil: nothing
	leased  uint64                 // session.others at the last Lease; used by writes only
}

// Open opens the database that a URL names and brings it up to the newest schema. It
// returns an error that wraps fs.ErrNotExist if Bookhook has no tables there. It
// refuses, without changing it, the database of another program or of a newer Bookhook,
// and a server that cannot be used; see checkServer.
func Open(ctx context.Context, dsn string) (*DB, error) { return open(ctx, dsn, false) }

// Create is Open, but creates the tables if the database has none. It does not create
// the database itself.
func Create(ctx context.Context, dsn string) (*DB, error) { return open(ctx, dsn, true) }

func open(ctx context.Context, dsn string, create bool) (*DB, error) {
	config, err := parse(dsn)
	if err != nil {
		return nil, err
	}
	if err := prepare(ctx, config, create); err != nil {
		return nil, fmt.Errorf("database %s: %w", Name(dsn), explain(config, err))
	}
	s := newSession(config)
	return &DB{config: config, readers: pool(config, readerConns), session: s, writer: group.Start(s)}, nil
}

// prepare checks the server and the tables, and brings them up to date.
func prepare(ctx context.Context, config *pgx.ConnConfig, create bool) (err error) {
	one := pool(config, 2) // one holds the lock while the other migrates
	defer func() { err = errors.Join(err, one.Close()) }()
	if err := checkServer(ctx, one); err != nil {
		return err
	}
	return migrate(ctx, one, create)
}

// Close finishes the waiting writes and closes the database.
func (d *DB) Close() error {
	d.writer.End()
	return errors.Join(d.readers.Close(), d.session.close())
}

// Write runs do in a group; see group.Writer.
func (d *DB) Write(ctx context.Context, turn group.Turn, do func(group.Tx) error) error {
	return d.writer.Write(ctx, turn, do)
}

// Groups sets what is called for each group; see group.Writer.
func (d *DB) Groups(begin func(), last func() []*group.Statement) { d.writer.Groups(begin, last) }

// Query reads what is committed. Close the rows.
func (d *DB) Query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if d.writer.Ended() {
		return nil, group.ErrClosed
	}
	all, err := values(args)
	if err != nil {
		return nil, err
	}
	return d.readers.QueryContext(ctx, query, all...)
}

// Ping reports whether the database can be read, and whether the last write failed
// because it could not be written. It writes nothing itself.
func (d *DB) Ping(ctx context.Context) error {
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

// Purge rewrites the tables that have secrets, so that nothing that was deleted or
// overwritten is left in their files. The server's write-ahead log and its backups keep
// it until they are removed. Other writes to these tables wait for it.
func (d *DB) Purge(ctx context.Context) error {
	for _, table := range []string{"settings", "connections", "webhooks", "drafts"} {
		if err := d.rewrite(ctx, table); err != nil {
			return fmt.Errorf("rewrite the table %s: %w", table, err)
		}
	}
	return nil
}

// How often, and after which pause, a table is tried that others use.
const (
	purgeTries = 30
	purgePause = 100 * time.Millisecond
)

// rewrite makes a new file of a table. It does not wait for its lock, since everybody else
// would then wait behind it for who reads the table for long. The server only warns when
// the table is in use, and those who may not do that, so the file is compared.
func (d *DB) rewrite(ctx context.Context, table string) error {
	before, err := d.file(ctx, table)
	if err != nil {
		return err
	}
	for range purgeTries {
		if _, err := d.readers.ExecContext(ctx, `VACUUM (FULL, SKIP_LOCKED) `+table); err != nil {
			return err
		}
		if after, err := d.file(ctx, table); err != nil || after != before {
			return err
		}
		time.Sleep(purgePause)
	}
	return errors.New("somebody reads it for long, as pg_dump does, or Bookhook's user is not its owner")
}

// file returns the number of a table's file.
func (d *DB) file(ctx context.Context, table string) (number int64, err error) {
	err = d.readers.QueryRowContext(ctx, `SELECT pg_relation_filenode('`+table+`')::bigint`).Scan(&number)
	return number, err
}

// values returns arguments as database/sql would convert them for other drivers, and
// texts as PostgreSQL takes them: what is no UTF-8, and NUL, is replaced by U+FFFD.
func values(args []any) ([]any, error) {
	all := make([]any, len(args))
	for i, arg := range args {
		value, err := driver.DefaultParameterConverter.ConvertValue(arg)
		if err != nil {
			return nil, fmt.Errorf("convert argument %d: %w", i+1, err)
		}
		if text, ok := value.(string); ok {
			value = CleanText(text)
		}
		all[i] = value
	}
	return all, nil
}
