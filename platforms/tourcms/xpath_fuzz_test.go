package tourcms

import (
	"testing"

	"bookhook/platforms/tourcms/xpath"
)

// FuzzXPath: an expression of a stranger is refused or evaluated, within the effort
// that it is given, and twice the same.
func FuzzXPath(f *testing.F) {
	for _, text := range []string{"/a/b", "//b[@c='1']/..", "count(//*)+1", "a|b", "//b[position()=last()]", "string(-1 div 0)", "((((", "/a[", "ancestor::*[1]"} {
		f.Add(text)
	}
	root, err := parse([]byte(`<a><b c="1">x</b><b c="2"><c>y</c></b></a>`))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string) {
		expr, err := xpath.Compile(text)
		if err != nil {
			return
		}
		first, err := expr.Eval((*xpath.Node)(root), xpath.NewEffort(10_000))
		second, again := expr.Eval((*xpath.Node)(root), xpath.NewEffort(10_000))
		if (err == nil) != (again == nil) {
			t.Fatalf("%q: got %v and %v", text, err, again)
		}
		if a, is := first.(string); is && a != second {
			t.Fatalf("%q: got %q and %q", text, first, second)
		}
	})
}
