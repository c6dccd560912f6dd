package tourcms

import (
	"bufio"
	"crypto/hmac"
	"crypto/sha512"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"bookhook/platforms/tourcms/xpath"
)

// TestXPathAsLibxml2 compares with what libxml2 found; e2e/testdata/xpath.mjs wrote
// it, and a test there checks that libxml2 still does.
func TestXPathAsLibxml2(t *testing.T) {
	documents, err := filepath.Glob("testdata/xpath/*.xml")
	if err != nil || len(documents) < 5 {
		t.Fatalf("got %v, %v", documents, err)
	}
	for _, name := range documents {
		t.Run(filepath.Base(name), func(t *testing.T) {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			root, err := parse(text)
			if err != nil {
				t.Fatal(err)
			}
			compareResults(t, (*xpath.Node)(root), strings.TrimSuffix(name, "xml")+"jsonl")
		})
	}
}

func compareResults(t *testing.T, root *xpath.Node, results string) {
	t.Helper()
	f, err := os.Open(results)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	places := places(root.Parent)
	compared := 0
	for lines := bufio.NewScanner(f); lines.Scan(); compared++ {
		var expression string
		var want any
		if err := json.Unmarshal(lines.Bytes(), &[]any{&expression, &want}); err != nil {
			t.Fatal(err)
		}
		var got any
		compiled, err := xpath.Compile(expression)
		if err == nil {
			got, err = compiled.Eval(root, xpath.NewEffort(maxEffort))
		}
		if err != nil && want != nil || err == nil && !same(got, want, places) {
			t.Errorf("%s: got %s, %v, want %v", expression, show(got, places), err, want)
		}
	}
	if compared < 60 {
		t.Errorf("got %d results", compared)
	}
}

// places are the nodes as the results have them: by the number of nodes before
// them, attributes by that and their name.
func places(document *xpath.Node) map[*xpath.Node]string {
	found := map[*xpath.Node]string{}
	count := 0
	var walk func(n *xpath.Node)
	walk = func(n *xpath.Node) {
		found[n] = strconv.Itoa(count)
		count++
		for _, a := range n.Attributes {
			found[a] = strconv.Itoa(count) + "@" + a.Name.String()
		}
		for _, c := range n.Children {
			walk(c)
		}
	}
	walk(document)
	return found
}

func same(got, want any, places map[*xpath.Node]string) bool {
	if number, ok := got.(float64); ok {
		text, _ := want.(map[string]any)["number"].(string)
		n, err := strconv.ParseFloat(text, 64)
		return err == nil && (n == number || math.IsNaN(n) && math.IsNaN(number))
	}
	return show(got, places) == fmt.Sprint(want)
}

func show(got any, places map[*xpath.Node]string) string {
	switch got := got.(type) {
	case []*xpath.Node:
		var all []string
		for _, n := range got {
			all = append(all, places[n])
		}
		return fmt.Sprint(all)
	case bool:
		return fmt.Sprint(map[string]any{"boolean": got})
	case string:
		return fmt.Sprint(map[string]any{"string": got})
	}
	return fmt.Sprint(got)
}

// hostile lists take long, or a lot of memory, where one step of them costs nothing.
func hostile() []string {
	repeat := strings.Repeat
	return []string{
		repeat("//*[a]/*[a]/*[a]/*[a]/*[a]/*[a]/*[a]/*/*/* ", 1000), "//*//*//*//*//*", repeat("//node() ", 1000), repeat("//text() ", 1000),
		"//*/*" + repeat("[1]", 20_000), "//*/*/@b/*" + repeat("[1]", 20_000), "//*" + repeat("[*", 98) + repeat("]", 98), "//*[count(//*)=count(//*)]",
		"//*[//*=//*]", "//*[//*<//*]", "//*[.!=//*]", repeat("//*|", 12_000) + "//*", "//*" + repeat("/..//*", 9_000), "." + repeat("/.", 30_000),
		"//*[x" + repeat("/x", 30_000) + "]", "//*[string-length(concat(" + repeat(".,", 9_000) + ".))=1]",
		"*[" + repeat("concat(.,", 90) + "." + repeat(",.)", 90) + "]", repeat("//*[string(.)='x'] ", 1000), "//*[translate(.,.,.)=.]",
		repeat("t[normalize-space()=contains(.,.)] ", 1000), "//*[contains(/,//*)]", repeat("*[substring-after(/,.)=substring-before(/,'xx')] ", 1000),
		repeat("t[substring(.,2)=substring(.,3)] ", 1000), repeat("*[sum(//*)] ", 1000), "//*[preceding::*='x']", "//*/following::*/preceding::*",
		"//*/following-sibling::*/preceding-sibling::*", "//*/ancestor::*", "//@*[../@*=../../*/@*]", repeat("(", 60_000), repeat("-", 60_000) + "1",
		"1" + repeat("+1", 30_000), "a" + repeat("[a", 30_000), repeat("1", 60_000), repeat(".e", 30_000), "//*[lang('x')]", repeat("t|", 30_000) + "t",
	}
}

// TestHostileLists: on a document as large as one may be, no list costs more than
// reading the document does.
func TestHostileLists(t *testing.T) {
	repeat := strings.Repeat
	began := time.Now()
	root, err := parse([]byte("<r><t>" + repeat("x ", 1_000_000) + "</t>" + repeat("<a/>xxxxxxxxxxxxxxxx", 30_000) + repeat("<a b='1' c='2' d='3'/>", 8_000) +
		repeat("<a>", 98) + repeat("<a>x</a>", 10_000) + repeat("</a>", 98) + repeat(repeat("<a>", 90)+repeat("</a>", 90), 500) + "</r>"))
	if err != nil {
		t.Fatal(err)
	}
	t.Log("read in", time.Since(began))
	for _, list := range hostile() {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		began = time.Now()
		covered, _, _ := writeValues(hmac.New(sha512.New, nil), root, strings.Split(strings.TrimSpace(list), " "), nil)
		took := time.Since(began)
		runtime.ReadMemStats(&after)
		if mib := (after.TotalAlloc - before.TotalAlloc) >> 20; covered || took > 5*time.Second || mib > 120 {
			t.Errorf("%.60s: %v, %d MiB, %t", list, took, mib, covered)
		}
	}
}

// TestHostileTexts: long texts and names cost what handling them costs, however few
// nodes are visited.
func TestHostileTexts(t *testing.T) {
	digits, name := strings.Repeat("1", 60_000), strings.Repeat("n", 400_000)
	for path, start := range map[string]string{
		"//*[-'" + digits + "']": "<r>",
		"//*['" + digits[:30_000] + "'='" + digits[:30_000] + "'=1]": "<r>",
		"//*[lang('" + strings.Repeat("É", 30_000) + "')]":           "<r xml:lang='" + strings.Repeat("é", 30_000) + "'>",
		"//*[name(/*)='']": "<p:" + name + " xmlns:p='u'>",
	} {
		end := "</r>"
		if strings.HasPrefix(start, "<p:") {
			end = "</p:" + name + ">"
		}
		root, err := parse([]byte(start + strings.Repeat("<a/>", 20_000) + end))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := root.find(path, xpath.NewEffort(maxEffort)); !errors.Is(err, xpath.ErrEffort) {
			t.Errorf("%.20s: got %v, want it to be too costly", path, err)
		}
	}
}

// FuzzXPath wants that an expression is found to mean one thing within its effort:
// nodes of the document, in its order, each once, and as many as count says.
func FuzzXPath(f *testing.F) {
	documents, err := filepath.Glob("testdata/xpath/*.xml")
	if err != nil || len(documents) == 0 {
		f.Fatal(documents, err)
	}
	for _, name := range documents {
		lines, err := os.ReadFile(strings.TrimSuffix(name, "xml") + "jsonl")
		if err != nil {
			f.Fatal(err)
		}
		text, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		for i, line := range slices.Collect(strings.Lines(string(lines))) {
			var expression string
			if err := json.Unmarshal([]byte(line), &[]any{&expression}); err != nil {
				f.Fatal(err)
			}
			if len(text) < 5000 && i%40 == 0 {
				f.Add(text, expression)
			}
		}
	}
	f.Fuzz(func(t *testing.T, document []byte, expression string) {
		root, err := parse(document)
		compiled, wrong := xpath.Compile(expression)
		if err != nil || wrong != nil || len(document) > 10_000 || len(expression) > 1000 {
			return
		}
		at, effort := (*xpath.Node)(root), xpath.NewEffort(20_000)
		got, err := compiled.Eval(at, effort)
		if err != nil {
			if got != nil {
				t.Errorf("got %v beside %v", got, err)
			}
			return
		}
		found, ok := got.([]*xpath.Node)
		for i, n := range found {
			if i > 0 && found[i-1].Order >= n.Order || n.Order > at.Parent.Last {
				t.Errorf("the nodes are not in the order of the document: %s", show(found, places(at.Parent)))
			}
		}
		again, err := compiled.Eval(at, xpath.NewEffort(20_000))
		if err != nil || show(again, places(at.Parent)) != show(got, places(at.Parent)) {
			t.Errorf("got %v, and then %v, %v", got, again, err)
		}
		count, err := xpath.Compile("count((" + expression + "))")
		if !ok || err != nil {
			return // no nodes, or nested too deep with the two parentheses
		}
		if n, err := count.Eval(at, xpath.NewEffort(100_000)); err != nil || n != float64(len(found)) {
			t.Errorf("got %d nodes, and count says %v, %v", len(found), n, err)
		}
	})
}
