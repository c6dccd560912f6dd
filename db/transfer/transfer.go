// Package transfer copies all of a database into an empty one of another kind, and
// verifies the copy: from SQLite to PostgreSQL and back, for the commands move, backup and
// restore. The packages db/sqlite and db/postgres are its sources and targets.
//
// [Copy] reads the tables one after the other, each in the order of its key, and adds
// their rows to the target in large transactions. Each of these stores how far the table
// is ([Mark]), so that a copy that was interrupted goes on from there. In the end it reads
// the target as a whole: each table has to have as many rows as its source, with the same
// SHA-256 over the bytes of all of them ([BeginRow]).
//
// From its first moment to the end of that, the target has a table ([Marks]) because of
// which everybody else refuses it.
package transfer

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
)

// batchBytes is how much is added in one transaction. Up to three such parts are in
// memory, each with one row more.
const batchBytes = 8 << 20

// reportEvery is how many rows there are between two reports of progress; the first one is
// made when a table begins.
const reportEvery = 10_000

// Reader is a database whose tables can be read.
type Reader interface {
	// Read calls row with each row of a table, in the order of its key. The bytes are the
	// caller's until row returns.
	Read(ctx context.Context, t Table, row func([]byte) error) error
}

// Target is what is copied into.
type Target interface {
	Reader
	// Mark returns how far a table is copied.
	Mark(ctx context.Context, t Table) (Mark, error)
	// Add adds rows to a table and stores how far it is then, both or nothing.
	Add(ctx context.Context, t Table, rows []byte, m Mark) error
}

// Progress is what Copy is doing.
type Progress struct {
	Table     string
	Rows      int64 // of the table so far
	Verifying bool
}

// Copy copies all rows of the tables that the target does not have yet, verifies the
// target, and returns how many rows each table has. The source must not change meanwhile.
// After an error, the same call goes on with what is missing.
func Copy(ctx context.Context, from Reader, to Target, tables []Table, report func(Progress)) (map[string]int64, error) {
	want := make([]Mark, len(tables))
	for i, t := range tables {
		c := &copier{from: from, to: to, table: t, report: report}
		if err := c.copy(ctx); err != nil {
			return nil, fmt.Errorf("copy the table %s: %w", t.Name, err)
		}
		want[i] = c.total.mark()
	}
	counts := map[string]int64{}
	for i, t := range tables {
		if err := verify(ctx, to, t, want[i], report); err != nil {
			return nil, err
		}
		counts[t.Name] = want[i].Rows
	}
	return counts, nil
}

func verify(ctx context.Context, to Target, t Table, want Mark, report func(Progress)) error {
	got := newSum(Progress{Table: t.Name, Verifying: true}, report)
	if err := to.Read(ctx, t, got.add); err != nil {
		return fmt.Errorf("verify the table %s: %w", t.Name, err)
	}
	if m := got.mark(); m != want {
		return fmt.Errorf("the table %s was not copied faithfully: %d rows with SHA-256 %.16s instead of %d with %.16s; delete the incomplete database, and run the command again",
			t.Name, m.Rows, m.Digest, want.Rows, want.Digest)
	}
	return nil
}

// sum counts rows and digests them.
type sum struct {
	progress Progress
	hash     hash.Hash
	report   func(Progress)
}

func newSum(p Progress, report func(Progress)) *sum {
	report(p)
	return &sum{progress: p, hash: sha256.New(), report: report}
}

func (s *sum) add(row []byte) error {
	s.hash.Write(row)
	if s.progress.Rows++; s.progress.Rows%reportEvery == 0 {
		s.report(s.progress)
	}
	return nil
}

func (s *sum) mark() Mark {
	return Mark{Rows: s.progress.Rows, Digest: hex.EncodeToString(s.hash.Sum(nil))}
}

// copier copies one table. It reads while the target writes.
type copier struct {
	from   Reader
	to     Target
	table  Table
	report func(Progress)

	done    Mark   // what the target has
	total   *sum   // of what was read
	rows    []byte // that were read and not added
	batches chan batch
}

// batch is a part of a table.
type batch struct {
	rows []byte
	mark Mark // with them
}

func (c *copier) copy(ctx context.Context) (err error) {
	if c.done, err = c.to.Mark(ctx, c.table); err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	c.total, c.batches = newSum(Progress{Table: c.table.Name}, c.report), make(chan batch)
	go func() {
		defer close(c.batches)
		if err := c.read(ctx); err != nil {
			cancel(err)
		}
	}()
	for b := range c.batches {
		if ctx.Err() != nil {
			continue // until the reader has noticed
		}
		if err := c.to.Add(ctx, c.table, b.rows, b.mark); err != nil {
			cancel(err)
		}
	}
	return context.Cause(ctx)
}

// read reads the whole table, and passes on what the target does not have.
func (c *copier) read(ctx context.Context) error {
	if err := c.from.Read(ctx, c.table, func(row []byte) error { return c.addRow(ctx, row) }); err != nil {
		return err
	}
	if c.total.progress.Rows < c.done.Rows {
		return errChanged
	}
	return c.pass(ctx)
}

func (c *copier) addRow(ctx context.Context, row []byte) error {
	_ = c.total.add(row)
	if c.total.progress.Rows > c.done.Rows {
		c.rows = append(c.rows, row...)
		if len(c.rows) < batchBytes {
			return nil
		}
		return c.pass(ctx)
	}
	if c.total.progress.Rows == c.done.Rows && c.total.mark() != c.done {
		return errChanged
	}
	return nil
}

// pass gives the rows that were read to who adds them.
func (c *copier) pass(ctx context.Context) error {
	if len(c.rows) == 0 {
		return nil
	}
	b := batch{rows: c.rows, mark: c.total.mark()}
	c.rows = make([]byte, 0, len(b.rows))
	select {
	case c.batches <- b:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
