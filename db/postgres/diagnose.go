package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

// Limits of what Diagnose takes for healthy.
const (
	mostSkew    = time.Second            // between the clocks of the server and of this machine
	slowCommit  = 100 * time.Millisecond // every event waits for one
	connections = 12                     // that a Bookhook needs when it starts
)

// Severity is how bad a Finding is.
type Severity int

// The severities.
const (
	Fine Severity = iota
	Doubtful
	Wrong
)

// Finding is something that Diagnose found.
type Finding struct {
	Severity Severity
	What     string // it is about, in a word or two
	Text     string
}

// Health is what is known of a database.
type Health struct {
	Findings []Finding
	Usable   bool      // without an upgrade
	Newest   time.Time // when the newest event was received; zero if there is none
}

func (h *Health) add(s Severity, what, format string, args ...any) {
	h.Findings = append(h.Findings, Finding{s, what, fmt.Sprintf(format, args...)})
}

// Diagnose checks the database that a URL names, its server and the way to it. It changes
// nothing.
func Diagnose(ctx context.Context, dsn string) (h Health) {
	config, err := parse(dsn)
	if err != nil {
		h.add(Wrong, "database", "%s", err)
		return h
	}
	one := pool(config, 1)
	defer one.Close() //nolint:errcheck // it only asked
	if err := checkServer(ctx, one); err != nil {
		h.add(Wrong, "database", "%s: %s", Name(dsn), explain(config, err))
		return h
	}
	for _, check := range []func(context.Context, *sql.DB) error{h.checkTables, h.checkDurability, h.checkCommit, h.checkClock, h.checkConnections, h.checkWay} {
		if err := check(ctx, one); err != nil {
			h.add(Wrong, "database", "%s: %s", Name(dsn), explain(config, err))
		}
	}
	return h
}

// checkTables looks at the tables and at what the user may do with them.
func (h *Health) checkTables(ctx context.Context, one *sql.DB) error {
	err := checkComplete(ctx, one)
	if err != nil && !errors.Is(err, errOlder) {
		return err
	}
	if h.Usable = err == nil; !h.Usable {
		h.add(Fine, "database", "its schema is that of an older Bookhook, and is upgraded when this one starts")
	}
	var bytes, newest int64
	var version, user string
	var foreign, uncollated int
	err = one.QueryRowContext(ctx, `SELECT pg_database_size(current_database()), current_setting('server_version'), COALESCE((SELECT received_at FROM events ORDER BY id DESC LIMIT 1), 0), current_user,
		(SELECT count(*) FROM pg_class c WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r' AND NOT pg_has_role(c.relowner, 'USAGE')),
		(SELECT count(*) FROM information_schema.columns WHERE table_schema = current_schema() AND table_name IN ('events', 'deliveries') AND data_type = 'text' AND collation_name IS DISTINCT FROM 'C')`).
		Scan(&bytes, &version, &newest, &user, &foreign, &uncollated)
	if err != nil {
		return err
	}
	if newest > 0 {
		h.Newest = time.UnixMilli(newest)
	}
	h.add(Fine, "database", "PostgreSQL %s answers, and has %.1f MB", version, float64(bytes)/1e6)
	h.add(Fine, "disk", "it is the server's; look there how much is free")
	if foreign > 0 {
		h.add(Wrong, "rights", "%d tables belong to somebody else than the user %s, who cannot upgrade them; make that user their owner", foreign, user)
	}
	if uncollated > 0 {
		h.add(Wrong, "collation", "%d columns do not have the collation C, so lists may be out of order; restore a backup into a new database", uncollated)
	}
	return nil
}

// checkDurability looks at what a power cut could take back. synchronous_commit does not
// matter: each group of writes sets it.
func (h *Health) checkDurability(ctx context.Context, one *sql.DB) error {
	unsafe := false
	for _, setting := range []string{"fsync", "full_page_writes"} {
		var value string
		if err := one.QueryRowContext(ctx, `SELECT current_setting($1)`, setting).Scan(&value); err != nil {
			return err
		}
		if value != "on" {
			unsafe = true
			h.add(Wrong, "durability", "%s is %s on the server, so a power cut can destroy the database; set it to on", setting, value)
		}
	}
	if !unsafe {
		h.add(Fine, "durability", "what is committed is on the server's disk, whatever its synchronous_commit: Bookhook sets that itself")
	}
	return nil
}

// checkCommit measures how long it takes until a small write is on disk: the best of three.
// It is a message in the write-ahead log, which changes no table.
func (h *Health) checkCommit(ctx context.Context, one *sql.DB) error {
	best := time.Hour
	for range 3 {
		start := time.Now()
		_, err := one.ExecContext(ctx, `SELECT set_config('synchronous_commit', 'on', true), pg_logical_emit_message(true, 'bookhook', 'doctor')`)
		if codeOf(err) == "42501" { // insufficient_privilege
			return nil
		}
		if err != nil {
			return err
		}
		best = min(best, time.Since(start))
	}
	if best > slowCommit {
		h.add(Wrong, "server", "a write takes %s; more than %s makes every event wait", best.Round(time.Millisecond), slowCommit)
		return nil
	}
	h.add(Fine, "server", "a write is on its disk after %s", best.Round(10*time.Microsecond))
	return nil
}

// checkClock compares the server's clock with ours, in the middle of asking.
func (h *Health) checkClock(ctx context.Context, one *sql.DB) error {
	start := time.Now()
	var theirs time.Time
	if err := one.QueryRowContext(ctx, `SELECT clock_timestamp()`).Scan(&theirs); err != nil {
		return err
	}
	asking := time.Since(start)
	h.compareClocks(theirs.Sub(start.Add(asking/2)), asking)
	return nil
}

func (h *Health) compareClocks(skew, asking time.Duration) {
	if skew.Abs() > mostSkew+asking/2 {
		h.add(Wrong, "clock", "the server's differs by %s from that of this machine; synchronise both (NTP)", skew.Round(time.Millisecond))
		return
	}
	h.add(Fine, "clock", "the server's differs by %s from that of this machine", skew.Round(time.Millisecond))
}

// checkConnections counts the connections that the server still has for this user. Those of
// a Bookhook that runs count as those that it needs.
func (h *Health) checkConnections(ctx context.Context, one *sql.DB) error {
	var left, ours int
	err := one.QueryRowContext(ctx, `SELECT LEAST(
			current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int - (SELECT count(*) FROM pg_stat_activity WHERE datid IS NOT NULL),
			(SELECT CASE datconnlimit WHEN -1 THEN 1000000 ELSE datconnlimit END - (SELECT count(*) FROM pg_stat_activity a WHERE a.datid = d.oid) FROM pg_database d WHERE datname = current_database()),
			(SELECT CASE rolconnlimit WHEN -1 THEN 1000000 ELSE rolconnlimit END - (SELECT count(*) FROM pg_stat_activity a WHERE a.usesysid = r.oid) FROM pg_roles r WHERE rolname = current_user)),
		(SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'bookhook')`).Scan(&left, &ours)
	switch {
	case err != nil:
		return err
	case left+ours < connections:
		h.add(Wrong, "connections", "%d are left, and a Bookhook needs up to %d; raise max_connections (or the limit of the database or of the user), or put PgBouncer before the server", left+ours, connections)
	default:
		h.add(Fine, "connections", "%d are left, and a Bookhook needs up to %d", left, connections)
	}
	return nil
}

// checkWay looks at the connection itself: whether it is encrypted, and whether a pooler
// is between, behind which another process of the server answers than the one it named.
func (h *Health) checkWay(ctx context.Context, one *sql.DB) error {
	conn, err := one.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close() //nolint:errcheck // it only asked
	var process int64
	var near bool
	if err := conn.QueryRowContext(ctx, `SELECT pg_backend_pid(), COALESCE(inet_client_addr() = inet_server_addr(), true)`).Scan(&process, &near); err != nil {
		return err
	}
	return conn.Raw(func(of any) error {
		c := of.(*stdlib.Conn).Conn() //nolint:forcetypeassert // the pool has no other
		if c.Config().TLSConfig == nil && !near {
			h.add(Doubtful, "encryption", "what goes to the server and back is not encrypted; add sslmode=verify-full to the URL")
		}
		if int64(c.PgConn().PID()) != process && c.Config().DefaultQueryExecMode == pgx.QueryExecModeCacheStatement {
			h.add(Doubtful, "PgBouncer", "a pooler such as PgBouncer is before the server; with pool_mode = transaction, add default_query_exec_mode=exec to the URL")
		}
		return nil
	})
}
