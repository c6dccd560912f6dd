package postgres

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
)

// readRows are rows that were read, as driver.Rows.
type readRows struct {
	columns []string
	rows    [][]driver.Value
}

// readAll reads all rows, with their values as pgx has them for database/sql.
func readAll(rows pgx.Rows) (*readRows, error) {
	defer rows.Close()
	read := &readRows{}
	fields := rows.FieldDescriptions()
	for _, f := range fields {
		read.columns = append(read.columns, f.Name)
	}
	for rows.Next() {
		row := make([]driver.Value, len(fields))
		for i, raw := range rows.RawValues() {
			if raw == nil {
				continue
			}
			var err error
			if row[i], err = valueOf(rows.Conn().TypeMap(), fields[i], raw); err != nil {
				return nil, fmt.Errorf("read column %s: %w", fields[i].Name, err)
			}
		}
		read.rows = append(read.rows, row)
	}
	return read, rows.Err()
}

func valueOf(types *pgtype.Map, field pgconn.FieldDescription, raw []byte) (driver.Value, error) {
	switch field.DataTypeOID {
	case pgtype.Int8OID, pgtype.Int4OID, pgtype.Int2OID:
		return scanValue[int64](types, field, raw)
	case pgtype.BoolOID:
		return scanValue[bool](types, field, raw)
	case pgtype.ByteaOID, pgtype.JSONOID, pgtype.JSONBOID:
		return scanValue[[]byte](types, field, raw)
	case pgtype.Float8OID, pgtype.Float4OID:
		return scanValue[float64](types, field, raw)
	}
	return scanValue[string](types, field, raw)
}

func scanValue[T any](types *pgtype.Map, field pgconn.FieldDescription, raw []byte) (driver.Value, error) {
	var value T
	err := types.Scan(field.DataTypeOID, field.Format, raw, &value)
	return value, err
}

// Columns implements driver.Rows.
func (r *readRows) Columns() []string { return r.columns }

// Close implements driver.Rows.
func (*readRows) Close() error { return nil }

// Next implements driver.Rows.
func (r *readRows) Next(to []driver.Value) error {
	if len(r.rows) == 0 {
		return io.EOF
	}
	copy(to, r.rows[0])
	r.rows = r.rows[1:]
	return nil
}

// rowsDriver is a driver of database/sql that answers with the readRows that are the argument.
type rowsDriver struct{}

var errNoStatements = errors.New("only rows that were read")

// Connect implements driver.Connector.
func (d rowsDriver) Connect(context.Context) (driver.Conn, error) { return d, nil }

// Driver implements driver.Connector.
func (d rowsDriver) Driver() driver.Driver { return d }

// Open implements driver.Driver.
func (d rowsDriver) Open(string) (driver.Conn, error) { return d, nil }

// Prepare implements driver.Conn.
func (rowsDriver) Prepare(string) (driver.Stmt, error) { return nil, errNoStatements }

// Begin implements driver.Conn.
func (rowsDriver) Begin() (driver.Tx, error) { return nil, errNoStatements }

// Close implements driver.Conn.
func (rowsDriver) Close() error { return nil }

// CheckNamedValue implements driver.NamedValueChecker.
func (rowsDriver) CheckNamedValue(*driver.NamedValue) error { return nil }

// QueryContext implements driver.QueryerContext.
func (rowsDriver) QueryContext(_ context.Context, _ string, args []driver.NamedValue) (driver.Rows, error) {
	return args[0].Value.(*readRows), nil //nolint:forcetypeassert // answer gives no other
}
