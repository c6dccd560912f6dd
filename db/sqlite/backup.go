package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// Backup copies the database at path to a new file, while others may use it: what
// was committed when it began is in the copy. The copy is complete, checked and on
// disk when Backup returns, and else there is none.
func Backup(ctx context.Context, path, to string) (err error) {
	if _, err := os.Stat(to); err == nil || !errors.Is(err, fs.ErrNotExist) {
		return errors.Join(err, exists(to))
	}
	pool, err := openExisting(ctx, path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, pool.Close()) }()
	if err := copyTo(ctx, pool, to); err != nil {
		return fmt.Errorf("back up to %s: %w", to, err)
	}
	return nil
}

// LastBackup is the key of the setting that says when RecordBackup was called last, in
// unix milliseconds. It is no secret and never encrypted.
const LastBackup = "last-backup"

// RecordBackup stores that the database at path was backed up at now. It leaves the
// tables as they are, of whatever version, since people back up before an upgrade.
func RecordBackup(ctx context.Context, path string, now time.Time) (err error) {
	pool, err := openExisting(ctx, path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, pool.Close()) }()
	_, err = pool.ExecContext(ctx, `INSERT INTO settings (key, value) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = $2`,
		LastBackup, strconv.AppendInt(nil, now.UnixMilli(), 10))
	return err
}

func exists(path string) error {
	return fmt.Errorf("%s exists already; give the name of a new file", path)
}

// openExisting opens the database at path with one connection. It writes nothing; as the last
// one to close, SQLite copies the write-ahead log into the file.
func openExisting(ctx context.Context, path string) (*sql.DB, error) {
	if err := mustExist(path); err != nil {
		return nil, err
	}
	if err := checkVersion(ctx, path); err != nil {
		return nil, fmt.Errorf("database %s: %w", path, err)
	}
	return open(ctx, path, 1, url.Values{})
}

// copyTo copies the database of a pool to a file that does not exist. It gets its
// name when it is complete, checked and on disk; of a copy that fails nothing stays.
func copyTo(ctx context.Context, pool *sql.DB, to string) (err error) {
	part := to + ".part" // an interrupted copy must not be taken for a complete one
	if err := createEmpty(part); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, removeAll(part)) }()
	if _, err := pool.ExecContext(ctx, `VACUUM INTO $1`, part); err != nil {
		return err
	}
	if err := checkCopy(ctx, part); err != nil {
		return err
	}
	return publish(part, to)
}

// beside are the files that SQLite may have beside a database, by what their names end in.
var beside = []string{"-wal", "-journal", "-shm"}

// removeAll removes a database, if there is one, with what belongs to it.
func removeAll(path string) error {
	return errors.Join(remove(path), removeBeside(path))
}

func removeBeside(path string) (err error) {
	for _, suffix := range beside {
		err = errors.Join(err, remove(path+suffix))
	}
	return err
}

func remove(path string) error {
	if err := os.Remove(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

func checkCopy(ctx context.Context, path string) (err error) {
	pool, err := open(ctx, path, 1, url.Values{"_query_only": {"on"}})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, pool.Close()) }()
	return checkPages(ctx, pool)
}

// createEmpty creates a file that only its owner may read, in place of one that an
// interrupted copy left.
func createEmpty(path string) error {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	return file.Close()
}

// publish gives a complete file its name, once its content is on disk.
func publish(part, to string) error {
	if err := syncPath(part); err != nil {
		return err
	}
	if err := os.Rename(part, to); err != nil {
		return err
	}
	return syncPath(filepath.Dir(to))
}

// syncPath waits until a file, or the names in a folder, are on disk.
func syncPath(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(file.Sync(), file.Close())
}

// Restore puts a copy of the backup in the place of the database at path, and
// returns under which name the database that was there is kept; "" if there was
// none. The caller holds the lock of path. A backup that is not sound is refused,
// and then nothing is changed. Whenever it is interrupted, the old database or the
// new one has the name; it may be run again.
func Restore(ctx context.Context, backup, path string, now time.Time) (kept string, err error) {
	if _, err := Check(ctx, backup); err != nil {
		return "", err
	}
	kept, err = replace(ctx, backup, path, path+".before-restore-"+now.UTC().Format("20060102-150405"))
	if err != nil {
		return kept, fmt.Errorf("restore %s: %w", path, err)
	}
	return kept, nil
}

// replace puts a copy of a file in the place of a database, which gets the name aside.
func replace(ctx context.Context, from, path, aside string) (kept string, err error) {
	part := path + ".part"
	defer func() { err = errors.Join(err, removeAll(part)) }()
	if err := copyFile(from, part); err != nil {
		return "", err
	}
	if err := settle(ctx, path); err != nil {
		return "", err
	}
	if kept, err = keep(path, aside); err != nil {
		return kept, err
	}
	return kept, publish(part, path)
}

// copyFile copies a file to one that does not exist, or in place of what an
// interrupted copy left.
func copyFile(from, to string) error {
	source, err := os.Open(from)
	if err != nil {
		return err
	}
	defer source.Close()
	target, err := os.OpenFile(to, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(target, source)
	return errors.Join(err, target.Close())
}

// settle copies the write-ahead log of the database at path into its file, so that
// the file alone is the database. What is damaged stays as it is, since it is not
// wanted any more; what somebody reads is refused.
func settle(ctx context.Context, path string) error {
	for _, needed := range []string{path, path + "-wal"} {
		if _, err := os.Stat(needed); errors.Is(err, fs.ErrNotExist) {
			return nil
		}
	}
	pool, err := open(ctx, path, 1, url.Values{})
	if err == nil {
		var busy, pages, copied int
		err = pool.QueryRowContext(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`).Scan(&busy, &pages, &copied)
		err = errors.Join(err, pool.Close())
		if err == nil && busy != 0 {
			return errors.New("another program is reading the database; wait for it to end, and try again")
		}
	}
	return ctx.Err() // any other error is one of what is damaged
}

// keep gives a database a second name, with what belongs to it, and leaves only its file under the first.
func keep(path, aside string) (kept string, err error) {
	for _, suffix := range append([]string{""}, beside...) {
		err := link(path+suffix, aside+suffix)
		switch {
		case err == nil && suffix == "":
			kept = aside
		case err != nil && !errors.Is(err, fs.ErrNotExist):
			return kept, err
		}
	}
	if err := syncPath(filepath.Dir(path)); err != nil { // before the first name of anything is lost
		return kept, err
	}
	if err := removeBeside(path); err != nil {
		return kept, err
	}
	return kept, syncPath(filepath.Dir(path)) // before another database has the name: it must not be taken for its log
}

// link gives a file a second name; where the file system has no such thing, a copy.
func link(from, to string) error {
	err := os.Link(from, to)
	if err == nil || errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrExist) {
		return err
	}
	if err := copyFile(from, to); err != nil {
		return err
	}
	return syncPath(to)
}
