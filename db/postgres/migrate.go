package postgres

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"
)

//go:embed migrations/*.sql
var migrations embed.FS

// versions is the table of the migrations that were run. Its name tells a database of
// Bookhook from that of another program.
const versions = "bookhook_version"

// migrate brings the tables up to the newest migration, each in a transaction; if create
// is false, only tables that are there. Processes that start together do so one after
// the other.
func migrate(ctx context.Context, pool *sql.DB, create bool) (err error) {
	state, err := readTables(ctx, pool)
	switch {
	case err != nil:
		return err
	case state.tables > 0 && !state.ours:
		return errors.New("it has tables of another program; create a database for Bookhook alone")
	case state.tables == 0 && !create:
		return fmt.Errorf("it has no tables of Bookhook; start bookhook serve to create them: %w", fs.ErrNotExist)
	case state.tables == 0 && !state.mayCreate:
		return fmt.Errorf("the user %s may not create tables in its schema %s; make that user the owner of the database or of the schema", state.user, state.schema)
	case state.denied > 0:
		return fmt.Errorf("the user %s may not read or change all tables of the schema %s; make that user their owner", state.user, state.schema)
	}
	lock, err := pool.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lock.Rollback()) }()
	if _, err := lock.ExecContext(ctx, migrating.lock()); err != nil {
		return err
	}
	return up(ctx, pool)
}

func up(ctx context.Context, pool *sql.DB) error {
	provider, err := newProvider(pool)
	if err != nil {
		return err
	}
	has, wants, err := provider.GetVersions(ctx)
	switch {
	case err != nil:
		return err
	case has > wants+1: // one ahead is that of the release that follows; see docs/maintainers.md
		return fmt.Errorf("it was written by a newer Bookhook (version %d, this one knows %d); run that one", has, wants)
	case has >= wants:
		return nil
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("migrate from version %d to %d: %w", has, wants, err)
	}
	return nil
}

func newProvider(pool *sql.DB) (*goose.Provider, error) {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	provider, err := goose.NewProvider(goose.DialectPostgres, pool, files, goose.WithLogger(goose.NopLogger()), goose.WithTableName(versions))
	if err != nil {
		return nil, fmt.Errorf("read the migrations: %w", err)
	}
	return provider, nil
}

// tables is what the schema has.
type tables struct {
	user, schema string
	tables       int  // not those of extensions
	ours         bool // Bookhook made them
	mayCreate    bool
	denied       int // tables that may not be used
}

func readTables(ctx context.Context, pool *sql.DB) (t tables, err error) {
	var schema sql.NullString
	err = pool.QueryRowContext(ctx, `SELECT current_user, current_schema(), COALESCE(has_schema_privilege(current_schema(), 'CREATE'), false)`).
		Scan(&t.user, &schema, &t.mayCreate)
	if err != nil {
		return t, err
	}
	if t.schema = schema.String; t.schema == "" {
		return t, errNoSchema
	}
	err = pool.QueryRowContext(ctx, `SELECT count(*), COALESCE(bool_or(c.relname = $1), false),
			count(*) FILTER (WHERE NOT (has_table_privilege(c.oid, 'SELECT') AND has_table_privilege(c.oid, 'INSERT') AND has_table_privilege(c.oid, 'UPDATE') AND has_table_privilege(c.oid, 'DELETE')))
		FROM pg_class c WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p')
			AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')`, versions).
		Scan(&t.tables, &t.ours, &t.denied)
	return t, err
}
