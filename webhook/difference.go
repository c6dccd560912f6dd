package webhook

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
)

// Bounds of a comparison.
const (
	MaxDifferences = 200 // of two JSON texts
	// maxCompared is how many levels deep objects and lists are compared; what is
	// nested deeper is compared as a whole. Each level reads its part of the text
	// again.
	maxCompared = 20
	// maxPath is how many bytes the path of an object or list may have that is compared;
	// below a longer one it is compared as a whole. Each difference repeats the path.
	maxPath = 1000
)

// Operation says how a value differs. The texts are those of JSON Patch, and part of
// the API.
type Operation string

// The operations that lead from one JSON text to another.
const (
	Added    Operation = "add"
	Removed  Operation = "remove"
	Replaced Operation = "replace"
)

// Difference is one value in which two JSON texts differ.
type Difference struct {
	Path  string          // JSON pointer into the later text; into the earlier one for what was removed
	Op    Operation       //
	Was   json.RawMessage // nil for what was added
	Value json.RawMessage // nil for what was removed
}

// Differences compares two JSON texts, and lists in which values after differs from
// before, in the order of after, the first [MaxDifferences] of them; more reports
// whether there are more. The order of an object's members and the escapes of strings
// do not count, numbers are compared as they are written. Entries of a list that are
// the same at its beginning and at its end are left aside; those between are compared
// one by one. A text that is not JSON has no differences.
func Differences(before, after []byte) (all []Difference, more bool) {
	if !json.Valid(before) || !json.Valid(after) {
		return nil, false
	}
	c := comparison{}
	c.compare("", compactJSON(before), compactJSON(after), 0)
	if len(c.found) > MaxDifferences {
		return c.found[:MaxDifferences], true
	}
	return c.found, false
}

// comparison collects differences, up to one more than are shown.
type comparison struct{ found []Difference }

func (c *comparison) add(d Difference) bool {
	c.found = append(c.found, d)
	return len(c.found) <= MaxDifferences
}

// compare compares two values without white space between their tokens, and reports
// whether to go on.
func (c *comparison) compare(path string, before, after []byte, depth int) bool {
	within := depth < maxCompared && len(path) <= maxPath
	switch {
	case sameJSON(before, after):
		return true
	case within && before[0] == '{' && after[0] == '{':
		return c.objects(path, before, after, depth+1)
	case within && before[0] == '[' && after[0] == '[':
		return c.lists(path, before, after, depth+1)
	}
	return c.add(Difference{path, Replaced, before, after})
}

// sameJSON reports whether two values are the same but for the escapes of a string.
func sameJSON(a, b []byte) bool {
	if bytes.Equal(a, b) {
		return true
	}
	if a[0] != '"' || b[0] != '"' || !bytes.ContainsRune(a, '\\') && !bytes.ContainsRune(b, '\\') {
		return false
	}
	return unquoteJSON(a) == unquoteJSON(b)
}

func unquoteJSON(text []byte) (s string) {
	_ = json.Unmarshal(text, &s) // it is a valid string
	return s
}

func (c *comparison) objects(path string, before, after []byte, depth int) bool {
	was := map[string][]byte{}
	names, values := membersJSON(before)
	for i, name := range names {
		was[name] = values[i]
	}
	removed := names
	names, values = membersJSON(after)
	is := make(map[string]bool, len(names))
	for i, name := range names {
		is[name] = true
		old, known := was[name]
		at := path + "/" + escapePointer.Replace(name)
		if !known && !c.add(Difference{Path: at, Op: Added, Value: values[i]}) || known && !c.compare(at, old, values[i], depth) {
			return false
		}
	}
	for _, name := range removed {
		if !is[name] && !c.add(Difference{Path: path + "/" + escapePointer.Replace(name), Op: Removed, Was: was[name]}) {
			return false
		}
	}
	return true
}

func (c *comparison) lists(path string, before, after []byte, depth int) bool {
	was, is := entriesJSON(before), entriesJSON(after)
	first := 0
	for first < min(len(was), len(is)) && sameJSON(was[first], is[first]) {
		first++
	}
	for len(was) > first && len(is) > first && sameJSON(was[len(was)-1], is[len(is)-1]) {
		was, is = was[:len(was)-1], is[:len(is)-1]
	}
	for i := first; i < max(len(was), len(is)); i++ {
		at := path + "/" + strconv.Itoa(i)
		var more bool
		switch {
		case i >= len(was):
			more = c.add(Difference{Path: at, Op: Added, Value: is[i]})
		case i >= len(is):
			more = c.add(Difference{Path: at, Op: Removed, Was: was[i]})
		default:
			more = c.compare(at, was[i], is[i], depth)
		}
		if !more {
			return false
		}
	}
	return true
}

// escapePointer writes a member's name into a JSON pointer.
var escapePointer = strings.NewReplacer("~", "~0", "/", "~1")

// membersJSON splits an object without white space into its members, in their order.
// Of a name that appears twice the last value counts, as for encoding/json.
func membersJSON(object []byte) (names []string, values [][]byte) {
	index := map[string]int{}
	for _, member := range entriesJSON(object) {
		end := stringLength(member)
		name := unquoteJSON(member[:end])
		if i, twice := index[name]; twice {
			values[i] = member[end+1:]
			continue
		}
		index[name] = len(names)
		names, values = append(names, name), append(values, member[end+1:])
	}
	return names, values
}

// entriesJSON splits a list or an object without white space at its commas.
func entriesJSON(text []byte) (entries [][]byte) {
	text = text[1 : len(text)-1]
	start, depth := 0, 0
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '"':
			i += stringLength(text[i:]) - 1
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		case ',':
			if depth == 0 {
				entries = append(entries, slices.Clip(text[start:i]))
				start = i + 1
			}
		}
	}
	if len(text) > 0 {
		entries = append(entries, slices.Clip(text[start:]))
	}
	return entries
}
