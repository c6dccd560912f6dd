package postgres

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"testing"
	"time"

	"bookhook/db/group"
	"bookhook/db/postgres/pgtest"
)

func TestVersion(t *testing.T) {
	wantErr(t, "15.0", checkVersion(150000), nil)
	wantErr(t, "18.1", checkVersion(180001), nil)
	if err := checkVersion(140019); err == nil || err.Error() != "the server is PostgreSQL 14; Bookhook needs 15 or newer" {
		t.Errorf("got %v for PostgreSQL 14", err)
	}
}

// TestClock: more than a second beside the server's is refused, as far as that is sure
// with an answer that took a while.
func TestClock(t *testing.T) {
	pool, err := sql.Open("pgx", pgtest.URL(t))
	wantErr(t, "open", err, nil)
	defer pool.Close()
	for off, text := range map[time.Duration]string{
		0:                "",
		5 * time.Second:  "s ahead of that of the database's server",
		-5 * time.Second: "s behind that of the database's server",
	} {
		err := checkClock(t.Context(), pool, func() time.Time { return time.Now().Add(off) })
		if text == "" {
			wantErr(t, "right", err, nil)
		} else if err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("off by %s: got %v, want %q", off, err, text)
		}
	}
	asked := time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)
	for _, tt := range []struct{ took, server, off time.Duration }{
		{0, 0, 0},
		{0, -1500 * time.Millisecond, 1500 * time.Millisecond},
		{2 * time.Second, 0, 0}, // said at once, or at the end
		{2 * time.Second, 2 * time.Second, 0},
		{2 * time.Second, 4 * time.Second, -2 * time.Second},
		{2 * time.Second, -3 * time.Second, 3 * time.Second},
	} {
		want(t, fmt.Sprint(tt), clockOff(asked, asked.Add(tt.took), asked.Add(tt.server)), tt.off)
	}
}

// TestNewerTables: those of the next release are accepted, so that two versions can run side
// by side; those of the one after it are refused.
func TestNewerTables(t *testing.T) {
	d, url := openTemp(t)
	add := func(statement string, args ...any) {
		wantErr(t, statement, d.Write(t.Context(), group.Turn{}, func(tx group.Tx) error {
			_, err := tx.Exec(context.Background(), statement, args...)
			return err
		}), nil)
	}
	var newest int64
	wantErr(t, "version", scanOne(d, &newest, `SELECT max(version_id) FROM `+versions), nil)
	add(`ALTER TABLE settings ADD COLUMN more TEXT NOT NULL DEFAULT 'more'`)
	add(`INSERT INTO `+versions+` (version_id, is_applied) VALUES ($1, true)`, newest+1)
	other := openURL(t, url)
	wantErr(t, "write", other.Write(t.Context(), group.Turn{}, put("a")), nil)
	want(t, "rows", traces(t, d), "a")
	add(`INSERT INTO `+versions+` (version_id, is_applied) VALUES ($1, true)`, newest+2)
	_, err := Open(t.Context(), url)
	text := fmt.Sprintf("it was written by a newer Bookhook (version %d, this one knows %d); run that one", newest+2, newest)
	if err == nil || !strings.Contains(err.Error(), text) {
		t.Errorf("got error %v, want %q", err, text)
	}
}
