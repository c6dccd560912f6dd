package views

import (
	"bytes"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/a-h/templ"

	"bookhook/static"
	"bookhook/webhook"
)

// ordinary are the pages with ordinary content, as sent, by name.
func ordinary(t *testing.T) map[string]string {
	t.Helper()
	pages := map[string]string{}
	for name, component := range kinds[0].pages() {
		pages[name] = rendered(t, component)
	}
	return pages
}

func rendered(t *testing.T, component templ.Component) string {
	t.Helper()
	var page bytes.Buffer
	if err := component.Render(t.Context(), &page); err != nil {
		t.Fatal(err)
	}
	return page.String()
}

// TestTitles: a tab, a bookmark and the history say which page it is. Pages with the
// same title are the same page in other states, which is what their names begin with.
func TestTitles(t *testing.T) {
	title := regexp.MustCompile(`<title>([^<]+) – Bookhook</title>`)
	pages := ordinary(t)
	first := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(pages)) {
		found := title.FindStringSubmatch(pages[name])
		if found == nil {
			t.Errorf("%s: no title", name)
			continue
		}
		page, _, _ := strings.Cut(name, "-")
		if other := first[found[1]]; other != "" && other != page {
			t.Errorf("%s and %s: both are %q", other, name, found[1])
		}
		first[found[1]] = page
	}
}

// TestPreviews: what anybody may open has a preview with an address that others can
// fetch, and nothing of an account in it; what is behind the sign-in has none.
func TestPreviews(t *testing.T) {
	meta := regexp.MustCompile(`<meta property="og:[^>]+>`)
	for name, page := range ordinary(t) {
		inside := strings.Contains(page, `class="app"`)
		if found := meta.FindAllString(page, -1); inside != (len(found) == 0) {
			t.Errorf("%s: got %d lines of a preview (behind the sign-in: %v)", name, len(found), inside)
		}
	}
	outside := Outside{BaseURL: "https://bookhook.example.com"}
	page := rendered(t, ChoosePassword(ChoosePasswordProps{
		Outside: outside, Token: "s3cret", Email: "marta@example.com",
		AccountName: "Sea Tours", Invitation: &webhook.Invitation{CreatedBy: "anna@example.com"},
	}))
	if want := `<meta property="og:image" content="https://bookhook.example.com` + static.Path("preview.png") + `">`; !strings.Contains(page, want) {
		t.Errorf("no %s", want)
	}
	for _, line := range meta.FindAllString(page, -1) {
		if regexp.MustCompile(`s3cret|marta|Sea Tours|anna`).MatchString(line) {
			t.Errorf("the preview of an invitation has %s", line)
		}
	}
}

// TestThemeColors: what a browser paints around a page is the frame's colour, in the theme
// that was chosen, else in that of the system.
func TestThemeColors(t *testing.T) {
	sheet, _ := static.Lookup(strings.TrimPrefix(static.Path("app.css"), static.Prefix))
	frame := regexp.MustCompile(`--frame: light-dark\((#\w+), (#\w+)\)`).FindSubmatch(sheet.Body)
	if frame == nil {
		t.Fatal("no --frame")
	}
	light, dark := string(frame[1]), string(frame[2])
	for theme, want := range map[string]string{
		"":      light + " (prefers-color-scheme: light)" + dark + " (prefers-color-scheme: dark)",
		"light": light + " all", "dark": dark + " all",
	} {
		got := ""
		for _, found := range regexp.MustCompile(`name="theme-color" content="([^"]+)" media="([^"]+)"`).FindAllStringSubmatch(rendered(t, BeforeSetup(Outside{Theme: theme})), -1) {
			got += found[1] + " " + found[2]
		}
		if got != want {
			t.Errorf("%q: got %s, want %s", theme, got, want)
		}
	}
}

// TestEveryEmptyListHasItsDrawing: by name in the sources, since a page shows one at a time.
func TestEveryEmptyListHasItsDrawing(t *testing.T) {
	files, err := filepath.Glob("*.templ")
	if err != nil {
		t.Fatal(err)
	}
	used := map[string]bool{"channels": true, "tours": true} // of items.templ, where the kind is the name
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range regexp.MustCompile(`@empty\("(\w+)"`).FindAllStringSubmatch(string(text), -1) {
			used[found[1]] = true
		}
	}
	for name := range used {
		if d := sketches[name]; d.tint == "" || d.shape == "" || d.stroke == "" {
			t.Errorf("%s: not drawn", name)
		}
	}
	for name := range sketches {
		if !used[name] {
			t.Errorf("%s: no list has it", name)
		}
	}
	page := rendered(t, Webhooks(WebhooksProps{Page: kinds[0].page(webhook.RoleOperator)}))
	if !strings.Contains(page, sketches["webhooks"].stroke) {
		t.Error("the page without webhooks has no drawing")
	}
}

// The breadcrumb names the pages above; the page itself is in the heading below it.
func TestCrumbsDoNotRepeatTheHeading(t *testing.T) {
	t.Parallel()
	last := regexp.MustCompile(`(?s)<nav class="crumbs".*?<(?:span|a[^>]*)>([^<]+)</(?:span|a)></li></ol>`)
	heading := regexp.MustCompile(`<h1[^>]*>([^<]+)</h1>`)
	with := 0
	for name, page := range ordinary(t) {
		crumb, h1 := last.FindStringSubmatch(page), heading.FindStringSubmatch(page)
		if crumb == nil {
			continue
		}
		if with++; h1 == nil || strings.EqualFold(crumb[1], h1[1]) {
			t.Errorf("%s: the breadcrumb ends in %q above %q", name, crumb[1], h1)
		}
	}
	if with < 10 {
		t.Errorf("got %d pages with a breadcrumb", with)
	}
}
