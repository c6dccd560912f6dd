package group

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"bookhook/webhook"
)

// TestBusy needs no database: nobody takes anything from this queue.
func TestBusy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWriter(nil, 1)
		cancelled, cancel := context.WithCancel(t.Context())
		cancel()
		enqueue := func(what string, ctx context.Context, want error) { //nolint:revive // what is first everywhere
			if _, err := w.enqueue(ctx, false, nil); !errors.Is(err, want) {
				t.Errorf("%s: got error %v, want %v", what, err, want)
			}
		}
		enqueue("first", t.Context(), nil)
		enqueue("queue full", t.Context(), webhook.ErrBusy)
		enqueue("caller gone", cancelled, context.Canceled)
		go func() { <-w.queue }()
		enqueue("a place in time", t.Context(), nil)
		close(w.done)
		enqueue("closed", t.Context(), ErrClosed)
	})
}
