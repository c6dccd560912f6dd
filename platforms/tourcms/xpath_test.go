package tourcms

import (
	"bufio"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

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
		return fmt.Sprint(slices.Clip(all))
	case bool:
		return fmt.Sprint(map[string]any{"boolean": got})
	case string:
		return fmt.Sprint(map[string]any{"string": got})
	}
	return fmt.Sprint(got)
}
