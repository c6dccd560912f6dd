package xpath

import "strings"

// path is steps from the context, from the document, or from what another
// expression found.
type path struct {
	absolute   bool
	from       expression // nil for a location path
	predicates []expression
	steps      []step
}

type step struct {
	axis       axis
	test       test
	predicates []expression
}

// test is what a step takes of an axis.
type test struct {
	any          bool // every node
	kind         Kind // when there is no name: of text(), comment() and processing-instruction()
	prefix, name string
	named        bool // elements or attributes: by name, or all when it is *
}

var nodeTypes = map[string]bool{"node": true, "text": true, "comment": true, "processing-instruction": true}

// everything is descendant-or-self::node(), which // stands for.
var everything = step{axis: descendantOrSelf, test: test{any: true}}

// location reads a location path.
func (p *parser) location() expression {
	if !strings.HasPrefix(p.rest, "/") {
		return path{steps: p.steps(nil)}
	}
	if p.accept("//") {
		return path{absolute: true, steps: p.steps([]step{everything})}
	}
	p.accept("/")
	if !p.stepAhead() {
		return path{absolute: true}
	}
	return path{absolute: true, steps: p.steps(nil)}
}

// stepAhead reports whether a step may begin here.
func (p *parser) stepAhead() bool {
	if p.rest == "" {
		return false
	}
	ahead := *p
	return strings.ContainsRune("@.*", rune(p.rest[0])) || ahead.name() != ""
}

// steps reads steps with what is between them, and perhaps before the first.
func (p *parser) steps(all []step) []step {
	for first := true; first || strings.HasPrefix(p.rest, "/"); first = false {
		if p.accept("//") {
			all = append(all, everything)
		} else {
			p.accept("/")
		}
		all = append(all, p.step())
	}
	return all
}

func (p *parser) step() step {
	switch {
	case p.accept(".."):
		return step{axis: parent, test: test{any: true}}
	case p.accept("."):
		return step{axis: self, test: test{any: true}}
	}
	s := step{axis: child}
	if p.accept("@") {
		s.axis = attribute
	} else {
		s.axis = p.axis()
	}
	s.test = p.test()
	s.predicates = p.predicates()
	return s
}

// axis reads the name of an axis with its colons; child, if there is none.
func (p *parser) axis() axis {
	before := p.rest
	name := p.name()
	p.space()
	if name == "" || !p.accept("::") {
		p.rest = before
		return child
	}
	found, ok := axes[name]
	if !ok {
		p.fail()
	}
	return found
}

func (p *parser) test() test {
	if p.accept("*") {
		return test{named: true}
	}
	name := p.name()
	if name == "" {
		p.fail()
		return test{}
	}
	if rest, ok := strings.CutPrefix(p.rest, ":"); ok && !strings.HasPrefix(rest, ":") {
		p.rest = rest
		t := test{prefix: name, named: true}
		if !p.accept("*") {
			if t.name = p.name(); t.name == "" {
				p.fail()
			}
		}
		p.space()
		return t
	}
	p.space()
	if !p.accept("(") {
		return test{named: true, name: name}
	}
	return p.nodeType(name)
}

// nodeType reads the test for a type of node from behind its parenthesis.
func (p *parser) nodeType(name string) test {
	t := test{}
	switch name {
	case "node":
		t.any = true
	case "text":
		t.kind = Text
	case "comment":
		t.kind = Comment
	case "processing-instruction":
		t.kind = Instruction
		if !strings.HasPrefix(p.rest, ")") {
			t.name = p.quoted()
		}
	default:
		p.fail()
	}
	p.expect(")")
	return t
}

func (p *parser) predicates() []expression {
	var all []expression
	for p.accept("[") {
		all = append(all, p.expression())
		p.expect("]")
	}
	return all
}
