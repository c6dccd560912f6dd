package postgres

import (
	"strings"
	"testing"

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
	if err := guest.Purge(t.Context()); err == nil || !strings.Contains(err.Error(), "owner of the table") {
		t.Errorf("got error %v, want one about the owner", err)
	}
	guest.Close()
}
