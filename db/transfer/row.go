package transfer

import (
	"encoding/binary"
	"errors"
	"math"
)

// A row is a row of a table in the form of PostgreSQL's binary COPY: the number of its
// fields in two bytes, and for each the length of its value in four, then the value. A
// number has eight bytes, a text and a blob are as they are, NULL has the length -1. So
// PostgreSQL reads and writes rows as they are, and the same row has the same bytes in
// both databases.

const null = math.MaxUint32

var errRow = errors.New("a row is not whole")

// BeginRow begins a row with so many fields.
func BeginRow(row []byte, fields int) []byte {
	return binary.BigEndian.AppendUint16(row, uint16(fields))
}

// AppendNull adds a NULL.
func AppendNull(row []byte) []byte { return binary.BigEndian.AppendUint32(row, null) }

// AppendInteger adds a number.
func AppendInteger(row []byte, value int64) []byte {
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint32(row, 8), uint64(value))
}

// AppendBytes adds a text or a blob.
func AppendBytes[T string | []byte](row []byte, value T) []byte {
	return append(binary.BigEndian.AppendUint32(row, uint32(len(value))), value...)
}

// CutRow returns the first row of many, and what follows. It returns no row if there is
// none, or only a part of one.
func CutRow(rows []byte) (row, rest []byte) {
	if len(rows) < 2 {
		return nil, rows
	}
	end := 2
	for range binary.BigEndian.Uint16(rows) {
		if len(rows) < end+4 {
			return nil, rows
		}
		length := binary.BigEndian.Uint32(rows[end:])
		end += 4
		if length != null {
			end += int(length)
		}
	}
	if len(rows) < end {
		return nil, rows
	}
	return rows[:end], rows[end:]
}

// Values calls value with each value of a row, nil for NULL. What it gets is part of the
// row.
func Values(row []byte, value func(i int, v []byte) error) error {
	if len(row) < 2 {
		return errRow
	}
	fields, row := int(binary.BigEndian.Uint16(row)), row[2:]
	for i := range fields {
		if len(row) < 4 {
			return errRow
		}
		length, rest := binary.BigEndian.Uint32(row), row[4:]
		var v []byte
		if length != null {
			if uint64(len(rest)) < uint64(length) {
				return errRow
			}
			v, rest = rest[:length:length], rest[length:]
		}
		if err := value(i, v); err != nil {
			return err
		}
		row = rest
	}
	return nil
}

// ReadInteger returns the number of which a row has the bytes.
func ReadInteger(v []byte) (int64, error) {
	if len(v) != 8 {
		return 0, errRow
	}
	return int64(binary.BigEndian.Uint64(v)), nil
}
