package static

import (
	"bytes"
	"image/png"
	"regexp"
	"strings"
	"testing"
)

func TestLookup(t *testing.T) {
	for _, name := range []string{"app.css", "app.js", "wizard.js", "live.js", "replay.js", "favicon.svg", "favicon.png", "touch.png", "preview.png"} {
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

// TestPictures: the pictures have the sizes that pages promise.
func TestPictures(t *testing.T) {
	for name, size := range map[string][2]int{"favicon.png": {32, 32}, "touch.png": {180, 180}, "preview.png": {1200, 630}} {
		f, _ := Lookup(strings.TrimPrefix(Path(name), Prefix))
		picture, err := png.DecodeConfig(bytes.NewReader(f.Body))
		if err != nil || [2]int{picture.Width, picture.Height} != size || len(f.Body) > 64<<10 {
			t.Errorf("%s: got %d by %d in %d bytes (%v), want %v", name, picture.Width, picture.Height, len(f.Body), err, size)
		}
	}
}

// TestScales: sizes of type and colours have a name, which :root gives them.
func TestScales(t *testing.T) {
	f, _ := Lookup(strings.TrimPrefix(Path("app.css"), Prefix))
	rules := regexp.MustCompile(`([^{}]+)\{([^{}]*)\}`).FindAllSubmatch(f.Body, -1)
	if len(rules) < 300 {
		t.Fatalf("got %d rules", len(rules))
	}
	stray := regexp.MustCompile(`font(-size)?:[^;]*\d(rem|px|pt)\b|#[0-9a-f]{3,8}\b|rgba?\(`)
	for _, rule := range rules {
		if found := stray.Find(rule[2]); found != nil && !bytes.Contains(rule[1], []byte(":root")) {
			t.Errorf("%s: %s", bytes.TrimSpace(rule[1]), found)
		}
	}
}
