package db

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/pressly/goose/v3"
)

//go:embed migrations/*.sql
var migrations embed.FS

// migrate brings the database up to the newest numbered migration, each in a
// transaction. There is no way down: before an upgrade it keeps a snapshot.
func migrate(ctx context.Context, pool *sql.DB, path string) error {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	return migrateTo(ctx, pool, path, files)
}

func migrateTo(ctx context.Context, pool *sql.DB, path string, files fs.FS) error {
	provider, err := goose.NewProvider(goose.DialectSQLite3, pool, files, goose.WithLogger(goose.NopLogger()))
	if err != nil {
		return fmt.Errorf("read the migrations: %w", err)
	}
	has, wants, err := provider.GetVersions(ctx)
	switch {
	case err != nil:
		return fmt.Errorf("read the version: %w", err)
	case has > wants:
		return fmt.Errorf("it was written by a newer Bookhook (version %d, this one knows %d); run that one", has, wants)
	case has == wants:
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

// snapshot copies the database; one that is there from an earlier try stays.
func snapshot(ctx context.Context, pool *sql.DB, path string) error {
	if _, err := os.Stat(path); err == nil || !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	part := path + ".part" // one that was cut off must not pass for a snapshot
	if err := os.Remove(part); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("keep a snapshot as %s: %w", path, err)
	}
	if _, err := pool.ExecContext(ctx, `VACUUM INTO $1`, part); err != nil {
		return fmt.Errorf("keep a snapshot as %s: %w", path, err)
	}
	return os.Rename(part, path)
}
