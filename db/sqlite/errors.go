package sqlite

import (
	"errors"

	driver "modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"bookhook/db/group"
	"bookhook/webhook"
)

// errUnflushed says that what was copied into the database file may not be on disk.
var errUnflushed = errors.New("flush the database file")

// isFlushFailure reports whether the system could not flush a file.
func isFlushFailure(err error) bool {
	e, ok := errors.AsType[*driver.Error](err)
	return ok && e.Code() == sqlite3.SQLITE_IOERR_FSYNC
}

// IsUnique reports whether a write failed because of a unique index or a primary
// key.
func (*DB) IsUnique(err error) bool {
	e, ok := errors.AsType[*driver.Error](err)
	return ok && (e.Code() == sqlite3.SQLITE_CONSTRAINT_UNIQUE || e.Code() == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY)
}

// Unavailable returns what is wrong with the database as a whole, or the zero
// Message if err has another cause.
func (*DB) Unavailable(err error) webhook.Message { return unavailable(err) }

func unavailable(err error) webhook.Message {
	if errors.Is(err, group.ErrClosed) {
		return webhook.NewMessage("database.stopping")
	}
	if errors.Is(err, errUnflushed) {
		return webhook.NewMessage("database.unflushed")
	}
	e, ok := errors.AsType[*driver.Error](err)
	if !ok {
		return webhook.Message{}
	}
	switch e.Code() & 0xff { // without the details that SQLite adds in higher bits
	case sqlite3.SQLITE_FULL:
		return webhook.NewMessage("database.full")
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL:
		return webhook.NewMessage("database.locked")
	case sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_NOMEM:
		return webhook.NewMessage("database.unusable")
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
		return webhook.NewMessage("database.damaged")
	}
	return webhook.Message{}
}

// isDriverError reports whether an error is, or wraps, one of SQLite's own.
func isDriverError(err error) bool {
	_, ok := errors.AsType[*driver.Error](err)
	return ok
}
