package views

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"bookhook/static"
)

func TestPages(t *testing.T) {
	for _, k := range kinds {
		for name, component := range k.pages() {
			t.Run(k.name+"/"+name, func(t *testing.T) {
				var page bytes.Buffer
				if err := component.Render(t.Context(), &page); err != nil {
					t.Fatal(err)
				}
				check(t, page.String())
			})
		}
	}
}

// TestEveryPageIsHere: each component that a handler shows is among the pages that
// are checked here and by the HTML validator of package e2e.
func TestEveryPageIsHere(t *testing.T) {
	shown, err := os.ReadFile("pages_test.go")
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("*.templ")
	if err != nil || len(files) == 0 {
		t.Fatalf("got %d templ files (%v)", len(files), err)
	}
	fragments := []string{"StatsCharts", "Sparkline", "URLCheck"} // the last one is put into a page by a script
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range regexp.MustCompile(`(?m)^templ ([A-Z]\w*)`).FindAllStringSubmatch(string(text), -1) {
			if name := found[1]; !slices.Contains(fragments, name) && !regexp.MustCompile(`\b`+name+`\(`).Match(shown) {
				t.Errorf("%s: %s is no page of pages_test.go", file, name)
			}
		}
	}
}

var void = []string{"meta", "link", "input", "br", "hr"}

// once lists the elements of which a page has exactly one.
var once = []string{"h1", "main", "title"}

// check looks for what no page may have, whatever it is given.
func check(t *testing.T, page string) {
	t.Helper()
	var open []string
	count, ids := map[string]int{}, map[string]int{}
	var refs []string
	tokens := html.NewTokenizer(strings.NewReader(page))
	for {
		kind := tokens.Next()
		if kind == html.ErrorToken {
			if !errors.Is(tokens.Err(), io.EOF) {
				t.Error(tokens.Err())
			}
			break
		}
		token := tokens.Token()
		switch {
		case kind == html.EndTagToken && (len(open) == 0 || open[len(open)-1] != token.Data):
			t.Fatalf("</%s> closes %v", token.Data, open)
		case kind == html.EndTagToken:
			open = open[:len(open)-1]
		case kind == html.StartTagToken || kind == html.SelfClosingTagToken:
			count[token.Data]++
			refs = append(refs, attributes(t, token, ids)...)
			if kind == html.StartTagToken && !slices.Contains(void, token.Data) {
				open = append(open, token.Data)
			}
		}
	}
	for _, meta := range []string{`<meta name="description" content="\w[^"]{20,}\."`, `<meta name="robots" content="noindex, nofollow"`} {
		if n := len(regexp.MustCompile(meta).FindAllString(page, -1)); n != 1 {
			t.Errorf("%d of %s, want 1", n, meta)
		}
	}
	if len(open) > 0 {
		t.Errorf("left open: %v", open)
	}
	for _, name := range once {
		if count[name] != 1 {
			t.Errorf("%d of <%s>, want 1", count[name], name)
		}
	}
	for _, ref := range refs {
		if ids[ref] == 0 {
			t.Errorf("refers to #%s, which is not there", ref)
		}
	}
	for id, n := range ids {
		if n > 1 {
			t.Errorf("id %q stands %d times", id, n)
		}
	}
}

// attributes checks those of one element and returns the ids it refers to.
func attributes(t *testing.T, token html.Token, ids map[string]int) (refs []string) {
	t.Helper()
	src := false
	for _, a := range token.Attr {
		switch {
		case a.Key == "style" || strings.HasPrefix(a.Key, "on"):
			t.Errorf("<%s> has %s=%q", token.Data, a.Key, a.Val)
		case a.Key == "id":
			ids[a.Val]++
		case a.Key == "for" || a.Key == "aria-labelledby" || a.Key == "aria-describedby" || a.Key == "popovertarget" || a.Key == "data-copy":
			refs = append(refs, strings.Fields(a.Val)...)
		case a.Key == "href" && strings.HasPrefix(a.Val, "#"):
			refs = append(refs, a.Val[1:])
		case (a.Key == "href" || a.Key == "action") && !strings.HasPrefix(a.Val, "/") && a.Val != "mailto:support@example.com":
			t.Errorf("<%s> leads to %q", token.Data, a.Val)
		case a.Key == "aria-current" && a.Val == "": // which means that it is not the current one
			t.Errorf("<%s> has an empty aria-current", token.Data)
		case a.Key == "src":
			src = strings.HasPrefix(a.Val, static.Prefix)
		case a.Key == "class" && strings.Contains(a.Val, "CSS"):
			t.Errorf("class %q", a.Val)
		}
	}
	if token.Data == "style" || token.Data == "script" && !src {
		t.Errorf("inline <%s>", token.Data)
	}
	return refs
}

// TestLook writes every page to the folder $BOOKHOOK_LOOK, with the files they
// need, to be served from there and looked at.
func TestLook(t *testing.T) {
	dir := os.Getenv("BOOKHOOK_LOOK")
	if dir == "" {
		t.Skip("BOOKHOOK_LOOK names no folder")
	}
	files := map[string][]byte{}
	for _, name := range []string{"app.css", "app.js", "wizard.js", "live.js", "replay.js", "keys.js", "favicon.svg", "favicon.png", "touch.png", "preview.png"} {
		f, ok := static.Lookup(strings.TrimPrefix(static.Path(name), static.Prefix))
		if !ok {
			t.Fatal(name)
		}
		files["static/"+f.Name] = f.Body
	}
	for _, k := range kinds {
		for name, component := range k.pages() {
			var page bytes.Buffer
			if err := component.Render(t.Context(), &page); err != nil {
				t.Fatal(err)
			}
			files[k.name+"/"+name+".html"] = page.Bytes()
		}
	}
	for name, body := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, body, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
