package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"net/url"
	"sync/atomic"
)

// The WAL is copied into the database file here and not by SQLite itself, which
// would do it within a commit: half a second in which all writes wait. Most of it
// is copied by a connection of its own while the writer continues. What was written
// meanwhile is copied in further passes, until little is left. The writer copies
// that rest between two groups, and then waits for the readers of the WAL, so that
// the WAL restarts from its beginning. Without this last step it would grow without
// end: the next write can restart it only if nobody reads it at that moment.

// Limits of copying, in pages of the WAL.
const (
	checkpointPages  = 20_000 // from which copying starts
	remainingPages   = 400    // that are left to the writer
	checkpointPasses = 8      // after which the writer copies the rest, however long
	commitsPerCheck  = 16     // commits between two checks of the WAL's length
)

// readersTimeout is for how many milliseconds the writer waits for readers. If
// one takes longer, as a backup does, the WAL grows until it is long again.
const readersTimeout = 200

// maxWAL is the size in bytes to which the WAL is truncated when it restarts. A
// file that stays makes for faster commits than one that grows.
const maxWAL = 256 << 20

// checkpointer copies the WAL in the background.
type checkpointer struct {
	pool             *sql.DB
	minPages         int           // checkpointPages; less in tests
	readersTimeout   int           // readersTimeout; more in tests, which may be slow
	check            chan struct{} // capacity 1: some commits were made
	runBetweenGroups func(work func(*sql.Conn))
	flushFailure     atomic.Pointer[error] // see recordFailure
	cancel           context.CancelFunc
	done             chan struct{}
}

func openCheckpointer(ctx context.Context, path string) (*checkpointer, error) {
	pool, err := open(ctx, path, 1, url.Values{"_synchronous": {"FULL"}})
	if err != nil {
		return nil, err
	}
	return &checkpointer{
		pool: pool, minPages: checkpointPages, readersTimeout: readersTimeout, check: make(chan struct{}, 1), done: make(chan struct{}),
	}, nil
}

// start starts the goroutine; runBetweenGroups runs work on the writer's
// connection.
func (c *checkpointer) start(runBetweenGroups func(work func(*sql.Conn))) {
	ctx, cancel := context.WithCancel(context.Background())
	c.runBetweenGroups, c.cancel = runBetweenGroups, cancel
	go c.loop(ctx)
}

func (c *checkpointer) stop() error {
	c.cancel()
	<-c.done
	return c.pool.Close()
}

// wake makes the checkpointer check the WAL's length. It never waits.
func (c *checkpointer) wake() {
	select {
	case c.check <- struct{}{}:
	default:
	}
}

func (c *checkpointer) loop(ctx context.Context) {
	defer close(c.done)
	for {
		select {
		case <-ctx.Done():
			return
		case <-c.check:
			c.checkpoint(ctx)
		}
	}
}

// checkpoint copies the WAL if it is long. A failure to write (a full disk) does no
// harm: the WAL stays, and the next check tries again.
func (c *checkpointer) checkpoint(ctx context.Context) {
	if c.unflushed() != nil {
		return
	}
	left, err := pagesLeft(ctx, c.pool, `PRAGMA wal_checkpoint(NOOP)`)
	if err != nil || left < c.minPages {
		return
	}
	for pass := 0; pass < checkpointPasses && left >= remainingPages; pass++ {
		if _, err := pagesLeft(ctx, c.pool, `PRAGMA wal_checkpoint(PASSIVE)`); err != nil {
			c.recordFailure(err)
			return
		}
		if left, err = pagesLeft(ctx, c.pool, `PRAGMA wal_checkpoint(NOOP)`); err != nil {
			return
		}
	}
	c.runBetweenGroups(func(conn *sql.Conn) { c.recordFailure(restartWAL(ctx, conn, c.readersTimeout)) })
}

// recordFailure ends copying for good if the system could not flush what was
// copied. It may have given up any page since the last flush, and says so only once;
// SQLite counts the pages of an unfinished pass as copied without a flush, and would
// not copy them again. The WAL still has them all, so it must stay until the next
// process copies it from its beginning.
func (c *checkpointer) recordFailure(err error) {
	if !isFlushFailure(err) {
		return
	}
	err = fmt.Errorf("%w: %w", errUnflushed, err)
	c.flushFailure.Store(&err)
	slog.Error("the disk failed to flush the database file, whose write-ahead log grows until Bookhook is started again; restart the machine", "error", err)
}

// unflushed returns the failure that ended copying; nil if there was none.
func (c *checkpointer) unflushed() error {
	if err := c.flushFailure.Load(); err != nil {
		return *err
	}
	return nil
}

// restartWAL copies the rest of the WAL and waits for its readers, for at most
// patience milliseconds.
func restartWAL(ctx context.Context, conn *sql.Conn, patience int) error {
	setTimeout := func(ms int) {
		_, _ = conn.ExecContext(context.WithoutCancel(ctx), fmt.Sprintf(`PRAGMA busy_timeout = %d`, ms))
	}
	setTimeout(patience)
	defer setTimeout(busyTimeout)
	_, err := pagesLeft(ctx, conn, `PRAGMA wal_checkpoint(RESTART)`)
	return err
}

// pagesLeft runs a checkpoint and returns how many pages it left in the WAL.
func pagesLeft(ctx context.Context, q interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}, checkpoint string,
) (left int, err error) {
	var busy, pages, copied int
	err = q.QueryRowContext(ctx, checkpoint).Scan(&busy, &pages, &copied)
	return pages - copied, err
}
