package sqlite

import (
	"errors"

	driver "modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// errClosed is the error of whatever is asked of a closed database.
var errClosed = errors.New("the database is closed")

// IsUnique reports whether a write failed because of a unique index or a primary
// key: something like it is there already.
func (*DB) IsUnique(err error) bool {
	e, ok := errors.AsType[*driver.Error](err)
	return ok && (e.Code() == sqlite3.SQLITE_CONSTRAINT_UNIQUE || e.Code() == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY)
}

// Unavailable returns the code of what is wrong with the database as a whole, or
// "" when err says nothing of that kind: closed, disk_full, locked, unreadable,
// damaged.
func (*DB) Unavailable(err error) string {
	if errors.Is(err, errClosed) {
		return "closed"
	}
	e, ok := errors.AsType[*driver.Error](err)
	if !ok {
		return ""
	}
	switch e.Code() & 0xff { // without the details that SQLite adds in higher bits
	case sqlite3.SQLITE_FULL:
		return "disk_full"
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL:
		return "locked"
	case sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_NOMEM:
		return "unreadable"
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
		return "damaged"
	}
	return ""
}

// isDriverError reports whether an error is, or wraps, one of SQLite's own.
func isDriverError(err error) bool {
	_, ok := errors.AsType[*driver.Error](err)
	return ok
}
