package e2e

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/playwright-community/playwright-go"
)

// pageOptions say what kind of visitor opens the page. The zero value is a desktop in the light theme.
type pageOptions struct {
	NoScript bool   // JavaScript off
	Dark     bool   // prefers-color-scheme: dark
	Phone    bool   // 390x844 with touch, instead of 1280x800
	Ignore   string // a pattern of problems that this test brings about itself, e.g. "ERR_CONNECTION_REFUSED"
}

// page is one tab of a browser context. It has all methods of playwright.Page, and those of actions_test.go, which
// fail the test instead of returning errors.
type page struct {
	playwright.Page
	t        testing.TB
	document atomic.Pointer[playwright.Response] // what the tab shows, as it was sent
}

// open opens a tab.
func open(t testing.TB, context playwright.BrowserContext) *page {
	t.Helper()
	tab, err := context.NewPage()
	must(t, err)
	p := &page{Page: tab, t: t}
	tab.OnResponse(func(r playwright.Response) {
		if status := r.Status(); r.Request().IsNavigationRequest() && (status < 300 || status > 399) {
			p.document.Store(&r)
		}
	})
	return p
}

// newPage opens a tab in a fresh browser context (no cookies, no cache) and watches it until the test ends: a console
// error, an exception, a violated policy or a broken part of the page fails the test.
func newPage(t testing.TB, o pageOptions) *page {
	t.Helper()
	context := newContext(t, o)
	context.SetDefaultTimeout(*limit)
	w := watch(context, o.Ignore)
	t.Cleanup(func() {
		// A round trip to each tab lets what the browser has already reported arrive here.
		for _, tab := range context.Pages() {
			_, _ = tab.Title() // a crashed tab has none; what was reported before still counts
		}
		for _, problem := range w.list() {
			t.Errorf("browser: %s", problem)
		}
		if t.Failed() {
			for i, tab := range context.Pages() {
				screenshot(t, tab, fmt.Sprintf("failed-%s-%d", t.Name(), i+1))
			}
		}
		if err := context.Close(); err != nil {
			t.Errorf("close the browser context: %v", err)
		}
	})
	return open(t, context)
}

// newTab opens a second tab for the same visitor, with the same cookies.
func (p *page) newTab() *page {
	p.t.Helper()
	return open(p.t, p.Context())
}

func contextOptions(o pageOptions) playwright.BrowserNewContextOptions {
	options := playwright.BrowserNewContextOptions{
		JavaScriptEnabled: new(!o.NoScript),
		ColorScheme:       playwright.ColorSchemeLight,
		ReducedMotion:     playwright.ReducedMotionReduce, // a colour in mid-fade is no colour to measure
		Viewport:          &playwright.Size{Width: 1280, Height: 800},
		Locale:            new("en-GB"),
	}
	if o.Dark {
		options.ColorScheme = playwright.ColorSchemeDark
	}
	if o.Phone {
		options.Viewport = &playwright.Size{Width: 390, Height: 844}
		options.HasTouch, options.IsMobile = new(true), new(true)
	}
	return options
}

// watcher collects what goes wrong in all tabs of a context.
type watcher struct {
	ignore *regexp.Regexp // nil: nothing

	mu       sync.Mutex
	problems []string
}

func watch(context playwright.BrowserContext, ignore string) *watcher {
	w := &watcher{}
	if ignore != "" {
		w.ignore = regexp.MustCompile(ignore)
	}
	context.OnConsole(func(m playwright.ConsoleMessage) {
		// Chromium also logs here what did not load, even the page itself, where a 422 is as it should be. The two
		// handlers below look at that with more care.
		if m.Type() == "error" && !strings.HasPrefix(m.Text(), "Failed to load resource:") {
			w.add("console: %s (%s)", m.Text(), m.Location().URL)
		}
	})
	context.OnWebError(func(e playwright.WebError) { w.add("uncaught: %v", e.Error()) })
	context.OnResponse(func(r playwright.Response) {
		if kind := r.Request().ResourceType(); r.Status() >= 400 && kind != "document" {
			w.add("%s %s: status %d", kind, r.URL(), r.Status())
		}
	})
	context.OnRequestFailed(func(r playwright.Request) {
		if r.ResourceType() == "eventsource" { // a stream ends with its server, and is opened again
			return
		}
		// ERR_ABORTED is a stream or a fetch cut off because the visitor went on to another page.
		if err := r.Failure(); err != nil && !strings.Contains(err.Error(), "ERR_ABORTED") {
			w.add("%s %s: %v", r.ResourceType(), r.URL(), err)
		}
	})
	return w
}

func (w *watcher) add(format string, args ...any) {
	problem := fmt.Sprintf(format, args...)
	if w.ignore != nil && w.ignore.MatchString(problem) {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.problems = append(w.problems, problem)
}

func (w *watcher) list() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]string(nil), w.problems...)
}

var notInNames = regexp.MustCompile(`[^A-Za-z0-9._-]+`)

// screenshot saves the whole page as screenshots/NAME.png. It never ends the test: it is often called on a failed one.
func screenshot(t testing.TB, p playwright.Page, name string) {
	t.Helper()
	path := filepath.Join("screenshots", notInNames.ReplaceAllString(name, "-")+".png")
	_, err := p.Screenshot(playwright.PageScreenshotOptions{
		Path:       &path,
		FullPage:   new(true),
		Animations: playwright.ScreenshotAnimationsDisabled,
	})
	if _, missing := os.Stat(path); errors.Join(err, missing) != nil {
		t.Errorf("screenshot %s: %v", name, errors.Join(err, missing))
		return
	}
	t.Logf("screenshot: e2e/%s", path)
}

// must ends the test on an error.
func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
