package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"strings"
)

// session is the writer's connection with its prepared statements. It is the Tx
// of every write. Statements run to their end even if the caller's context ends:
// interrupting one would undo the whole group.
type session struct {
	conn        *sql.Conn
	stmts       map[string]*sql.Stmt
	round       uint64 // see Tx
	dataVersion int64  // SQLite's data_version: it changes when another process writes
	changes     int    // statements that changed rows, or may have
}

// Round implements Tx.
func (s *session) Round() uint64 { return s.round }

// Exec implements Tx.
func (s *session) Exec(_ context.Context, query string, args ...any) (int64, error) {
	n, err := s.run(query, args...)
	if n > 0 || err != nil { // some errors undo the whole transaction
		s.changes++
	}
	return n, err
}

// run executes a statement without counting what it changed.
func (s *session) run(query string, args ...any) (int64, error) {
	stmt, err := s.prepare(query) //nolint:sqlclosecheck // kept for the next time
	if err != nil {
		return 0, err
	}
	result, err := stmt.ExecContext(context.Background(), args...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
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
	return errors.Join(err, s.conn.Close())
}
