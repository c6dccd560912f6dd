package transfer

import (
	"bytes"
	"testing"
)

// TestRow: a row is read as it was written, and nothing is taken for one that is not whole.
func TestRow(t *testing.T) {
	row := BeginRow(nil, 5)
	row = AppendInteger(row, -7)
	row = AppendNull(row)
	row = AppendBytes(row, "é\x00")
	row = AppendBytes(row, []byte{})
	row = AppendBytes(row, []byte{255, 0})
	want := []any{int64(-7), nil, "é\x00", "", "\xff\x00"}
	err := Values(row, func(i int, v []byte) error {
		var got any
		switch {
		case i == 0:
			n, err := ReadInteger(v)
			if err != nil {
				return err
			}
			got = n
		case v != nil:
			got = string(v)
		}
		if got != want[i] {
			t.Errorf("value %d: got %q, want %q", i, got, want[i])
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	for n := range len(row) {
		if part, rest := CutRow(row[:n]); part != nil || len(rest) != n {
			t.Errorf("%d bytes of %d are taken for a row", n, len(row))
		}
		if Values(row[:n], func(int, []byte) error { return nil }) == nil {
			t.Errorf("%d bytes of %d are read as a row", n, len(row))
		}
	}
	if first, rest := CutRow(append(bytes.Clone(row), row...)); !bytes.Equal(first, row) || !bytes.Equal(rest, row) {
		t.Errorf("got %q and %q of two rows", first, rest)
	}
}

func TestMark(t *testing.T) {
	for _, m := range []Mark{{}, {Rows: 12, Digest: "ab"}} {
		if got, err := ParseMark(m.String()); got != m || err != nil {
			t.Errorf("got %v, %v, want %v", got, err, m)
		}
	}
}
