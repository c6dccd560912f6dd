package auth

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

func TestHasherWaitsForAPlace(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := NewHasher()
		leave := make(chan struct{})
		for i := range maxHashing {
			go func() {
				if err := h.do(t.Context(), fmt.Sprint(i), func() error { <-leave; return nil }); err != nil {
					t.Error(err)
				}
			}()
		}
		synctest.Wait()
		begun := time.Now()
		if err := h.do(t.Context(), "more", func() error { t.Error("one too many at once"); return nil }); !errors.Is(err, ErrOverloaded) {
			t.Errorf("got %v, want it overloaded", err)
		}
		if waited := time.Since(begun); waited != hashingWait {
			t.Errorf("waited %s, want %s", waited, hashingWait)
		}
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		if err := h.do(gone, "more", func() error { return nil }); err == nil {
			t.Error("hashed for a request that is over")
		}
		close(leave)
		synctest.Wait()
		if err := h.do(t.Context(), "more", func() error { return nil }); err != nil {
			t.Errorf("with a place free: %v", err)
		}
		if h.free != maxHashing || len(h.running)+len(h.waiting) > 0 {
			t.Errorf("got %+v left, want nothing", h)
		}
	})
}

// TestHasherIsFair: beside others who want hundreds of hashes, one who wants a single
// one waits for one to finish, not for all.
func TestHasherIsFair(t *testing.T) {
	t.Parallel()
	const each = 100 * time.Millisecond
	hash := func() error { time.Sleep(each); return nil }
	for name, owner := range map[string]func(i int) string{ // all of them before
		"one network":         func(int) string { return "attacker" },
		"two accounts":        func(i int) string { return fmt.Sprint("account ", i%2) },
		"a network for each":  func(i int) string { return fmt.Sprint("network ", i) },
		"all of the networks": func(i int) string { return fmt.Sprint("network ", i%50) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				h := NewHasher()
				for i := range 600 {
					go h.do(t.Context(), owner(i), hash) //nolint:errcheck // most are too many
				}
				for range 20 {
					time.Sleep(each / 3)
					begun := time.Now()
					if err := h.do(t.Context(), "anna", hash); err != nil {
						t.Fatal(err)
					}
					if took := time.Since(begun); took > 3*each { // two others may go first
						t.Errorf("took %s, want at most %s", took, 3*each)
					}
				}
				time.Sleep(time.Minute)
			})
		})
	}
}

// TestHasherKnows: who has signed in before does not even wait for those who come
// from everywhere at the same time.
func TestHasherKnows(t *testing.T) {
	t.Parallel()
	const each = 100 * time.Millisecond
	hash := func() error { time.Sleep(each); return nil }
	synctest.Test(t, func(t *testing.T) {
		h := NewHasher()
		if match, err := h.Matches(t.Context(), "anna", "guess", ""); match || err != nil || h.known.Contains("anna") {
			t.Fatalf("a wrong password: got %v, %v, known: %v", match, err, h.known.Contains("anna"))
		}
		h.known.Add("anna", struct{}{}) // as Matches does with a correct one
		for i := range 600 {
			go func() {
				time.Sleep(time.Duration(i) * time.Millisecond)
				_ = h.do(t.Context(), fmt.Sprint("network ", i), hash) // most are too many
			}()
		}
		for range 10 {
			time.Sleep(each / 3)
			begun := time.Now()
			if err := h.do(t.Context(), "anna", hash); err != nil {
				t.Fatal(err)
			}
			if took := time.Since(begun); took > 2*each {
				t.Errorf("took %s, want at most %s", took, 2*each)
			}
		}
		time.Sleep(time.Minute)
	})
}
