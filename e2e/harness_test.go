package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// A harness that cannot fail proves nothing: these tests show it pages that are broken, and one that is not.

const goodPage = `<!doctype html><html lang="en"><head><title>Good</title><link rel="icon" href="data:,"></head><body>
<main><h1>Bookings</h1><form method="post"><label>Name <input name="name"></label> <button>Save</button></form>
<a href="#top">Up</a></main></body></html>`

const brokenPage = `<!doctype html><html><head><title>Broken</title></head><body style="color: #eee">
<img src="/missing.png"><input><script src="/throws.js"></script></body></html>`

func brokenSite(t *testing.T) string {
	mux := http.NewServeMux()
	page := func(pattern string, status int, text string) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Security-Policy", "default-src 'self'; img-src 'self' data:")
			w.Header().Set("Content-Type", "text/html")
			if strings.HasSuffix(pattern, ".js") {
				w.Header().Set("Content-Type", "text/javascript")
			}
			w.WriteHeader(status)
			fmt.Fprint(w, text)
		})
	}
	page("GET /good", http.StatusOK, goodPage)
	page("POST /good", http.StatusUnprocessableEntity, goodPage)
	page("GET /broken", http.StatusOK, brokenPage)
	page("GET /throws.js", http.StatusOK, `console.error("logged"); undefinedFunction()`)
	srv := httptest.NewServer(mux)
	t.Cleanup(srv.Close)
	return srv.URL
}

func TestHarnessAcceptsGoodPage(t *testing.T) {
	site := brokenSite(t)
	for name, o := range map[string]pageOptions{
		"desktop": {}, "dark": {Dark: true}, "phone": {Phone: true}, "no script": {NoScript: true},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPage(t, o)
			if got := p.visit(site + "/good"); got != http.StatusOK {
				t.Errorf("status: got %d, want 200", got)
			}
			p.fill("Name", "Ada")
			p.press("Save") // answers 422, which is no problem for a page
			p.sees("Bookings")
			p.isAt("/good$")
			if !o.NoScript {
				axe(t, p)
			}
			screenshot(t, p, "harness-"+name)
		})
	}
}

func TestHarnessNoticesBrokenPage(t *testing.T) {
	context := newContext(t, pageOptions{})
	defer context.Close()
	w := watch(context, "favicon")
	tab, err := context.NewPage()
	must(t, err)
	_, err = tab.Goto(brokenSite(t) + "/broken")
	must(t, err)
	found, err := violations(tab)
	must(t, err)

	problems := strings.Join(w.list(), "\n")
	for _, want := range []string{"console: logged", "uncaught: ", "Content Security Policy", "missing.png: status 404"} {
		if !strings.Contains(problems, want) {
			t.Errorf("problems: got %q, want one with %q", problems, want)
		}
	}
	report := fmt.Sprint(found)
	for _, want := range []string{"html-has-lang", "image-alt", "label"} {
		if !strings.Contains(report, want) {
			t.Errorf("axe: got %q, want %q among the violations", report, want)
		}
	}
}

func TestServerComesBackAfterKill(t *testing.T) {
	srv := startServer(t)
	healthy := func() {
		t.Helper()
		response, err := http.Get(srv.URL + "/healthz")
		must(t, err)
		defer response.Body.Close()
		if got := response.StatusCode; got != http.StatusOK {
			t.Errorf("/healthz: got %d, want 200", got)
		}
	}
	healthy()
	if !strings.HasPrefix(srv.setupLink(), srv.URL) {
		t.Errorf("set-up link: got %s, want one at %s", srv.setupLink(), srv.URL)
	}
	srv.kill9()
	srv.restart()
	healthy()
	srv.restart()
	healthy()
}
