package main

import (
	"go/ast"
	"maps"
	"path"
	"slices"
	"strings"
	"testing"
)

// How large things may be. Generated code is left out everywhere.
const (
	maxFunction      = 70  // lines of a function, tests included
	usualFunction    = 30  // lines that 95 % of the functions do not exceed
	maxFile          = 450 // lines of a file, tests aside
	maxParameters    = 6   // of a function, tests aside
	maxMethods       = 15  // of an interface, with those of the interfaces it embeds
	maxFilesOfFolder = 30  // of a package, tests aside
)

// manyFiles are the packages that may have more files: one for each page, or for each noun of the store.
var manyFiles = []string{"views", "handlers/pages", "db"}

func isTest(name string) bool { return strings.HasSuffix(name, "_test.go") }

// functions calls do for every function of the program.
func functions(t *testing.T, do func(name string, file source, f *ast.FuncDecl)) {
	t.Helper()
	for name, file := range sources(t) {
		if ast.IsGenerated(file.tree) {
			continue
		}
		for _, decl := range file.tree.Decls {
			if f, ok := decl.(*ast.FuncDecl); ok {
				do(name, file, f)
			}
		}
	}
}

func (s source) lines(f *ast.FuncDecl) int {
	return s.set.Position(f.End()).Line - s.set.Position(f.Pos()).Line + 1
}

func TestFunctionsAreShort(t *testing.T) {
	var lengths []int
	functions(t, func(name string, file source, f *ast.FuncDecl) {
		lines := file.lines(f)
		if lines > maxFunction {
			t.Errorf("%s: %s has %d lines, want at most %d", file.position(f.Pos()), f.Name, lines, maxFunction)
		}
		if !isTest(name) {
			lengths = append(lengths, lines)
		}
	})
	slices.Sort(lengths)
	if p95 := lengths[len(lengths)*95/100]; p95 > usualFunction {
		t.Errorf("95 %% of the functions have at most %d lines, want at most %d", p95, usualFunction)
	}
}

func TestFilesAreShort(t *testing.T) {
	for name, file := range sources(t) {
		if lines := file.set.File(file.tree.Pos()).LineCount(); lines > maxFile && !isTest(name) && !ast.IsGenerated(file.tree) {
			t.Errorf("%s has %d lines, want at most %d", name, lines, maxFile)
		}
	}
}

func TestFunctionsHaveFewParameters(t *testing.T) {
	functions(t, func(name string, file source, f *ast.FuncDecl) {
		if n := f.Type.Params.NumFields(); n > maxParameters && !isTest(name) {
			t.Errorf("%s: %s has %d parameters, want at most %d", file.position(f.Pos()), f.Name, n, maxParameters)
		}
	})
}

func TestPackagesHaveFewFiles(t *testing.T) {
	for _, p := range packages(t) {
		n := 0
		for _, name := range p.GoFiles {
			if !strings.HasSuffix(name, "_templ.go") {
				n++
			}
		}
		if n > maxFilesOfFolder && !slices.Contains(manyFiles, p.name()) {
			t.Errorf("package %s has %d files, want at most %d", p.name(), n, maxFilesOfFolder)
		}
	}
}

func TestInterfacesAreSmall(t *testing.T) {
	all := interfaces(t)
	for name := range all {
		if n := len(all.methods(name)); n > maxMethods {
			t.Errorf("the interface %s has %d methods, want at most %d", name, n, maxMethods)
		}
	}
}

// interfaceTypes are the interfaces of the program by folder and name: "db.querier".
type interfaceTypes map[string]*ast.InterfaceType

func interfaces(t *testing.T) interfaceTypes {
	t.Helper()
	all := interfaceTypes{}
	for name, file := range sources(t) {
		if isTest(name) || ast.IsGenerated(file.tree) {
			continue
		}
		ast.Inspect(file.tree, func(n ast.Node) bool {
			if spec, ok := n.(*ast.TypeSpec); ok {
				if in, ok := spec.Type.(*ast.InterfaceType); ok {
					all[path.Dir(name)+"."+spec.Name.Name] = in
				}
			}
			return true
		})
	}
	return all
}

// methods returns the names of an interface's methods, with those of our interfaces that it embeds.
func (all interfaceTypes) methods(name string) map[string]bool {
	methods := map[string]bool{}
	in := all[name]
	if in == nil { // not ours, or a constraint
		return methods
	}
	for _, field := range in.Methods.List {
		for _, method := range field.Names {
			methods[method.Name] = true
		}
		if len(field.Names) == 0 {
			maps.Copy(methods, all.methods(all.embedded(name, field.Type)))
		}
	}
	return methods
}

// embedded returns the name of the interface that the one called name embeds; "" if it is not ours.
func (all interfaceTypes) embedded(name string, expression ast.Expr) string {
	switch e := expression.(type) {
	case *ast.Ident:
		return strings.TrimSuffix(name, path.Ext(name)) + "." + e.Name
	case *ast.SelectorExpr:
		for other := range all {
			if x, ok := e.X.(*ast.Ident); ok && path.Base(other) == x.Name+"."+e.Sel.Name {
				return other
			}
		}
	}
	return ""
}
