package group

import (
	"context"
	"database/sql"
	"iter"
	"slices"
)

// Writes run alongside each other where a statement costs a round trip: each is a
// coroutine that stops at its next statement, and when all have stopped, their statements
// go to the server together. Only one of them runs at a time.

// Pipeline is a Conn that can run the statements of several writes in one round trip.
type Pipeline interface {
	Conn
	// Run runs statements, one after the other, until one fails. Those after it have
	// errors as well.
	Run(all []*Statement)
}

// Statement is what a write waits for.
type Statement struct {
	Query string
	Args  []any
	Reads bool // it has rows: it is of Tx.Query

	Rows    *sql.Rows
	Changed int64 // rows, if it is of Tx.Exec
	Changes bool  // as Conn.Changes counts
	Err     error
}

// maxAlongside is how many writes run alongside each other: more would save little, and
// each has a stack.
const maxAlongside = 128

// alongside runs writes of a group alongside each other.
type alongside struct {
	w       *Writer
	conn    Pipeline
	waiting []*write         // in their order, which have not been looked at
	ready   []*write         // which the one before of the same key has made free
	behind  map[any][]*write // by the key of one that is running
	running []*coroutine
}

// runAlongside runs writes that have keys. Those of the same key run one after the other.
func (w *Writer) runAlongside(conn Pipeline, all []*write) error {
	a := &alongside{w: w, conn: conn, waiting: all, behind: map[any][]*write{}}
	defer a.stop()
	for len(a.running)+len(a.ready)+len(a.waiting) > 0 {
		if err := a.step(); err != nil {
			return err
		}
	}
	return nil
}

// start starts the next writes, as many as may run.
func (a *alongside) start() (started []*coroutine) {
	for len(a.running)+len(started) < maxAlongside && len(a.ready)+len(a.waiting) > 0 {
		if wr := a.take(); wr != nil {
			started = append(started, newCoroutine(wr, a.conn))
		}
	}
	return started
}

// take takes the next write; nil if it has to wait for another, or its caller has left.
func (a *alongside) take() *write {
	if len(a.ready) > 0 {
		wr := a.ready[0]
		a.ready = a.ready[1:]
		if wr.begin() {
			return wr
		}
		a.free(wr)
		return nil
	}
	wr := a.waiting[0]
	a.waiting = a.waiting[1:]
	if others, busy := a.behind[wr.alongside]; busy {
		a.behind[wr.alongside] = append(others, wr)
		return nil
	}
	if !wr.begin() {
		return nil
	}
	a.behind[wr.alongside] = nil
	return wr
}

// free lets the next write of the same key run.
func (a *alongside) free(wr *write) {
	if others := a.behind[wr.alongside]; len(others) > 0 {
		a.ready, a.behind[wr.alongside] = append(a.ready, others[0]), others[1:]
	} else {
		delete(a.behind, wr.alongside)
	}
}

// step runs every write up to its next statement, and then these statements. If none has
// one, all that run have asked to be alone.
func (a *alongside) step() error {
	var statements []*Statement
	var of []*coroutine
	next := slices.Concat(a.running, a.start())
	for a.running = nil; len(next) > 0; next = a.start() {
		for i, c := range next {
			statement, err := a.resume(c)
			if err != nil {
				a.running = append(a.running, next[i:]...) // to be stopped
				return err
			}
			if statement != nil {
				statements, of = append(statements, statement), append(of, c)
			}
		}
	}
	if len(statements) == 0 {
		return a.finishAlone()
	}
	a.conn.Run(statements)
	for i, s := range statements {
		if s.Err != nil { // what comes after it fails because of it
			a.w.noteTooLong(of[i].write, s.Err)
			return errRerun
		}
	}
	return nil
}

// resume runs one write, up to its next statement, which it returns if there is one.
func (a *alongside) resume(c *coroutine) (*Statement, error) {
	var statement *Statement
	if !c.alone {
		var more bool
		if statement, more = c.next(); !more {
			return nil, a.ended(c)
		}
	}
	a.running = append(a.running, c)
	return statement, nil
}

// finishAlone runs those that have asked to be alone, one after the other.
func (a *alongside) finishAlone() error {
	for len(a.running) > 0 {
		c := a.running[0]
		c.next() // it stops no more
		a.running = a.running[1:]
		if err := a.ended(c); err != nil {
			return err
		}
	}
	return nil
}

func (a *alongside) ended(c *coroutine) error {
	a.free(c.write)
	return a.w.ended(c.write, c.err, c.changed)
}

// stop ends those that run: nothing of their group is kept.
func (a *alongside) stop() {
	for _, c := range a.running {
		c.stop()
	}
}

// coroutine is a write that runs alongside others, and its Tx.
type coroutine struct {
	*write
	conn    Pipeline
	next    func() (statement *Statement, more bool) // nil: it asks to be alone
	stop    func()
	wait    func(*Statement) bool // until next or stop is called; false: it is to end
	alone   bool
	changed bool // something, or may have
	err     error
}

func newCoroutine(wr *write, conn Pipeline) *coroutine {
	c := &coroutine{write: wr, conn: conn}
	c.next, c.stop = iter.Pull(func(wait func(*Statement) bool) {
		c.wait = wait
		c.err = runRecovered(wr.do, c)
	})
	return c
}

// Round implements Tx.
func (c *coroutine) Round() uint64 { return c.conn.Round() }

// Alone implements Tx.
func (c *coroutine) Alone() (waited bool) {
	if c.alone {
		return false
	}
	c.alone = true
	if !c.wait(nil) {
		c.alone = false // so that its statements fail
	}
	return true
}

// Exec implements Tx.
func (c *coroutine) Exec(ctx context.Context, query string, args ...any) (int64, error) {
	if c.alone {
		defer c.note(c.conn.Changes())
		return c.conn.Exec(ctx, query, args...)
	}
	s := c.run(&Statement{Query: query, Args: args})
	return s.Changed, s.Err
}

// Query implements Tx.
func (c *coroutine) Query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if c.alone {
		defer c.note(c.conn.Changes())
		return c.conn.Query(ctx, query, args...) //nolint:sqlclosecheck // the write does
	}
	s := c.run(&Statement{Query: query, Args: args, Reads: true})
	return s.Rows, s.Err
}

// note notes whether statements changed something since before.
func (c *coroutine) note(before int) { c.changed = c.changed || c.conn.Changes() > before }

// run waits for a statement.
func (c *coroutine) run(s *Statement) *Statement {
	if c.wait(s) {
		c.changed = c.changed || s.Changes
		return s
	}
	if s.Rows != nil {
		_ = s.Rows.Close()
	}
	s.Rows, s.Err = nil, errRerun
	return s
}
