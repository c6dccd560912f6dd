package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"bookhook/webhook"
)

// Limits of the writer.
const (
	maxGroup     = 1000        // writes in one transaction
	maxWaiting   = 4000        // writes in each queue
	maxQueueWait = time.Second // for a place in the queue; then webhook.ErrBusy
)

// Tx is a running write. It is an alias, so that it is the same type for every
// kind of database and for the package that writes the statements.
type Tx = interface {
	// Query reads, or changes rows that it returns. Close the rows before the next statement.
	Query(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	// Exec changes rows and returns how many.
	Exec(ctx context.Context, query string, args ...any) (int64, error)
	// Round returns a number that changes whenever something that an earlier
	// write read or wrote may have changed since: another process wrote, or a
	// write was undone.
	Round() uint64
}

// writer runs all writes, in groups, on one connection.
type writer struct {
	session
	pool          *sql.DB
	queue         chan *write // these go before those of later, in each group
	later         chan *write
	betweenGroups chan func(*sql.Conn)
	commits       int
	failure       atomic.Pointer[failure]
	begin         func()         // see DB.Groups
	beforeCommit  func(Tx) error // see DB.Groups
	afterCommits  func()         // called after every commitsPerCheck commits
	end           func()         // finishes the waiting writes and ends the goroutine; may be called more than once
	stop          func() error   // also closes the connection; may be called more than once
	quit          chan struct{}  // closed by end
	done          chan struct{}  // closed when the goroutine has ended
}

// failure is the last write that failed because the database could not be used.
type failure struct {
	err error
	at  time.Time
}

// failureTTL is how long a failure makes Ping report that the database cannot be
// written, unless a write succeeds before.
const failureTTL = 30 * time.Second

// write is one write: its work, and the channel on which its caller waits.
type write struct {
	ctx  context.Context
	do   func(Tx) error
	err  error
	done chan struct{}
}

func startWriter(ctx context.Context, pool *sql.DB, afterCommits func()) (*writer, error) {
	conn, err := pool.Conn(ctx)
	if err != nil {
		return nil, fmt.Errorf("take the writing connection: %w", err)
	}
	w := &writer{
		session: session{conn: conn, stmts: map[string]*sql.Stmt{}, execs: map[string]execStmt{}}, pool: pool, begin: func() {}, beforeCommit: func(Tx) error { return nil }, afterCommits: afterCommits,
		queue: make(chan *write, maxWaiting), later: make(chan *write, maxWaiting), betweenGroups: make(chan func(*sql.Conn)), quit: make(chan struct{}), done: make(chan struct{}),
	}
	w.end = sync.OnceFunc(func() { close(w.quit); <-w.done })
	w.stop = sync.OnceValue(w.close)
	go w.loop()
	return w, nil
}

func (w *writer) close() error {
	w.end()
	return errors.Join(w.session.close(), w.pool.Close())
}

// Write runs do in a transaction that it may share with other writes, and returns
// when that is on disk. do sees its own changes and those of the writes before
// it; if it returns an error, only its own changes are undone. do runs a second
// time if its changes were undone with the rest of its group. It must neither call
// Write nor wait for something that does. Write returns webhook.ErrBusy if too many
// writes are waiting.
//
// Writes of new work go later than others that wait, so that it does not keep work
// under way from being finished.
func (d *DB) Write(ctx context.Context, later bool, do func(Tx) error) error {
	wr, queue := &write{ctx: ctx, do: do, done: make(chan struct{})}, d.writer.queue
	if later {
		queue = d.writer.later
	}
	if err := d.writer.enqueue(wr, queue); err != nil {
		return err
	}
	select {
	case <-wr.done:
		return wr.err
	case <-d.writer.done:
	}
	select {
	case <-wr.done: // it was among the last
		return wr.err
	default:
		return errClosed
	}
}

// Groups makes the database call begin before the writes of each group, and
// beforeCommit after them, in their transaction: if it fails, so do all of them. A
// group may begin twice. Call Groups before the first Write.
func (d *DB) Groups(begin func(), beforeCommit func(Tx) error) {
	d.writer.begin, d.writer.beforeCommit = begin, beforeCommit
}

func (w *writer) enqueue(wr *write, queue chan *write) error {
	select {
	case queue <- wr:
		return nil
	default:
	}
	timer := time.NewTimer(maxQueueWait)
	defer timer.Stop()
	select {
	case queue <- wr:
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
		case first := <-w.queue:
			w.commit(w.gather([]*write{first}, nil))
		case first := <-w.later:
			w.commit(w.gather(nil, []*write{first}))
		case work := <-w.betweenGroups:
			work(w.conn)
		case <-w.quit:
			w.drain()
			return
		}
	}
}

// drain commits the writes that still wait when the writer stops.
func (w *writer) drain() {
	for len(w.queue)+len(w.later) > 0 {
		w.commit(w.gather(nil, nil))
	}
}

// gather takes the writes that are waiting, without waiting for more: those of now
// first, then the one that was taken of later, if any, and the rest of later.
func (w *writer) gather(now, later []*write) []*write {
	runtime.Gosched() // callers that have just returned may have their next write ready
	group := append(take(w.queue, now), later...)
	return take(w.later, group)
}

// take adds what is in a queue to a group, as far as that has room. Nobody else takes
// from it.
func take(queue chan *write, group []*write) []*write {
	for n := len(queue); n > 0 && len(group) < maxGroup; n-- {
		group = append(group, <-queue)
	}
	return group
}

// runBetweenGroups runs work on the writer's connection between two groups,
// unless the writer ends first.
func (w *writer) runBetweenGroups(work func(*sql.Conn)) {
	done := make(chan struct{})
	select {
	case w.betweenGroups <- func(conn *sql.Conn) { work(conn); close(done) }:
		<-done
	case <-w.done:
	}
}

// commit runs a group in one transaction and wakes every caller.
//
// Most groups are free of errors, and a savepoint costs as much as a small write.
// So the group first runs without them; if a write fails after it changed
// something, everything is undone and run again, each write in a savepoint.
func (w *writer) commit(group []*write) {
	before := w.changes
	err := w.transact(group, w.runDirect)
	if errors.Is(err, errRerun) {
		err = w.transact(group, w.runInSavepoint)
	}
	for _, wr := range group {
		if err != nil { // for all of them: an ErrConflict may be about a change that was undone as well
			wr.err = err
		}
	}
	w.recordFailure(group, err == nil && w.changes > before)
	for _, wr := range group {
		close(wr.done)
	}
}

// recordFailure stores a failure of the database, and clears it after a group that
// changed something: a group without changes succeeds on a full disk, too.
func (w *writer) recordFailure(group []*write, changed bool) {
	for _, wr := range group {
		if wr.err != nil && !unavailable(wr.err).IsZero() {
			w.failure.Store(&failure{wr.err, time.Now()})
			return
		}
	}
	if changed {
		w.failure.Store(nil)
	}
}

// lastFailure returns why the database could not be written within failureTTL; nil
// if it could.
func (w *writer) lastFailure() error {
	if f := w.failure.Load(); f != nil && time.Since(f.at) < failureTTL {
		return f.err
	}
	return nil
}

// errRerun says that a write failed after it had changed something.
var errRerun = errors.New("a write has to be undone")

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
	if err := w.checkDataVersion(); err != nil {
		return err
	}
	w.begin()
	for _, wr := range group {
		if wr.err = wr.ctx.Err(); wr.err != nil {
			continue // the caller gave up before the write started
		}
		if err := run(wr); err != nil {
			return err
		}
	}
	if err := w.beforeCommit(&w.session); err != nil {
		return fmt.Errorf("before the commit: %w", err)
	}
	if _, err := w.run(`COMMIT`); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	if w.commits++; w.commits%commitsPerCheck == 0 {
		w.afterCommits()
	}
	return nil
}

// runDirect runs one write without a savepoint. Some errors of SQLite undo the
// whole transaction, even those of reading.
func (w *writer) runDirect(wr *write) error {
	before := w.changes
	wr.err = runRecovered(wr.do, &w.session)
	if wr.err != nil && (isDriverError(wr.err) || w.changes > before) {
		return errRerun
	}
	return nil
}

// runInSavepoint runs one write in a savepoint. It returns the error of the
// transaction; that of the write itself is wr.err.
func (w *writer) runInSavepoint(wr *write) error {
	if _, err := w.run(`SAVEPOINT part`); err != nil {
		return fmt.Errorf("savepoint: %w", err)
	}
	if wr.err = runRecovered(wr.do, &w.session); wr.err != nil {
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

// runRecovered turns a panic of one write into its error, so that the writer goes
// on.
func runRecovered(do func(Tx) error, tx Tx) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic in a write: %v", p)
		}
	}()
	return do(tx)
}
