// Package group runs writes in groups: it is what the databases have in common.
//
// A [Writer] has one goroutine, which takes all writes that are waiting, runs them in
// one transaction on its connection ([Conn]), commits once, and returns to all their
// callers. Nobody waits for a group to fill. The writes of a group run one after the other,
// unless the connection has a [Pipeline] and they say that they may run alongside others
// ([Turn]).
package group

import (
	"context"
	"database/sql"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"bookhook/webhook"
)

// Limits of a Writer.
const (
	Max          = 1000        // writes in one transaction
	maxWaiting   = 4000        // writes in each queue
	maxQueueWait = time.Second // for a place in the queue; then webhook.ErrBusy
)

// ErrClosed is the error of every write after End.
var ErrClosed = errors.New("the database is closed")

// ErrUnknown is wrapped by the error of a commit that may have happened all the same.
var ErrUnknown = errors.New("it is not known whether this was written")

// Tx is a running write. It is an alias, so that it is the same type for every
// kind of database and for the package that writes the statements.
type Tx = interface {
	// Query reads, or changes rows that it returns. Close the rows before the next statement.
	Query(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	// Exec changes rows and returns how many.
	Exec(ctx context.Context, query string, args ...any) (int64, error)
	// Round returns a number that changes whenever something that an earlier
	// write read or wrote may have changed since: another process wrote something that
	// may be kept in memory, or a write was undone.
	Round() uint64
	// Alone makes the write run as one without a key, from here on: it waits until all
	// others that run alongside it have ended, or wait for the same. It reports whether it
	// waited, so that what this write has read may have changed.
	Alone() (waited bool)
}

// Turn is when a write runs among others that wait.
type Turn struct {
	// Later is for new work, so that it does not keep work under way from being finished.
	Later bool
	// Alongside is a key: on some databases, writes run alongside those with other keys,
	// interleaved at their statements; those with the same key run in their order. So
	// whatever such a write does until it is Alone must come to the same whatever the
	// others do in between. A write without a key (nil) runs alone.
	Alongside any
}

// Writer runs all writes, in groups.
type Writer struct {
	conn          Conn
	queue         chan *write // these go before those of later, in each group
	later         chan *write
	betweenGroups chan func()
	failure       atomic.Pointer[failure]
	begin         func()              // see Groups
	last          func() []*Statement // see Groups
	end           func()
	quit          chan struct{} // closed by End
	done          chan struct{} // closed when the goroutine has ended
}

// write is one write: its work, and the channel on which its caller waits.
type write struct {
	ctx       context.Context
	do        func(Tx) error
	alongside any          // see Turn
	state     atomic.Int32 // waiting, running or left
	tooLong   error        // why it is not run again with the rest of its group
	err       error
	done      chan struct{}
}

// The states of a write. What runs may change variables of its caller, who has to wait.
const (
	waiting int32 = iota
	running
	left // by its caller, before it ran
)

// begin reports whether the write may run, again or for the first time: not if its caller
// gave up before.
func (wr *write) begin() bool {
	if wr.err = wr.ctx.Err(); wr.err != nil {
		return false
	}
	return wr.state.CompareAndSwap(waiting, running) || wr.state.Load() == running
}

// leave reports whether the caller may leave: the write will not run.
func (wr *write) leave() bool { return wr.state.CompareAndSwap(waiting, left) }

// Start starts a Writer on a connection that nobody else uses.
func Start(conn Conn) *Writer {
	w := newWriter(conn, maxWaiting)
	go w.loop()
	return w
}

func newWriter(conn Conn, waiting int) *Writer {
	w := &Writer{
		conn: conn, begin: func() {}, last: func() []*Statement { return nil },
		queue: make(chan *write, waiting), later: make(chan *write, waiting), betweenGroups: make(chan func()), quit: make(chan struct{}), done: make(chan struct{}),
	}
	w.end = sync.OnceFunc(func() { close(w.quit); <-w.done })
	return w
}

// End finishes the waiting writes and ends the goroutine. It may be called more than
// once.
func (w *Writer) End() { w.end() }

// Ending is closed when End is called.
func (w *Writer) Ending() <-chan struct{} { return w.quit }

// Ended reports whether the goroutine has ended.
func (w *Writer) Ended() bool {
	select {
	case <-w.done:
		return true
	default:
		return false
	}
}

// Groups makes the writer call begin before the writes of each group, and last after
// them: it returns the statements that end their transaction, without rows. If one fails,
// so do all of the writes. A group may begin twice. Call Groups before the first write.
func (w *Writer) Groups(begin func(), last func() []*Statement) {
	w.begin, w.last = begin, last
}

// Write runs do in a transaction that it may share with other writes, and returns
// when that is on disk, or when ctx ends before do has started. do sees its own changes
// and those of the writes before it; if it returns an error, only its own changes are
// undone. do runs a second time if its changes were undone with the rest of its group,
// unless it took too long. It must neither call Write nor wait for something that does.
// Write returns webhook.ErrBusy if too many writes are waiting.
//
// turn says which other writes may run before it, or alongside it.
func (w *Writer) Write(ctx context.Context, turn Turn, do func(Tx) error) error {
	wr, err := w.enqueue(ctx, turn, do)
	if err != nil {
		return err
	}
	return w.wait(wr)
}

// Enqueue is Write in two steps: the write has its place in the queue when Enqueue
// returns, and wait returns what Write would.
func (w *Writer) Enqueue(ctx context.Context, turn Turn, do func(Tx) error) (wait func() error, err error) {
	wr, err := w.enqueue(ctx, turn, do)
	return func() error { return w.wait(wr) }, err
}

func (w *Writer) wait(wr *write) error {
	select {
	case <-wr.done:
		return wr.err
	case <-w.done:
	case <-wr.ctx.Done():
		if wr.leave() {
			return wr.ctx.Err()
		}
	}
	select {
	case <-wr.done:
		return wr.err
	case <-w.done:
	}
	select {
	case <-wr.done: // it was among the last
		return wr.err
	default:
		return ErrClosed
	}
}

func (w *Writer) enqueue(ctx context.Context, turn Turn, do func(Tx) error) (*write, error) {
	wr, queue := &write{ctx: ctx, do: do, alongside: turn.Alongside, done: make(chan struct{})}, w.queue
	if turn.Later {
		queue = w.later
	}
	select {
	case queue <- wr:
		return wr, nil
	default:
	}
	timer := time.NewTimer(maxQueueWait)
	defer timer.Stop()
	select {
	case queue <- wr:
		return wr, nil
	case <-timer.C:
		return nil, webhook.ErrBusy
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-w.done:
		return nil, ErrClosed
	}
}

func (w *Writer) loop() {
	defer close(w.done)
	for {
		select {
		case first := <-w.queue:
			w.commit([]*write{first}, nil)
		case first := <-w.later:
			w.commit(nil, []*write{first})
		case work := <-w.betweenGroups:
			work()
		case <-w.quit:
			w.drain()
			return
		}
	}
}

// drain commits the writes that still wait when the writer stops.
func (w *Writer) drain() {
	for len(w.queue)+len(w.later) > 0 {
		w.commit(nil, nil)
	}
}

// gather takes the writes that are waiting, without waiting for more: those of now
// first, then the one that was taken of later, if any, and the rest of later, so many of each
// at most. It is called once the transaction has begun: that may take as long as other
// processes write.
func (w *Writer) gather(now, later []*write, most [2]int) []*write {
	runtime.Gosched() // callers that have just returned may have their next write ready
	group := append(take(w.queue, now, most[0]), later...)
	return take(w.later, group, most[1])
}

// take adds what is in a queue to a group, as far as that has room. Nobody else takes
// from it.
func take(queue chan *write, group []*write, most int) []*write {
	for n := min(len(queue), most); n > 0 && len(group) < Max; n-- {
		group = append(group, <-queue)
	}
	return group
}

// BetweenGroups runs work between two groups, when nobody uses the connection,
// unless the writer ends first.
func (w *Writer) BetweenGroups(work func()) {
	done := make(chan struct{})
	select {
	case w.betweenGroups <- func() { work(); close(done) }:
		<-done
	case <-w.done:
	}
}
