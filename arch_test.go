package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// The shape of the program, as tests. A change that needs another shape changes these tables, in plain sight.

const module = "bookhook"

// arrows says which of our packages each package may import. A package that is not here may not exist.
var arrows = map[string][]string{
	"webhook":                 {},
	"messages":                {"webhook"},
	"platforms":               {"webhook", "messages"},
	"platforms/tourcms":       {"webhook", "messages", "platforms", "platforms/tourcms/xpath"},
	"platforms/tourcms/xpath": {},
	"platforms/prioticket":    {"webhook", "messages", "platforms"},
	"platforms/ltd":           {"webhook", "messages", "platforms"},
	"platforms/wink":          {"webhook", "messages", "platforms"},
	"platforms/bookhook":      {"webhook", "platforms"},
	"platforms/harbour":       {"webhook", "messages", "platforms"}, // made up: the example of the guide, in no registry
	"platforms/all":           {"platforms", "platforms/bookhook", "platforms/tourcms", "platforms/prioticket", "platforms/ltd", "platforms/wink"},
	"auth":                    {"webhook"},
	"accept":                  {"auth"},
	"seal":                    {},
	"stats":                   {"webhook"},
	"incidents":               {"webhook", "stats"},
	"spreadsheet":             {},
	"fallback":                {"webhook", "incidents", "spreadsheet"},
	"checklist":               {"webhook"},
	"db":                      {"webhook", "auth", "checklist", "seal", "stats", "incidents", "fallback", "db/group", "db/transfer", "db/sqlite", "db/postgres"},
	"db/dbtest":               {"webhook", "db", "db/postgres/pgtest"}, // for tests
	"db/group":                {"webhook"},
	"db/transfer":             {},
	"db/sqlite":               {"webhook", "stats", "db/group", "db/transfer"},
	"db/postgres":             {"webhook", "db/group", "db/transfer"},
	"db/postgres/pgtest":      {}, // for tests
	"dispatch":                {"webhook", "platforms", "dispatch/guard", "dispatch/lookup"},
	"dispatch/guard":          {"webhook"},
	"dispatch/lookup":         {"webhook", "platforms", "dispatch/guard"},
	"replay":                  {"webhook", "platforms"},
	"live":                    {"webhook"},
	"reconcile":               {"webhook"},
	"mail":                    {"webhook"},
	"mail/smtptest":           {}, // for tests
	"notices":                 {"webhook", "messages", "platforms", "platforms/bookhook", "auth", "mail", "stats", "incidents", "fallback"},
	"static":                  {},
	"metrics":                 {"webhook", "dispatch"},
	"traces":                  {"webhook", "dispatch"},
	"views":                   {"webhook", "messages", "platforms", "checklist", "stats", "incidents", "fallback", "static", "views/signing"},
	"views/signing":           {},
	"handlers/web":            {"webhook", "messages", "auth", "spreadsheet"},
	"handlers/pages":          {"webhook", "messages", "platforms", "auth", "checklist", "live", "stats", "incidents", "fallback", "handlers/web", "views", "static"},
	"handlers/api":            {"webhook", "messages", "platforms", "auth", "stats", "handlers/web"},
	"handlers/inbound":        {"webhook", "messages", "platforms", "auth", "handlers/web"},
	"handlers/prio":           {"webhook", "messages", "platforms", "auth", "handlers/web"},
	"handlers":                append([]string{"webhook", "messages", "platforms", "auth", "live", "stats", "incidents", "handlers/web"}, surfaces...),
	"demo":                    {"webhook", "auth", "db"},
	"bench":                   {"webhook", "platforms", "platforms/all", "auth", "seal", "db"},
	"e2e":                     {},
	"e2e/power":               {},
	".": {
		"webhook", "messages", "platforms/all", "accept", "auth", "seal", "db", "dispatch", "dispatch/guard", "mail", "metrics", "notices", "traces", "reconcile", "replay", "handlers", "handlers/api", "handlers/pages",
		"demo", "bench",
	},
}

// surfaces are the ways in to Bookhook over HTTP; none may know another.
var surfaces = []string{"handlers/pages", "handlers/api", "handlers/inbound", "handlers/prio"}

// homes says which packages may import what lies under a path, tests aside.
var homes = map[string][]string{
	"github.com/gofiber":              append([]string{"handlers", "handlers/web"}, surfaces...),
	"github.com/valyala/fasthttp":     {"handlers/web"},
	"github.com/gorilla":              {"handlers/web"},
	"database/sql":                    {"db", "db/group", "db/sqlite", "db/postgres", "db/postgres/pgtest"},
	"modernc.org":                     {"db/sqlite"},
	"github.com/pressly/goose":        {"db/sqlite", "db/postgres"},
	"github.com/gofrs/flock":          {"db/sqlite"},
	"github.com/jackc":                {"db/postgres", "db/postgres/pgtest"},
	"github.com/wneessen/go-mail":     {"mail"},
	"net/smtp":                        {},
	"github.com/emersion":             {"mail/smtptest"},
	"go.opentelemetry.io":             {"traces"},
	"golang.org/x/net/idna":           {"webhook"},
	"golang.org/x/text":               {"platforms/tourcms", "reconcile"},
	"github.com/playwright-community": {"e2e"},
}

// pure packages use the standard library and the modules named here, no more.
var pure = map[string][]string{
	"webhook":   {"github.com/sony/sonyflake", "golang.org/x/net/idna"},
	"reconcile": {"golang.org/x/text"},
}

// clients are the ways to make an HTTP request. Those to receivers and platforms go through dispatch, whose guard checks the address.
var clients = map[string][]string{
	"net/http": {
		"Client", "DefaultClient", "DefaultTransport", "Get", "Head", "Post", "PostForm", "RoundTripper", "Transport",
	},
	"github.com/valyala/fasthttp": {
		"Client", "Do", "DoTimeout", "Get", "GetTimeout", "HostClient", "LBClient", "PipelineClient", "Post",
	},
	"github.com/gofiber/fiber/v2": {"AcquireAgent", "AcquireClient", "Agent", "Client", "Get", "Post"},
}

// mayRequest are the packages that may use clients; the root for its healthcheck, bench/peers in a module of its own.
var mayRequest = []string{"dispatch", "dispatch/guard", "dispatch/lookup", "demo", "bench", "bench/peers", "e2e", "."}

// pkg is what we read of "go list -json".
type pkg struct {
	ImportPath, Dir, Doc               string
	Imports, TestImports, XTestImports []string
	GoFiles, TestGoFiles, XTestGoFiles []string
	Error                              *struct{ Err string }
}

// name is the folder, "." for the root.
func (p pkg) name() string { return ourName(p.ImportPath) }

func ourName(importPath string) string {
	if importPath == module {
		return "."
	}
	return strings.TrimPrefix(importPath, module+"/")
}

func ours(importPath string) bool {
	return importPath == module || strings.HasPrefix(importPath, module+"/")
}

func under(importPath, prefix string) bool {
	return importPath == prefix || strings.HasPrefix(importPath, prefix+"/")
}

func packages(t *testing.T) []pkg {
	t.Helper()
	cmd := exec.Command("go", "list", "-buildvcs=false", "-pgo=off", "-e", "-json", "./...")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []pkg
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p pkg
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatalf("go list: %v", err)
		}
		if p.Error != nil {
			t.Errorf("%s: %s", p.ImportPath, p.Error.Err)
		}
		all = append(all, p)
	}
}

func TestImports(t *testing.T) {
	for _, p := range packages(t) {
		allowed, known := arrows[p.name()]
		if !known {
			t.Errorf("package %s is not in the table of packages", p.name())
			continue
		}
		for _, imp := range p.Imports {
			if ours(imp) && !slices.Contains(allowed, ourName(imp)) {
				t.Errorf("%s imports %s, which it may not", p.name(), ourName(imp))
			}
			for prefix, home := range homes {
				if under(imp, prefix) && !slices.Contains(home, p.name()) {
					t.Errorf("%s imports %s, which only %v may", p.name(), imp, home)
				}
			}
			if outside, isPure := pure[p.name()]; isPure && !ours(imp) && !standard(imp) &&
				!slices.ContainsFunc(outside, func(prefix string) bool { return under(imp, prefix) }) {
				t.Errorf("%s imports %s, but is to use the standard library and %v only", p.name(), imp, outside)
			}
		}
	}
}

// TestSurfacesAreApart: what two surfaces share is below them, also for their tests.
func TestSurfacesAreApart(t *testing.T) {
	for _, p := range packages(t) {
		for _, imp := range slices.Concat(p.Imports, p.TestImports, p.XTestImports) {
			if slices.Contains(surfaces, p.name()) && slices.Contains(surfaces, ourName(imp)) && ourName(imp) != p.name() {
				t.Errorf("%s imports %s: one surface may not know another", p.name(), ourName(imp))
			}
		}
	}
}

// standard tells a package of the standard library: its first element has no dot.
func standard(importPath string) bool {
	first, _, _ := strings.Cut(importPath, "/")
	return !strings.Contains(first, ".")
}

// What is tested is the binary alone, from outside, with the mail server and the PostgreSQL of the other tests beside it.
func TestE2EImportsNothingOfOurs(t *testing.T) {
	for _, p := range packages(t) {
		for _, imp := range slices.Concat(p.Imports, p.TestImports, p.XTestImports) {
			if p.name() == "e2e" && ours(imp) && ourName(imp) != "mail/smtptest" && ourName(imp) != "db/postgres/pgtest" {
				t.Errorf("e2e imports %s", imp)
			}
		}
	}
}

func TestFolderNames(t *testing.T) {
	forbidden := []string{
		"internal", "pkg", "cmd", "util", "utils", "common", "helpers", "models", "services", "repositories", "mocks",
	}
	for _, p := range packages(t) {
		for _, element := range strings.Split(p.name(), "/") {
			if slices.Contains(forbidden, element) {
				t.Errorf("%s: %q says nothing about what is in it", p.name(), element)
			}
		}
	}
}

func TestPackageComments(t *testing.T) {
	for _, p := range packages(t) {
		if len(p.GoFiles) > 0 && p.Doc == "" {
			t.Errorf("package %s has no comment", p.name())
		}
	}
}

func TestRequestsOnlyFromDispatch(t *testing.T) {
	for name, file := range sources(t) {
		if strings.HasSuffix(name, "_test.go") || slices.Contains(mayRequest, path.Dir(name)) {
			continue
		}
		for _, use := range uses(file.tree, clients) {
			t.Errorf("%s: %s makes requests; only %v may", file.position(use.at), use.name, mayRequest)
		}
	}
}

// tree lists the files below the root, without hidden folders and what the tests leave behind.
func tree(t *testing.T, want func(name string) bool) []string {
	t.Helper()
	var names []string
	err := filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && name != "." && (d.Name()[0] == '.' || d.Name() == "screenshots" || d.Name() == "node_modules"):
			return fs.SkipDir
		case !d.IsDir() && want(name):
			names = append(names, filepath.ToSlash(name))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// source is one parsed Go file.
type source struct {
	set  *token.FileSet
	tree *ast.File
}

func (s source) position(at token.Pos) string {
	p := s.set.Position(at)
	return p.Filename + ":" + strconv.Itoa(p.Line)
}

func sources(t *testing.T) map[string]source {
	t.Helper()
	all := map[string]source{}
	for _, name := range tree(t, func(name string) bool { return strings.HasSuffix(name, ".go") }) {
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, name, nil, parser.ParseComments)
		if err != nil {
			t.Error(err)
			continue
		}
		all[name] = source{set, file}
	}
	return all
}

type use struct {
	at   token.Pos
	name string
}

// uses finds package.Name in the file for the names listed under the package's import path, whatever it is called here.
func uses(file *ast.File, names map[string][]string) []use {
	local := map[string]string{} // name in this file → import path
	for _, imp := range file.Imports {
		importPath, err := strconv.Unquote(imp.Path.Value)
		if err != nil || names[importPath] == nil {
			continue
		}
		local[packageName(importPath)] = importPath
		if imp.Name != nil {
			delete(local, packageName(importPath))
			local[imp.Name.Name] = importPath
		}
	}
	var found []use
	ast.Inspect(file, func(n ast.Node) bool {
		selector, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		if x, ok := selector.X.(*ast.Ident); ok && slices.Contains(names[local[x.Name]], selector.Sel.Name) {
			found = append(found, use{selector.Pos(), x.Name + "." + selector.Sel.Name})
		}
		return true
	})
	return found
}

// packageName is the last element of the path that is not a version.
func packageName(importPath string) string {
	if base := path.Base(importPath); !regexp.MustCompile(`^v\d+$`).MatchString(base) {
		return base
	}
	return path.Base(path.Dir(importPath))
}
