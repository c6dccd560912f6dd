package auth

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alexedwards/argon2id"
)

// Who does not exist takes as long as who does, on every machine.
func TestDummyHashCostsAsMuch(t *testing.T) {
	t.Parallel()
	hash, err := HashPassword("a boat on the river")
	if err != nil {
		t.Fatal(err)
	}
	for name, hash := range map[string]string{"user": hash, "dummy": dummyHash} {
		if got, _, _, err := argon2id.DecodeHash(hash); err != nil || *got != hashParams {
			t.Errorf("%s: got %+v, %v, want %+v", name, got, err, hashParams)
		}
	}
	h := NewHasher()
	for _, c := range []struct {
		password, hash string
		want           bool
	}{
		{"a boat on the river", hash, true}, {"a boat on the lake", hash, false}, {"a boat on the river", "", false},
	} {
		if got, err := h.Matches(t.Context(), c.password, c.hash); err != nil || got != c.want {
			t.Errorf("%q with %q: got %v, %v, want %v", c.password, c.hash, got, err, c.want)
		}
	}
}

func TestHasherWaitsForAPlace(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := NewHasher()
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
		if err := h.do(t.Context(), func() error { t.Error("one too many at once"); return nil }); !errors.Is(err, ErrOverloaded) {
			t.Errorf("got %v, want it overloaded", err)
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
