package postgres

import (
	"context"
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

// tryShare is tryLock for a lock that several may have, unless one has it alone.
func (p purpose) tryShare() string {
	return "SELECT pg_try_advisory_xact_lock_shared(" + p.key() + ")"
}

func (p purpose) key() string {
	return fmt.Sprintf("%d, current_schema()::regnamespace::oid::int", p)
}

// checkEvery is how often a process looks whether it still has its lock, which is lost
// with the connection.
const checkEvery = 5 * time.Second

// leaving is for how long a lock may still be there when its process was killed: the
// server has to notice.
const leaving = 2 * time.Second

// Lock reserves a database alone: nobody serves it until release is called, and nobody may
// be serving it. The lock ends with the process, however it ends; when the connection is
// lost, the lock is taken again as soon as that is possible. Commands that only change
// something need no lock.
func Lock(ctx context.Context, dsn string) (release func() error, err error) {
	return reserve(ctx, dsn, serving.tryLock())
}

// LockServing is Lock for a process that serves the database beside others that do.
func LockServing(ctx context.Context, dsn string) (release func() error, err error) {
	return reserve(ctx, dsn, serving.tryShare())
}

// reserve takes a lock with a statement that does not wait.
func reserve(ctx context.Context, dsn, try string) (release func() error, err error) {
	config, err := parse(dsn)
	if err != nil {
		return nil, err
	}
	l := &locker{config: config, try: try, done: make(chan struct{})}
	err = l.take(ctx)
	for began := time.Now(); errors.Is(err, ErrInUse) && time.Since(began) < leaving; err = l.take(ctx) {
		time.Sleep(leaving / 20)
	}
	if err != nil {
		return nil, fmt.Errorf("database %s %w", Name(dsn), l.explain(err))
	}
	var keep context.Context
	keep, l.cancel = context.WithCancel(context.WithoutCancel(ctx))
	go l.keep(keep)
	return sync.OnceValue(l.release), nil
}

// ErrInUse is wrapped by the error of a lock that another process has.
var ErrInUse = errors.New("is in use by another Bookhook; stop that one first")

// locker holds the lock of a process, in a transaction that does nothing else.
type locker struct {
	config *pgx.ConnConfig
	try    string    // takes the lock, or returns false
	conn   *pgx.Conn // nil: the lock was lost
	cancel context.CancelFunc
	done   chan struct{}
}

func (l *locker) explain(err error) error {
	if errors.Is(err, ErrInUse) {
		return err
	}
	return fmt.Errorf("cannot be used: %w", explain(l.config, err))
}

// take begins the transaction. A server notices within a minute that this machine is gone.
func (l *locker) take(ctx context.Context) (err error) {
	if l.conn, err = pgx.ConnectConfig(ctx, l.config); err != nil {
		return err
	}
	var free *bool // nil: there is no schema
	if _, err = l.conn.Exec(ctx, `BEGIN`); err == nil {
		err = l.conn.QueryRow(ctx, l.try+`, set_config('idle_in_transaction_session_timeout', '0', true),
			set_config('tcp_keepalives_idle', '15', true), set_config('tcp_keepalives_interval', '15', true), set_config('tcp_keepalives_count', '3', true)`).
			Scan(&free, new(string), new(string), new(string), new(string))
	}
	switch {
	case err == nil && free == nil:
		err = errNoSchema
	case err == nil && !*free:
		err = ErrInUse
	}
	if err != nil {
		l.drop()
	}
	return err
}

// drop ends the transaction with its connection. It waits for no answer.
func (l *locker) drop() {
	if l.conn != nil {
		closeConn(l.conn)
		l.conn = nil
	}
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
	if l.conn != nil {
		if _, err := l.conn.Exec(ctx, `SELECT 1`); err == nil {
			return
		}
		l.drop()
	}
	_ = l.take(ctx) // in use: by what is left of its own connection
}

func (l *locker) release() error {
	l.cancel()
	<-l.done
	l.drop()
	return nil
}
