package power

import (
	"compress/gzip"
	"context"
	"database/sql"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// base is a stored database of the first schema, with something of each kind.
const base = root + "/db/sqlite/testdata/base.db.gz"

// newVersion is that of nextMigration.
const newVersion = 99999

// TestPowerUpgrade: a power cut during an upgrade leaves the old schema or the new one, with all that was there, and
// once it can be the new one, the snapshot of the old. Its images are opened by the new binary itself.
func TestPowerUpgrade(t *testing.T) {
	needStrace(t)
	folder := t.TempDir()
	store(t, filepath.Join(folder, "bookhook.db"))
	want := rows(t, filepath.Join(folder, "bookhook.db"))
	r := newRecording(t, nextBinary, folder)
	r.start()
	r.kill9()
	tp := r.tape()
	p := tp.every(1)
	if os.Getenv(imagesWanted) == "" {
		p = p.some(40)
	}
	images, upgraded := 0, 0
	check := func(one trial) []string {
		folder := imageFolder(t)
		defer os.RemoveAll(folder) //nolint:errcheck // it is in memory
		return append(snapshotOf(t, one, want), upgrade(t, one, folder, want)...)
	}
	tp.open(t, p, check, func(one trial, problems []string) {
		images++
		if one.files["bookhook.db.before-99999"] != nil {
			upgraded++
		}
		if len(problems) > 0 {
			t.Errorf("moment %d, way %d: %q", one.moment, one.way, problems)
		}
	})
	t.Logf("%d images of an upgrade, %d of them with the snapshot", images, upgraded)
	if upgraded == 0 || upgraded == images {
		t.Error("this shows nothing: there must be images with a snapshot and without")
	}
}

// store writes base there. Its webhooks are switched off, and nothing is looked up: it would be sent to the internet.
func store(t testing.TB, path string) {
	t.Helper()
	file, err := os.Open(base)
	must(t, err)
	defer file.Close()
	unzip, err := gzip.NewReader(file)
	must(t, err)
	content, err := io.ReadAll(unzip)
	must(t, err)
	must(t, os.WriteFile(path, content, 0o600))
	pool, err := sql.Open("sqlite", "file:"+path)
	must(t, err)
	_, err = pool.ExecContext(t.Context(), `UPDATE webhooks SET enabled = 0; DELETE FROM lookups`)
	must(t, err)
	must(t, pool.Close())
}

// upgrade starts the new binary on an image, and returns what is missing in the result.
func upgrade(t testing.TB, one trial, folder string, want string) (problems []string) {
	if err := one.files.write(folder); err != nil {
		return []string{err.Error()}
	}
	path := filepath.Join(folder, "bookhook.db")
	running, err := launchPlain(nextBinary, path)
	if err != nil {
		return []string{"the new binary does not start: " + err.Error()}
	}
	if err := running.end(); err != nil {
		problems = append(problems, "it does not stop: "+err.Error())
	}
	got, err := summary(t.Context(), path)
	if err != nil {
		return append(problems, err.Error())
	}
	if got != want+fmt.Sprint(" version ", newVersion) {
		problems = append(problems, fmt.Sprintf("got %s, want %s", got, want))
	}
	return problems
}

// snapshotOf checks the snapshot of an image in which the upgrade may be seen.
func snapshotOf(t testing.TB, one trial, want string) []string {
	folder := imageFolder(t)
	defer os.RemoveAll(folder) //nolint:errcheck // it is in memory
	if err := one.files.write(folder); err != nil {
		return []string{err.Error()}
	}
	got, err := summary(t.Context(), filepath.Join(folder, "bookhook.db"))
	if err != nil {
		return []string{err.Error()}
	}
	upgraded := got == want+fmt.Sprint(" version ", newVersion)
	path := filepath.Join(folder, fmt.Sprintf("bookhook.db.before-%d", newVersion))
	if _, err := os.Stat(path); err != nil {
		if upgraded {
			return []string{"it is upgraded and has no snapshot"}
		}
		return nil
	}
	if got, err = summary(t.Context(), path); err != nil || got != want+" version 2" {
		return []string{fmt.Sprintf("the snapshot has %s (%v), want %s", got, err, want)}
	}
	return nil
}

// rows is the summary of a database of the old version, without the version.
func rows(t testing.TB, path string) string {
	t.Helper()
	got, err := summary(t.Context(), path)
	must(t, err)
	return got[:len(got)-len(" version 2")]
}

// summary tells what is in a sound database: the rows of each table, and its version.
func summary(ctx context.Context, path string) (text string, err error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	pool, err := sql.Open("sqlite", "file:"+path)
	if err != nil {
		return "", err
	}
	defer pool.Close()
	pool.SetMaxOpenConns(1)
	var sound string
	if err := pool.QueryRowContext(ctx, `PRAGMA integrity_check`).Scan(&sound); err != nil || sound != "ok" {
		return "", fmt.Errorf("%s: integrity %q: %w", filepath.Base(path), sound, err)
	}
	for _, table := range []string{"accounts", "users", "webhooks", "channels", "tours", "drafts", "events", "deliveries", "attempts", "audit"} {
		var n int
		if err := pool.QueryRowContext(ctx, `SELECT count(*) FROM `+table).Scan(&n); err != nil { //nolint:gosec // from the list above
			return "", fmt.Errorf("%s: %w", table, err)
		}
		text += fmt.Sprint(table, " ", n, ", ")
	}
	var version int
	err = pool.QueryRowContext(ctx, `SELECT max(version_id) FROM goose_db_version`).Scan(&version)
	return text + fmt.Sprint(" version ", version), err
}
