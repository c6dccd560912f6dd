package static

import (
	"strings"
	"testing"
)

func TestLookup(t *testing.T) {
	for _, name := range []string{"app.css", "app.js", "wizard.js", "live.js", "replay.js", "favicon.svg"} {
		path := Path(name)
		f, ok := Lookup(strings.TrimPrefix(path, Prefix))
		if !ok || len(f.Body) == 0 || f.Type == "" || path == Prefix+name {
			t.Errorf("%s: %s gives %v, %q, %d bytes", name, path, ok, f.Type, len(f.Body))
		}
	}
	for _, name := range []string{"app.css", "app.00000000.css", "../static.go", ""} {
		if _, ok := Lookup(name); ok {
			t.Errorf("%q was found", name)
		}
	}
}
