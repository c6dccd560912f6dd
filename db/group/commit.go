package group

import (
	"errors"
	"fmt"
	"time"
)

// Conn is the connection of a Writer, and the Tx of its writes.
type Conn interface {
	Tx
	// Begin begins a transaction, and a new round if another process wrote since the
	// last one.
	Begin() error
	// Commit runs the last statements of a group and commits. It returns nil only if what
	// was written is on disk, and an error that wraps ErrUnknown if it may be.
	Commit(last []*Statement) error
	// Rollback ends a transaction that failed, and begins a new round.
	Rollback()
	// Savepoint begins a part of the transaction.
	Savepoint() error
	// Undo undoes what was done since Savepoint, and begins a new round.
	Undo() error
	// Release ends the part, undone or not.
	Release() error
	// Changes counts the statements that changed rows, or may have.
	Changes() int
	// Spoiled returns why the writes before one that ended with err, which may be nil,
	// may be undone, or nil if they are not.
	Spoiled(err error) error
	// TookTooLong reports whether a write failed because it took too long.
	TookTooLong(err error) bool
	// IsUnavailable reports whether the database as a whole is the cause of an error.
	IsUnavailable(err error) bool
}

// commit runs the writes that are waiting as a group, in one transaction, and wakes every
// caller. One of now or later may have been taken before.
//
// Most groups are free of errors, and a savepoint costs as much as a small write.
// So the group first runs without them; if a write fails after it changed
// something, everything is undone and run again, each write in a savepoint.
func (w *Writer) commit(now, later []*write) {
	before := w.conn.Changes()
	most := [...]int{len(w.queue), len(w.later)}
	err := w.beginGroup()
	if err == nil { // else what has come since has not been tried
		most = [...]int{Max, Max}
	}
	group := w.gather(now, later, most)
	if err == nil {
		err = w.transact(group, w.runDirect)
	}
	if errors.Is(err, errRerun) {
		if err = w.beginGroup(); err == nil {
			err = w.transact(group, w.runInSavepoints)
		}
	}
	for _, wr := range group {
		if err != nil { // for all of them: an ErrConflict may be about a change that was undone as well
			wr.err = err
		}
	}
	w.recordFailure(group, err == nil && w.conn.Changes() > before)
	for _, wr := range group {
		close(wr.done)
	}
}

// errRerun says that a write failed after it had changed something.
var errRerun = errors.New("a write has to be undone")

func (w *Writer) beginGroup() error {
	if err := w.conn.Begin(); err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	return nil
}

// transact runs a group in the transaction that has begun, and ends it.
func (w *Writer) transact(group []*write, run func([]*write) error) (err error) {
	defer func() {
		if err != nil {
			w.conn.Rollback()
		}
	}()
	w.begin()
	if err := run(group); err != nil {
		return err
	}
	if err := w.conn.Commit(w.last()); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}

// runDirect runs writes without savepoints: those that have a key alongside each other if
// the connection has a pipeline, any other one alone.
func (w *Writer) runDirect(group []*write) error {
	pipeline, piped := w.conn.(Pipeline)
	for len(group) > 0 {
		n := 0
		for piped && n < len(group) && group[n].alongside != nil {
			n++
		}
		var err error
		if n > 1 {
			err = w.runAlongside(pipeline, group[:n])
		} else {
			n, err = 1, w.runOne(group[0])
		}
		if err != nil {
			return err
		}
		group = group[n:]
	}
	return nil
}

// runOne runs one write without a savepoint.
func (w *Writer) runOne(wr *write) error {
	if !wr.begin() {
		return nil
	}
	before := w.conn.Changes()
	err := runRecovered(wr.do, w.conn)
	return w.ended(wr, err, w.conn.Changes() > before)
}

// ended notes how a write ended that ran without a savepoint, and returns errRerun if its
// group cannot go on.
func (w *Writer) ended(wr *write, err error, changed bool) error {
	wr.err = err
	spoiled := w.conn.Spoiled(err)
	w.noteTooLong(wr, spoiled)
	if spoiled != nil || err != nil && changed {
		return errRerun
	}
	return nil
}

func (w *Writer) noteTooLong(wr *write, err error) {
	if w.conn.TookTooLong(err) {
		wr.tooLong = err
	}
}

// runInSavepoints runs writes one after the other, each in a savepoint.
func (w *Writer) runInSavepoints(group []*write) error {
	for _, wr := range group {
		if !wr.begin() {
			continue
		}
		if err := w.runInSavepoint(wr); err != nil {
			return err
		}
	}
	return nil
}

// runInSavepoint runs one write in a savepoint. It returns the error of the
// transaction; that of the write itself is wr.err.
func (w *Writer) runInSavepoint(wr *write) error {
	if wr.err = wr.tooLong; wr.err != nil {
		return nil // it would keep the others waiting once more
	}
	if err := w.conn.Savepoint(); err != nil {
		return fmt.Errorf("savepoint: %w", err)
	}
	wr.err = runRecovered(wr.do, w.conn)
	if err := w.conn.Spoiled(wr.err); err != nil {
		wr.err = err // also if the write took no notice of it
	}
	if wr.err != nil {
		if err := w.conn.Undo(); err != nil {
			return fmt.Errorf("undo a write: %w", errors.Join(wr.err, err)) // the cause first: after it, the database may know the savepoint no more
		}
	}
	if err := w.conn.Release(); err != nil {
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

// failure is the last write that failed because the database could not be used.
type failure struct {
	err error
	at  time.Time
}

// FailureTTL is how long LastFailure returns a failure, unless a write succeeds before.
const FailureTTL = 30 * time.Second

// recordFailure stores a failure of the database, and clears it after a group that
// changed something: a group without changes succeeds on a full disk, too.
func (w *Writer) recordFailure(group []*write, changed bool) {
	for _, wr := range group {
		if wr.err != nil && w.conn.IsUnavailable(wr.err) {
			w.SetFailure(wr.err, time.Now())
			return
		}
	}
	if changed {
		w.failure.Store(nil)
	}
}

// SetFailure stores that the database could not be written at a time.
func (w *Writer) SetFailure(err error, at time.Time) { w.failure.Store(&failure{err, at}) }

// LastFailure returns why the database could not be written within FailureTTL; nil
// if it could.
func (w *Writer) LastFailure() error {
	if f := w.failure.Load(); f != nil && time.Since(f.at) < FailureTTL {
		return f.err
	}
	return nil
}
