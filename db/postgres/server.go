package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"bookhook/db/transfer"
)

// leastVersion is the oldest major version that Bookhook is tried with.
const leastVersion = 15

// maxClockOff is how far this machine's clock may be from that of the server: the times of
// replicas are compared with each other.
const maxClockOff = time.Second

// checkServer refuses a server that cannot be used. It changes nothing.
func checkServer(ctx context.Context, pool *sql.DB) error {
	var version int
	var recovering bool
	var readOnly, encoding string
	err := pool.QueryRowContext(ctx, `SELECT current_setting('server_version_num')::int, pg_is_in_recovery(),
		current_setting('default_transaction_read_only'), current_setting('server_encoding')`).Scan(&version, &recovering, &readOnly, &encoding)
	switch {
	case err != nil:
		return err
	case recovering:
		return errors.New("the server is a replica, which can only be read; name the primary server")
	case readOnly == "on":
		return errors.New("the server or this user is set to read only (default_transaction_read_only); set that to off")
	case encoding != "UTF8":
		return fmt.Errorf("its encoding is %s; create a database with encoding UTF8", encoding)
	}
	if err := checkVersion(version); err != nil {
		return err
	}
	return checkClock(ctx, pool, time.Now)
}

// checkClock refuses a clock that differs from that of the server.
func checkClock(ctx context.Context, pool *sql.DB, clock func() time.Time) error {
	var server time.Time
	asked := clock()
	if err := pool.QueryRowContext(ctx, `SELECT clock_timestamp()`).Scan(&server); err != nil {
		return err
	}
	off := clockOff(asked, clock(), server)
	if off.Abs() <= maxClockOff {
		return nil
	}
	how := "ahead of"
	if off < 0 {
		how = "behind"
	}
	return fmt.Errorf("the clock of this machine is %s %s that of the database's server; correct it (NTP) on both", off.Abs().Round(time.Millisecond), how)
}

// clockOff returns how far a clock is ahead of the server's at least, if the server said its
// time between two times of the clock.
func clockOff(asked, answered, server time.Time) time.Duration {
	half := answered.Sub(asked) / 2
	switch off := asked.Add(half).Sub(server); {
	case off > half:
		return off - half
	case off < -half:
		return off + half
	}
	return 0
}

// checkVersion refuses a server that is too old, by its server_version_num.
func checkVersion(number int) error {
	if major := number / 10000; major < leastVersion {
		return fmt.Errorf("the server is PostgreSQL %d; Bookhook needs %d or newer", major, leastVersion)
	}
	return nil
}

// ReadSetting reads a value of the table settings, and changes nothing; nil if there is
// no such value, or no table.
func ReadSetting(ctx context.Context, dsn, key string) (value []byte, err error) {
	config, err := parse(dsn)
	if err != nil {
		return nil, err
	}
	one := pool(config, 1)
	defer func() { err = errors.Join(err, one.Close()) }()
	var found, incomplete bool
	err = one.QueryRowContext(ctx, `SELECT to_regclass('`+versions+`') IS NOT NULL AND to_regclass('settings') IS NOT NULL, to_regclass('`+transfer.Marks+`') IS NOT NULL`).
		Scan(&found, &incomplete)
	if err == nil && incomplete {
		err = readIncomplete(ctx, one)
	}
	if err == nil && found {
		err = one.QueryRowContext(ctx, `SELECT value FROM settings WHERE key = $1`, key).Scan(&value)
		if errors.Is(err, sql.ErrNoRows) {
			return nil, nil
		}
	}
	if err != nil {
		return nil, fmt.Errorf("database %s: %w", Name(dsn), explain(config, err))
	}
	return value, nil
}
