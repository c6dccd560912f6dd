package transfer

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Marks is the table that a database has while it is incomplete: how far each table is
// copied, and what from. Whoever finds it uses nothing else of that database.
const Marks = "bookhook_transfer"

// The statements on it, for both databases.
const (
	CreateMarks = `CREATE TABLE ` + Marks + ` (name TEXT PRIMARY KEY, mark TEXT NOT NULL)`
	DropMarks   = `DROP TABLE ` + Marks
	ReadMark    = `SELECT mark FROM ` + Marks + ` WHERE name = $1`
	PutMark     = `INSERT INTO ` + Marks + ` (name, mark) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET mark = $2`
)

// From is the row of Marks that says which database is copied.
const From = "from"

// Mark is how far a table is copied: its first rows in the order of the key. The zero
// Mark is that of a table of which nothing is copied.
type Mark struct {
	Rows   int64
	Digest string // of these rows: SHA-256, hexadecimal
}

// String returns the mark as it is stored.
func (m Mark) String() string { return strconv.FormatInt(m.Rows, 10) + " " + m.Digest }

// ParseMark reads what String returned; "" is the zero Mark.
func ParseMark(text string) (m Mark, err error) {
	if text == "" {
		return m, nil
	}
	rows, digest, _ := strings.Cut(text, " ")
	m.Digest = digest
	m.Rows, err = strconv.ParseInt(rows, 10, 64)
	return m, err
}

// Incomplete is the error of whoever opens a database with Marks. It is the name of the
// one that was being copied into it.
type Incomplete string

// Error says what to do.
func (from Incomplete) Error() string {
	return fmt.Sprintf("it is incomplete: copying %s into it was interrupted; run the same command again, or delete it and start anew", string(from))
}

// Continue refuses to go on with a database into which another one was being copied.
func (from Incomplete) Continue(now string) error {
	if string(from) == now {
		return nil
	}
	return fmt.Errorf("copying %s into it was interrupted, so %s cannot be copied into it; name an empty one", string(from), now)
}

var errChanged = errors.New("what is copied has changed since that was interrupted; delete the incomplete database, and run the command again")
