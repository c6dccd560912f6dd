package postgres

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"

	"bookhook/db/transfer"
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
	case state.incomplete:
		return readIncomplete(ctx, pool)
	case state.tables > 0 && !state.ours:
		return errForeign
	case state.tables == 0 && !create:
		return errNoTables
	case state.tables == 0 && !state.mayCreate:
		return state.errMayNotCreate()
	case state.denied > 0:
		return state.errDenied()
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

var errNoTables = fmt.Errorf("it has no tables of Bookhook; start bookhook serve to create them: %w", fs.ErrNotExist)

var errForeign = errors.New("it has tables of another program; create a database for Bookhook alone")

func (t tables) errMayNotCreate() error {
	return fmt.Errorf("the user %s may not create tables in its schema %s; make that user the owner of the database or of the schema", t.user, t.schema)
}

func (t tables) errDenied() error {
	return fmt.Errorf("the user %s may not read or change all tables of the schema %s; make that user their owner", t.user, t.schema)
}

// readIncomplete returns the error of a database with marks.
func readIncomplete(ctx context.Context, pool *sql.DB) error {
	var from string
	if err := pool.QueryRowContext(ctx, transfer.ReadMark, transfer.From).Scan(&from); err != nil {
		return err
	}
	return transfer.Incomplete(from)
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
		return errNewer(has, wants)
	case has >= wants:
		return nil
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("migrate from version %d to %d: %w", has, wants, err)
	}
	return nil
}

func errNewer(has, known int64) error {
	return fmt.Errorf("it was written by a newer Bookhook (version %d, this one knows %d); run that one", has, known)
}

// readVersions returns which migration the tables have, and which is the newest. It
// changes nothing.
func readVersions(ctx context.Context, pool *sql.DB) (has, newest int64, err error) {
	provider, err := newProvider(pool)
	if err != nil {
		return 0, 0, err
	}
	all := provider.ListSources()
	err = pool.QueryRowContext(ctx, `SELECT COALESCE(max(version_id), 0) FROM `+versions+` WHERE is_applied`).Scan(&has)
	return has, all[len(all)-1].Version, err
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
	incomplete   bool // another database is being copied into it
	denied       int  // tables that may not be used
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
	err = pool.QueryRowContext(ctx, `SELECT count(*), COALESCE(bool_or(c.relname = $1), false), COALESCE(bool_or(c.relname = $2), false),
			count(*) FILTER (WHERE NOT (has_table_privilege(c.oid, 'SELECT') AND has_table_privilege(c.oid, 'INSERT') AND has_table_privilege(c.oid, 'UPDATE') AND has_table_privilege(c.oid, 'DELETE')))
		FROM pg_class c WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p')
			AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')`, versions, transfer.Marks).
		Scan(&t.tables, &t.ours, &t.incomplete, &t.denied)
	return t, err
}
