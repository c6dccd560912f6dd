package sqlite

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"

	"github.com/pressly/goose/v3"

	"bookhook/db/transfer"
)

//go:embed migrations/*.sql
var migrations embed.FS

// baseVersion is the schema of the first release. Older files cannot be upgraded.
const baseVersion = 2

// checkVersion refuses a file of another program, one older than baseVersion, and one into
// which another database is being copied (transfer.Incomplete). It only reads: a refused file is not changed. A file without any table is a new
// database.
func checkVersion(ctx context.Context, path string) (err error) {
	pool, err := open(ctx, path, 1, url.Values{"_query_only": {"on"}})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, pool.Close()) }()
	var tables, versioned, incomplete int
	err = pool.QueryRowContext(ctx, `SELECT count(*), COALESCE(sum(name = 'goose_db_version'), 0), COALESCE(sum(name = $1), 0) FROM sqlite_schema WHERE type = 'table'`, transfer.Marks).
		Scan(&tables, &versioned, &incomplete)
	switch {
	case err != nil || tables == 0:
		return err
	case incomplete > 0:
		return readIncomplete(ctx, pool)
	case versioned == 0:
		return errors.New("it is the database of another program")
	}
	var version int
	err = pool.QueryRowContext(ctx, `SELECT COALESCE(max(version_id), 0) FROM goose_db_version WHERE is_applied = 1`).Scan(&version)
	if err == nil && version > 0 && version < baseVersion {
		return errors.New("it was written by a Bookhook from before the first release, which this one cannot read; start with a new file")
	}
	return err
}

// readIncomplete returns the error of a database with marks.
func readIncomplete(ctx context.Context, pool *sql.DB) error {
	var from string
	if err := pool.QueryRowContext(ctx, transfer.ReadMark, transfer.From).Scan(&from); err != nil {
		return err
	}
	return transfer.Incomplete(from)
}

func migrationFiles() (fs.FS, error) { return fs.Sub(migrations, "migrations") }

// newestVersion returns the number of the newest migration.
func newestVersion(pool *sql.DB) (int64, error) {
	files, err := migrationFiles()
	if err != nil {
		return 0, err
	}
	provider, err := newProvider(pool, files)
	if err != nil {
		return 0, err
	}
	all := provider.ListSources()
	return all[len(all)-1].Version, nil
}

// migrate brings the database up to the newest numbered migration, each in a
// transaction. There is no way down: before an upgrade it keeps a snapshot.
func migrate(ctx context.Context, pool *sql.DB, path string) error {
	files, err := migrationFiles()
	if err != nil {
		return err
	}
	return migrateTo(ctx, pool, path, files)
}

// newProvider returns goose with the migrations in files and those in Go.
func newProvider(pool *sql.DB, files fs.FS) (*goose.Provider, error) {
	provider, err := goose.NewProvider(goose.DialectSQLite3, pool, files, goose.WithLogger(goose.NopLogger()), goose.WithGoMigrations(hashAddresses(), backfillCounts()))
	if err != nil {
		return nil, fmt.Errorf("read the migrations: %w", err)
	}
	return provider, nil
}

func migrateTo(ctx context.Context, pool *sql.DB, path string, files fs.FS) error {
	provider, err := newProvider(pool, files)
	if err != nil {
		return err
	}
	has, wants, err := provider.GetVersions(ctx)
	switch {
	case err != nil:
		return fmt.Errorf("read the version: %w", err)
	case has > wants+1:
		return errNewer(has, wants)
	case has >= wants:
		return nil
	}
	if has > 0 {
		if err := snapshot(ctx, pool, fmt.Sprintf("%s.before-%d", path, wants)); err != nil {
			return err
		}
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("migrate from version %d to %d: %w", has, wants, err)
	}
	return nil
}

// snapshot copies the database to path, unless an earlier attempt did.
func snapshot(ctx context.Context, pool *sql.DB, path string) error {
	if _, err := os.Stat(path); err == nil || !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := copyTo(ctx, pool, path); err != nil {
		return fmt.Errorf("keep a snapshot as %s: %w", path, err)
	}
	return nil
}
