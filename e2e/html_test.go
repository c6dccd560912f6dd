package e2e

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// The Nu HTML Checker, which the W3C's validator is too. It is started twice, because its start takes seconds: for the
// views with what package views shows in its tests, and at the end of all tests for what these looked at.

const checker = "node_modules/vnu-jar/build/dist/vnu.jar"

var errNoJava = errors.New("the HTML is not validated, because Java is not installed")

// remark is what the checker says of a file; anything that it says is too much.
type remark struct {
	URL, Type, Message, Extract string
	LastLine                    int
}

func (r remark) String() string {
	return fmt.Sprintf("%s:%d: %s: %s\n\t%s", filepath.Base(r.URL), r.LastLine, r.Type, r.Message, strings.Join(strings.Fields(r.Extract), " "))
}

// newerCSS is what the checker says of what style sheets have and it does not know yet.
var newerCSS = regexp.MustCompile(`Property “(container-type|vector-effect|position-(anchor|area|try-fallbacks)|anchor-(name|scope))” doesn't exist|Unrecognized at-rule “@container”`)

// checkHTML runs the checker on pages (.html), style sheets and pictures (.svg).
func checkHTML(files []string) ([]remark, error) {
	if _, err := exec.LookPath("java"); err != nil {
		return nil, errNoJava
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	// The checker would guess a page's language from the names of tours and the bodies of requests on it.
	args := []string{"-jar", checker, "--format", "json", "--stdout", "--exit-zero-always", "--also-check-css", "--also-check-svg", "--no-langdetect"}
	cmd := exec.CommandContext(ctx, "java", append(args, files...)...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("the HTML checker: %w\n%s", err, &stderr)
	}
	var result struct{ Messages []remark }
	if err := json.Unmarshal(out, &result); err != nil {
		return nil, fmt.Errorf("the HTML checker: %w\n%s", err, out)
	}
	return slices.DeleteFunc(result.Messages, func(r remark) bool { return newerCSS.MatchString(r.Message) }), nil
}

// kept are the pages that tests looked at, as they were sent.
var kept keptPages

type keptPages struct {
	folder string
	mu     sync.Mutex
	files  map[[sha256.Size]byte]string // by content
}

// keepHTML keeps the page that the tab shows for the checker.
func (p *page) keepHTML() {
	p.t.Helper()
	shown := *p.document.Load()
	body, err := shown.Body()
	must(p.t, err)
	must(p.t, kept.add(p.t.Name()+" "+shown.URL(), body))
}

func (k *keptPages) add(name string, body []byte) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.files == nil {
		k.files = map[[sha256.Size]byte]string{}
	}
	hash := sha256.Sum256(body)
	if k.files[hash] != "" {
		return nil
	}
	name = notInNames.ReplaceAllString(name, "-")
	k.files[hash] = filepath.Join(k.folder, fmt.Sprintf("%.150s-%d.html", name, len(k.files)))
	if err := os.MkdirAll(k.folder, 0o755); err != nil {
		return err
	}
	return os.WriteFile(k.files[hash], body, 0o600)
}

// validate runs the checker on what was kept.
func (k *keptPages) validate() error {
	if len(k.files) == 0 {
		return nil
	}
	var files []string
	for _, file := range k.files {
		files = append(files, file)
	}
	remarks, err := checkHTML(files)
	if errors.Is(err, errNoJava) {
		fmt.Fprintf(os.Stderr, "e2e: %v: %d pages\n", err, len(files))
		return nil
	}
	for _, r := range remarks {
		err = errors.Join(err, errors.New(r.String()))
	}
	if err == nil {
		fmt.Fprintf(os.Stderr, "e2e: the HTML checker found nothing on %d pages\n", len(files))
	}
	return err
}

// Every view with ordinary, no and hostile content, the style sheet and the icon: nothing for the checker. A page that is
// wrong, among them, shows that it checks.
func TestHTMLOfEveryView(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cmd := exec.CommandContext(t.Context(), "go", "test", "-buildvcs=false", "-count=1", "-run", "^TestLook$", "../views")
	cmd.Env = append(os.Environ(), "BOOKHOOK_LOOK="+dir)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("write the views: %v\n%s", err, out)
	}
	wrong := filepath.Join(dir, "wrong.html")
	must(t, os.WriteFile(wrong, []byte("<!DOCTYPE html><html lang=en><title>Wrong</title><h1>Wrong</h1><p><div></div></p>"), 0o600))
	files := []string{wrong}
	for _, pattern := range []string{"*/*.html", "static/*.css", "static/*.svg"} {
		found, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil || len(found) == 0 {
			t.Fatalf("%s: got %d files (%v)", pattern, len(found), err)
		}
		files = append(files, found...)
	}
	remarks, err := checkHTML(files)
	if errors.Is(err, errNoJava) {
		t.Skip(err)
	}
	must(t, err)
	checks := false
	for _, r := range remarks {
		if u, err := url.Parse(r.URL); err == nil && u.Path == wrong {
			checks = true
		} else if !strings.Contains(r.String(), "“field-sizing”") { // of CSS Basic User Interface 4, which the checker does not know
			t.Error(r)
		}
	}
	if !checks {
		t.Errorf("the checker finds nothing wrong with %s", wrong)
	}
}
