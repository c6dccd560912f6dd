package sqlite

import (
	"context"
	"path/filepath"
	"strconv"
	"testing"

	"bookhook/db/group"
)

// cancelled is a context that is over.
func cancelled(tb testing.TB) context.Context {
	ctx, cancel := context.WithCancel(tb.Context())
	cancel()
	return ctx
}

func TestWriteCancelled(t *testing.T) {
	s := openTemp(t)
	wantErr(t, "cancelled before", s.Write(cancelled(t), group.Turn{}, put("a")), context.Canceled)
	release := hold(t, s)
	ctx, cancel := context.WithCancel(t.Context())
	waits, next := enqueue(t, s, ctx, put("b")), enqueue(t, s, t.Context(), put("c"))
	cancel()
	release()
	wantErr(t, "cancelled while it waited", waits(), context.Canceled)
	wantErr(t, "the one behind it", next(), nil)
	ctx, cancel = context.WithCancel(t.Context())
	err := s.Write(ctx, group.Turn{}, func(tx Tx) error {
		cancel() // too late: it is being written
		return put("d")(tx)
	})
	wantErr(t, "cancelled while it was written", err, nil)
	want(t, "rows", traces(t, s), "c d")
}

func TestCloseWithWaitingWrites(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bookhook.db")
	s := openPath(t, path)
	release := hold(t, s)
	writes := []func() error{}
	for i := range 10 {
		writes = append(writes, enqueue(t, s, t.Context(), put(strconv.Itoa(i))))
	}
	closed := make(chan error)
	go func() { closed <- s.Close() }()
	<-s.writer.Ending()
	release()
	wantErr(t, "close", <-closed, nil)
	for _, wr := range writes {
		wantErr(t, "a write that waited", wr(), nil)
	}
	wantErr(t, "a write after that", s.Write(t.Context(), group.Turn{}, put("x")), group.ErrClosed)
	wantErr(t, "ping", s.Ping(t.Context()), group.ErrClosed)
	wantErr(t, "a read after that", scanOne(s, new(int), `SELECT count(*) FROM settings`), group.ErrClosed)
	wantErr(t, "close again", s.Close(), nil)
	want(t, "rows", traces(t, openPath(t, path)), "0 1 2 3 4 5 6 7 8 9")
}
