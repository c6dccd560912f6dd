package db

import (
	"context"
	"database/sql"
	"errors"

	"bookhook/db/group"
	"bookhook/stats"
	"bookhook/webhook"
)

// engine is what Store needs of a kind of database.
type engine interface {
	querier
	// Write runs do in a transaction that other writes may share, and returns when
	// that is on disk. If do returns an error, its part alone is undone. do may run
	// twice.
	Write(ctx context.Context, turn group.Turn, do func(engineTx) error) error
	// Groups makes the engine call begin before the writes of each group, and last after
	// them: it returns the statements that end their transaction.
	Groups(begin func(), last func() []*group.Statement)
	// IsUnique reports whether a statement failed because of a unique index.
	IsUnique(err error) bool
	// Ping reports whether the database can be read, and whether the last write
	// failed because it could not be written. It writes nothing itself.
	Ping(ctx context.Context) error
	replicas
	// Purge rewrites the database, so that nothing that was deleted or overwritten
	// is left in its files.
	Purge(ctx context.Context) error
	// Close finishes what is being written and closes the database.
	Close() error
}

// replicas is what an engine does so that several processes can serve the database.
// Where only one can, that holds all shards for ever.
type replicas interface {
	// Held returns which shards this process holds, of those that Lease returned.
	// It holds them until the transaction has ended. Only writes may call it.
	Held() webhook.ShardSet
	// Lease renews what this process holds, gives shards back and takes others.
	Lease(ctx context.Context, r webhook.LeaseRequest) (webhook.Lease, error)
	// Announce returns the statements that tell all other processes what a transaction
	// touches, once it is committed, and, if stale, that they have to begin a new round.
	Announce(touched []webhook.Touched, stale bool) []*group.Statement
	// Listen calls heard with what other processes announce, until ctx ends, and with
	// webhook.TouchUnknown when something may have been missed.
	Listen(ctx context.Context, heard func([]webhook.Touched))
	// Replicas lists the processes that serve the database, none if there can be only one.
	Replicas(ctx context.Context) ([]webhook.Replica, error)
}

// querier is what reading needs: the engine, for what is committed, or a transaction.
type querier interface {
	// Query runs a query. Close the rows.
	Query(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	// Unavailable returns what is wrong with the database as a whole; the zero
	// Message if the error is of another kind.
	Unavailable(err error) webhook.Message
}

// engineTx is a running write. It is an alias, so that an engine has the same
// type without knowing this package.
type engineTx = interface {
	Query(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	Exec(ctx context.Context, query string, args ...any) (changed int64, err error)
	// Round returns a number that changes whenever something that an earlier
	// write read or wrote may have changed since: within a round, what a write
	// has read can be cached, if every write that changes it calls invalidate.
	Round() uint64
	// Alone waits until no other write runs alongside this one; see group.Turn.
	Alone() (waited bool)
}

// transaction is what a write works with.
type transaction struct {
	engineTx
	engine engine
	*record
}

// record is what a write records besides its changes.
type record struct {
	touched []webhook.Touched
	counted stats.Log         // see counts.go
	queued  bool              // a message was added to the outbox
	others  []webhook.Touched // what other replicas may have to know; see announce
	stale   bool              // the write changes what may be cached; see invalidate
}

// usualCounts is how many bytes most writes count.
const usualCounts = 64

// Unavailable implements querier.
func (tx transaction) Unavailable(err error) webhook.Message { return tx.engine.Unavailable(err) }

// touch records that the write affects a webhook; see Watch.
func (tx transaction) touch(account webhook.AccountID, id webhook.WebhookID, what webhook.Touch) {
	tx.touched = append(tx.touched, webhook.Touched{Account: account, Webhook: id, What: what})
	tx.announce(account, id, what)
}

// invalidate records that the write changes what may be cached within a round.
func (tx transaction) invalidate() { tx.stale = true }

// write runs do in a transaction, returns when that is on disk, and reports what it
// touched; see engine.Write. do must not write through the store itself.
func (s *Store) write(ctx context.Context, do func(transaction) error) error {
	return s.writeInTurn(ctx, group.Turn{}, do)
}

// writeInTurn is write, which may let others run before it or alongside it.
func (s *Store) writeInTurn(ctx context.Context, turn group.Turn, do func(transaction) error) error {
	var r record
	err := s.engine.Write(ctx, turn, func(tx engineTx) error {
		r = record{counted: make(stats.Log, 0, usualCounts)}
		err := do(transaction{tx, s.engine, &r})
		if err == nil {
			s.counted, s.announced, s.stale = append(s.counted, r.counted...), append(s.announced, r.others...), s.stale || r.stale
		}
		return err
	})
	switch {
	case errors.Is(err, group.ErrUnknown): // others may see it, so it is reported as well
		r.touched, r.queued = append(r.touched, webhook.Touched{What: webhook.TouchUnknown}), true
	case err != nil:
		return unavailable(s.engine, err)
	}
	if r.queued {
		s.queued()
	}
	if len(r.touched) > 0 {
		s.touched(r.touched)
	}
	return unavailable(s.engine, err)
}

// row is the first row of a query, or the error of the query.
type row struct {
	from querier
	rows *sql.Rows
	err  error
}

// queryRow runs a query for one row. The row must always be scanned.
func queryRow(ctx context.Context, q querier, query string, args ...any) row {
	rows, err := q.Query(ctx, query, args...) //nolint:rowserrcheck,sqlclosecheck // Scan does
	return row{q, rows, err}
}

// Scan reads the row. It returns webhook.ErrNotFound if there is none.
func (r row) Scan(dest ...any) error {
	if r.err != nil {
		return unavailable(r.from, r.err)
	}
	found := r.rows.Next()
	err := r.rows.Err()
	if found {
		err = r.rows.Scan(dest...)
	}
	err = errors.Join(err, r.rows.Close())
	if err == nil && !found {
		return webhook.ErrNotFound
	}
	return unavailable(r.from, err)
}

// scanOptional reads the row if there is one, and leaves dest unchanged otherwise.
func (r row) scanOptional(dest ...any) error {
	return ignoreNotFound(r.Scan(dest...))
}

func ignoreNotFound(err error) error {
	if errors.Is(err, webhook.ErrNotFound) {
		return nil
	}
	return err
}

// scanner is a row that can be read.
type scanner interface{ Scan(dest ...any) error }

// list reads all rows of a query.
func list[T any](ctx context.Context, q querier, scan func(scanner) (T, error), query string, args ...any) ([]T, error) {
	rows, err := q.Query(ctx, query, args...)
	if err != nil {
		return nil, unavailable(q, err)
	}
	defer rows.Close()
	var items []T
	for rows.Next() {
		item, err := scan(rows)
		if err != nil {
			return nil, unavailable(q, err)
		}
		items = append(items, item)
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return nil, unavailable(q, err)
	}
	return items, nil
}

// unavailable makes an error a webhook.Unavailable if the database as a whole is
// the cause, so that the same operation may succeed later. It returns other errors
// unchanged.
func unavailable(q querier, err error) error {
	if err == nil {
		return nil
	}
	if _, known := errors.AsType[webhook.Unavailable](err); known {
		return err
	}
	if message := q.Unavailable(err); !message.IsZero() {
		return webhook.Unavailable{Message: message, Unknown: errors.Is(err, group.ErrUnknown), Cause: err}
	}
	return err
}
