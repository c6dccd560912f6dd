package webhook

import (
	"errors"
	"strings"
	"testing"
)

func TestVia(t *testing.T) {
	t.Parallel()
	one, other := NewInstance([]byte("one")), NewInstance([]byte("other"))
	chain := func(instances ...Instance) string {
		path := ""
		for n, i := range instances {
			path = i.Extend(Via(path), AccountID(100+n))
		}
		return path
	}
	for name, c := range map[string]struct {
		header string
		loop   bool
		want   string
	}{
		"from a booking system":                  {"", false, ""},
		"from another account":                   {one.Extend("", 8), false, one.Extend("", 8)},
		"from the same account number elsewhere": {other.Extend("", 7), false, other.Extend("", 7)},
		"from itself":                            {one.Extend("", 7), true, ""},
		"from itself, long ago":                  {other.Extend(Via(one.Extend("", 7)), 9), true, ""},
		"three hops":                             {chain(other, other, other), false, chain(other, other, other)},
		"four hops":                              {chain(other, other, other, other), true, ""},
		"no spaces, and an empty element":        {strings.ReplaceAll(chain(one, other), ", ", ",,"), false, chain(one, other)},
		"of something else":                      {"1.1 varnish, " + chain(other) + ", " + strings.Repeat("x", 5000), false, chain(other)},
	} {
		got, err := one.Arrive(c.header, 7)
		if errors.Is(err, ErrLoop) != c.loop || string(got) != c.want {
			t.Errorf("%s: got %q, %v, want %q, a loop: %t", name, got, err, c.want, c.loop)
		}
	}
}

// TestViaSaysNothing: a receiver recognises an instance and an account, and learns no
// number of either.
func TestViaSaysNothing(t *testing.T) {
	t.Parallel()
	one, same := NewInstance([]byte("one")), NewInstance([]byte("one"))
	if one.Extend("", 7) != same.Extend("", 7) {
		t.Error("the same database is another instance after a restart")
	}
	if one.Extend("", 7) == one.Extend("", 8) || NewInstance([]byte("other")).Extend("", 7) == one.Extend("", 7) {
		t.Error("accounts or instances are not told apart")
	}
	if instance, account, ok := strings.Cut(one.Extend("", 7), "."); !ok || len(instance) != 12 || len(account) != 12 {
		t.Errorf("got %s, want two hashes of 12 characters", one.Extend("", 7))
	}
}

// FuzzArrive wants that whatever a header says, its path is clean and bounded, reads as
// itself, and comes back to whoever sends it on.
func FuzzArrive(f *testing.F) {
	one, other := NewInstance([]byte("one")), NewInstance([]byte("other"))
	for _, text := range []string{"", ",", other.Extend("", 1), one.Extend("", 7), one.Extend(Via(other.Extend("", 1)), 8), "1.1 varnish,\t" + other.Extend("", 2), other.Extend("", 1) + "\r\nx: y"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, header string) {
		path, err := one.Arrive(header, 7)
		if err != nil {
			if !errors.Is(err, ErrLoop) || path != "" || len(header) < len(one.Extend("", 7)) {
				t.Errorf("got %q, %v", path, err)
			}
			return
		}
		hops := strings.Split(string(path), ", ")
		for _, text := range hops {
			if path != "" && !hop.MatchString(text) || strings.ContainsAny(text, "\r\n\x00") {
				t.Errorf("got the hop %q", text)
			}
		}
		if again, err := one.Arrive(string(path), 7); len(hops) > MaxHops || err != nil || again != path {
			t.Errorf("%q reads as %q, %v", path, again, err)
		}
		if _, err := one.Arrive(one.Extend(path, 7), 7); !errors.Is(err, ErrLoop) {
			t.Errorf("%q does not come back: %v", path, err)
		}
		if sent, err := one.Arrive(one.Extend(path, 8), 7); err == nil && string(sent) != one.Extend(path, 8) || err != nil && len(hops) < MaxHops {
			t.Errorf("%q sent on reads as %q, %v", path, sent, err)
		}
	})
}
