package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"

	"bookhook/db/group"
)

// Tx is a running write.
type Tx = group.Tx

// writer runs all writes, in groups, on one connection.
type writer struct {
	*group.Writer
	session *session
	pool    *sql.DB
	stop    func() error // finishes the waiting writes and closes the connection; may be called more than once
}

func startWriter(ctx context.Context, pool *sql.DB, afterCommits func()) (*writer, error) {
	conn, err := pool.Conn(ctx)
	if err != nil {
		return nil, fmt.Errorf("take the writing connection: %w", err)
	}
	s := &session{conn: conn, stmts: map[string]*sql.Stmt{}, execs: map[string]execStmt{}, afterCommits: afterCommits}
	w := &writer{Writer: group.Start(s), session: s, pool: pool}
	w.stop = sync.OnceValue(w.close)
	return w, nil
}

func (w *writer) close() error {
	w.End()
	return errors.Join(w.session.close(), w.pool.Close())
}

// runBetweenGroups runs work on the writer's connection between two groups,
// unless the writer ends first.
func (w *writer) runBetweenGroups(work func(*sql.Conn)) {
	w.BetweenGroups(func() { work(w.session.conn) })
}

// Write runs do in a group; see group.Writer.
func (d *DB) Write(ctx context.Context, turn group.Turn, do func(Tx) error) error {
	return d.writer.Write(ctx, turn, do)
}

// Groups sets what is called for each group; see group.Writer.
func (d *DB) Groups(begin func(), last func() []*group.Statement) { d.writer.Groups(begin, last) }
