package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// purpose is what an advisory lock is for. Transactions hold these locks, not sessions:
// PgBouncer gives the session of one that has ended to somebody else.
type purpose int32

const (
	serving purpose = 0x626F6F6B + iota // "book"
	writing
	migrating
)

// lock returns the statement that waits for a lock of this schema, which the transaction
// then has until it ends.
func (p purpose) lock() string { return "SELECT pg_advisory_xact_lock(" + p.key() + ")" }

// tryLock is lock, but returns false instead of waiting.
func (p purpose) tryLock() string { return "SELECT pg_try_advisory_xact_lock(" + p.key() + ")" }

func (p purpose) key() string {
	return fmt.Sprintf("%d, current_schema()::regnamespace::oid::int", p)
}

// checkEvery is how often a process looks whether it still has its lock, which is lost
// with the connection.
const checkEvery = 5 * time.Second

// leaving is for how long a lock may still be there when its process was killed: the
// server has to notice.
const leaving = 2 * time.Second

// Lock reserves a database for one serving process: a second one would treat the
// deliveries that the first has in flight as lost and send them again. Commands that only
// change something need no lock. The lock ends with the process, however it ends; when
// the connection is lost, the lock is taken again as soon as that is possible. If another
// process was faster, this one finds that out when it writes; see DB.Serve.
func Lock(ctx context.Context, dsn string) (release func() error, err error) {
	config, err := parse(dsn)
	if err != nil {
		return nil, err
	}
	l := &locker{pool: pool(config, 1), done: make(chan struct{})}
	err = l.take(ctx)
	for began := time.Now(); errors.Is(err, errInUse) && time.Since(began) < leaving; err = l.take(ctx) {
		time.Sleep(leaving / 20)
	}
	if err != nil {
		err = fmt.Errorf("database %s %w", Name(dsn), l.explain(config, err))
		return nil, errors.Join(err, l.pool.Close())
	}
	var keep context.Context
	keep, l.cancel = context.WithCancel(context.WithoutCancel(ctx))
	go l.keep(keep)
	return sync.OnceValue(l.release), nil
}

var errInUse = errors.New("is in use by another Bookhook; stop that one first")

// locker holds the lock of a serving process, in a transaction that does nothing else.
type locker struct {
	pool   *sql.DB
	tx     *sql.Tx
	cancel context.CancelFunc
	done   chan struct{}
}

func (*locker) explain(config *pgx.ConnConfig, err error) error {
	if errors.Is(err, errInUse) {
		return err
	}
	return fmt.Errorf("cannot be used: %w", explain(config, err))
}

// take begins the transaction. A server notices within a minute that this machine is gone.
func (l *locker) take(ctx context.Context) error {
	tx, err := l.pool.BeginTx(context.WithoutCancel(ctx), nil) // it outlives ctx
	if err != nil {
		return err
	}
	var free sql.NullBool // NULL: there is no schema
	err = tx.QueryRowContext(ctx, serving.tryLock()+`, set_config('idle_in_transaction_session_timeout', '0', true),
		set_config('tcp_keepalives_idle', '15', true), set_config('tcp_keepalives_interval', '15', true), set_config('tcp_keepalives_count', '3', true)`).
		Scan(&free, new(string), new(string), new(string), new(string))
	switch {
	case err == nil && !free.Valid:
		err = errNoSchema
	case err == nil && !free.Bool:
		err = errInUse
	}
	if err != nil {
		return errors.Join(err, tx.Rollback())
	}
	l.tx = tx
	return nil
}

func (l *locker) keep(ctx context.Context) {
	defer close(l.done)
	ticker := time.NewTicker(checkEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			l.check(ctx)
		}
	}
}

// check takes the lock again if it was lost.
func (l *locker) check(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	if l.tx != nil {
		if _, err := l.tx.ExecContext(ctx, `SELECT 1`); err == nil || ctx.Err() != nil && errors.Is(ctx.Err(), context.Canceled) {
			return
		}
		_ = l.tx.Rollback()
		l.tx = nil
	}
	_ = l.take(ctx) // in use: by what is left of its own connection, or by another process, which the writer then finds (DB.Serve)
}

func (l *locker) release() error {
	l.cancel()
	<-l.done
	if l.tx != nil {
		_ = l.tx.Rollback()
	}
	return l.pool.Close()
}
