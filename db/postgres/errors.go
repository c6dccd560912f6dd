package postgres

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"os"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"bookhook/db/group"
	"bookhook/webhook"
)

var (
	errLost     = errors.New("the connection to the server was lost")
	errSilent   = errors.New("the server did not answer a moment ago")
	errNoWriter = errors.New("the table last_writer has no row")
	errUndone   = errors.New("the server undid the transaction")

	errNoSchema = errors.New("its user may use no schema of it; create one, or set search_path")
)

// unreachable is the code of the message that the server cannot be reached.
const unreachable = "database.unreachable"

// IsUnique reports whether a write failed because of a unique index or a primary key.
func (*DB) IsUnique(err error) bool { return codeOf(err) == "23505" }

// Unavailable returns what is wrong with the database as a whole, or the zero Message if
// err has another cause.
func (*DB) Unavailable(err error) webhook.Message { return unavailable(err) }

func unavailable(err error) webhook.Message {
	code := ""
	switch {
	case err == nil, errors.Is(err, context.Canceled): // who asked has left
	case errors.Is(err, group.ErrClosed):
		code = "database.stopping"
	case codeOf(err) != "":
		code = messageCode(codeOf(err))
	case isLost(err):
		code = unreachable
	}
	if code == "" {
		return webhook.Message{}
	}
	return webhook.NewMessage(code)
}

// codeOf returns the SQLSTATE of an error of the server, "" of another error.
func codeOf(err error) string {
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return e.Code
	}
	return ""
}

// messageCode returns the code of the message for a SQLSTATE; "" if that says nothing
// about the database as a whole.
func messageCode(state string) string {
	switch state {
	case "":
		return ""
	case "53100": // disk_full
		return "database.full"
	case "55P03", "40P01", "40001", "57014": // lock_not_available, deadlock_detected, serialization_failure, query_canceled
		return "database.locked"
	case "57P01", "57P02", "57P03", "57P05", "25P03", "25P04", "55000": // the server ends the session, or does not begin one
		return unreachable
	case "XX001", "XX002": // data_corrupted, index_corrupted
		return "database.damaged"
	case "25006", "42501", "3D000": // read_only_sql_transaction, insufficient_privilege, invalid_catalog_name
		return "database.unusable"
	}
	switch state[:2] {
	case "08": // connection_exception
		return unreachable
	case "28", "53", "58": // invalid_authorization_specification, insufficient_resources, system_error
		return "database.unusable"
	}
	return ""
}

// isLost reports whether the server could not be reached, or not any more. A caller that
// has left is another matter.
func isLost(err error) bool {
	if _, ok := errors.AsType[*pgconn.ConnectError](err); ok {
		return true
	}
	for _, lost := range []error{errLost, errSilent, errUndone, io.EOF, io.ErrUnexpectedEOF, net.ErrClosed, driver.ErrBadConn, sql.ErrConnDone, os.ErrDeadlineExceeded} {
		if errors.Is(err, lost) {
			return true
		}
	}
	if _, ok := errors.AsType[*net.OpError](err); ok {
		return true
	}
	return pgconn.SafeToRetry(err)
}

// explain says why a database cannot be opened, in one sentence. Errors of other kinds
// are unchanged.
func explain(config *pgx.ConnConfig, err error) error {
	switch code := codeOf(err); {
	case code == "28P01" || code == "28000":
		return fmt.Errorf("the server refuses the user %s: wrong password, or not allowed by its pg_hba.conf", config.User)
	case code == "3D000":
		return fmt.Errorf("there is no database %s on the server; create it, with encoding UTF8, and try again", config.Database)
	case code == "42501":
		return fmt.Errorf("the user %s lacks a right (%s); make that user the owner of the database or of its schema", config.User, text(err))
	case code == "53300":
		return errors.New("the server has no connection left; raise its max_connections, or put PgBouncer before it")
	case code != "":
		return fmt.Errorf("the server refuses: %s", text(err))
	}
	if dns, ok := errors.AsType[*net.DNSError](err); ok {
		return fmt.Errorf("the server %s cannot be found: %s", config.Host, dns.Err)
	}
	if op, ok := errors.AsType[*net.OpError](err); ok {
		return fmt.Errorf("the server cannot be reached at %s: %w", net.JoinHostPort(config.Host, fmt.Sprint(config.Port)), op.Err)
	}
	if failed, ok := errors.AsType[*pgconn.ConnectError](err); ok {
		return fmt.Errorf("the server cannot be reached at %s: %w", net.JoinHostPort(config.Host, fmt.Sprint(config.Port)), failed.Unwrap())
	}
	return err
}

// text returns what the server said.
func text(err error) string {
	e, _ := errors.AsType[*pgconn.PgError](err)
	return e.Message
}
