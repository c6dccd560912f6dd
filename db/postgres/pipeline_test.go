package postgres

import (
	"bytes"
	"context"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"bookhook/db/group"
)

// everyType selects a value of each type that a column, or what is computed of columns, may have.
const everyType = `SELECT CAST(1 AS BIGINT), CAST(-2 AS INTEGER), CAST(3 AS SMALLINT), CAST('täxt' AS TEXT), CAST('' AS BYTEA), CAST('\\x00ff' AS BYTEA),
	true, false, CAST(NULL AS BIGINT), CAST(NULL AS TEXT), CAST(NULL AS BYTEA), CAST(1.5 AS DOUBLE PRECISION), sum(CAST(9 AS BIGINT)), count(*), CAST('{"a": 1}' AS JSON) FROM generate_series(1, 3)`

// sameValues is a write that reads everyType twice: as one that runs alongside others, if
// it does, and alone.
func sameValues(tb testing.TB) func(group.Tx) error {
	return func(tx group.Tx) error {
		first, err := readOne(tx)
		if err != nil {
			return err
		}
		tx.Alone()
		second, err := readOne(tx)
		if !reflect.DeepEqual(first, second) {
			tb.Errorf("got  %#v\nwant %#v", first, second)
		}
		return err
	}
}

// readOne reads everyType, and the names of its columns.
func readOne(tx group.Tx) ([]any, error) {
	rows, err := tx.Query(context.Background(), everyType)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	row := make([]any, len(columns))
	to := make([]any, len(columns))
	for i := range row {
		to[i] = &row[i]
	}
	rows.Next()
	if err := rows.Scan(to...); err != nil {
		return nil, err
	}
	return append(row, strings.Join(columns, " ")), rows.Err()
}

// TestValues: what is read is the same whether or not other writes run alongside.
func TestValues(t *testing.T) {
	d, _ := openTemp(t)
	for _, err := range alongside(t, d, sameValues(t), sameValues(t)) {
		wantErr(t, "read", err, nil)
	}
}

// TestLargePipeline: statements with more arguments than are sent at once run in their
// order.
func TestLargePipeline(t *testing.T) {
	d, _ := openTemp(t)
	const writes = 12
	var dos []func(group.Tx) error
	large := bytes.Repeat([]byte("x"), maxBatch/3)
	for i := range writes {
		dos = append(dos, func(tx group.Tx) error {
			n, err := tx.Exec(context.Background(), `INSERT INTO settings (key, value) SELECT $1, $2 WHERE (SELECT count(*) FROM settings) = $3`, fmt.Sprintf("%02d", i), large, i)
			want(t, "rows", n, int64(1))
			return err
		})
	}
	for _, err := range alongside(t, d, dos...) {
		wantErr(t, "write", err, nil)
	}
	want(t, "rows", strings.Count(traces(t, d), " ")+1, writes)
}

// TestAlongsideSees: a write that runs alongside others sees what those before it have
// written, and one that is alone all of it.
func TestAlongsideSees(t *testing.T) {
	d, _ := openTemp(t)
	count := func(tx group.Tx, wanted int) error {
		n := 0
		err := scanOne(tx, &n, `SELECT count(*) FROM settings`)
		want(t, "rows", n, wanted)
		return err
	}
	for _, err := range alongside(t, d,
		put("a"),
		func(tx group.Tx) error { return count(tx, 1) },
		put("b"),
		func(tx group.Tx) error { tx.Alone(); return count(tx, 3) },
		put("c"),
	) {
		wantErr(t, "write", err, nil)
	}
	want(t, "rows", traces(t, d), "a b c")
}

// BenchmarkGroup is a group of writes with three statements each, alone and alongside each
// other.
func BenchmarkGroup(b *testing.B) {
	for way, run := range ways {
		b.Run(way, func(b *testing.B) {
			d, _ := openTemp(b)
			const writes = 100
			var dos []func(group.Tx) error
			for range writes {
				dos = append(dos, func(tx group.Tx) error {
					for range 3 {
						if _, err := tx.Exec(b.Context(), `UPDATE settings SET value = $2 WHERE key = $1`, "none", []byte("x")); err != nil {
							return err
						}
					}
					return nil
				})
			}
			for b.Loop() {
				for _, err := range run(b, d, dos...) {
					wantErr(b, "write", err, nil)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/writes, "µs/write")
		})
	}
}
