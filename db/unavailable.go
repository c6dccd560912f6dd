package db

import (
	"errors"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"bookhook/webhook"
)

// unavailable makes an error a webhook.Unavailable when its cause lies in the
// database as a whole and not in what was asked: then the same may succeed
// later. Other errors stay as they are.
func unavailable(err error) error {
	if err == nil {
		return nil
	}
	if _, known := errors.AsType[webhook.Unavailable](err); known {
		return err
	}
	if what := trouble(err); what != "" {
		return webhook.Unavailable{What: what, Cause: err}
	}
	return err
}

// trouble says what is wrong with the database; "" when nothing is.
func trouble(err error) string {
	if errors.Is(err, errClosed) {
		return "Bookhook is stopping."
	}
	e, ok := errors.AsType[*sqlite.Error](err)
	if !ok {
		return ""
	}
	switch e.Code() & 0xff { // without the details that SQLite adds in higher bits
	case sqlite3.SQLITE_FULL:
		return "The disk that holds Bookhook's database is full."
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL:
		return "Another program keeps Bookhook's database locked."
	case sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_NOMEM:
		return "Bookhook's database cannot be read or written."
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
		return "Bookhook's database is damaged."
	}
	return ""
}
