package sqlite

import (
	"context"
	"path/filepath"
	"strconv"
	"testing"
	"testing/synctest"

	"bookhook/webhook"
)

// cancelled is a context that is over.
func cancelled(tb testing.TB) context.Context {
	ctx, cancel := context.WithCancel(tb.Context())
	cancel()
	return ctx
}

func TestWriteCancelled(t *testing.T) {
	s := openTemp(t)
	wantErr(t, "cancelled before", s.Write(cancelled(t), false, put("a")), context.Canceled)
	release := hold(t, s)
	ctx, cancel := context.WithCancel(t.Context())
	waits, next := enqueue(t, s, ctx, put("b")), enqueue(t, s, t.Context(), put("c"))
	cancel()
	release()
	<-waits.done
	<-next.done
	wantErr(t, "cancelled while it waited", waits.err, context.Canceled)
	wantErr(t, "the one behind it", next.err, nil)
	ctx, cancel = context.WithCancel(t.Context())
	err := s.Write(ctx, false, func(tx Tx) error {
		cancel() // too late: it is being written
		return put("d")(tx)
	})
	wantErr(t, "cancelled while it was written", err, nil)
	want(t, "rows", traces(t, s), "c d")
}

// TestBusy needs no database: nobody takes anything from this queue.
func TestBusy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &writer{queue: make(chan *write, 1), done: make(chan struct{})}
		wantErr(t, "first", w.enqueue(&write{ctx: t.Context()}, w.queue), nil)
		wantErr(t, "queue full", w.enqueue(&write{ctx: t.Context()}, w.queue), webhook.ErrBusy)
		wantErr(t, "caller gone", w.enqueue(&write{ctx: cancelled(t)}, w.queue), context.Canceled)
		go func() { <-w.queue }()
		wantErr(t, "a place in time", w.enqueue(&write{ctx: t.Context()}, w.queue), nil)
		close(w.done)
		wantErr(t, "closed", w.enqueue(&write{ctx: t.Context()}, w.queue), errClosed)
	})
}

func TestCloseWithWaitingWrites(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bookhook.db")
	s := openPath(t, path)
	release := hold(t, s)
	writes := []*write{}
	for i := range 10 {
		writes = append(writes, enqueue(t, s, t.Context(), put(strconv.Itoa(i))))
	}
	closed := make(chan error)
	go func() { closed <- s.Close() }()
	<-s.writer.quit
	release()
	wantErr(t, "close", <-closed, nil)
	for _, wr := range writes {
		<-wr.done
		wantErr(t, "a write that waited", wr.err, nil)
	}
	wantErr(t, "a write after that", s.Write(t.Context(), false, put("x")), errClosed)
	wantErr(t, "ping", s.Ping(t.Context()), errClosed)
	wantErr(t, "a read after that", scanOne(s, new(int), `SELECT count(*) FROM settings`), errClosed)
	wantErr(t, "close again", s.Close(), nil)
	want(t, "rows", traces(t, openPath(t, path)), "0 1 2 3 4 5 6 7 8 9")
}
