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
			if _, err := w.enqueue(ctx, Turn{}, nil); !errors.Is(err, want) {
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

// stuck is a connection that begins and commits only when the test lets it.
type stuck struct {
	Conn
	entered, free chan struct{}
}

func (c stuck) pass() error               { c.entered <- struct{}{}; <-c.free; return nil }
func (c stuck) Begin() error              { return c.pass() }
func (c stuck) Commit([]*Statement) error { return c.pass() }
func (stuck) Changes() int                { return 0 }
func (stuck) Spoiled(error) error         { return nil }
func (stuck) TookTooLong(error) bool      { return false }
func (stuck) IsUnavailable(error) bool    { return false }

// TestLeave: who waits for a write that has not started may leave, and it never runs; who
// waits for one that has may not.
func TestLeave(t *testing.T) {
	c := stuck{entered: make(chan struct{}), free: make(chan struct{})}
	w := Start(c)
	ctx, leave := context.WithCancel(t.Context())
	ran := 0
	wait, err := w.Enqueue(ctx, Turn{}, func(Tx) error { ran++; return nil })
	if err != nil {
		t.Fatal(err)
	}
	<-c.entered // Begin
	leave()
	if err := wait(); !errors.Is(err, context.Canceled) {
		t.Errorf("before it started: got error %v, want %v", err, context.Canceled)
	}
	c.free <- struct{}{}
	<-c.entered // Commit
	c.free <- struct{}{}

	ctx, leave = context.WithCancel(t.Context())
	wait, err = w.Enqueue(ctx, Turn{}, func(Tx) error { ran++; leave(); return nil })
	if err != nil {
		t.Fatal(err)
	}
	<-c.entered
	c.free <- struct{}{}
	<-c.entered
	go func() { c.free <- struct{}{} }()
	if err := wait(); err != nil || ran != 1 {
		t.Errorf("after it started: got error %v and %d runs, want none and 1", err, ran)
	}
	w.End()
}
