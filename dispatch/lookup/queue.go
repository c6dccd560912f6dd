package lookup

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"bookhook/webhook"
)

// Bounds of what is read from the table.
const (
	maxPending = 100_000 // events in memory, shared by account; the table keeps the rest
	pageSize   = 1000    // rows in one read
)

// Store is what a queue needs of the database.
type Store interface {
	// Lookups lists up to limit events of accounts in these shards after the given
	// one that wait until their platform is asked about the booking, in the order of
	// their ids. That is the order in which they were accepted, unless there are other
	// replicas: then one may be added a few seconds before one that was listed.
	Lookups(ctx context.Context, shards webhook.ShardSet, after webhook.EventID, limit int) ([]webhook.PendingLookup, error)

	// LookupsOf is Lookups for one account, up to the event last.
	LookupsOf(ctx context.Context, account webhook.AccountID, after, last webhook.EventID, limit int) ([]webhook.PendingLookup, error)

	// PendingEvent reads an account's event that still waits for a lookup. It
	// returns webhook.ErrNotFound if it no longer does.
	PendingEvent(ctx context.Context, account webhook.AccountID, event webhook.EventID) (webhook.Event, error)

	// Connection reads an account's use of a platform. It returns
	// webhook.ErrNotFound if the account never used it.
	Connection(ctx context.Context, account webhook.AccountID, platform string) (webhook.Connection, error)
}

// Options configure a queue; all of them are required.
type Options struct {
	Store   Store
	Client  *Client
	Timeout time.Duration // of a request about a booking; 10 s at most
	Log     *slog.Logger

	// Match stores the decisions on events of an account, in their order, all
	// or none, and starts their deliveries.
	Match func(account webhook.AccountID, events []webhook.Event) error
	// StoreFailed reports whether an operation of the store failed, and logs
	// when failures begin and end.
	StoreFailed func(operation string, err error) bool
	// Held returns the shards that this replica serves, and whether there are no
	// others.
	Held func() (shards webhook.ShardSet, alone bool)
}

// Queue looks up the bookings of events that wait for it.
type Queue struct {
	Options
	wake     chan struct{} // capacity 1
	restart  atomic.Bool   // see Restart
	finished chan result   // has room for all tasks of a schedule
	schedule *schedule

	after  webhook.EventID                       // the table was read up to this event
	more   bool                                  // there may be more after it
	behind map[webhook.AccountID]webhook.EventID // accounts of which there is more before it, after this event
	readAt time.Time                             // when to read again after the store failed
}

// New returns a queue, which does nothing before [Queue.Run].
func New(o Options) *Queue {
	return &Queue{
		Options: o, wake: make(chan struct{}, 1), finished: make(chan result, maxConcurrent), schedule: newSchedule(maxPending),
		more: true, behind: map[webhook.AccountID]webhook.EventID{},
	}
}

// Wake tells the queue that there may be more events in the table. It never
// blocks.
func (q *Queue) Wake() {
	select {
	case q.wake <- struct{}{}:
	default: // it is awake already
	}
}

// Restart makes the queue forget what it has read, and read it again: other shards are
// held now. It never blocks.
func (q *Queue) Restart() {
	q.restart.Store(true)
	q.Wake()
}

// idOverlap is how far the ids of events may be behind the order in which several replicas
// accepted them, at most: half a minute.
var idOverlap = func() webhook.EventID {
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	return webhook.FirstID[webhook.EventID](at.Add(30*time.Second)) - webhook.FirstID[webhook.EventID](at)
}()

// awake prepares to read what may be new.
func (q *Queue) awake() {
	q.more = true
	_, alone := q.Held()
	switch {
	case q.restart.Swap(false):
		cache := q.schedule.cache
		q.schedule, q.after = newSchedule(q.schedule.max), 0 // tasks that are running find out themselves that they are late
		q.schedule.cache = cache
		clear(q.behind)
	case !alone:
		q.after = max(0, q.after-idOverlap)
	}
}

// Run looks up bookings until ctx ends, and returns when no task is running.
// Requests are cut off when ctx ends, and repeated after the next start; storing
// is the context of the reads and writes of tasks, and ends after ctx.
func (q *Queue) Run(ctx, storing context.Context) {
	var tasks sync.WaitGroup
	defer tasks.Wait()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-q.wake:
			q.awake()
		case r := <-q.finished:
			if r.schedule == q.schedule {
				q.schedule.finish(r, time.Now())
			}
		case <-timer.C:
		}
		now := time.Now()
		q.read(ctx, now)
		for t, ok := q.schedule.next(now); ok; t, ok = q.schedule.next(now) {
			tasks.Go(func() {
				select {
				case q.finished <- q.process(ctx, storing, t):
				case <-ctx.Done():
				}
			})
		}
		if at := earlier(q.schedule.nextWake(now), q.readAt); at.IsZero() {
			timer.Stop()
		} else {
			timer.Reset(at.Sub(now))
		}
	}
}

// read continues reading the table while there is room for more.
func (q *Queue) read(ctx context.Context, now time.Time) {
	if q.readAt.After(now) {
		return
	}
	q.readAt = time.Time{}
	if !q.readBehind(ctx, now) || !q.readNew(ctx, now) {
		q.readAt = now.Add(storePause)
	}
}

// readNew reads on. What is of an account that has its share in memory stays in the
// table, with all that follows of it. It reports false if the store failed.
func (q *Queue) readNew(ctx context.Context, now time.Time) bool {
	shards, _ := q.Held()
	for q.more && q.schedule.room() > 0 {
		rows, err := q.Store.Lookups(ctx, shards, q.after, pageSize)
		if q.StoreFailed("read lookups", err) {
			return false
		}
		q.more = len(rows) == pageSize
		for i, row := range rows {
			after, behind := q.behind[row.Account]
			switch {
			case !behind && q.schedule.mayAdd(row.Account, 1):
				q.schedule.add(rows[i:i+1], now)
			case !behind || row.Event <= after:
				q.behind[row.Account] = q.after
			}
			q.after = row.Event
		}
	}
	return true
}

// readBehind reads what stayed in the table of accounts that have room again. It
// reports false if the store failed.
func (q *Queue) readBehind(ctx context.Context, now time.Time) bool {
	for account, after := range q.behind {
		if !q.schedule.mayAdd(account, pageSize) {
			continue
		}
		rows, err := q.Store.LookupsOf(ctx, account, after, q.after, pageSize)
		if q.StoreFailed("read lookups", err) {
			return false
		}
		q.schedule.add(rows, now)
		if len(rows) < pageSize {
			delete(q.behind, account)
		} else {
			q.behind[account] = rows[len(rows)-1].Event
		}
	}
	return true
}
