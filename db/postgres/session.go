package postgres

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"

	"bookhook/db/group"
)

// Limits of a group of writes.
const (
	lockTimeout      = 10 * time.Second // for the groups of other processes to end
	statementTimeout = 10 * time.Second // on the server
	answerTimeout    = statementTimeout + 2*time.Second
	// silentTime is for how long a server that was silent is not asked again, so that what
	// waits is refused at once.
	silentTime = 3 * time.Second
	// pauseTimeout is after how long without a statement the server ends a group: the
	// writes of all processes wait for one that is frozen.
	pauseTimeout = 5 * time.Second
)

// begin begins a group. The settings are those of the transaction, since a connection of
// PgBouncer has many users. remote_apply is stronger than on; what is weaker would answer
// before an event is on disk. With another isolation level, a group might not see what others
// committed while it waited for the lock. Whatever a group looks for has an index; the server
// would rather read small tables as a whole, and keep to that while they grow.
var begin = fmt.Sprintf(`BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE;
SELECT set_config('synchronous_commit', CASE current_setting('synchronous_commit') WHEN 'remote_apply' THEN 'remote_apply' ELSE 'on' END, true),
	set_config('lock_timeout', '%d', true), set_config('statement_timeout', '%d', true), set_config('idle_in_transaction_session_timeout', '%d', true),
	set_config('enable_seqscan', 'off', true), set_config('jit', 'off', true);
`, lockTimeout.Milliseconds(), statementTimeout.Milliseconds(), pauseTimeout.Milliseconds()) + writing.lock() + `;
SELECT shard, epoch FROM shards WHERE replica = %[1]d;
SELECT process, changes FROM last_writer;
UPDATE last_writer SET process = %[1]d, counted = %[1]d, changes = changes + CASE WHEN process = counted THEN 0 ELSE 1 END
	WHERE process <> %[1]d OR counted <> %[1]d RETURNING changes`

// session is the writer's connection, which is opened again when it is lost. It is the
// Tx of every write. Statements run to their end even if the caller's context ends:
// interrupting one would undo the whole group.
type session struct {
	pool    *sql.DB
	conn    *sql.Conn // nil: not connected
	process int64     // tells this process from others
	round   uint64    // see group.Tx
	others  uint64    // groups before which another process wrote
	known   int64     // last_writer.changes of which the round knows
	shards  epochs    // of this process when the group began
	changes int       // statements that changed rows, or may have
	failed  error     // of the first statement of the group, or of its part, that failed
	silent  time.Time // when the server last did not answer in time
	read    *sql.DB   // gives rows that were read the type of those that are not
}

func newSession(config *pgx.ConnConfig) *session {
	return &session{pool: pool(config, 1), process: rand.Int64(), known: -1, read: sql.OpenDB(rowsDriver{})} //nolint:gosec // no secret
}

// Round implements group.Tx.
func (s *session) Round() uint64 { return s.round }

// Alone implements group.Tx: statements that are not of Run are of a write that is alone.
func (*session) Alone() bool { return false }

// Exec implements group.Tx.
func (s *session) Exec(_ context.Context, query string, args ...any) (changed int64, err error) {
	all, err := values(args)
	if err != nil {
		return 0, err
	}
	err = s.raw(func(conn *pgx.Conn) error {
		tag, err := conn.Exec(context.Background(), query, all...)
		changed = tag.RowsAffected()
		return err
	})
	if changed > 0 || err != nil {
		s.changes++
	}
	return changed, err
}

// Query implements group.Tx. A query that is no SELECT changes rows: it has RETURNING.
func (s *session) Query(_ context.Context, query string, args ...any) (*sql.Rows, error) {
	all, err := values(args)
	if err != nil {
		return nil, err
	}
	if !isSelect(query) {
		s.changes++
	}
	if err := s.raw(func(*pgx.Conn) error { return nil }); err != nil {
		return nil, err
	}
	rows, err := s.conn.QueryContext(context.Background(), query, all...)
	s.note(err)
	return rows, err
}

func isSelect(query string) bool { return strings.HasPrefix(query, "SELECT") }

// raw runs statements on the connection, which may take answerTimeout each.
func (s *session) raw(run func(*pgx.Conn) error) error {
	if s.conn == nil {
		return errLost
	}
	err := s.conn.Raw(func(of any) error {
		conn := of.(*stdlib.Conn).Conn() //nolint:forcetypeassert // the pool has no other
		if conn.IsClosed() {
			return errLost
		}
		if err := conn.PgConn().Conn().SetDeadline(time.Now().Add(answerTimeout)); err != nil {
			return err
		}
		return run(conn)
	})
	s.note(err)
	return err
}

func (s *session) note(err error) {
	if s.failed == nil {
		s.failed = err
	}
	s.noteSilence(err)
}

func (s *session) noteSilence(err error) {
	if errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.DeadlineExceeded) {
		s.silent = time.Now()
	}
}

// simple runs statements that have no arguments, all in one round trip.
func (s *session) simple(statements string) (results []*pgconn.Result, err error) {
	err = s.raw(func(conn *pgx.Conn) (err error) {
		results, err = conn.PgConn().Exec(context.Background(), statements).ReadAll()
		return err
	})
	return results, err
}

// Begin implements group.Conn. If the connection was lost since the last group, as
// when the server was restarted, it uses a new one; if the server is silent, none.
func (s *session) Begin() error {
	if s.status() == 'I' {
		if err := s.begin(); err == nil || !isLost(err) && messageCode(codeOf(err)) != unreachable {
			return err
		}
	}
	s.drop()
	if time.Since(s.silent) < silentTime {
		return errSilent
	}
	ctx, cancel := context.WithTimeout(context.Background(), answerTimeout)
	defer cancel()
	var err error
	if s.conn, err = s.pool.Conn(ctx); err != nil {
		s.noteSilence(err)
		return err
	}
	return s.begin()
}

func (s *session) begin() error {
	s.failed = nil
	results, err := s.simple(fmt.Sprintf(begin, s.process))
	if err == nil {
		last := len(results) - 1
		err = cmp.Or(s.readShards(results[last-2].Rows), s.readLastWriter(results[last-1].Rows, results[last].Rows))
	}
	if err != nil {
		s.Rollback()
	}
	return err
}

// readLastWriter begins a new round if what this process keeps may have changed.
func (s *session) readLastWriter(before, after [][][]byte) error {
	if len(before) != 1 {
		return errNoWriter
	}
	now := before[0][1]
	if len(after) > 0 {
		s.others++
		now = after[0][0]
	}
	changes, err := strconv.ParseInt(string(now), 10, 64)
	if err == nil && changes != s.known {
		s.round++
		s.known = changes
	}
	return err
}

// readShards reads rows of the table shards, as texts. With other shards a new round begins:
// what this process knows of their webhooks may be from before somebody else had them.
func (s *session) readShards(rows [][][]byte) error {
	before := s.shards
	defer func() {
		if s.shards != before {
			s.round++
		}
	}()
	s.shards = epochs{}
	for _, row := range rows {
		shard, err := strconv.Atoi(string(row[0]))
		if err != nil {
			return err
		}
		if s.shards[shard], err = strconv.ParseInt(string(row[1]), 10, 64); err != nil {
			return err
		}
	}
	return nil
}

// drop closes the connection. What is known may be from commits that a standby which is
// promoted does not have.
func (s *session) drop() {
	s.known = -1
	if s.conn == nil {
		return
	}
	_ = s.conn.Raw(func(of any) error {
		closeConn(of.(*stdlib.Conn).Conn()) //nolint:forcetypeassert // the pool has no other
		return nil
	})
	_ = s.conn.Close()
	s.conn = nil
}

// closeConn closes a connection, whether or not the server answers.
func closeConn(conn *pgx.Conn) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = conn.Close(ctx)
}

// Commit implements group.Conn.
func (s *session) Commit(last []*group.Statement) error {
	if s.status() == 'E' { // the server would undo what failed before
		return cmp.Or(s.failed, errUndone)
	}
	all := append(slices.Clone(last), &group.Statement{Query: `COMMIT`})
	s.Run(all)
	for _, statement := range all {
		switch status := s.status(); {
		case statement.Err == nil:
		case status == 'E' || status == 'I':
			return statement.Err
		default: // the connection was lost before the answer
			return fmt.Errorf("%w: %w", group.ErrUnknown, statement.Err)
		}
	}
	return nil
}

// Rollback implements group.Conn.
func (s *session) Rollback() {
	s.round++
	if _, err := s.simple(`ROLLBACK`); err != nil {
		s.drop()
	}
}

// Savepoint implements group.Conn.
func (s *session) Savepoint() error {
	_, err := s.simple(`SAVEPOINT part`)
	return err
}

// Undo implements group.Conn.
func (s *session) Undo() error {
	s.round++ // what was read in it may be undone
	if _, err := s.simple(`ROLLBACK TO part`); err != nil {
		return err
	}
	s.failed = nil
	return nil
}

// Release implements group.Conn.
func (s *session) Release() error {
	_, err := s.simple(`RELEASE part`)
	return err
}

// Changes implements group.Conn.
func (s *session) Changes() int { return s.changes }

// Spoiled implements group.Conn: after a statement that failed, PostgreSQL refuses all
// others of the transaction.
func (s *session) Spoiled(err error) error {
	if s.status() == 'T' {
		return nil
	}
	s.noteSilence(err)
	return cmp.Or(err, s.failed, errUndone)
}

// status returns the state of the connection's transaction: 'I' none, 'T' running, 'E'
// failed; 0 if the connection is lost.
func (s *session) status() (status byte) {
	_ = s.raw(func(conn *pgx.Conn) error {
		status = conn.PgConn().TxStatus()
		return nil
	})
	return status
}

// TookTooLong implements group.Conn.
func (*session) TookTooLong(err error) bool { return codeOf(err) == "57014" } // query_canceled, by statement_timeout

// IsUnavailable implements group.Conn.
func (*session) IsUnavailable(err error) bool { return !unavailable(err).IsZero() }

func (s *session) close() error {
	var err error
	if s.conn != nil {
		err = s.conn.Close()
	}
	return errors.Join(err, s.pool.Close(), s.read.Close())
}
