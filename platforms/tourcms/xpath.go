package tourcms

import (
	"cmp"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"bookhook/webhook"
)

// Bounds of the paths in a signature, which whoever calls chooses freely before
// anything is proven.
const (
	maxPaths      = 50        // in hash_fields
	maxHashFields = 4000      // characters
	maxSteps      = 10        // of one path
	maxVisits     = 1_000_000 // of elements, for all paths of a document
)

// effort is how many elements may still be looked at. Once it is spent, paths
// find nothing.
type effort struct{ left int }

func (f *effort) spend(n int) bool {
	f.left -= n
	return f.left >= 0
}

// path is one location path of the part of XPath 1.0 that names elements and
// attributes from the root downwards: child, *, ., @attribute, // once, and
// conditions such as [2], [last()], [name], [@name='x'], [name='x'], [.='x'].
type path struct {
	absolute bool
	steps    []step
}

type step struct {
	deep       bool   // behind //
	name       string // "*" is any, "." the element itself
	attribute  bool
	predicates []predicate
}

type predicate struct {
	position  int // 0: none; -1: the last one
	attribute bool
	name      string
	equals    bool
	value     string
}

// selected is what a path finds: an element, or one of its attributes.
type selected struct {
	element   *element
	attribute int // index; -1 for the element itself
}

// value is the text as PHP's SimpleXML casts it.
func (s selected) value() []byte {
	if s.attribute >= 0 {
		return []byte(s.element.attributes[s.attribute].value)
	}
	return s.element.text
}

const xmlName = `[\pL_][\pL\pN_.\-]*`

var (
	stepText      = regexp.MustCompile(`^(@)?(` + xmlName + `|\*|\.)`)
	predicateText = regexp.MustCompile(`^\[(?:([1-9][0-9]{0,5})|(last\(\))|(@)?(` + xmlName + `|\.)(?:=(?:'([^']*)'|"([^"]*)"))?)\]`)
)

// parsePath reads a path.
func parsePath(text string) (path, error) {
	p := path{absolute: strings.HasPrefix(text, "/")}
	steps := text
	if !p.absolute {
		steps = "/" + text
	}
	if p.read(steps) {
		return p, nil
	}
	return path{}, webhook.NewMessage("tourcms.path", quote(text))
}

// read reads the steps, each with its slash or two before it.
func (p *path) read(text string) bool {
	deeper := 0
	for text != "" && len(p.steps) < maxSteps {
		rest, single := strings.CutPrefix(text, "/")
		rest, deep := strings.CutPrefix(rest, "/")
		if deep {
			deeper++
		}
		s, after, ok := readStep(rest)
		s.deep = deep
		switch {
		case !single || !ok || deeper > 1 || s.attribute && after != "":
			return false
		case s.deep && s.name == ".": // in XPath that is texts and comments too
			return false
		}
		p.steps = append(p.steps, s)
		text = after
	}
	return text == ""
}

// readStep reads one step and returns what is behind it.
func readStep(text string) (s step, rest string, ok bool) {
	found := stepText.FindStringSubmatch(text)
	if found == nil {
		return s, "", false
	}
	s.attribute, s.name, rest = found[1] != "", found[2], text[len(found[0]):]
	for strings.HasPrefix(rest, "[") {
		found := predicateText.FindStringSubmatch(rest)
		if found == nil || s.attribute || s.name == "." {
			return s, "", false
		}
		p := predicate{attribute: found[3] != "", name: found[4], equals: strings.Contains(found[0], "="), value: found[5] + found[6]}
		if found[1] != "" {
			p.position, _ = strconv.Atoi(found[1])
		} else if found[2] != "" {
			p.position = -1
		}
		if p.attribute && p.name == "." {
			return s, "", false
		}
		s.predicates = append(s.predicates, p)
		rest = rest[len(found[0]):]
	}
	return s, rest, !s.attribute || s.name != "."
}

// find evaluates the path with the root as the context and returns what it
// names in document order.
func (p path) find(root *element, f *effort) []selected {
	document := &element{children: []*element{root}}
	context := []*element{root}
	if p.absolute {
		context = []*element{document}
	}
	for _, s := range p.steps {
		if s.deep {
			context = below(context, f)
		}
		if s.attribute {
			return attributes(inOrder(context), s.name)
		}
		context = s.from(context, f)
	}
	found := make([]selected, 0, len(context))
	for _, e := range inOrder(context) {
		if e != document {
			found = append(found, selected{e, -1})
		}
	}
	return found
}

// inOrder puts elements into document order, which steps behind // leave.
func inOrder(context []*element) []*element {
	slices.SortStableFunc(context, func(a, b *element) int { return cmp.Compare(a.start, b.start) })
	return context
}

// below lists each element and what is below it. A path has // at most once and
// goes downwards by one level a step, so no element stands in two others of the
// context.
func below(context []*element, f *effort) []*element {
	var all []*element
	for _, e := range context {
		for d := range e.descendants {
			if !f.spend(1) {
				return nil
			}
			all = append(all, d)
		}
	}
	return all
}

func attributes(context []*element, name string) []selected {
	var found []selected
	for _, e := range context {
		for i, a := range e.attributes {
			if a.name == name || name == "*" {
				found = append(found, selected{e, i})
			}
		}
	}
	return found
}

func (s step) from(context []*element, f *effort) []*element {
	if s.name == "." {
		return context
	}
	var next []*element
	for _, e := range context {
		if !f.spend(1 + len(e.children)) {
			return nil
		}
		var matching []*element
		for _, c := range e.children {
			if c.name == s.name || s.name == "*" {
				matching = append(matching, c)
			}
		}
		for _, p := range s.predicates {
			if !f.spend(1) {
				return nil
			}
			matching = p.filter(matching, f)
		}
		next = append(next, matching...)
	}
	return next
}

func (p predicate) filter(all []*element, f *effort) []*element {
	switch {
	case p.position == -1:
		return all[max(0, len(all)-1):]
	case p.position > len(all):
		return nil
	case p.position > 0:
		return all[p.position-1 : p.position]
	}
	var kept []*element
	for _, e := range all {
		if f.spend(1+len(e.children)+len(e.attributes)) && p.holds(e) {
			kept = append(kept, e)
		}
	}
	return kept
}

func (p predicate) holds(e *element) bool {
	if p.attribute {
		for _, a := range e.attributes {
			if a.name == p.name && (!p.equals || a.value == p.value) {
				return true
			}
		}
		return false
	}
	if p.name == "." {
		return !p.equals || e.is(p.value)
	}
	for c := range e.named(p.name) {
		if !p.equals || c.is(p.value) {
			return true
		}
	}
	return false
}

// is compares the text. An element with others inside is equal to nothing: the
// conditions that can be expected compare ids and names.
func (e *element) is(value string) bool { return len(e.children) == 0 && string(e.text) == value }
