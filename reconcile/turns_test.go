package reconcile_test

import (
	"context"
	"errors"
	"testing"

	"bookhook/db/dbtest"
	"bookhook/reconcile"
	"bookhook/webhook"
)

// slowStore is a store that reads a block when the test lets it go on.
type slowStore struct {
	reconcile.Store
	begun, goOn chan struct{}
}

func (s slowStore) UploadBlock(ctx context.Context, account webhook.AccountID, id webhook.UploadID, number int) ([]byte, error) {
	s.begun <- struct{}{}
	<-s.goOn
	return s.Store.UploadBlock(ctx, account, id, number)
}

// TestFewInspect: an account inspects two lists at once, and leaves room to others.
func TestFewInspect(t *testing.T) {
	s := dbtest.New(t)
	slow := slowStore{s, make(chan struct{}), make(chan struct{})}
	r := reconcile.New(slow)
	first, second := store(t, s, 1, []byte("A1\nA2\n")), store(t, s, 2, []byte("B1\n"))
	inspected := make(chan error)
	for _, u := range []webhook.Upload{first, first, second} {
		go func() {
			_, err := r.Inspect(t.Context(), u)
			inspected <- err
		}()
		<-slow.begun
	}
	_, err := r.Inspect(t.Context(), first)
	if _, ok := errors.AsType[webhook.LimitReached](err); !ok {
		t.Errorf("a third one: got %v", err)
	}
	close(slow.goOn)
	for range 3 {
		if err := <-inspected; err != nil {
			t.Error(err)
		}
	}
	go func() { <-slow.begun }()
	if _, err := r.Inspect(t.Context(), first); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}
