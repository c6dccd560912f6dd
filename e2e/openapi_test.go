package e2e

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
)

// description writes the OpenAPI document that Bookhook serves into a folder, and returns its path.
func (o *shop) description(t *testing.T, folder string) string {
	t.Helper()
	response, err := caller.Get(o.URL + "/api/openapi.json")
	must(t, err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	must(t, err)
	path := filepath.Join(folder, "openapi.json")
	must(t, os.WriteFile(path, text, 0o600))
	return path
}

// The recommended rules of two linters have nothing to say, not even a warning.
func TestOpenAPILinters(t *testing.T) {
	document := newShop(t).description(t, t.TempDir())
	t.Setenv("REDOCLY_TELEMETRY", "off")
	t.Setenv("REDOCLY_SUPPRESS_UPDATE_NOTICE", "true")
	t.Setenv("HTTPS_PROXY", "http://127.0.0.1:1") // whatever they would ask, nobody answers
	var redocly struct {
		Totals struct{ Errors, Warnings, Ignored int }
	}
	out := run(t, "node_modules/.bin/redocly", "lint", "--extends=recommended", "--format=json", document)
	must(t, json.Unmarshal([]byte(out), &redocly))
	if n := redocly.Totals; n.Errors+n.Warnings+n.Ignored > 0 {
		t.Errorf("Redocly: %s", out)
	}
	run(t, "node_modules/.bin/spectral", "lint", "--ruleset=testdata/spectral.yaml", "--fail-severity=hint", document)
}

// A generated client is checked against the types of the document, and calls every operation of it.
func TestGeneratedClientInGo(t *testing.T) {
	t.Parallel()
	op, calls, args := newCalled(t)
	dir := t.TempDir()
	must(t, os.CopyFS(dir, os.DirFS("testdata/goclient")))
	run(t, "go", "-C", dir, "tool", "oapi-codegen", "-config", "oapi-codegen.yaml", op.description(t, dir))
	run(t, "go", append([]string{"-C", dir, "test", "-count=1", ".", "-args"}, args...)...)
	calls.complete(t)
}

func TestGeneratedClientInTypeScript(t *testing.T) {
	t.Parallel()
	op, calls, args := newCalled(t)
	dir := t.TempDir()
	must(t, os.CopyFS(dir, os.DirFS("testdata/tsclient")))
	modules, err := filepath.Abs("node_modules")
	must(t, err)
	must(t, os.Symlink(modules, filepath.Join(dir, "node_modules")))
	run(t, "node_modules/.bin/openapi-typescript", op.description(t, dir), "--output", filepath.Join(dir, "schema.d.ts"))
	run(t, "node_modules/.bin/tsc", "--project", dir)
	run(t, "node", append([]string{filepath.Join(dir, "client.js")}, args...)...)
	calls.complete(t)
}

// newCalled starts a shop for a generated client, which gets args, and notes what it calls.
func newCalled(t *testing.T) (op *shop, calls *callLog, args []string) {
	t.Helper()
	op = newShop(t)
	in := receiver(t)
	granted := regexp.MustCompile(`client_id=(\S+)\s+client_secret=(\S+)`).FindStringSubmatch(
		op.run("", "client", "add", "--account", op.Number, "portal"))
	calls = op.logCalls(t)
	return op, calls, []string{
		"--url=" + calls.URL, "--token=" + op.token, "--receiver=" + in.URL, "--client-id=" + granted[1], "--client-secret=" + granted[2],
	}
}

// callLog is a proxy before Bookhook that notes which operations of the document succeeded.
type callLog struct {
	*httptest.Server
	operations []documented

	mu   sync.Mutex
	done map[string]bool // by operation id
}

// documented is an operation of the document.
type documented struct {
	ID     string `json:"operationId"`
	Method string `json:"-"`
	path   *regexp.Regexp
}

// pathParameter is one in a path of the document.
var pathParameter = regexp.MustCompile(`\\\{[^}]*\\\}`)

func (o *shop) logCalls(t *testing.T) *callLog {
	t.Helper()
	text, err := os.ReadFile(o.description(t, t.TempDir()))
	must(t, err)
	var document struct {
		Paths map[string]map[string]json.RawMessage
	}
	must(t, json.Unmarshal(text, &document))
	log := &callLog{done: map[string]bool{}}
	for path, item := range document.Paths {
		for method, operation := range item {
			if method == "parameters" {
				continue
			}
			d := documented{Method: strings.ToUpper(method), path: regexp.MustCompile("^" + pathParameter.ReplaceAllString(regexp.QuoteMeta(path), `[^/]+`) + "$")}
			must(t, json.Unmarshal(operation, &d))
			log.operations = append(log.operations, d)
		}
	}
	target, err := url.Parse(o.URL)
	must(t, err)
	log.Server = httptest.NewServer(&httputil.ReverseProxy{
		Rewrite:        func(r *httputil.ProxyRequest) { r.SetURL(target) },
		ModifyResponse: func(r *http.Response) error { log.note(r); return nil },
	})
	t.Cleanup(log.Close)
	return log
}

// note notes a call that succeeded. Of two paths that match, such as /events/batch and /events/{id}, the method tells.
func (l *callLog) note(r *http.Response) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, d := range l.operations {
		if r.StatusCode < 300 && d.Method == r.Request.Method && d.path.MatchString(r.Request.URL.Path) {
			l.done[d.ID] = true
		}
	}
}

// complete wants every operation of the document to have been called.
func (l *callLog) complete(t *testing.T) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	var missing []string
	for _, d := range l.operations {
		if !l.done[d.ID] {
			missing = append(missing, d.ID)
		}
	}
	if slices.Sort(missing); len(missing) > 0 || len(l.operations) == 0 {
		t.Errorf("%d operations are documented; not called, or without success: %s", len(l.operations), strings.Join(missing, ", "))
	}
}
