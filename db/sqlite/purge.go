package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
)

// Purge rewrites the database, so that nothing that was deleted or overwritten is
// left in its files. It takes about as long as a backup; meanwhile it needs free
// space of the size of the database twice, for a temporary file and for the
// write-ahead log. Other writes wait for it or fail.
func (d *DB) Purge(ctx context.Context) (err error) {
	pool, err := open(ctx, d.path, 1, url.Values{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, pool.Close()) }()
	if _, err := pool.ExecContext(ctx, `VACUUM`); err != nil {
		return fmt.Errorf("rewrite the database: %w", err)
	}
	var busy, pages, copied int
	err = pool.QueryRowContext(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`).Scan(&busy, &pages, &copied)
	if err == nil && busy != 0 {
		err = errors.New("empty the write-ahead log: another program keeps the database open for reading")
	}
	return err
}

// ReadSetting reads a value of the table settings of the database at path, and
// changes nothing; nil if there is no such value, or no database.
func ReadSetting(ctx context.Context, path, key string) (value []byte, err error) {
	if mustExist(path) != nil {
		return nil, nil
	}
	if err := checkVersion(ctx, path); err != nil {
		return nil, fmt.Errorf("database %s: %w", path, err)
	}
	pool, err := open(ctx, path, 1, url.Values{"_query_only": {"on"}})
	if err != nil {
		return nil, fmt.Errorf("open database %s: %w", path, err)
	}
	defer func() { err = errors.Join(err, pool.Close()) }()
	var tables int
	if err := pool.QueryRowContext(ctx, `SELECT count(*) FROM sqlite_schema WHERE name = 'settings'`).Scan(&tables); err != nil || tables == 0 {
		return nil, err
	}
	err = pool.QueryRowContext(ctx, `SELECT value FROM settings WHERE key = $1`, key).Scan(&value)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return value, err
}
