package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The documents, as tests: what they point to exists, and the command line is all there.

// maxReadme is how many lines the README may have: a first look, not the manual.
const maxReadme = 130

var (
	codeBlock = regexp.MustCompile("(?ms)^```.*?^```$")
	heading   = regexp.MustCompile(`(?m)^#+ (.+)$`)
	link      = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	notInSlug = regexp.MustCompile(`[^\p{L}\p{N} _-]`)
)

func TestReadmeIsShort(t *testing.T) {
	if lines := strings.Count(document(t, "README.md"), "\n"); lines > maxReadme {
		t.Errorf("README.md has %d lines, want at most %d: the rest belongs in docs", lines, maxReadme)
	}
}

func TestLinksOfDocuments(t *testing.T) {
	pages, err := filepath.Glob("docs/*.md")
	if err != nil || len(pages) == 0 {
		t.Fatalf("got no pages in docs (%v)", err)
	}
	readme := document(t, "README.md")
	for _, page := range pages {
		if !strings.Contains(readme, "("+filepath.ToSlash(page)+")") {
			t.Errorf("README.md does not link to %s", page)
		}
	}
	for _, page := range append(pages, "README.md", "platforms/README.md") {
		for _, found := range link.FindAllStringSubmatch(codeBlock.ReplaceAllString(document(t, page), ""), -1) {
			if !strings.Contains(found[1], "://") {
				checkLink(t, page, found[1])
			}
		}
	}
}

// checkLink checks that the file exists, and the heading in it if the link names one.
func checkLink(t *testing.T, page, target string) {
	t.Helper()
	path, anchor, hasAnchor := strings.Cut(target, "#")
	file := page
	if path != "" {
		file = filepath.Join(filepath.Dir(page), path)
	}
	if _, err := os.Stat(file); err != nil {
		t.Errorf("%s links to %s: %v", page, target, err)
	} else if hasAnchor && !slices.Contains(anchors(document(t, file)), anchor) {
		t.Errorf("%s links to %s, but there is no such heading", page, target)
	}
}

// anchors are the names that GitHub gives to the headings of a page.
func anchors(text string) (names []string) {
	for _, h := range heading.FindAllStringSubmatch(codeBlock.ReplaceAllString(text, ""), -1) {
		names = append(names, strings.ReplaceAll(notInSlug.ReplaceAllString(strings.ToLower(h[1]), ""), " ", "-"))
	}
	return names
}

var (
	pinnedAt = regexp.MustCompile(`\b\d+\.\d+\.\d+\b`)
	testFile = regexp.MustCompile("`([a-z0-9/_]+_test\\.go)`")
)

// TestForeignClientsAreAsPinned: the table of foreign clients names the versions that are
// pinned, all npm packages of the tests are in it, and its tests exist.
func TestForeignClientsAreAsPinned(t *testing.T) {
	page, packages := document(t, "docs/clients.md"), document(t, "e2e/package.json")
	pins := packages + document(t, "go.mod") + document(t, "e2e/testdata/goclient/go.mod")
	rows := 0
	for row := range strings.Lines(page) {
		files := testFile.FindAllStringSubmatch(row, -1)
		if len(files) == 0 {
			continue
		}
		rows++
		for _, pinned := range pinnedAt.FindAllString(strings.Split(row, "|")[2], -1) {
			if !strings.Contains(pins, pinned) {
				t.Errorf("%s is pinned nowhere: %s", pinned, row)
			}
		}
		for _, file := range files {
			if _, err := os.Stat(file[1]); err != nil {
				t.Error(err)
			}
		}
	}
	if rows < 10 {
		t.Errorf("got %d rows", rows)
	}
	_, tools, _ := strings.Cut(packages, `"devDependencies"`)
	for _, pinned := range pinnedAt.FindAllString(tools, -1) {
		if !strings.Contains(page, pinned) {
			t.Errorf("a package of version %s is not in the table", pinned)
		}
	}
}

func TestCommandLineIsDocumented(t *testing.T) {
	page := document(t, "docs/running.md")
	overview := help(t)
	commands := regexp.MustCompile(`(?m)^  ([a-z]+(?: [a-z]+)*)(?:  |$)`).FindAllStringSubmatch(overview, -1)
	if len(commands) < 10 {
		t.Fatalf("got %d commands from the help, want more:\n%s", len(commands), overview)
	}
	helps := []string{overview}
	for _, command := range commands {
		if !mentions(page, "bookhook "+command[1]) {
			t.Errorf("docs/running.md does not mention the command %q", command[1])
		}
		helps = append(helps, help(t, strings.Fields(command[1])...))
	}
	flag := regexp.MustCompile(`(?m)^ +(?:-\w, )?(--[a-z-]+)`)
	for _, found := range flag.FindAllStringSubmatch(strings.Join(helps, "\n"), -1) {
		if !mentions(page, found[1]) {
			t.Errorf("docs/running.md does not mention the flag %s", found[1])
		}
	}
}

// mentions tells a whole command or flag from the beginning of a longer one.
func mentions(page, name string) bool {
	return regexp.MustCompile(regexp.QuoteMeta(name) + `(?:[^\w-]|$)`).MatchString(page)
}

func help(t *testing.T, command ...string) string {
	t.Helper()
	var out, problem bytes.Buffer
	std := streams{in: strings.NewReader(""), out: &out, err: &problem}
	if code := run(context.Background(), append(command, "--help"), func(string) string { return "" }, std); code != 0 {
		t.Fatalf("%q --help: got exit code %d, want 0: %s", command, code, &problem)
	}
	return out.String()
}

func document(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
