package e2e

import (
	"strings"
	"testing"

	"bookhook/db/postgres/pgtest"
)

// On PostgreSQL it loses nothing either, killed under load.
func TestCrashPostgres(t *testing.T) {
	t.Parallel()
	c := newCrash(t, pgtest.Database(t, "template1"), 0)
	for range 3 {
		c.under(c.op.kill9)
		c.op.restart()
	}
	c.away.behaves(well)
	c.audit(true)
	if log := c.op.log.String(); !strings.Contains(log, "using the database postgres://postgres@127.0.0.1:") {
		t.Error("it does not say which database it uses")
	}
}

// The server of the database ends all connections, and takes no new ones for a while.
func TestCrashPostgresAway(t *testing.T) {
	t.Parallel()
	url := pgtest.Database(t, "template1")
	name := url[strings.LastIndex(url, "/")+1:]
	c := newCrash(t, url, 0)
	c.outage("The server of Bookhook's database cannot be reached", func() func() {
		pgtest.Exec(t, pgtest.URL(t), `ALTER DATABASE `+name+` ALLOW_CONNECTIONS false`)
		pgtest.Exec(t, pgtest.URL(t), `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1`, name)
		return func() { pgtest.Exec(t, pgtest.URL(t), `ALTER DATABASE `+name+` ALLOW_CONNECTIONS true`) }
	})
}
