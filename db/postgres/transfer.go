package postgres

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/jackc/pgx/v5"

	"bookhook/db/transfer"
)

// copySettings are those of the transactions of a copy. Tables are read in the order of
// an index, so that the server does not sort all of one first.
const copySettings = `SELECT set_config('statement_timeout', '0', true), set_config('lock_timeout', '10000', true), set_config('enable_sort', 'off', true),
	set_config('idle_in_transaction_session_timeout', '0', true), set_config('synchronous_commit', 'on', true)`

// Source is a database of which everything is copied, as it was at one moment.
type Source struct{ reader }

// OpenSource opens a database for a copy. If it is exclusive, others can write nothing
// until it is closed.
func OpenSource(ctx context.Context, dsn string, exclusive bool) (_ *Source, err error) {
	config, err := parse(dsn)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = fmt.Errorf("database %s: %w", Name(dsn), explain(config, err))
		}
	}()
	one := pool(config, 1)
	if err := errors.Join(checkComplete(ctx, one), one.Close()); err != nil {
		return nil, err
	}
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return nil, err
	}
	begin := `BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY`
	if exclusive {
		begin = `BEGIN ISOLATION LEVEL REPEATABLE READ, READ WRITE` // to lock tables
	}
	s := &Source{reader{conn}}
	if err := s.begin(ctx, begin, exclusive); err != nil {
		closeConn(conn)
		return nil, err
	}
	return s, nil
}

// begin locks the tables before it reads anything, which is when a transaction begins to
// see the database as it is then.
func (s *Source) begin(ctx context.Context, begin string, exclusive bool) error {
	if _, err := s.conn.Exec(ctx, begin); err != nil {
		return err
	}
	if exclusive {
		lock := `SET LOCAL lock_timeout = '10s'; LOCK TABLE ` + strings.Join(transfer.Copied, ", ") + ` IN SHARE MODE`
		if _, err := s.conn.PgConn().Exec(ctx, lock).ReadAll(); codeOf(err) == "55P03" { // lock_not_available
			return errors.New("something is writing to it; wait for that to end, and try again")
		} else if err != nil {
			return err
		}
	}
	_, err := s.conn.Exec(ctx, copySettings)
	return err
}

// Close ends the copy.
func (s *Source) Close() error {
	closeConn(s.conn)
	return nil
}

var errOlder = errors.New("its schema is that of an older Bookhook; run \"bookhook account list\" with it, which upgrades it and sends nothing")

// checkComplete refuses a database that is not one of this Bookhook.
func checkComplete(ctx context.Context, pool *sql.DB) error {
	state, err := readTables(ctx, pool)
	switch {
	case err != nil:
		return err
	case state.incomplete:
		return readIncomplete(ctx, pool)
	case state.tables == 0:
		return errNoTables
	case !state.ours:
		return errForeign
	case state.denied > 0:
		return state.errDenied()
	}
	has, wants, err := readVersions(ctx, pool)
	switch {
	case err != nil:
		return err
	case has > wants:
		return errNewer(has, wants)
	case has < wants:
		return errOlder
	}
	return nil
}

// reader reads tables on one connection.
type reader struct{ conn *pgx.Conn }

// Read implements transfer.Reader.
func (r *reader) Read(ctx context.Context, t transfer.Table, row func([]byte) error) error {
	_, err := r.conn.PgConn().CopyTo(ctx, &copied{row: row}, `COPY (`+t.Select()+`) TO STDOUT (FORMAT binary)`)
	return err
}

// copyHeader is before the rows of a binary COPY, and copyTrailer after them.
var (
	copyHeader  = []byte("PGCOPY\n\xff\r\n\x00\x00\x00\x00\x00\x00\x00\x00\x00")
	copyTrailer = []byte{0xff, 0xff}
)

// copied is the writer of what the server copies.
type copied struct {
	row    func([]byte) error
	rest   []byte
	header bool // it was read
}

func (c *copied) Write(p []byte) (int, error) {
	data := p
	if len(c.rest) > 0 {
		c.rest = append(c.rest, p...)
		data = c.rest
	}
	if !c.header {
		if len(data) < len(copyHeader) {
			c.rest = append([]byte(nil), data...)
			return len(p), nil
		}
		if !bytes.HasPrefix(data, copyHeader) {
			return 0, errors.New("the server copies in a form that is not known")
		}
		data, c.header = data[len(copyHeader):], true
	}
	for !bytes.HasPrefix(data, copyTrailer) {
		row, rest := transfer.CutRow(data)
		if row == nil {
			break
		}
		if err := c.row(row); err != nil {
			return 0, err
		}
		data = rest
	}
	c.rest = append([]byte(nil), data...)
	return len(p), nil
}

// Target is a database into which another one is copied.
type Target struct{ reader }

// OpenTarget creates Bookhook's tables in an empty database, into which the one called
// from is copied, or opens the one into which that was interrupted. Nobody else can use it
// before Finish. The caller has the Lock.
func OpenTarget(ctx context.Context, dsn, from string) (*Target, error) {
	config, err := parse(dsn)
	if err != nil {
		return nil, err
	}
	if err = beginTarget(ctx, config, from); err == nil {
		var conn *pgx.Conn
		if conn, err = pgx.ConnectConfig(ctx, config); err == nil {
			return &Target{reader{conn}}, nil
		}
	}
	return nil, fmt.Errorf("database %s: %w", Name(dsn), explain(config, err))
}

// beginTarget creates the tables, that of Marks first.
func beginTarget(ctx context.Context, config *pgx.ConnConfig, from string) (err error) {
	one := pool(config, 1)
	defer func() { err = errors.Join(err, one.Close()) }()
	if err := checkServer(ctx, one); err != nil {
		return err
	}
	state, err := readTables(ctx, one)
	if err != nil {
		return err
	}
	switch {
	case state.incomplete:
		err := readIncomplete(ctx, one)
		if begun, ok := errors.AsType[transfer.Incomplete](err); ok {
			err = begun.Continue(from)
		}
		if err != nil {
			return err
		}
	case state.tables > 0 && !state.ours:
		return errForeign
	case state.tables > 0:
		return errors.New("it has tables of Bookhook already; name an empty database")
	case !state.mayCreate:
		return state.errMayNotCreate()
	default:
		tx, err := one.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		defer tx.Rollback()
		if _, err := tx.ExecContext(ctx, transfer.CreateMarks); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, transfer.PutMark, transfer.From, from); err != nil {
			return err
		}
		if err := tx.Commit(); err != nil {
			return err
		}
	}
	return up(ctx, one)
}

// Mark implements transfer.Target.
func (t *Target) Mark(ctx context.Context, table transfer.Table) (transfer.Mark, error) {
	var mark string
	if err := t.conn.QueryRow(ctx, transfer.ReadMark, table.Name).Scan(&mark); err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return transfer.Mark{}, err
	}
	return transfer.ParseMark(mark)
}

// Add implements transfer.Target.
func (t *Target) Add(ctx context.Context, table transfer.Table, rows []byte, m transfer.Mark) error {
	return t.transaction(ctx, func(tx pgx.Tx) error {
		data := io.MultiReader(bytes.NewReader(copyHeader), bytes.NewReader(rows), bytes.NewReader(copyTrailer))
		if _, err := tx.Conn().PgConn().CopyFrom(ctx, data, `COPY `+table.Name+` (`+table.Names()+`) FROM STDIN (FORMAT binary)`); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, transfer.PutMark, table.Name, m.String())
		return err
	})
}

func (t *Target) transaction(ctx context.Context, do func(pgx.Tx) error) error {
	return pgx.BeginFunc(ctx, t.conn, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, copySettings); err != nil {
			return err
		}
		return do(tx)
	})
}

// Read implements transfer.Reader.
func (t *Target) Read(ctx context.Context, table transfer.Table, row func([]byte) error) error {
	return t.transaction(ctx, func(pgx.Tx) error { return t.reader.Read(ctx, table, row) })
}

// Finish makes the copy a database as any other. It is on disk when Finish returns.
func (t *Target) Finish(ctx context.Context) error {
	return t.transaction(ctx, func(tx pgx.Tx) error {
		for _, table := range transfer.Copied { // or the first lists would be planned as if they were empty
			if _, err := tx.Exec(ctx, `ANALYZE `+table); err != nil {
				return err
			}
		}
		_, err := tx.Exec(ctx, transfer.DropMarks)
		return err
	})
}

// Close closes the connection.
func (t *Target) Close() error {
	closeConn(t.conn)
	return nil
}
