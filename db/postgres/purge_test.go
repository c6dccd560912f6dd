package postgres

import (
	"context"
	"strings"
	"testing"
	"time"

	"bookhook/db/postgres/pgtest"
)

// TestPurgeRefused: rewriting the tables of another owner fails, and says so.
func TestPurgeRefused(t *testing.T) {
	d, url := openTemp(t)
	wantErr(t, "purge", d.Purge(t.Context()), nil)
	pgtest.Exec(t, url, `CREATE USER guest`)
	defer pgtest.Exec(t, pgtest.URL(t), `DROP USER guest`)
	defer pgtest.Exec(t, url, `DROP OWNED BY guest`)
	pgtest.Exec(t, url, `GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO guest`)
	guest := openURL(t, strings.Replace(url, pgtest.Superuser+"@", "guest@", 1))
	if err := guest.Purge(t.Context()); err == nil || !strings.Contains(err.Error(), "is not its owner") {
		t.Errorf("got error %v, want one about the owner", err)
	}
	guest.Close()
}

// TestPurgeInUse: while somebody reads a table for long, it is not rewritten, and nobody
// waits for that.
func TestPurgeInUse(t *testing.T) {
	d, url := openTemp(t)
	other := openURL(t, url)
	rows, err := d.Query(t.Context(), `SELECT i, (SELECT count(*) FROM webhooks) FROM generate_series(1, 1000000) i`) //nolint:rowserrcheck // nobody reads on
	wantErr(t, "read", err, nil)
	defer rows.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	purged := make(chan error, 1)
	go func() { purged <- d.Purge(ctx) }()
	for done := false; !done; {
		select {
		case err = <-purged:
			done = true
		default:
			wantErr(t, "another process meanwhile", scanOne(other, new(int), `SELECT count(*) FROM webhooks`), nil)
		}
	}
	if err == nil || !strings.Contains(err.Error(), "somebody reads it for long") {
		t.Errorf("got error %v, want one that says so", err)
	}
	wantErr(t, "end of reading", rows.Close(), nil)
	wantErr(t, "purge", d.Purge(t.Context()), nil)
}
