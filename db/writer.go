package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"time"

	"modernc.org/sqlite"

	"bookhook/webhook"
)

// Bounds of the writer.
const (
	maxGroup     = 1000        // writes in one transaction
	maxWaiting   = 4000        // writes that wait for the next one
	maxQueueWait = time.Second // for a place among them; then webhook.ErrBusy
)

// writer runs all writes, in groups, on one connection.
type writer struct {
	pool    *sql.DB
	conn    *sql.Conn
	stmts   map[string]*sql.Stmt
	round   uint64 // changes when what was read before may not be so any more
	version int64  // SQLite's data_version: another one when somebody else wrote
	changes int    // statements that changed rows, or may have
	waiting chan *write
	between chan func(*sql.Conn) // to be run between two groups
	commits int
	tell    func()        // called after every askCommits commits
	stop    func() error  // ends the goroutine; more than once is harmless
	quit    chan struct{} // closed by stop
	done    chan struct{} // closed when the goroutine ended
}

// write is one write: its work and where its caller waits.
type write struct {
	ctx context.Context
	do  func(querier) error
	err error
	end chan struct{}
}

func startWriter(ctx context.Context, pool *sql.DB, tell func()) (*writer, error) {
	conn, err := pool.Conn(ctx)
	if err != nil {
		return nil, fmt.Errorf("take the writing connection: %w", err)
	}
	w := &writer{
		pool: pool, conn: conn, stmts: map[string]*sql.Stmt{}, tell: tell,
		waiting: make(chan *write, maxWaiting), between: make(chan func(*sql.Conn)), quit: make(chan struct{}), done: make(chan struct{}),
	}
	w.stop = sync.OnceValue(w.end)
	go w.loop()
	return w, nil
}

// end ends the writer after what is waiting now and closes its connection.
func (w *writer) end() error {
	close(w.quit)
	<-w.done
	var err error
	for _, stmt := range w.stmts { // database/sql forgets those of one connection, and SQLite stays open with them
		err = errors.Join(err, stmt.Close())
	}
	return errors.Join(err, w.conn.Close(), w.pool.Close())
}

// write runs do in a transaction of its own that it may share with others, and
// returns when that is on disk. do sees its own changes and those of the
// writes before it; what it returns as an error undoes its part alone. do may
// be run twice, when what it did was undone with the rest of its group. It must
// not write through the store itself, nor wait for something that does.
func (s *Store) write(ctx context.Context, do func(querier) error) error {
	wr := &write{ctx: ctx, do: do, end: make(chan struct{})}
	if err := s.writer.enqueue(wr); err != nil {
		return unavailable(err)
	}
	select {
	case <-wr.end:
		return unavailable(wr.err)
	case <-s.writer.done:
	}
	select {
	case <-wr.end: // it was among the last
		return unavailable(wr.err)
	default:
		return unavailable(errClosed)
	}
}

var errClosed = errors.New("the database is closed")

func (w *writer) enqueue(wr *write) error {
	select {
	case w.waiting <- wr:
		return nil
	default:
	}
	timer := time.NewTimer(maxQueueWait)
	defer timer.Stop()
	select {
	case w.waiting <- wr:
		return nil
	case <-timer.C:
		return webhook.ErrBusy
	case <-wr.ctx.Done():
		return wr.ctx.Err()
	case <-w.done:
		return errClosed
	}
}

func (w *writer) loop() {
	defer close(w.done)
	for {
		select {
		case first := <-w.waiting:
			runtime.Gosched() // those who were just answered may have the next write at hand
			w.commit(w.gather(first))
		case work := <-w.between:
			work(w.conn)
		case <-w.quit:
			w.drain()
			return
		}
	}
}

// drain answers what still waits when the writer stops.
func (w *writer) drain() {
	for len(w.waiting) > 0 {
		w.commit(w.gather(<-w.waiting))
	}
}

// gather takes what is waiting besides first, without waiting for more.
func (w *writer) gather(first *write) []*write {
	group := []*write{first}
	for len(group) < maxGroup {
		select {
		case next := <-w.waiting:
			group = append(group, next)
		default:
			return group
		}
	}
	return group
}

// commit runs a group in one transaction and answers every caller.
//
// Most groups are free of errors, and savepoints cost as much as small writes
// do. So the group runs without them first; when a write fails that had
// changed something, all is undone and run again, each write in a savepoint.
func (w *writer) commit(group []*write) {
	err := w.transact(group, w.plain)
	if errors.Is(err, errHalf) {
		err = w.transact(group, w.part)
	}
	for _, wr := range group {
		if err != nil { // everybody's: an ErrConflict may be about a change that was undone with it
			wr.err = err
		}
		close(wr.end)
	}
}

// errHalf says that a write failed after it had changed something.
var errHalf = errors.New("a write has to be undone")

func (w *writer) transact(group []*write, run func(*write) error) (err error) {
	if _, err := w.run(`BEGIN IMMEDIATE`); err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	defer func() {
		if err != nil {
			w.round++
			_, _ = w.run(`ROLLBACK`) // fails when SQLite did it already
		}
	}()
	if err := w.notice(); err != nil {
		return err
	}
	for _, wr := range group {
		if wr.err = wr.ctx.Err(); wr.err != nil {
			continue // the caller left before it began
		}
		if err := run(wr); err != nil {
			return err
		}
	}
	if _, err := w.run(`COMMIT`); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	if w.commits++; w.commits%askCommits == 0 {
		w.tell()
	}
	return nil
}

// rest runs work between two groups, unless the writer ends first.
func (w *writer) rest(work func(*sql.Conn)) {
	done := make(chan struct{})
	select {
	case w.between <- func(conn *sql.Conn) { work(conn); close(done) }:
		<-done
	case <-w.done:
	}
}

// notice begins a new round when another process wrote since the last group.
func (w *writer) notice() error {
	last := w.version
	err := w.row(context.Background(), `SELECT data_version FROM pragma_data_version`).Scan(&w.version)
	if err != nil || w.version != last {
		w.round++
	}
	return err
}

// plain runs one write without a savepoint. Some errors of SQLite undo the
// transaction even when they come of reading.
func (w *writer) plain(wr *write) error {
	before := w.changes
	wr.err = guarded(wr.do, w)
	if _, ofSQLite := errors.AsType[*sqlite.Error](wr.err); wr.err != nil && (ofSQLite || w.changes > before) {
		return errHalf
	}
	return nil
}

// part runs one write in its savepoint. Its error is of the transaction; that
// of the write itself stands in wr.err.
func (w *writer) part(wr *write) error {
	if _, err := w.run(`SAVEPOINT part`); err != nil {
		return fmt.Errorf("savepoint: %w", err)
	}
	if wr.err = guarded(wr.do, w); wr.err != nil {
		w.round++ // what was read in it may be undone
		if _, err := w.run(`ROLLBACK TO part`); err != nil {
			return fmt.Errorf("undo a write: %w", errors.Join(wr.err, err)) // the cause first: after it, SQLite may know the savepoint no more
		}
	}
	if _, err := w.run(`RELEASE part`); err != nil {
		return fmt.Errorf("release: %w", err)
	}
	return nil
}

// guarded turns a panic of one write into its error, so that the writer lives.
func guarded(do func(querier) error, q querier) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic in a write: %v", p)
		}
	}()
	return do(q)
}

// The writer's statements run to their end whatever becomes of the caller: an
// interrupted statement would undo the whole group.

func (w *writer) exec(_ context.Context, query string, args ...any) (int64, error) {
	n, err := w.run(query, args...)
	if n > 0 || err != nil { // some errors undo the whole transaction
		w.changes++
	}
	return n, err
}

// run is exec for what changes no row.
func (w *writer) run(query string, args ...any) (int64, error) {
	stmt, err := w.prepare(query) //nolint:sqlclosecheck // kept for the next time
	if err != nil {
		return 0, err
	}
	result, err := stmt.ExecContext(context.Background(), args...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

func (w *writer) rows(_ context.Context, query string, args ...any) (*sql.Rows, error) {
	stmt, err := w.prepare(query) //nolint:sqlclosecheck // kept for the next time
	if err != nil {
		return nil, err
	}
	w.asked(query)
	return stmt.QueryContext(context.Background(), args...)
}

func (w *writer) row(_ context.Context, query string, args ...any) row {
	stmt, err := w.prepare(query) //nolint:sqlclosecheck // kept for the next time
	if err != nil {
		return row{err: err}
	}
	w.asked(query)
	return row{sqlRow: stmt.QueryRowContext(context.Background(), args...)}
}

// asked notes a query that changes rows, one with RETURNING.
func (w *writer) asked(query string) {
	if !strings.HasPrefix(query, "SELECT") {
		w.changes++
	}
}

func (w *writer) prepare(query string) (*sql.Stmt, error) {
	if stmt, ok := w.stmts[query]; ok {
		return stmt, nil
	}
	stmt, err := w.conn.PrepareContext(context.Background(), query)
	if err != nil {
		return nil, err
	}
	w.stmts[query] = stmt
	return stmt, nil
}
