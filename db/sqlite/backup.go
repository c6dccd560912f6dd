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
// name when it is complete, checked and on disk.
func copyTo(ctx context.Context, pool *sql.DB, to string) error {
	part := to + ".part" // an interrupted copy must not be taken for a complete one
	if err := createEmpty(part); err != nil {
		return err
	}
	if _, err := pool.ExecContext(ctx, `VACUUM INTO $1`, part); err != nil {
		return errors.Join(err, os.Remove(part))
	}
	if err := checkCopy(ctx, part); err != nil {
		return errors.Join(err, os.Remove(part))
	}
	if err := publish(part, to); err != nil {
		return errors.Join(err, removeLeft(part))
	}
	return nil
}

// removeLeft removes a file, if it is there.
func removeLeft(path string) error {
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
// and then nothing is changed. Whenever the power is cut, one of the two is at path,
// whole.
func Restore(ctx context.Context, backup, path string, now time.Time) (kept string, err error) {
	if _, err := Check(ctx, backup); err != nil {
		return "", err
	}
	part := path + ".part"
	if err = copyFile(backup, part); err == nil {
		if kept, err = keep(ctx, path, path+".before-restore-"+now.UTC().Format("20060102-150405")); err == nil {
			err = publish(part, path)
		}
	}
	if err != nil {
		return kept, fmt.Errorf("restore %s: %w", path, errors.Join(err, removeLeft(part)))
	}
	return kept, nil
}

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

// keep gives a database a second name, which is on disk when it returns. The
// write-ahead log goes into the file before, for at the first name it would be taken
// for that of the database that comes there; only if the file cannot be read, it is
// moved to the second name with it.
func keep(ctx context.Context, path, to string) (kept string, err error) {
	if _, err := os.Stat(path); err == nil {
		_ = foldLog(ctx, path) // a damaged database is kept as it is
		if err := os.Link(path, to); err != nil {
			return "", err
		}
		kept = to
	} else if !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	for _, suffix := range []string{"-wal", "-shm"} {
		if err := os.Rename(path+suffix, to+suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return kept, err
		}
	}
	return kept, syncPath(filepath.Dir(path))
}

// foldLog copies the write-ahead log of a database into its file. SQLite removes the
// log when the last connection is closed.
func foldLog(ctx context.Context, path string) (err error) {
	pool, err := open(ctx, path, 1, url.Values{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, pool.Close()) }()
	_, err = pool.ExecContext(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`)
	return err
}
