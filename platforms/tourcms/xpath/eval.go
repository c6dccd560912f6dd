package xpath

import (
	"cmp"
	"errors"
	"math"
	"math/bits"
	"slices"
)

// What libxml2 also fails at while it evaluates.
var (
	errVariable = errors.New("there are no variables")
	errFunction = errors.New("there is no such function, or not with so many arguments")
	errType     = errors.New("nodes are wanted, and this is something else")
	errPrefix   = errors.New("the root element does not declare this prefix")
	errContext  = errors.New("there is no position outside of a condition")
)

// Eval evaluates the expression at a node, and returns a []*Node in document order
// without duplicates, a string, a float64 or a bool. Prefixes are those that the
// node declares, and xml.
func (x *Expr) Eval(at *Node, f *Effort) (any, error) {
	e := &evaluation{effort: f, spaces: at.Spaces}
	v := x.root.eval(context{evaluation: e, node: at})
	switch {
	case f.left < 0:
		return nil, ErrEffort
	case e.err != nil:
		return nil, e.err
	}
	if found, ok := v.(nodes); ok {
		return []*Node(found), nil
	}
	return v, nil
}

// expression is a part of an expression.
type expression interface {
	eval(c context) value
}

// value is nodes, a string, a float64 or a bool.
type value any

// nodes are in document order without duplicates.
type nodes []*Node

// evaluation is what one call of Eval knows. After its first error nothing more is
// looked at, and values mean nothing.
type evaluation struct {
	effort *Effort
	spaces map[string]string
	err    error
}

func (e *evaluation) fail(err error) {
	if e.err == nil {
		e.err = err
	}
}

func (e *evaluation) spend(n int) bool { return e.err == nil && e.effort.Spend(n) }

// text is the string-value of a node.
func (e *evaluation) text(n *Node) string {
	if !e.spend(1 + int(n.Last-n.Order)) {
		return ""
	}
	text := n.Value()
	e.effort.SpendText(len(text))
	return text
}

type context struct {
	*evaluation
	node           *Node
	position, size int // 0 outside of predicates
}

type (
	literal  string
	number   float64
	negation struct {
		of  expression
		odd bool
	}
	// chain is operations of one level, from left to right.
	chain struct {
		first expression
		more  []operation
	}
	operation struct {
		operator string
		operand  expression
	}
	union   []expression
	failure struct{ err error }
)

func (x literal) eval(context) value { return string(x) }
func (x number) eval(context) value  { return float64(x) }

func (x failure) eval(c context) value {
	c.fail(x.err)
	return false
}

func (x negation) eval(c context) value {
	n := c.number(x.of.eval(c))
	if x.odd {
		return -n
	}
	return n
}

func (x chain) eval(c context) value {
	v := x.first.eval(c)
	for _, o := range x.more {
		if !c.spend(1) {
			break
		}
		switch o.operator {
		case "or", "and":
			if truth(v) == (o.operator == "or") {
				return o.operator == "or"
			}
			v = truth(o.operand.eval(c))
		case "=", "!=":
			v = c.equal(v, o.operand.eval(c), o.operator == "!=")
		case "<", "<=", ">", ">=":
			v = c.compare(o.operator, v, o.operand.eval(c))
		default:
			v = calculate(o.operator, c.number(v), c.number(o.operand.eval(c)))
		}
	}
	return v
}

func calculate(operator string, a, b float64) float64 {
	switch operator {
	case "+":
		return a + b
	case "-":
		return a - b
	case "*":
		return a * b
	case "div":
		return a / b
	}
	return math.Mod(a, b)
}

func (x union) eval(c context) value {
	var all nodes
	for _, part := range x {
		found := c.nodes(part.eval(c))
		if !c.spend(1 + len(found)) {
			return nodes(nil)
		}
		all = append(all, found...)
	}
	return c.inOrder(all)
}

// nodes wants nodes.
func (e *evaluation) nodes(v value) nodes {
	found, ok := v.(nodes)
	if !ok {
		e.fail(errType)
	}
	return found
}

// inOrder puts nodes into document order and removes duplicates.
func (e *evaluation) inOrder(found nodes) nodes {
	order := func(a, b *Node) int { return cmp.Compare(a.Order, b.Order) }
	if !slices.IsSortedFunc(found, order) {
		if !e.spend(len(found) * bits.Len(uint(len(found)))) {
			return nil
		}
		slices.SortFunc(found, order)
	}
	return slices.Compact(found)
}

func (x path) eval(c context) value {
	found := nodes{c.node}
	switch {
	case x.from != nil:
		found = c.nodes(x.from.eval(c))
		found = c.filter(found, x.predicates)
	case x.absolute:
		for found[0].Parent != nil && c.spend(1) {
			found[0] = found[0].Parent
		}
	}
	for _, s := range x.steps {
		if !c.spend(1) {
			break
		}
		found = c.step(s, found)
	}
	return found
}

// step goes a step from each of the nodes.
func (c context) step(s step, from nodes) nodes {
	space, ok := c.space(s.test.prefix)
	switch {
	case !ok:
		c.fail(errPrefix)
	case s.axis == namespace:
		c.fail(ErrUnsupported)
	}
	var found nodes
	seen := int32(-1) // up to where descendants have been found
	for _, n := range from {
		if !c.spend(1) {
			return nil
		}
		if (s.axis == descendant || s.axis == descendantOrSelf) && len(s.predicates) == 0 && n.Kind != Attribute {
			if n.Last <= seen { // with another node of the context it is inside of
				continue
			}
			seen = n.Last
		}
		before := len(found)
		s.axis.nodes(n, func(m *Node) bool {
			if s.test.holds(m, s.axis, space) {
				found = append(found, m)
			}
			return c.spend(1)
		})
		matching := c.filter(found[before:], s.predicates)
		found = found[:before+len(matching)]
		if s.axis.reverse() {
			slices.Reverse(matching)
		}
	}
	return c.inOrder(found)
}

const xmlSpace = "http://www.w3.org/XML/1998/namespace"

// space is the namespace of a prefix.
func (e *evaluation) space(prefix string) (string, bool) {
	switch prefix {
	case "":
		return "", true
	case "xml":
		return xmlSpace, true
	}
	space, ok := e.spaces[prefix]
	return space, ok
}

// holds tests a node on an axis; space is the namespace of the test's prefix.
func (t test) holds(n *Node, a axis, space string) bool {
	switch {
	case t.any:
		return true
	case !t.named && t.kind == Text:
		return n.text()
	case !t.named:
		return n.Kind == t.kind && (t.name == "" || n.Name.Local == t.name)
	case n.Kind != Element && (n.Kind != Attribute || a != attribute):
		return false
	case t.name == "":
		return t.prefix == "" || n.Name.Space == space
	}
	return n.Name.Local == t.name && n.Name.Space == space
}

// filter keeps the nodes for which all the predicates hold. It overwrites what it
// is given.
func (c context) filter(all nodes, predicates []expression) nodes {
	for _, predicate := range predicates {
		size := len(all)
		kept := all[:0]
		for i, n := range all {
			if !c.spend(1) {
				return nil
			}
			v := predicate.eval(context{c.evaluation, n, i + 1, size})
			position, isNumber := v.(float64)
			if isNumber && position == float64(i+1) || !isNumber && truth(v) {
				kept = append(kept, n)
			}
		}
		if all = kept; len(all) == 0 {
			break
		}
	}
	return all
}
