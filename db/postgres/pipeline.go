package postgres

import (
	"cmp"
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"bookhook/db/group"
)

// maxBatch is about how many bytes of arguments one round trip has: all of it is in memory
// once more.
const maxBatch = 1 << 20

// Run implements group.Pipeline.
func (s *session) Run(all []*group.Statement) {
	for len(all) > 0 {
		n, err := s.runBatch(all)
		if err != nil {
			for _, statement := range all[n:] {
				statement.Err = err
			}
			return
		}
		all = all[n:]
	}
}

// runBatch runs statements in one round trip, as many as have maxBatch bytes. It returns
// how many ran without an error.
func (s *session) runBatch(all []*group.Statement) (n int, err error) {
	batch, size := &pgx.Batch{}, 0
	for _, statement := range all {
		args, err := values(statement.Args)
		if err != nil { // no statement of these has run
			s.note(err)
			return 0, err
		}
		batch.Queue(statement.Query, args...)
		if size += sizeOf(args); size > maxBatch {
			break
		}
	}
	err = s.raw(func(conn *pgx.Conn) (err error) {
		results := conn.SendBatch(context.Background(), batch)
		for err == nil && n < batch.Len() {
			if err = s.answer(conn, results, all[n]); err == nil {
				n++
			}
		}
		return cmp.Or(err, results.Close())
	})
	return n, err
}

// answer reads the result of a statement.
func (s *session) answer(conn *pgx.Conn, results pgx.BatchResults, to *group.Statement) error {
	if err := conn.PgConn().Conn().SetDeadline(time.Now().Add(answerTimeout)); err != nil {
		return err
	}
	if !to.Reads {
		tag, err := results.Exec()
		if to.Changed = tag.RowsAffected(); to.Changed > 0 {
			s.changed(to)
		}
		return err
	}
	if !isSelect(to.Query) {
		s.changed(to)
	}
	rows, err := results.Query()
	if err != nil {
		return err
	}
	read, err := readAll(rows)
	if err == nil {
		to.Rows, err = s.read.QueryContext(context.Background(), "", read) //nolint:rowserrcheck // the write does
	}
	return err
}

func (s *session) changed(statement *group.Statement) {
	statement.Changes = true
	s.changes++
}

// sizeOf returns about how many bytes arguments have.
func sizeOf(args []any) (size int) {
	for _, arg := range args {
		switch value := arg.(type) {
		case []byte:
			size += len(value)
		case string:
			size += len(value)
		}
	}
	return size
}
