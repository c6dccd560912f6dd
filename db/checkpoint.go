package db

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
)

// The WAL is put into the database file here and not by SQLite itself, which
// would do it within a commit: half a second in which everybody waits. Most of
// it is copied by a connection of its own while the writer goes on. What was
// written meanwhile is copied in turn, until little is left; that the writer
// copies itself between two groups, so that all is in the file, and waits for
// those who still read in the WAL, so that it begins anew. (Without the last step
// it would grow without end: the next write could begin it anew only if nobody
// read in it at that moment.)

// Bounds of the copying, in pages of the WAL.
const (
	walPages   = 20_000 // begin
	walRest    = 400    // leave to the writer
	walPasses  = 8      // then the writer takes what there is
	askCommits = 16     // commits between two looks at the WAL
)

// readersWait is for how many milliseconds the writer waits for readers. Should
// one take longer, as a backup does, the WAL goes on until it is long again.
const readersWait = 200

// maxWAL is the size in bytes to which the file is cut when the WAL begins
// anew. A file that stays makes for faster commits than one that grows.
const maxWAL = 256 << 20

// checkpointer copies the WAL in the background.
type checkpointer struct {
	pool *sql.DB
	long int           // walPages
	look chan struct{} // capacity 1: some commits were made
	rest func(work func(*sql.Conn))
	end  context.CancelFunc
	done chan struct{}
}

func openCheckpointer(ctx context.Context, path string) (*checkpointer, error) {
	pool, err := open(ctx, path, 1, url.Values{"_synchronous": {"FULL"}})
	if err != nil {
		return nil, err
	}
	return &checkpointer{pool: pool, long: walPages, look: make(chan struct{}, 1), done: make(chan struct{})}, nil
}

// start begins; rest runs work in the writer, between two groups.
func (c *checkpointer) start(rest func(work func(*sql.Conn))) {
	ctx, end := context.WithCancel(context.Background())
	c.rest, c.end = rest, end
	go c.loop(ctx)
}

func (c *checkpointer) stop() error {
	c.end()
	<-c.done
	return c.pool.Close()
}

// committed is called by the writer.
func (c *checkpointer) committed() {
	select {
	case c.look <- struct{}{}:
	default:
	}
}

func (c *checkpointer) loop(ctx context.Context) {
	defer close(c.done)
	for {
		select {
		case <-ctx.Done():
			return
		case <-c.look:
			c.shorten(ctx)
		}
	}
}

// shorten copies the WAL when it is long. That it fails (a full disk) is no
// harm: the WAL stays, and the next look tries again.
func (c *checkpointer) shorten(ctx context.Context) {
	left, err := walLeft(ctx, c.pool, `PRAGMA wal_checkpoint(NOOP)`)
	if err != nil || left < c.long {
		return
	}
	for pass := 0; pass < walPasses && left >= walRest; pass++ {
		if _, err := walLeft(ctx, c.pool, `PRAGMA wal_checkpoint(PASSIVE)`); err != nil {
			return
		}
		if left, err = walLeft(ctx, c.pool, `PRAGMA wal_checkpoint(NOOP)`); err != nil {
			return
		}
	}
	c.rest(func(conn *sql.Conn) { restartWAL(ctx, conn) })
}

func restartWAL(ctx context.Context, conn *sql.Conn) {
	patience := func(ms int) {
		_, _ = conn.ExecContext(context.WithoutCancel(ctx), fmt.Sprintf(`PRAGMA busy_timeout = %d`, ms))
	}
	patience(readersWait)
	defer patience(busyTimeout)
	_, _ = walLeft(ctx, conn, `PRAGMA wal_checkpoint(RESTART)`)
}

// walLeft runs a checkpoint and returns how many pages it left in the WAL.
func walLeft(ctx context.Context, q interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}, checkpoint string,
) (left int, err error) {
	var busy, pages, copied int
	err = q.QueryRowContext(ctx, checkpoint).Scan(&busy, &pages, &copied)
	return pages - copied, err
}
