package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"
)

// Contents is what a database holds.
type Contents struct {
	Bytes                                int64 // of the file and of its write-ahead log
	WAL                                  int64 // of the write-ahead log
	Accounts, Webhooks, Events, Attempts int64
	Waiting                              int64     // deliveries
	Newest                               time.Time // when the newest event was received; zero if there is none
	Outdated                             bool      // the schema is older than this Bookhook's
}

// Check reads the whole database at path and returns what it holds, or what is
// wrong with it: it is missing, damaged, of another program, or of another version.
// It writes nothing, and others may use the database; if nobody does, SQLite copies
// the write-ahead log into the file in the end.
func Check(ctx context.Context, path string) (c Contents, err error) {
	pool, err := openExisting(ctx, path)
	if err != nil {
		return c, err
	}
	defer func() { err = errors.Join(err, pool.Close()) }()
	if err := errors.Join(checkPages(ctx, pool), checkReferences(ctx, pool)); err != nil {
		return c, fmt.Errorf("database %s: %w", path, err)
	}
	outdated, err := checkNotNewer(ctx, pool)
	if err != nil {
		return c, fmt.Errorf("database %s: %w", path, err)
	}
	c, err = contents(ctx, pool, path)
	c.Outdated = outdated
	return c, err
}

// checkPages has SQLite check all pages and indexes.
func checkPages(ctx context.Context, pool *sql.DB) error {
	rows, err := pool.QueryContext(ctx, `PRAGMA integrity_check(5)`)
	if err != nil {
		return unread(ctx, err)
	}
	defer rows.Close()
	var found []string
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			return err
		}
		found = append(found, line)
	}
	if err := rows.Err(); err != nil {
		return unread(ctx, err)
	}
	if len(found) != 1 || found[0] != "ok" {
		return damaged(strings.Join(found, "; "))
	}
	return nil
}

// unread returns the error of a database that could not be read to its end: it is damaged,
// unless the reader was interrupted.
func unread(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return damaged(err.Error())
}

func damaged(how string) error {
	return fmt.Errorf("it is damaged (%s); stop Bookhook and restore a backup: bookhook restore FILE", how)
}

func checkReferences(ctx context.Context, pool *sql.DB) error {
	var table string
	err := pool.QueryRowContext(ctx, `SELECT "table" FROM pragma_foreign_key_check LIMIT 1`).Scan(&table)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil
	case err != nil:
		return err
	}
	return damaged("a row of " + table + " refers to one that does not exist")
}

// checkNotNewer refuses a schema that is newer by more than one version, and reports
// whether it is an older one.
func checkNotNewer(ctx context.Context, pool *sql.DB) (outdated bool, err error) {
	var has int64
	if err := pool.QueryRowContext(ctx, `SELECT max(version_id) FROM goose_db_version WHERE is_applied = 1`).Scan(&has); err != nil {
		return false, err
	}
	newest, err := newestVersion(pool)
	if err == nil && has > newest+1 {
		err = errNewer(has, newest)
	}
	return has < newest, err
}

// errNewer is the error of a schema that this Bookhook cannot use. One version ahead is
// that of the release that follows, which leaves everything as this one knows it.
func errNewer(has, known int64) error {
	return fmt.Errorf("it was written by a newer Bookhook (version %d, this one knows %d); run that one", has, known)
}

func contents(ctx context.Context, pool *sql.DB, path string) (c Contents, err error) {
	for _, suffix := range []string{"", "-wal"} {
		info, err := os.Stat(path + suffix)
		switch {
		case err == nil && suffix == "-wal":
			c.WAL = info.Size()
			fallthrough
		case err == nil:
			c.Bytes += info.Size()
		case !errors.Is(err, fs.ErrNotExist):
			return c, err
		}
	}
	var newest int64
	err = pool.QueryRowContext(ctx, `SELECT (SELECT count(*) FROM accounts), (SELECT count(*) FROM webhooks WHERE deleted_at = 0),
		(SELECT count(*) FROM events), (SELECT count(*) FROM attempts), (SELECT count(*) FROM deliveries WHERE state = 'pending'),
		COALESCE((SELECT received_at FROM events ORDER BY id DESC LIMIT 1), 0)`).
		Scan(&c.Accounts, &c.Webhooks, &c.Events, &c.Attempts, &c.Waiting, &newest)
	if newest > 0 {
		c.Newest = time.UnixMilli(newest)
	}
	return c, err
}
