package platforms_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestGuide: the Go code in the guide stands in the made-up platform, and the
// files that it names are there.
func TestGuide(t *testing.T) {
	guide := read(t, "README.md")
	sources, err := filepath.Glob("harbour/*.go")
	if err != nil || len(sources) == 0 {
		t.Fatal("there is no made-up platform", err)
	}
	var code strings.Builder
	for _, name := range append(sources, "../handlers/harbour_test.go") {
		code.WriteString(read(t, name))
	}
	quotes := regexp.MustCompile("(?s)```go\n(.*?)```").FindAllStringSubmatch(guide, -1)
	if len(quotes) < 3 {
		t.Errorf("got %d quotes, want some", len(quotes))
	}
	for _, quote := range quotes {
		if !strings.Contains(code.String(), quote[1]) {
			t.Errorf("this is not how the made-up platform has it:\n%s", quote[1])
		}
	}
	for _, link := range regexp.MustCompile(`\]\(([^)]+)\)`).FindAllStringSubmatch(guide, -1) {
		if _, err := os.Stat(link[1]); err != nil {
			t.Error(err)
		}
	}
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
