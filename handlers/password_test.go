package handlers

import (
	"context"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alexedwards/argon2id"
)

// Who does not exist takes as long as who does, on every machine.
func TestNobodyIsHashedLikeSomebody(t *testing.T) {
	hash, err := HashPassword("a boat on the river")
	if err != nil {
		t.Fatal(err)
	}
	for name, hash := range map[string]string{"somebody": hash, "nobody": nobody} {
		if got, _, _, err := argon2id.DecodeHash(hash); err != nil || *got != hashParams {
			t.Errorf("%s: got %+v, %v, want %+v", name, got, err, hashParams)
		}
	}
}

func TestHashingWaitsForAPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := make(hashing, maxHashing)
		leave := make(chan struct{})
		for range maxHashing {
			go func() {
				if err := h.do(t.Context(), func() error { <-leave; return nil }); err != nil {
					t.Error(err)
				}
			}()
		}
		synctest.Wait()
		begun := time.Now()
		err := h.do(t.Context(), func() error { t.Error("one too many at once"); return nil })
		if p := asProblem(err); err == nil || p.Status != http.StatusServiceUnavailable || p.Type != "busy" {
			t.Errorf("got %v, want busy", err)
		}
		if waited := time.Since(begun); waited != hashingWait {
			t.Errorf("waited %s, want %s", waited, hashingWait)
		}
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		if err := h.do(gone, func() error { return nil }); err == nil {
			t.Error("hashed for a request that is over")
		}
		close(leave)
		synctest.Wait()
		if err := h.do(t.Context(), func() error { return nil }); err != nil {
			t.Errorf("with a place free: %v", err)
		}
	})
}
