package platforms_test

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestGuide: the Go code in the guide is that of the made-up platform, and its line
// in the list is like those that are there.
func TestGuide(t *testing.T) {
	sources, err := filepath.Glob("harbour/*.go")
	if err != nil || len(sources) == 0 {
		t.Fatal("there is no made-up platform", err)
	}
	code := strings.ReplaceAll(read(t, "all/all.go"), "\twink.", "\tharbour.")
	for _, name := range sources {
		code += read(t, name)
	}
	quotes := regexp.MustCompile("(?s)```go\n(.*?)```").FindAllStringSubmatch(read(t, "README.md"), -1)
	if len(quotes) < 3 {
		t.Errorf("got %d quotes, want some", len(quotes))
	}
	for _, quote := range quotes {
		if !strings.Contains(code, quote[1]) {
			t.Errorf("this is not how the made-up platform has it:\n%s", quote[1])
		}
	}
}
