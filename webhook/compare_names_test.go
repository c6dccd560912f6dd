package webhook

import (
	"math/rand/v2"
	"slices"
	"testing"
)

func TestCompareNames(t *testing.T) {
	t.Parallel()
	want := []string{
		"", "01", "1", "2 Tours", "10 Tours", "18446744073709551616", "18446744073709551617", "apple", "Tour", "tour 1", "Tour 02", "Tour 2", "tour 2", "Tour 10",
		"Tour 10 a", "Tour 10 B", "Tour a", "Ämblik 2", "ämblik 10", "ÕHTU", "õhtu", "ночь 9", "Ночь 10", "\xff", "🦭 3", "🦭 20",
	}
	got := slices.Clone(want)
	for range 50 {
		rand.Shuffle(len(got), func(i, j int) { got[i], got[j] = got[j], got[i] })
		slices.SortFunc(got, CompareNames)
		if !slices.Equal(got, want) {
			t.Fatalf("got %q, want %q", got, want)
		}
	}
}

// An order is one: total, the same both ways, and of equal texts alone 0.
func FuzzCompareNames(f *testing.F) {
	f.Add("Tour 2", "Tour 10", "tour 02")
	f.Add("a", "a1", "1a")
	f.Add("\xff1", "\xfe01", "ſ")
	f.Fuzz(func(t *testing.T, a, b, c string) {
		ab, ba, bc, ac := CompareNames(a, b), CompareNames(b, a), CompareNames(b, c), CompareNames(a, c)
		if ab != -ba || (ab == 0) != (a == b) {
			t.Errorf("%q and %q: got %d and %d", a, b, ab, ba)
		}
		if ab <= 0 && bc <= 0 && ac > 0 {
			t.Errorf("%q, %q and %q are not in an order", a, b, c)
		}
	})
}
