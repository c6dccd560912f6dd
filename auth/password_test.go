package auth

import (
	"testing"

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
		if got, err := h.Matches(t.Context(), "anna", c.password, c.hash); err != nil || got != c.want {
			t.Errorf("%q with %q: got %v, %v, want %v", c.password, c.hash, got, err, c.want)
		}
	}
}
