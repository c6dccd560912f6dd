package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"

	"bookhook/db/group"
)

// session is the writer's connection with its prepared statements. It is the Tx
// of every write. Statements run to their end even if the caller's context ends:
// interrupting one would undo the whole group.
type session struct {
	conn        *sql.Conn
	stmts       map[string]*sql.Stmt // of Query
	execs       map[string]execStmt  // of run
	values      []driver.NamedValue  // of the statement that run executes
	round       uint64               // see Tx
	dataVersion int64                // SQLite's data_version: it changes when another process writes
	changes     int                  // statements that changed rows, or may have

	commits      int
	afterCommits func() // called after every commitsPerCheck commits
}

// Begin implements group.Conn.
func (s *session) Begin() error {
	if _, err := s.run(`BEGIN IMMEDIATE`); err != nil {
		return err
	}
	if err := s.checkDataVersion(); err != nil {
		s.Rollback()
		return err
	}
	return nil
}

// Commit implements group.Conn.
func (s *session) Commit(last []*group.Statement) error {
	for _, statement := range last {
		if _, err := s.Exec(context.Background(), statement.Query, statement.Args...); err != nil {
			return err
		}
	}
	if _, err := s.run(`COMMIT`); err != nil {
		return err
	}
	if s.commits++; s.commits%commitsPerCheck == 0 {
		s.afterCommits()
	}
	return nil
}

// Rollback implements group.Conn.
func (s *session) Rollback() {
	s.round++
	_, _ = s.run(`ROLLBACK`) // fails when SQLite did it already
}

// Savepoint implements group.Conn.
func (s *session) Savepoint() error {
	_, err := s.run(`SAVEPOINT part`)
	return err
}

// Undo implements group.Conn.
func (s *session) Undo() error {
	s.round++ // what was read in it may be undone
	_, err := s.run(`ROLLBACK TO part`)
	return err
}

// Release implements group.Conn.
func (s *session) Release() error {
	_, err := s.run(`RELEASE part`)
	return err
}

// Changes implements group.Conn.
func (s *session) Changes() int { return s.changes }

// Spoiled implements group.Conn: some errors of SQLite undo the whole transaction, even
// those of reading.
func (*session) Spoiled(err error) error {
	if isDriverError(err) {
		return err
	}
	return nil
}

// TookTooLong implements group.Conn: nothing limits the time of a write.
func (*session) TookTooLong(error) bool { return false }

// IsUnavailable implements group.Conn.
func (*session) IsUnavailable(err error) bool { return !unavailable(err).IsZero() }

// execStmt is a statement of the driver.
type execStmt interface {
	driver.Stmt
	driver.StmtExecContext
}

// Round implements Tx.
func (s *session) Round() uint64 { return s.round }

// Alone implements Tx: no write runs alongside another, since a statement costs no round
// trip.
func (*session) Alone() bool { return false }

// Exec implements Tx.
func (s *session) Exec(_ context.Context, query string, args ...any) (int64, error) {
	n, err := s.run(query, args...)
	if n > 0 || err != nil { // some errors undo the whole transaction
		s.changes++
	}
	return n, err
}

// run executes a statement without counting what it changed. It calls the driver
// itself: through database/sql, a small statement takes a fifth longer.
func (s *session) run(query string, args ...any) (changed int64, err error) {
	defer func() { clear(s.values) }()
	s.values = s.values[:0]
	for i, arg := range args {
		value, err := driver.DefaultParameterConverter.ConvertValue(arg) // as database/sql does
		if err != nil {
			return 0, fmt.Errorf("convert argument %d: %w", i+1, err)
		}
		s.values = append(s.values, driver.NamedValue{Ordinal: i + 1, Value: value})
	}
	err = s.conn.Raw(func(conn any) error {
		stmt, err := s.prepareExec(conn, query)
		if err != nil {
			return err
		}
		result, err := stmt.ExecContext(context.Background(), s.values)
		if err != nil {
			return err
		}
		changed, err = result.RowsAffected()
		return err
	})
	return changed, err
}

// prepareExec prepares a statement for run.
func (s *session) prepareExec(conn any, query string) (execStmt, error) {
	if stmt, ok := s.execs[query]; ok {
		return stmt, nil
	}
	stmt, err := conn.(driver.Conn).Prepare(query)
	if err != nil {
		return nil, err
	}
	s.execs[query] = stmt.(execStmt)
	return s.execs[query], nil
}

// Query implements Tx. A query that is no SELECT changes rows: it has RETURNING.
func (s *session) Query(_ context.Context, query string, args ...any) (*sql.Rows, error) {
	stmt, err := s.prepare(query) //nolint:sqlclosecheck // kept for the next time
	if err != nil {
		return nil, err
	}
	if !strings.HasPrefix(query, "SELECT") {
		s.changes++
	}
	return stmt.QueryContext(context.Background(), args...)
}

// checkDataVersion starts a new round if another process wrote since the last group.
func (s *session) checkDataVersion() error {
	last := s.dataVersion
	stmt, err := s.prepare(`SELECT data_version FROM pragma_data_version`) //nolint:sqlclosecheck // kept for the next time
	if err == nil {
		err = stmt.QueryRowContext(context.Background()).Scan(&s.dataVersion)
	}
	if err != nil || s.dataVersion != last {
		s.round++
	}
	return err
}

func (s *session) prepare(query string) (*sql.Stmt, error) {
	if stmt, ok := s.stmts[query]; ok {
		return stmt, nil
	}
	stmt, err := s.conn.PrepareContext(context.Background(), query)
	if err != nil {
		return nil, err
	}
	s.stmts[query] = stmt
	return stmt, nil
}

// close closes the statements first: when a connection is closed, database/sql
// drops its statements without closing them, which would keep SQLite open.
func (s *session) close() error {
	var err error
	for _, stmt := range s.stmts {
		err = errors.Join(err, stmt.Close())
	}
	for _, stmt := range s.execs {
		err = errors.Join(err, stmt.Close())
	}
	return errors.Join(err, s.conn.Close())
}
